"""5 x 5 convolutions of stride 2 of stacked networks, as products of matrices.

The windows of a map are copied into columns, which one batched product multiplies by the weights of
all members. Maps have the shape (S, C, B, height, width), weights (S, coarse, fine, 5, 5), where
the coarse map has half the sides of the fine one.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

PLACES = 1024  # places of a map in each of the products that the gradient of the weights sums


class Coarsen(torch.autograd.Function):
    """The convolution, with its gradients."""

    @staticmethod
    def forward(ctx: Any, fine: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """A map of half the sides."""
        columns = windows(fine)
        ctx.save_for_backward(columns, weight)
        ctx.dtype = fine.dtype
        return coarsened(columns, weight, bias, fine.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        """By map, weights and bias."""
        columns, weight = ctx.saved_tensors
        slope = slope.contiguous()
        by_fine = refined(slope, weight, None) if ctx.needs_input_grad[0] else None
        return by_fine, by_weight(slope, columns, weight), by_bias(slope, weight)


class Refine(torch.autograd.Function):
    """The transposed convolution, with its gradients."""

    @staticmethod
    def forward(ctx: Any, coarse: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """A map of twice the sides."""
        coarse = coarse.contiguous()
        ctx.save_for_backward(coarse, weight)
        return refined(coarse, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """By map, weights and bias."""
        coarse, weight = ctx.saved_tensors
        columns = windows(slope)
        by_coarse = coarsened(columns, weight, None, slope.shape)
        return by_coarse, by_weight(coarse, columns, weight), by_bias(slope, weight)


def coarsened(columns: Tensor, weight: Tensor, bias: Tensor | None, fine: torch.Size) -> Tensor:
    """The 5 x 5 convolution of stride 2, from the columns of a map of the shape `fine`."""
    members, _, images, height, width = fine
    parts = len(columns) // members
    rows = weight.flatten(2).unsqueeze(1).expand(-1, parts, -1, -1).flatten(0, 1)
    made = torch.bmm(rows.to(columns.dtype), columns)
    made = made.view(members, parts, len(rows[0]), images // parts, height // 2, width // 2)
    made = made.transpose(1, 2)  # (S, C, parts, images of a part, h, w)
    return _with_bias(made, bias).view(members, -1, images, height // 2, width // 2)


def refined(coarse: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The transposed convolution of a map (S, C, B, h, w)."""
    members, _, images, height, width = coarse.shape
    columns = columns_of(coarse, size=3, stride=1, padding=(1, 1), parts=1)
    taps = refining_taps(weight.to(coarse.dtype)).flatten(2)
    made = torch.bmm(taps, columns).view(members, 2, 2, -1, images, height, width)
    made = made.permute(0, 3, 4, 5, 1, 6, 2)  # (S, F, B, h, 2, w, 2)
    return _with_bias(made, bias).view(members, -1, images, 2 * height, 2 * width)


def _with_bias(maps: Tensor, bias: Tensor | None) -> Tensor:
    """Maps (S, C, ...) plus a bias (S, C), contiguous, in one pass."""
    if bias is None:
        return maps.contiguous()
    bias = bias.to(maps.dtype).view(*bias.shape, *(1,) * (maps.ndim - 2))
    if torch.compiler.is_compiling():
        return (maps + bias).contiguous()
    return torch.add(maps, bias, out=maps.new_empty(maps.shape))


def by_weight(coarse: Tensor, columns: Tensor, weight: Tensor) -> Tensor:
    """The gradient of the weights: coarse maps times the columns of the fine ones."""
    members = len(weight)
    parts = len(columns) // members
    _, channels, images, height, width = coarse.shape
    rows = coarse.reshape(members, channels, parts, images // parts, height, width)
    rows = rows.transpose(1, 2).reshape(len(columns), channels, -1)
    products = torch.bmm(rows, columns.mT).view(members, parts, *weight.shape[1:])
    return products.sum(dim=1, dtype=weight.dtype)


def by_bias(slope: Tensor, weight: Tensor) -> Tensor:
    """The gradient of the bias, (S, C), in the precision of the weights."""
    return slope.sum(dim=(2, 3, 4), dtype=weight.dtype)


def windows(fine: Tensor) -> Tensor:
    """The 5 x 5 windows of stride 2, (S parts, 25 F, places of a part)."""
    images, height, width = fine.shape[2:]
    parts = _parts(images, height * width // 4)
    return columns_of(fine, size=5, stride=2, padding=(2, 1), parts=parts)


def _parts(images: int, places: int) -> int:
    """Into how many parts the images are cut, so that each has about `PLACES`.

    The gradient of the weights sums over all places. Cut into parts, which are summed in the end,
    it gives a GPU enough products to work on at a time.
    """
    parts = 1
    for divisor in range(2, images + 1):
        if images % divisor == 0 and images // divisor * places >= PLACES:
            parts = divisor
    return parts


def columns_of(
    maps: Tensor, *, size: int, stride: int, padding: tuple[int, int], parts: int
) -> Tensor:
    """Windows of maps (S, C, B, H, W) as columns, (S parts, C size size, places of a part)."""
    members, channels, images, height, width = maps.shape
    padded = functional.pad(maps, (*padding, *padding))
    by_member, by_channel, by_image, by_row, by_column = padded.stride()
    each = images // parts
    overlapping = padded.as_strided(
        (members, parts, channels, size, size, each, height // stride, width // stride),
        (
            *(by_member, each * by_image, by_channel, by_row, by_column),
            *(by_image, stride * by_row, stride * by_column),
        ),
    )
    return overlapping.reshape(members * parts, channels * size * size, -1)


def refining_taps(weight: Tensor) -> Tensor:
    """Weights (S, C, F, 5, 5) of the 3 x 3 convolution to depths, (S, 4 F, C, 3, 3)."""
    members, coarse = weight.shape[:2]
    taps = six(weight).flip(3, 5).permute(0, 4, 6, 2, 1, 3, 5)
    return taps.reshape(members, -1, coarse, 3, 3)


def six(weight: Tensor) -> Tensor:
    """Weights (S, C, F, 5, 5), padded to 6 x 6 and cut into pairs, (S, C, F, 3, 2, 3, 2)."""
    return functional.pad(weight, (0, 1, 0, 1)).view(*weight.shape[:3], 3, 2, 3, 2)
