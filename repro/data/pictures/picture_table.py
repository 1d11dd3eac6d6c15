"""CSV tables of pictures with a header; every error is reported with its line.

Columns are matched by name, ignoring case and blanks. If a column is missing and a similar name
exists, that is an error: otherwise it would be silently ignored.
"""

import contextlib
import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from repro.data.pictures import picture_files
from repro.errors import DataError
from repro.system import csv_file

MOST_BYTES = 2**24  # of a table; the largest published one, FairFace's, has 5,000,000
MOST_TOLD = 10  # maximum number of reported errors in rows
GROUP = "group"  # default column of groups in the user's own tables
PERSON = "person"  # column of the persons of folders
CLOSE = 0.78  # similarity of `difflib`: "lable" and "label" have 0.8, "image" and "age" 0.75
# Synonyms of these columns, reduced to lower-case letters.
SYNONYMS = {
    "label": {"lbl", "isface", "face", "hasface", "target", "class", "y", "positive", "ispositive"},
    "path": {"file", "filename", "filepath", "image", "imagepath", "img", "picture", "photo"},
    "group": {"subgroup", "grp"},
}


@dataclass(frozen=True, slots=True)
class Header:
    """The names in the first line.

    Attributes:
        table: Path of the file.
        line: Line number of the header.
        written: The names as written.
        places: Positions of the requested columns, by requested name.
    """

    table: Path
    line: int
    written: tuple[str, ...]
    places: Mapping[str, int]

    @property
    def others(self) -> tuple[str, ...]:
        """Names of the columns that were not requested, without empty names."""
        asked = set(self.places.values())
        return tuple(name for i, name in enumerate(self.written) if name and i not in asked)


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Collects errors in a table's rows, in order to report all of them at once.

    Attributes:
        told: One sentence per error.
    """

    table: Path
    told: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """Collect the errors of one row, and continue."""
        try:
            yield
        except DataError as error:
            self.told.append(str(error))

    def tell(self) -> None:
        """Reject the table if there are any errors.

        Raises:
            DataError: The first ten errors, and their number.
        """
        if len(self.told) == 1:
            raise DataError(self.told[0])
        if self.told:
            more = len(self.told) - MOST_TOLD
            lines = [*self.told[:MOST_TOLD], *([f"and {more:,} more"] if more > 0 else [])]
            raise DataError(
                f"{self.table}: {len(self.told):,} rows are wrong:\n  " + "\n  ".join(lines)
            )


def header(table: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> Header:
    """Find columns in the header.

    Args:
        table: The CSV file.
        needed: Columns that must exist, once each.
        optional: Columns that may be missing; but no similar name may exist.

    Raises:
        DataError: The file is missing or not a CSV, a column is missing, duplicate, or has a name
            similar to a missing one.
    """
    for line, cells in _lines(table):
        return _found(table, line, cells, needed, optional)
    raise DataError(f"{table}: is empty; the first line names the columns")


def read(
    table: Path, needed: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells of each row that is not blank, by requested column.

    Args:
        table: The CSV file.
        needed: As for `header`.
        optional: As for `header`; omitted from the rows if the table lacks them.

    Raises:
        DataError: As for `header`, or a row has too few or too many cells.
    """
    lines = _lines(table)
    first = next(lines, None)
    if first is None:
        raise DataError(f"{table}: is empty; the first line names the columns")
    found = _found(table, *first, needed, optional)
    for line, cells in lines:
        if len(cells) != len(found.written):
            count = f"{len(cells)} cells, but the header has {len(found.written)} columns"
            raise DataError(f"{table}:{line}: {count}")
        if tuple(cells) == found.written:
            raise DataError(f"{table}:{line}: the header again; remove this line")
        yield line, {name: cells[place] for name, place in found.places.items()}


def columns(table: Path, needed: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """All columns of a table whose name occurs once, by name: the cells of each row, in order.

    Args:
        table: The CSV file.
        needed: Columns that must exist, once each.

    Raises:
        DataError: As for `read`.
    """
    found = header(table, needed)
    low = [" ".join(name.lower().split()) for name in found.written]
    names = [name for name, one in zip(found.written, low, strict=True) if low.count(one) == 1]
    names = [name for name in names if name]
    rows = [row for _, row in read(table, names)]
    return {name: tuple(row[name] for row in rows) for name in names}


def wide(table: Path, needed: Sequence[str]) -> csv_file.Columns:
    """The short columns of a published table of any size, see `csv_file.columns`.

    Args:
        table: The CSV file, separated by commas.
        needed: Columns that must exist, with exactly these names.

    Raises:
        DataError: The file is missing or not a CSV, or a column is missing.
    """
    if not _is_file(table):
        raise DataError(f"{table}: file not found, or not a regular file; unpack the archive again")
    try:
        found = csv_file.columns(table)
    except csv_file.NotCsv as error:
        place = f"{table}:{error.line}" if error.line else str(table)
        raise DataError(f"{place}: {error}") from None
    for name in needed:
        if name not in found.cells:
            why = "has cells that are too long for it" if name in found.long else "is not there"
            raise DataError(f"{table}:1: the column {name!r} {why}; unpack the table again")
    return found


@dataclass(frozen=True, slots=True)
class GroupNames:
    """Names of groups by the values of columns, no two combinations of values under one name.

    Attributes:
        columns: Columns that make the group, in order.
        known: The values behind each name, apart from case, and where they are first.
    """

    columns: tuple[str, ...]
    known: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)

    def of(self, row: Mapping[str, str], where: str) -> str:
        """The group of a row: its values in lower case, joined, as in ``darker_female``.

        Args:
            row: Cells by column.
            where: Position of the row, for messages.

        Raises:
            DataError: A value is missing, cannot be shown in a table, or makes with the others the
                same name as other values did.
        """
        values = [row[column].strip() for column in self.columns]
        for column, value in zip(self.columns, values, strict=True):
            if not value:
                raise DataError(f"{where}: no value in column '{column}'")
            if len(value) > 100 or not value.isprintable():
                raise DataError(
                    f"{where}: {picture_files.shown(value)[:50]!r} is not a group for '{column}'"
                )
        lower = tuple(value.lower() for value in values)
        name = "_".join(lower).replace(" ", "_")
        first, place = self.known.setdefault(name, (lower, where))
        if first != lower:
            raise DataError(
                f"{where}: {' and '.join(map(repr, lower))} would be the same group, {name}, as "
                f"{' and '.join(map(repr, first))} in {place}; change one of them"
            )
        return name


