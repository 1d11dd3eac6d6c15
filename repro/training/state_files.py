"""The state of an unfinished run as two files: its tensors, and the rest.

This module writes and reads them; `unfinished` decides where they are and which is used.
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
    """A state, and the training time until then in seconds."""

    state: State
    seconds: float


def pack(checkpoint: Checkpoint, key: str) -> Files:
    """The files of a checkpoint of the run with this key."""
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
    """The checkpoint in complete files; None without files, or if torch cannot read them."""
    if not files:
        return None
    tensors, rest = (next(files[n] for n in files if n.endswith(end)) for end in (TENSORS, REST))
    content: dict[str, Any] = json.loads(rest)
    try:
        state = State(content["epoch"], safetensors.torch.load(tensors), content["rest"])
    except SafetensorError:
        return None
    return Checkpoint(state, content["seconds"])
