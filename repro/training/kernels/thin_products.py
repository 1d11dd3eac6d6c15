"""Products of a few rows with the weights of a hidden layer: oneDNN's, to the bit.

For few rows, oneDNN takes as long to rearrange the weights as to multiply them; ``dense.c`` reads
them as they lie, and fetches what it reads next. oneDNN sums in chains of 512 terms, or of 1,024 if
there are more than 1,024: the C code does the same, is compared with it once in a process for each
layer and order of magnitude of rows, and is left aside where a bit differs.
"""

import functools

import torch
from torch import Tensor

from repro.training.kernels import c_library
from repro.training.kernels.c_calls import call

FEW = range(2, 129)  # rows; for one, oneDNN sums in another order
OUTPUTS, TILE = 8, 48  # at most, as in ``dense.c``


@functools.cache
def available() -> bool:
    """Whether torch has oneDNN's product."""
    has: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return has and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``rows @ weight.T + bias`` by oneDNN, without autograd."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return result


def layer(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``rows @ weight.T + bias``.

    Args:
        rows: Shape (N, I).
        weight: Shape (O, I).
        bias: Shape (O,).

    Returns:
        Shape (N, O).
    """
    can = _can(rows, weight) and len(weight) >= OUTPUTS and bias.is_contiguous()
    if can and _layer_agrees(_alike(rows), *weight.shape):
        return _layer(rows, weight, bias)
    return product(rows, weight, bias)


def by_rows(slope: Tensor, weight: Tensor) -> Tensor:
    """``slope @ weight``, the gradient by the rows.

    Args:
        slope: Of the layer's output, shape (N, O).
        weight: Shape (O, I).

    Returns:
        Shape (N, I).
    """
    if _can(slope, weight) and _by_rows_agrees(_alike(slope), *weight.shape):
        return _by_rows(slope, weight)
    return product(slope, weight.t())


def _can(rows: Tensor, weight: Tensor) -> bool:
    return (
        len(rows) in FEW
        and weight.shape[1] >= TILE
        and rows.is_contiguous()
        and weight.is_contiguous()
        and weight.dtype == torch.float32
        and c_library.chosen() == "blocked"
    )


def _layer(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    outputs, inputs = weight.shape
    result, scratch = torch.empty(len(rows), outputs), torch.empty(TILE * inputs)
    sizes = (len(rows), inputs, outputs, _chain(inputs))
    call("layer", rows, weight, bias, result, *sizes, scratch)
    return result


def _by_rows(slope: Tensor, weight: Tensor) -> Tensor:
    outputs, inputs = weight.shape
    result = torch.empty(len(slope), inputs)
    scratch = torch.empty((len(slope) + OUTPUTS) * outputs)
    sizes = (len(slope), inputs, outputs, _chain(outputs))
    call("layer_backward", slope, weight, result, *sizes, scratch)
    return result


def _chain(terms: int) -> int:
    """How many terms oneDNN adds up before it begins anew."""
    return 1024 if terms > 1024 else 512


def _alike(rows: Tensor) -> int:
    """So many rows stand for this number in a comparison."""
    return int(2 ** len(rows).bit_length() - 1)


@functools.cache
def _layer_agrees(rows: int, outputs: int, inputs: int) -> bool:
    given = _random((rows, inputs), (outputs, inputs), (outputs,))
    return torch.equal(_layer(*given), product(*given))


@functools.cache
def _by_rows_agrees(rows: int, outputs: int, inputs: int) -> bool:
    slope, weight = _random((rows, outputs), (outputs, inputs))
    return torch.equal(_by_rows(slope, weight), product(slope, weight.t()))


def _random(*shapes: tuple[int, ...]) -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=random) for shape in shapes]
