"""A detector from a file of Python: a function that makes one, a module of torch, or an object."""

import inspect
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from repro.detectors.base import Detector, DetectorError, Given, Pixels, Reads
from repro.detectors.loading import Context
from repro.detectors.tensors import OnTensors, of_module
from repro.plugins import guard, plugin_errors, plugin_module
from repro.plugins.plugin_text import PluginText
from repro.study import merge

EXPECTED = (
    "a torch.nn.Module, or an object with `reads` ('windows' or 'whole') and `scores(pictures)`"
)


def load(given: Given, _: Context) -> Detector:
    """The detector that a name of the file gives.

    Raises:
        DetectorError: It has no such name, or that gives something else.
        PluginError: Its code raised an error.
    """
    assert given.text is not None
    named = _attribute(given, given.text)
    made = _made(given, given.text, named)
    if isinstance(made, torch.nn.Module):
        return OnTensors(given=given, run=_told(given, of_module(made)))
    reads = getattr(made, "reads", None)
    if not callable(getattr(made, "scores", None)) or reads not in ("windows", "whole"):
        raise DetectorError(
            f"{given.origin}: it gives {type(made).__name__}: {EXPECTED} is expected"
        )
    if given.reads not in (None, reads):
        raise DetectorError(f"{given.origin}: --reads {given.reads}, and the object reads {reads}")
    return _Own(given=given, own=made, reads=reads)


def _attribute(given: Given, text: PluginText) -> Any:
    module = plugin_module.load(text)
    names = [name for name in vars(module) if not name.startswith("_")]
    if given.attribute not in names:
        hint = merge.did_you_mean(given.attribute, names)
        raise DetectorError(f"{text.where}: it has no {given.attribute!r}{hint}")
    return vars(module)[given.attribute]


def _made(given: Given, text: PluginText, named: Any) -> Any:
    """What a function or class returns; the object itself otherwise."""
    is_ready = isinstance(named, torch.nn.Module) or hasattr(named, "scores")
    if is_ready and not inspect.isclass(named):
        return named
    if not callable(named):
        raise DetectorError(f"{given.origin}: this is {type(named).__name__}: {EXPECTED}")
    arguments = [io.BytesIO(given.content)] if given.content else []
    with plugin_errors.told(f"calling {given.attribute}", root=text.where), guard.undisturbed():
        return named(*arguments)


def _told(given: Given, run: Any) -> Any:
    """The same function; errors name the line of its file."""
    assert given.text is not None
    where = given.text.where

    def told(batch: Any) -> Any:
        with plugin_errors.told("running it", root=where):
            return run(batch)

    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """An object that follows the protocol; nothing else notices its code."""

    given: Given
    own: Any
    reads: Reads

    @property
    def name(self) -> str:
        return self.given.name

    @property
    def threshold(self) -> Any:
        return getattr(self.own, "threshold", 0.0)

    def scores(self, pictures: Pixels | Sequence[Pixels]) -> NDArray[np.float64]:
        assert self.given.text is not None
        whole = isinstance(pictures, list)
        copy = [one.copy() for one in pictures] if whole else np.array(pictures)
        told = plugin_errors.told("its scores", root=self.given.text.where)
        with told, guard.undisturbed():
            made = self.own.scores(copy)
            if isinstance(made, torch.Tensor):
                made = made.detach().cpu().numpy()
        found: NDArray[np.float64] = made
        return found
