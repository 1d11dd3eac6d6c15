"""The digest of a source's content: its files, by relative name and bytes, wherever they are."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from repro.data.pictures import picture_files
from repro.errors import DataError

NamedFiles = list[tuple[str, Path]]  # relative name, file


def content(named: Iterable[tuple[str, Path]]) -> str:
    """SHA-256 over relative names and bytes.

    Raises:
        DataError: A file cannot be read.
    """
    whole = hashlib.sha256()
    for name, file in named:
        whole.update(f"{name}\0{picture_files.sha256(file).hex()}\n".encode())
    return whole.hexdigest()


def tree(root: Path, *, tables: tuple[str, ...] = ()) -> NamedFiles:
    """Pictures in a folder and its subfolders, and tables.

    Raises:
        DataError: There is no such folder, or it has no picture.
    """
    try:
        everything = sorted(root.rglob("*"))
    except OSError as error:
        raise DataError(f"{picture_files.shown(root)}: cannot be read ({error.strerror})") from None
    found = [f for f in everything if picture_files.is_picture(f) or f.name in tables]
    if not found:
        raise DataError(f"{root}: folder not found, or no picture in it")
    return [(f.relative_to(root).as_posix(), f) for f in found]