def picture(name: str, where: str, root: Path) -> Path:
    """The picture that a row of a published data set names, in its folder or a subfolder.

    Args:
        name: As in the row, relative to the folder.
        where: Position of the row, for messages.
        root: The folder, which the name must not lead out of.

    Raises:
        DataError: The name cannot be shown, leads outside, or is not a regular file.
    """
    picture_files.require_plain(name, f"{where}: {name[:200]}")
    relative = Path(name)
    inside = not relative.is_absolute() and ".." not in relative.parts
    if inside and relative.as_posix() == name and _is_file(root / relative):
        return root / relative
    raise _no_picture(name, where, root)


def own_picture(name: str, where: str, root: Path) -> str:
    """The picture that a row of the user's own table names, as its shortest name from a folder on.

    It may be anywhere, because users know the content of their own tables; and only pictures are
    read. The name never begins with the root of the disk: it is the same wherever the folder is, if
    the picture is in it or in a subfolder.

    Args:
        name: As in the row: relative to the folder or absolute, with slashes or backslashes.
        where: Position of the row, for messages.
        root: The folder.

    Raises:
        DataError: The name cannot be shown, or is not a regular file.
    """
    picture_files.require_plain(name, f"{where}: {name[:200]}")
    for spelling in dict.fromkeys((name, name.replace("\\", "/"))):
        if spelling and _is_file(root / spelling):
            return _shortest(spelling, root)
    if re.match(r"[A-Za-z]:[\\/]", name):
        raise DataError(f"{where}: no picture {name[:4096]} here; begin at the folder of the table")
    raise _no_picture(name, where, root)


def _shortest(name: str, root: Path) -> str:
    short = os.path.relpath(root / name, root)
    same = short == name or (root / short).samefile(root / name)  # false if links lead elsewhere
    return short if same else name


def _no_picture(name: str, where: str, root: Path) -> DataError:
    return DataError(f"{where}: no picture {str(root / name)[:4096]} for this row")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # an overlong name
        return False


def _lines(table: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        if not table.is_file():
            raise DataError(
                f"{table}: file not found, or not a regular file; give the folder that holds it"
            )
        yield from csv_file.read(table, most_bytes=MOST_BYTES)
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror})") from None
    except csv_file.NotCsv as error:
        place = f"{table}:{error.line}" if error.line else str(table)
        raise DataError(f"{place}: {error}") from None


def _found(
    table: Path, line: int, cells: Sequence[str], needed: Sequence[str], optional: Sequence[str]
) -> Header:
    """The positions of the columns."""
    low = [" ".join(name.lower().split()) for name in cells]
    places = {}
    for name in dict.fromkeys((*needed, *optional)):
        wanted = " ".join(name.lower().split())
        if low.count(wanted) > 1:
            raise DataError(f"{table}:{line}: more than one column '{name}'; keep one")
        if wanted in low:
            places[name] = low.index(wanted)
    found = Header(table, line, tuple(cells), places)
    for name in needed:
        if name not in places:
            raise _missing(found, name)
    for name in optional:
        if name not in places and (close := _close(name, found.others)):
            shown = picture_files.shown(close)
            raise DataError(
                f"{table}:{line}: no column '{name}'; did you mean '{shown}'? Rename it to "
                f"'{name}'; if it is something else, name it as a group (--group {shown}, or "
                f"groups: [{shown}] in a study) or rename it to something else"
            )
    return found


def _missing(header: Header, name: str) -> DataError:
    close = _close(name, header.others)
    names = picture_files.shown(", ".join(header.written))[:200]
    hint = f". Did you mean '{picture_files.shown(close)}'?" if close else ""
    if close and name in SYNONYMS:  # the names of others are the user's choice
        hint += f" Rename it to '{name}'"
    if name == GROUP:
        hint += ", or say which columns make groups: groups: [COLUMN]"
    return DataError(
        f"{header.table}:{header.line}: no column '{name}'; the columns are {names}{hint}"
    )


def _close(name: str, others: Sequence[str]) -> str | None:
    """Another column that the name may have been meant for."""
    key = _letters(name)
    for other in others:
        letters = _letters(other)
        alike = difflib.SequenceMatcher(None, letters, key).ratio()
        holds = name != GROUP and key in letters  # "true_label"; but an "age_group" is a group
        if letters and (holds or letters in SYNONYMS.get(key, ()) or alike >= CLOSE):
            return other
    return None


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
