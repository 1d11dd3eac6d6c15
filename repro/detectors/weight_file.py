"""Weights of a declared network: safetensors, or a state dict of torch. Both are data, not code."""

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor

from repro import models
from repro.detectors.base import Detector, DetectorError, Given, Reads
from repro.detectors.loading import Context
from repro.detectors.tensors import OnTensors, of_module, refused
from repro.plugins import calls, guard
from repro.study import merge
from repro.training import inference

MOST_NAMES = 3  # of tensors, in a message
MEAN = "encoder.latent_mean.weight"  # of a network with latents, shape (D, H)
OF_RUN = "encoder.module.made."  # before the names of a plug-in's network in a run's file


def load(given: Given, context: Context) -> Detector:
    """The detector.

    Raises:
        DetectorError: The file is damaged, the network is unknown, or the weights are of another
            one.
        PluginError: The network is a plug-in's, and cannot be made.
    """
    state = _state(given)
    name = str(given.settings["architecture"])
    if name in models.ARCHITECTURES:
        return _of_ours(given, name, state)
    plugin = context.catalogue.find("model", name)
    if plugin is None:
        known = [*models.ARCHITECTURES, *context.catalogue.names("model")]
        hint = merge.did_you_mean(name, known)
        raise DetectorError(
            f"{given.origin}: --architecture: there is no network {name!r}{hint} "
            f"({', '.join(dict.fromkeys(known))})"
        )
    made = calls.call(plugin, plugin.typed({}))
    if not isinstance(made, torch.nn.Module):
        raise calls.refuse(plugin, f"it returned {calls.described(made)}: return a torch.nn.Module")
    own = {one.removeprefix(OF_RUN): tensor for one, tensor in state.items()}
    own.pop("encoder.module.count", None)
    _fill(given, made, own, name)
    run = of_module(made)

    def told(batch: Any) -> Any:
        with calls.own_code(plugin):
            return run(batch)

    return OnTensors(given=given, run=told)


def _of_ours(given: Given, name: str, state: dict[str, Any]) -> Detector:
    """Read by the same code as in runs, so that a run's own weights give its own scores."""
    mean = state.get(MEAN)
    model = models.build(name, latent_dim=len(mean) if mean is not None else 0, seed=0)
    _fill(given, model, state, name)
    if given.reads == "whole":
        raise DetectorError(
            f"{given.origin}: networks of this program read windows: leave --reads out"
        )
    return _Ours(given=given, model=model)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ours:
    """A network of this program, on windows of 64 x 64 as they are stored."""

    given: Given
    model: models.Model
    reads: Reads = "windows"

    @property
    def name(self) -> str:
        return self.given.name

    def scores(self, pictures: Any) -> NDArray[np.float64]:
        pixels = torch.from_numpy(np.ascontiguousarray(pictures))
        return inference.as_float64(inference.logits(self.model, pixels))


def _state(given: Given) -> dict[str, Any]:
    """Tensors by name; nothing that could run code is read."""
    try:
        if given.origin.lower().endswith(".safetensors"):
            return dict(safetensors.torch.load(given.content))
        with guard.undisturbed(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(io.BytesIO(given.content), map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file raises anything
        raise refused(given, "no weights can be read of it", error) from None
    if not isinstance(found, Mapping) or not all(isinstance(v, Tensor) for v in found.values()):
        raise DetectorError(
            f"{given.origin}: it holds {type(found).__name__}: tensors by name, a state dict, are "
            "expected"
        )
    return dict(found)


def _fill(given: Given, model: torch.nn.Module, state: dict[str, Any], name: str) -> None:
    """Put the weights into the network.

    Raises:
        DetectorError: They are of another one.
    """
    own = model.state_dict()
    wrong = [
        *(f"no {one}" for one in own.keys() - state.keys()),
        *(f"{one}, which it has not" for one in state.keys() - own.keys()),
        *(
            f"{one} of shape {tuple(state[one].shape)}, not {tuple(own[one].shape)}"
            for one in own.keys() & state.keys()
            if state[one].shape != own[one].shape
        ),
    ]
    if wrong:
        more = f" and {len(wrong) - MOST_NAMES} more" if len(wrong) > MOST_NAMES else ""
        told = "; ".join(sorted(wrong)[:MOST_NAMES])
        raise DetectorError(
            f"{given.origin}: these are weights of another network than {name}: {told}{more}"
        )
    model.load_state_dict(state)
