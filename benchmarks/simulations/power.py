"""The power of the declared test: a paired t test, adjusted by Holm's method over a family."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from repro.stats import comparisons, power
from simulations.document import share
from simulations.simulation import Columns, Means, Promise, Simulation, Table

RUNS = 5
FAMILY = 8
LEVEL = 0.05
CORRELATIONS = (0.0, 0.3, 0.5, 0.7, 0.9)
UNPAIRED = 2.02  # sd: what an unpaired t test of five against five finds in four of five studies

Pairs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Family:
    """A family of comparisons with a reference, of which the first ones are true differences.

    Attributes:
        correlation: Of the pairs: runs with the same seed.
        effect: True difference, in standard deviations of a run.
        true: Number of comparisons with this difference; the others have none.
        shared: Whether all arms are compared with the same reference.
    """

    correlation: float
    effect: float
    true: int = 1
    shared: bool = False


def noncentrality(family: Family) -> float:
    """The true difference divided by its true standard error."""
    return family.effect * float(np.sqrt(RUNS / (2 * (1 - family.correlation))))


def smallest(correlation: float, significance: float) -> float:
    """The difference found with 80 % power, in standard deviations of a run."""
    found = power.smallest_paired(RUNS, significance=significance)
    return found * float(np.sqrt(2 * (1 - correlation)))


def _cells() -> Iterator[tuple[str, Family]]:
    for correlation in CORRELATIONS:
        for name, effect in (
            (f"{UNPAIRED}", UNPAIRED),
            ("80 %", smallest(correlation, LEVEL)),
            ("80 % at the first step", smallest(correlation, LEVEL / FAMILY)),
        ):
            yield f"correlation {correlation}, {name}", Family(correlation, effect)
    for effect in (UNPAIRED, 4.21):
        for true in (1, 4, 8):
            for shared in (False, True):
                what = "one reference" if shared else "own references"
                yield f"{true} of 8, {effect}, {what}", Family(0.0, effect, true, shared)


CELLS = dict(_cells())


def draw(family: Family, generator: Generator) -> Pairs:
    """Runs of the arms and of their references, shape (2, FAMILY, RUNS)."""
    seeds = np.sqrt(family.correlation) * generator.standard_normal(RUNS)
    runs = np.sqrt(1 - family.correlation) * generator.standard_normal((2, FAMILY, RUNS))
    runs += seeds
    if family.shared:
        runs[1] = runs[1, :1]
    runs[0, : family.true] += family.effect
    return np.asarray(runs)


def measure(family: Family, studies: list[Pairs]) -> Columns:
    """Whether the first comparison is found, and whether one without a difference is."""
    pairs = [zip(*study, strict=True) for study in studies]
    p = np.array([[comparisons.paired_difference(a, b).p for a, b in one] for one in pairs])
    adjusted = np.array([comparisons.holm(row) for row in p])
    found = {"before": p[:, 0] <= LEVEL, "after": adjusted[:, 0] <= LEVEL}
    if family.true < FAMILY:
        found["wrong"] = (adjusted[:, family.true :] <= LEVEL).any(axis=1)
    return found


def exact(cell: str, *, first_step: bool) -> float:
    """Power of the test of one comparison, in closed form."""
    significance = LEVEL / FAMILY if first_step else LEVEL
    return power.of_t(noncentrality(CELLS[cell]), RUNS - 1, significance=significance)


def tables(means: Means) -> Iterator[Table]:
    """One for a single true difference, one for several."""
    yield Table(
        [
            *("Correlation", "Difference", "Found before", "computed"),
            *("Found after Holm", "computed, first step", "A wrong one"),
        ],
        [_row(cell, means) for cell in CELLS if cell.startswith("correlation")],
    )
    yield Table(
        ["True differences", "Difference", "References", "Found after Holm", "A wrong one"],
        [
            [
                f"{family.true} of {FAMILY}",
                f"{family.effect:.2f}",
                "one" if family.shared else "each its own",
                share(means[cell]["after"]),
                share(means[cell]["wrong"]) if "wrong" in means[cell] else "-",
            ]
            for cell, family in CELLS.items()
            if not cell.startswith("correlation")
        ],
    )


def _row(cell: str, means: Means) -> list[str]:
    family, found = CELLS[cell], means[cell]
    return [
        f"{family.correlation:g}",
        f"{family.effect:.2f}",
        share(found["before"]),
        f"{100 * exact(cell, first_step=False):.1f}",
        share(found["after"]),
        f"{100 * exact(cell, first_step=True):.1f}",
        share(found["wrong"]),
    ]


def _promises() -> Iterator[Promise]:
    for cell, family in CELLS.items():
        before, first = exact(cell, first_step=False), exact(cell, first_step=True)
        yield Promise(cell, "before", low=before, high=before)
        yield Promise(cell, "after", low=first)
        if family.true < FAMILY:
            yield Promise(cell, "wrong", high=LEVEL)


SIMULATION = Simulation(
    name="power",
    title="Power of the paired t test after Holm's adjustment",
    text=f"""
Eight arms of {RUNS} normal runs against a reference: the declared test is the paired t test, and
Holm's method adjusts its p over the family of {FAMILY}. Differences are in standard deviations of
a run; the correlation is that of runs with the same seed. *Found*: the share of studies (%) with
p of .05 or less for a true difference, before and after the adjustment. *Computed*: the closed
form of `repro/stats/power.py`, after the adjustment that of Holm's first step, which is the
least. *A wrong one*: the share with an adjusted p of .05 or less for any arm without a
difference.
""",
    cells=CELLS,
    draw=draw,
    measure=measure,
    tables=tables,
    promises=tuple(_promises()),
    tested=("correlation 0.0, 2.02", "correlation 0.5, 80 %", "8 of 8, 4.21, one reference"),
)
