"""Layers of stacked networks by this package's own CUDA kernels, which copy no windows.

Convolutions of 5 x 5 taps and stride 2, and a ReLU with the normalisation after it, with their
gradients. Each is one kernel a layer and direction; sums are in float32 and in a fixed order, so
that the same step gives the same bits. Maps may be in bfloat16, weights are float32.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from repro.training.kernels import cuda_library
from repro.training.kernels.cuda_library import Argument, Launcher
from repro.training.kernels.unfolded import by_bias

SIDES = (4, 8, 16, 32)  # of small maps
OF_COARSE = 12  # channels that a thread computes
_BAND_SPLIT = {4: 2, 8: 4, 16: 8, 32: 16}  # SPLIT of the kernels, by side


def computes(values: Tensor) -> bool:
    """Whether there are kernels for values of this type and device."""
    stored = values.dtype in (torch.float32, torch.bfloat16)
    return stored and values.device.type == "cuda" and cuda_library.available()


def convolves(maps: Tensor, weight: Tensor, *, transposed: bool) -> bool:
    """Whether there are kernels for a convolution of maps (S, C, B, side, side)."""
    coarse, fine = weight.shape[1:3]
    side = maps.shape[4] if transposed else maps.shape[4] // 2
    return (
        computes(maps)
        and maps.shape[3] == maps.shape[4]
        and side in SIDES
        and coarse % OF_COARSE == 0
        and coarse % _coarse_chunk(side) == 0
        and (fine == 3 if side == 32 else fine % 12 == 0)
        and weight.dtype == torch.float32
    )


def _coarse_chunk(side: int) -> int:
    return 8 if side in (8, 16) else 4


def convolve(maps: Tensor, weight: Tensor, bias: Tensor, *, transposed: bool) -> Tensor:
    """The convolution that halves the sides, or the transposed one, which doubles them.

    Args:
        maps: Shape (S, C, B, side, side).
        weight: Shape (S, coarse channels, fine channels, 5, 5).
        bias: Shape (S, channels made).
        transposed: Which of the two.
    """
    function = _Refine if transposed else _Coarsen
    made: Tensor = function.apply(maps, weight, bias)  # type: ignore[no-untyped-call]
    return made


class _Coarsen(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, fine: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        fine = fine.contiguous()
        ctx.save_for_backward(fine, weight)
        return _coarsened(fine, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        fine, weight = ctx.saved_tensors
        slope = slope.contiguous()
        by_fine = _refined(slope, weight, None) if ctx.needs_input_grad[0] else None
        return by_fine, _by_weight(slope, fine, weight), by_bias(slope, weight)


class _Refine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, coarse: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        coarse = coarse.contiguous()
        ctx.save_for_backward(coarse, weight)
        return _refined(coarse, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        coarse, weight = ctx.saved_tensors
        slope = slope.contiguous()
        by_coarse = _coarsened(slope, weight, None)
        return by_coarse, _by_weight(coarse, slope, weight), by_bias(slope, weight)


def _convolutions(weight: Tensor, side: int, maps: Tensor) -> Launcher:
    coarse, fine = weight.shape[1:3]
    shape = f"COARSE={coarse}", f"FINE={fine}", f"SIDE={side}"
    return cuda_library.library("stacked_convolutions.cu", *shape, *_half(maps))


def _half(values: Tensor) -> tuple[str, ...]:
    return ("HALF=1",) if values.dtype == torch.bfloat16 else ()


def _together(side: int) -> int:
    """Images of a block."""
    fours = side * side // 4
    return 1 if fours >= 32 else 2 if fours >= 16 else 4


def _coarsened(fine: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    members, _, images, side, _ = fine.shape
    side, channels = side // 2, weight.shape[1]
    coarse = fine.new_empty(members, channels, images, side, side)
    together = _together(side)
    grid = -(-images // together), members, 1
    block = side * side // 4 * (channels // OF_COARSE) * together
    arguments: list[Argument] = [fine, weight, bias, coarse, images]
    _convolutions(weight, side, fine).launch("coarsen", grid, block, arguments)
    return coarse


def _refined(coarse: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    members, _, images, side, _ = coarse.shape
    channels = weight.shape[2]
    fine = coarse.new_empty(members, channels, images, 2 * side, 2 * side)
    together = _together(side)
    grid = -(-images // together), members, 1
    block = side * side // 4 * -(-channels // 4) * together
    arguments: list[Argument] = [coarse, weight, bias, fine, images]
    _convolutions(weight, side, coarse).launch("refine", grid, block, arguments)
    return fine


def _by_weight(coarse: Tensor, fine: Tensor, weight: Tensor) -> Tensor:
    """The gradient of the weights, the sum of parts that blocks compute."""
    members, channels, images, side, _ = coarse.shape
    of_fine = weight.shape[2]
    fine_part = min(of_fine, 4)
    wanted = min(images, max(1, of_fine // 4))  # fewer channels make fewer blocks of an image
    each = next(number for number in range(wanted, images + 1) if images % number == 0)
    slopes = weight.new_empty(members, images // each, *weight.shape[1:])
    grid = images // each, members, of_fine // fine_part
    block = _BAND_SPLIT[side] * (channels // OF_COARSE) * fine_part * 5
    arguments: list[Argument] = [coarse, fine, slopes, images, each]
    _convolutions(weight, side, coarse).launch("by_weight", grid, block, arguments)
    return slopes.sum(dim=1)


def rectified_norm(
    values: Tensor,
    weight: Tensor,
    bias: Tensor,
    running: tuple[Tensor, Tensor],
    *,
    epsilon: float,
    momentum: float,
) -> Tensor:
    """A ReLU, then batch normalisation by the statistics of the batch.

    Args:
        values: Maps (S, C, B, h, w), h w a multiple of 4, or rows (S, B, C).
        weight: Shape (S, C); `bias` likewise.
        bias: See `weight`.
        running: Running mean and variance, (S, C), which are moved by `momentum`.
        epsilon: Added to the variance.
        momentum: How far, in [0, 1].
    """
    made: Tensor = _RectifiedNorm.apply(  # type: ignore[no-untyped-call]
        values, weight, bias, running, epsilon, momentum
    )
    return made


class _RectifiedNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        values: Tensor,
        weight: Tensor,
        bias: Tensor,
        running: tuple[Tensor, Tensor],
        epsilon: float,
        momentum: float,
    ) -> Tensor:
        values = values.contiguous()
        made = torch.empty_like(values)
        means, scales = torch.empty_like(weight), torch.empty_like(weight)
        arguments: list[Argument] = [values, weight, bias, *running, made, means, scales]
        _launch_norm("", values, [*arguments, *_counts(values), epsilon, momentum])
        ctx.save_for_backward(values, weight, means, scales)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        values, weight, means, scales = ctx.saved_tensors
        slope = slope.contiguous()
        by_values = torch.empty_like(values)
        by_weight, by_its_bias = torch.empty_like(weight), torch.empty_like(weight)
        made: list[Argument] = [by_values, by_weight, by_its_bias]
        arguments: list[Argument] = [values, slope, weight, means, scales, *made]
        _launch_norm("_slopes", values, [*arguments, *_counts(values)])
        return by_values, by_weight, by_its_bias, None, None, None


def _counts(values: Tensor) -> tuple[int, ...]:
    """Values of a channel; of rows, images and width."""
    return (values[0, 0].numel(),) if values.ndim == 5 else tuple(values.shape[1:])


def _launch_norm(suffix: str, values: Tensor, arguments: list[Argument]) -> None:
    norms = cuda_library.library("stacked_norms.cu", *_half(values))
    if values.ndim == 5:
        channels, count = values.shape[0] * values.shape[1], values[0, 0].numel()
        block = 512 if count >= 4096 else 128
        norms.launch("maps" + suffix, (channels, 1, 1), block, arguments)
    else:
        grid = -(-values.shape[2] // 128), values.shape[0], 1
        norms.launch("rows" + suffix, grid, 128, arguments)
