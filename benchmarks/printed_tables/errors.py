"""Tables with exactly one error, of ten kinds, each beside its honest twin.

`plant` says of each whether the error can be seen at all, by oracles of its own, and what a
finding about it must name.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import pi, sqrt

import numpy as np

from printed_tables.designs import pick, usual
from printed_tables.oracles import can_be_sd, is_share, overall_fits, variance_fits
from printed_tables.tables import (
    BEHIND,
    OVERALL,
    VARIANCE,
    PrintedTable,
    Row,
    best,
    draw,
    overall,
    printed,
    share_text,
    variance,
    variance_text,
)

RARE = 0.001  # equal runs that chance gives less often are evidence


@dataclass(frozen=True)
class Planted:
    """A table with an error.

    Attributes:
        twin: The same without it.
        detectable: Whether what is printed and said contradicts itself at all.
        checks: Titles of checks of which one should name it.
        words: What the finding should contain: the arm, the group.
        with_runs: Whether the counts of single runs are published in a file beside it.
    """

    kind: str
    table: PrintedTable
    twin: PrintedTable
    detectable: bool
    checks: tuple[str, ...]
    words: tuple[str, ...] = ()
    with_runs: bool = False


def plant(kind: str, generator: np.random.Generator) -> Planted:
    """A table with one error of this kind.

    A drawn table in which the error has no place (no two digits that differ) is drawn again.
    """
    while True:
        design = usual(generator, **DESIGNS.get(kind, lambda _: {})(generator))
        found = KINDS[kind](draw(design, generator), generator)
        if found:
            return found


# What is drawn for a kind


def _by_run(generator: np.random.Generator) -> dict[str, object]:
    return {
        "rows": "runs",
        "runs": pick(generator, [3, 5]),
        "cells": pick(generator, ["shares", "counts"]),
        "overall": None,
        "ddof": None,
    }


def _with_sd(generator: np.random.Generator) -> dict[str, object]:
    return {"spread": "sd", "runs": pick(generator, [3, 5])}


def _either_unit(generator: np.random.Generator) -> dict[str, object]:
    return {"unit": pick(generator, ["percent", "fraction"])}


def _means_or_runs(generator: np.random.Generator) -> dict[str, object]:
    rows = pick(generator, ["means", "means", "runs"])
    return {"rows": rows, "arms": 6 if rows == "means" else 3}


DESIGNS: dict[str, Callable[[np.random.Generator], dict[str, object]]] = {
    "swapped digits": _means_or_runs,
    "wrong ddof": _means_or_runs,
    "copied run": _by_run,
    "mean over groups for pooled": _means_or_runs,
    "misplaced overall": _means_or_runs,
    "percent for fraction": _either_unit,
    "SEM printed as sd": _with_sd,
    "impossible share": _means_or_runs,
}


# Planting


def _a_cell(table: PrintedTable, generator: np.random.Generator) -> tuple[int, str]:
    """A row and one of its groups."""
    at = int(generator.integers(len(table.rows)))
    return at, pick(generator, list(table.groups))


def _size(table: PrintedTable, group: str) -> int:
    return table.design.sizes[table.groups.index(group)]


def _impossible(table: PrintedTable, at: int, group: str) -> bool:
    """Whether a cell is no share of its group over the runs."""
    trials = _size(table, group) * table.design.averaged
    return not is_share(table.rows[at].texts[group], trials, table.design.unit)


def _row_contradicts(table: PrintedTable, at: int) -> bool:
    """Whether a row's overall or variance is not that of its groups."""
    design, row = table.design, table.rows[at]
    return not (
        overall_fits(design, row, table.groups, design.overall or "")
        and variance_fits(design, row, table.groups, design.ddof or 0)
    )


