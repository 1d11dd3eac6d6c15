"""The convolutions of a DB-VAE on blocks of sixteen images: autograd over ``blocked.c``.

A batch is gathered from the stored pixels straight into blocks and stays in them up to the hidden
layer. Nothing here knows the network, only its layers.
Shapes: N images in B blocks of 16 lanes; a map is float32 (B, height, width, C, 16).
A layer is a convolution, a ReLU and a batch normalisation, in this order.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from repro.losses import formulas
from repro.training.kernels import dense
from repro.training.kernels.c_calls import call
from repro.training.kernels.c_library import Finish, Normalisation
from repro.training.kernels.latents import latents
from repro.training.kernels.operators import halves

LANES = 16
TILE, RGB = 12, 3  # channels of a map: a multiple of the first, or the second

Precision = Literal["fp32", "bf16"]
Convolution = nn.Conv2d | nn.ConvTranspose2d
Layer = tuple[Convolution, nn.BatchNorm2d]


class Batch(NamedTuple):
    """Images in blocks.

    Attributes:
        map: Shape (B, height, width, C, 16).
        images: How many there are; the last block may have lanes to spare.
    """

    map: Tensor
    images: int


class Passed(NamedTuple):
    """What a layer keeps for the way back.

    Attributes:
        input: Of the convolution, a map.
        output: Of the ReLU, a map.
        centre: Mean of the output over the batch, shape (C,).
        inverse: 1 / its standard deviation, shape (C,).
    """

    input: Tensor
    output: Tensor
    centre: Tensor
    inverse: Tensor


class BlockedKernels:
    """One thread of a processor for which there is a build of the C functions; see `c_library`."""

    name: Literal["blocked", "torch"] = "blocked"

    def __init__(self, precision: Precision = "fp32") -> None:
        """Multiply float32, or pairs of bfloat16 that are added up in float32.

        In bf16, convolutions forward and backward read bfloat16; maps are kept, normalised and
        correlated with gradients in float32. Hidden layers are autocast's business.
        """
        self.precision: Precision = precision

    def arithmetic(self, device: torch.device) -> AbstractContextManager[object]:
        """What the forward pass of a network runs in."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(device.type, torch.bfloat16)

    def gather(self, images: Tensor, index: Tensor, *, white: float = 1.0) -> Batch:
        """Chosen images in [0, white]; lanes beyond the last image hold 0.

        Args:
            images: Stored pixels, uint8 (M, H, W, 3).
            index: Which, int64 (N,).
            white: What 255 becomes.

        Returns:
            A map, shape (B, H, W, 3, 16), and N.
        """
        blocked = torch.empty(-(-len(index) // LANES), *images.shape[1:], LANES)
        call("gather", images, index, blocked, len(index), images[0].numel())
        return Batch(blocked if white == 1 else blocked.mul_(white), len(index))

    def features(self, batch: Batch, stack: nn.Sequential) -> Tensor:
        """A stack of layers, each of which halves the sides of the map.

        In training, with the statistics of the batch, running ones updated, and with gradients for
        the parameters but not for the batch; in evaluation with running statistics, without.

        Args:
            batch: As gathered.
            stack: One that `fits`.

        Returns:
            Shape (N, C, height, width), contiguous.
        """
        layers = _layers(stack)
        if layers[0][1].training:
            parameters = _parameters(layers)
            result: Tensor = _Features.apply(batch, layers, self.precision, *parameters)  # type: ignore[no-untyped-call]
            return result
        blocked, images = batch
        for convolution, norm in layers:
            scale = norm.weight / torch.sqrt(norm.get_buffer("running_var") + norm.eps)
            shift = norm.bias - norm.get_buffer("running_mean") * scale
            finish = _finish(
                images=images, relu=True, bias=convolution.bias, scale=scale, shift=shift
            )
            blocked = _forward(convolution, blocked, finish, self.precision)
        return _rows(blocked, images)

    def errors(
        self, maps: Tensor, batch: Batch, stack: nn.Sequential, *, norm: Literal["l1", "l2"]
    ) -> Tensor:
        """A decoder's layers in training, the last with a sigmoid, and the error of each image.

        Args:
            maps: What is decoded, shape (N, C, height, width).
            batch: At least N images; the first N are to be met.
            stack: One that `fits`; each layer doubles the sides, the last makes three channels.
            norm: Absolute or squared differences.

        Returns:
            Shape (N,): summed over pixels and channels.
        """
        layers, last = _layers(stack), stack[-2]
        given = (maps.float(), batch.map, layers, last, 1 if norm == "l1" else 2, self.precision)
        parameters = (*_parameters(layers), *last.parameters())
        result: Tensor = _Errors.apply(*given, *parameters)  # type: ignore[no-untyped-call]
        return result

    def classification(self, logit: Tensor, is_face: Tensor) -> Tensor:
        """The classification loss of each image, (N,)."""
        return formulas.classification(logit, is_face)

    def latents(
        self,
        mean: Tensor,
        logvar: Tensor,
        noise: Tensor,
        has_latents: Tensor,
        *,
        times: Literal["std", "variance"],
    ) -> tuple[Tensor, Tensor]:
        """Sampled latents and the KL term; see `latents.latents`."""
        return latents(mean, logvar, noise, has_latents, times=times)

    def minimise(self, loss: Tensor, optimiser: torch.optim.Adam, *, stored: bool = False) -> None:
        """Differentiate a loss and update the parameters; see `dense.minimise`."""
        dense.minimise(loss, optimiser, stored=stored)


def fits(stack: nn.Sequential) -> bool:
    """Whether blocks can compute the stack.

    They can where every convolution is one of 5 x 5 that halves or doubles the sides, with a ReLU
    and batch normalisation after it, or, as the last one of a decoder, a sigmoid; where numbers of
    channels are those that ``blocked.c`` is written for; and where weights lie in memory as blocks
    read them.
    """
    parts = list(stack)
    if parts and isinstance(parts[-1], nn.Sigmoid):
        *parts, last, _ = parts
        if not (_fits(last) and isinstance(last, nn.ConvTranspose2d)):
            return False
    if not all(parameter.is_contiguous() for parameter in stack.parameters()):
        return False
    layers = zip(parts[::3], parts[1::3], parts[2::3], strict=False)
    return len(parts) % 3 == 0 and all(
        _fits(one) and isinstance(two, nn.ReLU) and isinstance(three, nn.BatchNorm2d)
        for one, two, three in layers
    )


def _fits(part: nn.Module) -> bool:
    """Whether it is a convolution that the C functions compute without leaving their arrays."""
    if not (halves(part) and isinstance(part, Convolution)):
        return False
    coarse, fine = part.weight.shape[:2]
    return coarse % TILE == 0 and (fine == RGB or fine % TILE == 0)


def _layers(stack: nn.Sequential) -> list[Layer]:
    """The convolutions that have a normalisation, each with it."""
    parts = list(stack)
    return [(parts[i], parts[i + 2]) for i in range(0, len(parts) - 2, 3)]  # type: ignore[misc]


class _Features(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, batch: Batch, layers: Sequence[Layer], precision: Precision, *_: Tensor
    ) -> Tensor:
        blocked, ctx.passed = _pass(batch.map, layers, batch.images, precision)
        ctx.layers, ctx.images, ctx.precision = layers, batch.images, precision
        return _rows(blocked, batch.images)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        gradient = _blocks(slope)
        last = ctx.passed[-1]
        sums = _no_sums(last.centre)
        finish = _finish(other=last.output, centre=last.centre, sums=sums, images=ctx.images)
        call("moments", gradient, *_extent(gradient), finish)
        _, gradients = _return(gradient, sums, ctx, to_input=False)
        return (None, None, None, *gradients)


class _Errors(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        maps: Tensor,
        blocked: Tensor,
        layers: Sequence[Layer],
        last: nn.ConvTranspose2d,
        norm: int,
        precision: Precision,
        *_: Tensor,
    ) -> Tensor:
        ctx.layers, ctx.last, ctx.norm, ctx.images = layers, last, norm, len(maps)
        ctx.target, ctx.precision = blocked, precision
        ctx.hidden, ctx.passed = _pass(_blocks(maps), layers, len(maps), precision)
        finish = _finish(bias=last.bias, images=len(maps))
        ctx.decoded = _forward(last, ctx.hidden, finish, precision)
        error = torch.empty(len(ctx.decoded) * LANES)
        blocks, pixels, channels = _extent(ctx.decoded)
        call("reconstruct", ctx.decoded, blocked, error, blocks, pixels * channels, norm)
        return error[: len(maps)]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        gradient, images, last, before = ctx.decoded, ctx.images, ctx.last, ctx.passed[-1]
        blocks, pixels, channels = _extent(gradient)
        slopes = torch.zeros(blocks * LANES)
        slopes[:images] = slope
        bias = torch.empty(channels)
        call(
            *("reconstruct_backward", gradient, ctx.target, slopes, bias),
            *(blocks, pixels * channels, ctx.norm),
        )
        weight = _weight_gradient(last, ctx.hidden, gradient, images)
        sums = _no_sums(before.centre)
        finish = _finish(other=before.output, centre=before.centre, sums=sums, images=images)
        gradient = _backward(last, gradient, finish, ctx.precision)
        gradient, gradients = _return(gradient, sums, ctx, to_input=ctx.needs_input_grad[0])
        maps = None if gradient is None else _rows(gradient, images)
        return (maps, None, None, None, None, None, *gradients, weight, bias)


def _pass(
    blocked: Tensor, layers: Sequence[Layer], images: int, precision: Precision
) -> tuple[Tensor, tuple[Passed, ...]]:
    """Through the layers; what each keeps."""
    passed = []
    for convolution, norm in layers:
        before = norm.running_mean
        assert before is not None
        sums = _no_sums(before)
        finish = _finish(bias=convolution.bias, relu=True, centre=before, sums=sums, images=images)
        output = _forward(convolution, blocked, finish, precision)
        centre, inverse = _of_channels(2, norm)
        passed.append(Passed(blocked, output, centre, inverse))
        blocked = torch.empty_like(output)
        call("normalise", output, blocked, *_extent(output), _state(norm, passed[-1], sums, images))
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked.add_(1)
    return blocked, tuple(passed)


def _return(
    gradient: Tensor, sums: Tensor, ctx: Any, *, to_input: bool
) -> tuple[Tensor | None, list[Tensor]]:
    """Back through the layers: gradient of the input, if wanted, and of the parameters.

    Args:
        gradient: Of the last layer's output; overwritten.
        sums: Of the gradient and of gradient x (output - centre), float64 (2, C).
        ctx: Holds the layers, what each kept in passing, N images and the precision.
        to_input: Whether the gradient of the first layer's input is wanted.
    """
    layers, passed, images, precision = ctx.layers, ctx.passed, ctx.images, ctx.precision
    gradients: list[Tensor] = []
    for number in reversed(range(len(layers))):
        (convolution, norm), kept = layers[number], passed[number]
        gamma, beta, bias = _of_channels(3, norm)
        blocks, pixels, channels = _extent(gradient)
        call(
            *("normalise_backward", gradient, kept.output, gamma, beta, bias),
            *(images, blocks, pixels, channels, _state(norm, kept, sums, images)),
        )
        weight = _weight_gradient(convolution, kept.input, gradient, images)
        gradients[:0] = [weight, bias, gamma, beta]
        if number:
            before = passed[number - 1]
            sums = _no_sums(before.centre)
            finish = _finish(other=before.output, centre=before.centre, sums=sums, images=images)
            gradient = _backward(convolution, gradient, finish, precision)
        elif to_input:
            return _backward(convolution, gradient, _finish(images=images), precision), gradients
    return None, gradients


def _forward(
    convolution: Convolution, blocked: Tensor, finish: Finish, precision: Precision
) -> Tensor:
    transposed = isinstance(convolution, nn.ConvTranspose2d)
    return (_refine if transposed else _coarsen)(blocked, convolution.weight, finish, precision)


def _backward(
    convolution: Convolution, gradient: Tensor, finish: Finish, precision: Precision
) -> Tensor:
    transposed = isinstance(convolution, nn.ConvTranspose2d)
    return (_coarsen if transposed else _refine)(gradient, convolution.weight, finish, precision)


def _weight_gradient(
    convolution: Convolution, blocked: Tensor, gradient: Tensor, images: int
) -> Tensor:
    transposed = isinstance(convolution, nn.ConvTranspose2d)
    fine, coarse = (gradient, blocked) if transposed else (blocked, gradient)
    weight = convolution.weight
    sums, result = torch.empty(weight.numel(), dtype=torch.float64), torch.empty_like(weight)
    sizes = (images, *coarse.shape[1:3], fine.shape[3], coarse.shape[3])
    call("weight_gradient", fine, coarse, sums, result, *sizes)
    return result


def _coarsen(fine: Tensor, weight: Tensor, finish: Finish, precision: Precision) -> Tensor:
    blocks, height, width = len(fine), fine.shape[1] // 2, fine.shape[2] // 2
    coarse_channels, fine_channels = weight.shape[:2]
    coarse = torch.empty(blocks, height, width, coarse_channels, LANES)
    sizes = (blocks, height, width, fine_channels, coarse_channels)
    packed = torch.empty_like(weight)
    if precision == "bf16" and fine_channels % 2 == 0:
        pairs = torch.empty_like(packed, dtype=torch.uint16)
        call("coarsen_pairs", _pairs(fine), weight, packed, pairs, coarse, *sizes, finish)
    else:
        call("coarsen", fine, weight, packed, coarse, *sizes, finish)
    return coarse


def _refine(coarse: Tensor, weight: Tensor, finish: Finish, precision: Precision) -> Tensor:
    blocks, height, width = coarse.shape[:3]
    coarse_channels, fine_channels = weight.shape[:2]
    fine = torch.empty(blocks, 2 * height, 2 * width, fine_channels, LANES)
    packed = torch.empty(36 * fine_channels * coarse_channels)
    sizes = (blocks, height, width, fine_channels, coarse_channels)
    if precision == "bf16":
        pairs = torch.empty_like(packed, dtype=torch.uint16)
        call("refine_pairs", _pairs(coarse), weight, packed, pairs, fine, *sizes, finish)
    else:
        call("refine", coarse, weight, packed, fine, *sizes, finish)
    return fine


def _pairs(blocked: Tensor) -> Tensor:
    """The map in bfloat16, two channels beside each other in each lane."""
    pairs = torch.empty_like(blocked, dtype=torch.uint16)
    blocks, pixels, channels = _extent(blocked)
    call("to_pairs", blocked, pairs, blocks * pixels, channels)
    return pairs


def _rows(blocked: Tensor, images: int) -> Tensor:
    _, height, width, channels, _ = blocked.shape
    rows = torch.empty(images, channels, height, width)
    call("to_rows", blocked, rows, images, height * width, channels)
    return rows


def _blocks(rows: Tensor) -> Tensor:
    images, channels, height, width = rows.shape
    blocked = torch.empty(-(-images // LANES), height, width, channels, LANES)
    call("to_blocks", rows.contiguous(), blocked, images, height * width, channels)
    return blocked


def _parameters(layers: Sequence[Layer]) -> tuple[Tensor, ...]:
    return tuple(
        parameter
        for convolution, norm in layers
        for parameter in (convolution.weight, convolution.bias, norm.weight, norm.bias)
        if parameter is not None
    )


def _extent(blocked: Tensor) -> tuple[int, int, int]:
    """Blocks, pixels, channels."""
    blocks, height, width, channels, _ = blocked.shape
    return blocks, height * width, channels


def _no_sums(like: Tensor) -> Tensor:
    return torch.zeros(2, len(like), dtype=torch.float64)


def _of_channels(number: int, norm: nn.BatchNorm2d) -> list[Tensor]:
    """So many arrays of a number for each channel, to be written."""
    return [torch.empty(norm.num_features) for _ in range(number)]


def _finish(
    *,
    images: int,
    relu: bool = False,
    bias: Tensor | None = None,
    scale: Tensor | None = None,
    shift: Tensor | None = None,
    other: Tensor | None = None,
    centre: Tensor | None = None,
    sums: Tensor | None = None,
) -> Finish:
    """The C structure. It points into the arrays, which the caller must hold on to."""
    arrays = (bias, scale, shift, other, centre)
    pointers = (None if array is None else array.data_ptr() for array in arrays)
    return Finish(*pointers, *((None, None) if sums is None else _both(sums)), relu, images)


def _state(norm: nn.BatchNorm2d, kept: Passed, sums: Tensor, images: int) -> Normalisation:
    """The C structure. It points into the arrays, which the caller must hold on to."""
    _, pixels, _ = _extent(kept.output)
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    arrays = (norm.weight, norm.bias, mean, variance, kept.centre, kept.inverse)
    pointers = (array.data_ptr() for array in arrays)
    return Normalisation(*pointers, *_both(sums), images * pixels, norm.momentum, norm.eps)


def _both(sums: Tensor) -> tuple[int, int]:
    """Where the two rows of `_no_sums` begin."""
    start = sums.data_ptr()
    return start, start + sums.shape[1] * sums.element_size()
