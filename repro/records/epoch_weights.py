"""The file with the probabilities of the training faces in each resampled epoch of a run."""

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

ByEpoch = dict[int, NDArray[np.float64]]
_START = "epoch_"


def pack(weights: ByEpoch) -> bytes:
    """The content of the file.

    Args:
        weights: Probabilities (F,) of each resampled epoch, which counts from 1.
    """
    return safetensors.numpy.save(
        {f"{_START}{epoch:04d}": np.ascontiguousarray(weights[epoch]) for epoch in sorted(weights)}
    )


def unpack(content: bytes, faces: int | None = None) -> ByEpoch:
    """The inverse of `pack`.

    Args:
        content: Of the file.
        faces: F, where it is known.

    Raises:
        ValueError: It holds something else; one sentence.
    """
    try:
        tensors = safetensors.numpy.load(content)
        found = {_epoch(name): tensors[name] for name in sorted(tensors)}
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ValueError(f"no weights can be read: {error}") from None
    for epoch, one in found.items():
        if wrong := problem(one, faces):
            raise ValueError(f"epoch {epoch}: {wrong}")
    return found


def _epoch(name: str) -> int:
    digits = name.removeprefix(_START)
    if not (name.startswith(_START) and digits.isdecimal() and int(digits)):
        raise ValueError(f"{name[:100]!r} is no epoch")
    return int(digits)


def problem(found: NDArray[np.generic], faces: int | None) -> str:
    """What is wrong with the weights of training faces; empty if nothing is."""
    if found.dtype != np.float64 or found.ndim != 1 or not len(found):
        return f"{found.dtype} of shape {found.shape}, not float64 of shape (F,)"
    if faces is not None and len(found) != faces:
        return f"{len(found):,} weights, and {faces:,} training faces"
    numbers = found.astype(np.float64, copy=False)
    if not (np.isfinite(numbers).all() and (numbers >= 0).all() and abs(numbers.sum() - 1) < 1e-6):
        return "the weights are not probabilities with a sum of 1"
    return ""
