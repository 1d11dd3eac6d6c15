"""This very process, one run at a time: where a debugger or a profiler can follow."""

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import Self

from repro.data.pictures.images import Material
from repro.execution.executors import hardware
from repro.execution.executors.base import Message, cannot_start, heard, spoken
from repro.records.task import Files, Task


class Inline:
    """An executor: messages are asked of the run itself, and nothing goes on in between."""

    workers = 1

    def __init__(self, device: str = "cpu") -> None:
        """Nothing is loaded yet.

        Args:
            device: Where runs train, as torch names it.
        """
        from repro.data import sources

        self.device, self.computation = device, hardware.computation([device])
        self._material = functools.lru_cache(maxsize=1)(sources.material)
        self._running: Iterator[Message] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Forget what has not ended."""
        self._running = None

    def room(self) -> bool:
        """See `Executor`."""
        return self._running is None

    def submit(self, task: Task, begun: Files) -> None:
        """See `Executor`."""
        try:
            from repro.training import single_run
        except ImportError as error:
            raise cannot_start(f"{type(error).__name__}: {error}") from None

        def load() -> Material:
            return self._material(task.configuration.data)

        said = single_run.execute(replace(task, device=self.device), load, begun)
        self._running = (heard(task, *word) for word in spoken(said))

    def messages(self) -> Iterator[Message]:
        """See `Executor`."""
        assert self._running is not None
        message = next(self._running)
        if message.word in ("ended", "died"):
            self._running = None
        yield message
