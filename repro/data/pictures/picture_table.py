"""Tables of pictures: CSV with a header, every mistake with its line.

Columns are found by name without case and blanks. A name that is close to one that was looked for
in vain is refused: it would be passed over in silence.
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

MOST_BYTES = 2**24  # of a table; the largest that is published, FairFace's, has 5,000,000
MOST_TOLD = 10  # mistakes in rows
GROUP = "group"  # the column of groups in tables of the user's own, unless others are named
CLOSE = 0.78  # of 1, as `difflib` has it: "lable" and "label" are 0.8 alike, "image" and "age" 0.75
# What people call these columns, too, without case and anything but letters.
SYNONYMS = {
    "label": {"lbl", "isface", "face", "hasface", "target", "class", "y", "positive", "ispositive"},
    "path": {"file", "filename", "filepath", "image", "imagepath", "img", "picture", "photo"},
    "group": {"subgroup", "grp"},
}


@dataclass(frozen=True, slots=True)
class Header:
    """The names in the first line.

    Attributes:
        table: The file.
        line: Of the names.
        written: As they stand there.
        places: Of the columns that were asked for, by the name that they were asked by.
    """

    table: Path
    line: int
    written: tuple[str, ...]
    places: Mapping[str, int]

    @property
    def others(self) -> tuple[str, ...]:
        """Names of the columns that were not asked for; those without a name are none."""
        asked = set(self.places.values())
        return tuple(name for i, name in enumerate(self.written) if name and i not in asked)


@dataclass(frozen=True, slots=True)
class Mistakes:
    """What is wrong with a table's rows: all of it is told at once.

    Attributes:
        told: A sentence each.
    """

    table: Path
    told: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep what is wrong with one row, and go on."""
        try:
            yield
        except DataError as error:
            self.told.append(str(error))

    def tell(self) -> None:
        """Refuse the table if anything is wrong.

        Raises:
            DataError: The first ten mistakes, and how many there are.
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
    """Find columns in the first line.

    Args:
        table: The CSV file.
        needed: Columns that must be there, once each.
        optional: Columns that need not be there; but none may be there that is called nearly so.

    Raises:
        DataError: The file is missing or no CSV, a column is missing, stands there twice, or is
            nearly called as one that is missing.
    """
    for line, cells in _lines(table):
        return _found(table, line, cells, needed, optional)
    raise DataError(f"{table}: is empty; the first line names the columns")


def read(
    table: Path, needed: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells of each row that is not blank, by the columns that are asked for.

    Args:
        table: The CSV file.
        needed: As for `header`.
        optional: As for `header`; left out of the rows where the table has none.

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
            raise DataError(
                f"{where}: {picture_files.shown(value)[:50]!r} is not a group for '{column}'"
            )
    return "_".join(value.lower().replace(" ", "_") for value in values)


def picture(name: str, where: str, root: Path) -> Path:
    """The picture that a row of a published data set names, at or below its folder.

    Args:
        name: As the row has it, relative to the folder.
        where: Place of the row, for messages.
        root: The folder, which the name must not lead out of.

    Raises:
        DataError: The name cannot be shown, leads elsewhere, or no ordinary file bears it.
    """
    picture_files.require_plain(name, f"{where}: {name[:200]}")
    relative = Path(name)
    inside = not relative.is_absolute() and ".." not in relative.parts
    if inside and relative.as_posix() == name and _is_file(root / relative):
        return root / relative
    raise _no_picture(name, where, root)


def own_picture(name: str, where: str, root: Path) -> str:
    """The picture that a row of the user's own table names, as its shortest name from a folder on.

    It may lie anywhere, because whoever names his table means what is in it; and only pictures are
    read. Its name never begins with the root of the disk: it is the same wherever the folder lies,
    if it lies at or below it.

    Args:
        name: As the row has it: relative to the folder or absolute, with slashes or backslashes.
        where: Place of the row, for messages.
        root: The folder.

    Raises:
        DataError: The name cannot be shown, or no ordinary file bears it.
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
    same = short == name or (root / short).samefile(root / name)  # not so if links lead elsewhere
    return short if same else name


def _no_picture(name: str, where: str, root: Path) -> DataError:
    return DataError(f"{where}: no picture {str(root / name)[:4096]} for this row")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name of absurd length
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
    """Where the columns are."""
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
    hint = f". Did you mean '{picture_files.shown(close)}'? Rename it to '{name}'" if close else ""
    if name == GROUP:
        hint += ", or say which columns make groups: groups: [COLUMN]"
    return DataError(
        f"{header.table}:{header.line}: no column '{name}'; the columns are {names}{hint}"
    )


def _close(name: str, others: Sequence[str]) -> str | None:
    """The one of the other columns that may be meant by the name."""
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
