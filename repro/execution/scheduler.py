"""Submits runs to an executor in order, and writes their results.

Only this process writes results, wherever runs execute. A run whose worker dies is repeated with
the same seed from its last checkpoint; the other runs continue. If a worker dies before it started
its run, that is not counted for the run; if several workers in succession do, the study stops, and
nothing is written. A run that has no memory at every attempt has no record either: the machine has
failed and not the method. The others continue if one has ended before, and then the study ends with
an error.

A run that depends on another one waits for its record, whichever process writes it, and fails if
its source run failed. A source run that had no memory leaves those that depend on it undone.
"""

import contextlib
import shutil
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from repro.analysis import wording
from repro.errors import ReproError
from repro.execution import source_records
from repro.execution.executors.base import NO_MEMORY, Executor, cannot_start
from repro.records import checkpoint_store, locks, records, stack_names
from repro.records.events import (
    CheckpointMade,
    EpochEnded,
    MachineLost,
    Remark,
    RunEnded,
    RunHeld,
    RunRecorded,
    RunStarted,
    ScheduleEvent,
    WorkerDied,
    WorkerEvent,
)
from repro.records.records import ADVICE
from repro.records.task import LOST, Task
from repro.system import atomic_files

ATTEMPTS = 3  # a run whose worker is killed is started again at most twice
CHOICE = 2_000  # waiting runs, at most, among which an executor chooses the next one
PATIENCE = 1.0  # seconds between checks of runs that other processes train
WRITERS = 8  # records that are written at a time
STATES = 4  # networks in a state, at most: the network, the best one, and Adam's two moments


def run_tasks(tasks: Iterable[Task], executor: Executor) -> Iterator[ScheduleEvent]:
    """Execute runs and write their results.

    Args:
        tasks: In the order in which they start.
        executor: Where they run; the caller ends runs that are still active when this is closed.

    Yields:
        Events, as they happen.

    Raises:
        CannotWrite: The disk is full, or the folder cannot be written.
        ReproError: A worker met a user error.
            Or runs had no memory at every attempt, and all others have ended.
        WorkerError: A worker met a defect of this program.
    """
    waiting = deque(tasks)
    dispatch = _Dispatch(executor, waiting, {task.key for task in waiting})
    try:
        while dispatch.waiting or dispatch.running:
            yield from dispatch.start()
            if dispatch.running:
                try:
                    for event in executor.events():
                        yield from dispatch.handle(event)
                    if dispatch.ended:
                        yield from dispatch.start()  # a free worker does not wait for the disk
                finally:  # write finished runs whatever else fails
                    written = dispatch.write()
                yield from written
            elif dispatch.waiting:
                time.sleep(PATIENCE)
        dispatch.require_memory()
    finally:
        for run in dispatch.running.values():
            run.lock.close()


@dataclass(slots=True)
class _Running:
    """A submitted run: its lock, whether it has started, and its completed epochs."""

    task: Task
    lock: contextlib.ExitStack
    has_begun: bool = False
    epochs: int = 0


