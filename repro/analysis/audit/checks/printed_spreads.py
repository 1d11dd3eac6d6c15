"""A printed spread between the groups, with what chance needs to know of its row."""

import math
from dataclasses import dataclass
from typing import Literal

from repro.analysis.audit.checks.group_shares import divisions, shares_of
from repro.analysis.audit.checks.printed_shares import row_name, runs_behind
from repro.analysis.audit.reading.description import Measure
from repro.analysis.audit.reading.published_table import Cell, PublishedTable, Row
from repro.stats import chance
from repro.stats.chance import EqualGroups, Law, Quantity
from repro.stats.disparity import Definition
from repro.stats.forensics import Printed

Column = Literal["variance", "sd", "gap", "worst"]
COLUMNS: tuple[Column, ...] = ("variance", "sd", "gap", "worst")


@dataclass(frozen=True, slots=True)
class Spread:
    """A printed spread.

    Attributes:
        row: Where it stands.
        column: Of the table.
        cell: The number.
        quantity: What it is, for `chance.law`; of a standard deviation, its square.
        least: The smallest number that prints so, as a fraction: the gap, the variance, the misses
            of the worst group.
        recall: Of all groups, as a fraction.
        sizes: Portraits of each group, shape (K,).
        runs: Behind the number; None if not said.
        measure: Whether it is of right or of wrong answers.
    """

    row: Row
    column: Column
    cell: Cell
    quantity: Quantity
    least: float
    recall: float
    sizes: tuple[int, ...]
    runs: int | None
    measure: Measure

    @property
    def name(self) -> str:
        """Arm, with the run."""
        return row_name(self.row)

    @property
    def printed(self) -> Printed:
        """The number as printed, in percent or percent squared."""
        assert self.cell.value is not None, "cells without a number make no spread"
        return self.cell.value

    @property
    def low_is_bad(self) -> bool:
        """Whether it is the recall of the worst group."""
        return self.column == "worst" and self.measure == "recall"

    def shown(self, value: float) -> str:
        """A value of a law in the unit of the column, to three digits."""
        if self.column == "variance":
            return f"{1e4 * value:.3g}"
        if self.column == "sd":
            return f"{100 * math.sqrt(value):.3g}"
        return f"{100 - 100 * value:.4g}" if self.low_is_bad else f"{100 * value:.3g}"

    def law(self, definition: Definition, correlation: float) -> Law:
        """What equal groups give if the number is this, and runs' outcomes so correlated."""
        groups = EqualGroups(
            recall=self.recall, sizes=self.sizes, runs=self.runs or 1, correlation=correlation
        )
        return chance.law(groups, self.quantity, ddof=definition.ddof, order=definition.runs)


def number(row: Row, column: Column) -> Cell | None:
    """The cell, if it holds a number."""
    cell: Cell | None = getattr(row, column)
    return cell if cell and cell.value is not None else None


def spread_of(table: PublishedTable, row: Row, column: Column) -> Spread | None:
    """The spread of a row; None without its number, its recall or the sizes of its groups."""
    cell, recall, sizes = number(row, column), recall_of(table, row), _sizes(table, row)
    if cell is None or recall is None or len(sizes) < 2:
        return None
    runs = runs_behind(table, row)
    quantity: Quantity = "variance" if column == "sd" else column
    measure, least = table.description.measure, _least(table, cell, column)
    return Spread(row, column, cell, quantity, least, recall, sizes, runs, measure)


def recall_of(table: PublishedTable, row: Row) -> float | None:
    """Of all groups: as printed, else from the groups; None if neither is there."""
    if row.overall and row.overall.value is not None:
        value, half = float(row.overall.value) / 100, row.overall.value.half / 100
        value = 1 - value if table.description.measure == "error" else value
        return min(max(value, half), 1 - half)  # 100.0 may be 99.95: then groups can differ
    for division in divisions(tuple(row.groups)):
        if shares := shares_of(table, row, division):
            return shares.pooled
    return None


def _sizes(table: PublishedTable, row: Row) -> tuple[int, ...]:
    """Portraits of the groups of the finest division; empty if one is unknown."""
    known = dict(table.description.groups)
    known |= {group: share.n for group, share in row.groups.items() if share.n}
    for division in divisions(tuple(row.groups or known)):
        if all(group in known for group in division):
            return tuple(known[group] for group in division)
    return ()


def _least(table: PublishedTable, cell: Cell, column: Column) -> float:
    assert cell.value is not None
    value, half = float(cell.value), cell.value.half
    if column == "variance":
        return (value - half) / 1e4
    if column == "sd":
        return max(0.0, value - half) ** 2 / 1e4
    if column == "worst" and table.description.measure == "recall":
        return 1 - (value + half) / 100
    return (value - half) / 100
