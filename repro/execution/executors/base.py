"""What every executor is, and all that they share: it takes runs and hands back their events.

An executor decides nothing. Which run comes next, whether one is repeated, what is kept of it: that
is the scheduler's. Another place for runs to execute is one more module that has these four
methods.
"""

import contextlib
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, Self

from repro.errors import ReproError
from repro.records.events import WorkerDied, WorkerEvent
from repro.records.records import Computation
from repro.records.task import Files, Task

NO_MEMORY = "out of memory"  # how a worker ended


class Executor(Protocol):
    """A place where runs execute. Leaving its context ends whatever still runs there."""

    @property
    def workers(self) -> int:
        """Processes that execute runs at a time, as far as is known now."""

    @property
    def computation(self) -> Computation:
        """How runs are computed there."""

    def warm(self, runs: int) -> None:
        """Begin to load what so many runs need, if that can go on meanwhile."""

    def room(self) -> bool:
        """Whether it takes another run now."""

    def choose(self, tasks: Sequence[Task]) -> int | None:
        """The position of the run to submit next, of some in their order; there must be room.

        None if it takes none of them before something has happened to those that it has.
        """
        return 0

    def submit(self, task: Task, begun: Files) -> None:
        """Have a run executed, from the state in these files; there must be room.

        Raises:
            ReproError: Data are wrong, or the place is no more.
        """

    def events(self) -> Iterable[WorkerEvent]:
        """What happened since; waits until there is something, or for a moment.

        Raises:
            ReproError: A worker met a mistake that the user can mend, or the place is no more.
            WorkerError: A worker met a mistake of ours.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def cannot_start(how: str) -> ReproError:
    """The place is at fault, and no run: what to say, and to do.

    Args:
        how: What became of a worker, or of the attempt to start one.
    """
    return ReproError(
        f"workers cannot start here ({how}); no run is recorded as failed for that: fix it "
        "(fewer workers need less memory) and run the same again"
    )


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """What loads torch: whatever fails within is a fault of the place.

    Raises:
        ReproError: As `cannot_start`.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a library that is missing may raise anything
        raise cannot_start(f"{type(error).__name__}: {error}") from None


class WorkerError(RuntimeError):
    """A defect of this program, met in a worker; its text holds the worker's traceback."""


def events_of(task: Task, events: Iterable[WorkerEvent]) -> Iterator[WorkerEvent]:
    """The events of a run that executes in this process, its end for lack of memory among them.

    Raises:
        ReproError: The run met a mistake that the user can mend.
        WorkerError: It met a mistake of ours.
    """
    try:
        yield from events
    except MemoryError:
        yield WorkerDied(task.key, task.title, NO_MEMORY)
    except ReproError:
        raise
    except Exception:  # noqa: BLE001 - any defect is told with the run and its traceback
        raise WorkerError(f"{task.title}:\n{traceback.format_exc()}") from None
