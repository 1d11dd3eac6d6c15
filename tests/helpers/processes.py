"""Processes of this machine, as Linux lists them; one that ends meanwhile is not there."""

import contextlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One of them; numbers are used again, a number with its start is not.

    Attributes:
        pid: Its number.
        start: Ticks of the clock since the machine's start.
        parent: Who started it, or 1 when that one has ended.
        session: The number of its session's leader.
    """

    pid: int
    start: int
    parent: int = field(compare=False)
    session: int = field(compare=False)


def alive():
    """All that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if fields[0] not in "ZX":
                parent, session, start = int(fields[1]), int(fields[3]), int(fields[19])
                found.append(Process(int(stat.parent.name), start, parent, session))
    return found


def in_session(pid):
    """Those of the session that a process leads."""
    return [one for one in alive() if one.session == pid]


def below(pid):
    """Those that a process started, and that these started, and so on."""
    everyone, found, level = alive(), [], {pid}
    while level:
        started = [one for one in everyone if one.parent in level]
        found += started
        level = {one.pid for one in started}
    return found


def saying(words):
    """Numbers of those whose command line holds these bytes."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if words in line.read_bytes():
                found.append(int(line.parent.name))
    return found


def listening(pids):
    """Local addresses, with ports, at which these accept connections: hexadecimal, as in Linux."""
    held = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    held.add(os.readlink(link))
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table]
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in held}


def left(of):
    """Those of these that have not ended."""
    return sorted({one.pid for one in set(of) & set(alive())})


def soon(happened, *, seconds=5.0):
    """Whether something happens in time."""
    end = time.monotonic() + seconds
    while not (has := happened()) and time.monotonic() < end:
        time.sleep(0.01)
    return bool(has)


def session_ends(pid):
    """Whether all processes of a session have ended, or soon have."""
    return soon(lambda: not in_session(pid))


def wait_until(happened, *, seconds=60.0):
    """Wait for something that is bound to happen."""
    assert soon(happened, seconds=seconds), "it has not happened"
