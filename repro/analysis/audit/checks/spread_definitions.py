"""How a column of printed spreads can have been computed.

From the printed groups of the rows, else from the grain of the numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repro.analysis.audit.checks.finding import variance_words
from repro.analysis.audit.checks.group_shares import divisions, shares_of
from repro.analysis.audit.checks.printed_spreads import Spread
from repro.analysis.audit.reading.published_table import PublishedTable, Row
from repro.stats import equal_groups, forensics
from repro.stats.disparity import Definition
from repro.stats.forensics import Computed, GroupValues, Interval
from repro.stats.grimmer import squared

ALL = tuple(
    Definition(mean="groups", ddof=ddof, runs=runs) for runs in ("first", "last") for ddof in (0, 1)
)
MOST_ROWS = 20  # whose digits are looked at
OF_AVERAGES = tuple(definition for definition in ALL if definition.runs == "first")


@dataclass(frozen=True, slots=True)
class Possible:
    """Definitions that a column of numbers may have.

    Attributes:
        definitions: At least one.
        why: What excludes the others, a sentence; empty if nothing does.
    """

    definitions: tuple[Definition, ...]
    why: str = ""


def possible(table: PublishedTable, spreads: Sequence[Spread]) -> Possible:
    """The definitions that the numbers of a column allow.

    Args:
        table: Of them.
        spreads: Of one column.
    """
    single = all(spread.runs == 1 for spread in spreads)
    candidates = OF_AVERAGES if single else ALL
    if spreads[0].quantity != "variance":
        candidates = tuple(one for one in candidates if one.ddof == 0)
    return _from_groups(table, spreads, candidates) or _from_grain(spreads, candidates)


def _from_groups(
    table: PublishedTable, spreads: Sequence[Spread], candidates: Sequence[Definition]
) -> Possible | None:
    """From the spread of the printed groups, if most rows have all of them."""
    values = [(spread, _values(table, spread.row)) for spread in spreads]
    known = [(spread, value) for spread, value in values if value is not None]
    if 2 * len(known) <= len(spreads):
        return None
    averages = tuple(one for one in candidates if one.runs == "first")
    fitting = tuple(
        one
        for one in averages
        if 2 * sum(_fits(spread, value, one) for spread, value in known) > len(known)
    )
    if len(fitting) < len(averages) and fitting:
        return Possible(fitting, f"The printed groups give it as the {variance_words(fitting[0])}.")
    later = tuple(one for one in candidates if one.runs == "last")
    return Possible(fitting or later or averages)


def _values(table: PublishedTable, row: Row) -> GroupValues | None:
    """The printed groups of the finest division, with their rounding."""
    for division in divisions(tuple(row.groups)):
        if shares := shares_of(table, row, division):
            cells = [row.groups[group].cell for group in division]
            errors = [cell.value.half / 100 if cell and cell.value else 0.0 for cell in cells]
            return GroupValues(shares.recall[None], np.array([errors]), None)
    return None


def _fits(spread: Spread, values: GroupValues, definition: Definition) -> bool:
    return forensics.match(spread.printed, _computed(spread, values, definition)) == "fits"


def _computed(spread: Spread, values: GroupValues, definition: Definition) -> Computed:
    """The spread of printed groups, with the error that their rounding allows."""
    recall, error = values.recall[0], float(values.error.max())
    if spread.column == "gap":
        return Computed(100 * float(np.ptp(recall)), 200 * error)
    if spread.column == "worst":
        lowest = float(recall.min())
        return Computed(100 * (lowest if spread.low_is_bad else 1 - lowest), 100 * error)
    variance = values.variance(definition)
    if spread.column == "variance":
        return variance
    root = math.sqrt(variance.value)
    return Computed(root, math.sqrt(variance.value + variance.error) - root)


def _from_grain(spreads: Sequence[Spread], candidates: Sequence[Definition]) -> Possible:
    """From whole counts: groups of one size and a printed mean, in every row."""
    looked = [whole for spread in spreads[:MOST_ROWS] if (whole := _in_whole_counts(spread))]
    if spreads[0].quantity != "variance" or len(looked) < len(spreads[:MOST_ROWS]):
        return Possible(tuple(candidates))
    found = tuple(one for one in candidates if all(whole.possible(one) for whole in looked))
    if not found or len(found) == len(candidates):
        return Possible(tuple(candidates))
    words = " or ".join(variance_words(one) for one in found)
    return Possible(found, f"The digits of the means and the variances allow only the {words}.")


@dataclass(frozen=True, slots=True)
class WholeCounts:
    """A mean and a variance over groups of one size, as intervals of fractions."""

    mean: Interval
    variance: Interval
    groups: int
    n: int
    runs: int

    def possible(self, definition: Definition) -> bool:
        """Whether counts of portraits have both, under this definition."""
        read = equal_groups.of_averages if definition.runs == "first" else equal_groups.of_each_run
        return read(
            self.mean,
            self.variance,
            groups=self.groups,
            n=self.n,
            runs=self.runs,
            ddof=definition.ddof,
        )


def _in_whole_counts(spread: Spread) -> WholeCounts | None:
    """None unless groups have one size, and the mean and the number of runs are said."""
    overall, n = spread.row.overall, spread.sizes[0]
    if len(set(spread.sizes)) > 1 or spread.runs is None or not overall or overall.value is None:
        return None
    low, high = overall.value.interval()
    root = spread.column == "sd"
    least, most = squared(spread.printed) if root else spread.printed.interval()
    return WholeCounts(
        (low / 100, high / 100), (least / 10**4, most / 10**4), len(spread.sizes), n, spread.runs
    )
