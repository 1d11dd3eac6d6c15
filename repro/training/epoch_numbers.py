"""The numbers of an epoch: what the history notes of it, and what fails it."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from repro import resampling
from repro.errors import RunFailed
from repro.metrics import says_face
from repro.models import Model
from repro.study.configuration import Configuration
from repro.training import epoch_choice, inference
from repro.training.rules import placebo

Numbers = dict[str, float]


def require_finite(means: Mapping[str, float], model: Model, *, epoch: int) -> None:
    """Fail a run whose losses or parameters are no numbers.

    Args:
        means: Of the terms over the epoch's images.
        model: The network after the epoch.
        epoch: From 1.

    Raises:
        RunFailed: Names the first of them.
    """
    for term in ("classification", "kl", "reconstruction", "loss"):
        if not np.isfinite(means[term]):
            reason = f"the mean over the epoch is {means[term]}"
            raise RunFailed(epoch=epoch, term=term, reason=reason)
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise RunFailed(epoch=epoch, term=name, reason="the parameter is not finite")


def trained(means: Mapping[str, float], *, epoch: int) -> Numbers:
    """What the history begins with: the number of the epoch, and its means in training."""
    terms = {f"train_{name}": value for name, value in means.items() if name != "correct"}
    return {"epoch": float(epoch), **terms, "train_accuracy": means["correct"]}


def validated(
    model: Model, images: Tensor, held_out: Tensor, is_face: Tensor, choices: Configuration
) -> Numbers:
    """What the held-out images say of a network, and what a checkpoint is chosen by.

    Args:
        model: The network.
        images: Stored pixels, uint8 (M, 64, 64, 3).
        held_out: Positions among them, int64 (N,).
        is_face: Of the held-out ones, on the CPU, (N,).
        choices: Of the run.
    """
    positive = says_face(inference.logits(model, images, held_out))
    found = {"val_accuracy": epoch_choice.accuracy(positive, is_face)}
    if choices.checkpoint == "worst_class":
        found["val_worst_class"] = epoch_choice.worst_class_recall(positive, is_face)
    return found


def weight_spread(weights: NDArray[np.float64] | None, faces: int) -> Numbers:
    """Effective sample size and largest weight of an epoch.

    Args:
        weights: Probabilities of its faces; None: all were drawn alike.
        faces: How many they are.
    """
    if weights is None:
        return {"ess": float(faces), "ess_share": 1.0, "largest_weight": 1 / faces}
    ess = resampling.effective_sample_size(weights)
    return {"ess": ess, "ess_share": ess / faces, "largest_weight": float(weights.max())}


def lasting_weights(
    before: NDArray[np.float64] | None, weights: NDArray[np.float64] | None
) -> Numbers:
    """How much of the weights stayed from one epoch to the next; nothing if that has no answer."""
    if weights is None or before is None:
        return {}
    lasting = placebo.persistence(before, weights)
    return {} if lasting is None else {"log_weight_correlation": lasting}
