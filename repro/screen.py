"""The terminal that somebody watches: whether bars can be drawn there, and the last line on it.

Bars are drawn again and again, so that a line written beside them is painted over: it has to wait
until they are taken down. Nothing here loads more than Python itself.
"""

import contextlib
import os
import sys
from collections.abc import Iterator

PLAIN = ("dumb", "unknown")  # kinds of terminal without a cursor that can be moved
ANEW = "\r\x1b[2K\x1b[?25h"  # begin the line anew, with the cursor visible

_drawings = 0  # that are under way, one within another
_waiting: list[str] = []  # lines to say when none is


def can_draw() -> bool:
    """Whether standard error is a terminal on which a bar can be drawn."""
    return sys.stderr.isatty() and os.environ.get("TERM") not in PLAIN


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Within, something is drawn on the terminal again and again; `say_last` waits for its end."""
    global _drawings
    _drawings += 1
    try:
        yield
    finally:
        _drawings -= 1
        if not _drawings:
            say_what_waits()


def say_last(line: str) -> None:
    """Write a line to standard error; not before what is drawn there is taken down.

    It may be called by the handler of a signal.

    Args:
        line: Without its end.
    """
    _waiting.append(line)
    if not _drawings:
        say_what_waits()


def say_what_waits() -> None:
    """Write what `say_last` was given and has not written, whatever is being drawn."""
    while _waiting:
        line = _waiting.pop(0)
        with contextlib.suppress(OSError):  # the terminal is gone
            begun = ANEW if os.isatty(2) and os.environ.get("TERM") not in PLAIN else ""
            os.write(2, f"{begun}{line}\n".encode())
