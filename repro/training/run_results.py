"""What a run leaves: its record, and the files stored with it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from repro.data.pictures.images import Material
from repro.errors import RunFailed
from repro.metrics import Count, group_counts, pooled_recall
from repro.records import epoch_weights, scores
from repro.records.events import RunEnded
from repro.records.records import EPOCH_WEIGHTS, MODEL, SCORES, WEIGHTS, Record
from repro.records.scores import Scores
from repro.records.task import Files, Task
from repro.training import evaluation, provenance, trainer
from repro.training.run_clock import Clock
from repro.training.trainer import Fit, Fitted

Measured = Callable[[], dict[str, Any]]  # the provenance of a run that ends now


def measured(task: Task, clock: Clock, *, together: int | None = None) -> dict[str, Any]:
    """The provenance of a run that ends now.

    Args:
        task: The run.
        clock: Its clock.
        together: How many runs were trained as one network with it; None: it was trained singly.
    """
    made = {"commit": task.commit, **provenance.environment(task.device), **clock.times()}
    if together is not None:
        made |= {"kernels": task.computation.kernels, "stacked_runs": together}
    return made


def failed(task: Task, failure: RunFailed, measured: Measured) -> RunEnded:
    """The end of a run that failed."""
    reason = {"epoch": failure.epoch, "term": failure.term, "reason": failure.reason}
    record = task.record(failure=reason, provenance=measured())
    return RunEnded(task.key, task.title, record, {})


def ended(task: Task, fit: Fit, material: Material, measured: Measured) -> RunEnded:
    """Evaluate the network of a run whose last epoch is over; the run may fail in this."""
    try:
        record, files = _evaluated(task, fit.fitted(), material, measured)
    except RunFailed as failure:
        return failed(task, failure, measured)
    return RunEnded(task.key, task.title, record, files)


def _evaluated(
    task: Task, fitted: Fitted, material: Material, measured: Measured
) -> tuple[Record, Files]:
    """Evaluate a trained network: the record, and the files stored with it.

    Raises:
        RunFailed: A metric is NaN or infinite.
    """
    images, photographs = material.images, material.photographs
    found = {
        name: evaluation.score(fitted.model, photographs[name], task.configuration.reading)
        for name in scores.SETS
        if name in photographs
    }
    metrics, kl_per_latent = evaluation.validation_metrics(fitted, images)
    portraits, others = found["portraits"], found.get("nonfaces")
    groups = group_counts(portraits.groups, portraits.detected)
    false = Count(len(others.names), int(others.detected.sum())) if others is not None else None
    metrics["training_images"] = float(len(images.images))
    metrics["recall"] = pooled_recall(groups)
    if false is not None:
        metrics["false_positive_rate"] = false.share
    metrics |= {f"positive_windows_{name}": _share(one) for name, one in found.items()}
    metrics |= fitted.numbers
    if "crops" in photographs:
        metrics |= evaluation.crop_probabilities(fitted.model, photographs["crops"])
    _require_numbers(task, {**metrics, **_extremes(found)}, kl_per_latent)
    record = task.record(
        groups=groups,
        nonfaces=false,
        metrics=metrics,
        kl_per_latent=kl_per_latent,
        history=list(fitted.history),
        provenance=measured(),
    )
    files = {
        SCORES: scores.to_csv(found),
        MODEL: save(trainer.checkpoint_tensors(fitted.model)),
    }
    if fitted.weights is not None:
        files[WEIGHTS] = save({"face_weights": torch.from_numpy(fitted.weights)})
        files[EPOCH_WEIGHTS] = epoch_weights.pack(fitted.epoch_weights)
    return record, files


def _extremes(found: dict[str, Scores]) -> dict[str, float]:
    """The largest logit of each set; a photograph without windows has none."""
    logits = {f"top logit of {name}": s.top_logit[s.windows > 0] for name, s in found.items()}
    return {name: float(np.abs(values).max(initial=0.0)) for name, values in logits.items()}


def _require_numbers(task: Task, metrics: dict[str, float], kl_per_latent: list[float]) -> None:
    """Fail the run if a metric is NaN or infinite, so that it enters no table."""
    named = metrics | {f"kl of latent {i}": value for i, value in enumerate(kl_per_latent)}
    for name, value in named.items():
        if not np.isfinite(value):
            reason = f"it is {value} after training"
            raise RunFailed(epoch=task.configuration.epochs, term=name, reason=reason)


def _share(one: Scores) -> float:
    """Positive windows among all windows."""
    return float(one.positive.sum() / max(int(one.windows.sum()), 1))
