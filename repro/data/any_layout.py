"""Open a data set to look at; its layout is guessed, and a reader of that kind opens it."""

from pathlib import Path

from repro.data import sources
from repro.data.pictures import picture_files
from repro.data.pictures.collection import Collection
from repro.errors import DataError


def kinds() -> tuple[str, ...]:
    """The names of the layouts, those with the surest sign first."""
    readers = [reader for reader in sources.READERS.values() if reader.kind]
    return tuple(reader.kind for reader in sorted(readers, key=lambda reader: reader.rank))


def guess(path: Path) -> str:
    """What kind of data set is there.

    Raises:
        DataError: There is nothing, or nothing that is known.
    """
    readers = {reader.kind: reader for reader in sources.READERS.values()}
    for kind in kinds():
        if readers[kind].fits(path):
            return kind
    if path.is_file():
        raise DataError(f"{path}: is neither .h5 nor .csv; give one of these, or a folder")
    raise DataError(f"{picture_files.shown(path)}: folder not found; give a folder of photographs")


def read(path: Path, *, kind: str | None, groups: tuple[str, ...]) -> Collection:
    """Open a data set; its pictures are not decoded yet, but for those of an HDF5 file.

    Args:
        path: A file or a folder.
        kind: One of `kinds`, or None to guess.
        groups: Columns that make the groups; those that studies use by default, if none.

    Raises:
        DataError: There is nothing, it is damaged, or it is of another layout.
    """
    kind = guess(path) if kind is None else kind
    (reader,) = [one for one in sources.READERS.values() if one.kind == kind]
    return reader.look(path, groups)
