"""Inference on many images: evaluation mode, float32, no gradients, large batches.

Images may be on another device than the network only if no index is given; results are on the
CPU.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from repro.models import DebiasingVae, Encoding, Model
from repro.training.kernels import devices
from repro.training.kernels.kernel_choice import choose
from repro.training.kernels.operators import to_network

BATCH = 256

Read = TypeVar("Read")


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; the former mode is restored."""
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)


def encode(
    model: Model, images: Tensor, index: Tensor | None = None, *, white: float = 1.0
) -> Encoding:
    """The encoding of images.

    Args:
        model: In any mode.
        images: Stored pixels, uint8 (M, 64, 64, 3).
        index: Positions of the images to encode, int64 (N,); None: all.
        white: Value that 255 is scaled to; networks are trained with 1.
    """
    parts = _read(model, images, index, model.encoder.from_features, white=white)
    return Encoding(*(torch.cat(columns).cpu() for columns in zip(*parts, strict=True)))


def latent_means(
    model: DebiasingVae, images: Tensor, index: Tensor, *, white: float = 1.0
) -> Tensor:
    """Posterior means of images, shape (N, D), without computing the other heads."""
    return torch.cat(
        _read(model, images, index, model.encoder.mean_from_features, white=white)
    ).cpu()


def logits(model: Model, images: Tensor, index: Tensor | None = None) -> Tensor:
    """The face logit of images, shape (N,); arguments as for `encode`."""
    return torch.cat(_read(model, images, index, model.encoder.logit_from_features)).cpu()


def hidden(model: Model, images: Tensor, index: Tensor | None = None) -> Tensor:
    """What the layer of the logit reads, shape (N, H); arguments as for `encode`."""
    return torch.cat(_read(model, images, index, model.encoder.hidden_from_features)).cpu()


def decode(
    model: DebiasingVae, latents: Tensor, *, statistics: Literal["running", "batch"] = "running"
) -> NDArray[np.uint8]:
    """Decode latents to pictures.

    Args:
        model: In any mode; unchanged.
        latents: Shape (N, D).
        statistics: Of batch normalisation: those stored in training, as in every evaluation, or
            those of these latents, as in a training step.

    Returns:
        Shape (N, 64, 64, 3).
    """
    device = next(model.parameters()).device
    with evaluating(model):
        if statistics == "batch":
            pictures = copy.deepcopy(model.decoder).train()(latents.to(device))
        else:
            batches = torch.split(latents, BATCH)
            pictures = torch.cat([model.decoder(batch.to(device)) for batch in batches])
    pixels: NDArray[np.uint8] = (
        pictures.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    )
    return pixels


def reconstruction_errors(
    model: DebiasingVae, images: Tensor, means: Tensor
) -> tuple[float, float]:
    """Mean absolute and mean squared error per pixel channel of decoded posterior means."""
    absolute, squared = 0.0, 0.0
    device = next(model.parameters()).device
    with evaluating(model):
        for batch, latents in zip(
            torch.split(images, BATCH), torch.split(means, BATCH), strict=True
        ):
            difference = model.decoder(latents.to(device)) - to_network(batch.to(device))
            difference = difference.to(devices.widest(difference.device))
            absolute += float(difference.abs().sum())
            squared += float(difference.square().sum())
    return absolute / images.numel(), squared / images.numel()


def _read(
    model: Model,
    images: Tensor,
    index: Tensor | None,
    read: Callable[[Tensor], Read],
    *,
    white: float = 1.0,
) -> list[Read]:
    """Apply a head to the output of the convolutions, batch by batch, on the model's device."""
    device = next(model.parameters()).device
    if index is None:
        images = images.to(device)
        index = torch.arange(len(images), device=device)
    stack = model.encoder.convolutions
    kernels = choose(device, "fp32", [stack])
    with evaluating(model):
        return [
            read(kernels.features(kernels.gather(images, batch, white=white), stack))
            for batch in torch.split(index, BATCH)
        ]


def as_float64(values: Tensor) -> NDArray[np.float64]:
    """A tensor as NumPy's float64."""
    return values.cpu().double().numpy()
