"""What a printed overall value is of its groups, and margins of some of them."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod

from repro.analysis.audit.checks.finding import CHANCE, Finding
from repro.analysis.audit.checks.printed_shares import (
    SIZES,
    is_number,
    listed,
    place,
    reading_error,
)
from repro.analysis.audit.checks.row_aggregates import (
    OVERALLS,
    Aggregates,
    Overall,
    aggregates_of,
    overall_reading,
    sizes_explain,
)
from repro.analysis.audit.reading.column_names import group_words
from repro.analysis.audit.reading.mean_files import PPB_NAME
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.wording import count, joined
from repro.stats.aggregates import meet, weighted_mean
from repro.stats.forensics import Interval

WORDS: dict[Overall, str] = {"pooled": "pooled over portraits", "groups": "the mean over groups"}
MOST_ROWS = 20  # that are named by a finding each
SETTLE = "which of the printed numbers is wrong: the overall value or one of its groups"


def findings(table: PublishedTable) -> Iterator[Finding]:
    """The overall value of each row against its groups, and margins against their parts."""
    if table.description.average == "median":
        return  # a median of overall values is none of the groups' medians
    every = aggregates_of(table)
    rows = [row for row in every if row.overall is not None]
    if rows:
        yield from _overall(table, rows)
    yield from _margins(table, every)


def _overall(table: PublishedTable, rows: Sequence[Aggregates]) -> Iterator[Finding]:
    reading = overall_reading(rows)
    pairs = [] if reading is None and sizes_explain(rows) else _exchanged(rows, reading)
    if reading is None and len(pairs) == 1:
        reading = pairs[0][2]
    if reading is None:
        yield from _of_no_reading(table, rows)
        return
    wrong = [row for row in rows if not row.overall_fits(reading)]
    yield _reading(table, rows, reading, len(rows) - len(wrong))
    named = {id(row) for one, other, _ in pairs for row in (one, other)}
    for one, other, _ in pairs:
        yield _pair(table, reading, one, other)
    single = [row for row in wrong if id(row) not in named]
    for row in single[:MOST_ROWS]:
        yield _row(table, reading, row, rows)
    if len(single) > MOST_ROWS:
        text = f"The same holds for {count(len(single) - MOST_ROWS, 'further row')}."
        yield Finding("Overall", table.title, "contradicts", text, SETTLE)


def _reading(
    table: PublishedTable, rows: Sequence[Aggregates], reading: Overall, fitting: int
) -> Finding:
    """Which reading the overall values have."""
    others = [other for other in OVERALLS if other != reading and rows[0].expected(other)]
    also = {other: sum(row.overall_fits(other) for row in rows) for other in others}
    text = f"The overall value is {WORDS[reading]} in {fitting:,} of {count(len(rows), 'row')}"
    text += "".join(f"; {WORDS[other]} in {number:,}" for other, number in also.items()) + "."
    if rows[0].assumed and rows[0].sizes:
        text += f" Groups of {joined([str(n) for n in rows[0].sizes])} portraits as in {PPB_NAME}."
    some = [row for row in rows[:MOST_ROWS] if row.overall_fits(reading)]
    chance = prod(_chance(row, reading) for row in some)
    if chance > CHANCE:
        text += " Any number between the groups would fit as well, within rounding."
        return Finding("Overall", table.title, "chance", text)
    return Finding("Overall", table.title, "fits", text)


def _chance(row: Aggregates, reading: Overall) -> float:
    """Probability that a random number between the least and the largest share would fit."""
    expected, printed = row.expected(reading), row.overall_bounds
    assert expected is not None
    width = expected[1] - expected[0] + printed[1] - printed[0]
    room = _hull(row)[1] - _hull(row)[0]
    return float(min(Fraction(1), width / room)) if room else 1.0


def _hull(row: Aggregates) -> Interval:
    return min(low for low, _ in row.shares.values()), max(high for _, high in row.shares.values())


def _exchanged(
    rows: Sequence[Aggregates], reading: Overall | None
) -> list[tuple[Aggregates, Aggregates, Overall]]:
    """Pairs of rows whose overall values fit each other's groups and not their own.

    Without a reading, a pair counts if it leaves no row that does not fit.
    """
    found = []
    for tried in OVERALLS if reading is None else (reading,):
        wrong = [row for row in rows if not row.overall_fits(tried)]
        if len(wrong) > MOST_ROWS or (reading is None and len(wrong) != 2):
            continue
        for at, one in enumerate(wrong):
            for other in wrong[at + 1 :]:
                if _fits(one, other, tried) and _fits(other, one, tried):
                    found.append((one, other, tried))
    once = {(id(one), id(other)): (one, other, tried) for one, other, tried in reversed(found)}
    seen = [row for pair in once for row in pair]
    return [pair for ids, pair in once.items() if all(seen.count(row) == 1 for row in ids)]


def _fits(one: Aggregates, other: Aggregates, reading: Overall) -> bool:
    """Whether the overall value of one row fits the groups of another."""
    expected = other.expected(reading)
    return expected is not None and meet(one.overall_bounds, expected)


def _pair(table: PublishedTable, reading: Overall, one: Aggregates, other: Aggregates) -> Finding:
    names = f"{place(one.row)} and {place(other.row)}"
    text = (
        f"The overall values {one.overall} and {other.overall} of {names} are not "
        f"{WORDS[reading]} of their own groups but of each other's: they seem to be exchanged."
    )
    about = f"{table.title}: {one.row.arm.name} and {other.row.arm.name}"
    return Finding("Overall", about, "contradicts", text, SETTLE)


def _row(
    table: PublishedTable, reading: Overall, row: Aggregates, rows: Sequence[Aggregates]
) -> Finding:
    """A row that the table's reading does not give, and what else it fits."""
    expected = row.expected(reading)
    assert expected is not None
    assert row.overall is not None
    text = (
        f"{place(row.row)}: the overall value is printed as {row.overall}; its groups give "
        f"{_between(expected, row.overall.decimals)}, {WORDS[reading]}."
    )
    other = next((o for o in OVERALLS if o != reading and row.overall_fits(o)), None)
    fitting = [that for that in rows if that is not row and _fits(row, that, reading)]
    if other:
        text += f" It is {WORDS[other]}, other than in the rest of the table."
    elif len(fitting) == 1:
        text += f" It would fit the groups of {place(fitting[0].row)}."
    about = f"{table.title}: {row.row.arm.name}"
    return Finding("Overall", about, "contradicts", text, SETTLE)


