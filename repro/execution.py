"""One run from end to end: data, training, evaluation, record. What a worker process does."""

import contextlib
import functools
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from repro import (
    checkpoints,
    evaluation,
    lineage,
    locks,
    models,
    provenance,
    training,
    unfinished,
    writing,
)
from repro.checkpoints import Checkpoint
from repro.data import sources
from repro.data.sets import Photographs, TrainingImages
from repro.datasets import Data
from repro.errors import ReproError, RunFailed
from repro.evaluation import Scores
from repro.metrics import Count, group_counts, pooled_recall
from repro.records import (
    ADVICE,
    MODEL,
    SCORES,
    WEIGHTS,
    Record,
    folder_of,
    has_record,
    write_record,
)
from repro.tasks import Task
from repro.training import Epoch, Fitted, State

PATIENCE = 1.0  # seconds to wait for somebody else who trains the same run
STATES = 4  # networks in a state, at most: the network, the best one, and Adam's two moments
Files = dict[str, bytes]


@functools.lru_cache(maxsize=1)
def _load(data: Data) -> tuple[TrainingImages, dict[str, Photographs]]:
    """The data of a study; kept, because one worker runs many replicates on it."""
    photographs = {
        "portraits": sources.portraits(data.test),
        "nonfaces": sources.nonface_photographs(data.nonfaces),
    }
    if data.crops is not None:
        photographs["crops"] = sources.crops(data.crops)
    return sources.training_images(data.train), photographs


class _Clock:
    """Times one run, what it took before it was cut off included."""

    def __init__(self, images_per_epoch: int, before: float) -> None:
        """The run begins, or goes on after `before` seconds."""
        self.images, self.epochs, self.before = images_per_epoch, 0, before
        self.started, self.begin = datetime.now(UTC), time.perf_counter()
        self.trained = self.begin  # when the last epoch ended

    def epoch(self) -> float:
        """An epoch ended; its training images per second."""
        before, self.trained = self.trained, time.perf_counter()
        self.epochs += 1
        return self.images / (self.trained - before)

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self.before + time.perf_counter() - self.begin

    def times(self) -> dict[str, Any]:
        """For the provenance; the rate is over all epochs and leaves out the evaluation."""
        times = {
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
        }
        if self.epochs:
            rate = self.epochs * self.images / (self.trained - self.begin)
            times["images_per_second"] = round(rate, 1)
        return times


def execute(task: Task, *, on_epoch: Callable[[Epoch, float], None]) -> str | None:
    """Train, evaluate and write the record; a failed run has a record with its reason.

    A run that was cut off goes on from its last checkpoint.

    Args:
        task: The run.
        on_epoch: Called with each epoch's history and its training images per second.

    Returns:
        None if the run has a record now; else who is training it.

    Raises:
        ReproError: Data, device or disk do not allow it, or the program changed meanwhile.
        MemoryError: There is not enough.
    """
    training.prepare_process()
    training.require_device(task.device)
    _require_same_program(task)
    with locks.of_run(unfinished.folder_of(task.key, task.results), patience=PATIENCE) as holder:
        if holder is not None:
            return holder
        writing.sweep(folder_of(task.key, task.results))
        if not has_record(task.key, task.results):
            _require_space(task)
            with _memory_errors():
                write_record(*_outcome(task, on_epoch))
        checkpoints.remove(task.key, task.results)
    return None


