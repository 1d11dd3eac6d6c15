"""One run from end to end: data, training, evaluation, record. What a worker process does."""

import functools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from repro import evaluation, provenance, training
from repro.configuration import Data
from repro.data import sources
from repro.data.sets import Photographs, TrainingImages
from repro.errors import RunFailed
from repro.evaluation import Scores
from repro.metrics import Count, group_counts, pooled_recall
from repro.records import MODEL, SCORES, WEIGHTS, Record, write_record
from repro.tasks import Task
from repro.training import Epoch, Fitted


@functools.lru_cache(maxsize=1)
def _load(data: Data) -> tuple[TrainingImages, Photographs, Photographs]:
    """The data of a study; kept, because one worker runs many replicates on it."""
    return (
        sources.training_images(data.train),
        sources.portraits(data.test),
        sources.nonface_photographs(data.nonfaces),
    )


class _Clock:
    """Times one run."""

    def __init__(self, images_per_epoch: int) -> None:
        """The run begins."""
        self.images, self.epochs = images_per_epoch, 0
        self.started, self.begin = datetime.now(UTC), time.perf_counter()
        self.trained = self.begin  # when the last epoch ended

    def epoch(self) -> float:
        """An epoch ended; its training images per second."""
        before, self.trained = self.trained, time.perf_counter()
        self.epochs += 1
        return self.images / (self.trained - before)

    def times(self) -> dict[str, Any]:
        """For the provenance; the rate is over all epochs and leaves out the evaluation."""
        times = {
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self.begin, 3),
        }
        if self.epochs:
            rate = self.epochs * self.images / (self.trained - self.begin)
            times["images_per_second"] = round(rate, 1)
        return times


def execute(task: Task, *, on_epoch: Callable[[Epoch, float], None]) -> Record:
    """Train, evaluate and write the record; a failed run has a record with its reason.

    Args:
        task: The run.
        on_epoch: Called with each epoch's history and its training images per second.
    """
    training.prepare_process()
    training.require_device(task.device)
    images, portraits, nonfaces = _load(task.configuration.data)
    clock = _Clock(training.images_per_epoch(task.configuration, images))

    def measured() -> dict[str, Any]:
        return {"commit": task.commit, **provenance.environment(task.device), **clock.times()}

    try:
        fitted = training.fit(
            task.configuration,
            task.seed,
            images,
            device=task.device,
            on_epoch=lambda epoch: on_epoch(epoch, clock.epoch()),
        )
    except RunFailed as failure:
        reason = {"epoch": failure.epoch, "term": failure.term, "reason": failure.reason}
        record = _record(task, failure=reason, provenance=measured())
        write_record(record, task.results, {})
        return record
    rule = task.configuration.windows
    scores = {
        "portraits": evaluation.score(fitted.model, portraits, rule),
        "nonfaces": evaluation.score(fitted.model, nonfaces, rule),
    }
    record = _finished(task, fitted, images, scores, measured)
    write_record(record, task.results, _files(fitted, scores))
    return record


def _finished(
    task: Task,
    fitted: Fitted,
    images: TrainingImages,
    scores: dict[str, Scores],
    measured: Callable[[], dict[str, Any]],
) -> Record:
    portraits, nonfaces = scores["portraits"], scores["nonfaces"]
    groups = group_counts(portraits.groups, portraits.detected)
    false = Count(len(nonfaces.names), int(nonfaces.detected.sum()))
    metrics, kl_per_latent = evaluation.validation_metrics(fitted, images)
    metrics |= {
        "training_images": float(len(images.images)),
        "recall": pooled_recall(groups),
        "false_positive_rate": false.share,
        "positive_windows_portraits": _share(portraits),
        "positive_windows_nonfaces": _share(nonfaces),
    }
    return _record(
        task,
        groups=groups,
        nonfaces=false,
        metrics=metrics,
        kl_per_latent=kl_per_latent,
        history=list(fitted.history),
        provenance=measured(),
    )


def _share(scores: Scores) -> float:
    """Positive windows among all windows."""
    return float(scores.positive.sum() / max(int(scores.windows.sum()), 1))


def _record(task: Task, **fields: Any) -> Record:
    return Record(
        key=task.key,
        seed=task.seed,
        configuration=task.configuration.model_dump(mode="json"),
        data=task.data,
        **fields,
    )


def _files(fitted: Fitted, scores: dict[str, Scores]) -> dict[str, Callable[[Path], None]]:
    files: dict[str, Callable[[Path], None]] = {
        SCORES: lambda path: evaluation.write_scores(path, scores),
        MODEL: lambda path: save_file(training.checkpoint_tensors(fitted.model), path),
    }
    if fitted.weights is not None:
        weights = torch.from_numpy(fitted.weights)
        files[WEIGHTS] = lambda path: save_file({"face_weights": weights}, path)
    return files