def _swapped_digits(twin: PrintedTable, generator: np.random.Generator) -> Planted | None:
    at, group = _a_cell(twin, generator)
    text = twin.rows[at].texts[group]
    places = [i for i, letter in enumerate(text) if letter.isdigit()]
    pairs = [(i, j) for i, j in itertools.pairwise(places) if text[i] != text[j]]
    swapped = [_exchanged(text, *pair) for pair in pairs]
    sensible = [one for one in swapped if float(one) <= 100 and one[0] != "0"]
    if not sensible:
        return None
    table = twin.with_texts({(at, group): pick(generator, sensible)})
    seen = _impossible(table, at, group) or _row_contradicts(table, at)
    words = (twin.shown_arm(twin.rows[at].arm), group)
    return Planted("swapped digits", table, twin, seen, ("Swapped digits",), words)


def _exchanged(text: str, one: int, two: int) -> str:
    letters = list(text)
    letters[one], letters[two] = letters[two], letters[one]
    return "".join(letters)


def _runs_of(table: PrintedTable, row: Row) -> np.ndarray:
    """Counts of the runs that a row is about."""
    counts = table.counts[row.arm]
    return best(table.design, counts) if row.run is None else counts[[row.run]]


def _wrong_ddof(twin: PrintedTable, generator: np.random.Generator) -> Planted:
    """One row's variance divides by the other number."""
    at, _ = _a_cell(twin, generator)
    design, row = twin.design, twin.rows[at]
    other = variance_text(design, variance(design, _runs_of(twin, row), 1 - (design.ddof or 0)))
    table = twin.with_texts({(at, VARIANCE): other})
    seen = not variance_fits(design, table.rows[at], twin.groups, design.ddof or 0)
    words = (twin.shown_arm(row.arm),)
    return Planted("wrong ddof", table, twin, seen, ("Definition of the variance",), words)


def _copied_run(twin: PrintedTable, generator: np.random.Generator) -> Planted:
    """All of one run stands for another run of the arm, too."""
    arm = int(generator.integers(twin.design.arms))
    own = [at for at, row in enumerate(twin.rows) if row.arm == arm]
    source, target = (int(at) for at in generator.choice(own, size=2, replace=False))
    copied = {(target, column): text for column, text in twin.rows[source].texts.items()}
    table = twin.with_texts(copied)
    seen = equal_runs_by_chance(twin) < RARE and bool(table.changed(twin))
    words = (twin.shown_arm(arm),)
    return Planted("copied run", table, twin, seen, ("Copied runs", "Copied rows"), words)


def equal_runs_by_chance(table: PrintedTable) -> float:
    """About how many pairs of runs of an arm are alike in all groups by chance."""
    n = np.array(table.design.sizes)
    share = np.clip(table.counts.mean(axis=1) / n, 0.5 / n, 1 - 0.5 / n)
    per_pair = np.minimum(1, 1 / (2 * sqrt(pi) * np.sqrt(n * share * (1 - share)))).prod(axis=1)
    runs = table.design.runs
    return float(per_pair.sum()) * runs * (runs - 1) / 2


def _wrong_n(twin: PrintedTable, generator: np.random.Generator) -> Planted:
    """The size of a group is said to be five more."""
    at = int(generator.integers(len(twin.groups)))
    stated = [n + 5 * (i == at) for i, n in enumerate(twin.stated)]
    table = replace(twin, stated=tuple(stated))
    trials, group = stated[at] * twin.design.averaged, twin.groups[at]
    failing = [not is_share(row.texts[group], trials, twin.design.unit) for row in twin.rows]
    seen = 2 * sum(failing) > len(failing)
    return Planted("wrong n", table, twin, seen, ("Group sizes", "GRIM"), (group,))


def _macro_for_pooled(twin: PrintedTable, generator: np.random.Generator) -> Planted:
    """One row's overall is the mean over the groups."""
    at, _ = _a_cell(twin, generator)
    design, row = twin.design, twin.rows[at]
    other = share_text(design, overall(design, _runs_of(twin, row), "groups"))
    table = twin.with_texts({(at, OVERALL): other})
    seen = not overall_fits(design, table.rows[at], twin.groups, "pooled")
    words = (twin.shown_arm(row.arm),)
    checks = ("Overall", "Definition of the mean")
    return Planted("mean over groups for pooled", table, twin, seen, checks, words)


