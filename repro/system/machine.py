"""What the machine has, and what its system lacks: the one module that asks.

Linux tells the most. macOS has no ``/proc``, no affinity, no control groups and no files without a
name in memory. Whatever a system lacks, each function here has an answer, which its documentation
names; none raises because of it, but `lock`. Windows lacks too much: see `unsupported`.
Only the standard library is imported, so that every other module can ask.
"""

import contextlib
import errno
import functools
import importlib
import math
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

ROOT = Path("/")  # of the file system
SLURM = ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE")  # the first that is set counts
UTIME, STIME = 11, 12  # fields after the state in /proc/PID/stat
SYSCTL = 5.0  # seconds for an answer
KILO = 1024


def _module(name: str) -> Any:
    """A module of the standard library that not every system has; None without it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


termios = _module("termios")  # None without terminals that can be set; see `is_in_front`
_fcntl, _resource = _module("fcntl"), _module("resource")
ENDING = tuple(  # signals that ask a program to end: Ctrl-C, kill, a terminal that was closed
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def unsupported() -> str | None:
    """Why this program does not run on this system; None if it does."""
    if sys.platform == "win32":
        return (
            "Windows is not supported: it lacks locks, signals and ways to start workers that runs "
            "need. Use the Windows Subsystem for Linux (WSL 2), where this program is one for Linux"
        )
    return None


def cores(environment: Mapping[str, str] = os.environ) -> int:
    """Cores that this process may use: 1 or more.

    The least of what its affinity, the quotas of its control groups and a Slurm job allow. A part
    of a core counts as one: two workers get more out of 1.5 cores than one worker does. Without
    affinity it is all cores of the machine, and 1 if nobody knows them.

    Args:
        environment: The variables of the process.
    """
    if hasattr(os, "sched_getaffinity"):
        affinity = len(os.sched_getaffinity(0))
    else:
        affinity = os.cpu_count() or 1
    return max(1, math.ceil(min([affinity, *_quotas(), *_of_slurm(environment)])))


def _quotas() -> Iterator[float]:
    """The cores that each control group of this process is limited to, of version 1 or 2."""
    for folder in _control_groups():
        try:
            if (folder / "cpu.max").exists():
                quota, period = (folder / "cpu.max").read_text().split()
            else:
                quota = (folder / "cpu.cfs_quota_us").read_text()
                period = (folder / "cpu.cfs_period_us").read_text()
            if quota != "max" and int(quota) > 0:
                yield int(quota) / int(period)
        except (OSError, ValueError, ZeroDivisionError):  # no limit, or none that can be read
            continue


def _control_groups() -> Iterator[Path]:
    """The folders of the groups of this process that share out time, and of those above them."""
    for line in _lines("proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounted = ROOT / "sys/fs/cgroup" / ("cpu" if controllers else "")
        names = path.strip("/").split("/")
        # In a container the path may be one of the host's: then the root is its own group.
        yield from (mounted.joinpath(*names[:depth]) for depth in range(len(names) + 1))


def _of_slurm(environment: Mapping[str, str]) -> Iterator[int]:
    """What a Slurm job gives this task, where the job does not bind it to its cores."""
    for name in SLURM:
        if environment.get(name, "").isdecimal() and int(environment[name]):
            yield int(environment[name])
            return


def processor_name() -> str:
    """The processor as its system names it; what kind it is, such as ``arm64``, if it does not."""
    named = _of_processors("model name") or [_sysctl("-n", "machdep.cpu.brand_string")]
    return named[0] or platform.machine()


def processor_flags() -> tuple[str, ...]:
    """What instructions the processor has, by the names of its system, sorted; empty if unknown.

    Linux names them ``avx2``, ``avx512f`` and ``asimd``, macOS ``avx2_0``, ``avx512f`` and
    ``neon``; processors of one machine that differ count with what any of them has.
    """
    lines = [*_of_processors("flags"), *_of_processors("Features")]
    said = [line.partition(": ") for line in _sysctl("hw.optional").splitlines()]
    lines += [name.rpartition(".")[2].lower() for name, _, value in said if value.strip() == "1"]
    return tuple(sorted({word for line in lines for word in line.split()}))


def _of_processors(field: str) -> list[str]:
    """The different values of a line of ``/proc/cpuinfo``, sorted."""
    pairs = [line.partition(":") for line in _lines("proc/cpuinfo")]
    return sorted({value.strip() for name, _, value in pairs if name.strip() == field})


@functools.cache
def _sysctl(*words: str) -> str:
    """What the system's ``sysctl`` of macOS answers; empty if there is none, or no such value."""
    try:
        done = subprocess.run(
            [ROOT / "usr/sbin/sysctl", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SYSCTL,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace").strip()


def total_memory() -> int | None:
    """Bytes of memory of the machine; None if the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        told = _sysctl("-n", "hw.memsize")
        return int(told) if told.isdecimal() else None


def resident_memory() -> int:
    """Bytes of this process that are in memory; where the system does not tell, their peak."""
    return _status("VmRSS") or peak_memory()


def peak_memory() -> int:
    """The most bytes of this process that were in memory at a time; 0 if the system lacks both.

    It is since `forget_peak_memory` where that can be done, else since the process began.
    """
    if found := _status("VmHWM"):
        return found
    if _resource is None:
        return 0
    most: int = _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * KILO


def forget_peak_memory() -> None:
    """Begin to measure the peak anew; nothing happens where the system cannot."""
    with contextlib.suppress(OSError):
        (ROOT / "proc/self/clear_refs").write_text("5")


def _status(field: str) -> int:
    """Bytes in a line of ``/proc/self/status``; 0 without it."""
    pairs = [line.partition(":") for line in _lines("proc/self/status")]
    values = [value.split()[0] for name, _, value in pairs if name == field]
    return int(values[0]) * KILO if values else 0


def state_and_time(pid: int) -> tuple[str, float] | None:
    """State of a process and seconds of CPU time of all its threads.

    None if it has ended, or if the system does not tell: then nobody can say that it is stalled.
    """
    try:
        text = (ROOT / f"proc/{pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        ticks = int(fields[UTIME]) + int(fields[STIME])
        return fields[0], ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def has_groups() -> bool:
    """Whether a process can be started as the first of a group, ``start_new_session``."""
    return hasattr(os, "setsid") and hasattr(os, "killpg")


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that is the first of its group, with the group; without groups it alone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if has_groups():
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def is_in_front() -> bool:
    """Whether standard error is a terminal and this process in its foreground.

    No where there are no groups of processes, or no settings of terminals.
    """
    if termios is None or not hasattr(os, "tcgetpgrp"):
        return False
    with contextlib.suppress(OSError):
        return os.isatty(2) and os.tcgetpgrp(2) == os.getpgrp()
    return False


def scratch_file(folder: str | None = None) -> IO[bytes]:
    """A file without a name: in memory if the system can, so that it needs no disk.

    Args:
        folder: Where it is otherwise; None: where temporary files are.
    """
    memory = memory_file()
    return memory if memory is not None else tempfile.TemporaryFile(dir=folder, buffering=0)


def memory_file() -> IO[bytes] | None:
    """A file without a name in memory; None where there are none."""
    if not hasattr(os, "memfd_create"):
        return None
    return open(os.memfd_create("repro"), "r+b", buffering=0)


def path_of(descriptor: int) -> Path | None:
    """A path by which this process can open a descriptor's file again; None if there is none."""
    path = ROOT / f"proc/self/fd/{descriptor}"
    return path if path.exists() else None


def path_for_others(descriptor: int) -> Path | None:
    """As `path_of`, for every process of this user, as long as this one has the file open."""
    return ROOT / f"proc/{os.getpid()}/fd/{descriptor}" if path_of(descriptor) else None


def lock(descriptor: int, *, alone: bool) -> None:
    """Take the lock of an open file, which the system releases when the process ends.

    Args:
        descriptor: Of the file.
        alone: Whether nobody else may have it at the same time.

    Raises:
        BlockingIOError: Somebody else has it.
        OSError: The system or its file system has no locks.
    """
    if _fcntl is None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    kind = _fcntl.LOCK_EX if alone else _fcntl.LOCK_SH
    _fcntl.flock(descriptor, kind | _fcntl.LOCK_NB)


def unlock(descriptor: int) -> None:
    """Give back the lock of an open file, if there is one."""
    if _fcntl is not None:
        with contextlib.suppress(OSError):
            _fcntl.flock(descriptor, _fcntl.LOCK_UN)


def most_threads() -> int | None:
    """Processes and threads that this user may have; None without a limit."""
    if _resource is None or not hasattr(_resource, "RLIMIT_NPROC") or user() == 0:
        return None
    most, _ = _resource.getrlimit(_resource.RLIMIT_NPROC)
    return None if most == _resource.RLIM_INFINITY else int(most)


def allow_many_files() -> None:
    """Let this process open as many files as the system permits, where it has a limit."""
    if _resource is None:
        return
    _, most = _resource.getrlimit(_resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        _resource.setrlimit(_resource.RLIMIT_NOFILE, (most, most))


def user() -> int | None:
    """The number of the user as whom this process acts; None where users have no numbers."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def _lines(path: str) -> list[str]:
    """The lines of a file of the system; empty without it."""
    try:
        return (ROOT / path).read_text(errors="replace").splitlines()
    except OSError:
        return []
