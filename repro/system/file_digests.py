"""Bytes of input files and their SHA-256, so that what was read can be named.

`read` is the reader of all files on which results depend. Within `as_read`, it keeps the digest of
the bytes that it returned: a file may be replaced between two looks at it, but not between a byte
and its digest.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from repro.system import input_file

SETTLED = 2_000_000_000  # ns; a file as young as this may change again without a new time


class FileDigest(NamedTuple):
    """A file, and the SHA-256 of its content."""

    path: Path
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What a part of the data held at some time.

    Attributes:
        fingerprint: Twelve hex digits, which stand for it in the names of runs.
        files: Its files by relative name; empty if it is synthetic, or on another machine.
    """

    fingerprint: str
    files: Mapping[str, FileDigest]


class _Status(NamedTuple):
    """What the system says of a file; it differs after every change of a settled file."""

    device: int
    inode: int
    size: int
    modified: int  # ns
    changed: int  # ns, of content, name, links or permissions; programs cannot set it


_read: ContextVar[list[FileDigest] | None] = ContextVar("read", default=None)
_known: dict[Path, tuple[_Status, bytes]] = {}


@contextlib.contextmanager
def as_read() -> Iterator[list[FileDigest]]:
    """Within, the list grows by each file that `read` returns, with the digest of these bytes."""
    seen: list[FileDigest] = []
    token = _read.set(seen)
    try:
        yield seen
    finally:
        _read.reset(token)


def read(path: Path, *, most_bytes: int = -1) -> bytes:
    """The content of a file.

    Args:
        path: The file.
        most_bytes: No more than this many bytes are read; -1: all.

    Raises:
        OSError: The file is missing or cannot be read.
    """
    with input_file.opened(path) as stream:
        before = _status(stream.fileno())
        content = stream.read(most_bytes)
        if content is None:
            raise input_file.NotAFile("a file of the system that has nothing to give")
        seen = _read.get()
        if seen is not None:
            digest = hashlib.sha256(content).digest()
            seen.append(FileDigest(path, digest))
            if len(content) == before.size and before == _status(stream.fileno()):
                _remember(path, before, digest)
    return content


def lines(path: Path, *, longest: int) -> Iterator[bytes]:
    """The lines of a file that is too large to be held, digested as they are read.

    Args:
        path: The file.
        longest: Bytes of a line, its end included.

    Raises:
        OSError: The file is missing or cannot be read.
        TooLarge: A line is longer.
    """
    with input_file.opened(path) as stream:
        before, hashed = _status(stream.fileno()), hashlib.sha256()
        while line := stream.readline(longest + 1):
            if len(line) > longest:
                raise input_file.TooLarge(longest)
            hashed.update(line)
            yield line
        if line is None:
            raise input_file.NotAFile("a file of the system that has nothing to give")
        noted(path, hashed.digest())
        if before == _status(stream.fileno()):
            _remember(path, before, hashed.digest())


def noted(path: Path, digest: bytes) -> None:
    """Tell `as_read` of a file whose content, of this digest, is kept from an earlier reading."""
    if (seen := _read.get()) is not None:
        seen.append(FileDigest(path, digest))


def sha256(path: Path) -> bytes:
    """SHA-256 of a file; kept as long as the file does not change.

    Raises:
        OSError: The file is missing or cannot be read.
    """
    known = _known.get(path)
    if known is not None and known[0] == _status(path):
        return known[1]
    with input_file.opened(path) as stream:
        before, hashed = _status(stream.fileno()), hashlib.sha256()
        for piece in input_file.pieces(stream):
            hashed.update(piece)
        digest = hashed.digest()
        if before == _status(stream.fileno()):
            _remember(path, before, digest)
    return digest


def _remember(path: Path, status: _Status, digest: bytes) -> None:
    """Keep a digest, unless another change could leave the file's times as they are."""
    if time.time_ns() - max(status.modified, status.changed) > SETTLED:
        _known[path] = status, digest


def _status(file: Path | int) -> _Status:
    found = os.stat(file)
    return _Status(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
