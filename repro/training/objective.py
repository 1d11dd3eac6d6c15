"""What an objective is given, and what it may define.

An objective is made once per run from its `ObjectiveContext`. It changes the loss of each batch by
`weights` or by `loss`, or trains nothing and changes the network at the end by `finish`. What a
class leaves out is as `Objective` has it; it need not be a subclass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from repro.models import Model
from repro.study.configuration import Configuration
from repro.training.kernels.operators import to_network

Terms = Literal["classification", "all"]


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch, after the forward pass of the network.

    The losses are attached to the graph: detach them to compute weights.

    Attributes:
        index: Positions among all images, int64 (N,), faces first.
        is_face: Boolean (N,).
        logit: Of the face, float32 (N,); 0 or more means face.
        classification: Binary cross-entropy in nats, (N,).
        kl: In nats, (N,); 0 for images without a face and for a classifier.
        reconstruction: Error of the decoded image, (N,); as `kl`.
        images: All stored pixels, uint8 (M, 64, 64, 3).
    """

    index: Tensor
    is_face: Tensor
    logit: Tensor
    classification: Tensor
    kl: Tensor
    reconstruction: Tensor
    images: Tensor

    def pixels(self) -> Tensor:
        """The batch's images in [0, 1], float32 (N, 3, 64, 64)."""
        return to_network(self.images[self.index])


@dataclass(frozen=True, slots=True)
class ObjectiveContext:
    """A run at its start.

    Attributes:
        parameters: The objective's own, checked, defaults filled in.
        settings: The whole configuration of the run.
        model: The network that is trained.
        images: All stored pixels, uint8 (M, 64, 64, 3), on the device.
        is_face: Boolean (M,), on the device.
        groups: Position of each face's group in `group_names`, -1 for other images, int64 (M,), on
            the device.
        group_names: Of the faces' groups, sorted; empty if they are unknown.
        train: Positions of the training images, int64 (T,), on the device.
        validation: Positions of the images that are held out, int64 (V,), on the device.
        random: Random stream of this objective, on the device; kept in checkpoints.
        new_classifier: Makes an untrained classifier of the run's architecture on the device, its
            initial weights from a stream of the objective's own.
        source: The run that `of` names, or None.
    """

    parameters: Any
    settings: Configuration
    model: Model
    images: Tensor
    is_face: Tensor
    groups: Tensor
    group_names: tuple[str, ...]
    train: Tensor
    validation: Tensor
    random: torch.Generator
    new_classifier: Callable[[], Model]
    source: Any = None

    @property
    def device(self) -> torch.device:
        """Where the network and the images are."""
        return self.images.device

    def sizes(self, index: Tensor) -> dict[str, int]:
        """Number of faces of each group among these images, by the group's name."""
        groups = self.groups[index].tolist()
        return {name: groups.count(number) for number, name in enumerate(self.group_names)}


class Objective:
    """The standard objective: nothing is changed. Others override what they need.

    Attributes:
        terms: What the factors of `weights` multiply: the classification loss of each image, or
            its whole loss.
        captured: Whether a step with this objective may be captured as a CUDA graph. It must then
            be computed on the device alone, without a branch or a size that depends on values, and
            change its tensors in place.
    """

    terms: Terms = "classification"
    captured = False

    def __init__(self, context: ObjectiveContext) -> None:
        """Start a run."""

    def weights(self, batch: Batch) -> Tensor | None:
        """Factor of each image's `terms`, (N,), finite, 0 or more; None: 1 for all."""
        return None

    def loss(self, batch: Batch) -> Tensor | None:
        """Loss of each image in place of the whole, (N,); None: the standard loss."""
        return None

    def epoch_ended(self) -> dict[str, float]:
        """Numbers of the epoch for the history, by name."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """Everything that the following epochs depend on, by name."""
        return {}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a `state`."""

    def finish(self) -> dict[str, float]:
        """Change the network after the last epoch, at the chosen one; numbers for the record."""
        return {}
