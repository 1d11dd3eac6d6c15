"""Processes on this machine: one run at a time each, one thread each, started once for many runs.

Why a pool of our own: tried with eight tasks on two workers, one of which kills itself once,
``concurrent.futures`` and loky (so joblib) lose six of the eight. Pebble loses that one alone, as
this does, but says so and no more. All of them leave busy workers behind when the parent is killed,
hand back one result at the end and no epochs on the way, and tie no worker to a GPU.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Self

from repro.execution.executors import hardware
from repro.execution.executors.base import WorkerError, cannot_start
from repro.execution.executors.executor_options import Kernels
from repro.records.events import RunEnded, WorkerDied, WorkerEvent
from repro.records.task import Files, Task
from repro.system import stalls
from repro.system.child_process import Answer, Child, ChildError, Gone, NotStarted, Say
from repro.system.shared_objects import Shelf

Shared = dict[str, Path]  # path of a file by role of the data


class Local:
    """An executor: a pool of processes, each started when it is first needed."""

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
        self._free = list(reversed(slots))  # devices that no process has
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []
        self._beginnings: dict[str, str] = {}  # of runs, by key
        self._shelf = Shelf()  # of drawn data
        self._stall = stall
        self.workers, self.computation = len(slots), hardware.computation(slots, kernels)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        pool = [*self._idle, *self._busy]
        for worker in pool:
            worker.stop()
        for worker in pool:
            worker.join()
        self._shelf.close()

    def warm(self, runs: int) -> None:
        """See `Executor`: processes start, and load torch."""
        for _ in range(min(runs, len(self._free))):
            worker = self._started()
            worker.send(None)
            self._idle.append(worker)

    def room(self) -> bool:
        """See `Executor`."""
        return bool(self._idle or self._free)

    def choose(self, tasks: Sequence[Task]) -> int:
        """See `Executor`: one that begins as the last of the idle process, or as none that runs."""
        beginnings = [self._beginning(task) for task in tasks]
        last = self._beginning(self._idle[0].task) if self._idle else ""
        if last in beginnings:
            return beginnings.index(last)
        others = {self._beginning(worker.task) for worker in self._busy}
        new = (place for place, one in enumerate(beginnings) if one not in others)
        return next(new, 0)

    def _beginning(self, task: Task | None) -> str:
        """As `Task.beginning`, computed once for each run; of none, empty."""
        if task is None:
            return ""
        if task.key not in self._beginnings:
            self._beginnings[task.key] = task.beginning
        return self._beginnings[task.key]

    def submit(self, task: Task, begun: Files) -> None:
        """See `Executor`."""
        worker = self._idle.pop(0) if self._idle else self._started()
        self._busy.append(worker)
        worker.task = task
        worker.send((replace(task, device=worker.device), begun, self._shared(task)))

    def _shared(self, task: Task) -> Shared:
        """Where processes share the parts of the data that one of them draws, by role."""
        from repro.data import sources

        found = {
            role: self._shelf.path(name)
            for role, name in sources.drawn(task.configuration.data, task.data).items()
        }
        return {role: path for role, path in found.items() if path is not None}

    def _started(self) -> "_Worker":
        try:
            return _Worker(self._free.pop(), stall=self._stall)
        except NotStarted as error:
            raise cannot_start(str(error)) from None

    def events(self) -> Iterator[WorkerEvent]:
        """See `Executor`."""
        ready = wait([worker.connection for worker in self._busy], timeout=stalls.LOOK)
        for worker in list(self._busy):
            if worker.connection not in ready and not worker.is_stalled():
                continue
            event = worker.event()
            if event is None:
                continue
            if isinstance(event, RunEnded):
                self._busy.remove(worker)
                self._idle.append(worker)
            elif isinstance(event, WorkerDied):
                self._busy.remove(worker)
                self._free.append(worker.device)
            yield event


class _Worker(Child):
    """A process that executes runs, and the one that it has."""

    task: Task | None = None

    def __init__(self, device: str, *, stall: float) -> None:
        """Start the process; it waits for runs."""
        super().__init__(_prepare, stall=stall)
        self.device = device

    def event(self) -> WorkerEvent | None:
        """The next one of the run; None if the worker says that it is ready, or that it waits."""
        assert self.task is not None
        try:
            _, event = self.receive()
        except (Gone, NotStarted) as fate:
            return WorkerDied(self.task.key, self.task.title, str(fate))
        except ChildError as defect:
            raise WorkerError(f"{self.task.title}:\n{defect}") from None
        told: WorkerEvent | None = event
        return told


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
