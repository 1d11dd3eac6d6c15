"""A study -> its missing runs -> records -> mirror. The parent process; it never loads torch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from repro import executor, locks, machine, provenance, records
from repro.configuration import Data
from repro.errors import Busy, ReproError
from repro.records import Record, StudyIndex
from repro.study import Study
from repro.tasks import Task

if TYPE_CHECKING:
    from repro.tracking import Mirror


class Progress(Protocol):
    """What a run of a study tells whoever is watching."""

    def begin(self, *, total: int, done: int, workers: int) -> None:
        """The study begins; `done` of `total` runs have a record already."""

    def started(self, task: Task) -> None:
        """A worker took the run."""

    def epoch(self, task: Task, history: dict[str, float], *, images_per_second: float) -> None:
        """The run finished an epoch, with so many training images per second."""

    def ended(self, task: Task, record: Record) -> None:
        """The run has a record."""

    def lost(self, task: Task, reason: str) -> None:
        """The run has none and will not get one now."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study wants and what of it is done.

    Attributes:
        index: The study as tables see it.
        tasks: Every run, in the order of execution, seed by seed.
        missing: Those without a record.
    """

    index: StudyIndex
    tasks: Sequence[Task]
    missing: Sequence[Task]


def plan(study: Study, results: Path, *, slots: Sequence[str]) -> Plan:
    """Find out which runs of a study have no record. Writes nothing.

    Args:
        study: Resolved.
        results: The results folder.
        slots: Where it would run; see `machine`.

    Raises:
        DataError: A data source is missing.
    """
    from repro.data import sources

    known: dict[Data, dict[str, str]] = {}
    for arm in study.arms:
        if arm.configuration.data not in known:
            known[arm.configuration.data] = sources.fingerprints(arm.configuration.data)
    index = records.index_study(
        study,
        data={arm.name: known[arm.configuration.data] for arm in study.arms},
        description=sources.describe(study.arms[0].configuration.data),
        arithmetic=machine.arithmetic(slots),
    )
    keys = {(arm, seed): key for arm, seed, key in index.wanted()}
    commit = provenance.commit()
    tasks = [
        Task(
            key=keys[run.arm.name, run.seed],
            arm=run.arm.name,
            seed=run.seed,
            configuration=run.arm.configuration,
            data=known[run.arm.configuration.data],
            commit=commit,
            results=results,
        )
        for run in study.runs()
    ]
    missing = [task for task in tasks if not records.has_record(task.key, results)]
    return Plan(index, tasks, missing)


def run(
    study: Study, results: Path, *, slots: Sequence[str], progress: Progress, mirror: "Mirror"
) -> StudyIndex:
    """Execute every run of a study that has no record yet.

    Raises:
        Busy: Another process is running this study.
        ReproError: Data or study are wrong, or runs were lost with their workers.
    """
    from repro.data import sources

    planned = plan(study, results, slots=slots)
    if planned.missing:
        for data in {task.configuration.data for task in planned.missing}:
            sources.check(data)
    _make(results)
    with locks.of_study(planned.index, results) as holder:
        if holder is not None:
            raise Busy(f"{holder} is running {study.name} in {results}; wait or stop it")
        records.write_index(planned.index, results)
        done = len(planned.tasks) - len(planned.missing)
        progress.begin(total=len(planned.tasks), done=done, workers=len(slots))
        lost = _execute(planned, slots=slots, progress=progress, mirror=mirror)
        for arm, _, key in planned.index.wanted():
            if records.has_record(key, results):
                mirror.add(planned.index, arm, records.read_record(key, results))
    if lost:
        raise ReproError(
            f"{len(lost)} runs have no record: {'; '.join(lost)}. Run the same command again."
        )
    return planned.index


def _execute(
    planned: Plan, *, slots: Sequence[str], progress: Progress, mirror: "Mirror"
) -> list[str]:
    """Run what is missing; the titles of runs that were lost."""
    lost = []
    for event in executor.run_tasks(planned.missing, slots=slots):
        task = event.task
        if event.kind == "started":
            progress.started(task)
        elif event.epoch is not None:
            progress.epoch(task, event.epoch, images_per_second=event.images_per_second)
        elif event.kind == "ended":
            record = records.read_record(task.key, task.results)
            progress.ended(task, record)
            mirror.add(planned.index, task.arm, record)
        else:
            progress.lost(task, event.reason)
            lost.append(f"{task.title}: {event.reason}")
    return lost


def _make(results: Path) -> None:
    try:
        results.mkdir(parents=True, exist_ok=True)
        probe = results / f".{os.getpid()}.probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ReproError(
            f"{results}: cannot be written ({error.strerror}); pass --results DIR"
        ) from None
