"""Processes on this machine, one for each slot, started once for many runs.

Why a pool of our own: tried with eight tasks on two workers, one of which kills itself once,
``concurrent.futures`` and loky (so joblib) lose six of the eight. Pebble loses that one alone, as
this does, but says so and no more. All of them leave busy workers behind when the parent is killed,
hand back one result at the end and no epochs on the way, and tie no worker to a GPU.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from repro.execution.executors.base import WorkerError, cannot_start
from repro.records.events import WorkerEvent
from repro.records.task import Task
from repro.system import stalls
from repro.system.child_process import Answer, Child, ChildError, Gone, NotStarted
from repro.system.shared_objects import Shelf

Shared = dict[str, Path]  # path of a file by role of the data


@dataclass(frozen=True, slots=True)
class Died:
    """A process has ended in the midst of its runs; how, in words."""

    how: str


class Worker(Child):
    """A process that executes runs.

    Attributes:
        device: Where it trains, as torch names it.
        tasks: The runs that it has, or had last.
    """

    tasks: Sequence[Task] = ()

    def __init__(self, prepare: Callable[[], Answer], device: str, *, stall: float) -> None:
        """Start the process; it waits for runs."""
        super().__init__(prepare, stall=stall)
        self.device = device

    def heard(self) -> tuple[WorkerEvent | Died | None, bool]:
        """What it says, and whether it is free then; None: no news of a run.

        Raises:
            ReproError: It met a mistake that the user can mend.
            WorkerError: It met a mistake of ours.
        """
        try:
            word, event = self.receive()
        except (Gone, NotStarted) as fate:
            return Died(str(fate)), True
        except ChildError as defect:
            more = f" and {len(self.tasks) - 1} others" if self.tasks[1:] else ""
            raise WorkerError(f"{self.tasks[0].title}{more}:\n{defect}") from None
        return event, word == "ended" and event is not None


class Pool:
    """The processes, each started when it is first needed.

    Attributes:
        idle: Those without a run; the first one gets the next.
        busy: The others.
    """

    def __init__(
        self, prepare: Callable[[], Answer], slots: Sequence[str], *, stall: float
    ) -> None:
        """Nothing is started yet.

        Args:
            prepare: Of `Child`; the answer to a request is the last event of its last run. To None
                it is None: all is loaded.
            slots: The device of each process.
            stall: Seconds after which a process that does nothing is ended.
        """
        self._prepare, self._stall = prepare, stall
        self._free = list(reversed(slots))  # devices that no process has
        self.idle: list[Worker] = []
        self.busy: list[Worker] = []
        self._shelf = Shelf()  # of drawn data

    def end(self) -> None:
        """End the processes."""
        pool = [*self.idle, *self.busy]
        for worker in pool:
            worker.stop()
        for worker in pool:
            worker.join()
        self._shelf.close()

    def warm(self, count: int) -> None:
        """Let so many processes start, as far as there is place, and load torch."""
        for _ in range(min(count, len(self._free))):
            worker = self._started()
            worker.send(None)
            self.idle.append(worker)

    @property
    def room(self) -> int:
        """The number of processes that can take something now."""
        return len(self.idle) + len(self._free)

    def give(self, tasks: Sequence[Task], request: Callable[[str], Any]) -> None:
        """Give runs to a free process; there must be room.

        Args:
            tasks: The runs.
            request: From the device to what the process is sent.

        Raises:
            ReproError: No process can be started.
        """
        worker = self.idle.pop(0) if self.idle else self._started()
        self.busy.append(worker)
        worker.tasks = tasks
        worker.send(request(worker.device))

    def shared(self, task: Task) -> Shared:
        """Where processes share the parts of the data that one of them draws, by role."""
        from repro.data import sources

        found = {
            role: self._shelf.path(name)
            for role, name in sources.drawn(task.configuration.data, task.data).items()
        }
        return {role: path for role, path in found.items() if path is not None}

    def heard(self) -> Iterator[tuple[Worker, WorkerEvent | Died]]:
        """What the busy processes have said since, one message of each; waits for a moment.

        Raises:
            ReproError: A process met a mistake that the user can mend.
            WorkerError: A process met a mistake of ours.
        """
        ready = wait([worker.connection for worker in self.busy], timeout=stalls.LOOK)
        for worker in list(self.busy):
            if worker.connection not in ready and not worker.is_stalled():
                continue
            event, is_free = worker.heard()
            if is_free:
                self.busy.remove(worker)
                if isinstance(event, Died):
                    self._free.append(worker.device)
                else:
                    self.idle.append(worker)
            if event is not None:
                yield worker, event

    def _started(self) -> Worker:
        try:
            return Worker(self._prepare, self._free.pop(), stall=self._stall)
        except NotStarted as error:
            raise cannot_start(str(error)) from None
