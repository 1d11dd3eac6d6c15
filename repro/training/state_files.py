"""The state of an unfinished run as two files: its tensors, and the rest.

`unfinished` says where they are kept and which of them is used; here they are made and read.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import safetensors.torch
from safetensors import SafetensorError

from repro.records.checkpoint_store import REST, SCHEMA, TENSORS, name_of
from repro.records.task import Files
from repro.system import checksum
from repro.training.trainer import State


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state, and the seconds that the run took to reach it."""

    state: State
    seconds: float


def pack(checkpoint: Checkpoint, key: str) -> Files:
    """The files of a state of the run with this key."""
    state = checkpoint.state
    tensors = safetensors.torch.save({k: v.contiguous() for k, v in state.tensors.items()})
    content = {
        "schema": SCHEMA,
        "key": key,
        "epoch": state.epoch,
        "seconds": checkpoint.seconds,
        "tensors": hashlib.sha256(tensors).hexdigest(),
        "rest": state.rest,
    }
    name = name_of(state.epoch)
    return {name + TENSORS: tensors, name + REST: checksum.seal(content)}


def unpack(files: Files) -> Checkpoint | None:
    """The state that `unfinished` found whole; None of no files, or where torch cannot read it."""
    if not files:
        return None
    tensors, rest = (next(files[n] for n in files if n.endswith(end)) for end in (TENSORS, REST))
    content: dict[str, Any] = json.loads(rest)
    try:
        state = State(content["epoch"], safetensors.torch.load(tensors), content["rest"])
    except SafetensorError:
        return None
    return Checkpoint(state, content["seconds"])
