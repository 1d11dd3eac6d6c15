"""Compiled libraries on the disk: in a folder that only its owner can write, with their digest.

A file is the library and the SHA-256 of its bytes behind it. What is empty, truncated, changed or
somebody else's is never returned, so that it is made again.
"""

import atexit
import contextlib
import functools
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from repro.system import machine
from repro.training.kernels.c_compiler import NoAnswer

DIGEST = hashlib.sha256().digest_size
OTHERS = stat.S_IWGRP | stat.S_IWOTH


def library(name: str, make: Callable[[Path], bytes]) -> bytes:
    """A library of the user's cache; where that cannot be used, of a private folder.

    Args:
        name: Of its file.
        make: Makes it where there is none, with a folder in which it may write.

    Raises:
        NoAnswer: The compiler does not end.
        OSError: It cannot be made; the text says why.
    """
    reasons = []
    for place in _places():
        try:
            with _opened(place) as inside:
                found = read(name, inside)
                if found is None:
                    found = make(place)
                    write(found, name, inside)
                return found
        except NoAnswer:
            raise
        except OSError as error:
            reasons.append(str(error))
    raise OSError("; ".join(dict.fromkeys(reasons)))


def read(name: str, inside: int) -> bytes | None:
    """A library; None if there is none that this user has written whole.

    Args:
        name: Of the file.
        inside: Descriptor of its folder.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with open(os.open(name, flags, dir_fd=inside), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or not _is_ours(found):
                return None
            content = file.read()
    except OSError:
        return None
    library, digest = content[:-DIGEST], content[-DIGEST:]
    return library if hashlib.sha256(library).digest() == digest else None


def write(library: bytes, name: str, inside: int) -> None:
    """Put a library in its place, whole, whoever else does at the same time.

    Raises:
        OSError: It cannot be written.
    """
    partial = f"{name}.{os.getpid()}.partial"
    _remove(partial, inside)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(partial, flags, 0o600, dir_fd=inside), "wb") as file:
            file.write(library + hashlib.sha256(library).digest())
            file.flush()
            os.fsync(file.fileno())
        os.rename(partial, name, src_dir_fd=inside, dst_dir_fd=inside)
        os.fsync(inside)
    finally:
        _remove(partial, inside)


def _remove(name: str, inside: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=inside)


def _places() -> Iterator[Path]:
    """The user's cache, one for this user among the temporary files, one for this process."""
    base = os.environ.get("XDG_CACHE_HOME")
    with contextlib.suppress(RuntimeError):  # a user without a home, as in some containers
        yield (Path(base) if base else Path.home() / ".cache") / "repro" / "kernels"
    with contextlib.suppress(OSError):  # no folder for temporary files
        yield Path(tempfile.gettempdir()) / f"repro-kernels-{machine.user()}"
        yield _of_this_process()


@functools.cache
def _of_this_process() -> Path:
    path = tempfile.mkdtemp(prefix="repro-kernels-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@contextlib.contextmanager
def _opened(place: Path) -> Iterator[int]:
    """A descriptor of a folder that is ours alone, made if it is missing.

    All in it is reached by the descriptor, which stays the folder that was checked.

    Raises:
        OSError: It is not ours alone, or cannot be made or written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    place.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not _is_ours(os.fstat(descriptor)):
            raise OSError(f"{place}: others than its owner, or than you, can write there")
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=descriptor, effective_ids=True):
            raise OSError(f"{place}: cannot be written")
        yield descriptor
    finally:
        os.close(descriptor)


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == machine.user() and not found.st_mode & OTHERS
