"""Ctrl-C, a request to end, the end of the terminal: one line, and an end within five seconds."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

SECONDS = 4.0  # to end in an orderly way
SAID = {
    signal.SIGINT: "Interrupted",
    signal.SIGTERM: "Terminated",
    signal.SIGHUP: "The terminal is gone",
}
GO_ON = "Finished runs and checkpoints are kept; the same command goes on."


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
    """Within, a signal raises `Interrupted`; if that leads to no end, the process is ended."""
    before = {number: signal.signal(number, _interrupt) for number in SAID}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _: FrameType | None) -> None:
    for other in SAID:
        signal.signal(other, signal.SIG_IGN)  # one is enough
    status = 128 + number
    watchdog = threading.Timer(SECONDS, os._exit, [status])
    watchdog.daemon = True
    watchdog.start()
    with contextlib.suppress(OSError, RuntimeError):  # no terminal, or in the midst of a line
        sys.stderr.write(f"{SAID[signal.Signals(number)]}. {GO_ON}\n")
        sys.stderr.flush()
    raise Interrupted(status)
