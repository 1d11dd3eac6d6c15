"""Matrix products of the hidden layers, by oneDNN where torch has it.

Torch multiplies float32 matrices with MKL, which on some processors keeps to vectors of 256 bits;
oneDNN, also inside torch, uses what the processor has.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from repro.training.kernels import thin_products
from repro.training.kernels.thin_products import product

# Of a weight (O, I): the gradient of the layer's output (N, O) and its input (N, I); None: autograd
# has added up the products.
Products = dict[Tensor, tuple[Tensor, Tensor] | None]


class _Thread(threading.local):
    """What a thread keeps while it runs autograd, which differentiates there on a processor."""

    def __init__(self) -> None:
        self.kept: list[Products] = []


_thread = _Thread()


def linear(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``rows @ weight.T + bias``, as `torch.nn.functional.linear`.

    Args:
        rows: Shape (N, I).
        weight: Shape (O, I).
        bias: Shape (O,).

    Returns:
        Shape (N, O).
    """
    if not is_ours(rows):
        return torch.nn.functional.linear(rows, weight, bias)
    if not torch.is_grad_enabled():
        return product(rows, weight, bias)
    result: Tensor = _Linear.apply(rows, weight, bias)  # type: ignore[no-untyped-call]
    return result


def is_ours(rows: Tensor) -> bool:
    """Whether torch has the product for them, and nobody asked for another precision."""
    plain = rows.device.type == "cpu" and rows.dtype == torch.float32
    return plain and thin_products.available() and not torch.is_autocast_enabled("cpu")


@contextmanager
def keeping_products() -> Iterator[Products]:
    """Within, backward makes no gradients by the weights: it keeps what they are products of."""
    kept: Products = {}
    _thread.kept.append(kept)
    try:
        yield kept
    finally:
        _thread.kept.pop()


def _by_weight(weight: Tensor, slope: Tensor, rows: Tensor) -> Tensor | None:
    """The gradient by the weights; None if it is kept as a product."""
    if not _thread.kept or not _can_be_kept(weight, rows):
        return product(slope.t(), rows.t())
    kept = _thread.kept[-1]
    if weight not in kept:
        kept[weight] = slope, rows
        return None
    before, kept[weight] = kept[weight], None  # the layer is used again
    made = product(slope.t(), rows.t())
    return made if before is None else product(before[0].t(), before[1].t()) + made


def _can_be_kept(weight: Tensor, rows: Tensor) -> bool:
    hooks = weight._backward_hooks or getattr(weight, "_post_accumulate_grad_hooks", None)
    whole = weight.is_contiguous() and rows.is_contiguous() and weight.dtype == torch.float32
    return weight.is_leaf and not hooks and whole


def backward(ctx: Any, slope: Tensor, rows: Tensor, weight: Tensor) -> tuple[Tensor | None, ...]:
    """Gradients by the rows, the weights and the bias."""
    slope = slope.contiguous()
    by_rows = thin_products.by_rows(slope, weight) if ctx.needs_input_grad[0] else None
    by_weight = _by_weight(weight, slope, rows) if ctx.needs_input_grad[1] else None
    return by_rows, by_weight, slope.sum(dim=0)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return thin_products.layer(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        return backward(ctx, slope, *ctx.saved_tensors)