def _truncated(twin: PrintedTable, generator: np.random.Generator) -> Planted:
    """All numbers are cut, not rounded."""
    table = printed(replace(twin.design, rounding="truncated"), twin.counts)
    cells = [(at, group) for at in range(len(table.rows)) for group in table.groups]
    seen = len(cells) >= 5 and any(_impossible(table, *cell) for cell in cells)
    return Planted("truncated for rounded", table, twin, seen, ("Rounding",), ("truncat",))


def _misplaced_overall(twin: PrintedTable, generator: np.random.Generator) -> Planted:
    """Two rows' overalls are exchanged."""
    one, two = (int(at) for at in generator.choice(len(twin.rows), size=2, replace=False))
    texts = [twin.rows[at].texts[OVERALL] for at in (one, two)]
    table = twin.with_texts({(one, OVERALL): texts[1], (two, OVERALL): texts[0]})
    seen = not all(
        overall_fits(twin.design, table.rows[at], twin.groups, twin.design.overall or "")
        for at in (one, two)
    )
    words = tuple(twin.shown_arm(twin.rows[at].arm) for at in (one, two))
    return Planted("misplaced overall", table, twin, seen, ("Overall",), words)


def _percent_for_fraction(twin: PrintedTable, generator: np.random.Generator) -> Planted:
    """A row, or all rows, in the other unit than the table says."""
    other = "fraction" if twin.design.unit == "percent" else "percent"
    foreign = printed(replace(twin.design, unit=other), twin.counts)
    if generator.random() < 0.3:
        table = replace(foreign, stated_unit=twin.design.unit)
        return Planted("percent for fraction", table, twin, True, ("Units",))
    at, _ = _a_cell(twin, generator)
    shares = [c for c in twin.columns if c != VARIANCE]
    table = twin.with_texts({(at, c): foreign.rows[at].texts[c] for c in shares})
    words = (twin.shown_arm(twin.rows[at].arm),)
    return Planted("percent for fraction", table, twin, True, ("Units",), words)


def _sem_as_sd(twin: PrintedTable, generator: np.random.Generator) -> Planted:
    """± is the standard error of the mean, and is said to be the standard deviation."""
    design = twin.design
    table = replace(printed(replace(design, spread="sem"), twin.counts), stated_spread="sd")
    with_runs = bool(generator.random() < 0.5)
    wrong = [
        not can_be_sd(row.texts[g], row.texts[g + BEHIND], n, design.runs, design.unit)
        for row in table.rows
        for g, n in zip(table.groups, design.sizes, strict=True)
    ]
    seen = sum(wrong) >= 2 or with_runs
    return Planted("SEM printed as sd", table, twin, seen, ("Spread",), (), with_runs)


def _impossible_share(twin: PrintedTable, generator: np.random.Generator) -> Planted:
    """A share is off by up to thirty units of its last digit."""
    at, group = _a_cell(twin, generator)
    text = twin.rows[at].texts[group]
    decimals = len(text.partition(".")[2])
    steps = int(generator.integers(1, 31)) * pick(generator, [-1, 1])
    changed = f"{float(text) + steps * 10.0**-decimals:.{decimals}f}"
    if not 0 <= float(changed) <= 100:
        return None
    table = twin.with_texts({(at, group): changed})
    seen = _impossible(table, at, group)
    words = (twin.shown_arm(twin.rows[at].arm), group)
    return Planted("impossible share", table, twin, seen, ("GRIM",), words)


KINDS: dict[str, Callable[[PrintedTable, np.random.Generator], Planted | None]] = {
    "swapped digits": _swapped_digits,
    "wrong ddof": _wrong_ddof,
    "copied run": _copied_run,
    "wrong n": _wrong_n,
    "mean over groups for pooled": _macro_for_pooled,
    "truncated for rounded": _truncated,
    "misplaced overall": _misplaced_overall,
    "percent for fraction": _percent_for_fraction,
    "SEM printed as sd": _sem_as_sd,
    "impossible share": _impossible_share,
}
