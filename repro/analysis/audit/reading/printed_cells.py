"""The text of a cell, under its column's role -> a number in percent, or a count.

Problems are reported by line and column. Shares are percent, variances percent squared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from repro.analysis.audit.reading.cell_text import CellText, NotANumber, read_cell
from repro.analysis.audit.reading.column_roles import Column, Reading
from repro.analysis.audit.reading.description import Description, Unit
from repro.analysis.audit.reading.grid import Grid, GridRow
from repro.analysis.audit.reading.problems import Problems, short
from repro.analysis.audit.reading.published_table import Cell, Role
from repro.stats.forensics import Printed

LEVELS: tuple[Role, ...] = ("share", "margin", "overall", "worst", "best")
MOST_PORTRAITS = 10**9
MOST_ALPHA = 10**9
# Two groups at 0 and 100 % have the largest variance, 5,000 with ddof 1, and sd, 70.8.
MOST: dict[Role, Decimal] = {"variance": Decimal(5000), "sd": Decimal(71)}


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one table.

    Attributes:
        unit: Of shares whose column and cell say none.
    """

    grid: Grid
    reading: Reading
    unit: Unit | None
    problems: Problems

    def text(self, row: GridRow, column: Column) -> str:
        """As printed."""
        return row.cells[column.at]

    def parsed(self, row: GridRow, column: Column) -> CellText | None:
        """What the cell says; None if that is reported."""
        try:
            return read_cell(self.text(row, column), self.grid.decimal_mark)
        except NotANumber as error:
            self.problems.report(row.line, str(error), column.written)
            return None

    def number(self, row: GridRow, column: Column, most: int) -> Decimal | None:
        """A number in [0, most]; None if it is none, which is reported."""
        said = self.parsed(row, column)
        if said is None:
            return None
        text = short(self.text(row, column))
        if said.state != "number" or said.value is None:
            problem = f"'{text}' is not a number" if text else "is empty"
        elif said.value < 0:
            problem = f"{text} is negative"
        elif said.value > most:
            problem = f"{text} is more than {most}"
        else:
            return said.value
        self.problems.report(row.line, problem, column.written)
        return None

    def count(self, row: GridRow, column: Column) -> int | None:
        """A count; None where there is no number, or none that can be: that is reported."""
        said = self.parsed(row, column)
        if said is None or said.state in ("missing", "failed"):
            return None
        value = self.number(row, column, MOST_PORTRAITS)
        if value is None:
            return None
        if value != value.to_integral_value():
            problem = f"{short(self.text(row, column))} is not a whole number"
            self.problems.report(row.line, problem, column.written)
            return None
        return int(value)

    def is_without(self, row: GridRow, column: Column) -> bool:
        """Whether the cell says that there is no number."""
        try:
            said = read_cell(self.text(row, column), self.grid.decimal_mark)
        except NotANumber:
            return False
        return said.state in ("missing", "failed")

    def cell(self, row: GridRow, column: Column) -> Cell | None:
        """A share, or an aggregate of shares; None if its problem is reported."""
        said = self.parsed(row, column)
        if said is None:
            return None
        text = self.text(row, column)
        if said.value is None:
            return Cell(row.line, column.written, text, said.state)
        unit = "percent" if said.percent else column.name.unit or self.unit
        value = self._in_percent(row, column, said.value, unit)
        error = said.error
        if error is None:
            error = self._beside(row, column)
        if value is None:
            return None
        spread = None if error is None else Printed(_scaled(error, column, unit))
        return Cell(row.line, column.written, text, said.state, Printed(value), spread)

    def _in_percent(
        self, row: GridRow, column: Column, number: Decimal, unit: Unit | None
    ) -> Decimal | None:
        """The number; a share of fractions may be above 1: that is a finding, not a mistake."""
        text, most = short(self.text(row, column)), MOST.get(column.role or "share", Decimal(100))
        if number < 0:
            self.problems.report(row.line, f"{text} is negative", column.written)
        elif number > most:
            self.problems.report(row.line, f"{text} is more than {most}", column.written)
        else:
            return _scaled(number, column, unit)
        return None

    def _beside(self, row: GridRow, column: Column) -> Decimal | None:
        """The number of the column that holds this one's error."""
        for other in self.reading.of("error"):
            if other.of == column.at:
                said = self.parsed(row, other)
                return said.value if said and said.state == "number" else None
        return None


def _scaled(number: Decimal, column: Column, unit: Unit | None) -> Decimal:
    power = 4 if column.role == "variance" else 2
    return number.scaleb(power) if unit == "fraction" else number


# Units


def unit_of(grid: Grid, reading: Reading, description: Description) -> Unit | None:
    """The unit of the shares whose columns say none; None if nothing tells it.

    A share above 1 is in percent. A table of which no share is above 1 may be of fractions, or of
    small percentages.
    """
    if description.unit is not None:
        return description.unit
    said = {c.name.unit for c in reading.columns if c.role in LEVELS and c.name.unit}
    if len(said) == 1:
        return said.pop()
    numbers = list(_levels(grid, reading))
    return "percent" if any(limit < value for value, limit in numbers) else None


def all_above_one(grid: Grid, reading: Reading) -> bool:
    """Whether no share without a unit of its own can be a fraction, of two or more."""
    numbers = [value > limit for value, limit in _levels(grid, reading) if value]
    return len(numbers) > 1 and all(numbers)


def needs_unit(grid: Grid, reading: Reading) -> bool:
    """Whether some share has no unit of its own."""
    return next(_levels(grid, reading), None) is not None


def _levels(grid: Grid, reading: Reading) -> Iterator[tuple[Decimal, Decimal]]:
    """Every share without a unit, and the most that it can be as a fraction."""
    levels = [c for c in reading.columns if c.role in LEVELS and not c.name.unit]
    further: tuple[Role, ...] = () if levels else ("variance", "gap", "sd")
    rest = [c for c in reading.columns if c.role in further and not c.name.unit]
    for column in levels or rest:
        limit = Decimal("0.5") if column.role == "variance" else Decimal(1)
        for row in grid.rows:
            try:
                said = read_cell(row.cells[column.at], grid.decimal_mark)
            except NotANumber:
                continue
            if said.value is not None and not said.percent:
                yield said.value, limit
