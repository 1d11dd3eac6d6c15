"""Which kernels compute a network: by device, precision and what this machine can do."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from repro.kernels import library
from repro.kernels.blocked import BlockedKernels
from repro.kernels.operators import Layer, TorchKernels


class Kernels(Protocol):
    """What computes a network's convolutions; a batch's form is the kernels' own.

    The documentation of the methods is `BlockedKernels`'.
    """

    name: Literal["blocked", "torch"]

    def arithmetic(self, device: torch.device) -> AbstractContextManager[object]:
        """What the forward pass of a network runs in."""

    def gather(self, images: Tensor, index: Tensor) -> Any:
        """Chosen images in [0, 1]."""

    def features(self, batch: Any, layers: Sequence[Layer]) -> Tensor:
        """A stack of layers, as (N, C, height, width)."""

    def errors(
        self,
        maps: Tensor,
        batch: Any,
        layers: Sequence[Layer],
        last: nn.ConvTranspose2d,
        *,
        norm: Literal["l1", "l2"],
    ) -> Tensor:
        """Error between each of the first N images and its decoding, (N,)."""


def choose(device: torch.device, precision: Literal["fp32", "bf16"]) -> Kernels:
    """Blocks on a processor that can, torch's operators for everything else."""
    can = library.chosen() == "blocked" if precision == "fp32" else library.has_pairs()
    if device.type == "cpu" and can:
        return BlockedKernels(precision)
    return TorchKernels(precision)
