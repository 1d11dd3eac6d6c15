"""One run from end to end: data, training, evaluation. This is the work of a worker.

A worker reads and writes no results. It yields events (`records.events`), the last with the results
of the run; the process that requested the run stores them.
"""

import contextlib
import errno
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from repro.data.pictures import content_digest
from repro.data.pictures.images import Material, TrainingImages
from repro.errors import ReproError, RunFailed
from repro.metrics import Count, group_counts, pooled_recall
from repro.records import code_digests, epoch_weights, scores
from repro.records.events import CheckpointMade, EpochEnded, RunEnded, RunStarted, WorkerEvent
from repro.records.records import EPOCH_WEIGHTS, MODEL, SCORES, WEIGHTS, Record
from repro.records.scores import Scores
from repro.records.task import Files, Task
from repro.training import evaluation, networks, provenance, state_files, trainer
from repro.training.first_epoch import FirstEpoch, Memory
from repro.training.kernels import c_library, devices
from repro.training.state_files import Checkpoint
from repro.training.trainer import Fit, Fitted, State

SHORTAGE = (  # in the text of torch's and Python's errors
    *("can't allocate memory", "cannot allocate memory", "out of memory", "bad_alloc"),
    *("can't start new thread", "could not create a primitive", "resource temporarily unavail"),
)


class _Clock:
    """Measures the time of a run, with the time before an interruption."""

    def __init__(self, images_per_epoch: int, before: float) -> None:
        """Start, or continue after `before` seconds."""
        self.images, self.epochs, self.before = images_per_epoch, 0, before
        self.started, self.begin = datetime.now(UTC), time.perf_counter()
        self.trained = self.begin  # end of the last epoch
        self.shared, self.training = 0, 0.0  # epochs of another run; seconds of those of this one

    def epoch(self) -> float:
        """Note the end of an epoch; return its training images per second."""
        before, self.trained = self.trained, time.perf_counter()
        self.epochs += 1
        self.training += self.trained - before
        return self.images / (self.trained - before)

    def shared_epoch(self, first: FirstEpoch) -> float:
        """As `epoch`, of one that was taken over: the rate is that of the run that trained it."""
        self.trained = time.perf_counter()
        self.shared += 1
        return self.images / first.seconds

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self.before + time.perf_counter() - self.begin

    def times(self) -> dict[str, Any]:
        """For the provenance; the rate is over the epochs that were trained here."""
        times = {
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
        }
        if self.epochs:
            times["images_per_second"] = round(self.epochs * self.images / self.training, 1)
        if self.shared:
            times["shared_epochs"] = self.shared
        return times


def execute(
    task: Task, load: Callable[[], Material], begun: Files, memory: Memory | None = None
) -> Iterator[WorkerEvent]:
    """Train and evaluate a run.

    Args:
        task: The run.
        load: Returns its data.
        begun: Files of the checkpoint to continue from; empty: start from the first epoch.
        memory: Of this process, for a first epoch that runs share; None: each trains its own.

    Yields:
        `RunStarted`, then `EpochEnded` and sometimes `CheckpointMade`, finally `RunEnded`; the
        record of a failed run has the reason.

    Raises:
        ReproError: An error in data or device, or this program differs from that of the study.
        MemoryError: Not enough memory.
    """
    with _memory_errors(), c_library.using(task.computation.kernels):
        trainer.prepare_process()
        devices.require(task.device)
        _require_same_program(task)
        yield RunStarted(task.key, task.title, task.configuration.epochs, _bytes_of_network(task))
        material = load()
        content_digest.require_planned(task.data, task.contents, material.contents)
        content_digest.require_unchanged(material.contents)
        first = memory.of(task.beginning) if memory and task.shares_epochs else None
        for event in _train_and_evaluate(task, material, begun, first):
            if isinstance(event, RunEnded):
                content_digest.require_unchanged(material.contents)
            yield event


