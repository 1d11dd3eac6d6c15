"""What ± is over the runs, and whether it can be at all (GRIMMER on counts of portraits)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Literal

from scipy.stats import norm, t

from repro.analysis.audit.checks.finding import CHANCE, Finding, percent
from repro.analysis.audit.checks.printed_shares import (
    RUNS,
    SIZES,
    is_number,
    listed,
    place,
    runs_behind,
    size_of,
)
from repro.analysis.audit.reading.published_table import PublishedTable, Row
from repro.analysis.wording import joined
from repro.stats.forensics import Interval, Printed
from repro.stats.grimmer import grimmer, squared

Kind = Literal["sd", "sem", "ci95_t", "ci95_normal"]
KINDS: dict[Kind, str] = {
    "sd": "the standard deviation over runs",
    "sem": "the standard error of the mean",
    "ci95_t": "half of a 95 % t interval",
    "ci95_normal": "half of a 95 % normal interval",
}
MOST_CELLS = 2_000  # that are tried
SAMPLE = 60  # of them for the chance
NEAR = 10  # prints on both sides, to count how many of them are possible
FLOAT = Fraction(1, 10**9)  # error of a critical value


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean over runs with what stands behind its ±.

    Attributes:
        n: Portraits of the group in one run.
        runs: That are averaged, at least two.
    """

    where: str
    row: Row
    mean: Printed
    error: Printed
    n: int
    runs: int


def findings(table: PublishedTable) -> Iterator[Finding]:
    """Which readings of ± counts allow; whether the stated one is among them."""
    if table.description.reading_error or table.description.average == "median":
        return
    cells, open_ = _spreads(table)
    if not cells:
        if open_:
            text = "What ± is, and whether it is possible, depends on portraits and runs."
            yield Finding("Spread", table.title, "cannot tell", text, f"{RUNS}; {SIZES}")
        return
    cells = cells[:MOST_CELLS]
    possible = {kind: _possible(cells, kind) for kind in KINDS}
    whole = [kind for kind in KINDS if all(possible[kind])]
    stated = table.description.spread
    if stated is None:
        yield _unstated(table, cells, possible, whole)
    elif stated in whole:
        yield from _as_stated(table, cells, stated)
    elif whole and _many(cells, possible[stated], stated):
        yield _other(table, cells, possible, stated, whole)
    else:
        yield _impossible(table, cells, possible, stated)


def _many(cells: Sequence[Spread], fits: Sequence[bool], stated: Kind) -> bool:
    """Whether about as many are impossible as if ± were something else than stated."""
    wrong = len(fits) - sum(fits)
    tried = cells[:SAMPLE]
    expected = sum(1 - _share_near(cell, stated) for cell in tried) * len(cells) / len(tried)
    return wrong > 1 and 2 * wrong >= expected


def _spreads(table: PublishedTable) -> tuple[list[Spread], bool]:
    """All means with ± whose portraits and runs are known, and whether there are others."""
    cells, others = [], False
    for row in table.rows:
        runs = runs_behind(table, row)
        for group, share in row.groups.items():
            cell = share.cell
            if cell is None or cell.value is None or cell.error is None or not is_number(cell):
                continue
            n = size_of(table, share, group)
            if n is None or runs is None:
                others = True
            elif runs > 1:
                cells.append(Spread(place(row, group), row, cell.value, cell.error, n, runs))
    return cells, others


def _possible(cells: Sequence[Spread], kind: Kind) -> list[bool]:
    """Whether each ± may be of this kind; of a deviation with ddof 1, or in all cells with 0."""
    tried = [[_fits(cell, cell.error, kind, ddof) for cell in cells] for ddof in (1, 0)]
    return max(tried, key=lambda fits: (all(fits), fits is tried[0]))


def _fits(cell: Spread, error: Printed, kind: Kind, ddof: int) -> bool:
    low, high = squared(error)
    least, most = _factor(kind, cell.runs)
    variance = (low * least, high * most)
    verdict = grimmer(
        cell.mean.interval(),
        variance,
        cell.runs,
        grain=Fraction(cell.n, 100),
        ddof=ddof,
        scale=(0, cell.n),
    )
    return verdict != "spread" and verdict != "parity"


