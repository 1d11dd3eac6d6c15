"""Runs a command, and ends it with all its processes as soon as its user ends.

``python -P server_guard.py COMMAND...`` is a process group of its own. The command ends when the
standard input closes, a pipe that only its user holds open and that the system closes however that
user ends. Only the standard library is imported, so that it starts at once.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

GRACE = 3.0  # seconds for an orderly end, before the processes are killed


def main() -> None:
    """Run the command until it ends, the standard input closes, or SIGTERM arrives."""
    with contextlib.suppress(PermissionError):  # already a group leader
        os.setsid()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_follow, args=(command,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.buffer.read()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # this process is in the group too
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(0, signal.SIGKILL)


def _follow(command: subprocess.Popen[bytes]) -> None:
    """When the command has ended, end its remaining processes and this one."""
    command.wait()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
