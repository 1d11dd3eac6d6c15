"""This very process, one run at a time: where a debugger or a profiler can follow."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from repro.data.pictures.images import Material
from repro.execution.executors import hardware
from repro.execution.executors.base import events_of, loading
from repro.execution.executors.executor_options import Kernels
from repro.records.events import RunEnded, WorkerDied, WorkerEvent
from repro.records.task import Files, Task

if TYPE_CHECKING:
    from repro.training.first_epoch import Memory


class Inline:
    """An executor: events are asked of the run itself, and nothing goes on in between."""

    workers = 1

    def __init__(self, device: str = "cpu", kernels: Kernels | None = None) -> None:
        """Nothing is loaded yet.

        Args:
            device: Where runs train, as torch names it.
            kernels: What computes their networks; see `Place`.
        """
        from repro.data import sources

        self.device, self.computation = device, hardware.computation([device], kernels)
        self._material = sources.keeper()
        self._memory: Memory | None = None
        self._running: Iterator[WorkerEvent] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Forget what has not ended."""
        self._running = None

    def warm(self, _: int) -> None:
        """See `Executor`: it is loaded with the first run."""

    def room(self) -> bool:
        """See `Executor`."""
        return self._running is None

    def choose(self, _: Sequence[Task]) -> int:
        """See `Executor`: the first."""
        return 0

    def submit(self, task: Task, begun: Files) -> None:
        """See `Executor`."""
        with loading():
            from repro.training import single_run
            from repro.training.first_epoch import Memory

        self._memory = self._memory or Memory()

        def load() -> Material:
            return self._material(task.configuration.data)

        events = single_run.execute(replace(task, device=self.device), load, begun, self._memory)
        self._running = events_of(task, events)

    def events(self) -> Iterator[WorkerEvent]:
        """See `Executor`."""
        assert self._running is not None
        event = next(self._running)
        if isinstance(event, RunEnded | WorkerDied):
            self._running = None
        yield event
