"""What every executor is, and all that they share: it takes runs and hands back what workers say.

An executor decides nothing. Which run comes next, whether one is repeated, what is kept of it: that
is `dispatch`'s. Another place for runs to execute is one more module that has these four methods.
"""

import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

from repro.errors import ReproError
from repro.records.records import Computation
from repro.records.task import Files, Task

NO_MEMORY = "out of memory"  # how a worker ended
Word = Literal["began", "epoch", "checkpoint", "ended", "died", "displaced"]


@dataclass(frozen=True, slots=True)
class Message:
    """What was heard of a run.

    Attributes:
        key: Of the run.
        word: ``began``, ``epoch``, ``checkpoint`` and ``ended`` are the worker's own: see
            `execution.execute`. ``died`` means that the worker is no more, for a reason that may be
            the run's; ``displaced`` that it lost its place for one that cannot.
        content: What belongs to the word; of the last two, how it happened.
    """

    key: str
    word: Word
    content: Any


class Executor(Protocol):
    """A place where runs execute. Leaving its context ends whatever still runs there."""

    @property
    def workers(self) -> int:
        """Runs at a time, as far as is known now."""

    @property
    def computation(self) -> Computation:
        """How runs are computed there."""

    def room(self) -> bool:
        """Whether it takes another run now."""

    def submit(self, task: Task, begun: Files) -> None:
        """Have a run executed, from the state in these files; there must be room.

        Raises:
            ReproError: Data are wrong, or the place is no more.
        """

    def messages(self) -> Iterable[Message]:
        """What was heard since; waits until there is something, or for a moment.

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


class WorkerError(RuntimeError):
    """A defect of this program, met in a worker; its text holds the worker's traceback."""


def spoken(said: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """What a worker says, and if it cannot go on, why: ``died``, ``mistake`` or ``defect``."""
    try:
        yield from said
    except MemoryError:
        yield "died", NO_MEMORY
    except ReproError as error:
        yield "mistake", str(error)
    except Exception:  # noqa: BLE001 - any defect is sent to the parent with its traceback
        yield "defect", traceback.format_exc()


def heard(task: Task, word: Any, content: Any) -> Message:
    """A worker's word as a message, or as the error that it is."""
    if word == "mistake":
        raise ReproError(content)
    if word == "defect":
        raise WorkerError(f"{task.title}:\n{content}")
    return Message(task.key, word, content)
