"""Notice a child process that does nothing for good: stopped, or hanging in a call of the system.

A process that works uses CPU time, however long its epoch is. One that is stopped, or waits, uses
none. Time in which the watcher itself did not look does not count: it may have been stopped by
Ctrl-Z with all its children, or the machine may have slept.
"""

import time

from repro.system import machine

LIMIT = 600.0  # seconds
LOOK = 1.0  # seconds between two looks
STEP = 2 * LOOK  # most seconds that count between two looks
SHARE = 0.001  # of a core; the thread of a child that watches its parent uses a quarter of that
LEAST = 0.02  # seconds of CPU time, two ticks of the system's clock
STOPPED, DEBUGGED = "T", "t"


class Watch:
    """How long a process has done nothing, as far as this was looked at."""

    def __init__(self, pid: int, *, limit: float = LIMIT) -> None:
        """Begin to watch.

        Args:
            pid: Of the process, a child that has not been waited for.
            limit: Seconds of doing nothing after which it is stalled.
        """
        self.pid, self.limit = pid, limit
        self.moved()

    def moved(self) -> None:
        """The process has just said something, or has just been asked for something."""
        self._idle, self._looked = 0.0, time.monotonic()
        self._used = (machine.state_and_time(self.pid) or ("", 0.0))[1]

    def stalled(self) -> str | None:
        """How the process does nothing, once the limit is reached; None before."""
        now = time.monotonic()
        step, self._looked = now - self._looked, now
        found = machine.state_and_time(self.pid)
        if found is None:  # it has ended, or this system does not tell
            return None
        state, used = found
        self._idle += min(step, STEP)
        works = state != STOPPED and used - self._used >= max(LEAST, SHARE * self._idle)
        if works or state == DEBUGGED:
            self.moved()
        if self._idle < self.limit:
            return None
        how = "was stopped by a signal" if state == STOPPED else "used no CPU time and said nothing"
        return f"it {how} for {_words(self.limit)}"


def _words(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
