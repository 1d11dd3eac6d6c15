"""Scores of a trained network on test photographs and validation faces."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from repro.data.pictures.images import Photographs, TrainingImages
from repro.errors import ReproError
from repro.losses import formulas
from repro.metrics import active_units, says_face
from repro.models import DebiasingVae, Model
from repro.records.scores import Scores
from repro.study.configuration import Reading
from repro.training import inference
from repro.training.inference import as_float64
from repro.training.sliding_windows import Pixels, windows_of
from repro.training.trainer import Fitted

WINDOWS_AT_ONCE = 1024


def score(model: Model, photographs: Photographs, rule: Reading) -> Scores:
    """Scan every photograph; windows of several photographs are encoded in one batch.

    Raises:
        ReproError: No photograph has a window: the smallest window is higher than all of them.
    """
    count = len(photographs)
    windows = np.zeros(count, dtype=np.int64)
    logits = []
    for indices, batch in _window_batches(photographs, rule):
        logits.append(as_float64(inference.logits(model, torch.from_numpy(batch))))
        for index, size in indices:
            windows[index] = size
    if count and not windows.any():
        raise ReproError(
            f"windows.smallest: {rule.smallest:g} of the width is more than the height of each of "
            f"the {count:,} test photographs, such as {photographs.names[0]}, so that no window "
            "fits into one; choose a smaller share"
        )
    return _per_photograph(photographs, windows, np.concatenate(logits) if logits else np.empty(0))


def _window_batches(
    photographs: Photographs, rule: Reading
) -> Iterator[tuple[list[tuple[int, int]], Pixels]]:
    """(photograph, its number of windows) pairs, with their windows stacked."""
    indices: list[tuple[int, int]] = []
    cut: list[Pixels] = []
    for index in range(len(photographs)):
        cut.append(windows_of(photographs.read(index), rule))
        indices.append((index, len(cut[-1])))
        if sum(map(len, cut)) >= WINDOWS_AT_ONCE:
            yield indices, np.concatenate(cut)
            indices, cut = [], []
    if sum(map(len, cut)):
        yield indices, np.concatenate(cut)


def _per_photograph(
    photographs: Photographs, windows: NDArray[np.int64], logits: NDArray[np.float64]
) -> Scores:
    owner = np.repeat(np.arange(len(windows)), windows)
    top = np.full(len(windows), -np.inf)
    np.maximum.at(top, owner, logits)
    positive = np.bincount(owner[says_face(logits)], minlength=len(windows))
    return Scores(photographs.names, photographs.groups, top, windows, positive)


def crop_probabilities(model: Model, crops: Photographs) -> dict[str, float]:
    """The MIT lab's metric from 2020 on: the mean probability that a face crop is a face.

    Source: the lab's last section, which averages the sigmoid over twenty crops, five of each
    group, and uses no threshold.

    Args:
        model: In any mode.
        crops: Of 64 x 64 pixels each.

    Returns:
        ``crop_probability`` over all, and ``crop_probability/GROUP`` of each group, in [0, 1];
        ``crops``, their number.
    """
    pixels = np.stack([crops.read(index) for index in range(len(crops))])
    probability = as_float64(inference.logits(model, torch.from_numpy(pixels)).sigmoid())
    found = {"crops": float(len(crops)), "crop_probability": float(probability.mean())}
    groups = np.asarray(crops.groups)
    for name in np.unique(groups):
        found[f"crop_probability/{name}"] = float(probability[groups == name].mean())
    return found


def validation_metrics(
    fitted: Fitted, data: TrainingImages
) -> tuple[dict[str, float], list[float]]:
    """Metrics of the held-out crops, and the KL per latent in nats.

    Returns:
        Accuracy at the checkpoint and, for a model with latents, active units, KL and
        reconstruction errors of held-out faces (posterior means decoded).
    """
    held_out = fitted.split.validation
    images, is_face = torch.from_numpy(data.images[held_out]), data.is_face[held_out]
    encoding = inference.encode(fitted.model, images)
    correct = says_face(as_float64(encoding.logit)) == is_face
    found = {"val_accuracy": float(correct.mean()), "val_best_epoch": float(fitted.best_epoch)}
    if not isinstance(fitted.model, DebiasingVae):
        return found, []
    face = torch.from_numpy(is_face)
    means, logvars = encoding.latent_mean[face], encoding.latent_logvar[face]
    kl = formulas.gaussian_kl_per_latent(means.double(), logvars.double()).mean(dim=0)
    absolute, squared = inference.reconstruction_errors(fitted.model, images[face], means)
    found |= {
        "val_active_units": _active_units(as_float64(means)),
        "val_kl": float(kl.sum()),
        "val_reconstruction_l1": absolute,
        "val_reconstruction_l2": squared,
    }
    return found, kl.tolist()


def _active_units(means: NDArray[np.float64]) -> float:
    """Active units; NaN for means that are not finite (the run is recorded as failed)."""
    return float(active_units(means)) if np.isfinite(means).all() else float("nan")
