"""Percent among fractions, and fractions among percent."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from repro.analysis.audit.checks.finding import Finding, Result
from repro.analysis.audit.checks.printed_shares import is_number, listed, place, row_name
from repro.analysis.audit.reading.published_table import Cell, PublishedTable, Row
from repro.analysis.wording import count

FOLD = 20  # the least ratio of other shares to one that is taken for a fraction
LEAST = 4  # shares, to say that all are fractions
Place = tuple[Row, Cell, Decimal]


def findings(table: PublishedTable) -> Iterator[Finding]:
    """Shares above 100 %, shares that are a hundredth of their neighbours, and all below 1 %."""
    places = list(_places(table))
    if not places:
        return
    above = [place for place in places if place[2] > 100 or place[2] < 0]
    if above:
        yield _above(table, above, len(places))
        return
    small = [place for place in places if 0 < place[2] <= 1]
    large = [place for place in places if place[2] > 1]
    if small and not large:
        yield from _all_small(table, small, len(places))
        return
    if small and large:
        yield from _mixed(table, small, [value for _, _, value in large])


def _places(table: PublishedTable) -> Iterator[Place]:
    """All shares of the table, in percent."""
    for row in table.rows:
        cells = [share.cell for share in row.groups.values()]
        for cell in [*cells, *row.margins.values(), row.overall, row.worst, row.best]:
            if cell is not None and cell.value is not None and is_number(cell):
                yield row, cell, cell.value.value


def _named(places: Sequence[Place]) -> str:
    """Rows with their shares, a row once."""
    by_row: dict[int, list[Place]] = defaultdict(list)
    for one in places:
        by_row[one[0].line].append(one)
    named = []
    for ones in by_row.values():
        row = ones[0][0]
        cells = ", ".join(f"{cell.column} {cell.text}" for _, cell, _ in ones[:3])
        more = f" and {len(ones) - 3} more" if len(ones) > 3 else ""
        named.append(f"{cells}{more} in {place(row)}")
    return listed(named)


def _about(table: PublishedTable, places: Sequence[Place]) -> str:
    rows = list(dict.fromkeys(row_name(row) for row, _, _ in places))
    return f"{table.title}: {rows[0]}" if len(rows) == 1 else table.title


def _above(table: PublishedTable, above: Sequence[Place], every: int) -> Finding:
    text = (
        f"{len(above):,} of {count(every, 'share')} lie outside 0 to 100 %: {_named(above)}. "
        "Percent where fractions are stated?"
    )
    settle = "the unit of these shares: --unit percent or --unit fraction"
    return Finding("Units", _about(table, above), "impossible", text, settle)


def _all_small(table: PublishedTable, small: Sequence[Place], every: int) -> Iterator[Finding]:
    if every < LEAST:
        return
    recall = table.description.measure == "recall"
    text = f"All {every:,} shares are at most 1 %. Fractions where percent is stated?"
    settle = "the unit of the shares: --unit percent or --unit fraction"
    result: Result = "contradicts" if recall else "cannot tell"
    yield Finding("Units", table.title, result, text, settle)


def _mixed(
    table: PublishedTable, small: Sequence[Place], large: Sequence[Decimal]
) -> Iterator[Finding]:
    """Shares at most 1 % that would lie among the others if they were fractions."""
    low, high = min(large), max(large)
    room = max(high - low, Decimal(5))
    odd = [
        (row, cell, value)
        for row, cell, value in small
        if FOLD * value <= low and low - room <= 100 * value <= min(high + room, Decimal(100))
    ]
    if odd:
        text = (
            f"{count(len(odd), 'share')} may be printed as fractions among percent: {_named(odd)}; "
            f"the others lie between {low} and {high} %."
        )
        settle = "the unit of these shares"
        yield Finding("Units", _about(table, odd), "contradicts", text, settle)
