"""A fitted network applied to many images: evaluation mode, no gradients, large batches."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from repro.models import DebiasingVae, Encoding, Model

BATCH = 256


def to_network(images: Tensor) -> Tensor:
    """Stored pixels, uint8 (N, 64, 64, 3), as the network's input in [0, 1], (N, 3, 64, 64)."""
    return images.permute(0, 3, 1, 2).float().div_(255)


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


def encode(model: Model, images: Tensor) -> Encoding:
    """The encoding of all images, uint8 (N, 64, 64, 3)."""
    with evaluating(model):
        parts = [model.encoder(to_network(batch)) for batch in torch.split(images, BATCH)]
    return Encoding(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def logits(model: Model, images: Tensor) -> Tensor:
    """The face logit of all images, uint8 (N, 64, 64, 3), shape (N,)."""
    with evaluating(model):
        return torch.cat(
            [model.encoder.classify(to_network(b)) for b in torch.split(images, BATCH)]
        )


def reconstruction_errors(
    model: DebiasingVae, images: Tensor, means: Tensor
) -> tuple[float, float]:
    """Mean absolute and mean squared error per pixel channel of decoded posterior means."""
    absolute, squared = 0.0, 0.0
    with evaluating(model):
        for batch, latents in zip(
            torch.split(images, BATCH), torch.split(means, BATCH), strict=True
        ):
            difference = model.decoder(latents) - to_network(batch)
            absolute += float(difference.abs().double().sum())
            squared += float(difference.double().square().sum())
    return absolute / images.numel(), squared / images.numel()


def as_float64(values: Tensor) -> NDArray[np.float64]:
    """A tensor as NumPy's float64."""
    return values.double().cpu().numpy()
