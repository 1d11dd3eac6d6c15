"""Processes on this machine: one run at a time each, one thread each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Self

from repro.execution.executors import hardware
from repro.execution.executors.executor_options import Kernels
from repro.execution.executors.process_pool import Died, Pool, Shared
from repro.records.events import RunEnded, WorkerDied, WorkerEvent
from repro.records.task import Files, Task
from repro.system import stalls
from repro.system.child_process import Answer, Say

CHOICE = 64  # waiting runs, at most, among which the next one is chosen


class Local:
    """An executor: a pool of processes."""

    def __init__(
        self,
        slots: Sequence[str],
        kernels: Kernels | None = None,
        *,
        stall: float = stalls.LIMIT,
    ) -> None:
        """Nothing is started yet.

        Args:
            slots: The device of each process; see `machine`.
            kernels: What computes networks; see `Place`.
            stall: Seconds after which a worker that does nothing is ended.
        """
        self._pool = Pool(_prepare, slots, stall=stall)
        self._beginnings: dict[str, str] = {}  # of runs, by key
        self.workers, self.computation = len(slots), hardware.computation(slots, kernels)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        self._pool.end()

    def warm(self, runs: int) -> None:
        """See `Executor`: processes start, and load torch."""
        self._pool.warm(runs)

    def room(self) -> bool:
        """See `Executor`."""
        return self._pool.room > 0

    def choose(self, tasks: Sequence[Task]) -> int:
        """See `Executor`: one that begins as the last of the idle process, or as none that runs."""
        idle, busy = self._pool.idle[:1], self._pool.busy
        beginnings = [self._beginning(task) for task in tasks[:CHOICE]]
        last = [self._beginning(task) for worker in idle for task in worker.tasks]
        if last and last[0] in beginnings:
            return beginnings.index(last[0])
        others = {self._beginning(task) for worker in busy for task in worker.tasks}
        new = (place for place, one in enumerate(beginnings) if one not in others)
        return next(new, 0)

    def _beginning(self, task: Task) -> str:
        """As `Task.beginning`, computed once for each run."""
        if task.key not in self._beginnings:
            self._beginnings[task.key] = task.beginning
        return self._beginnings[task.key]

    def submit(self, task: Task, begun: Files) -> None:
        """See `Executor`."""
        shared = self._pool.shared(task)
        self._pool.give([task], lambda device: (replace(task, device=device), begun, shared))

    def events(self) -> Iterator[WorkerEvent]:
        """See `Executor`."""
        for worker, event in self._pool.heard():
            if isinstance(event, Died):
                (task,) = worker.tasks
                yield WorkerDied(task.key, task.title, event.how)
            else:
                yield event


def _prepare() -> Answer:
    """In the worker: how a run is executed, on data that are read once for many."""
    from repro.data import sources
    from repro.training import single_run  # loads torch, here alone
    from repro.training.first_epoch import Memory

    material, memory = sources.keeper(), Memory()

    def execute(request: tuple[Task, Files, Shared] | None, say: Say) -> RunEnded | None:
        if request is None:  # all that was asked for is loaded
            return None
        task, begun, shared = request
        events = single_run.execute(
            task,
            lambda: material(task.configuration.data, shared, lambda: say(None)),
            begun,
            memory,
        )
        for event in events:
            if isinstance(event, RunEnded):
                return event
            say(event)
        raise AssertionError("a run has no end")

    return execute
