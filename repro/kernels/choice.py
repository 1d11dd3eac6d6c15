"""Which kernels compute a network: by device, precision and what this machine can do."""

from typing import Literal

import torch

from repro.kernels import library
from repro.kernels.blocked import BlockedKernels
from repro.kernels.operators import TorchKernels

Kernels = BlockedKernels | TorchKernels


def choose(device: torch.device, precision: Literal["fp32", "bf16"]) -> Kernels:
    """Blocks for float32 on a processor that can, torch's operators for everything else."""
    if device.type == "cpu" and precision == "fp32" and library.chosen() == "blocked":
        return BlockedKernels()
    return TorchKernels(precision)
