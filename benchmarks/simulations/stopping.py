"""Studies that are looked at while they grow, and that stop once they are decided."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from repro.stats import stopping
from repro.stats.conclusions import DOES_NOT_HOLD, HOLDS, TOO_SMALL, WORDS
from simulations import differences
from simulations.differences import ARM, BOTH, GOOD, Runs, Values
from simulations.document import points, share
from simulations.simulation import STUDIES, Columns, Means, Promise, Simulation, Table

EFFECTS = (0.0, 0.5, 1.0, 2.0)  # true ones, in units of the smallest effect that matters
EIGHT = stopping.blocks(5, 40)
EVERY = tuple(range(5, 41))
BATCH = 25  # studies that are drawn together where all plans are compared
MOST = max(looks[-1] for looks in stopping.PLANS)
STOPS = 0.046  # most studies without an effect that a shipped plan stops
WRONG = 0.025  # most studies with either wrong word


@dataclass(frozen=True, slots=True)
class Plan:
    """Looks at a study.

    Attributes:
        looks: Numbers of pairs.
        runs: Which of them are bad.
        anytime: Whether each look has the interval for looks that nobody planned.
        smallest: Effect that matters, in standard deviations of the differences of good pairs.
    """

    looks: tuple[int, ...]
    runs: Runs
    anytime: bool = False
    smallest: float = 1.0

    @property
    def told(self) -> str:
        """The looks and the kind of the intervals."""
        looks = f"every pair from {self.looks[0]}" if self.looks == EVERY else spelt(self.looks)
        return f"{looks}, unplanned" if self.anytime else looks


def spelt(looks: Sequence[int]) -> str:
    """Looks in a few numbers; those in equal steps by the first two and the last."""
    if len(looks) > 4 and len(set(np.diff(looks))) == 1:
        return f"{looks[0]}, {looks[1]}, ..., {looks[-1]}"
    return ", ".join(map(str, looks))


PLANS = (
    *(Plan(EIGHT, runs) for runs in (GOOD, BOTH, ARM)),
    Plan(EIGHT, BOTH, smallest=2.0),
    *(Plan(looks, runs) for looks in ((5, 10, 15, 20), *stopping.OTHERS) for runs in (GOOD, BOTH)),
    *(Plan(looks, runs, anytime=True) for looks in (EIGHT, EVERY) for runs in (GOOD, BOTH)),
)


def named(plan: Plan) -> str:
    """Name of the cell."""
    matters = "" if plan.smallest == 1 else f", smallest effect {plan.smallest:g}"
    return f"{plan.told}; {plan.runs.told}{matters}"


CELLS: Mapping[str, Plan | Runs] = {f"all plans; {runs.told}": runs for runs in (GOOD, BOTH)} | {
    named(plan): plan for plan in PLANS
}


def draw(cell: Plan | Runs, generator: Generator) -> Values:
    """Differences of all pairs without an effect, shape (1 or BATCH, last look)."""
    if isinstance(cell, Runs):
        return differences.draw(cell, MOST, generator, studies=BATCH)
    return differences.draw(cell.runs, cell.looks[-1], generator)


def measure(cell: Plan | Runs, studies: list[Values]) -> Columns:
    """What stops, and at how many pairs."""
    values = np.concatenate(studies)
    if isinstance(cell, Runs):
        return _false_stops(values)
    low, high = ends(values, cell.looks, bounds(cell))
    found: dict[str, Values] = {}
    for effect in EFFECTS:
        true = effect * cell.smallest
        found |= _excluded(cell, low + true, high + true, f"true {effect:g}")
        found |= _words(cell, low + true, high + true - cell.smallest, f"true {effect:g}")
    return found


def bounds(plan: Plan) -> NDArray[np.float64]:
    """Half-width of the interval of each look, in standard errors, shape (L,)."""
    if plan.anytime:
        return np.array([stopping.anytime_boundary(pairs) for pairs in plan.looks])
    return np.array(stopping.boundary(plan.looks))


def ends(values: Values, looks: Sequence[int], half: NDArray[np.float64]) -> tuple[Values, Values]:
    """Lower and upper ends of the intervals of all looks, shape (S, L) each."""
    pairs, last = np.array(looks), np.array(looks) - 1
    mean = np.cumsum(values, axis=1)[:, last] / pairs
    centred = values - values.mean(axis=1, keepdims=True)
    about = np.cumsum(centred, axis=1)[:, last] / pairs
    squares = np.cumsum(centred**2, axis=1)[:, last] - pairs * about**2
    reach = half * np.sqrt(squares / (pairs - 1) / pairs)
    return mean - reach, mean + reach


def _false_stops(values: Values) -> Columns:
    """Share of each batch in which the interval of any look excludes 0, for every shipped plan."""
    pairs = sorted({look for looks in stopping.PLANS for look in looks})
    low, high = ends(values, pairs, np.ones(len(pairs)))
    t = np.abs(low + high) / (high - low)
    found = {}
    for looks in stopping.PLANS:
        beyond = t[:, np.searchsorted(pairs, looks)] > stopping.boundary(looks)
        found[spelt(looks)] = beyond.any(axis=1).reshape(-1, BATCH).mean(axis=1)
    return found


def _excluded(plan: Plan, low: Values, high: Values, told: str) -> dict[str, Values]:
    """Whether an interval excludes 0, and the pairs until then or until the last look."""
    stops = (low > 0) | (high < 0)
    return {
        f"stopped, {told}": stops.any(axis=1).astype(np.float64),
        f"pairs, {told}": np.array(plan.looks)[first(stops)].astype(np.float64),
    }


def _words(plan: Plan, low: Values, beyond: Values, told: str) -> dict[str, Values]:
    """Whether each word is the first that decides, and the pairs until then."""
    holds, reached = low > 0, beyond >= 0
    stop = first(holds | ~reached)
    rows = np.arange(len(low))
    holds, reached = holds[rows, stop], reached[rows, stop]
    of = dict(
        zip(
            WORDS,
            (holds & reached, holds & ~reached, ~holds & ~reached, ~holds & reached),
            strict=True,
        )
    )
    found = {f"{word}, {told}": is_it.astype(np.float64) for word, is_it in of.items()}
    wrong = {"true 0": of[HOLDS] | of[TOO_SMALL], "true 1": of[TOO_SMALL] | of[DOES_NOT_HOLD]}
    if told in wrong:
        found[f"wrong, {told}"] = wrong[told].astype(np.float64)
    found[f"pairs until a word, {told}"] = np.array(plan.looks)[stop].astype(np.float64)
    return found


def first(stops: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Position of the first look that stops, of the last one without any, shape (S,)."""
    return np.where(stops.any(axis=1), stops.argmax(axis=1), stops.shape[1] - 1)


