"""The state of an unfinished run on disk, so that a run that is cut off goes on where it was.

``results/unfinished/KEY/`` holds the last two states, each as ``epoch-N.safetensors`` (tensors) and
``epoch-N.json`` (the rest, the digest of the first, and whose state it is), written in this order.
A state is used only if both files are, to the bit, what was written for this very run; else the one
before is. The folder goes when the run has its record.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError

from repro import sealed, writing
from repro.records import ADVICE
from repro.training import State
from repro.unfinished import folder_of, newest_first

SCHEMA = 1
KEPT = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state, and the seconds that the run took to reach it."""

    state: State
    seconds: float


def write(checkpoint: Checkpoint, key: str, results: Path) -> None:
    """Keep a state, and forget all but the one before.

    Raises:
        CannotWrite: The disk is full, or the place cannot be written.
    """
    folder, state = folder_of(key, results), checkpoint.state
    tensors = safetensors.torch.save({k: v.contiguous() for k, v in state.tensors.items()})
    content = {
        "schema": SCHEMA,
        "key": key,
        "epoch": state.epoch,
        "seconds": checkpoint.seconds,
        "tensors": hashlib.sha256(tensors).hexdigest(),
        "rest": state.rest,
    }
    name = folder / f"epoch-{state.epoch:06d}"
    writing.put(name.with_suffix(".safetensors"), tensors, advice=ADVICE)
    writing.put(name.with_suffix(".json"), sealed.seal(content), advice=ADVICE)
    for old in newest_first(folder)[KEPT:]:
        writing.discard(old)
        writing.discard(old.with_suffix(".safetensors"))


def latest(key: str, results: Path) -> Checkpoint | None:
    """The last state that is whole and this run's own; None if there is none."""
    for path in newest_first(folder_of(key, results)):
        if (found := _read(path, key)) is not None:
            return found
    return None


def remove(key: str, results: Path) -> None:
    """Forget the states of a run."""
    writing.discard(folder_of(key, results))


def _read(path: Path, key: str) -> Checkpoint | None:
    try:
        raw, tensors = path.read_bytes(), path.with_suffix(".safetensors").read_bytes()
    except OSError:
        return None
    if not sealed.is_whole(raw):
        return None
    content: dict[str, Any] = json.loads(raw)
    whose = (content.get("schema"), content.get("key"), content.get("tensors"))
    if whose != (SCHEMA, key, hashlib.sha256(tensors).hexdigest()):
        return None
    try:
        state = State(content["epoch"], safetensors.torch.load(tensors), content["rest"])
    except SafetensorError:
        return None
    return Checkpoint(state, content["seconds"])
