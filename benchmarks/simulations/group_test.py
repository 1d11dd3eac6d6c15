"""The Monte Carlo test that the groups of one arm differ: its size and its power."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from repro.stats.group_test import groups_differ
from simulations import populations
from simulations.document import share
from simulations.populations import Population, Study
from simulations.simulation import Columns, Means, Promise, Simulation, Table
from simulations.variance import EQUAL, UNEQUAL

DRAWS = 999  # of each test: p of .05 is reached exactly
LEVELS = (0.05, 0.01)
BAD = replace(EQUAL, interaction=0.3, bad=0.2, drop=(0.2 / 0.92, 0.4 / 0.92))
CELLS = {
    "equal, one run": replace(EQUAL, runs=1),
    "equal, effect 0": EQUAL,
    "equal, effect 0.3": replace(EQUAL, interaction=0.3),
    "equal, effect 0.3, three runs": replace(EQUAL, interaction=0.3, runs=3),
    "equal, effect 0.3, one bad run in five": BAD,
    "equal at 98 %, effect 0.3": replace(EQUAL, interaction=0.3, recalls=(0.98,) * 4),
    "unequal, effect 0.3": replace(UNEQUAL, interaction=0.3),
}


def measure(population: Population, studies: list[Study]) -> Columns:
    """Whether p is at most each level."""
    group, groups = population.group, len(population.sizes)
    p = np.array(
        [
            groups_differ(study.detected[0].astype(np.float64), group, groups, draws=DRAWS).p
            for study in studies
        ]
    )
    return {f"p to {level}": p <= level + 1e-12 for level in LEVELS}


def tables(means: Means) -> Iterator[Table]:
    """A row for each population."""
    yield Table(
        ["Groups, effect of a run on a group", *(f"p of {level:g} or less" for level in LEVELS)],
        [
            [cell, *(share(found[f"p to {level}"]) for level in LEVELS)]
            for cell, found in means.items()
        ],
    )


SIMULATION = Simulation(
    name="group_test",
    title="The test that groups differ within an arm",
    text=f"""
The populations of the section above; five runs where nothing else is said; {DRAWS} deals for each
test. Where groups are equal, at most 5 and 1 % of the studies (%) should have a p of .05 and .01.
""",
    cells=CELLS,
    draw=populations.draw,
    measure=measure,
    tables=tables,
    promises=tuple(
        Promise(cell, "p to 0.05", high=0.055) for cell in CELLS if cell.startswith("equal")
    ),
    tested=("equal, effect 0.3", "unequal, effect 0.3"),
)
