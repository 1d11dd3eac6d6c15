"""Files of ours, written whole or not at all.

They are written beside their place, onto the disk, and then renamed into it: whoever is cut off, by
a signal, a full disk or a loss of power, leaves the old file or the new one, never half of either.
"""

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from repro.errors import ReproError

ELSEWHERE = "pass --out with another folder"
PARTIAL = ".partial"  # ends the name of what is being written


class CannotWrite(ReproError):
    """The disk is full, or the place cannot be written."""


def put(path: Path, content: bytes, *, advice: str = ELSEWHERE) -> Path:
    """Write a file, making its folder if need be.

    Args:
        path: Of the file; an old one of that name is replaced.
        content: All of it.
        advice: What to do if it cannot be written.

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


def put_folder(path: Path, files: Mapping[str, bytes], *, advice: str) -> bool:
    """Write a folder of files; all of them are there, or the folder is not.

    Args:
        path: Of the folder.
        files: Their content by name.
        advice: As for `put`.

    Returns:
        False if there is such a folder already: it stays as it is.

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
    """Move something out of the way, into a folder, under a name that is free; where it is now.

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
    """Find out now whether a file can be made in a folder, which is made if need be.

    Raises:
        CannotWrite: As for `put`.
    """
    probe = _beside(folder / "probe")
    with _told(folder, 1, advice):
        folder.mkdir(parents=True, exist_ok=True)
        _write(probe, b"\n")
        os.unlink(probe)


def sweep(path: Path) -> None:
    """Remove what was left beside a place by writers that are no more."""
    for partial in left_over(path.parent).get(path.name, []):
        discard(partial)


def left_over(folder: Path) -> dict[str, list[Path]]:
    """What writers that are no more may have left in a folder: by the name that it was to have."""
    found: dict[str, list[Path]] = {}
    if folder.is_dir():
        for partial in folder.iterdir():
            if partial.name.startswith(".") and partial.name.endswith(PARTIAL):
                name = partial.name[1:].removesuffix(PARTIAL).rpartition(".")[0]
                found.setdefault(name, []).append(partial)
    return found


def remove(path: Path) -> None:
    """Remove a file or a folder: whoever looks sees all of it or nothing.

    Raises:
        CannotWrite: It cannot be removed.
    """
    doomed = _beside(path)
    try:
        os.rename(path, doomed)
    except FileNotFoundError:  # somebody else was faster
        return
    except OSError as error:
        raise CannotWrite(
            f"{path}: cannot be removed ({error.strerror or error}); let its folder be written, "
            "then run the same command again"
        ) from None
    discard(doomed)


def discard(path: Path) -> None:
    """Remove a file or a folder that nobody needs any more; if it cannot be removed, it stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _beside(path: Path) -> Path:
    """Where it is written first; the name is nobody else's."""
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
    """Write a new file onto the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _settle(folder: Path) -> None:
    """See that the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that has no such thing
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
