"""One run from end to end: data, training, evaluation. This is the work of a worker.

A worker reads and writes no results. It yields events (`records.events`), the last with the results
of the run; the process that requested the run stores them.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial

from repro.data.pictures import content_digest
from repro.data.pictures.images import Material
from repro.errors import RunFailed
from repro.records.events import CheckpointMade, EpochEnded, RunEnded, WorkerEvent
from repro.records.task import Files, Task
from repro.training import resumption, run_guards, run_results, state_files, trainer
from repro.training.first_epoch import FirstEpoch, Memory
from repro.training.kernels import c_library
from repro.training.run_clock import Clock
from repro.training.state_files import Checkpoint
from repro.training.trainer import Fit, State


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
    with run_guards.memory_errors(), c_library.using(task.computation.kernels):
        trainer.prepare_process()
        yield run_guards.started(task)
        material = run_guards.planned(task, load)
        first = memory.of(task.beginning) if memory and task.shares_epochs else None
        for event in _train_and_evaluate(task, material, begun, first):
            if isinstance(event, RunEnded):
                content_digest.require_unchanged(material.contents)
            yield event


def _train_and_evaluate(
    task: Task, material: Material, begun: Files, first: FirstEpoch | None
) -> Iterator[WorkerEvent]:
    """The events of `execute` from the first epoch on."""
    images = material.images
    trainer.require_enough(task.configuration, images)
    checkpoint = state_files.unpack(begun)
    clock = Clock(trainer.images_per_epoch(task.configuration, images))
    measured = partial(run_results.measured, task, clock)

    def fit_from(state: State | None) -> Fit:
        return Fit(
            task.configuration,
            task.seed,
            images,
            device=task.device,
            resume=state,
            catalogue=task.catalogue(),
            source=task.source,
            first=first,
        )

    try:
        fit = resumption.resumed(fit_from, checkpoint.state if checkpoint else None)
        if checkpoint and fit.history:
            clock.resume(checkpoint.state.epoch, checkpoint.seconds)
        kept, epochs = time.monotonic(), task.configuration.epochs
        for history in fit.epochs():
            is_shared = first is not None and first.is_taken_over and history["epoch"] == 1
            rate = clock.shared_epoch(first.seconds) if first and is_shared else clock.epoch()
            yield EpochEnded(task.key, task.title, epochs, history, rate)
            if fit.goes_on and time.monotonic() - kept >= task.checkpoint_seconds:
                files = state_files.pack(Checkpoint(fit.state(), clock.seconds), task.key)
                yield CheckpointMade(task.key, task.title, files)
                kept = time.monotonic()
    except RunFailed as failure:
        yield run_results.failed(task, failure, measured)
    else:
        yield run_results.ended(task, fit, material, measured)