def _factor(kind: Kind, runs: int) -> Interval:
    """What the square of ± is multiplied by to give the variance of single runs."""
    if kind == "sd":
        return Fraction(1), Fraction(1)
    if kind == "sem":
        return Fraction(runs), Fraction(runs)
    critical = float(t.ppf(0.975, runs - 1)) if kind == "ci95_t" else float(norm.ppf(0.975))
    factor = runs / Fraction(critical) ** 2
    return factor * (1 - FLOAT), factor * (1 + FLOAT)


def _chance(cells: Sequence[Spread], kind: Kind) -> float:
    """Probability that numbers near the printed ± would all be possible as this kind."""
    return prod(_share_near(cell, kind) for cell in cells[:SAMPLE])


def _share_near(cell: Spread, kind: Kind) -> float:
    """The share of possible numbers among those near the printed ±."""
    near = [_moved(cell.error, step) for step in range(-NEAR, NEAR + 1)]
    positive = [one for one in near if one.value > 0]
    return sum(_fits(cell, one, kind, 1) for one in positive) / max(1, len(positive))


def _moved(printed: Printed, steps: int) -> Printed:
    """A number some units of the last digit away."""
    return Printed(printed.value + steps * type(printed.value)(1).scaleb(-printed.decimals))


def _counts(possible: dict[Kind, list[bool]], kinds: Sequence[Kind]) -> str:
    return "; ".join(f"as {KINDS[kind]} {sum(possible[kind]):,}" for kind in kinds)


def _unstated(
    table: PublishedTable,
    cells: Sequence[Spread],
    possible: dict[Kind, list[bool]],
    whole: Sequence[Kind],
) -> Finding:
    """Nothing is said of ±: one reading may be left."""
    text = f"Of {len(cells):,} numbers behind ±, possible are {_counts(possible, list(KINDS))}."
    if len(whole) == 1 and _chance(cells, whole[0]) <= CHANCE:
        return Finding("Spread", table.title, "fits", f"± is {KINDS[whole[0]]}. {text}")
    settle = "what ± is: --plus-minus sd, sem, ci95_t or ci95_normal; or the single runs"
    return Finding("Spread", table.title, "cannot tell", f"What ± is is not said. {text}", settle)


def _as_stated(table: PublishedTable, cells: Sequence[Spread], stated: Kind) -> Iterator[Finding]:
    chance = _chance(cells, stated)
    text = (
        f"All {len(cells):,} numbers behind ± are possible as {KINDS[stated]}; the probability of "
        f"this for numbers near them is {percent(chance)}."
    )
    if chance <= CHANCE:
        yield Finding("GRIMMER", table.title, "fits", text)
        return
    yield Finding("GRIMMER", table.title, "chance", text)
    text = "Whether ± is what it is said to be cannot be told from so few digits or so many runs."
    yield Finding("Spread", table.title, "cannot tell", text, "the single runs")


def _other(
    table: PublishedTable,
    cells: Sequence[Spread],
    possible: dict[Kind, list[bool]],
    stated: Kind,
    whole: Sequence[Kind],
) -> Finding:
    """Another reading than the stated one is possible everywhere."""
    text = (
        f"± is stated to be {KINDS[stated]}; as such {sum(possible[stated]):,} of {len(cells):,} "
        f"are possible. As {joined([KINDS[kind] for kind in whole], 'or as')} all are; the "
        f"probability of this for numbers near them is {percent(_chance(cells, whole[0]))}."
    )
    settle = "what ± is, or the single runs"
    return Finding("Spread", table.title, "contradicts", text, settle)


def _impossible(
    table: PublishedTable,
    cells: Sequence[Spread],
    possible: dict[Kind, list[bool]],
    stated: Kind,
) -> Finding:
    wrong = [
        f"{cell.mean} ± {cell.error} in {cell.where}"
        for cell, fits in zip(cells, possible[stated], strict=True)
        if not fits
    ]
    text = (
        f"{len(wrong):,} of {len(cells):,} numbers behind ± are impossible as {KINDS[stated]} of "
        f"shares of the stated portraits: {listed(wrong)}. Other portraits, or another spread?"
    )
    settle = "what ± is; the portraits of each group; the number of runs; or the single runs"
    return Finding("GRIMMER", table.title, "impossible", text, settle)
