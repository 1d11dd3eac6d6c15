"""Layers of many networks of one shape as one network with stacked weights.

S networks, the members, see B images each. Maps have the shape (S, C, B, height, width), so that
the channels of a member lie together; rows, the vectors of hidden layers, have the shape (S B, F),
member by member. Parameters and buffers have one dimension more than a member's, the first.

Convolutions that halve the sides have three forms. ``grouped`` is torch's grouped convolution with
a group for each member, which serves every other convolution as well. ``dense`` is the same on a
map of half the sides and four times the channels (space to depth). ``unfolded`` copies the windows
into columns, which one batched product multiplies by the weights of all members.
"""

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from repro.losses import formulas
from repro.training.kernels.operators import Convolution, full, halves

Form = Literal["grouped", "dense", "unfolded"]
FormOf = Callable[[Convolution], Form]
Network = TypeVar("Network", bound=nn.Module)

PLACES = 1024  # places of a map in each of the products that the gradient of the weights sums


class StackedKernels:
    """What computes a stacked network; see `Kernels`."""

    name: Literal["stacked"] = "stacked"

    def __init__(self, precision: Literal["fp32", "bf16"]) -> None:
        """Compute in float32, or in bfloat16 where autocast thinks it safe."""
        self.precision = precision

    def arithmetic(self, device: torch.device) -> AbstractContextManager[object]:
        """What the forward pass of a network runs in."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(device.type, torch.bfloat16)

    def gather(self, images: Tensor, index: Tensor, *, white: float = 1.0) -> Tensor:
        """The images that each member chose, index (S, B), in [0, white]."""
        gathered = images[index].permute(0, 4, 1, 2, 3).contiguous().float().div_(255)
        return gathered if white == 1 else gathered.mul_(white)

    def features(self, batch: Tensor, stack: nn.Sequential) -> Tensor:
        """Output of an encoder's convolutions."""
        maps: Tensor = stack(batch)
        return maps

    def errors(
        self, maps: Tensor, batch: Tensor, stack: nn.Sequential, *, norm: Literal["l1", "l2"]
    ) -> Tensor:
        """Error between each image and its decoding, (S B,)."""
        *parts, output = stack
        decoded = output(full(nn.Sequential(*parts)(maps)))
        return formulas.NORMS[norm](batch - decoded).sum(dim=(1, 3, 4)).flatten()


def stack(members: Sequence[Network], form_of: FormOf) -> Network:
    """One network for all members, on their device; its modules have the members' names.

    Args:
        members: Networks of one shape.
        form_of: How to compute a convolution that halves the sides, or doubles them.
    """
    network = copy.deepcopy(members[0])
    for name, part in list(network.named_modules()):
        parts = [cast(Any, member.get_submodule(name)) for member in members]
        if isinstance(part, Convolution):
            form = form_of(part) if halves(part) else "grouped"
            network.set_submodule(name, _CONVOLUTIONS[form](parts))
        else:
            for kind, stacked in _STACKED.items():
                if isinstance(part, kind):
                    network.set_submodule(name, stacked(parts))
    return network


def member_state(network: nn.Module, number: int) -> dict[str, Tensor]:
    """The state of one member, as views."""
    return {name: tensor[number] for name, tensor in network.state_dict().items()}


class _Stacked(nn.Module):
    """A layer that has the parameters and buffers of all members."""

    def __init__(self, parts: Sequence[Any]) -> None:
        """Stack them."""
        super().__init__()
        self.members = len(parts)
        for name, _ in parts[0].named_parameters():
            values = [getattr(part, name).detach() for part in parts]
            setattr(self, name, nn.Parameter(torch.stack(values).contiguous()))
        for name, _ in parts[0].named_buffers():
            self.register_buffer(name, torch.stack([getattr(part, name) for part in parts]))


class StackedLinear(_Stacked):
    """Hidden layers: rows (S B, I) to (S B, O)."""

    weight: Tensor
    bias: Tensor

    def forward(self, rows: Tensor) -> Tensor:
        """One batched product."""
        inputs = rows.view(self.members, -1, rows.shape[1])
        return torch.baddbmm(self.bias.unsqueeze(1), inputs, self.weight.mT).flatten(0, 1)


