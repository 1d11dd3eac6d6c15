"""Checks of the tensors given to public functions; every message names the argument.

Reading a value synchronises with the device. Under ``torch.compile``, and while a CUDA graph is
captured, values cannot be read: only types and shapes are checked.
"""

import torch
from torch import Tensor

from repro.argument_checks import arrays

SHAPES = {1: "(N,)", 2: "(N, D)", 4: "(N, C, H, W)"}


def finite(dimensions: int, **tensors: Tensor) -> None:
    """Refuse NaN, infinity and what `floating` refuses.

    Raises:
        TypeError: As `floating`.
        ValueError: As `floating`; or values are not finite: how many, and the position of the
            first.
    """
    floating(dimensions, **tensors)
    if not _readable(*tensors.values()):
        return
    for name, tensor in tensors.items():
        right = tensor.isfinite()
        if not right.all():
            values = tensor.detach().cpu().double().numpy()
            raise arrays.not_finite(name, values, ~right.cpu().numpy())


def floating(dimensions: int, **tensors: Tensor) -> None:
    """Refuse all but floating-point tensors of equal shape with this number of axes.

    Raises:
        TypeError: Not a tensor, or a tensor of integers or booleans.
        ValueError: The shapes differ, or have another number of axes.
    """
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            raise TypeError(
                f"{name} must be a tensor of floating-point numbers, not {_kind(tensor)}"
            )
    arrays.equal_shapes(**tensors)
    for name, tensor in tensors.items():
        if tensor.ndim != dimensions:
            wanted = SHAPES[dimensions]
            raise ValueError(f"{name} must have shape {wanted}, not {tuple(tensor.shape)}")


def faces(is_face: Tensor, **of_images: Tensor) -> None:
    """Refuse all but one boolean for each image of the tensors.

    Raises:
        TypeError: Not a boolean tensor.
        ValueError: The lengths differ, or `is_face` has more than one axis.
    """
    if not isinstance(is_face, Tensor) or is_face.dtype != torch.bool:
        raise TypeError(f"is_face must be a boolean tensor, not {_kind(is_face)}")
    for name, tensor in of_images.items():
        if tuple(is_face.shape) != (len(tensor),):
            shapes = f"{name} {tuple(tensor.shape)}, is_face {tuple(is_face.shape)}"
            raise ValueError(f"shapes differ: {shapes}")


def _readable(*tensors: Tensor) -> bool:
    if torch.compiler.is_compiling():
        return False
    on_gpu = any(tensor.is_cuda for tensor in tensors)
    return not (on_gpu and torch.cuda.is_current_stream_capturing())


def _kind(value: object) -> str:
    return str(value.dtype) if isinstance(value, Tensor) else type(value).__name__
