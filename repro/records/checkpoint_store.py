"""The state of an unfinished run on disk, so that a run that is cut off goes on where it was.

``results/unfinished/KEY/`` holds the last two states, each as ``epoch-N.safetensors`` (tensors) and
``epoch-N.json`` (the rest, the digest of the first, and whose state it is), written in this order.
A state is used only if both files are, to the bit, what was written for this very run; else the one
before is. The folder goes when the run has its record. Nothing here loads torch.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from repro.errors import RecordError
from repro.records import records
from repro.records.records import ADVICE
from repro.records.task import Files
from repro.system import atomic_files, checksum

SCHEMA = 1
KEPT = 2
TENSORS, REST = ".safetensors", ".json"  # ends of names


def folder_of(key: str, results: Path) -> Path:
    """Where an unfinished run is, or would be."""
    return results / "unfinished" / key


def name_of(epoch: int) -> str:
    """What the two files of a state are called, less their ends."""
    return f"epoch-{epoch:06d}"


def keep(state: Files, key: str, results: Path) -> None:
    """Write a state, and forget all but the one before.

    Args:
        state: Its two files, by name.
        key: Of the run.
        results: The results folder.

    Raises:
        CannotWrite: The disk is full, or the place cannot be written.
    """
    folder = folder_of(key, results)
    for name in sorted(state, key=lambda name: name.endswith(REST)):  # the tensors first
        atomic_files.put(folder / name, state[name], advice=ADVICE)
    for old in newest_first(folder)[KEPT:]:
        atomic_files.discard(old)
        atomic_files.discard(old.with_suffix(TENSORS))


def latest(key: str, results: Path) -> Files:
    """The files of the last state that is whole and this run's own; empty if there is none."""
    for path in newest_first(folder_of(key, results)):
        if found := _read(path, key):
            return found
    return {}


def are_left_over(key: str, results: Path) -> bool:
    """Whether a run has a whole record, so that nobody goes on from its states."""
    try:
        return records.state_of(key, results) in ("finished", "failed")
    except RecordError:  # of a later release, or unreadable: nobody knows
        return False


def remove(key: str, results: Path) -> None:
    """Forget the states of a run."""
    atomic_files.discard(folder_of(key, results))


def newest_first(folder: Path) -> list[Path]:
    """The checkpoints of an unfinished run, by name alone."""
    return sorted(folder.glob(f"epoch-*{REST}"), reverse=True)


def epochs_kept(key: str, results: Path) -> int:
    """Epochs that a run need not do again, as the names say; 0 if there is no checkpoint."""
    names = [path.stem.removeprefix("epoch-") for path in newest_first(folder_of(key, results))]
    return next((int(name) for name in names if name.isdecimal()), 0)


def _read(path: Path, key: str) -> Files:
    beside = path.with_suffix(TENSORS)
    try:
        raw, tensors = path.read_bytes(), beside.read_bytes()
    except OSError:
        return {}
    if not checksum.is_whole(raw):
        return {}
    content: dict[str, Any] = json.loads(raw)
    whose = (content.get("schema"), content.get("key"), content.get("tensors"))
    if whose != (SCHEMA, key, hashlib.sha256(tensors).hexdigest()):
        return {}
    return {beside.name: tensors, path.name: raw}
