"""Random streams, derived by name from a run's seed.

One stream per purpose: arms with the same seed share initial weights and split, and the number of
draws from one stream does not affect another.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream_seed(seed: int, name: str) -> int:
    """A 63-bit integer for the named stream of a run."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8]) >> 1


def generator(seed: int, name: str) -> np.random.Generator:
    """NumPy's generator for the named stream."""
    return np.random.default_rng(stream_seed(seed, name))


def torch_generator(
    seed: int, name: str, device: "torch.device | str" = "cpu"
) -> "torch.Generator":
    """Torch's generator for the named stream, on a device; numbers depend on the kind of device."""
    import torch

    return torch.Generator(device).manual_seed(stream_seed(seed, name))