def tables(means: Means) -> Iterator[Table]:
    """False stops of every plan; then what a few plans find, with how many pairs."""
    yield _all_plans(means)
    yield Table(
        [
            *("Looks", "Bad runs", "stopped at 0"),
            *(f"at {effect:g} sd" for effect in EFFECTS[1:]),
            *(f"mean pairs at {effect:g} sd" for effect in EFFECTS),
        ],
        [_stops(plan, means) for plan in PLANS if plan.smallest == 1],
    )
    yield Table(
        [
            *("Looks", "Bad runs", "Smallest effect"),
            *(f"true {effect:g} times" for effect in EFFECTS),
            *(f"mean pairs at {effect:g}" for effect in EFFECTS),
        ],
        [_word_row(plan, means) for plan in PLANS],
    )


def _all_plans(means: Means) -> Table:
    """Rows of blocks of one size, columns of the number of looks."""
    most = max(map(len, stopping.BLOCKS.values())) + 1
    rows = []
    for runs in (GOOD, BOTH):
        found = means[f"all plans; {runs.told}"]
        for block, row in stopping.BLOCKS.items():
            plans = [stopping.blocks(block, block * count) for count in range(2, len(row) + 2)]
            told = [share(found[spelt(looks)]) for looks in plans]
            rows.append([runs.told, f"{block}", *told, *[""] * (most - 1 - len(told))])
    return Table(["Bad runs", "Block", *(f"{count} looks" for count in range(2, most + 1))], rows)


def _stops(plan: Plan, means: Means) -> list[str]:
    found = means[named(plan)]
    of_all = means.get(f"all plans; {plan.runs.told}", {}).get(spelt(plan.looks))
    falsely = found["stopped, true 0"] if plan.anytime or of_all is None else of_all
    return [
        plan.told,
        plan.runs.told,
        share(falsely),
        *(share(found[f"stopped, true {effect:g}"]) for effect in EFFECTS[1:]),
        *(points(found[f"pairs, true {effect:g}"]) for effect in EFFECTS),
    ]


def _word_row(plan: Plan, means: Means) -> list[str]:
    found = means[named(plan)]
    return [
        plan.told,
        plan.runs.told,
        f"{plan.smallest:g} sd",
        *(
            " / ".join(share(found[f"{word}, true {effect:g}"]) for word in WORDS)
            for effect in EFFECTS
        ),
        *(points(found[f"pairs until a word, true {effect:g}"]) for effect in EFFECTS),
    ]


def _promises() -> Iterator[Promise]:
    for runs in (GOOD, BOTH):
        for looks in stopping.PLANS:
            yield Promise(f"all plans; {runs.told}", spelt(looks), high=STOPS)
    for plan in PLANS:
        if plan.runs.alike:
            yield Promise(named(plan), "stopped, true 0", high=STOPS)
            yield Promise(named(plan), "wrong, true 0", high=WRONG)
            yield Promise(named(plan), "wrong, true 1", high=WRONG)


SIMULATION = Simulation(
    name="stopping",
    title="Studies that stop once they are decided",
    text=f"""
Pairs are added in blocks, and after each block the interval of `repro/stats/stopping.py` is read.
First table: the share of {BATCH * STUDIES:,} studies without an effect (%) that ever exclude 0, for
every shipped plan of equal blocks; the program promises at most {100 * STOPS:g} %. Second table:
the share that stop because their interval excludes 0, without an effect and with true ones in
standard deviations of the differences of good pairs, and how many pairs they take (those that
never stop take the last look's). *Unplanned*: the interval for looks that nobody planned. Third
table: studies that stop at any of the three words that decide; words in the order holds / holds,
but too small to matter / does not hold / cannot tell yet, for true effects in units of the
smallest effect that matters. At most 2.5 % end with a wrong word where there is no effect, or
where it is the smallest one. A bad run is {differences.DROP:g} standard deviations lower. **Where
one arm alone has bad runs no rule keeps its promise**: one study in three has no bad run among its
first five pairs.
""",
    cells=CELLS,
    draw=draw,
    measure=measure,
    tables=tables,
    promises=tuple(_promises()),
    tested=(
        "all plans; none",
        "all plans; one in five of both arms",
        "5, 10, ..., 40; none",
        "5, 10, ..., 40, unplanned; none",
    ),
)
