"""The share of a gap that an arm closes, where there is a gap and where there is nearly none."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from repro.stats.gap_share import GapShare, gap_share
from simulations.differences import Values
from simulations.document import share
from simulations.simulation import Columns, Means, Promise, Simulation, Table, covers, where

SHARE = 0.4  # true
PAIRS = (5, 8, 16)
GAPS = {"3.2": 3.2, "6.3": 6.3}  # standard errors of the mean gap between reference and ceiling


@dataclass(frozen=True, slots=True)
class Study:
    """Reference, arm and ceiling of independent normal values."""

    pairs: int
    gap: float


CELLS = {
    f"{pairs} pairs, gap {told}": Study(pairs, gap) for pairs in PAIRS for told, gap in GAPS.items()
}


def draw(cell: Study, generator: Generator) -> Values:
    """Values of single runs with standard deviation 1, shape (3, pairs)."""
    gap = cell.gap * np.sqrt(2 / cell.pairs)
    means = np.array([[0.0], [-SHARE * gap], [-gap]])
    return np.asarray(means + generator.standard_normal((3, cell.pairs)))


def measure(_: Study, studies: list[Values]) -> Columns:
    """Coverage of Fieller's interval where it is given, and of the percentiles of the bootstrap."""
    found = [gap_share(*study) for study in studies]
    given = np.array([one.refusal == "" for one in found])
    low, high = np.transpose([one.interval for one in found])
    percentiles = np.array([_percentiles(one) for one in found])
    known = ~np.isnan(percentiles[:, 0])
    return {
        "refused": ~given,
        "fieller": where(given, covers(low, high, SHARE)),
        "bootstrap": where(known, covers(*percentiles.T, SHARE)),
        "no percentiles": ~known,
    }


def _percentiles(found: GapShare) -> tuple[float, float]:
    assert found.bootstrap is not None
    return found.bootstrap.interval


def tables(means: Means) -> Iterator[Table]:
    """A row for each cell."""
    columns = ("fieller", "refused", "bootstrap", "no percentiles")
    yield Table(
        ["Pairs", "Gap, errors", "Fieller covers", "refused", "bootstrap covers", "refused"],
        [
            [
                str(cell.pairs),
                f"{cell.gap:g}",
                *(share(means[name][column]) for column in columns),
            ]
            for name, cell in CELLS.items()
        ],
    )


SIMULATION = Simulation(
    name="gap_shares",
    title="Shares of a gap that an arm closes",
    text=f"""
Reference, arm and ceiling are independent normal values of each seed; the arm closes {SHARE:g} of
the gap between the other two. *Gap*: in standard errors of its mean. *Covers* (%): of the studies
in which the interval is given. Fieller's is *refused* where Student's interval of the gap holds 0,
the percentile bootstrap over seeds where more than 2.5 % of its resamples have no gap.
""",
    cells=CELLS,
    draw=draw,
    measure=measure,
    tables=tables,
    promises=tuple(Promise(name, "fieller", low=0.94) for name in CELLS),
    tested=("5 pairs, gap 3.2", "5 pairs, gap 6.3"),
)