@contextlib.contextmanager
def _memory_errors() -> Iterator[None]:
    """Convert every error that says that memory, or another means of the system, is at an end."""
    try:
        yield
    except (RuntimeError, OSError) as error:
        if _is_shortage(error):
            raise MemoryError(str(error)) from None
        raise


def _is_shortage(error: RuntimeError | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOMEM, errno.EAGAIN)
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(word in text for word in SHORTAGE)


def _require_same_program(task: Task) -> None:
    """Refuse a run whose record would name code, libraries or kernels that were not used."""
    wanted = task.computation
    if wanted.code != code_digests.code() or wanted.libraries != code_digests.libraries():
        raise ReproError(
            "the program was changed while its study ran, or differs where this run is; run the "
            "same command again: `repro plan` says what is trained again"
        )
    if wanted.kernels == "blocked" and c_library.load() is None:
        raise ReproError(
            "the study computes with blocked kernels, and a machine that runs it cannot "
            f"({c_library.missing_because()}): mend that, or pass --kernels torch for all of them"
        )


def _bytes_of_network(task: Task) -> int:
    model = networks.build(task.configuration, task.seed, task.catalogue())
    return sum(tensor.nbytes for tensor in model.state_dict().values())


def _train_and_evaluate(
    task: Task, material: Material, begun: Files, first: FirstEpoch | None
) -> Iterator[WorkerEvent]:
    """The events of `execute` from the first epoch on."""
    images = material.images
    trainer.require_enough(task.configuration, images)
    went_on = state_files.unpack(begun)
    restored = _restored(task, images, went_on) if went_on else None
    went_on = went_on if restored else None
    clock = _Clock(
        trainer.images_per_epoch(task.configuration, images), went_on.seconds if went_on else 0.0
    )
    since = {"went_on_after_epoch": went_on.state.epoch} if went_on else {}

    def measured() -> dict[str, Any]:
        environment = provenance.environment(task.device)
        return {"commit": task.commit, **environment, **clock.times(), **since}

    try:
        fit = restored or _fit(task, images, first=first)
        kept, epochs = time.monotonic(), task.configuration.epochs
        for history in fit.epochs():
            is_shared = first is not None and first.is_taken_over and history["epoch"] == 1
            rate = clock.shared_epoch(first) if first and is_shared else clock.epoch()
            yield EpochEnded(task.key, task.title, epochs, history, rate)
            if fit.goes_on and time.monotonic() - kept >= task.checkpoint_seconds:
                files = state_files.pack(Checkpoint(fit.state(), clock.seconds), task.key)
                yield CheckpointMade(task.key, task.title, files)
                kept = time.monotonic()
        record, files = _evaluated(task, fit.fitted(), material, measured)
    except RunFailed as failure:
        reason = {"epoch": failure.epoch, "term": failure.term, "reason": failure.reason}
        record, files = task.record(failure=reason, provenance=measured()), {}
    yield RunEnded(task.key, task.title, record, files)


def _fit(
    task: Task,
    images: TrainingImages,
    resume: State | None = None,
    first: FirstEpoch | None = None,
) -> Fit:
    """The training of a run, from its start or from a state."""
    return Fit(
        task.configuration,
        task.seed,
        images,
        device=task.device,
        resume=resume,
        catalogue=task.catalogue(),
        source=task.source,
        first=first,
    )


def _restored(task: Task, images: TrainingImages, checkpoint: Checkpoint) -> Fit | None:
    """The training at a checkpoint; None if it is not one of this run, which then starts again."""
    try:
        fit = _fit(task, images, checkpoint.state)
    except (LookupError, RuntimeError, TypeError, ValueError):
        return None
    sound = not any(
        epoch_weights.problem(weights, len(fit.faces)) or epoch not in range(1, fit.number)
        for epoch, weights in fit.epoch_weights.items()
    )
    return fit if sound and fit.goes_on else None


def _evaluated(
    task: Task, fitted: Fitted, material: Material, measured: Callable[[], dict[str, Any]]
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
