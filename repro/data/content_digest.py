"""What names the content of a source: its files, by relative name and bytes, wherever they lie."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from repro.data import fairface, labels_csv, mit_h5, picture_files, ppb
from repro.errors import DataError
from repro.study.data_spec import (
    FairFace,
    Folder,
    GroupFolders,
    Groups,
    MitH5,
    Ppb,
    Source,
    Table,
    TableNegatives,
    UtkFace,
)

Named = list[tuple[str, Path]]  # relative name, file


def files(spec: Source) -> Named | None:
    """All files that a source's content hangs on; None if it is drawn.

    Raises:
        DataError: There is no such file or folder, or no picture in it.
    """
    find = _FILES.get(type(spec))
    return None if find is None else find(spec, Path(spec.path))  # type: ignore[union-attr]


def content(named: Iterable[tuple[str, Path]]) -> str:
    """SHA-256 over relative names and bytes.

    Raises:
        DataError: A file cannot be read.
    """
    whole = hashlib.sha256()
    for name, file in named:
        whole.update(f"{name}\0{picture_files.sha256(file).hex()}\n".encode())
    return whole.hexdigest()


def _tree(root: Path, *, tables: tuple[str, ...] = ()) -> Named:
    """Pictures in a folder and below it, and tables."""
    try:
        everything = sorted(root.rglob("*"))
    except OSError as error:
        raise DataError(f"{picture_files.shown(root)}: cannot be read ({error.strerror})") from None
    found = [f for f in everything if picture_files.is_picture(f) or f.name in tables]
    if not found:
        raise DataError(f"{root}: folder not found, or no picture in it")
    return [(f.relative_to(root).as_posix(), f) for f in found]


def _prepared(_: Any, path: Path) -> Named:
    mit_h5.require_prepared(path)
    return [("", path)]


def _ppb(_: Any, path: Path) -> Named:
    ppb.require_metadata(path)
    return _tree(path, tables=(ppb.METADATA,))


def _fairface(spec: FairFace, root: Path) -> Named:
    """The labels of the part, whose name is no part of it, and its pictures."""
    return [("", fairface.table(root, spec.part)), *_tree(root / spec.part)]


def _rows(label: int) -> Callable[[Any, Path], Named]:
    """The table, and its pictures of a label."""

    def find(_: Any, path: Path) -> Named:
        named = labels_csv.read(path, label=label)
        return [("", path), *zip(named.names, named.files, strict=True)]

    return find


# One function for each source that is read from files.
_FILES: dict[type[Any], Callable[[Any, Path], Named]] = {
    MitH5: _prepared,
    Ppb: _ppb,
    FairFace: _fairface,
    UtkFace: lambda _, path: _tree(path),
    Table: _rows(1),
    Folder: lambda _, path: _tree(path),
    TableNegatives: _rows(0),
    GroupFolders: lambda _, path: _tree(path),
    Groups: lambda _, path: _tree(path),
}
