"""Drawing on the terminal: whether bars can be drawn on it, and how to print below them.

Bars are redrawn repeatedly, so that a line written beside them would be overwritten: it has to wait
until they are removed. Only the standard library is loaded here.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

from repro.system import machine

PLAIN = ("dumb", "unknown")  # kinds of terminal without a movable cursor
ANEW = "\r\x1b[2K\x1b[?25h"  # begin the line again, with a visible cursor

LOCAL = 3  # index of the local flags in the terminal's attributes

_drawings = 0  # number of nested drawings in progress
_waiting: list[str] = []  # lines to print after drawing
_before: list[Any] = []  # the terminal's original attributes, while they are changed


def can_draw() -> bool:
    """Whether standard error is a terminal on which a bar can be drawn."""
    return sys.stderr.isatty() and os.environ.get("TERM") not in PLAIN


def is_drawing() -> bool:
    """Whether something is repeatedly drawn on the terminal now."""
    return _drawings > 0


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Within, something is repeatedly drawn on the terminal; `say_last` waits for the end."""
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
    """Write a line to standard error, once nothing is being drawn there.

    A signal handler may call it.

    Args:
        line: Without the line end.
    """
    _waiting.append(line)
    if not _drawings:
        say_what_waits()


def say_what_waits() -> None:
    """Write the waiting lines of `say_last` now, even while something is drawn."""
    _show_control_keys()
    while _waiting:
        line = _waiting.pop(0)
        with contextlib.suppress(OSError):  # the terminal is closed
            begun = ANEW if os.isatty(2) and os.environ.get("TERM") not in PLAIN else ""
            os.write(2, f"{begun}{line}\n".encode())


def _hide_control_keys() -> None:
    """Do not echo Ctrl-C as ^C, which would wrap a full line and move every bar."""
    if not machine.is_in_front():  # a background process would be stopped
        return
    termios = machine.termios
    with contextlib.suppress(OSError, termios.error):
        attributes = termios.tcgetattr(2)
        _before[:] = [*attributes]
        attributes[LOCAL] &= ~termios.ECHOCTL
        _set(attributes)


def _show_control_keys() -> None:
    if _before and machine.is_in_front():
        with contextlib.suppress(OSError, machine.termios.error):
            _set([*_before])
    _before.clear()


def _set(attributes: list[Any]) -> None:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        machine.termios.tcsetattr(2, machine.termios.TCSANOW, attributes)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
