"""A CSV file -> its header and rows, with their positions and problems.

This module knows names and units of columns, but not the kinds of files. It collects all problems
by line and column, so that they can be reported at once; nothing is raised.
A file may be hostile: it is read up to a limit, and cells with invisible characters or spreadsheet
formulas are refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from unicodedata import category

from repro.analysis.wording import count
from repro.stats.forensics import Printed
from repro.system import csv_file

MOST_BYTES = 2_000_000
MOST_ROWS = 20_000
MOST_COLUMNS = 200
MOST_LETTERS = 200  # of a cell
MOST_DECIMALS = 25
MOST_PORTRAITS = 10**9
UNITS = {
    "percent": "percent",
    "%": "percent",
    "percent squared": "percent",
    "%^2": "percent",
    "%²": "percent",
    "fraction": "fraction",
    "fraction squared": "fraction",
}
ARM = ("arm", "alpha")
MEANS = frozenset(
    f"{word}{unit}"
    for word in ("recall", "mean_accuracy")
    for unit in ("", "_percent", "_fraction")
)
ACCURACIES = frozenset({"accuracy", "accuracy_percent", "accuracy_fraction"})
VARIANCES = frozenset({"variance", "variance_percent", "variance_fraction"})
PER_RUN = frozenset({"run", "group", "n"})
KNOWN = frozenset({*ARM, *PER_RUN, "detected", "overall"}) | MEANS | ACCURACIES | VARIANCES
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of a line by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class Sheet:
    """The rows of a file, and the problems found so far.

    Attributes:
        written: Each column as written in the header.
        found: Problems with their lines.
    """

    path: Path
    written: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    found: list[tuple[int, str]] = field(default_factory=list)

    @property
    def problems(self) -> tuple[str, ...]:
        """Sorted by line; those of the whole file first."""
        return tuple(text for _, text in sorted(self.found, key=lambda problem: problem[0]))

    def refuse(self, message: str) -> None:
        """Note a problem of the whole file."""
        self.found.append((0, f"{self.path}: {message}"))

    def report(self, line: int, message: str, column: str | None = None) -> None:
        """Note a problem by line, and by column if it concerns one cell."""
        where = "" if column is None else f" column '{self.written.get(column, column)}':"
        self.found.append((line, f"{self.path}:{line}:{where} {message}"))

    def number(self, row: Row, column: str, *, most: float) -> Decimal | None:
        """A cell's number, in [0, most]."""
        text = row.cells[column]
        if not text:
            problem = "is empty"
        elif not NUMBER.fullmatch(text):
            problem = f"{_quoted(text)} is not a number"
            if NUMBER.fullmatch(text.replace(",", ".")):
                problem += ": write a decimal point, not a comma"
        elif (value := Decimal(text)) < 0:
            problem = f"{_short(text)} is negative"
        elif value > most:
            problem = f"{_short(text)} is more than {most:.10g}"
        elif Printed(value).decimals > MOST_DECIMALS:
            problem = f"{_short(text)} has more than {MOST_DECIMALS} decimals"
        else:
            return value
        self.report(row.line, problem, column)
        return None

    def whole(self, row: Row, column: str) -> int | None:
        """A cell's count, 0 or more."""
        text = row.cells[column]
        if NUMBER.fullmatch(text) and not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
            self.report(row.line, f"{_short(text)} is not a whole number", column)
            return None
        value = self.number(row, column, most=MOST_PORTRAITS)
        return None if value is None else int(value)


def fill(sheet: Sheet) -> list[str]:
    """Read the lines of its file into an empty sheet.

    Args:
        sheet: Collects what cannot be read, and rows that do not match the header.

    Returns:
        Columns of the header, units in words; empty if nothing was read.
    """
    lines = _lines(sheet)
    _, header = next(lines, (0, []))
    if not header:
        if not sheet.found:
            sheet.refuse("is empty: the first line names the columns")
        return []
    if len(header) > MOST_COLUMNS:
        sheet.report(1, f"more than {MOST_COLUMNS} columns")
        return []
    columns = [_canonical(name) for name in header]
    sheet.written = dict(zip(columns, header, strict=True))
    for line, cells in lines:
        if len(sheet.rows) == MOST_ROWS:
            sheet.report(line, f"more than {MOST_ROWS:,} rows: leave some out")
            break
        if len(cells) == len(columns):
            sheet.rows.append(Row(line, dict(zip(columns, cells, strict=True))))
        else:
            columns_are = count(len(columns), "column")
            sheet.report(line, f"{count(len(cells), 'cell')}, but the header has {columns_are}")
    return columns


def _lines(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every line that is not blank."""
    try:
        for line, cells in csv_file.read(sheet.path, most_bytes=MOST_BYTES):
            if _are_plain(sheet, line, cells):
                yield line, [csv_file.as_meant(cell) for cell in cells]
    except csv_file.NotCsv as error:
        if error.line:
            sheet.report(error.line, str(error))
        else:
            sheet.refuse(str(error))


def _are_plain(sheet: Sheet, line: int, cells: Sequence[str]) -> bool:
    """Whether the cells are safe to show in tables and to open in other programs."""
    for cell in cells:
        if len(cell) > MOST_LETTERS:
            problem = f"a cell of {len(cell):,} characters: write {MOST_LETTERS} at most"
        elif not cell.isprintable() and any(map(_hides, cell)):
            problem = f"{_quoted(cell)} has invisible characters: remove them"
        elif cell.startswith(("=", "+", "-", "@")) and not NUMBER.fullmatch(cell):
            problem = f"{_quoted(cell)} begins like a spreadsheet formula: write it differently"
        else:
            continue
        sheet.report(line, problem)
        return False
    return True


def refuse_fractions(sheet: Sheet, column: str, cells: Sequence[Printed], advice: str) -> None:
    """Report a column of percentages of which none is above 1: they seem to be fractions.

    Args:
        sheet: Collects the problem.
        column: Of the header.
        cells: All numbers of the column that could be read.
        advice: What to do; the end of the message.
    """
    if cells and all(cell.value <= 1 for cell in cells):
        message = f"no value is above 1, so they seem to be fractions, not percent: {advice}"
        sheet.report(1, message, column)


def _canonical(name: str) -> str:
    """A column's name with its unit in words; names of groups stay as they are."""
    low = " ".join(name.lower().replace("_", " ").split())
    found = re.fullmatch(r"(accuracy|mean accuracy|recall|variance) *[(\[]?([^)\]]*)[)\]]?", low)
    if found and found.group(2).strip() in UNITS:
        return f"{found.group(1).replace(' ', '_')}_{UNITS[found.group(2).strip()]}"
    joined = low.replace(" ", "_")
    return joined if joined in KNOWN else name.strip()


def _hides(letter: str) -> bool:
    return not letter.isprintable() and category(letter) != "Zs"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _quoted(text: str) -> str:
    return repr(_short(text))