class StackedNorm(_Stacked):
    """Batch normalisation of maps or rows, by the statistics of each member's own images."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, parts: Sequence[nn.BatchNorm1d | nn.BatchNorm2d]) -> None:
        """Stack them; their settings are equal."""
        super().__init__(parts)
        self.eps, self.momentum = parts[0].eps, cast(float, parts[0].momentum)
        self.train(parts[0].training)

    def forward(self, inputs: Tensor) -> Tensor:
        """Same shape."""
        if inputs.ndim == 5:
            return self._normalised(inputs)
        members = inputs.view(self.members, -1, inputs.shape[1])
        return self._normalised(members.mT).mT.flatten(0, 1)

    def _normalised(self, values: Tensor) -> Tensor:
        """Of shape (S, C, ...), as S C channels of one image."""
        if self.training:
            self.num_batches_tracked += 1
        return torch.batch_norm(
            values.reshape(1, self.weight.numel(), -1),
            self.weight.flatten(),
            self.bias.flatten(),
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.training,
            self.momentum,
            self.eps,
            False,  # cuDNN takes a channel for an image here
        ).view(values.shape)


class StackedFlatten(_Stacked):
    """Maps (S, C, B, h, w) to rows (S B, C h w)."""

    def forward(self, maps: Tensor) -> Tensor:
        """One copy."""
        return maps.transpose(1, 2).flatten(2).flatten(0, 1)


class StackedUnflatten(_Stacked):
    """Rows (S B, C h w) to maps (S, C, B, h, w)."""

    def __init__(self, parts: Sequence[nn.Unflatten]) -> None:
        """Of the members' shape."""
        super().__init__(parts)
        self.shape = tuple(cast(Sequence[int], parts[0].unflattened_size))

    def forward(self, rows: Tensor) -> Tensor:
        """One copy."""
        return rows.view(self.members, -1, *self.shape).transpose(1, 2).contiguous()


_STACKED: dict[type[nn.Module], Callable[[list[Any]], nn.Module]] = {
    nn.Linear: StackedLinear,
    nn.BatchNorm1d: StackedNorm,
    nn.BatchNorm2d: StackedNorm,
    nn.Flatten: StackedFlatten,
    nn.Unflatten: StackedUnflatten,
}


class GroupedConvolution(_Stacked):
    """Torch's grouped convolution, strided or transposed, a group for each member."""

    weight: Tensor
    bias: Tensor

    def __init__(self, parts: Sequence[Convolution]) -> None:
        """Stack them; their strides and paddings are equal."""
        super().__init__(parts)
        one = parts[0]
        self.options: dict[str, Any] = {"stride": one.stride, "padding": one.padding}
        self.convolve: Callable[..., Tensor] = functional.conv2d
        if isinstance(one, nn.ConvTranspose2d):
            self.options["output_padding"] = one.output_padding
            self.convolve = functional.conv_transpose2d

    def forward(self, maps: Tensor) -> Tensor:
        """Maps to maps."""
        made = self.convolve(
            _as_groups(maps),
            self.weight.flatten(0, 1),
            self.bias.flatten(),
            groups=self.members,
            **self.options,
        )
        return _of_groups(made, self.members)


class _Halving(_Stacked):
    """A 5 x 5 convolution of stride 2, or the transposed one; weights (S, coarse, fine, 5, 5)."""

    weight: Tensor
    bias: Tensor

    def __init__(self, parts: Sequence[Convolution]) -> None:
        """Stack them."""
        super().__init__(parts)
        self.transposed = isinstance(parts[0], nn.ConvTranspose2d)


class DenseConvolution(_Halving):
    """A grouped 3 x 3 convolution of stride 1 on the map of half the sides."""

    def forward(self, maps: Tensor) -> Tensor:
        """Maps to maps."""
        convolve = self._refined if self.transposed else self._coarsened
        return convolve(maps)

    def _coarsened(self, fine: Tensor) -> Tensor:
        made = functional.conv2d(
            _as_groups(_to_depth(fine)),
            _coarsening_taps(self.weight).flatten(0, 1),
            self.bias.flatten(),
            padding=1,
            groups=self.members,
        )
        return _of_groups(made, self.members)

    def _refined(self, coarse: Tensor) -> Tensor:
        made = functional.conv2d(
            _as_groups(coarse),
            _refining_taps(self.weight).flatten(0, 1),
            self.bias.repeat(1, 4).flatten(),
            padding=1,
            groups=self.members,
        )
        return _from_depth(_of_groups(made, self.members))


