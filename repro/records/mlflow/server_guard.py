"""Runs a command, and ends it with all its processes as soon as whoever asked for it is gone.

``python -P warden.py COMMAND...`` is a process group of its own. The command ends with the standard
input, a pipe that only its user holds open and that the system closes however that user ends.
Only the standard library is imported, so that it starts at once.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

GRACE = 3.0  # seconds to end in, before the processes are killed


def main() -> None:
    """Run the command until it ends, the standard input does, or SIGTERM comes."""
    with contextlib.suppress(PermissionError):  # it leads a group already
        os.setsid()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_follow, args=(command,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.buffer.read()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is of the group itself
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(0, signal.SIGKILL)


def _follow(command: subprocess.Popen[bytes]) -> None:
    """When the command has ended, end what it left, and this process."""
    command.wait()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
