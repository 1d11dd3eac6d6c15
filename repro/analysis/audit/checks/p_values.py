"""P-values of many rows: adjusted, put into words, and sorted into results."""

from collections.abc import Sequence

from repro.analysis.audit.checks.finding import Result
from repro.stats.comparisons import holm

LEVEL = 0.05
MOST_ROWS = 5  # that a finding lists


def p_words(low: float, high: float | None = None) -> str:
    """A p-value, or from the lowest to the highest under different assumptions."""
    ends = [f"{p:.2g}" if p >= 0.001 else "< 0.001" for p in (low, low if high is None else high)]
    if ends[0] == ends[1]:
        return f"p {ends[0]}" if ends[0].startswith("<") else f"p = {ends[0]}"
    return f"p from {ends[0]} to {ends[1]}"


def results(p: Sequence[Sequence[float]]) -> list[Result]:
    """Whether each row shows more than chance.

    Args:
        p: For each row, under each assumption that may hold, shape (rows, assumptions); all rows
            have the same assumptions.

    Returns:
        `more than chance` where every assumption rejects after Holm's adjustment over the rows,
        `chance` where none does, else `cannot tell`.
    """
    by_assumption = [holm(column) for column in zip(*p, strict=True)]
    return [_result(row) for row in zip(*by_assumption, strict=True)]


def _result(adjusted: Sequence[float]) -> Result:
    if max(adjusted) <= LEVEL:
        return "more than chance"
    return "chance" if min(adjusted) > LEVEL else "cannot tell"


def first_rows(rows: Sequence[object]) -> str:
    """The first rows in words, and how many there are beside them."""
    more = len(rows) - MOST_ROWS
    shown = [str(row) for row in rows[:MOST_ROWS]]
    return "; ".join([*shown, *([f"and {more:,} more"] if more > 0 else [])])
