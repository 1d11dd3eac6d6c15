"""Matrix products of the hidden layers, by oneDNN where torch has it.

Torch multiplies float32 matrices with MKL, which on some processors keeps to vectors of 256 bits;
oneDNN, also inside torch, uses what the processor has.
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# Of a weight (O, I): the gradient of the layer's output (N, O) and its input (N, I); None: autograd
# has added up the products.
Products = dict[Tensor, tuple[Tensor, Tensor] | None]

_kept: list[Products] = []  # while autograd runs


def linear(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``rows @ weight.T + bias``, as `torch.nn.functional.linear`.

    Args:
        rows: Shape (N, I).
        weight: Shape (O, I).
        bias: Shape (O,).

    Returns:
        Shape (N, O).
    """
    if not _is_ours(rows):
        return torch.nn.functional.linear(rows, weight, bias)
    if not torch.is_grad_enabled():
        return product(rows, weight, bias)
    result: Tensor = _Linear.apply(rows, weight, bias)  # type: ignore[no-untyped-call]
    return result


def _is_ours(rows: Tensor) -> bool:
    """Whether torch has the product for them, and nobody asked for another precision."""
    return (
        rows.device.type == "cpu"
        and rows.dtype == torch.float32
        and _has_product()
        and not torch.is_autocast_enabled("cpu")
    )


@functools.cache
def _has_product() -> bool:
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return available and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``rows @ weight.T + bias``, without autograd, where oneDNN has it."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return result


@contextmanager
def keeping_products() -> Iterator[Products]:
    """Within, backward makes no gradients by the weights: it keeps what they are products of."""
    kept: Products = {}
    _kept.append(kept)
    try:
        yield kept
    finally:
        _kept.pop()


def _by_weight(weight: Tensor, slope: Tensor, rows: Tensor) -> Tensor | None:
    """The gradient by the weights; None if it is kept as a product."""
    if not _kept or not _can_be_kept(weight, rows):
        return product(slope.t(), rows.t())
    kept = _kept[-1]
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


def _backward(ctx: Any, slope: Tensor, rows: Tensor, weight: Tensor) -> tuple[Tensor | None, ...]:
    """Gradients by the rows, the weights and the bias."""
    slope = slope.contiguous()
    by_rows = product(slope, weight.t()) if ctx.needs_input_grad[0] else None
    by_weight = _by_weight(weight, slope, rows) if ctx.needs_input_grad[1] else None
    return by_rows, by_weight, slope.sum(dim=0)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return product(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        return _backward(ctx, slope, *ctx.saved_tensors)


def hidden(rows: Tensor, layer: nn.Linear, norm: nn.BatchNorm1d) -> Tensor:
    """A layer, a ReLU and batch normalisation in training, as one node of autograd.

    Args:
        rows: Shape (N, I), for which `can_be_one` is true.
        layer: From I to O.
        norm: Of O; its running statistics are updated.

    Returns:
        Shape (N, O), the bits of the three modules.
    """
    given = (layer.weight, layer.bias, norm.weight, norm.bias)
    result: Tensor = _Hidden.apply(rows, *given, norm)  # type: ignore[no-untyped-call]
    return result


def can_be_one(rows: Tensor, parts: Sequence[nn.Module]) -> bool:
    """Whether three modules of a network in training are what `hidden` computes."""
    if not torch.is_grad_enabled() or not _is_ours(rows) or len(parts) < 3:
        return False
    layer, activation, norm = parts[:3]
    return (
        isinstance(layer, nn.Linear)
        and isinstance(activation, nn.ReLU)
        and isinstance(norm, nn.BatchNorm1d)
        and norm.training
    )


class _Hidden(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        rows: Tensor,
        weight: Tensor,
        bias: Tensor,
        gamma: Tensor,
        beta: Tensor,
        norm: nn.BatchNorm1d,
    ) -> Tensor:
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked.add_(1)
        positive = product(rows, weight, bias).relu_()
        running = (norm.running_mean, norm.running_var)
        result, mean, inverse = torch.native_batch_norm(
            positive, gamma, beta, *running, True, norm.momentum, norm.eps
        )
        ctx.save_for_backward(rows, weight, positive, gamma, mean, inverse)
        ctx.norm = norm
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight, positive, gamma, mean, inverse = ctx.saved_tensors
        norm, wanted = ctx.norm, (True, True, True)
        slope, by_gamma, by_beta = torch.ops.aten.native_batch_norm_backward(
            *(slope, positive, gamma, norm.running_mean, norm.running_var, mean, inverse),
            *(True, norm.eps, wanted),
        )
        slope = torch.ops.aten.threshold_backward(slope, positive, 0)
        return (*_backward(ctx, slope, rows, weight), by_gamma, by_beta, None)
