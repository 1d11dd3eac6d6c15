"""An arm that is the reference with its logits shifted, read at the matched threshold."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scipy import special

from repro.stats import components, operating, quantities, redrawn, rounding
from repro.stats.components import Parts
from repro.stats.disparity import Definition
from repro.stats.intervals import NOWHERE, Floats, Interval
from simulations import study_parts
from simulations.document import points, share
from simulations.simulation import Columns, Means, Promise, Simulation, Table, covers, where

DEFINITION = Definition(mean="pooled", ddof=0, runs="first")
RUNS, OTHERS = 5, 200
LEVELS = (1.6, 1.9, 2.2, 2.5)  # mean logits of the groups' portraits, where those of others are 0
EACH = 100  # portraits of a group
GROUP, SIZES = np.repeat(np.arange(len(LEVELS)), EACH), np.full(len(LEVELS), EACH)
RUN = 0.3  # standard deviation of the mean logits of runs; of single photographs 1
SAMPLES = 500  # of redrawn photographs: the tables have 10,000
UNITS = {"recall": 1e2, "variance": 1e4, "gap": 1e2, "worst": 1e2}
QUANTITIES = {name: quantities.quantity(name, SIZES, DEFINITION) for name in UNITS}


@dataclass(frozen=True, slots=True)
class Shift:
    """False-positive rates at logit 0 of the reference and of the arm, in expectation.

    Attributes:
        reference: In (0, 1).
        arm: In (0, 1).
        within: Standard deviation of a run's logit of a photograph, about the photograph's own.
    """

    reference: float
    arm: float
    within: float = 0.6


CELLS = {
    "3 %, 10 %": Shift(0.03, 0.1),
    "30 %, 3 %": Shift(0.3, 0.03),
    "10 %, 57 %": Shift(0.1, 0.57),
    "57 %, 90 %": Shift(0.57, 0.9),
    "10 %, 57 %, runs nearly alike": Shift(0.1, 0.57, within=0.1),
}


@dataclass(frozen=True, slots=True)
class Study:
    """Logits of both arms: of portraits (2, R, N) and of other photographs (2, R, M)."""

    portraits: Floats
    nonfaces: Floats


def draw(shift: Shift, generator: Generator) -> Study:
    """One study: both arms' runs are drawn alike, then the logits of each arm are shifted."""
    spread = float(np.sqrt(1 + shift.within**2 + RUN**2))
    shifts = spread * special.ndtri(np.array([shift.reference, shift.arm]))[:, None, None]
    shifts = shifts + RUN * generator.standard_normal((2, RUNS, 1))
    found = []
    for levels in (np.repeat(LEVELS, EACH), np.zeros(OTHERS)):
        own = levels + generator.standard_normal(len(levels))
        noise = shift.within * generator.standard_normal((2, RUNS, len(levels)))
        found.append(shifts + own + noise)
    return Study(*found)


def measure(_: Shift, studies: list[Study]) -> Columns:
    """Whether the interval of arm minus matched reference holds 0, and where the arm is matched."""
    portraits, nonfaces = (
        np.stack([getattr(study, name) for study in studies]) for name in ("portraits", "nonfaces")
    )
    counts = (nonfaces[:, 1] >= 0).sum(axis=-1)
    known = np.all((counts > 0) & (counts < OTHERS), axis=-1)
    levels = np.zeros(nonfaces.shape[:-1])
    levels[known, 0] = operating.matched_threshold(nonfaces[known, 0], counts[known])
    reference, arm = (
        _parts(operating.detected(portraits[:, one], levels[:, one])) for one in (0, 1)
    )
    thresholds = [
        _redrawn(study) if match else None for study, match in zip(studies, known, strict=True)
    ]
    found = {"matched": known.astype(np.float64)}
    for q, name in enumerate(UNITS):
        apart = arm[name].minus(reference[name])
        low, high = np.transpose(
            [
                _interval(study_parts.one(apart, i), None if values is None else values[:, q])
                for i, values in enumerate(thresholds)
            ]
        )
        found[name] = UNITS[name] * where(known, apart.value)
        found[f"{name}, covers"] = where(~np.isnan(low), covers(low, high, 0.0))
        found[f"{name}, width"] = UNITS[name] * (high - low)
    return found


def _parts(detected: Floats) -> dict[str, Parts]:
    """Of each quantity of one arm in all studies; detections of shape (S, R, N)."""
    recall = detected.reshape(*detected.shape[:-1], len(LEVELS), EACH).mean(axis=-1)
    return {
        name: components.parts(recall, one, SIZES, detected=detected, group=GROUP)
        for name, one in QUANTITIES.items()
    }


def _interval(apart: Parts, redrawn_values: Floats | None) -> Interval:
    """As `matched.difference`: none where all pairs differ by the same."""
    if redrawn_values is None or rounding.constant(apart.runs):
        return NOWHERE
    return components.interval(replace(apart, redrawn=redrawn_values))


def _redrawn(study: Study) -> Floats:
    """Each quantity of the reference, matched in each sample of photographs, shape (D, Q)."""
    return redrawn.matched_statistic(
        study.portraits[0],
        study.nonfaces[0],
        study.nonfaces[1] >= 0,
        GROUP,
        len(LEVELS),
        of=lambda recall: np.stack([one.value(recall) for one in QUANTITIES.values()], axis=1),
        times=redrawn.draws(OTHERS)[:, :SAMPLES],
    )


def tables(means: Means) -> Iterator[Table]:
    """A row for each shift."""
    yield Table(
        [
            *("False positives of the reference, the arm", "matched", "recall: covers"),
            *("mean difference", "width", "variance: covers", "mean difference", "width"),
            *("gap: covers", "worst group: covers"),
        ],
        [
            [
                cell,
                share(found["matched"]),
                share(found["recall, covers"]),
                points(found["recall"], 2),
                points(found["recall, width"]),
                share(found["variance, covers"]),
                points(found["variance"], 2),
                points(found["variance, width"]),
                share(found["gap, covers"]),
                share(found["worst, covers"]),
            ]
            for cell, found in means.items()
        ],
    )


SIMULATION = Simulation(
    name="matched_threshold",
    title="Difference from the reference at the matched threshold, under a pure shift of logits",
    text=f"""
Both arms have {RUNS} runs that are drawn alike; then all logits of an arm are shifted so that it
detects the stated shares of photographs without a face. So the true difference from the reference
at the arm's own false-positive rate is 0. {len(LEVELS)} groups of {EACH} portraits, {OTHERS}
photographs without a face; a photograph's own logit varies by 1, the logits of a whole run by
{RUN}, a run's logit of a photograph by 0.6, or by 0.1 where runs are nearly alike. *Matched* is the
share of studies (%) in which every run of the arm detects some of the photographs and not all; the
others do not count, and neither do those without an interval because all pairs differ by the same.
Coverage of 0 (%) by the 95 % interval, mean difference and mean width in points or percent squared;
{SAMPLES} samples of redrawn photographs.
""",
    cells=CELLS,
    draw=draw,
    measure=measure,
    tables=tables,
    promises=tuple(Promise(cell, f"{name}, covers", low=0.94) for cell in CELLS for name in UNITS),
    tested=("3 %, 10 %", "10 %, 57 %"),
)
