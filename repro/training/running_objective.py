"""A run's objective at work: what it is given, and what of its answers is used."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repro.errors import ReproError, RunFailed
from repro.plugins import calls
from repro.plugins.declared import Plugin
from repro.study import methods
from repro.training import adam_state
from repro.training.kernels import devices
from repro.training.objective import Batch, Objective, ObjectiveContext, Terms

MEAN_LOSS = "loss"  # of an epoch, among the numbers that an objective says of it


class Standard(Protocol):
    """The whole loss of the papers."""

    def __call__(self, *, classification: Tensor) -> Tensor:
        """Of each image, (N,), given its classification loss."""


class RunningObjective:
    """The objective of one run, built in or a plug-in.

    Attributes:
        terms: What its weights multiply.
        trains: Whether there are epochs.
        captured: Whether a step with it may be captured.
    """

    def __init__(self, plugin: Plugin, context: ObjectiveContext) -> None:
        """Make it from its class.

        Raises:
            ReproError: Groups or a source run are missing.
            PluginError: It is a plug-in and failed, or cannot be used.
        """
        self._plugin = plugin
        _require_needs(plugin, context)
        self._made = calls.call(plugin, context)
        self._default = Objective(context)
        self.terms: Terms = self._of("terms")
        self.trains, self.captured = plugin.trains, bool(self._of("captured"))
        if self.terms not in ("classification", "all"):
            raise calls.refuse(plugin, f"its terms are {self.terms!r}: classification or all")
        if self._defines("loss") and self._defines("weights"):
            raise calls.refuse(plugin, "it defines loss and weights: define one of them")
        self._sum, self._wrong = torch.zeros(
            2, dtype=devices.widest(context.device), device=context.device
        )

    def _of(self, name: str) -> Any:
        with calls.own_code(self._plugin):
            return getattr(self._made, name, getattr(self._default, name))

    def _defines(self, name: str) -> bool:
        own = getattr(type(self._made), name, None)
        return own is not None and own is not getattr(Objective, name)

    def _call(self, name: str, *given: Any) -> Any:
        method = self._of(name)
        with calls.own_code(self._plugin):
            return method(*given)

    def minimised(self, batch: Batch, standard: Standard) -> Tensor:
        """The loss of each image in a training step.

        Args:
            batch: After the forward pass.
            standard: The whole loss, given the classification loss.

        Returns:
            Shape (N,).

        Raises:
            PluginError: What a method returned has another shape or type.
        """
        found: Tensor | None = self._call("loss", batch)
        if found is None:
            found = self._weighted(batch, self._call("weights", batch), standard)
        else:
            self._require_shape("loss", found, batch)
            self._note(~torch.isfinite(found.detach()), batch)
        self._sum += found.detach().to(self._sum.dtype).sum()
        return found

    def _weighted(self, batch: Batch, weights: Tensor | None, standard: Standard) -> Tensor:
        if weights is None:
            return standard(classification=batch.classification)
        self._require_shape("weights", weights, batch)
        weights = weights.detach()
        self._note(~(torch.isfinite(weights) & (weights >= 0)), batch)
        if self.terms == "all":
            return weights * standard(classification=batch.classification)
        return standard(classification=weights * batch.classification)

    def _note(self, wrong: Tensor, batch: Batch) -> None:
        """Count wrong values; not those of a network whose own loss is no longer finite."""
        self._wrong += wrong.sum() * torch.isfinite(batch.classification.detach()).all()

    def _require_shape(self, name: str, found: Any, batch: Batch) -> None:
        expected = batch.classification
        right = isinstance(found, Tensor) and found.shape == expected.shape
        if not right or found.dtype != expected.dtype or found.device != expected.device:
            raise calls.refuse(
                self._plugin,
                f"{name} returned {calls.described(found)}: return a number for each image of the "
                f"batch, {expected.dtype} of shape {tuple(expected.shape)}, on {expected.device}",
            )

    def require_usable(self, epoch: int) -> None:
        """Check what it returned in an epoch, of which nothing was read before.

        Raises:
            PluginError: Weights were not finite or below 0.
            RunFailed: The loss in place of the standard one was not finite.
        """
        wrong = int(self._wrong)
        self._wrong.zero_()
        if wrong and self._defines("loss"):
            reason = f"{wrong:,} losses of the epoch are not finite"
            raise RunFailed(epoch=epoch, term=self._plugin.title, reason=reason)
        if wrong:
            raise calls.refuse(
                self._plugin, f"{wrong:,} weights of epoch {epoch} are below 0 or not finite"
            )

    def epoch_ended(self, images: int) -> dict[str, float]:
        """Numbers of an epoch with so many images for the history, named ``objective/...``.

        Raises:
            PluginError: One is not finite.
        """
        total = float(self._sum)
        self._sum.zero_()
        return {f"objective/{MEAN_LOSS}": total / max(images, 1), **self._numbers("epoch_ended")}

    def finish(self) -> dict[str, float]:
        """Let it change the network after the last epoch; numbers, named as in the history."""
        return self._numbers("finish")

    def _numbers(self, method: str) -> dict[str, float]:
        found = self._call(method) or {}
        right = isinstance(found, Mapping) and all(
            isinstance(name, str) and isinstance(value, int | float) and math.isfinite(value)
            for name, value in found.items()
        )
        if not right:
            raise calls.refuse(
                self._plugin, f"{method} returned {found!r}: return finite numbers by name"
            )
        if MEAN_LOSS in found:
            raise calls.refuse(
                self._plugin, f"{method} returned a number '{MEAN_LOSS}', which is the mean loss"
            )
        return {f"objective/{name}": float(value) for name, value in found.items()}

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps of it.

        Raises:
            PluginError: It is not tensors by name.
        """
        found = self._call("state")
        right = isinstance(found, dict) and all(
            isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items()
        )
        if not right:
            raise calls.refuse(self._plugin, "state did not return tensors by name")
        return adam_state.named("objective", found)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from the tensors of a checkpoint."""
        self._call("restore", adam_state.unnamed("objective", tensors))


def numbered(groups: Sequence[str] | None, count: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The group of each image as a number.

    Args:
        groups: By name, "" for none; None if the data have none.
        count: Of images M.

    Returns:
        Positions in the names, -1 for none, (M,), and the names, sorted.
    """
    if groups is None:
        return np.full(count, -1), ()
    names = tuple(sorted({*groups} - {""}))
    places = {name: number for number, name in enumerate(names)}
    return np.array([places.get(group, -1) for group in groups]), names


def _require_needs(plugin: Plugin, context: ObjectiveContext) -> None:
    name = plugin.name
    if "source" in plugin.needs and context.source is None:
        raise ReproError(f"objective.of: {name} needs the arm whose run it starts from")
    if not methods.needs_groups(plugin, context.settings.objective.parameters):
        return
    without = int((context.groups[context.is_face] < 0).sum())
    if without:
        raise ReproError(
            f"objective.name: {name} needs the group of each face, and {without:,} of "
            f"{int(context.is_face.sum()):,} have none; `repro data prepare --group COLUMN` "
            "writes them"
        )
