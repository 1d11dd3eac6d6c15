"""The Pilot Parliaments Benchmark's folder: ``imgs/`` and ``PPB-2017-metadata.csv``.

Copies of the metadata end their lines with CR, LF or CRLF, and name the columns beside
``filename`` differently; only ``filename`` and the columns that make the groups are needed.
Every row has a picture, and every picture a row, so that no part of the benchmark is lost unseen.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from repro.data import folder
from repro.data.sets import Photographs
from repro.errors import DataError

METADATA = "PPB-2017-metadata.csv"
PICTURES = "imgs"
MOST_BYTES = 2**24  # of the metadata; the benchmark's have 57,149


def read(path: Path, *, groups: tuple[str, ...]) -> Photographs:
    """The portraits with their groups.

    Args:
        path: Folder that holds the metadata and the pictures' folder.
        groups: Columns whose values, joined, name a portrait's group: ``darker_female``.

    Raises:
        DataError: A file is missing, a column is missing, a row has no picture or no group, or a
            picture has no row.
    """
    table = path / METADATA
    lines: dict[str, int] = {}
    labels = []
    for line, row in _rows(table, ("filename", *groups)):
        name, group = _portrait(row, f"{table}:{line}", path / PICTURES, groups)
        if lines.setdefault(name, line) != line:
            raise DataError(f"{table}:{line}: {name} stands in two rows, first in {lines[name]}")
        labels.append(group)
    if not labels:
        raise DataError(f"{table}: no row below the header")
    _require_rows(table, path / PICTURES, lines)
    names = tuple(lines)
    return Photographs(
        names, tuple(labels), lambda index: folder.read_picture(path / PICTURES / names[index])
    )


def _rows(table: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells by column of each row that is not blank."""
    rows = csv.reader(io.StringIO(_text(table), newline=""), strict=True)
    header: list[str] = []
    line = 1
    try:
        for cells in rows:
            if not header:
                header = cells
                _require_columns(table, header, needed)
            elif cells:
                if len(cells) != len(header):
                    count = f"{len(cells)} cells, but the header has {len(header)} columns"
                    raise DataError(f"{table}:{line}: {count}")
                yield line, dict(zip(header, cells, strict=True))
            line = rows.line_num + 1
    except csv.Error as error:
        raise DataError(f"{table}:{line}: is no CSV ({error})") from None
    if not header:
        raise DataError(f"{table}: is empty; the first line names the columns")


def _text(table: Path) -> str:
    try:
        if not table.is_file():
            raise DataError(
                f"{table}: there is no such file, or it is no ordinary one; "
                "give the folder that holds it"
            )
        with table.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise DataError(f"{table}: more than {MOST_BYTES:,} bytes; give the benchmark's table")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{table}: cannot be read as text in UTF-8 ({error})") from None


def _require_columns(table: Path, header: list[str], needed: tuple[str, ...]) -> None:
    for name in needed:
        if header.count(name) != 1:
            what = "no column" if name not in header else "more than one column"
            found = folder.shown(", ".join(header))[:200]
            raise DataError(f"{table}: {what} '{name}'; the columns are {found or 'none'}")


def _portrait(
    row: Mapping[str, str], where: str, pictures: Path, groups: tuple[str, ...]
) -> tuple[str, str]:
    """The name of a row's picture, and its group."""
    name, values = row["filename"], [row[column].strip() for column in groups]
    for column, value in zip(groups, values, strict=True):
        if not value:
            raise DataError(f"{where}: no value in column '{column}'")
        if len(value) > 100 or not value.isprintable():
            raise DataError(f"{where}: {folder.shown(value)[:50]!r} is no group for '{column}'")
    folder.require_plain(name, f"{where}: {name[:200]}")
    if not _is_file_in(pictures, name):
        raise DataError(f"{where}: no picture {str(pictures / name)[:4096]} for this row")
    return name, "_".join(value.lower().replace(" ", "_") for value in values)


def _require_rows(table: Path, pictures: Path, named: Mapping[str, int]) -> None:
    """A picture that the table does not name was lost from it, or is none of the benchmark's."""
    strays = sorted(f.name for f in pictures.iterdir() if folder.is_picture(f))
    strays = [name for name in strays if name not in named]
    if strays:
        raise DataError(
            f"{table}: no row for {folder.shown(strays[0])}, which is one of {len(strays):,} such "
            f"pictures; complete the table, or take them out of {PICTURES}/"
        )


def _is_file_in(pictures: Path, name: str) -> bool:
    """Whether an ordinary file directly in the folder is called so."""
    try:
        return Path(name).name == name and (pictures / name).is_file()
    except OSError:  # a name of absurd length
        return False
