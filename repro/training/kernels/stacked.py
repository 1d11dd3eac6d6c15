"""Layers of many networks of one shape as one network with stacked weights.

S networks, the members, see B images each. Maps have the shape (S, C, B, height, width), so that
the channels of a member lie together; rows, the vectors of hidden layers, have the shape (S B, F),
member by member. Parameters and buffers have one dimension more than a member's, the first.

Convolutions that halve the sides have four forms. ``grouped`` is torch's grouped convolution with
a group for each member, which serves every other convolution as well. ``dense`` is the same on a
map of half the sides and four times the channels (space to depth). ``unfolded`` copies the windows
into columns, which one batched product multiplies by the weights of all members. ``direct`` is a
CUDA kernel of this package, or ``unfolded`` where that cannot be had.
"""

import copy
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from repro.losses import formulas
from repro.training.kernels import direct, unfolded, whole_vectors
from repro.training.kernels.operators import Arithmetic, Convolution, full, halves

Form = Literal["grouped", "dense", "unfolded", "direct"]
FormOf = Callable[[Convolution], Form]
Own = Literal["norm"]  # a ReLU with the normalisation after it
Network = TypeVar("Network", bound=nn.Module)


class StackedKernels(Arithmetic):
    """What computes a stacked network; see `Kernels`."""

    name: Literal["stacked"] = "stacked"

    def gather(self, images: Tensor, index: Tensor, *, white: float = 1.0) -> Tensor:
        """The images that each member chose, index (S, B), in [0, white]."""
        gathered = images[index].permute(0, 4, 1, 2, 3).contiguous().float().div_(255)
        return gathered if white == 1 else gathered.mul_(white)

    def features(self, batch: Tensor, stack: nn.Sequential) -> Tensor:
        """Output of an encoder's convolutions."""
        maps: Tensor = stack(batch)
        return maps

    def classification(self, logit: Tensor, is_face: Tensor) -> Tensor:
        """Of all images, (S B,)."""
        padded = (whole_vectors.padded(part) for part in (logit, is_face))
        return super().classification(*padded)[: len(logit)]

    def latents(
        self,
        mean: Tensor,
        logvar: Tensor,
        noise: Tensor,
        has_latents: Tensor,
        *,
        times: Literal["std", "variance"],
    ) -> tuple[Tensor, Tensor]:
        """Sampled latents (S B, D) and the KL term (S B,)."""
        padded = (whole_vectors.padded(part) for part in (mean, logvar, noise, has_latents))
        latents, kl = super().latents(*padded, times=times)
        return latents[: len(mean)], kl[: len(mean)]

    def minimise(self, loss: Tensor, optimiser: torch.optim.Adam, *, stored: bool = True) -> None:
        """See `Arithmetic.minimise`."""
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        whole_vectors.update(optimiser)

    def errors(
        self, maps: Tensor, batch: Tensor, stack: nn.Sequential, *, norm: Literal["l1", "l2"]
    ) -> Tensor:
        """Error between each image and its decoding, (S B,)."""
        *parts, output = stack
        decoded = output(full(nn.Sequential(*parts)(maps)))
        return formulas.NORMS[norm](batch - decoded).sum(dim=(1, 3, 4)).flatten()


def stack(members: Sequence[Network], form_of: FormOf, *, own: Sequence[Own] = ()) -> Network:
    """One network for all members, on their device; its modules have the members' names.

    Args:
        members: Networks of one shape.
        form_of: How to compute a convolution that halves the sides, or doubles them.
        own: What else is computed by CUDA kernels of this package, where they can be had.
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
    for part in list(network.modules()):
        if isinstance(part, nn.Sequential) and "norm" in own:
            _fuse(part)
    return network


def _fuse(parts: nn.Sequential) -> None:
    """Leave a ReLU to the normalisation after it; no name changes."""
    for number, (part, after) in enumerate(pairwise(parts)):
        if isinstance(part, nn.ReLU) and isinstance(after, StackedNorm):
            parts[number] = nn.Identity()
            after.rectifies = True


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
        self.rectifies = False  # its inputs, by a ReLU
        self.train(parts[0].training)

    def forward(self, inputs: Tensor) -> Tensor:
        """Same shape."""
        values = inputs if inputs.ndim == 5 else inputs.view(self.members, -1, inputs.shape[1])
        if self.rectifies and self.training and direct.computes(values):
            return self._at_once(values).view(inputs.shape)
        values = values.relu() if self.rectifies else values
        if inputs.ndim == 5:
            return self._normalised(values)
        return self._normalised(values.mT).mT.flatten(0, 1)

    def _at_once(self, values: Tensor) -> Tensor:
        """Maps, or rows (S, B, F), rectified and normalised."""
        self.num_batches_tracked += 1
        running = self.running_mean, self.running_var
        momentum, epsilon = self.momentum, self.eps
        return direct.rectified_norm(
            values, self.weight, self.bias, running, momentum=momentum, epsilon=epsilon
        )

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
            unfolded.refining_taps(self.weight).flatten(0, 1),
            self.bias.repeat(1, 4).flatten(),
            padding=1,
            groups=self.members,
        )
        return _from_depth(_of_groups(made, self.members))


class UnfoldedConvolution(_Halving):
    """Windows as columns, multiplied by one batched product."""

    def forward(self, maps: Tensor) -> Tensor:
        """Maps to maps."""
        function = unfolded.Refine if self.transposed else unfolded.Coarsen
        made: Tensor = function.apply(_cast(maps), self.weight, self.bias)  # type: ignore[no-untyped-call]
        return made


class DirectConvolution(UnfoldedConvolution):
    """A CUDA kernel."""

    def forward(self, maps: Tensor) -> Tensor:
        """Maps to maps."""
        maps = _cast(maps)
        if not direct.convolves(maps, self.weight, transposed=self.transposed):
            return super().forward(maps)
        return direct.convolve(maps, self.weight, self.bias, transposed=self.transposed)


def _cast(maps: Tensor) -> Tensor:
    """To the type that autocast would choose."""
    device = maps.device.type
    if torch.is_autocast_enabled(device):
        return maps.to(torch.get_autocast_dtype(device))
    return maps


def _coarsening_taps(weight: Tensor) -> Tensor:
    """Weights (S, C, F, 5, 5) of the 3 x 3 convolution on depths, (S, C, 4 F, 3, 3)."""
    taps = unfolded.six(weight).permute(0, 1, 4, 6, 2, 3, 5)
    return taps.reshape(*weight.shape[:2], -1, 3, 3)


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
    "direct": DirectConvolution,
}
