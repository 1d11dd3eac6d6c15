"""How a column of printed spreads can have been computed.

From the printed groups of the rows, else from the grain of the numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repro.analysis.audit.checks.group_shares import divisions, shares_of
from repro.analysis.audit.checks.printed_spreads import Spread
from repro.analysis.audit.reading.published_table import PublishedTable, Row
from repro.stats import forensics
from repro.stats.disparity import Definition
from repro.stats.forensics import Computed, GroupValues

ALL = tuple(
    Definition(mean="groups", ddof=ddof, runs=runs) for runs in ("first", "last") for ddof in (0, 1)
)
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
        words = "sample variance (ddof 1)" if fitting[0].ddof else "population variance (ddof 0)"
        return Possible(fitting, f"By the printed groups it is their {words}.")
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
    """From whole counts: every row must be possible."""
    return Possible(tuple(candidates))
