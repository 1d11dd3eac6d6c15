"""The batches of an epoch: drawn by the weights of its images, or with all of them alike."""

import numpy as np
import torch
from numpy.typing import NDArray

from repro import resampling
from repro.errors import RunFailed
from repro.models import DebiasingVae, Model
from repro.study.configuration import Configuration
from repro.training.weighting import Weights, degenerate_weights_fail


def drawn(
    weights: Weights | None,
    is_face: NDArray[np.bool_],
    choices: Configuration,
    generator: np.random.Generator,
    *,
    epoch: int,
) -> NDArray[np.int64]:
    """Batches with the faces first in each.

    Args:
        weights: By which images are drawn; None: all alike, as ``uniform_epochs`` says.
        is_face: Of the training images, shape (N,).
        choices: Of the run.
        generator: Its stream of batches.
        epoch: From 1.

    Returns:
        Indices into `is_face`, shape (steps, batch_size).

    Raises:
        RunFailed: Fewer images have a weight than a batch needs.
    """
    rule, size = choices.resampling, choices.batch_size
    if weights is None and rule.uniform_epochs == "shuffle":
        batches = resampling.shuffled_batches(len(is_face), batch_size=size, generator=generator)
    else:
        faces = int(is_face.sum())
        weights = weights or Weights(np.full(faces, 1 / faces))
        with degenerate_weights_fail(epoch):
            batches = resampling.weighted_batches(
                weights.faces,
                is_face,
                batch_size=size,
                replacement=rule.replacement,
                balance=rule.balance,
                generator=generator,
                other_weights=weights.nonfaces,
            )
    return resampling.faces_first(batches, is_face)


def require_decodable(
    batches: NDArray[np.int64],
    is_face: NDArray[np.bool_],
    choices: Configuration,
    model: Model,
    *,
    epoch: int,
) -> None:
    """Fail the run if a decoder of faces alone would normalise a batch of one vector.

    Args:
        batches: As of `drawn`.
        is_face: Likewise.
        choices: Likewise.
        model: The network.
        epoch: From 1.

    Raises:
        RunFailed: A batch has a single face.
    """
    normalises = choices.decoder_input == "faces" and choices.batch_norm == "batch"
    if not normalises or not isinstance(model, DebiasingVae):
        return
    vectors = any(isinstance(part, torch.nn.BatchNorm1d) for part in model.modules())
    alone = np.flatnonzero(is_face[batches].sum(axis=1) == 1)
    if vectors and len(alone):
        raise RunFailed(
            epoch=epoch,
            term="decoder",
            reason=f"batch {alone[0] + 1} has one face, and the batch normalisation of a "
            "decoder of faces alone needs two: more faces, larger batches, or decoder_input: "
            "all",
        )
