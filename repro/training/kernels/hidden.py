"""A hidden layer, its ReLU and batch normalisation in training as one node of autograd.

``dense.c`` normalises in torch's arithmetic, and is compared with torch once in a process for each
number of features; torch normalises where a bit would differ.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from repro.training.kernels import c_library, thin_products
from repro.training.kernels.c_calls import call
from repro.training.kernels.c_library import RowNorm
from repro.training.kernels.linear import backward as _layer_backward
from repro.training.kernels.linear import is_ours

_VECTOR = 8  # features: torch treats what is left over otherwise


def can_be_one(rows: Tensor, parts: Sequence[nn.Module]) -> bool:
    """Whether the modules are what `hidden` computes.

    Args:
        rows: What the first is given.
        parts: A network's modules from one on.
    """
    if not torch.is_grad_enabled() or len(parts) < 3 or len(rows) < 2 or not is_ours(rows):
        return False
    layer, activation, norm = parts[:3]
    return (
        isinstance(layer, nn.Linear)
        and isinstance(activation, nn.ReLU)
        and isinstance(norm, nn.BatchNorm1d)
        and norm.training
        and norm.track_running_stats
        and norm.momentum is not None
    )


def hidden(rows: Tensor, layer: nn.Linear, norm: nn.BatchNorm1d) -> Tensor:
    """The layer, a ReLU and the normalisation, in training.

    Args:
        rows: Shape (N, I).
        layer: From I to O.
        norm: Of O; its running statistics are updated.

    Returns:
        Shape (N, O), the bits of the three modules.
    """
    given = (layer.weight, layer.bias, norm.weight, norm.bias)
    result: Tensor = _Hidden.apply(rows, *given, norm)  # type: ignore[no-untyped-call]
    return result


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
        ctx.norm, ctx.ours = norm, _agrees(len(gamma))
        values = thin_products.layer(rows, weight, bias)
        normalise = _normalise if ctx.ours else _normalise_by_torch
        result, values, mean, inverse = normalise(values, norm)
        ctx.save_for_backward(rows, weight, values, mean, inverse)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight, values, mean, inverse = ctx.saved_tensors
        by_values = _by_values if ctx.ours else _by_values_by_torch
        slope, by_gamma, by_beta = by_values(slope, values, mean, inverse, ctx.norm)
        return (*_layer_backward(ctx, slope, rows, weight), by_gamma, by_beta, None)


def _normalise(values: Tensor, norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The result, what the ReLU made, (N, O), and the mean and 1 / deviation of it, (O,)."""
    result, mean, inverse = torch.empty_like(values), *_arrays(2, norm)
    scratch = torch.empty(2 * norm.num_features)
    call("normalise_rows", values, result, *values.shape, _state(norm, mean, inverse, scratch))
    return result, values, mean, inverse


def _by_values(
    slope: Tensor, values: Tensor, mean: Tensor, inverse: Tensor, norm: nn.BatchNorm1d
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients by what the ReLU was given, by gamma and by beta."""
    result, by_gamma, by_beta = torch.empty_like(values), *_arrays(2, norm)
    scratch = torch.empty(2 * norm.num_features)
    call(
        *("normalise_rows_backward", slope.contiguous(), values, result, by_gamma, by_beta),
        *(*values.shape, _state(norm, mean, inverse, scratch)),
    )
    return result, by_gamma, by_beta


def _arrays(number: int, norm: nn.BatchNorm1d) -> list[Tensor]:
    return [torch.empty(norm.num_features) for _ in range(number)]


def _state(norm: nn.BatchNorm1d, mean: Tensor, inverse: Tensor, scratch: Tensor) -> RowNorm:
    """The C structure. It points into the arrays, which the caller must hold on to."""
    running, variance = norm.running_mean, norm.running_var
    assert running is not None
    assert variance is not None
    arrays = (norm.weight, norm.bias, running, variance, mean, inverse, scratch)
    return RowNorm(*(array.data_ptr() for array in arrays), norm.momentum, norm.eps)


def _normalise_by_torch(
    values: Tensor, norm: nn.BatchNorm1d
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    assert norm.momentum is not None
    given = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    values = values.relu_()
    result, mean, inverse = torch.native_batch_norm(values, *given, True, norm.momentum, norm.eps)
    return result, values, mean, inverse


def _by_values_by_torch(
    slope: Tensor, values: Tensor, mean: Tensor, inverse: Tensor, norm: nn.BatchNorm1d
) -> tuple[Tensor, Tensor, Tensor]:
    slope, by_gamma, by_beta = torch.ops.aten.native_batch_norm_backward(
        *(slope, values, norm.weight, norm.running_mean, norm.running_var, mean, inverse),
        *(True, norm.eps, (True, True, True)),
    )
    return torch.ops.aten.threshold_backward(slope, values, 0), by_gamma, by_beta


def _there_and_back(
    normalise: Callable[[Tensor, nn.BatchNorm1d], tuple[Tensor, Tensor, Tensor, Tensor]],
    by_values: Callable[..., tuple[Tensor, Tensor, Tensor]],
    values: Tensor,
    slope: Tensor,
    norm: nn.BatchNorm1d,
) -> tuple[Tensor, ...]:
    """All that a normalisation makes on both ways."""
    made = normalise(values, norm)
    return (*made, *by_values(slope, *made[1:], norm))


@functools.cache
def _compared(features: int) -> bool:
    """Whether the C code makes torch's bits, for some number of images."""
    random = torch.Generator().manual_seed(0)
    ours, theirs = nn.BatchNorm1d(features), nn.BatchNorm1d(features)
    values, slope = torch.randn(2, 19, features, generator=random)
    found = _there_and_back(_normalise, _by_values, values.clone(), slope, ours)
    expected = _there_and_back(
        _normalise_by_torch, _by_values_by_torch, values.clone(), slope, theirs
    )
    pairs = [*zip(found, expected, strict=True)]
    pairs += zip(ours.buffers(), theirs.buffers(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def _agrees(features: int) -> bool:
    can = features % _VECTOR == 0 and c_library.chosen() == "blocked"
    return can and _compared(features)
