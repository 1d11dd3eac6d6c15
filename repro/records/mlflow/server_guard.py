"""Runs a command, and ends it with all its processes as soon as its user ends.

``python -I server_guard.py COMMAND...`` is a process group of its own. The command ends when the
standard input closes, a pipe that only its user holds open and that the system closes however that
user ends. It runs in a new, empty folder that only this user can enter, so that it finds no module
and no settings there. Only the standard library is imported, so that it starts at once.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

GRACE = 3.0  # seconds for an orderly end, before the processes are killed
PREFIX = "repro-ui-"


def main() -> None:
    """Run the command until it ends, the standard input closes, or SIGTERM arrives."""
    with contextlib.suppress(PermissionError):  # already a group leader
        os.setsid()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = tempfile.mkdtemp(prefix=PREFIX)
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, cwd=folder)
    threading.Thread(target=_follow, args=(command, folder), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.buffer.read()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # this process is in the group too
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE)
    _end(folder)


def _follow(command: subprocess.Popen[bytes], folder: str) -> None:
    """When the command has ended, end its remaining processes and this one."""
    command.wait()
    _end(folder)


def _end(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
