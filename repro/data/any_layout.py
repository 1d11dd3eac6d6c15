"""Open a data set for inspection; its layout is guessed unless given."""

from pathlib import Path

from repro.data import sources
from repro.data.pictures import picture_files
from repro.data.pictures.collection import Collection
from repro.errors import DataError


def kinds() -> tuple[str, ...]:
    """The names of the layouts, the most reliably recognised first."""
    readers = [reader for reader in sources.READERS.values() if reader.kind]
    return tuple(reader.kind for reader in sorted(readers, key=lambda reader: reader.rank))


def guess(path: Path) -> str:
    """The kind of data set at a path.

    Raises:
        DataError: The path does not exist, or its layout is unknown.
    """
    readers = {reader.kind: reader for reader in sources.READERS.values()}
    for kind in kinds():
        if readers[kind].fits(path):
            return kind
    if path.is_file():
        raise DataError(f"{path}: is neither .h5 nor .csv; give one of these, or a folder")
    raise DataError(f"{picture_files.shown(path)}: folder not found; give a folder of photographs")


def read(path: Path, *, kind: str | None, groups: tuple[str, ...]) -> Collection:
    """Open a data set; its pictures are decoded later, except those of an HDF5 file.

    Args:
        path: A file or a folder.
        kind: One of `kinds`, or None to guess.
        groups: Columns that make the groups; if none, the default of studies.

    Raises:
        DataError: It does not exist, is damaged, or has another layout.
    """
    kind = guess(path) if kind is None else kind
    (reader,) = [one for one in sources.READERS.values() if one.kind == kind]
    return reader.look(path, groups)
