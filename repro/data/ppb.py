"""The Pilot Parliaments Benchmark's folder: ``imgs/`` and ``PPB-2017-metadata.csv``.

Copies of the metadata end their lines with CR, LF or CRLF, and name the columns beside
``filename`` differently; only ``filename`` and the columns that make the groups are needed.
"""

import csv
from pathlib import Path

from repro.data import folder
from repro.data.sets import Photographs
from repro.errors import DataError

METADATA = "PPB-2017-metadata.csv"
PICTURES = "imgs"


def read(path: Path, *, groups: tuple[str, ...]) -> Photographs:
    """The portraits with their groups.

    Args:
        path: Folder that holds the metadata and the pictures' folder.
        groups: Columns whose values, joined, name a portrait's group: ``darker_female``.

    Raises:
        DataError: A file is missing, a column is missing, a row has no picture or no group.
    """
    table = path / METADATA
    if not table.is_file():
        raise DataError(f"{table}: there is no such file; give the folder that holds it")
    try:
        lines = table.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{table}: cannot be read as text ({error})") from None
    rows = csv.DictReader(lines)
    missing = [name for name in ("filename", *groups) if name not in (rows.fieldnames or ())]
    if missing:
        found = ", ".join(rows.fieldnames or ()) or "none"
        raise DataError(f"{table}: no column '{missing[0]}'; the columns are {found}")
    labelled = [_portrait(row, table, number, groups) for number, row in enumerate(rows, 2)]
    if not labelled:
        raise DataError(f"{table}: no row below the header")
    names = tuple(name for name, _ in labelled)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{table}: {twice} stands in two rows")
    return Photographs(
        names,
        tuple(group for _, group in labelled),
        lambda index: folder.read_picture(path / PICTURES / names[index]),
    )


def _portrait(
    row: dict[str, str | None], table: Path, number: int, groups: tuple[str, ...]
) -> tuple[str, str]:
    name, values = row["filename"] or "", [row[column] or "" for column in groups]
    if not all(values):
        empty = groups[values.index("")]
        raise DataError(f"{table}:{number}: no value in column '{empty}'")
    picture = table.parent / PICTURES / name
    if not name or Path(name).name != name or not picture.is_file():
        raise DataError(f"{table}:{number}: no picture {picture} for this row")
    return name, "_".join(value.strip().lower().replace(" ", "_") for value in values)
