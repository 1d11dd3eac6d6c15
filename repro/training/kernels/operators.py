"""The convolutions of a DB-VAE by torch's operators: every device, either precision.

In bf16, a strided convolution is computed as a dense one on a map that has half the sides and four
times the channels (space to depth): the same function, in a shape that processors multiply faster.
Weights are rearranged from their stored 5 x 5 form at each step, so that parameters, gradients and
checkpoints keep the reference layout.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from repro.losses import formulas
from repro.training.kernels import devices

Convolution = nn.Conv2d | nn.ConvTranspose2d


class Arithmetic:
    """The precision of torch's operators."""

    def __init__(self, precision: Literal["fp32", "bf16"]) -> None:
        """Compute in float32, or in bfloat16 where autocast thinks it safe."""
        self.precision = precision

    def arithmetic(self, device: torch.device) -> AbstractContextManager[object]:
        """What the forward pass of a network runs in."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(device.type, torch.bfloat16)

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
        """Sampled latents (N, D) and the KL term (N,)."""
        kl = formulas.face_kl(mean, logvar, has_latents)
        return formulas.reparameterise(mean, logvar, noise, times=times), kl

    def minimise(self, loss: Tensor, optimiser: torch.optim.Adam, *, stored: bool = True) -> None:
        """Differentiate a loss, shape (), and update the parameters; gradients are stored."""
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()


class TorchKernels(Arithmetic):
    """Maps are float tensors (N, C, H, W), channels last in memory."""

    name: Literal["blocked", "torch"] = "torch"

    def gather(self, images: Tensor, index: Tensor, *, white: float = 1.0) -> Tensor:
        """Chosen images in [0, white]; see `BlockedKernels.gather`."""
        gathered = to_network(images[index])
        if not devices.takes_any_layout(gathered.device):
            gathered = gathered.contiguous()
        return gathered if white == 1 else gathered.mul_(white)

    def features(self, batch: Tensor, stack: nn.Sequential) -> Tensor:
        """Any stack, each layer normalising in its own mode; see `BlockedKernels.features`."""
        for part in stack:
            batch = self._convolve(batch, part) if isinstance(part, Convolution) else part(batch)
        return batch

    def errors(
        self, maps: Tensor, batch: Tensor, stack: nn.Sequential, *, norm: Literal["l1", "l2"]
    ) -> Tensor:
        """Error of each of the first N images; see `BlockedKernels.errors`."""
        *parts, output = stack
        decoded = output(full(self.features(maps, nn.Sequential(*parts))))
        return formulas.reconstruction(batch[: len(maps)], decoded, norm=norm, reduction="sum")

    def _convolve(self, maps: Tensor, convolution: Convolution) -> Tensor:
        dense_ones = self.precision == "bf16" and devices.takes_any_layout(maps.device)
        if not dense_ones or not halves(convolution):
            result: Tensor = convolution(maps)
            return result
        if isinstance(convolution, nn.ConvTranspose2d):
            return dense_transposed(maps, convolution.weight, convolution.bias)
        return dense(maps, convolution.weight, convolution.bias)


def halves(part: nn.Module) -> bool:
    """Whether it is a 5 x 5 convolution that halves, or transposed doubles, the sides."""
    if not isinstance(part, Convolution):
        return False
    transposed = isinstance(part, nn.ConvTranspose2d)
    shape = (part.kernel_size, part.stride, part.padding, part.output_padding)
    padding = (1, 1) if transposed else (0, 0)
    return shape == ((5, 5), (2, 2), (2, 2), padding)


def full(values: Tensor) -> Tensor:
    """In float32, if autocast made it shorter."""
    return values.float() if values.dtype == torch.bfloat16 else values


def to_network(images: Tensor) -> Tensor:
    """Stored pixels, uint8 (N, 64, 64, 3), as a network's input in [0, 1], (N, 3, 64, 64)."""
    return images.permute(0, 3, 1, 2).float().div_(255)


def dense(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 5 x 5 convolution of stride 2 and padding 2 as a 3 x 3 one of stride 1.

    Args:
        maps: Shape (N, F, 2h, 2w).
        weight: Shape (C, F, 5, 5).
        bias: Shape (C,).

    Returns:
        Shape (N, C, h, w).
    """
    coarse, fine = weight.shape[:2]
    taps = functional.pad(weight, (0, 1, 0, 1)).view(coarse, fine, 3, 2, 3, 2)
    taps = taps.permute(0, 3, 5, 1, 2, 4).reshape(coarse, 4 * fine, 3, 3)
    return functional.conv2d(_to_depth(maps), taps, bias, padding=1)


def dense_transposed(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The transposed convolution (output padding 1) as a 3 x 3 one to four times the channels.

    Args:
        maps: Shape (N, C, h, w).
        weight: Shape (C, F, 5, 5).
        bias: Shape (F,).

    Returns:
        Shape (N, F, 2h, 2w).
    """
    coarse, fine = weight.shape[:2]
    taps = functional.pad(weight, (0, 1, 0, 1)).view(coarse, fine, 3, 2, 3, 2).flip(2, 4)
    taps = taps.permute(3, 5, 1, 0, 2, 4).reshape(4 * fine, coarse, 3, 3)
    result = functional.conv2d(maps, taps, None if bias is None else bias.repeat(4), padding=1)
    return _from_depth(result, fine)


def _to_depth(maps: Tensor) -> Tensor:
    """(N, C, 2h, 2w) -> (N, 4C, h, w): the four pixels of a square, then their channels."""
    n, c, height, width = maps.shape
    squares = maps.permute(0, 2, 3, 1).reshape(n, height // 2, 2, width // 2, 2, c)
    depth = squares.permute(0, 1, 3, 2, 4, 5).reshape(n, height // 2, width // 2, 4 * c)
    return depth.permute(0, 3, 1, 2)


def _from_depth(maps: Tensor, channels: int) -> Tensor:
    """The inverse of `_to_depth`."""
    n, _, height, width = maps.shape
    squares = maps.permute(0, 2, 3, 1).reshape(n, height, width, 2, 2, channels)
    fine = squares.permute(0, 1, 3, 2, 4, 5).reshape(n, 2 * height, 2 * width, channels)
    return fine.permute(0, 3, 1, 2)
