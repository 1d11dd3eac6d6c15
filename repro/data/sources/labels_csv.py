"""The user's own pictures from a CSV: columns ``path``, ``label`` (1 or 0) and any group columns.

Paths are relative to the folder of the CSV, or absolute. A table without the column ``label``
contains only positives.
"""

import itertools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from repro.data.pictures import picture_files, picture_table
from repro.data.pictures.collection import FACE, NO_FACE, Collection
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs
from repro.data.pictures.raw_pictures import Picture, Raw
from repro.data.sources.source_registry import RawOptions, Reader, prepares, reads
from repro.errors import DataError
from repro.study.data_spec import Table, TableNegatives

_WORDS = {"true": 1, "yes": 1, "false": 0, "no": 0}
_NUMBER = re.compile(r"([01])([.,]0+)?", re.ASCII)  # 1, 1.0, 1,00


class Row(NamedTuple):
    """A picture of a table."""

    name: str
    label: int
    group: str


def read(path: Path, *, label: int, groups: tuple[str, ...] = ()) -> Photographs:
    """The pictures with a label, with their groups.

    Args:
        path: Path of the CSV.
        label: 1 for positives, 0 for negatives.
        groups: Columns whose values, joined, form a picture's group; empty for no groups.

    Raises:
        DataError: As for `entries`, or no row has the label.
    """
    found = [row for row in entries(path, groups=groups) if row.label == label]
    if not found:
        raise DataError(f"{path}: no row whose label is {label}")
    return picture_files.photographs(
        path.parent, tuple(row.name for row in found), tuple(row.group for row in found)
    )


def entries(path: Path, *, groups: tuple[str, ...] | None = None) -> list[Row]:
    """All rows, in order.

    Args:
        path: Path of the CSV.
        groups: Columns that make the groups; None for the column ``group``, if there is one.

    Raises:
        DataError: The table or a column is missing, a column has a name similar to ``label`` or
            ``group``, a label is neither 1 nor 0, or a row has no picture or no group.
    """
    found: dict[str, Row] = {}
    mistakes = picture_table.Mistakes(path)
    names = picture_table.GroupNames((picture_table.GROUP,) if groups is None else groups)
    for line, row in picture_table.read(path, *_columns(groups)):
        with mistakes.gathered():
            entry = _entry(row, f"{path}:{line}", path.parent, names)
            if entry.name in found:
                raise DataError(f"{path}:{line}: {entry.name} is in two rows; remove one")
            found[entry.name] = entry
    mistakes.tell()
    if not found:
        raise DataError(f"{path}: no row below the header")
    return list(found.values())


def remarks(path: Path, *, groups: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """What is assumed about a table, and which of its columns are not read.

    Args:
        path: Path of the CSV.
        groups: As for `entries`.

    Raises:
        DataError: As for `entries`, about the header.
    """
    header = picture_table.header(path, *_columns(groups))
    found = []
    if "label" not in header.places:
        found.append(f"{path}: no column 'label', so that every row is taken to be 1")
    if header.others:
        names = picture_files.shown(", ".join(header.others))[:200]
        found.append(f"{path}: columns that are not read, but could make groups: {names}")
    return tuple(found)


def _columns(groups: tuple[str, ...] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The required columns, and the optional ones."""
    if groups is None:
        return ("path",), ("label", picture_table.GROUP)
    return ("path", *groups), ("label",)


def _entry(row: dict[str, str], where: str, root: Path, names: picture_table.GroupNames) -> Row:
    name = picture_table.own_picture(row["path"], where, root)
    label = _label(row.get("label", "1"), where)
    # Negatives need no group, because they show no person.
    grouped = label == 1 and any(column in row for column in names.columns)
    return Row(name, label, names.of(row, where) if grouped else "")


def _label(text: str, where: str) -> int:
    word = text.lower()
    if word in _WORDS:
        return _WORDS[word]
    if number := _NUMBER.fullmatch(word):
        return int(number[1])
    what = picture_files.shown(text)[:50]
    raise DataError(f"{where}: label {what!r} is neither 1 nor 0 (nor TRUE or FALSE, yes or no)")


@reads(Table)
class TableReader(Reader[Table]):
    """The positives as test portraits; all rows for inspection."""

    kind = "csv"

    def open(self, spec: Table) -> Photographs:
        """The rows whose label is 1, with their groups."""
        return read(Path(spec.path), label=1, groups=spec.groups)

    def files(self, spec: Table) -> NamedFiles:
        """The table, and the pictures of its positives."""
        return _files(Path(spec.path), 1)

    def remarks(self, spec: Table) -> tuple[str, ...]:
        """What is assumed about the table."""
        return remarks(Path(spec.path), groups=spec.groups)

    def attributes(self, spec: Table) -> Mapping[str, tuple[str, ...]]:
        """All columns but path and label, of the rows whose label is 1."""
        found = picture_table.columns(Path(spec.path), ("path",))
        low = {name.lower(): cells for name, cells in found.items()}
        said = low.get("label", ("1",) * len(low["path"]))
        positive = [_label(label, spec.path) == 1 for label in said]
        return {
            name: tuple(itertools.compress(cells, positive))
            for name, cells in found.items()
            if name.lower() not in ("path", "label")
        }

    def fits(self, path: Path) -> bool:
        """Whether it has the suffix of a CSV."""
        return path.is_file() and path.suffix.lower() == ".csv"

    def look(self, path: Path, groups: tuple[str, ...]) -> Collection:
        """All rows; by default the column ``group`` makes the groups, if it exists."""
        found = entries(path, groups=groups or None)
        names = tuple(row.name for row in found)
        shown = picture_files.photographs(path.parent, names, tuple(row.group for row in found))
        return Collection(
            *(path, self.kind, names, tuple(FACE if row.label else NO_FACE for row in found)),
            *(shown.groups, shown.read),
            remarks=remarks(path, groups=groups or None),
            files=shown.files,
        )


@reads(TableNegatives)
class TableNegativesReader(Reader[TableNegatives]):
    """The negatives as photographs without a face."""

    def open(self, spec: TableNegatives) -> Photographs:
        """The rows whose label is 0, without groups."""
        return read(Path(spec.path), label=0)

    def files(self, spec: TableNegatives) -> NamedFiles:
        """The table, and the pictures of its negatives."""
        return _files(Path(spec.path), 0)

    def remarks(self, spec: TableNegatives) -> tuple[str, ...]:
        """None: the positives' reader has them."""
        return ()


@prepares("csv")
def raw(path: Path, options: RawOptions) -> Raw:
    """All rows, each with its label and group."""
    groups = options.groups or None
    pictures = tuple(
        Picture(path.parent / row.name, row.name, row.label, row.group)
        for row in entries(path, groups=groups)
    )
    return Raw("csv", pictures, remarks=remarks(path, groups=groups))


def _files(path: Path, label: int) -> NamedFiles:
    found = read(path, label=label)
    return [("", path), *zip(found.names, found.files, strict=True)]
