"""Tables of pictures: CSV with a header, read strictly, every mistake with its line.

Copies of one table end their lines with CR, LF or CRLF, and may begin with a mark of UTF-8.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from repro.data import folder
from repro.errors import DataError

MOST_BYTES = 2**24  # of a table; the largest that is published, FairFace's, has 5,000,000


def read(table: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells by column of each row that is not blank.

    Args:
        table: The CSV file.
        needed: Columns that must be there, once each.

    Raises:
        DataError: The file is missing or no CSV, a column is missing, or a row has too few or too
            many cells.
    """
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


def columns(table: Path) -> tuple[str, ...]:
    """The names in the first line.

    Raises:
        DataError: The file is missing, empty or no text.
    """
    try:
        return tuple(next(csv.reader(io.StringIO(_text(table), newline=""), strict=True)))
    except (csv.Error, StopIteration):
        raise DataError(f"{table}: is empty; the first line names the columns") from None


def group(row: Mapping[str, str], where: str, columns: tuple[str, ...]) -> str:
    """The group of a row: its values in lower case, joined, as in ``darker_female``.

    Args:
        row: Cells by column.
        where: Place of the row, for messages.
        columns: Those that make the group, in order.

    Raises:
        DataError: A value is missing, or cannot be shown in a table.
    """
    values = [row[column].strip() for column in columns]
    for column, value in zip(columns, values, strict=True):
        if not value:
            raise DataError(f"{where}: no value in column '{column}'")
        if len(value) > 100 or not value.isprintable():
            raise DataError(f"{where}: {folder.shown(value)[:50]!r} is no group for '{column}'")
    return "_".join(value.lower().replace(" ", "_") for value in values)


def picture(name: str, where: str, root: Path) -> Path:
    """The picture that a row names, at or below a folder.

    Args:
        name: As the row has it, relative to the folder.
        where: Place of the row, for messages.
        root: The folder, which the name must not lead out of.

    Raises:
        DataError: The name cannot be shown, leads elsewhere, or no ordinary file bears it.
    """
    folder.require_plain(name, f"{where}: {name[:200]}")
    relative = Path(name)
    try:
        inside = not relative.is_absolute() and ".." not in relative.parts
        if inside and relative.as_posix() == name and (root / relative).is_file():
            return root / relative
    except OSError:  # a name of absurd length
        pass
    raise DataError(f"{where}: no picture {str(root / name)[:4096]} for this row")


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
            raise DataError(f"{table}: more than {MOST_BYTES:,} bytes; split the table")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{table}: cannot be read as text in UTF-8 ({error})") from None


def _require_columns(table: Path, header: list[str], needed: tuple[str, ...]) -> None:
    for name in needed:
        if header.count(name) != 1:
            what = "no column" if name not in header else "more than one column"
            found = folder.shown(", ".join(header))[:200]
            raise DataError(f"{table}: {what} '{name}'; the columns are {found or 'none'}")
