"""Matrix products of the hidden layers, by oneDNN where torch has it.

Torch multiplies float32 matrices with MKL, which on some processors keeps to vectors of 256 bits;
oneDNN, also inside torch, uses what the processor has.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def linear(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``rows @ weight.T + bias``, as `torch.nn.functional.linear`.

    Args:
        rows: Shape (N, I).
        weight: Shape (O, I).
        bias: Shape (O,).

    Returns:
        Shape (N, O).
    """
    if rows.device.type != "cpu" or rows.dtype != torch.float32 or not _plain_arithmetic():
        return torch.nn.functional.linear(rows, weight, bias)
    if not torch.is_grad_enabled():
        return _product(rows, weight, bias)
    result: Tensor = _Linear.apply(rows, weight, bias)  # type: ignore[no-untyped-call]
    return result


def _plain_arithmetic() -> bool:
    """Whether torch has the product, and nobody asked for another precision."""
    return (
        torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and not torch.is_autocast_enabled("cpu")
    )


def _product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    result: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return result


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return _product(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        rows, weight = ctx.saved_tensors
        slope = slope.contiguous()
        by_rows = _product(slope, weight.t()) if ctx.needs_input_grad[0] else None
        return by_rows, _product(slope.t(), rows.t()), slope.sum(dim=0)
