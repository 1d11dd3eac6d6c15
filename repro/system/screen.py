"""The terminal that somebody watches: whether bars can be drawn there, and the last line on it.

Bars are drawn again and again, so that a line written beside them is painted over: it has to wait
until they are taken down. Nothing here loads more than Python itself.
"""

import contextlib
import os
import signal
import sys
import termios
from collections.abc import Iterator
from typing import Any

PLAIN = ("dumb", "unknown")  # kinds of terminal without a cursor that can be moved
ANEW = "\r\x1b[2K\x1b[?25h"  # begin the line anew, with the cursor visible

LOCAL = 3  # of a terminal's attributes, the flags that say what is echoed

_drawings = 0  # that are under way, one within another
_waiting: list[str] = []  # lines to say when none is
_before: list[Any] = []  # the terminal's attributes, while they are others


def can_draw() -> bool:
    """Whether standard error is a terminal on which a bar can be drawn."""
    return sys.stderr.isatty() and os.environ.get("TERM") not in PLAIN


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Within, something is drawn on the terminal again and again; `say_last` waits for its end."""
    global _drawings
    if not _drawings:
        _hide_control_keys()
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
    _show_control_keys()
    while _waiting:
        line = _waiting.pop(0)
        with contextlib.suppress(OSError):  # the terminal is gone
            begun = ANEW if os.isatty(2) and os.environ.get("TERM") not in PLAIN else ""
            os.write(2, f"{begun}{line}\n".encode())


def _hide_control_keys() -> None:
    """Let Ctrl-C not be shown as ^C: in a full line it would break it, and move every bar."""
    with contextlib.suppress(OSError, termios.error):
        if os.isatty(2) and _is_in_front():
            attributes = termios.tcgetattr(2)
            _before[:] = [*attributes]
            attributes[LOCAL] &= ~termios.ECHOCTL
            _set(attributes)


def _show_control_keys() -> None:
    with contextlib.suppress(OSError, termios.error):
        if _before and _is_in_front():
            _set([*_before])
    _before.clear()


def _is_in_front() -> bool:
    """Whether the terminal is ours to change: whoever is in the background would be stopped."""
    return os.tcgetpgrp(2) == os.getpgrp()


def _set(attributes: list[Any]) -> None:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        termios.tcsetattr(2, termios.TCSANOW, attributes)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
