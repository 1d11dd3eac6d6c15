"""What keeping the best runs adds: as it is seen, and as normal runs would have it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from repro.analysis import operating_points
from repro.stats import agreement, selection
from repro.stats.disparity import Definition
from simulations import arms, populations
from simulations.bad_runs import BAD, GOOD
from simulations.document import points
from simulations.populations import Population, Study
from simulations.simulation import Columns, Mean, Means, Promise, Simulation, Table

DEFINITION = Definition(mean="groups", ddof=1, runs="first")
KEEP, OF = 3, 5
MORE = 10  # runs from which the best 3 of 5 are estimated as well
UNITS = {"recall": 100, "variance": 1e4}
CELLS = {
    "no bad runs": replace(GOOD, arms=1, runs=MORE),
    "one bad run in five": replace(BAD, arms=1, runs=MORE),
    "one bad run in five, drop of 0 to 60 points": replace(
        BAD, arms=1, runs=MORE, drop=(0.0, 0.6 / 0.928)
    ),
}


def measure(population: Population, studies: list[Study]) -> Columns:
    """The selection bias of the first five of ten runs, by both estimates, and from all ten."""
    rows = [_of_study(population, study) for study in studies]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _of_study(population: Population, study: Study) -> dict[str, float]:
    first = arms.outcomes(replace(population, runs=OF), study.detected[:, :OF], scores=False)
    arm = first.arms[0]
    seen = operating_points.selection_bias(arm, KEEP, DEFINITION)
    found = {f"{name}, seen": UNITS[name] * seen[name] for name in UNITS}
    recall = arm.run_recall(DEFINITION)
    influence = agreement.influence(arm.recall, arm.recall[arm.kept(KEEP)], DEFINITION)
    found["recall, normal"] = UNITS["recall"] * of_normal_runs(recall, recall)
    found["variance, normal"] = UNITS["variance"] * of_normal_runs(influence, recall)
    whole = populations.recalls(population, study.detected)[0].mean(axis=-1)
    best = selection.expected_best(whole, whole, keep=KEEP, of=OF)
    found["recall, from ten"] = UNITS["recall"] * (best - float(whole.mean()))
    found["recall, seen minus from ten"] = found["recall, seen"] - found["recall, from ten"]
    return found


def of_normal_runs(values: NDArray[np.float64], by: NDArray[np.float64]) -> float:
    """The bias if runs were normal: correlation times `flattery` times the standard deviation."""
    unbiased = np.sqrt(2 / (OF - 1)) * np.exp(
        special.gammaln(OF / 2) - special.gammaln((OF - 1) / 2)
    )
    related = selection.correlation(values, by)
    return float(related * selection.flattery(KEEP, OF) * np.std(values, ddof=1) / unbiased)


def tables(means: Means) -> Iterator[Table]:
    """A row for each population and quantity."""
    yield Table(
        ["Runs", "Quantity", "Best 3 minus all", "error", "from ten runs", "if runs were normal"],
        [_row(cell, name, found) for cell, found in means.items() for name in UNITS],
    )


def _row(cell: str, name: str, found: Mapping[str, Mean]) -> list[str]:
    ten = found.get(f"{name}, from ten")
    return [
        cell,
        name,
        points(found[f"{name}, seen"], 2),
        f"{found[f'{name}, seen'].error:.2f}",
        points(ten, 2) if ten else "-",
        points(found[f"{name}, normal"], 2),
    ]


SIMULATION = Simulation(
    name="selection_bias",
    title="Selection bias of the best runs",
    text="""
The populations of the section on bad runs, one arm; its best three of five runs by recall. *Best
3 minus all* is the selection bias that the tables give, on average over the studies, with its
Monte Carlo error: in points for recall, in percent squared for the variance of the run averages.
*From ten runs*: the mean of the best three of five over all choices of five of ten runs, minus
the mean of all ten. *If runs were normal*: the estimate that earlier versions gave, the
correlation with the metric that selects times 0.5527 standard deviations of a run.
""",
    cells=CELLS,
    draw=populations.draw,
    measure=measure,
    tables=tables,
    promises=tuple(Promise(cell, "recall, seen minus from ten", low=0, high=0) for cell in CELLS),
    tested=tuple(CELLS),
)
