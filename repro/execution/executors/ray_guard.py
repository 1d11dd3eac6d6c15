"""Ends a Ray of our own, and removes its folder, as soon as its user has ended.

``python -I ray_guard.py FOLDER``: the standard input is a pipe that only the user holds open and
that the system closes however that user ends. Ray's own processes then end at once or within a few
seconds, but the agents of a killed driver only after a minute. All of them were started in a folder
below FOLDER, by which they are found where the system has ``/proc``. Only the standard library is
imported, so that it starts at once.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

LONGEST = 4.0  # seconds to look for processes: some are just being started
GLANCE = 0.1  # seconds between two looks


def main() -> None:
    """Wait for the end of the standard input, then clear up."""
    folder = Path(sys.argv[1]).resolve()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they reach the user, whose end is awaited
    sys.stdin.buffer.read()
    end = time.monotonic() + LONGEST
    while (found := within(folder)) and time.monotonic() < end:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(GLANCE)
    shutil.rmtree(folder, ignore_errors=True)


def within(folder: Path) -> list[int]:
    """Processes whose current folder is below this one."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if Path(os.readlink(link)).is_relative_to(folder):
                found.append(int(link.parent.name))
    return found


if __name__ == "__main__":
    main()
