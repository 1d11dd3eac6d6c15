"""The four words of a claim, and how often they are wrong."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from repro.stats import components, conclusions, word_power
from repro.stats.conclusions import DOES_NOT_HOLD, HOLDS, TOO_SMALL, WORDS, Word
from repro.stats.intervals import Interval
from simulations import differences
from simulations.differences import ARM, BOTH, GOOD, REFERENCE, Runs, Values
from simulations.document import share
from simulations.simulation import Columns, Means, Promise, Simulation, Table

SMALLEST = 1.0  # effect that matters, in standard deviations of the differences of good pairs
EFFECTS = {"0": 0.0, "half": 0.5, "the smallest": 1.0, "1.5 times": 1.5}  # true ones
PAIRS = (3, 5, 10, 20)
WRONG = {"0": (HOLDS, TOO_SMALL), "the smallest": (TOO_SMALL, DOES_NOT_HOLD)}
MOST_WRONG = 0.025


@dataclass(frozen=True, slots=True)
class Pairs:
    """A study of a claim that the arm is higher."""

    runs: Runs
    pairs: int


CELLS = {
    f"{runs.told}, {pairs} pairs": Pairs(runs, pairs)
    for runs in (GOOD, BOTH, ARM, REFERENCE)
    for pairs in PAIRS
}


def draw(cell: Pairs, generator: Generator) -> Values:
    """Differences of the pairs without an effect, shape (pairs,)."""
    return differences.draw(cell.runs, cell.pairs, generator)[0]


def interval(values: Values) -> Interval:
    """That of the tables of comparisons, for the same photographs."""
    nothing = np.zeros(())
    return components.interval(
        components.Parts(
            value=values.mean(),
            runs=values,
            portraits=None,
            detected=np.empty(0),
            group=None,
            bound=nothing,
            redrawn=np.empty(0),
            nonfaces=np.empty(0),
            curved=nothing,
        )
    )


def column(word: Word, effect: str) -> str:
    """Name of the column with the share of studies that end with a word."""
    return f"{word}, true {effect}"


def measure(_: Pairs, studies: list[Values]) -> Columns:
    """Whether each word comes out at each true effect, and a wrong one; the effect is added."""
    ends = [interval(values) for values in studies]
    found = {}
    for told, effect in EFFECTS.items():
        said = [
            conclusions.of_interval(Interval(low + effect, high + effect), SMALLEST)
            for low, high in ends
        ]
        found |= {column(word, told): np.array([one == word for one in said]) for word in WORDS}
        if told in WRONG:
            found[f"wrong, true {told}"] = np.array([one in WRONG[told] for one in said])
    return found


def tables(means: Means) -> Iterator[Table]:
    """A row for each cell, the four words of one true effect in one column."""
    yield Table(
        ["Bad runs", "Pairs", *(f"true effect {told}" for told in EFFECTS)],
        [
            [
                cell.runs.told,
                str(cell.pairs),
                *(
                    " / ".join(share(means[name][column(word, told)]) for word in WORDS)
                    for told in EFFECTS
                ),
            ]
            for name, cell in CELLS.items()
        ],
    )
    yield Table(
        ["Wrong word, bad runs", "Pairs", "true effect 0", "true effect the smallest"],
        [
            [
                cell.runs.told,
                str(cell.pairs),
                *(share(means[name][f"wrong, true {told}"]) for told in WRONG),
            ]
            for name, cell in CELLS.items()
        ],
    )


def _promises() -> Iterator[Promise]:
    for name, cell in CELLS.items():
        if cell.runs.alike:
            for told in WRONG:
                yield Promise(name, f"wrong, true {told}", high=MOST_WRONG)
        if cell.runs == GOOD:
            for told, effect in EFFECTS.items():
                chances = word_power.words(cell.pairs, effect, SMALLEST, 1.0)
                for word in WORDS:
                    expected = chances.of(word)
                    yield Promise(name, column(word, told), low=expected, high=expected)


SIMULATION = Simulation(
    name="words",
    title="The four words of a claim",
    text=f"""
A claim that an arm is higher than its reference, by {SMALLEST:g} standard deviation of the
differences of good pairs or more; a bad run is {differences.DROP:g} of these lower, and studies
have 3 to 20 pairs. The true effect
is that of all runs, bad ones included: 0, half the smallest effect that matters, the smallest, and
1.5 times that. Shares of studies (%) that end with each word, in the order holds / holds, but too
small to matter / does not hold / cannot tell yet. Without bad runs they are those that
`repro/stats/word_power.py` computes. *Wrong word*: one of the first two where there is no effect,
one of the middle two where it is the smallest. **At most 2.5 % of the studies are wrong in either
case, also with bad runs in both arms** (the Monte Carlo error of a printed share is 0.1 there).
**Where one arm alone has them no interval of few runs keeps that**: as long as none has been seen,
the arm looks better than it is. Bad runs of the reference do the same to the second comparison.
""",
    cells=CELLS,
    draw=draw,
    measure=measure,
    tables=tables,
    promises=tuple(_promises()),
    tested=(
        "none, 5 pairs",
        "none, 20 pairs",
        "one in five of both arms, 3 pairs",
        "one in five of both arms, 10 pairs",
    ),
)
