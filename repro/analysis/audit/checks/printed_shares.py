"""What the checks of one table ask of it: shares with their portraits and runs, and exact bounds.

All in percent and in fractions, so that a comparison of printed numbers has no error of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from repro.analysis.audit.reading.published_table import Cell, PublishedTable, Row, Share
from repro.analysis.wording import joined
from repro.stats.forensics import Interval, Printed

SUMMARIES = {"mean", "average", "avg", "avg.", "median", "overall", "total", "all"}  # of arms
LISTED = 5  # places that a sentence names
RUNS = "the number of runs behind each share: --runs N"
SIZES = "the portraits of each group: --group NAME=N"


@dataclass(frozen=True, slots=True)
class PrintedShare:
    """A printed share of a group, or of all groups.

    Attributes:
        where: Row and group, in words.
        n: Portraits in one run; None if not said.
        runs: That are averaged; None if not said.
    """

    row: Row
    group: str
    where: str
    printed: Printed
    n: int | None
    runs: int | None


def row_name(row: Row) -> str:
    """Arm and run."""
    return row.arm.name if row.run is None else f"{row.arm.name}, run {row.run}"


def place(row: Row, *more: str) -> str:
    """Arm, run and whatever follows, with the line."""
    return f"{', '.join([row_name(row), *more])} (line {row.line})"


def listed(places: Sequence[str]) -> str:
    """The first of them, and how many more."""
    more = len(places) - LISTED
    if more > 0:
        return f"{'; '.join(places[:LISTED])}; and {more:,} more"
    return joined(places) if all("," not in p for p in places) else "; ".join(places)


def runs_behind(table: PublishedTable, row: Row) -> int | None:
    """How many runs are averaged in a row; None if not said."""
    return 1 if row.run is not None else table.description.averaged


def is_number(cell: Cell | None) -> bool:
    """Whether a number is printed there."""
    return cell is not None and cell.state == "number" and cell.value is not None


def size_of(table: PublishedTable, share: Share, group: str) -> int | None:
    """Portraits of the group in one run; None if not said."""
    return share.n if share.n is not None else table.description.groups.get(group)


def reading_error(table: PublishedTable) -> Fraction:
    """Largest error of the shares besides rounding."""
    return Fraction(str(table.description.reading_error))


def shares_of(table: PublishedTable) -> list[PrintedShare]:
    """All printed shares of groups; not of rows that sum up the other arms, as `mean`."""
    found = []
    for row in table.rows:
        if row.arm.word.lower() in SUMMARIES:
            continue
        runs = runs_behind(table, row)
        for group, share in row.groups.items():
            if share.cell is not None and share.cell.value is not None and is_number(share.cell):
                n = size_of(table, share, group)
                where = place(row, group)
                found.append(PrintedShare(row, group, where, share.cell.value, n, runs))
    return found


def bounds_of(table: PublishedTable, row: Row) -> dict[str, Interval] | None:
    """What each group's share may be, in percent; None unless every group has one."""
    error, found = reading_error(table), {}
    for group, share in row.groups.items():
        n = size_of(table, share, group)
        if share.detected is not None and n:
            exact = Fraction(100 * share.detected, n)
            found[group] = (exact, exact)
        elif share.cell is not None and share.cell.value is not None and is_number(share.cell):
            found[group] = share.cell.value.interval(error=error)
    return found if found and len(found) == len(row.groups) else None
