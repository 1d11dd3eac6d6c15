"""Files with one row for each arm: published means and variances, or run-averaged group accuracies.

Printed numbers are percent, variances percent squared, whatever their columns are; what statistics
take are fractions. Symbols: K groups.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repro.analysis.audit.reading.arm_keys import Key, read_key
from repro.analysis.audit.reading.csv_sheet import (
    ACCURACIES,
    ARM,
    MEANS,
    VARIANCES,
    Row,
    Sheet,
    refuse_fractions,
)
from repro.stats.forensics import GroupValues, Printed
from repro.stats.intervals import Integers

PPB = {"darker_male": 318, "darker_female": 271, "lighter_male": 386, "lighter_female": 295}
PPB_NAME = "the Pilot Parliaments Benchmark"


@dataclass(frozen=True, slots=True)
class Table:
    """Published means and variances of some arms."""

    path: Path
    recall: Mapping[Key, Printed]
    variance: Mapping[Key, Printed]

    @property
    def keys(self) -> list[Key]:
        """Arms, in the order of the file."""
        return list(self.recall)

    @property
    def title(self) -> str:
        """File."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class GroupMeans:
    """Run-averaged accuracies of groups.

    Attributes:
        groups: Names, shape (K,).
        shown: Accuracies of each arm, in percent, K each.
        overall: Overall accuracies, in percent; empty without such a column.
    """

    path: Path
    groups: tuple[str, ...]
    shown: Mapping[Key, tuple[Printed, ...]]
    overall: Mapping[Key, Printed]

    @property
    def keys(self) -> list[Key]:
        """Arms, in the order of the file."""
        return list(self.shown)

    @property
    def title(self) -> str:
        """File."""
        return self.path.name

    @property
    def sizes(self) -> Integers | None:
        """Portraits of each group if the names are exactly those of PPB, else None."""
        names = [re.sub(r"[ _-]+", "_", name.lower()) for name in self.groups]
        if sorted(names) != sorted(PPB):
            return None
        return np.array([PPB[name] for name in names], dtype=np.int64)

    def values(self, key: Key, reading_error: float) -> GroupValues:
        """The recalls of an arm for `forensics`; the error is at least that of rounding."""
        shown = self.shown[key]
        recall = np.array([[float(number) / 100 for number in shown]])
        error = np.array([[max(number.half, reading_error) / 100 for number in shown]])
        return GroupValues(recall, error, self.sizes)


def _once(sheet: Sheet) -> Iterator[tuple[Key | None, Row]]:
    """The rows with their arms; None if the arm is wrong or a duplicate."""
    lines: dict[Key, int] = {}
    for row in sheet.rows:
        key = read_key(sheet, row)
        if key is not None and lines.setdefault(key, row.line) != row.line:
            sheet.report(row.line, f"{key.name} is already in line {lines[key]}", "arm")
            key = None
        yield key, row


def read_table(sheet: Sheet) -> Iterator[Table]:
    """Read published means and variances.

    Args:
        sheet: With a complete header; collects the problems of its rows.

    Returns:
        One table; none if there are problems.
    """
    mean = next(name for name in sheet.written if name in MEANS | ACCURACIES)
    spread = next(name for name in sheet.written if name in VARIANCES)
    recalls, variances = {}, {}
    for key, row in _once(sheet):
        recall, variance = (
            _in_percent(sheet, row, column, power) for column, power in ((mean, 1), (spread, 2))
        )
        if key is not None and recall is not None and variance is not None:
            recalls[key], variances[key] = recall, variance
    if not mean.endswith(("_percent", "_fraction")):
        advice = f"name the columns {mean}_fraction and variance_fraction, or {mean}_percent"
        refuse_fractions(sheet, mean, list(recalls.values()), advice)
    if not sheet.found:
        yield Table(sheet.path, recalls, variances)


def _in_percent(sheet: Sheet, row: Row, column: str, power: int) -> Printed | None:
    """A cell in percent, or in percent squared if the power is 2."""
    fraction = column.endswith("_fraction")
    # Two groups at 0 and 100 % have the largest possible variance: 5,000 with ddof 1.
    most = 100 if power == 1 else 5000
    value = sheet.number(row, column, most=most / 100**power if fraction else most)
    return None if value is None else Printed(value.scaleb(2 * power) if fraction else value)


def read_group_means(sheet: Sheet) -> Iterator[GroupMeans]:
    """Read run-averaged group accuracies.

    Args:
        sheet: With a complete header; collects the problems of its rows.

    Returns:
        One object; none if there are problems.
    """
    groups = tuple(name for name in sheet.written if name not in {*ARM, "overall"})
    shown: dict[Key, tuple[Printed, ...]] = {}
    overall: dict[Key, Printed] = {}
    for key, row in _once(sheet):
        cells = [_in_percent(sheet, row, name, 1) for name in groups]
        numbers = tuple(cell for cell in cells if cell is not None)
        total = _in_percent(sheet, row, "overall", 1) if "overall" in sheet.written else None
        if key is not None and len(numbers) == len(groups):
            shown[key] = numbers
            overall.update({key: total} if total is not None else {})
    every = [number for numbers in shown.values() for number in numbers]
    refuse_fractions(sheet, groups[0], every, "write percent")
    if not sheet.found:
        yield GroupMeans(sheet.path, groups, shown, overall)
