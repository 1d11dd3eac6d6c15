"""Runs, in their order, to an executor; and what workers say, to the results.

Nobody else writes results: one process, be it that runs execute beside it or on a hundred machines.
A run whose worker dies is repeated, with the same seed, from its last checkpoint; the others go on.
A worker that dies before it has begun a run says nothing about that run: where one after the other
does, the study stops, and nothing is written.
"""

import contextlib
import shutil
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from repro.execution.executors.base import Executor, Message, cannot_start
from repro.records import checkpoint_store, locks, records
from repro.records.records import ADVICE, Record
from repro.records.task import LOST, Outcome, Task
from repro.system import atomic_files

ATTEMPTS = 3  # a run whose worker is killed is started again at most twice
PATIENCE = 1.0  # seconds until runs that others train are looked at again
WRITERS = 8  # records that are written at a time
STATES = 4  # networks in a state, at most: the network, the best one, and Adam's two moments

Epoch = dict[str, float]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a run.

    Attributes:
        kind: ``held`` means that another process is training it: it is taken up again later.
        epoch: Of an ``epoch`` event: that epoch's history.
        images_per_second: Of an ``epoch`` event: training images, in that epoch. Beside the
            history and not in it, because equal runs have equal histories.
        record: Of an ``ended`` event: what is on the disk.
        holder: Of a ``held`` event: who trains it.
    """

    kind: Literal["started", "epoch", "ended", "held"]
    task: Task
    epoch: Epoch | None = None
    images_per_second: float = 0.0
    record: Record | None = None
    holder: str = ""


def run_tasks(tasks: Iterable[Task], executor: Executor) -> Iterator[Event]:
    """Have runs executed, and keep what they leave.

    Args:
        tasks: In the order in which they start.
        executor: Where; what still runs there when this iterator is closed is the caller's to end.

    Yields:
        Events, as they happen.

    Raises:
        CannotWrite: The disk is full, or the place cannot be written.
        ReproError: A worker met a mistake that the user can mend.
        WorkerError: A worker met a mistake of ours.
    """
    dispatch = _Dispatch(executor, deque(tasks))
    try:
        while dispatch.waiting or dispatch.running:
            yield from dispatch.start()
            if dispatch.running:
                try:
                    for message in executor.messages():
                        yield from dispatch.hear(message)
                finally:  # what has ended is kept, whatever else goes wrong
                    written = dispatch.write()
                yield from written
            elif dispatch.waiting:
                time.sleep(PATIENCE)
    finally:
        for run in dispatch.running.values():
            run.lock.close()


@dataclass(slots=True)
class _Running:
    """A run that a worker has, its lock, whether it has begun, and how many epochs are done."""

    task: Task
    lock: contextlib.ExitStack
    has_begun: bool = False
    epochs: int = 0


@dataclass(slots=True)
class _Dispatch:
    """Which runs wait, which are with a worker, and how often each was."""

    executor: Executor
    waiting: deque[Task]
    running: dict[str, _Running] = field(default_factory=dict)
    ended: list[tuple[_Running, Outcome]] = field(default_factory=list)  # not written yet
    attempts: Counter[str] = field(default_factory=Counter)
    false_starts: int = 0  # workers that died, one after the other, before they began a run
    left_over: dict[str, list[Path]] | None = None  # by whoever was killed while writing

    def start(self) -> Iterator[Event]:
        """Submit runs while there is room; each that others hold goes to the end of the queue."""
        for _ in range(len(self.waiting)):
            if not self.executor.room():
                return
            task = self.waiting.popleft()
            lock = contextlib.ExitStack()
            folder = checkpoint_store.folder_of(task.key, task.results)
            holder = lock.enter_context(locks.of_folder(folder, patience=0))
            if holder is not None:
                lock.close()
                self.waiting.append(task)
                self.left_over = None
                yield Event("held", task, holder=holder)
                continue
            self._sweep(task)
            if records.has_record(task.key, task.results):
                yield _written(_Running(task, lock), None)
                continue
            self.running[task.key] = _Running(task, lock)
            self.attempts[task.key] += 1
            self.executor.submit(task, checkpoint_store.latest(task.key, task.results))

    def hear(self, message: Message) -> Iterator[Event]:
        """Keep what a worker has to say."""
        run, content = self.running[message.key], message.content
        match message.word:
            case "began":
                run.has_begun, self.false_starts = True, 0
                _require_space(run.task, network=content, to_come=len(self))
                yield Event("started", run.task)
            case "epoch":
                epoch, rate = content
                run.epochs = int(epoch["epoch"])
                yield Event("epoch", run.task, epoch=epoch, images_per_second=rate)
            case "checkpoint":
                checkpoint_store.keep(content, run.task.key, run.task.results)
            case "ended":
                self._end(message.key, content)
            case "died" if not run.has_begun:
                self._count_false_start(how=content)
                self._uncounted(message.key)
            case "displaced":
                self._uncounted(message.key)
            case "died" if self.attempts[message.key] < ATTEMPTS:
                self._again(message.key)
            case "died":
                self._end(message.key, _lost(run, how=content))

    def write(self) -> list[Event]:
        """Write the records of all that ended, side by side: the disk is what they wait for."""
        ended, self.ended = self.ended, []
        if len(ended) < 2:
            return [_written(*one) for one in ended]
        with ThreadPoolExecutor(min(len(ended), WRITERS)) as pool:
            return list(pool.map(_written, *zip(*ended, strict=True)))

    def __len__(self) -> int:
        """Runs that have no record yet."""
        return len(self.waiting) + len(self.running)

    def _again(self, key: str) -> None:
        """Put a run first in the queue; whoever takes it up begins with its last checkpoint."""
        run = self.running.pop(key)
        run.lock.close()
        self.waiting.appendleft(run.task)

    def _uncounted(self, key: str) -> None:
        """The same, as if the worker had never had it."""
        self.attempts[key] -= 1
        self._again(key)

    def _count_false_start(self, *, how: str) -> None:
        self.false_starts += 1
        # A machine that is lost takes its workers with it, as many as there are at the most.
        if self.false_starts >= max(ATTEMPTS, self.executor.workers + 1):
            raise cannot_start(how)

    def _end(self, key: str, outcome: Outcome) -> None:
        self.ended.append((self.running.pop(key), outcome))
        del self.attempts[key]

    def _sweep(self, task: Task) -> None:
        """Remove what somebody who was killed has left of the run's record; nobody is at it now."""
        if self.left_over is None:
            self.left_over = atomic_files.left_over(
                records.folder_of(task.key, task.results).parent
            )
        for partial in self.left_over.pop(task.key, []):
            atomic_files.discard(partial)


def _written(run: _Running, outcome: Outcome | None) -> Event:
    """Write a run's record, unless there is one, and forget its checkpoints."""
    key, results = run.task.key, run.task.results
    with run.lock:
        if outcome is not None:
            records.write_record(outcome.record, results, outcome.files)
        checkpoint_store.remove(key, results)
    return Event("ended", run.task, record=records.read_record(key, results))


def _lost(run: _Running, *, how: str) -> Outcome:
    """A run whose worker died every time has failed."""
    failure = {
        "epoch": run.epochs + 1,
        "term": LOST,
        "reason": f"its worker ended {ATTEMPTS} times ({how})",
    }
    return Outcome(run.task.record(failure=failure, provenance={"commit": run.task.commit}), {})


def _require_space(task: Task, *, network: int, to_come: int) -> None:
    """Refuse to go on with what the disk cannot hold to the end, as far as that can be known."""
    needed = to_come * network + (checkpoint_store.KEPT + 1) * STATES * network
    free = shutil.disk_usage(task.results).free
    if free < needed:
        raise atomic_files.CannotWrite(
            f"{task.results}: {free:,} bytes are free, and the {to_come} runs to come need "
            f"about {needed:,}; {ADVICE}"
        )
