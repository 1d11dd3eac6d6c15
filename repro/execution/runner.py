"""A study -> its missing runs -> records -> mirror. The parent process, without torch."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from repro.errors import Busy, LaterRelease, RecordError
from repro.execution import kernel_change, planning, scheduler, source_records
from repro.execution.executors.base import Executor
from repro.execution.executors.executor_options import NOTHING, Asked
from repro.records import checkpoint_store, locks, portraits, records
from repro.records.events import OnEvent, Remark, RunRecorded, StudyStarted
from repro.records.records import ADVICE, StudyIndex
from repro.records.task import CHECKPOINT_SECONDS, LOST, Task
from repro.study.data_spec import Data
from repro.study.study import Study
from repro.system import atomic_files
from repro.system.atomic_files import CannotWrite


class Mirror(Protocol):
    """A copy of finished runs for display (MLflow); it never delays a study."""

    def add(self, index: StudyIndex, arm: str, key: str) -> None:
        """Add a run that has a record; no effect if it was added before."""

    def pump(self) -> None:
        """Continue pending work."""

    def settle(self) -> None:
        """End: wait for pending work for a limited time."""


def run(
    study: Study,
    results: Path,
    *,
    executor: Executor,
    on_event: OnEvent,
    mirror: Mirror | None = None,
    retry_lost: bool = False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    seeds: int | None = None,
    asked: Asked = NOTHING,
) -> StudyIndex:
    """Execute every run of a study that has no record yet.

    Args:
        study: Resolved.
        results: The results folder.
        executor: Where runs execute.
        on_event: Called with everything that happens, as it happens.
        mirror: Given every run that ended; None where none is wanted.
        retry_lost: Whether runs whose worker died every time are tried again.
        checkpoint_seconds: Between two checkpoints of a run at least.
        seeds: As for `planning.plan`.
        asked: What the user says of kernels and stacks; nothing keeps a study from changing them.

    Returns:
        Its index, with this look at its claims if it has some.

    Raises:
        Busy: Another process is running this study.
        LaterRelease: A record or the index is of a schema that this release does not know.
        ReproError: Data, study or disk do not allow it.
    """
    planned = planning.plan(study, results, computation=executor.computation, seeds=seeds)
    kernel_change.refuse(planned.missing, asked=asked, index=planned.index)
    source_records.require_all_weights(planned.missing, planned.states)
    for line in (*_about_data(planned), *_about_groups(study, planned)):
        on_event(Remark(line))
    with alone_at(planned.index, results):
        planned = _begun(planned, results, retry_lost=retry_lost, on_event=on_event)
        done = len(planned.tasks) - len(planned.missing)
        on_event(StudyStarted(len(planned.tasks), done, executor.workers))
        tasks = [replace(t, checkpoint_seconds=checkpoint_seconds) for t in planned.missing]
        arms = {task.key: task.arm for task in planned.tasks}
        for event in scheduler.run_tasks(tasks, executor):
            on_event(event)
            if mirror is not None:
                if isinstance(event, RunRecorded):
                    mirror.add(planned.index, arms[event.key], event.key)
                mirror.pump()
        index = _looked_at(planned.index, results)
        if mirror is not None:
            for arm, _, key in index.wanted():
                mirror.add(index, arm, key)
            mirror.settle()
    return index


def _begun(
    planned: planning.Plan, results: Path, *, retry_lost: bool, on_event: OnEvent
) -> planning.Plan:
    """Make the results folder ready for runs, and write the index; the study is locked.

    Returns:
        The plan with the states of its runs now that nobody else is at them.

    Raises:
        LaterRelease: A record or the index is of a schema that this release does not know.
        CannotWrite: The results folder cannot be written.
    """
    for line in [
        *_cleared(planned, retry_lost=retry_lost),
        *_superseded(planned.index, results),
    ]:
        on_event(Remark(line))
    planned, dropped = planning.with_detectors(planned, results)
    for line in dropped:
        on_event(Remark(line))
    _require_writable(planned, results)
    planned = replace(planned, states=source_records.states_of(planned.tasks))
    _remove_checkpoints_of_ended(planned, results)
    if planned.portraits:
        portraits.write(planned.portraits, results)
    records.write_index(planned.index, results)
    return planned


def _looked_at(index: StudyIndex, results: Path) -> StudyIndex:
    """The index with a look at its claims, now that all its runs have ended."""
    if index.looks is None or index.seeds in index.looks.taken:
        return index
    index = replace(index, looks=index.looks.at(index.seeds))
    records.write_index(index, results)
    return index


def _about_data(planned: planning.Plan) -> list[str]:
    """Notes on the data of the missing runs, each sentence once.

    Raises:
        DataError: The data cannot be used.
    """
    from repro.data import preflight, sources

    smallest: dict[Data, float] = {}
    for choices in (task.configuration for task in planned.missing):
        smallest[choices.data] = max(choices.reading.smallest, smallest.get(choices.data, 0.0))
    said = [
        line
        for data, share in smallest.items()
        for line in (*preflight.check(data, smallest=share), *sources.remarks(data))
    ]
    return [*dict.fromkeys(said)]


def _about_groups(study: Study, planned: planning.Plan) -> Iterator[str]:
    """Claims on a group that the portraits do not have, before hours of training say so."""
    from repro.data import sources

    portraits = {task.arm: task.configuration.data.test for task in planned.missing}
    for one in study.claims:
        group, arm = one.claim.group, one.arms[-1]
        if group is None or arm not in portraits:
            continue
        known = sorted({*sources.groups(portraits[arm])})
        if group not in known:
            why = f"no group is called '{group}'; the groups are {', '.join(known)}"
            yield f"Claim '{one.claim.name}' cannot be answered: {why}"


@contextmanager
def alone_at(index: StudyIndex, results: Path) -> Iterator[None]:
    """Hold the lock of a study, and prevent cleaning of its results folder meanwhile."""
    with locks.of_results(results, alone=False) as cleaner:
        if cleaner is not None:
            raise Busy(f"{cleaner} is cleaning {results}; try again in a moment")
        with locks.of_study(index, results) as holder:
            if holder is not None:
                raise Busy(f"{holder} is running {index.name} in {results}; wait or stop it")
            yield


def _cleared(planned: planning.Plan, *, retry_lost: bool) -> Iterator[str]:
    """Move aside records that are damaged or to be repeated; yield a sentence for each."""
    damaged = set(source_records.damaged_sources(planned.missing, planned.states))
    for task in planned.tasks:
        state = planned.states[task.key]
        is_damaged = state == "damaged" and records.state_of(task.key, task.results) == "damaged"
        if is_damaged or task.key in damaged:
            aside = records.set_aside(task.key, task.results)
            yield f"{task.title}: its record is damaged, kept as {aside}; the run is done again"
        elif state == "failed" and retry_lost:
            failure = records.read_record(task.key, task.results).failure
            if failure is not None and failure["term"] == LOST:
                yield _tried_again(task)
    states = source_records.states_of(planned.tasks)
    yield from (_tried_again(task) for task in planned.tasks if states[task.key] == "outdated")


def _tried_again(task: Task) -> str:
    """Move the record of a failure aside; say so."""
    aside = records.set_aside(task.key, task.results)
    return f"{task.title}: tried again; the record of its failure is kept as {aside}"


def _remove_checkpoints_of_ended(planned: planning.Plan, results: Path) -> None:
    """Remove checkpoints left by a process that was killed after writing the record of a run.

    Those that cannot be removed, or that another process is using, are left.
    """
    keys = {task.key for task in planned.tasks}
    for folder in (results / "unfinished").glob("[!.]*"):
        key = folder.name
        if key not in keys or not checkpoint_store.are_left_over(key, results):
            continue
        with contextlib.suppress(CannotWrite), locks.of_folder(folder, patience=0) as holder:
            if holder is None and checkpoint_store.are_left_over(key, results):
                checkpoint_store.remove(key, results)


def _superseded(index: StudyIndex, results: Path) -> Iterator[str]:
    """A sentence, if there are runs of this study that are no longer used."""
    try:
        before = records.read_index(records.index_path(index, results))
    except LaterRelease:
        raise
    except RecordError:
        return
    now = {(arm, seed): key for arm, seed, key in index.wanted()}
    old = [key for arm, seed, key in before.wanted() if now.get((arm, seed), key) != key]
    if count := sum(records.has_record(key, results) for key in old):
        yield (
            f"{count} earlier runs were made with other choices, data, code or libraries: they "
            "are kept and not used (`repro plan` says, before the first run, what differs)"
        )


def _require_writable(planned: planning.Plan, results: Path) -> None:
    """Refuse before training a folder into which records could not be written."""
    if planned.missing:
        for folder in ("runs", "unfinished"):
            atomic_files.require_writable(results / folder, advice=ADVICE)
