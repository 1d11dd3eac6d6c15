"""Which variance between groups a table prints, and the rows that have another."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from repro.analysis.audit.checks.finding import CHANCE, Finding, percent
from repro.analysis.audit.checks.printed_shares import listed, place, runs_behind
from repro.analysis.audit.checks.row_aggregates import (
    DDOFS,
    Aggregates,
    Ddof,
    aggregates_of,
    variance_reading,
)
from repro.analysis.audit.reading.published_table import PublishedTable, Row
from repro.analysis.wording import count, joined
from repro.stats.aggregates import apart, meet
from repro.stats.equal_groups import of_averages, of_each_run
from repro.stats.forensics import Interval, Printed

CHECK = "Definition of the variance"
WORDS: dict[Ddof, str] = {
    0: "population variance (ddof 0)",
    1: "sample variance (ddof 1)",
}
CLEAR = 3  # tolerances by which a variance must differ where runs may have been averaged last
NEAR = 25  # prints on both sides, to count how many of them a reading allows
MOST_ROWS = 20  # that are named by a finding each
SETTLE = "the definition of the variance (ddof; runs averaged before or after), or the single runs"
FACTORS = {
    "a fraction where percent squared is expected (10,000 times would fit)": Fraction(10_000),
    "in percent squared where fractions are expected (a ten-thousandth would fit)": Fraction(
        1, 10_000
    ),
}


def findings(table: PublishedTable) -> Iterator[Finding]:
    """From the printed groups; of equal groups that are not printed, by the grain of the mean."""
    rows = [row for row in aggregates_of(table) if row.between is not None]
    if rows:
        yield from _of_groups(table, rows)
    else:
        yield from _of_equal_groups(table)


def _of_groups(table: PublishedTable, rows: Sequence[Aggregates]) -> Iterator[Finding]:
    ddof = variance_reading(rows)
    if ddof is None:
        yield _of_no_reading(table, rows)
        return
    fitting = sum(row.variance_fits(ddof) for row in rows)
    other: Ddof = 1 if ddof == 0 else 0
    also = sum(row.variance_fits(other) for row in rows)
    text = (
        f"The variance between groups is the {WORDS[ddof]} of the printed shares in {fitting:,} "
        f"of {count(len(rows), 'row')}; the {WORDS[other]} in {also:,}."
    )
    if also == fitting:
        text += " The two cannot be told apart with so few digits."
        yield Finding(CHECK, table.title, "cannot tell", text, "the shares with more decimals")
        return
    yield Finding(CHECK, table.title, "fits", text)
    median = table.description.average == "median"
    wrong = [row for row in rows if not row.variance_fits(ddof) and not median]
    hidden = max((_tolerance(row, ddof) for row in rows if row.variance_fits(ddof)), default=0)
    accused = [row for row in wrong if _accused(row, ddof, Fraction(hidden))]
    for row in accused[:MOST_ROWS]:
        yield _row(table, row, ddof)
    if len(accused) > MOST_ROWS:
        text = f"The same holds for {count(len(accused) - MOST_ROWS, 'further row')}."
        yield Finding(CHECK, table.title, "contradicts", text, SETTLE)


def _accused(row: Aggregates, ddof: Ddof, hidden: Fraction) -> bool:
    """Whether no average over runs explains the variance of a row.

    The mean of single runs' variances is at least the variance of the averages, and near it if the
    runs hardly differ; a row of averages is accused only beyond that, and beyond what rounding may
    hide of it in the rows that fit.
    """
    assert row.between is not None
    if row.single or row.between[1] < row.variance_of(0)[0]:
        return True
    beyond = apart(row.between, row.variance_of(ddof))
    return beyond > (CLEAR - 1) * max(_tolerance(row, ddof), hidden)


def _tolerance(row: Aggregates, ddof: Ddof) -> Fraction:
    """How far a printed variance may lie from that of the middles of its shares."""
    assert row.between is not None
    expected = row.variance_of(ddof)
    return (expected[1] - expected[0] + row.between[1] - row.between[0]) / 2


def _row(table: PublishedTable, row: Aggregates, ddof: Ddof) -> Finding:
    """A row whose variance is not the table's."""
    other: Ddof = 1 if ddof == 0 else 0
    cell = row.row.variance or row.row.sd
    assert cell is not None
    low, high = row.variance_of(ddof)
    text = (
        f"{place(row.row)}: {cell.column} is printed as {cell.value}; the {WORDS[ddof]} of its "
        f"groups is {float(low):.3f} to {float(high):.3f}."
    )
    if row.variance_fits(other):
        text += f" It is the {WORDS[other]}, other than in the rest of the table."
    about = f"{table.title}: {row.row.arm.name}"
    return Finding(CHECK, about, "contradicts", text, SETTLE)


