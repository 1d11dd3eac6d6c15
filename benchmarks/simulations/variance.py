"""The variance between groups without the noise of seeds and portraits, and its interval."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from repro.stats import components, disparity, noise, quantities
from repro.stats.disparity import Definition
from simulations import populations, study_parts
from simulations.document import number, points, share
from simulations.populations import Population, Study
from simulations.simulation import Columns, Means, Promise, Simulation, Table, covers

DEFINITION = Definition(mean="groups", ddof=1, runs="first")
UNIT = 1e4  # percent squared
EQUAL = Population(recalls=(0.92, 0.92, 0.92, 0.92), run=0.3, portrait=1.3)
UNEQUAL = replace(EQUAL, recalls=(0.935, 0.875, 0.955, 0.925))
CELLS = {
    f"{groups}, {told}": replace(population, **changes)
    for groups, population in (
        ("equal", EQUAL),
        ("nearly equal", replace(EQUAL, recalls=(0.925, 0.91, 0.93, 0.915))),
        ("unequal", UNEQUAL),
    )
    for told, changes in (
        ("0", {}),
        ("0.3", {"interaction": 0.3}),
        (
            "0.3, one bad run in five",
            {"interaction": 0.3, "bad": 0.2, "drop": (0.2 / 0.92, 0.4 / 0.92)},
        ),
    )
}


def truth(cell: str) -> float:
    """The variance between the groups' expected recalls."""
    return float(CELLS[cell].truth().var(ddof=1))


def measure(population: Population, studies: list[Study]) -> Columns:
    """U, the variance of the run averages, and whether U's interval holds the truth."""
    detected = np.stack([study.detected[0] for study in studies]).astype(np.float64)
    recall = populations.recalls(population, detected > 0)
    group, groups = population.group, len(population.sizes)
    unbiased = noise.unbiased_variance(detected, group, groups, DEFINITION)
    sizes = np.array(population.sizes)
    found = components.parts(
        recall,
        quantities.quantity("variance", sizes, DEFINITION),
        sizes,
        detected=detected,
        group=group,
    )
    most = disparity.largest_variance(groups, DEFINITION.ddof)
    ends = [
        components.variance_interval(part, most, less=float(part.value - value))
        for i, value in enumerate(unbiased)
        for part in [study_parts.one(found, i)]
    ]
    low, high = np.transpose(ends)
    return {
        "unbiased": UNIT * unbiased,
        "of averages": UNIT * disparity.spread(recall, DEFINITION),
        "of runs": UNIT * disparity.run_variance(recall, DEFINITION).mean(axis=-1),
        "above 0": unbiased > 0,
        "covers": covers(low, high, float(population.truth().var(ddof=1))),
        "width": UNIT * (high - low),
    }


def tables(means: Means) -> Iterator[Table]:
    """A row for each population."""
    yield Table(
        [
            *("Groups, effect of a run on a group", "true", "without noise", "error"),
            *("of run averages", "of single runs", "without noise above 0"),
            *("interval covers", "width"),
        ],
        [
            [
                cell,
                number(UNIT * truth(cell), 2),
                points(found["unbiased"], 2),
                f"{found['unbiased'].error:.2f}",
                points(found["of averages"], 2),
                points(found["of runs"], 2),
                share(found["above 0"]),
                share(found["covers"]),
                points(found["width"]),
            ]
            for cell, found in means.items()
        ],
    )


def _promises() -> Iterator[Promise]:
    for cell in CELLS:
        expected = UNIT * truth(cell)
        yield Promise(cell, "unbiased", low=expected, high=expected)
        yield Promise(cell, "covers", low=0.92)


SIMULATION = Simulation(
    name="variance",
    title="Variance between groups without the noise of seeds and portraits",
    text="""
Four groups of PPB's sizes, five runs; portraits differ in difficulty by 1.3 logits, runs by 0.3,
and the effect of a run on a single group by 0 or 0.3 logits. *True* is the variance between the
groups' expected recalls (ddof 1, percent squared); *without noise* is the mean of the U-statistic
with its Monte Carlo error; *of run averages* and *of single runs* are the means of the two plain
variances. Coverage (%) and mean width are those of the arm's own interval of the U-statistic.
""",
    cells=CELLS,
    draw=populations.draw,
    measure=measure,
    tables=tables,
    promises=tuple(_promises()),
    tested=("equal, 0.3", "unequal, 0.3", "unequal, 0.3, one bad run in five"),
)
