"""A table with its title and remarks, as text cells; all formats are made from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from repro.reporting.tables.cell import Cell

Format = Literal["terminal", "latex", "markdown", "html", "csv", "tsv", "json", "predictions"]
Style = Literal["paper", "full"]
Markup = Literal["latex", "markdown", "html"]
BELOW = "Reference detectors, trained elsewhere"  # heads the rows below the rule
BRIEF = "Trained elsewhere"  # the same where the first column is narrow
MANY = 7  # from this many columns of numbers on a table is wider than a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table with its title above it and remarks below it.

    Attributes:
        name: Value of the option ``--part``.
        title: A sentence that ends with a full stop.
        table: Text cells; the index is the first column. Empty if there are only remarks.
        remarks: Sentences.
        holds: ``numbers``, aligned right, or ``words``, aligned left and broken into lines.
        keys: Number of columns after the first that together with it identify a row.
        below: Number of its last rows that stand below a rule, headed `BELOW`.
    """

    name: str
    title: str
    table: pd.DataFrame
    remarks: Sequence[str] = ()
    holds: Literal["numbers", "words"] = "numbers"
    keys: int = 0
    below: int = 0

    @property
    def above(self) -> int:
        """Number of rows above the rule; all without one."""
        return len(self.table) - self.below

    @property
    def is_broad(self) -> bool:
        """Whether its numbers are wider than a page."""
        return len(self.table.columns) >= MANY and self.holds == "numbers"


def is_bold(cell: object) -> bool:
    """Whether a cell is marked as the best of its column."""
    return isinstance(cell, Cell) and cell.bold


def by_column(part: Part) -> list[list[str]]:
    """The texts of each column, including the first, with its header first."""
    table = part.table
    cells = [table.index, *(table.iloc[:, at] for at in range(table.shape[1]))]
    return [[head, *column] for head, column in zip(heads(part), cells, strict=True)]


def heads(part: Part) -> list[str]:
    """The headers of all columns, including the first."""
    return [str(part.table.index.name), *map(str, part.table.columns)]
