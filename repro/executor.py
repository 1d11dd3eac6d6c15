"""Local worker processes: one run at a time each, one thread each, started once for many runs.

``concurrent.futures`` and joblib would do for the work itself, but both lose every run in flight
when one worker dies; here only the dead worker's run is repeated, with the same seed.
The workers write records; this module reports what happens and never looks into them.
"""

import multiprocessing
import os
import signal
import traceback
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Literal

from repro.errors import ReproError
from repro.tasks import Task

ATTEMPTS = 3  # a run whose worker is killed is started again at most twice
GRACE = 2.0  # seconds that a worker has to end when asked

Epoch = dict[str, float]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a task.

    Attributes:
        kind: ``lost`` means that its worker died every time; there is no record.
        epoch: Of an ``epoch`` event: that epoch's history.
        reason: Of a ``lost`` event.
    """

    kind: Literal["started", "epoch", "ended", "lost"]
    task: Task
    epoch: Epoch | None = None
    reason: str = ""


class WorkerError(RuntimeError):
    """A defect of this program, met in a worker; its text holds the worker's traceback."""


def run_tasks(tasks: Iterable[Task], *, workers: int) -> Iterator[Event]:
    """Execute tasks in their order on as many processes as there are workers.

    Closing the iterator ends the processes.

    Yields:
        Events, as they happen.

    Raises:
        ReproError: A worker met a mistake that the user can mend.
        WorkerError: A worker met a mistake of ours.
    """
    waiting = deque(tasks)
    attempts: Counter[str] = Counter()
    pool = [_Worker() for _ in range(min(workers, len(waiting)))]
    try:
        while waiting or any(worker.task for worker in pool):
            for worker in pool:
                if waiting and worker.task is None:
                    attempts[waiting[0].key] += 1
                    worker.start(waiting[0])
                    yield Event("started", waiting.popleft())
            for worker in _ready(pool):
                event = worker.receive()
                if event.kind == "lost":
                    pool[pool.index(worker)] = _Worker()
                    if attempts[event.task.key] < ATTEMPTS:
                        waiting.appendleft(event.task)
                        continue
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


class _Worker:
    """A process and the connection to it."""

    def __init__(self) -> None:
        """Start the process; it waits for tasks."""
        # Read by OpenMP when the child loads it; more threads in several workers cost time.
        os.environ["OMP_NUM_THREADS"] = "1"
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.task: Task | None = None

    def start(self, task: Task) -> None:
        """Give the idle worker a task."""
        self.task = task
        self.connection.send(task)

    def receive(self) -> Event:
        """The next event of the current task; ``lost`` if the process is gone."""
        task = self.task
        assert task is not None
        try:
            kind, content = self.connection.recv()
        except (EOFError, ConnectionError):
            self.task = None
            self.join()
            return Event("lost", task, reason=f"its worker ended {ATTEMPTS} times ({self._fate()})")
        if kind == "epoch":
            return Event("epoch", task, epoch=content)
        self.task = None
        if kind == "mistake":
            raise ReproError(content)
        if kind == "defect":
            raise WorkerError(f"{task.title}:\n{content}")
        return Event("ended", task)

    def _fate(self) -> str:
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}"

    def stop(self) -> None:
        """Ask the process to end, whatever it is doing."""
        self.connection.close()
        self.process.terminate()

    def join(self) -> None:
        """Wait until the process is gone, by force if need be."""
        self.process.join(GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _work(connection: Connection) -> None:
    """The worker: execute what arrives until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    from repro import execution  # loads torch, here alone

    while True:
        try:
            task = connection.recv()
        except (EOFError, ConnectionError):
            return
        try:
            execution.execute(task, on_epoch=lambda epoch: connection.send(("epoch", epoch)))
            message: tuple[str, str] = ("ended", "")
        except (BrokenPipeError, KeyboardInterrupt):
            return
        except ReproError as error:
            message = ("mistake", str(error))
        except Exception:  # noqa: BLE001 - any defect is sent to the parent with its traceback
            message = ("defect", traceback.format_exc())
        connection.send(message)