class UnfoldedConvolution(_Halving):
    """Windows as columns, multiplied by one batched product."""

    def forward(self, maps: Tensor) -> Tensor:
        """Maps to maps."""
        if torch.is_autocast_enabled(maps.device.type):
            maps = maps.to(torch.get_autocast_dtype(maps.device.type))
        function = _Refine if self.transposed else _Coarsen
        made: Tensor = function.apply(maps, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return made


class _Coarsen(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, fine: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        columns = _windows(fine)
        ctx.save_for_backward(columns, weight)
        ctx.dtype = fine.dtype
        return _coarsened(columns, weight, bias, fine.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        columns, weight = ctx.saved_tensors
        slope = slope.contiguous()
        by_fine = _refined(slope, weight, None) if ctx.needs_input_grad[0] else None
        return by_fine, _by_weight(slope, columns, weight), _by_bias(slope, weight)


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
        columns = _windows(slope)
        by_coarse = _coarsened(columns, weight, None, slope.shape)
        return by_coarse, _by_weight(coarse, columns, weight), _by_bias(slope, weight)


def _coarsened(columns: Tensor, weight: Tensor, bias: Tensor | None, fine: torch.Size) -> Tensor:
    """The 5 x 5 convolution of stride 2, from the columns of a map of the shape `fine`."""
    members, _, images, height, width = fine
    parts = len(columns) // members
    rows = weight.flatten(2).unsqueeze(1).expand(-1, parts, -1, -1).flatten(0, 1)
    made = torch.bmm(rows.to(columns.dtype), columns)
    made = made.view(members, parts, len(rows[0]), images // parts, height // 2, width // 2)
    made = made.transpose(1, 2)  # (S, C, parts, images of a part, h, w)
    return _with_bias(made, bias).view(members, -1, images, height // 2, width // 2)


def _refined(coarse: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The transposed convolution of a map (S, C, B, h, w)."""
    members, _, images, height, width = coarse.shape
    columns = _columns(coarse, size=3, stride=1, padding=(1, 1), parts=1)
    taps = _refining_taps(weight.to(coarse.dtype)).flatten(2)
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


def _by_weight(coarse: Tensor, columns: Tensor, weight: Tensor) -> Tensor:
    """The gradient of the weights: coarse maps times the columns of the fine ones."""
    members = len(weight)
    parts = len(columns) // members
    _, channels, images, height, width = coarse.shape
    rows = coarse.reshape(members, channels, parts, images // parts, height, width)
    rows = rows.transpose(1, 2).reshape(len(columns), channels, -1)
    products = torch.bmm(rows, columns.mT).view(members, parts, *weight.shape[1:])
    return products.sum(dim=1, dtype=weight.dtype)


def _by_bias(slope: Tensor, weight: Tensor) -> Tensor:
    return slope.sum(dim=(2, 3, 4), dtype=weight.dtype)


def _windows(fine: Tensor) -> Tensor:
    """The 5 x 5 windows of stride 2, (S parts, 25 F, places of a part)."""
    images, height, width = fine.shape[2:]
    parts = _parts(images, height * width // 4)
    return _columns(fine, size=5, stride=2, padding=(2, 1), parts=parts)


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


def _columns(
    maps: Tensor, *, size: int, stride: int, padding: tuple[int, int], parts: int
) -> Tensor:
    """Windows of maps (S, C, B, H, W) as columns, (S parts, C size size, places of a part)."""
    members, channels, images, height, width = maps.shape
    padded = functional.pad(maps, (*padding, *padding))
    by_member, by_channel, by_image, by_row, by_column = padded.stride()
    each = images // parts
    windows = padded.as_strided(
        (members, parts, channels, size, size, each, height // stride, width // stride),
        (
            *(by_member, each * by_image, by_channel, by_row, by_column),
            *(by_image, stride * by_row, stride * by_column),
        ),
    )
    return windows.reshape(members * parts, channels * size * size, -1)


def _coarsening_taps(weight: Tensor) -> Tensor:
    """Weights (S, C, F, 5, 5) of the 3 x 3 convolution on depths, (S, C, 4 F, 3, 3)."""
    taps = _six(weight).permute(0, 1, 4, 6, 2, 3, 5)
    return taps.reshape(*weight.shape[:2], -1, 3, 3)


def _refining_taps(weight: Tensor) -> Tensor:
    """Weights (S, C, F, 5, 5) of the 3 x 3 convolution to depths, (S, 4 F, C, 3, 3)."""
    members, coarse = weight.shape[:2]
    taps = _six(weight).flip(3, 5).permute(0, 4, 6, 2, 1, 3, 5)
    return taps.reshape(members, -1, coarse, 3, 3)


def _six(weight: Tensor) -> Tensor:
    """Weights (S, C, F, 5, 5), padded to 6 x 6 and cut into pairs, (S, C, F, 3, 2, 3, 2)."""
    return functional.pad(weight, (0, 1, 0, 1)).view(*weight.shape[:3], 3, 2, 3, 2)


def _to_depth(fine: Tensor) -> Tensor:
    """(S, F, B, 2h, 2w) -> (S, 4F, B, h, w): the four pixels of a square, then the channels."""
    members, channels, images, height, width = fine.shape
    squares = fine.reshape(members, channels, images, height // 2, 2, width // 2, 2)
    depth = squares.permute(0, 4, 6, 1, 2, 3, 5)
    return depth.reshape(members, 4 * channels, images, height // 2, width // 2)


def _from_depth(depth: Tensor) -> Tensor:
    """The inverse of `_to_depth`."""
    members, channels, images, height, width = depth.shape
    squares = depth.reshape(members, 2, 2, channels // 4, images, height, width)
    fine = squares.permute(0, 3, 4, 5, 1, 6, 2)
    return fine.reshape(members, channels // 4, images, 2 * height, 2 * width)


def _as_groups(maps: Tensor) -> Tensor:
    """(S, C, B, H, W) -> (B, S C, H, W)."""
    members, channels, images, height, width = maps.shape
    return maps.permute(2, 0, 1, 3, 4).reshape(images, members * channels, height, width)


def _of_groups(maps: Tensor, members: int) -> Tensor:
    """The inverse of `_as_groups`, as a view."""
    images, _, height, width = maps.shape
    return maps.reshape(images, members, -1, height, width).permute(1, 2, 0, 3, 4)


_CONVOLUTIONS: dict[Form, Callable[[list[Any]], nn.Module]] = {
    "grouped": GroupedConvolution,
    "dense": DenseConvolution,
    "unfolded": UnfoldedConvolution,
}