@dataclass(slots=True)
class _Dispatch:
    """Waiting runs, submitted runs, and the number of attempts of each."""

    executor: Executor
    waiting: deque[Task]
    to_come: set[str]  # keys of the runs without a record
    running: dict[str, _Running] = field(default_factory=dict)
    ended: list[tuple[_Running, RunEnded]] = field(default_factory=list)  # not written yet
    attempts: Counter[str] = field(default_factory=Counter)
    starved: list[str] = field(default_factory=list)  # titles of runs that had no memory
    dependents_undone: int = 0  # runs that depend on them
    some_ended: bool = False  # so that a shortage is not the machine's at large
    false_starts: int = 0  # successive workers that died before they started a run
    left_over: dict[str, list[Path]] | None = None  # from processes that were killed while writing

    def start(self) -> Iterator[ScheduleEvent]:
        """Submit runs while slots are free; runs locked by other processes go to the end."""
        held = []
        while self.executor.room() and (task := self._next()) is not None:
            lock = contextlib.ExitStack()
            folder = checkpoint_store.folder_of(task.key, task.results)
            holder = lock.enter_context(locks.of_folder(folder, patience=0))
            if holder is not None:
                lock.close()
                held.append(task)
                self.left_over = None
                yield RunHeld(task.key, task.title, holder)
                continue
            run = self.running[task.key] = _Running(task, lock)
            self._sweep(task)
            if records.has_record(task.key, task.results):
                yield self._recorded(run, None)
            elif (record := source_records.record_of_dependent(task)) is not None:
                yield self._recorded(run, RunEnded(task.key, task.title, record, {}))
            else:
                self.attempts[task.key] += 1
                begun = checkpoint_store.latest(task.key, task.results)
                self.executor.submit(source_records.with_files(task), begun)
        self.waiting.extend(held)

    def _next(self) -> Task | None:
        """A waiting run whose source run is not to come, taken out of the queue.

        The executor chooses among the first ones, unless a run has begun before and goes on. None
        if there is none, or if the executor takes none now.
        """
        ready = (p for p, task in enumerate(self.waiting) if task.awaits not in self.to_come)
        positions = list(islice(ready, CHOICE))
        if not positions:
            return None
        tasks = [self.waiting[position] for position in positions]
        chosen = self.executor.choose(tasks[:1] if tasks[0].key in self.attempts else tasks)
        if chosen is None:
            return None
        task = self.waiting[positions[chosen]]
        del self.waiting[positions[chosen]]
        return task

    def handle(self, event: WorkerEvent) -> Iterator[RunStarted | EpochEnded | Remark]:
        """Store the content of an event, and yield the events to show to the user."""
        run = self.running[event.key]
        match event:
            case RunStarted():
                run.has_begun, self.false_starts = True, 0
                _require_space(run.task, network=event.network_bytes, to_come=len(self))
                yield event
            case EpochEnded():
                run.epochs = int(event.history["epoch"])
                yield event
            case CheckpointMade():
                checkpoint_store.keep(event.files, event.key, run.task.results)
            case RunEnded():
                self._end(event)
            case WorkerDied() if not run.has_begun:
                if not event.is_told:  # a worker of many runs counts once
                    yield Remark(f"{_ended(event)}; another one starts")
                    self._count_false_start(how=event.how)
                self._uncounted(event.key)
            case MachineLost():
                self._uncounted(event.key)
            case WorkerDied() if self.attempts[event.key] < ATTEMPTS:
                if not event.is_told:
                    yield Remark(f"{_ended(event)}; {_repeated(event)}")
                self._again(event.key)
            case WorkerDied() if event.how == NO_MEMORY:
                self._starve(event.key)
            case WorkerDied():
                self._end(_lost(run, how=event.how))

    def write(self) -> list[RunRecorded]:
        """Write the records of all finished runs concurrently, because the disk is the limit."""
        ended, self.ended = self.ended, []
        if len(ended) < 2:
            return [self._recorded(*one) for one in ended]
        with ThreadPoolExecutor(min(len(ended), WRITERS)) as pool:
            return list(pool.map(self._recorded, *zip(*ended, strict=True)))

    def _recorded(self, run: _Running, ended: RunEnded | None) -> RunRecorded:
        """Write a run's record, unless there is one, and forget its checkpoints."""
        key, results = run.task.key, run.task.results
        with run.lock:
            if ended is not None:
                records.write_record(ended.record, results, ended.files)
            checkpoint_store.remove(key, results)
        self.running.pop(key, None)
        self.to_come.discard(key)
        return RunRecorded(key, run.task.title, records.read_record(key, results))

    def __len__(self) -> int:
        """Number of runs without a record."""
        return len(self.waiting) + len(self.running)

    def _again(self, key: str) -> None:
        """Put a run first in the queue; it continues from its last checkpoint."""
        run = self.running.pop(key)
        run.lock.close()
        self.waiting.appendleft(run.task)

    def _uncounted(self, key: str) -> None:
        """As `_again`, without counting the attempt."""
        self.attempts[key] -= 1
        self._again(key)

    def _starve(self, key: str) -> None:
        """Give a run up without a record, and those that depend on it; its checkpoint is kept."""
        run = self.running.pop(key)
        run.lock.close()
        self.starved.append(run.task.title)
        undone = {key}
        while dependents := [task for task in self.waiting if task.awaits in undone]:
            undone = {task.key for task in dependents}
            self.waiting = deque(task for task in self.waiting if task.key not in undone)
            self.dependents_undone += len(dependents)
        if not self.some_ended:
            self.require_memory()

    def require_memory(self) -> None:
        """Raise an error if runs had no memory."""
        if self.starved:
            undone = self.dependents_undone
            others = f", and {undone} that start from them were not begun" if undone else ""
            more = " and others" if self.starved[1:] else ""
            raise ReproError(
                f"{wording.count(len(self.starved), 'run')} had no memory at {ATTEMPTS} attempts "
                f"({self.starved[0]}{more}){others}; nothing is "
                "recorded for that, and finished runs are kept: give them more memory (fewer "
                f"--workers, a larger `ulimit -v`) and run the same again{self._smaller()}"
            )

    def _smaller(self) -> str:
        """What else gives runs of a stack more memory."""
        if stack_names.count(self.executor.computation.kernels) is None:
            return ""
        return ", or all of its runs with a smaller --stack, which takes less"

    def _count_false_start(self, *, how: str) -> None:
        self.false_starts += 1
        # A lost machine ends all its workers, at most as many as there are slots.
        if self.false_starts >= max(ATTEMPTS, self.executor.workers + 1):
            raise cannot_start(how)

    def _end(self, event: RunEnded) -> None:
        self.some_ended = True
        self.ended.append((self.running.pop(event.key), event))
        del self.attempts[event.key]

    def _sweep(self, task: Task) -> None:
        """Remove a partly written record of a killed process; the lock of the run is held."""
        if self.left_over is None:
            self.left_over = atomic_files.left_over(
                records.folder_of(task.key, task.results).parent
            )
        for partial in self.left_over.pop(task.key, []):
            atomic_files.discard(partial)


def _ended(event: WorkerDied) -> str:
    """That a worker ended, with one of its runs and the number of the others."""
    if not event.others:
        return f"{event.title}: its worker ended ({event.how})"
    others = wording.count(event.others, "other run")
    return f"{event.title} and {others} of its stack: their worker ended ({event.how})"


def _repeated(event: WorkerDied) -> str:
    if event.others:
        return "the runs are repeated from their last checkpoints"
    return "the run is repeated from its last checkpoint"


def _lost(run: _Running, *, how: str) -> RunEnded:
    """The result of a run whose worker died at every attempt: failed."""
    failure = {
        "epoch": run.epochs + 1,
        "term": LOST,
        "reason": f"its worker ended {ATTEMPTS} times ({how})",
    }
    record = run.task.record(failure=failure, provenance={"commit": run.task.commit})
    return RunEnded(run.task.key, run.task.title, record, {})


def _require_space(task: Task, *, network: int, to_come: int) -> None:
    """Stop if the free disk space is too small for the remaining runs, as far as known."""
    needed = to_come * network + (checkpoint_store.KEPT + 1) * STATES * network
    free = shutil.disk_usage(task.results).free
    if free < needed:
        raise atomic_files.CannotWrite(
            f"{task.results}: {free:,} bytes are free, and the {to_come} runs to come need "
            f"about {needed:,}; {ADVICE}"
        )
