"""Local worker processes: one run at a time each, one thread each, started once for many runs.

Why a pool of our own: tried with eight tasks on two workers, one of which kills itself once,
``concurrent.futures`` and loky (so joblib) lose six of the eight. Pebble loses that one alone, as
this does, but says so and no more. All of them leave busy workers behind when the parent is killed,
hand back one result at the end and no epochs on the way, and tie no worker to a GPU.
Here only the dead worker's run is repeated, with the same seed, from its last checkpoint.
The workers write records; this module reports what happens and never looks into them.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from typing import Literal

from repro.processes import Answer, Child, ChildError, Gone, Say
from repro.tasks import Task

ATTEMPTS = 3  # a run whose worker is killed is started again at most twice

Epoch = dict[str, float]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a task.

    Attributes:
        kind: ``lost`` means that its worker died every time; there is no record. ``held`` means
            that another process is training it: it is taken up again later.
        epoch: Of an ``epoch`` event: that epoch's history.
        images_per_second: Of an ``epoch`` event: training images, in that epoch. Beside the
            history and not in it, because equal runs have equal histories.
        reason: Of a ``lost`` event; of a ``held`` one, who holds it.
    """

    kind: Literal["started", "epoch", "ended", "lost", "held"]
    task: Task
    epoch: Epoch | None = None
    images_per_second: float = 0.0
    reason: str = ""


class WorkerError(RuntimeError):
    """A defect of this program, met in a worker; its text holds the worker's traceback."""


def run_tasks(tasks: Iterable[Task], *, slots: Sequence[str]) -> Iterator[Event]:
    """Execute tasks in their order, one process a slot.

    Closing the iterator ends the processes.

    Args:
        tasks: In the order in which they start.
        slots: The device of each.

    Yields:
        Events, as they happen.

    Raises:
        ReproError: A worker met a mistake that the user can mend.
        WorkerError: A worker met a mistake of ours.
    """
    waiting = deque(tasks)
    attempts: Counter[str] = Counter()
    pool = [_Worker(device) for device in slots[: len(waiting)]]
    try:
        while waiting or any(worker.task for worker in pool):
            for worker in pool:
                if waiting and worker.task is None:
                    attempts[waiting[0].key] += 1
                    worker.start(waiting[0])
                    yield Event("started", waiting.popleft())
            for worker in _ready(pool):
                event = worker.event()
                if event.kind == "lost":
                    pool[pool.index(worker)] = _Worker(worker.device)
                    if attempts[event.task.key] < ATTEMPTS:
                        waiting.appendleft(event.task)
                        continue
                elif event.kind == "held":
                    attempts[event.task.key] -= 1
                    waiting.append(event.task)
                yield event
    finally:
        for worker in pool:
            worker.stop()
        for worker in pool:
            worker.join()


def _ready(pool: list["_Worker"]) -> list["_Worker"]:
    """Workers with a message, or dead; waits until there is one."""
    ready = wait([worker.connection for worker in pool if worker.task])
    return [worker for worker in pool if worker.connection in ready]


class _Worker(Child):
    """A process that executes tasks, and the task that it has."""

    def __init__(self, device: str) -> None:
        """Start the process; it waits for tasks."""
        super().__init__(_prepare)
        self.device = device
        self.task: Task | None = None

    def start(self, task: Task) -> None:
        """Give the idle worker a task."""
        self.task = task
        self.send(replace(task, device=self.device))

    def event(self) -> Event:
        """The next event of the current task; ``lost`` if the process is gone."""
        task = self.task
        assert task is not None
        try:
            word, content = self.receive()
        except Gone as fate:
            self.task = None
            return Event("lost", task, reason=f"its worker ended {ATTEMPTS} times ({fate})")
        except ChildError as defect:
            raise WorkerError(f"{task.title}:\n{defect}") from None
        if word == "epoch":
            epoch, rate = content
            return Event("epoch", task, epoch=epoch, images_per_second=rate)
        self.task = None
        if content is not None:
            return Event("held", task, reason=content)
        return Event("ended", task)


def _prepare() -> Answer:
    """In the worker: how a task is executed."""
    from repro import execution  # loads torch, here alone

    def execute(task: Task, say: Say) -> str | None:
        return execution.execute(task, on_epoch=lambda epoch, rate: say("epoch", (epoch, rate)))

    return execute
