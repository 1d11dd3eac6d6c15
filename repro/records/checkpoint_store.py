"""Checkpoints of unfinished runs on disk, so that an interrupted run can continue.

``results/unfinished/KEY/`` holds the last two checkpoints, each as ``epoch-N.safetensors``
(tensors) and ``epoch-N.json`` (the rest, the digest of the first, and the run's identity), written
in this order. A checkpoint is used only if both files are bit for bit what was written for this
run; else the one before is used. The folder is removed when the run has its record. Nothing here
loads torch.
"""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter

from repro.errors import RecordError
from repro.records import field_types, records
from repro.records.field_types import Known, Sha256, Text, Whole
from repro.records.records import ADVICE
from repro.records.task import Files
from repro.study.section import NonNegative
from repro.system import atomic_files, checksum, regular_file

SCHEMA = 1
KEPT = 2
MOST_BYTES = 8 << 30  # of one of its files
TENSORS, REST = ".safetensors", ".json"  # file suffixes


class _Rest(Known):
    history: list[dict[Text, float]]


class _Checkpoint(Known):
    version: Literal[1] = Field(alias="schema")
    key: Text
    epoch: Whole
    seconds: NonNegative
    tensors: Sha256
    rest: _Rest


_MODEL = TypeAdapter(_Checkpoint)


def folder_of(key: str, results: Path) -> Path:
    """The folder of an unfinished run, whether it exists or not."""
    return results / "unfinished" / key


def name_of(epoch: int) -> str:
    """The name of a checkpoint's two files, without suffix."""
    return f"epoch-{epoch:06d}"


def keep(state: Files, key: str, results: Path) -> None:
    """Write a checkpoint, and remove all but the previous one.

    Args:
        state: Its two files, by name.
        key: Of the run.
        results: The results folder.

    Raises:
        CannotWrite: The disk is full, or the path cannot be written.
    """
    folder = folder_of(key, results)
    for name in sorted(state, key=lambda name: name.endswith(REST)):  # the tensors first
        atomic_files.put(folder / name, state[name], advice=ADVICE)
    for old in newest_first(folder)[KEPT:]:
        atomic_files.discard(old)
        atomic_files.discard(old.with_suffix(TENSORS))


def latest(key: str, results: Path) -> Files:
    """The files of the last checkpoint that is intact and belongs to this run; empty if none."""
    for path in newest_first(folder_of(key, results)):
        if found := _read(path, key):
            return found
    return {}


def are_left_over(key: str, results: Path) -> bool:
    """Whether a run has an intact record, so that its checkpoints are no longer needed."""
    try:
        return records.state_of(key, results) in ("finished", "failed")
    except RecordError:  # of a later release, or unreadable: unknown
        return False


def remove(key: str, results: Path) -> None:
    """Remove the checkpoints of a run."""
    atomic_files.discard(folder_of(key, results))


def newest_first(folder: Path) -> list[Path]:
    """The checkpoints of an unfinished run, judged by file name alone."""
    return sorted(folder.glob(f"epoch-*{REST}"), reverse=True)


def epochs_kept(key: str, results: Path) -> int:
    """Epochs that a run need not repeat, judged by file names; 0 if there is no checkpoint."""
    names = [path.stem.removeprefix("epoch-") for path in newest_first(folder_of(key, results))]
    return next((int(name) for name in names if name.isdecimal()), 0)


def _read(path: Path, key: str) -> Files:
    beside = path.with_suffix(TENSORS)
    if path.parent.is_symlink():
        return {}
    try:
        raw = regular_file.read(path, at_most=MOST_BYTES)
        tensors = regular_file.read(beside, at_most=MOST_BYTES)
        content = field_types.parsed(_MODEL, raw) if checksum.is_whole(raw) else None
    except (OSError, ValueError):
        return {}
    if content is None or (content.key, name_of(content.epoch)) != (key, path.stem):
        return {}
    if content.epoch != len(content.rest.history):
        return {}
    if content.tensors != hashlib.sha256(tensors).hexdigest():
        return {}
    return {beside.name: tensors, path.name: raw}
