"""Claims whose smallest effect is a ratio, and Fieller's interval of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from repro.stats import conclusions
from repro.stats.conclusions import DOES_NOT_HOLD, HOLDS, TOO_SMALL, WORDS, Word
from repro.stats.intervals import Interval, t_interval
from simulations.differences import BAD, BOTH, GOOD, Runs, Values
from simulations.document import share
from simulations.simulation import Columns, Means, Promise, Simulation, Table, covers

GROUPS = 4
RATIO = 0.75  # to which or less a variance must fall, of the reference's, to matter
TRUE = {"1": 1.0, "0.75": 0.75, "0.4": 0.4}
WRONG = {"1": (HOLDS, TOO_SMALL), "0.75": (TOO_SMALL, DOES_NOT_HOLD)}
WORSE = 9.0  # times the variance between the groups of a bad run
PAIRS = (5, 10, 20)
POSITIVE = Interval(0.0, np.inf)


@dataclass(frozen=True, slots=True)
class Pairs:
    """A study of a claim that the variance between groups falls."""

    runs: Runs
    pairs: int


CELLS = {
    f"{runs.told}, {pairs} pairs": Pairs(runs, pairs) for runs in (GOOD, BOTH) for pairs in PAIRS
}


def draw(cell: Pairs, generator: Generator) -> Values:
    """Variances of single runs of two equal arms, shape (2, pairs)."""
    shape = (2, cell.pairs)
    found = generator.chisquare(GROUPS - 1, shape) / (GROUPS - 1)
    bad = generator.random(shape) < BAD
    return np.asarray(np.where(bad & cell.runs.arm, WORSE, 1.0) * found)


def concluded(arm: Values, reference: Values) -> Word:
    """The word, from two intervals of pairs."""
    fall = t_interval(reference - arm)
    beyond = t_interval(conclusions.beyond_ratio(arm, reference, RATIO))
    return conclusions.conclude(fall.low, beyond.high)


def measure(_: Pairs, studies: list[Values]) -> Columns:
    """The words at each true ratio, by which the arm is multiplied; Fieller's interval."""
    found = {}
    for told, ratio in TRUE.items():
        said = [concluded(ratio * arm, reference) for arm, reference in studies]
        found |= {f"{word}, true {told}": np.array([one == word for one in said]) for word in WORDS}
        if told in WRONG:
            found[f"wrong, true {told}"] = np.array([one in WRONG[told] for one in said])
    ends = [conclusions.fieller(arm, reference, within=POSITIVE) for arm, reference in studies]
    low, high = np.transpose(ends)
    return found | {"covers": covers(low, high, 1.0), "endless": np.isinf(high)}


def tables(means: Means) -> Iterator[Table]:
    """A row for each cell."""
    yield Table(
        [
            *("Bad runs", "Pairs", *(f"true ratio {told}" for told in TRUE)),
            *("wrong at 1", "wrong at 0.75", "interval covers", "no upper end"),
        ],
        [
            [
                cell.runs.told,
                str(cell.pairs),
                *(
                    " / ".join(share(means[name][f"{word}, true {told}"]) for word in WORDS)
                    for told in TRUE
                ),
                *(
                    share(means[name][column])
                    for column in ("wrong, true 1", "wrong, true 0.75", "covers", "endless")
                ),
            ]
            for name, cell in CELLS.items()
        ],
    )


def _promises() -> Iterator[Promise]:
    for name in CELLS:
        for told in WRONG:
            yield Promise(name, f"wrong, true {told}", high=0.025)
        yield Promise(name, "covers", low=0.95)


SIMULATION = Simulation(
    name="ratios",
    title="Claims whose smallest effect is a ratio",
    text=f"""
A claim that the variance between {GROUPS} normal groups falls, to {RATIO:g} of the reference's or
less. The variance of a bad run is {WORSE:g} times as large. Words (%) as above, from Student's
intervals of reference - arm and of {RATIO:g} reference - arm, for three true ratios of the expected
variances. *Interval covers*: whether Fieller's interval has the true ratio; where the reference's
mean may be 0 it has *no upper end*.
""",
    cells=CELLS,
    draw=draw,
    measure=measure,
    tables=tables,
    promises=tuple(_promises()),
    tested=("none, 5 pairs", "one in five of both arms, 5 pairs"),
)
