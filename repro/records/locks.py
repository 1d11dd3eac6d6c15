"""Locks for studies, runs and cleaning, which the system releases when a process ends.

A lock is released however its holder ends; the content of a lock file is only informative. On a
file system without locks every process gets the lock: a run may then be trained twice, and the
first record is kept.
"""

import contextlib
import errno
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repro.records import records
from repro.records.records import ADVICE, StudyIndex
from repro.system import machine
from repro.system.atomic_files import CannotWrite

PAUSE = 0.1  # seconds between two attempts
LINKED_NOWHERE = ("studies", "unfinished")  # folders whose own folders are never links
OURS = os.O_NOFOLLOW | os.O_NONBLOCK  # a lock is never behind a link, and a pipe never holds us up


@contextmanager
def of_study(index: StudyIndex, results: Path) -> Iterator[str | None]:
    """Hold the lock of a study's variant.

    Yields:
        None if the lock was acquired, else its holder.

    Raises:
        CannotWrite: The lock file cannot be created.
    """
    with _lock(records.index_path(index, results).with_suffix(".lock"), patience=0) as holder:
        yield holder


@contextmanager
def of_results(results: Path, *, alone: bool) -> Iterator[str | None]:
    """Hold the lock of a results folder: shared with studies, or exclusively, to remove things.

    Yields:
        None if the lock was acquired, else its holder, as far as known.

    Raises:
        CannotWrite: The lock file cannot be created.
    """
    with _lock(results / "lock", patience=0, alone=alone) as holder:
        yield holder


def are_kept(folder: Path) -> bool:
    """Whether the file system of a folder supports locks."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        machine.lock(descriptor, alone=False)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


@contextmanager
def of_folder(folder: Path, *, patience: float) -> Iterator[str | None]:
    """Hold the lock of a folder, such as an unfinished run's; the folder may be removed meanwhile.

    Args:
        folder: Created if necessary.
        patience: Seconds to wait for it.

    Yields:
        None if the lock was acquired, else its holder.

    Raises:
        CannotWrite: The lock file cannot be created.
    """
    with _lock(folder / "lock", patience=patience) as holder:
        yield holder


def holder_of(path: Path) -> str | None:
    """The holder of a lock file; None if it is free. Creates nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | OURS)
    except OSError:
        return None
    try:
        machine.lock(descriptor, alone=False)
    except BlockingIOError:
        return _holder(descriptor)
    except OSError:  # no locks on this file system
        return None
    finally:
        os.close(descriptor)
    return None


@contextmanager
def _lock(path: Path, *, patience: float, alone: bool = True) -> Iterator[str | None]:
    end = time.monotonic() + patience
    while True:
        descriptor = _open(path)
        try:
            state = _try(descriptor, path, alone=alone)
            if state == "held" and time.monotonic() >= end:
                yield _holder(descriptor)
                return
            if state == "ours":
                if alone:
                    _sign(descriptor)
                try:
                    yield None
                finally:
                    machine.unlock(descriptor)  # closing is not enough if a fork has it open
                return
        finally:
            os.close(descriptor)
        time.sleep(PAUSE if state == "held" else 0)


def _open(path: Path) -> int:
    if path.parent.parent.name in LINKED_NOWHERE and path.parent.is_symlink():
        raise CannotWrite(f"{path}: its folder is a link, which leads elsewhere; move it away")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _regular(os.open(path, os.O_RDWR | os.O_CREAT | OURS, 0o666))
        except PermissionError:  # another user's file: it can be locked, but not written
            with contextlib.suppress(FileNotFoundError):
                return _regular(os.open(path, os.O_RDONLY | OURS))
            raise
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise CannotWrite(f"{path}: cannot be made ({why}); {ADVICE}") from None


def _regular(descriptor: int) -> int:
    """The descriptor of a file; a pipe or a device is no lock, and nothing is written to it."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is not a file")


def _try(descriptor: int, path: Path, *, alone: bool) -> str:
    """``ours``, ``held`` by another process, or ``gone``: the file was removed before."""
    try:
        machine.lock(descriptor, alone=alone)
    except BlockingIOError:
        return "held"
    except OSError:  # no locks on this file system
        return "ours"
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return "ours"
    return "gone"


def _sign(descriptor: int) -> None:
    """Write the holder into the file, for information only."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 200, 0).decode(errors="replace")
    return text if text.isprintable() and text.startswith("process ") else "another process"
