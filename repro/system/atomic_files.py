"""Write files atomically: whole or not at all.

A file is written beside its final path, flushed to disk, and renamed: a process that is interrupted
by a signal, a full disk or a power loss leaves the old file or the new one, never a part.
"""

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from repro.errors import ReproError

ELSEWHERE = "pass --out with another folder"
PARTIAL = ".partial"  # suffix of files that are being written


class CannotWrite(ReproError):
    """The disk is full, or the path cannot be written."""


def put(path: Path, content: bytes, *, advice: str = ELSEWHERE) -> Path:
    """Write a file, creating its folder if necessary.

    Args:
        path: Path of the file; an existing one is replaced.
        content: The whole content.
        advice: What the user can do if it cannot be written.

    Raises:
        CannotWrite: With path, reason, bytes and advice.
    """
    partial = _beside(path)
    with _told(path, len(content), advice):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(partial, content)
            os.replace(partial, path)
            _settle(path.parent)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(partial)
    return path


def put_written(path: Path, write: Callable[[Path], object], *, advice: str = ELSEWHERE) -> Path:
    """Write a file that is too large for the memory, creating its folder if necessary.

    Args:
        path: Path of the file; an existing one is replaced.
        write: Is given the path of a new file, and writes it.
        advice: What the user can do if it cannot be written.

    Raises:
        CannotWrite: As for `put`.
    """
    partial = _beside(path)
    with _told(path, 0, advice):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(partial)
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            os.replace(partial, path)
            _settle(path.parent)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(partial)
    return path


def put_folder(path: Path, files: Mapping[str, bytes], *, advice: str) -> bool:
    """Write a folder of files: either with all of them, or not at all.

    Args:
        path: Path of the folder.
        files: Content by file name.
        advice: As for `put`.

    Returns:
        False if such a folder exists already: it is kept.

    Raises:
        CannotWrite: As for `put`.
    """
    partial = _beside(path)
    with _told(path, sum(map(len, files.values())), advice):
        try:
            partial.mkdir(parents=True)
            for name, content in files.items():
                _write(partial / name, content)
            _settle(partial)
            return _renamed(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def move_aside(path: Path, folder: Path, *, advice: str) -> Path:
    """Move something into a folder, under a free name; return its new path.

    Raises:
        CannotWrite: As for `put`.
    """
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.name}.{number}"
    with _told(target, 0, advice):
        folder.mkdir(parents=True, exist_ok=True)
        os.rename(path, target)
        _settle(folder)
    return target


def require_writable(folder: Path, *, advice: str) -> None:
    """Check that a file can be created in a folder; creates the folder if necessary.

    Raises:
        CannotWrite: As for `put`.
    """
    probe = _beside(folder / "probe")
    with _told(folder, 1, advice):
        folder.mkdir(parents=True, exist_ok=True)
        _write(probe, b"\n")
        os.unlink(probe)


def sweep(path: Path) -> None:
    """Remove partial files that dead writers left beside a path."""
    for partial in left_over(path.parent).get(path.name, []):
        discard(partial)


def left_over(folder: Path) -> dict[str, list[Path]]:
    """Partial files that dead writers may have left in a folder, by the intended name."""
    found: dict[str, list[Path]] = {}
    if folder.is_dir():
        for partial in folder.iterdir():
            if partial.name.startswith(".") and partial.name.endswith(PARTIAL):
                name = partial.name[1:].removesuffix(PARTIAL).rpartition(".")[0]
                found.setdefault(name, []).append(partial)
    return found


def remove(path: Path) -> None:
    """Remove a file or a folder: other processes see all of it or nothing.

    Raises:
        CannotWrite: The file or folder cannot be removed.
    """
    doomed = _beside(path)
    try:
        os.rename(path, doomed)
    except FileNotFoundError:  # another process was faster
        return
    except OSError as error:
        raise CannotWrite(
            f"{path}: cannot be removed ({error.strerror or error}); let its folder be written, "
            "then run the same command again"
        ) from None
    discard(doomed)


def discard(path: Path) -> None:
    """Remove a file or a folder that is no longer needed; if that fails, it is left."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _beside(path: Path) -> Path:
    """The temporary path that is written first; its name is unique."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}{PARTIAL}")


def _renamed(partial: Path, path: Path) -> bool:
    try:
        os.rename(partial, path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    _settle(path.parent)
    return True


def _write(path: Path, content: bytes) -> None:
    """Write a new file and flush it to disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _settle(folder: Path) -> None:
    """Flush the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that does not support it
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _told(path: Path, size: int, advice: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(
            f"{path}: cannot be written, {size:,} bytes ({error.strerror or error}); {advice}"
        ) from None