@contextlib.contextmanager
def _memory_errors() -> Iterator[None]:
    """Torch's ways to say that there is no memory, as Python says it."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise MemoryError(str(error)) from None
        raise


def _require_same_program(task: Task) -> None:
    """A record must not name code that was not there any more when it was made."""
    if task.computation.code != lineage.code() or task.computation.libraries != lineage.libraries():
        raise ReproError(
            "the program was changed while its study ran; run the same command again: "
            "`repro plan` says what is trained anew"
        )


def _require_space(task: Task) -> None:
    """Refuse to begin what the disk cannot hold to the end, as far as that can be known."""
    model = models.build(
        task.configuration.architecture, latent_dim=task.configuration.latents, seed=task.seed
    )
    network = sum(tensor.nbytes for tensor in model.state_dict().values())
    needed = task.to_come * network + (checkpoints.KEPT + 1) * STATES * network
    free = shutil.disk_usage(task.results).free
    if free < needed:
        raise writing.CannotWrite(
            f"{task.results}: {free:,} bytes are free, and the {task.to_come} runs to come need "
            f"about {needed:,}; {ADVICE}"
        )


def _outcome(task: Task, on_epoch: Callable[[Epoch, float], None]) -> tuple[Record, Path, Files]:
    """Train and evaluate; the arguments of `write_record`."""
    images, photographs = _load(task.configuration.data)
    begun = checkpoints.latest(task.key, task.results)
    clock = _Clock(
        training.images_per_epoch(task.configuration, images), begun.seconds if begun else 0.0
    )
    went_on = {"went_on_after_epoch": begun.state.epoch} if begun else {}

    def measured() -> dict[str, Any]:
        environment = provenance.environment(task.device)
        return {"commit": task.commit, **environment, **clock.times(), **went_on}

    try:
        fitted = training.fit(
            task.configuration,
            task.seed,
            images,
            device=task.device,
            on_epoch=lambda epoch: on_epoch(epoch, clock.epoch()),
            resume=begun.state if begun else None,
            keep=_keeper(task, clock),
        )
        rule = task.configuration.windows
        scores = {
            name: evaluation.score(fitted.model, photographs[name], rule)
            for name in ("portraits", "nonfaces")
        }
        probabilities = {}
        if "crops" in photographs:
            probabilities = evaluation.crop_probabilities(fitted.model, photographs["crops"])
        record = _finished(task, fitted, images, scores, probabilities, measured)
    except RunFailed as failure:
        reason = {"epoch": failure.epoch, "term": failure.term, "reason": failure.reason}
        return task.record(failure=reason, provenance=measured()), task.results, {}
    return record, task.results, _files(fitted, scores)


def _keeper(task: Task, clock: _Clock) -> Callable[[Callable[[], State]], None]:
    """What writes a checkpoint after an epoch, unless the last one is recent."""
    kept = time.monotonic()

    def keep(capture: Callable[[], State]) -> None:
        nonlocal kept
        if time.monotonic() - kept >= task.checkpoint_seconds:
            checkpoints.write(Checkpoint(capture(), clock.seconds), task.key, task.results)
            kept = time.monotonic()

    return keep


def _finished(
    task: Task,
    fitted: Fitted,
    images: TrainingImages,
    scores: dict[str, Scores],
    probabilities: dict[str, float],
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
        **probabilities,
    }
    _require_numbers(task, {**metrics, **_extremes(scores)}, kl_per_latent)
    return task.record(
        groups=groups,
        nonfaces=false,
        metrics=metrics,
        kl_per_latent=kl_per_latent,
        history=list(fitted.history),
        provenance=measured(),
    )


def _extremes(scores: dict[str, Scores]) -> dict[str, float]:
    """The largest logit of each set; a photograph without windows has none."""
    found = {f"top logit of {name}": s.top_logit[s.windows > 0] for name, s in scores.items()}
    return {name: float(np.abs(values).max(initial=0.0)) for name, values in found.items()}


def _require_numbers(task: Task, metrics: dict[str, float], kl_per_latent: list[float]) -> None:
    """A metric that is no number is an outcome of the run, and no number for a table."""
    named = metrics | {f"kl of latent {i}": value for i, value in enumerate(kl_per_latent)}
    for name, value in named.items():
        if not np.isfinite(value):
            reason = f"it is {value} after training"
            raise RunFailed(epoch=task.configuration.epochs, term=name, reason=reason)


def _share(scores: Scores) -> float:
    """Positive windows among all windows."""
    return float(scores.positive.sum() / max(int(scores.windows.sum()), 1))


def _files(fitted: Fitted, scores: dict[str, Scores]) -> Files:
    files = {
        SCORES: evaluation.scores_csv(scores),
        MODEL: save(training.checkpoint_tensors(fitted.model)),
    }
    if fitted.weights is not None:
        files[WEIGHTS] = save({"face_weights": torch.from_numpy(fitted.weights)})
    return files
