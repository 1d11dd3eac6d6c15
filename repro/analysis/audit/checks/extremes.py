"""The printed worst group, best group and gap of each row, against its groups.

Of one run they are the least share, the largest, and their difference. A mean over runs of each
run's worst group is at most the least mean of a group, because the worst group may differ between
runs; so too the best group is at least the largest mean, and the gap at least the gap of the means.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.checks.printed_shares import (
    bounds_of,
    is_number,
    listed,
    place,
    reading_error,
    runs_behind,
)
from repro.analysis.audit.reading.published_table import Cell, PublishedTable, Row
from repro.analysis.wording import count
from repro.stats.forensics import Interval

WORDS = {
    "worst": "the worst",
    "best": "the best",
    "gap": "the difference between best and worst",
}
TITLE = "Worst, best and gap"
SETTLE = "which of the printed numbers is wrong, or which group is not printed"
RUNS = "whether it is of the mean shares, or the mean over runs of each run's own (--runs N)"
End = Literal["least", "largest", "gap"]
OF_ROLE: dict[str, dict[str, End]] = {  # by measure: the worst of errors is the largest
    "recall": {"worst": "least", "best": "largest", "gap": "gap"},
    "error": {"worst": "largest", "best": "least", "gap": "gap"},
}


@dataclass(frozen=True, slots=True)
class _Extreme:
    """One printed extreme, and what the groups of its row give.

    Attributes:
        single: Whether the row is one run.
    """

    role: str
    words: str
    end: End
    printed: Interval
    given: Interval
    single: bool

    @property
    def side(self) -> int:
        """0 if it may be what the groups give; -1 below it, 1 above it."""
        if self.printed[1] < self.given[0]:
            return -1
        return 1 if self.printed[0] > self.given[1] else 0

    @property
    def may_be_of_each_run(self) -> bool:
        """Whether a mean over runs may differ from the groups' means to this side."""
        return not self.single and self.side == (-1 if self.end == "least" else 1)


def findings(table: PublishedTable) -> Iterator[Finding]:
    """What follows from the groups, what cannot, and what may be an average of each run's."""
    if table.description.average == "median":
        return  # of medians no such bound holds
    every = [one for row in table.rows for one in _of_row(table, row)]
    for role in dict.fromkeys(one.role for one in every):
        yield from _of_role(table, role, [one for one in every if one.role == role])


def _of_role(table: PublishedTable, role: str, every: Sequence[_Extreme]) -> Iterator[Finding]:
    off = [one for one in every if one.side]
    wrong = [one for one in off if not one.may_be_of_each_run]
    if 2 * len(wrong) > len(every) and (len(every) > 1 or role == "gap"):
        text = f"What {role} is cannot be told: in {len(wrong):,} of {count(len(every), 'row')} "
        text += f"it is not {WORDS[role]} of the printed groups: {listed(_words(wrong))}."
        yield Finding(TITLE, table.title, "cannot tell", text, f"what {role} is of")
    elif wrong:
        text = f"In {len(wrong):,} of {count(len(every), 'row')} {role} is not {WORDS[role]} of "
        text += f"the printed groups: {listed(_words(wrong))}."
        yield Finding(TITLE, table.title, "contradicts", text, SETTLE)
    other = [one for one in off if one.may_be_of_each_run]
    if other:
        text = f"In {len(other):,} of {count(len(every), 'row')} {role} is not that of the mean "
        text += f"shares, but may be the mean of each run's own: {listed(_words(other))}."
        yield Finding(TITLE, table.title, "cannot tell", text, RUNS)
    if not off:
        text = f"In {count(len(every), 'row')} {role} is {WORDS[role]} of the printed groups."
        yield Finding(TITLE, table.title, "fits", text)


def _words(extremes: Sequence[_Extreme]) -> list[str]:
    return [one.words for one in extremes]


def _of_row(table: PublishedTable, row: Row) -> Iterator[_Extreme]:
    shares = bounds_of(table, row)
    if shares is None or len(shares) < 2:
        return
    lows, highs = zip(*shares.values(), strict=True)
    least, largest = (min(lows), min(highs)), (max(lows), max(highs))
    given: dict[End, Interval] = {
        "least": least,
        "largest": largest,
        "gap": (max(largest[0] - least[1], Fraction(0)), largest[1] - least[0]),
    }
    for role, end in OF_ROLE[table.description.measure].items():
        cell: Cell | None = getattr(row, role)
        if cell is None or cell.value is None or not is_number(cell):
            continue
        low, high = (f"{float(one):.{cell.value.decimals + 1}f}" for one in given[end])
        shown = low if low == high else f"{low} to {high}"
        yield _Extreme(
            role,
            f"{cell.value} in {place(row)}, whose groups give {shown}",
            end,
            cell.value.interval(error=reading_error(table)),
            given[end],
            runs_behind(table, row) == 1,
        )
