"""Progress of one long task: a bar on a terminal, plain lines in a pipe. Writes to stderr."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from repro.system import screen
from repro.system.printing import one_line, say

QUIET_SECONDS = 10.0  # in a pipe, minimum interval between lines
PATIENCE = 2.0  # seconds after which a loop shows its progress: most end before

_hidden = False  # whether no progress is shown

Advance = Callable[[int], None]
One = TypeVar("One")


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Within, no progress is shown."""
    global _hidden
    before, _hidden = _hidden, True
    try:
        yield
    finally:
        _hidden = before


@contextlib.contextmanager
def counting(what: str, total: int, *, unit: str) -> Iterator[Advance]:
    """Show the progress of a task; yields a function that takes the increment.

    Args:
        what: Description of the task.
        total: Total of the count.
        unit: ``pictures``; ``bytes`` are shown as megabytes.
    """
    show = _nothing if _hidden else _bar if screen.can_draw() else _lines
    with show(what, total, unit) as advance:
        yield advance


@contextlib.contextmanager
def each(what: str, items: Sequence[One], *, unit: str) -> Iterator[Iterator[One]]:
    """Gives the items one by one; a loop over them that takes long shows its progress.

    Args:
        what: Description of the loop.
        items: What it goes through.
        unit: Of what the items are: ``runs``.
    """
    with contextlib.ExitStack() as bar:
        yield _counted(what, items, unit, bar)


def _counted(
    what: str, items: Sequence[One], unit: str, bar: contextlib.ExitStack
) -> Iterator[One]:
    began, advance = time.monotonic(), None
    for done, item in enumerate(items):
        yield item
        if advance is not None:
            advance(1)
        elif time.monotonic() - began > PATIENCE and not screen.is_drawing():
            advance = bar.enter_context(counting(what, len(items), unit=unit))
            advance(done + 1)


@contextlib.contextmanager
def _bar(what: str, total: int, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    count: ProgressColumn = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), count)
    bars = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))
    with screen.drawing(), bars as progress:
        task = progress.add_task(one_line(what), total=total)
        yield lambda more: progress.advance(task, more)


@contextlib.contextmanager
def _nothing(what: str, total: int, unit: str) -> Iterator[Advance]:
    yield lambda _: None


@contextlib.contextmanager
def _lines(what: str, total: int, unit: str) -> Iterator[Advance]:
    done, spoken = 0, time.monotonic()

    def advance(more: int) -> None:
        nonlocal done, spoken
        done += more
        if time.monotonic() - spoken > QUIET_SECONDS:
            spoken = time.monotonic()
            say(f"{what}: {_so_far(done, total, unit)}", err=True)

    yield advance


def _so_far(done: int, total: int, unit: str) -> str:
    if unit == "bytes":
        return f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
    return f"{done:,} of {total:,} {unit}"
