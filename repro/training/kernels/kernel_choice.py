"""Which kernels compute a network: by device, precision and what this machine can do."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from repro.training.kernels import c_library
from repro.training.kernels.blocked import BlockedKernels, fits
from repro.training.kernels.operators import TorchKernels


class Kernels(Protocol):
    """What computes a network's convolutions; a batch's form is the kernels' own.

    The documentation of the methods is `BlockedKernels`'.
    """

    @property
    def name(self) -> str:
        """Of the kernels, in records."""

    def arithmetic(self, device: torch.device) -> AbstractContextManager[object]:
        """What the forward pass of a network runs in."""

    def gather(self, images: Tensor, index: Tensor, *, white: float = 1.0) -> Any:
        """Chosen images in [0, white]."""

    def features(self, batch: Any, stack: nn.Sequential) -> Tensor:
        """What an encoder's convolutions make, as (N, C, height, width)."""

    def errors(
        self, maps: Tensor, batch: Any, stack: nn.Sequential, *, norm: Literal["l1", "l2"]
    ) -> Tensor:
        """Error between each of the first N images and its decoding, (N,)."""

    def classification(self, logit: Tensor, is_face: Tensor) -> Tensor:
        """The classification loss of each image, (N,)."""

    def latents(
        self,
        mean: Tensor,
        logvar: Tensor,
        noise: Tensor,
        has_latents: Tensor,
        *,
        times: Literal["std", "variance"],
    ) -> tuple[Tensor, Tensor]:
        """Latents sampled from the posterior, (N, D), and its KL term, (N,)."""

    def minimise(self, loss: Tensor, optimiser: torch.optim.Adam, *, stored: bool = False) -> None:
        """Differentiate a loss, shape (), and update the parameters.

        Args:
            loss: What is minimised.
            optimiser: Of the parameters.
            stored: Whether every parameter has its ``grad`` afterwards.
        """


def choose(
    device: torch.device,
    precision: Literal["fp32", "bf16"],
    stacks: Sequence[nn.Sequential],
    *,
    batch_norm: Literal["batch", "stored"] = "batch",
) -> Kernels:
    """Blocks on a processor that can, for the shapes that they know; else torch's operators.

    Args:
        device: Where the network is.
        precision: Of the arithmetic.
        stacks: The network's convolutions.
        batch_norm: Statistics in training; blocks have no gradient through stored ones.
    """
    can = c_library.chosen() == "blocked" if precision == "fp32" else c_library.has_pairs()
    if device.type == "cpu" and can and batch_norm == "batch" and all(map(fits, stacks)):
        return BlockedKernels(precision)
    return TorchKernels(precision)
