"""What a refused command may cost, and what it may say."""

import os
import re
import subprocess
import sys
import time

import pytest

SECONDS = 5.0  # of the processor, which is slower beside other work; alone it takes 1 to 2
MEGABYTES = 200
# The most memory that the program itself took: what the kernel tells parents counts theirs, too.
PROBE = r"""
import re, sys
from pathlib import Path
from repro.cli import main
try:
    main()
finally:
    status = Path("/proc/self/status")
    if status.exists():
        print("peak", re.search(r"VmHWM:\s*(\d+)", status.read_text())[1], file=sys.stderr)
"""


def listing(folder):
    """All that is in a folder, and when its files were last changed."""
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def check(status, errors, expected):
    """Exit status, a sentence with its place, no traceback, nothing that acts on a terminal."""
    assert status == 1, errors
    assert errors.startswith("Error: ")
    assert expected in errors
    assert "Traceback" not in errors
    assert len(errors) < 10_000
    assert errors.replace("\n", "").isprintable()


def costs(arguments, folder):
    """Exit status, messages, seconds of the processor and megabytes of a command.

    The messages go to a file beside the folder, so that nothing of this is in it.
    """
    with folder.with_suffix(".errors").open("w+") as errors:
        child = subprocess.Popen(
            [sys.executable, "-c", PROBE, *map(str, arguments)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        usage = _ended(child)
        errors.seek(0)
        said = re.fullmatch(r"(.*?)(?:peak (\d+)\n)?", errors.read(), re.DOTALL)
    seconds = usage.ru_utime + usage.ru_stime
    return child.returncode, said[1], seconds, int(said[2] or 0) / 1024


def _ended(child):
    """What a process took until its end; one that does not end is a failed test."""
    for _ in range(1000):
        ended, status, usage = os.wait4(child.pid, os.WNOHANG)
        if ended:
            child.returncode = os.waitstatus_to_exitcode(status)
            return usage
        time.sleep(0.02)
    child.kill()
    child.wait()
    return pytest.fail("it does not end")
