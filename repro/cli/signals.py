"""Handle Ctrl-C, SIGTERM and a closed terminal: print one line, and end within five seconds."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from repro.errors import ReproError
from repro.system import machine, screen

SECONDS = 4.0  # for an orderly end
SAID = dict(
    zip(machine.ENDING, ("Interrupted", "Terminated", "The terminal was closed"), strict=False)
)
GO_ON = "Finished runs and checkpoints are kept; the same command continues."


class Interrupted(KeyboardInterrupt):
    """The process received a signal to end.

    Attributes:
        status: Its exit status.
    """

    def __init__(self, status: int) -> None:
        """Store the exit status."""
        super().__init__(status)
        self.status = status


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Within, a signal raises `Interrupted`; if the process does not end, it is forced to.

    A signal that was ignored when the process started, as by ``nohup``, stays ignored. After the
    first signal all further ones are ignored, because the process is ending.
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
        if status is not None:  # even if other code replaced the exception
            raise Interrupted(status)
        for number, handler in before.items():
            signal.signal(number, handler)


def end(status: int) -> NoReturn:
    """End the process immediately: modules interrupted while loading may not exit normally."""
    screen.say_what_waits()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, ReproError, SystemExit):
            stream.flush()
    os._exit(status)


def _begin_to_end(number: int, status: int) -> None:
    for other in SAID:
        signal.signal(other, signal.SIG_IGN)  # the first signal is enough
    sys.unraisablehook = lambda _: None  # if the exception is lost, the watchdog ends the process
    watchdog = threading.Timer(SECONDS, _end_as_it_is, [status])
    watchdog.daemon = True
    watchdog.start()
    screen.say_last(f"{SAID[signal.Signals(number)]}. {GO_ON}")


def _end_as_it_is(status: int) -> NoReturn:
    screen.say_what_waits()
    os._exit(status)