def _of_no_reading(table: PublishedTable, rows: Sequence[Aggregates]) -> Finding:
    """Neither fits most rows; say which other reading is open."""
    fits = "; ".join(
        f"{WORDS[ddof]} in {sum(row.variance_fits(ddof) for row in rows):,}" for ddof in DDOFS
    )
    text = f"Of {count(len(rows), 'row')} the variance is the {fits}."
    for words, factor in FACTORS.items():
        if any(all(_fits(row, ddof, factor) for row in rows) for ddof in DDOFS):
            text += f" It is {words}."
            settle = "the unit of the variance"
            return Finding("Units", table.title, "contradicts", text, settle)
    below = [row for row in rows if row.between and row.between[1] < row.variance_of(0)[0]]
    if not below and not any(row.single for row in rows):
        text += (
            " All are at least the variance of the averages: they may be means of single runs' "
            "variances."
        )
    elif below and not any(row.single for row in rows):
        named = [f"{row.row.arm.name} (line {row.row.line})" for row in below]
        text += f" Below any variance of its groups: {listed(named)}."
    return Finding(CHECK, table.title, "cannot tell", text, SETTLE)


def _fits(row: Aggregates, ddof: Ddof, factor: Fraction) -> bool:
    assert row.between is not None
    scaled = (row.between[0] * factor, row.between[1] * factor)
    low, high = row.variance_of(ddof)
    return low > 0 and meet(scaled, (low, high))


# Equal groups that are not printed

Reading = tuple[str, Callable[..., bool], Ddof]
READINGS: tuple[Reading, ...] = (
    ("the variance of run-averaged groups", of_averages, 0),
    ("the variance of run-averaged groups", of_averages, 1),
    ("the mean over runs of single runs' variances", of_each_run, 0),
    ("the mean over runs of single runs' variances", of_each_run, 1),
)


def _of_equal_groups(table: PublishedTable) -> Iterator[Finding]:
    """Which variance the whole numbers behind a mean over equal groups allow."""
    sizes = set(table.description.groups.values())
    groups = len(table.description.groups)
    rows = [row for row in table.rows if not row.groups and _printed(row) is not None]
    known = [row for row in rows if runs_behind(table, row) is not None]
    if len(sizes) != 1 or groups < 2 or not known or table.description.average == "median":
        return
    (n,) = sizes
    shape = {"groups": groups, "n": n}
    several = any(runs_behind(table, row) != 1 for row in known)
    readings = READINGS if several else READINGS[:2]
    fitting = [[_possible(table, row, reading, shape) for row in known] for reading in readings]
    names = [f"{words} with ddof {ddof}" for words, _, ddof in readings]
    whole = [at for at, fits in enumerate(fitting) if all(fits)]
    rest = [at for at in range(len(readings)) if at not in whole]
    counts = joined([f"{sum(fitting[at]):,} as {names[at]}" for at in rest])
    beside = f" Of {count(len(known), 'row')}, possible are {counts}." if rest else ""
    grain = f"of {groups} groups of {n:,} portraits"
    if len(whole) == 1:
        chance = _chance(table, known, readings[whole[0]], shape)
        text = (
            f"Whole numbers {grain} allow one reading in every row: {names[whole[0]]}; it would "
            f"be possible for random variances with probability {percent(chance)}.{beside}"
        )
        if chance <= CHANCE:
            yield Finding(CHECK, table.title, "fits", text)
            return
        yield Finding(CHECK, table.title, "cannot tell", text, SETTLE)
    elif whole:
        text = f"Whole numbers {grain} allow {joined([names[at] for at in whole])}.{beside}"
        yield Finding(CHECK, table.title, "cannot tell", text, SETTLE)
    else:
        text = f"Whole numbers {grain} allow no reading of the variance in every row.{beside}"
        settle = f"{SETTLE}; the sizes of the groups, and the number of runs"
        yield Finding(CHECK, table.title, "cannot tell", text, settle)


def _printed(row: Row) -> tuple[Printed, Printed] | None:
    """The overall value and the variance, if both are printed."""
    if row.overall is None or row.overall.value is None:
        return None
    if row.variance is None or row.variance.value is None:
        return None
    return row.overall.value, row.variance.value


def _possible(
    table: PublishedTable,
    row: Row,
    reading: Reading,
    shape: dict[str, int],
    variance: Interval | None = None,
) -> bool:
    """Whether whole numbers give the row's mean and variance, both in percent."""
    printed, runs = _printed(row), runs_behind(table, row)
    assert printed is not None
    assert runs is not None
    mean, between = printed[0].interval(), variance or printed[1].interval()
    _, test, ddof = reading
    return test(
        (mean[0] / 100, mean[1] / 100),
        (max(Fraction(0), between[0]) / 10_000, between[1] / 10_000),
        **shape,
        runs=runs,
        ddof=ddof,
    )


def _chance(
    table: PublishedTable, rows: Sequence[Row], reading: Reading, shape: dict[str, int]
) -> float:
    """Probability that the reading allows random variances near those that are printed."""
    chance = 1.0
    for row in rows[:MOST_ROWS]:
        printed = _printed(row)
        assert printed is not None
        low, high = printed[1].interval()
        steps = [step * (high - low) for step in range(-NEAR, NEAR + 1) if low + step > 0 or step]
        near = [(low + step, high + step) for step in steps if low + step >= 0]
        chance *= sum(_possible(table, row, reading, shape, one) for one in near) / len(near)
    return chance
