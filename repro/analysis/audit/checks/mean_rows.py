"""Whether a row that is called the mean of the others is their mean."""

import functools
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import floor

from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.checks.printed_shares import listed, place
from repro.analysis.audit.reading.published_table import Cell, PublishedTable, Row
from repro.analysis.wording import count
from repro.stats.forensics import Printed

Find = Callable[[Row], Cell | None]


def findings(table: PublishedTable) -> Iterator[Finding]:
    """Each number of a mean row against the same column of the other rows."""
    for row in table.means:
        compared = [*_compared(table, row)]
        if compared:
            yield _finding(table, row, compared)


def _finding(
    table: PublishedTable, row: Row, compared: Sequence[tuple[str, bool, bool]]
) -> Finding:
    wrong = [text for text, fits, _ in compared if not fits]
    where, rows = place(row), count(len(table.rows), "other row")
    if len(wrong) == len(compared):
        text = f"{where} is not the mean of the {rows}; no other check reads it."
        return Finding("Mean row", table.title, "cannot tell", text, "what this row is")
    if wrong:
        text = f"{len(wrong)} of {count(len(compared), 'number')} of {where} "
        text += f"{'is' if len(wrong) == 1 else 'are'} not the mean of the {rows}: {listed(wrong)}."
        settle = "which of the printed numbers is wrong, or over which rows the mean is"
        return Finding("Mean row", table.title, "contradicts", text, settle)
    exact = sum(equal for _, _, equal in compared)
    text = f"All {count(len(compared), 'number')} of {where} are means of the {rows}"
    if exact == len(compared):
        text += ", those of the printed numbers, rounded half up"
    return Finding("Mean row", table.title, "fits", f"{text}.")


def _compared(table: PublishedTable, mean: Row) -> Iterator[tuple[str, bool, bool]]:
    """In words; whether the mean is possible; whether it is that of the printed numbers."""
    for name, find in _columns(table):
        printed = _number(find(mean))
        numbers = [_number(find(row)) for row in table.rows]
        known = [number for number in numbers if number is not None]
        if printed is None or len(known) < len(numbers) or len(known) < 2:
            continue
        low, high = (_mean([number.interval()[end] for number in known]) for end in (0, 1))
        least, most = printed.interval()
        exact = _mean([Fraction(number.value) for number in known])
        words = f"{name} {printed}, the rows give {float(low):.{printed.decimals + 1}f} to "
        words += f"{float(high):.{printed.decimals + 1}f}"
        yield words, low <= most and least <= high, _half_up(exact, printed)


def _columns(table: PublishedTable) -> Iterator[tuple[str, Find]]:
    """Each column of shares, and the overall value."""
    for group in table.groups:
        yield group, functools.partial(_share, group)
    yield "overall", lambda row: row.overall


def _share(group: str, row: Row) -> Cell | None:
    share = row.groups.get(group)
    return None if share is None else share.cell


def _number(cell: Cell | None) -> Printed | None:
    return cell.value if cell is not None and cell.state == "number" else None


def _mean(numbers: Sequence[Fraction]) -> Fraction:
    return sum(numbers, Fraction(0)) / len(numbers)


def _half_up(exact: Fraction, printed: Printed) -> bool:
    unit = Fraction(1, 10**printed.decimals)
    return floor(exact / unit + Fraction(1, 2)) * unit == Fraction(printed.value)
