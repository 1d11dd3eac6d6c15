"""Tables that print one number for each arm: means with variances, or shares of groups.

Numbers that are printed are percent, variances percent squared; what statistics take are fractions.
Shares of wrong answers are turned into shares of right ones. Symbols: R runs, K groups.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.published_table import Cell, PublishedTable, Row
from repro.stats.forensics import GroupValues, Printed
from repro.stats.intervals import Integers

PPB = {"darker_male": 318, "darker_female": 271, "lighter_male": 386, "lighter_female": 295}
PPB_NAME = "the Pilot Parliaments Benchmark"


def ppb_sizes(groups: Sequence[str]) -> tuple[int, ...] | None:
    """Portraits of each group if the names are exactly those of PPB, else None."""
    names = [re.sub(r"[ _-]+", "_", name.lower()) for name in groups]
    return tuple(PPB[name] for name in names) if sorted(names) == sorted(PPB) else None


@dataclass(frozen=True, slots=True)
class Table:
    """Published means and variances of some arms.

    Attributes:
        part: Of the file; empty for an undivided one.
        kept: Best runs behind each mean; None if not said.
    """

    path: Path
    part: str
    recall: Mapping[Key, Printed]
    variance: Mapping[Key, Printed]
    kept: int | None = None

    @property
    def keys(self) -> list[Key]:
        """Arms, in the order of the file."""
        return list(self.recall)

    @property
    def title(self) -> str:
        """File name, and part if divided."""
        return f"{self.path.name} ({self.part})" if self.part else self.path.name


@dataclass(frozen=True, slots=True)
class GroupMeans:
    """Accuracies of groups without counts: run-averaged ones, or those of every run.

    Attributes:
        part: Of the file; empty for an undivided one.
        groups: Names, shape (K,).
        shown: Accuracies of each run of each arm, in percent, R times K; one row if run-averaged.
        overall: Overall accuracies of run-averaged arms, in percent; empty if not printed.
    """

    path: Path
    part: str
    groups: tuple[str, ...]
    shown: Mapping[Key, tuple[tuple[Printed, ...], ...]]
    overall: Mapping[Key, Printed]

    @property
    def keys(self) -> list[Key]:
        """Arms, in the order of the file."""
        return list(self.shown)

    @property
    def title(self) -> str:
        """File name, and part if divided."""
        return f"{self.path.name} ({self.part})" if self.part else self.path.name

    @property
    def sizes(self) -> Integers | None:
        """Portraits of each group if the names are exactly those of PPB, else None."""
        known = ppb_sizes(self.groups)
        return None if known is None else np.array(known, dtype=np.int64)

    def values(self, key: Key, reading_error: float) -> GroupValues:
        """The recalls of an arm for `forensics`; the error is at least that of rounding."""
        shown = self.shown[key]
        recall = np.array([[float(number) / 100 for number in run] for run in shown])
        error = np.array(
            [[max(number.half, reading_error) / 100 for number in run] for run in shown]
        )
        return GroupValues(recall, error, self.sizes)


def means_of(table: PublishedTable) -> Table | None:
    """The rows with a printed mean and variance over all runs; None without any."""
    recalls, variances = {}, {}
    for row in table.rows:
        recall, variance = _right(table, row.overall), row.variance
        if row.run is None and recall is not None and variance and variance.value is not None:
            recalls[row.arm], variances[row.arm] = recall, variance.value
    if not recalls:
        return None
    return Table(table.path, table.part, recalls, variances, table.description.keep)


def group_means_of(table: PublishedTable) -> GroupMeans | None:
    """The rows with a number for every group; None without any, or of fewer than two groups."""
    shown: dict[Key, tuple[tuple[Printed, ...], ...]] = {}
    overall: dict[Key, Printed] = {}
    if len(table.groups) < 2:
        return None
    for row in table.rows:
        numbers = _numbers(table, row)
        if numbers is None:
            continue
        shown[row.arm] = (*shown.get(row.arm, ()), numbers)
        total = _right(table, row.overall)
        if total is not None and row.run is None:
            overall[row.arm] = total
    return GroupMeans(table.path, table.part, table.groups, shown, overall) if shown else None


def _numbers(table: PublishedTable, row: Row) -> tuple[Printed, ...] | None:
    """A number for each group of the table; None if one is missing, or only a bound."""
    cells = [row.groups[group].cell if group in row.groups else None for group in table.groups]
    numbers = [
        _right(table, cell) if cell is not None and cell.state == "number" else None
        for cell in cells
    ]
    found = tuple(number for number in numbers if number is not None)
    return found if len(found) == len(numbers) else None


def _right(table: PublishedTable, cell: Cell | None) -> Printed | None:
    """A printed share as one of right answers; None if there is no number."""
    number = cell.value if cell is not None else None
    if number is None or table.description.measure == "recall":
        return number
    return Printed(100 - number.value)
