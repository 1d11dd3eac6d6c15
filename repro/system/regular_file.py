"""Files that somebody else may have made: only regular ones are read, and only up to a size.

A link could lead anywhere, and a pipe or a device would never end.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


class NotPlain(ValueError):
    """It is not a regular file, or larger than a file of its kind can be; the text says which."""


def is_there(path: Path) -> bool:
    """Whether there is a regular file at the path itself, not behind a link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def read(path: Path, *, at_most: int) -> bytes:
    """The whole content of a regular file.

    Args:
        path: Its path; a link there is not followed.
        at_most: Bytes that such a file can have.

    Raises:
        NotPlain: It is a link, a pipe, a device or a folder, or it is larger.
        OSError: It is missing or cannot be read.
    """
    with _opened(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > at_most:
            raise NotPlain(f"it has {size:,} bytes, more than {at_most:,}")
        return stream.read(size)


def start(path: Path, count: int) -> bytes:
    """The first `count` bytes of a regular file, or all if it has fewer.

    Raises:
        NotPlain: It is a link, a pipe, a device or a folder.
        OSError: It is missing or cannot be read.
    """
    with _opened(path) as stream:
        return stream.read(count)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path.is_symlink():
        raise NotPlain("it is a link, and only files are read")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotPlain("it is a pipe, a device or a folder, and only files are read")
        with open(descriptor, "rb", closefd=False) as stream:
            yield stream
    finally:
        os.close(descriptor)