def _between(bounds: Interval, decimals: int) -> str:
    low, high = (f"{float(end):.{decimals + 1}f}" for end in bounds)
    return low if low == high else f"{low} to {high}"


def _of_no_reading(table: PublishedTable, rows: Sequence[Aggregates]) -> Iterator[Finding]:
    """The overall values of most rows are neither; some may even lie outside their groups."""
    outside = [row for row in rows if not meet(row.overall_bounds, _hull(row))]
    if outside and 2 * len(outside) < len(rows):
        named = [f"{row.overall} in {place(row.row)}" for row in outside]
        text = (
            f"The overall values of {count(len(outside), 'row')} lie outside all of their groups: "
            f"{listed(named)}; those of the others lie between them."
        )
        yield Finding("Overall", table.title, "contradicts", text, SETTLE)
        return
    tried = [reading for reading in OVERALLS if rows[0].expected(reading) is not None]
    fits = "; ".join(
        f"{WORDS[reading]} in {sum(row.overall_fits(reading) for row in rows):,}"
        for reading in tried
    )
    text = f"What the overall value is cannot be told: of {count(len(rows), 'row')} it is {fits}."
    text += f" In {len(outside):,} it lies outside all of its groups." if outside else ""
    settle = "what the overall value is of"
    settle += "" if rows[0].sizes else f"; {SIZES}"
    yield Finding("Overall", table.title, "cannot tell", text, settle)


# Margins


def _margins(table: PublishedTable, rows: Sequence[Aggregates]) -> Iterator[Finding]:
    """Margins such as female, against darker female and lighter female."""
    wrong, every = [], 0
    error = reading_error(table)
    for row in rows:
        words = {group: group_words(group) for group in row.shares}
        for name, cell in row.row.margins.items():
            parts = [at for at, group in enumerate(row.shares) if group_words(name) < words[group]]
            if len(parts) < 2 or not is_number(cell) or cell.value is None:
                continue
            every += 1
            shares = [list(row.shares.values())[at] for at in parts]
            if row.sizes is None or row.assumed:
                expected = (min(low for low, _ in shares), max(high for _, high in shares))
            else:
                expected = weighted_mean(shares, [row.sizes[at] for at in parts])
            if not meet(cell.value.interval(error=error), expected):
                shown = _between(expected, cell.value.decimals)
                wrong.append(f"{name} {cell.value} in {place(row.row)}, whose parts give {shown}")
    if not every:
        return
    stated = rows[0].sizes and not rows[0].assumed
    of = "pooled at the stated sizes" if stated else "between the least and the largest"
    if wrong:
        text = (
            f"{len(wrong):,} of {count(every, 'margin')} do not follow from their parts, {of}: "
            f"{listed(wrong)}. Other denominators?"
        )
        settle = "the portraits behind each share (some may have been left out)"
        yield Finding("Overall", table.title, "contradicts", text, settle)
    else:
        text = f"All {count(every, 'margin')} follow from their parts, {of}."
        yield Finding("Overall", table.title, "fits", text)
