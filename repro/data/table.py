"""Anybody's pictures by a CSV: columns ``path``, ``label`` (1 or 0) and any columns of groups.

Pictures are named from the folder of the CSV and lie at it or below it. A table without the column
``label`` holds positives alone.
"""

from pathlib import Path
from typing import NamedTuple

from repro.data import folder, rows
from repro.data.sets import Photographs
from repro.errors import DataError


class Row(NamedTuple):
    """A picture of a table."""

    name: str
    label: int
    group: str


def read(path: Path, *, label: int, groups: tuple[str, ...] = ()) -> Photographs:
    """The pictures of a label with their groups.

    Args:
        path: The CSV.
        label: 1 for positives, 0 for negatives.
        groups: Columns whose values, joined, name a picture's group; none for no groups.

    Raises:
        DataError: As for `entries`, or no row has the label.
    """
    found = [row for row in entries(path, groups=groups) if row.label == label]
    if not found:
        raise DataError(f"{path}: no row whose label is {label}")
    return folder.photographs(
        path.parent, tuple(row.name for row in found), tuple(row.group for row in found)
    )


def entries(path: Path, *, groups: tuple[str, ...] = ()) -> list[Row]:
    """All rows, in order.

    Raises:
        DataError: The table or a column is missing, a label is neither 1 nor 0, or a row has no
            picture or no group.
    """
    found: dict[str, Row] = {}
    for line, row in rows.read(path, ("path", *groups)):
        name, where = row["path"], f"{path}:{line}"
        rows.picture(name, where, path.parent)
        if name in found:
            raise DataError(f"{where}: {name} stands in two rows; remove one")
        label = _label(row.get("label", "1"), where)
        # Negatives need no group: they are nobody's.
        group = rows.group(row, where, groups) if groups and label == 1 else ""
        found[name] = Row(name, label, group)
    if not found:
        raise DataError(f"{path}: no row below the header")
    return list(found.values())


def _label(text: str, where: str) -> int:
    if text.strip() not in ("0", "1"):
        what = folder.shown(text)[:50]
        raise DataError(f"{where}: label {what!r} is neither 1 nor 0; 1 is what is looked for")
    return int(text)
