"""Ctrl-C, a request to end, the end of the terminal: one line, and an end within five seconds."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from repro.system import screen

SECONDS = 4.0  # to end in an orderly way
SAID = {
    signal.SIGINT: "Interrupted",
    signal.SIGTERM: "Terminated",
    signal.SIGHUP: "The terminal was closed",
}
GO_ON = "Finished runs and checkpoints are kept; the same command continues."


class Interrupted(KeyboardInterrupt):
    """The process was told to end.

    Attributes:
        status: Of its exit.
    """

    def __init__(self, status: int) -> None:
        """Note the status."""
        super().__init__(status)
        self.status = status


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Within, a signal raises `Interrupted`; if that leads to no end, the process is ended.

    A signal that the process was started to ignore, as by ``nohup``, stays ignored. After the first
    one that counts all are: the process is about to end.
    """
    heard = [number for number in SAID if signal.getsignal(number) is not signal.SIG_IGN]
    status = None

    def interrupt(number: int, _: FrameType | None) -> None:
        nonlocal status
        status = 128 + number
        _begin_to_end(number, status)
        raise Interrupted(status)

    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield
    finally:
        if status is not None:  # whatever others have made of the exception on its way
            raise Interrupted(status)
        for number, handler in before.items():
            signal.signal(number, handler)


def end(status: int) -> NoReturn:
    """End the process here: what was interrupted while it loaded might not survive more."""
    screen.say_what_waits()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _begin_to_end(number: int, status: int) -> None:
    for other in SAID:
        signal.signal(other, signal.SIG_IGN)  # one is enough
    sys.unraisablehook = lambda _: None  # where the exception is lost, the watchdog does its work
    watchdog = threading.Timer(SECONDS, _end_as_it_is, [status])
    watchdog.daemon = True
    watchdog.start()
    screen.say_last(f"{SAID[signal.Signals(number)]}. {GO_ON}")


def _end_as_it_is(status: int) -> NoReturn:
    screen.say_what_waits()
    os._exit(status)
