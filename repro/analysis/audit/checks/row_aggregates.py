"""Rows with all their groups, overall value and variance, and under which definition these fit.

Two readings of an overall value: pooled over portraits, and the mean over groups. Two of a variance
between the groups: with ddof 0 and 1. The reading that most rows of a table fit is the table's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from repro.analysis.audit.checks.printed_shares import (
    bounds_of,
    is_number,
    reading_error,
    runs_behind,
    size_of,
)
from repro.analysis.audit.reading.mean_files import ppb_sizes
from repro.analysis.audit.reading.published_table import PublishedTable, Row
from repro.stats.aggregates import common_weights, meet, variance, weighted_mean
from repro.stats.forensics import Interval, Printed
from repro.stats.grimmer import squared

Overall = Literal["pooled", "groups"]
Ddof = Literal[0, 1]
OVERALLS: tuple[Overall, ...] = ("pooled", "groups")
DDOFS: tuple[Ddof, ...] = (0, 1)


@dataclass(frozen=True, slots=True)
class Aggregates:
    """A row with a share of every group.

    Attributes:
        shares: Bounds of each group's share, in percent.
        sizes: Portraits of each group; None unless all are known.
        assumed: Whether the sizes are PPB's, by the names of the groups, and nobody said them.
        overall: The printed value; None if there is none.
        between: The printed variance, or the square of the sd, in percent squared.
        error: Of the overall value, besides rounding.
    """

    row: Row
    shares: Mapping[str, Interval]
    sizes: tuple[int, ...] | None
    assumed: bool
    overall: Printed | None
    between: Interval | None
    single: bool
    error: Fraction

    @property
    def overall_bounds(self) -> Interval:
        """What the printed overall value may be."""
        assert self.overall is not None
        return self.overall.interval(error=self.error)

    def expected(self, reading: Overall) -> Interval | None:
        """What the groups give as overall value; None if sizes are needed and unknown."""
        if reading == "groups":
            return weighted_mean(list(self.shares.values()), [1] * len(self.shares))
        if self.sizes is None:
            return None
        return weighted_mean(list(self.shares.values()), self.sizes)

    def overall_fits(self, reading: Overall) -> bool:
        """Whether the overall value may be this one of the groups."""
        expected = self.expected(reading)
        return expected is not None and meet(self.overall_bounds, expected)

    def variance_of(self, ddof: Ddof) -> Interval:
        """What the groups give as variance."""
        return variance(list(self.shares.values()), ddof)

    def variance_fits(self, ddof: Ddof) -> bool:
        """Whether the printed variance may be this one of the groups."""
        assert self.between is not None
        return meet(self.between, self.variance_of(ddof))

    def with_share(self, group: str, share: Interval) -> "Aggregates":
        """The same with another share of one group."""
        return replace(self, shares={**self.shares, group: share})


def aggregates_of(table: PublishedTable) -> list[Aggregates]:
    """The rows that have a share of two groups or more, and of every group."""
    error, found = reading_error(table), []
    for row in table.rows:
        shares = bounds_of(table, row)
        if shares is None or len(shares) < 2:
            continue
        sizes = [size_of(table, row.groups[group], group) for group in shares]
        known = tuple(n for n in sizes if n is not None)
        said = len(known) == len(sizes)
        overall = row.overall.value if row.overall and is_number(row.overall) else None
        found.append(
            Aggregates(
                row,
                shares,
                known if said else ppb_sizes(list(shares)),
                not said,
                overall,
                _between(row),
                runs_behind(table, row) == 1,
                error,
            )
        )
    return found


def _between(row: Row) -> Interval | None:
    """The printed variance between groups, or the square of the printed sd."""
    if row.variance is not None and row.variance.value is not None and is_number(row.variance):
        return row.variance.value.interval()
    if row.sd is not None and row.sd.value is not None and is_number(row.sd):
        return squared(row.sd.value)
    return None


def overall_reading(rows: Sequence[Aggregates]) -> Overall | None:
    """The reading that most rows fit; None if it is no more than half of them.

    None also where nobody says the sizes of the groups and some sizes would give every row: then
    the rows that do not fit may be pooled like all others.

    Args:
        rows: With an overall value each.
    """
    fitting = {reading: sum(row.overall_fits(reading) for row in rows) for reading in OVERALLS}
    best = max(OVERALLS, key=lambda reading: fitting[reading])
    if 2 * fitting[best] <= len(rows):
        return None
    return None if fitting[best] < len(rows) and sizes_explain(rows) else best


def sizes_explain(rows: Sequence[Aggregates]) -> bool:
    """Whether nobody says the sizes of the groups, and some would give every overall value."""
    if not all(row.assumed for row in rows) or len({tuple(row.shares) for row in rows}) > 1:
        return False
    return common_weights([([*row.shares.values()], row.overall_bounds) for row in rows])


def variance_reading(rows: Sequence[Aggregates]) -> Ddof | None:
    """The ddof that most rows fit; None if it is no more than half of them.

    Args:
        rows: With a variance each.
    """
    fitting = {ddof: sum(row.variance_fits(ddof) for row in rows) for ddof in DDOFS}
    best = max(DDOFS, key=lambda ddof: fitting[ddof])
    return best if 2 * fitting[best] > len(rows) else None
