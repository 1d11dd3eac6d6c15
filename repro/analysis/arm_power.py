"""Differences between arms that the declared test can detect, from the spread of the runs seen.

The spread is pooled over the arms that are compared, so that one number holds for all comparisons
of a quantity.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repro.analysis.arm_differences import Comparison, Family, Quantity
from repro.analysis.outcomes import Outcomes
from repro.stats import intervals, power, rounding
from repro.stats.intervals import Floats

BOUND = 0.80  # confidence of the upper bound of a standard deviation
SHARED = 1 / 4  # squared correlation of two differences from one reference, if all arms vary alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectable:
    """What a t test of one quantity detects with 80 % power, in the unit of its values.

    Attributes:
        quantity: Of single runs.
        runs: Pairs of a comparison, or runs of its smaller arm if the test pairs none; the fewest.
        pooled: Number of comparisons, or of arms, over which the spread is pooled.
        sd: Standard deviation of the pairs' differences, or for an unpaired test that between runs.
        sd_bound: Its upper 80 % confidence bound.
        correlation: Of the pairs: covariance over mean variance, both pooled; NaN without pairs,
            and if no arm varies.
        alone: Smallest difference detected at .05, in units of `sd`.
        first: The same at the first step of Holm over the planned comparisons.
    """

    quantity: Quantity
    runs: int
    pooled: int
    sd: float
    sd_bound: float
    correlation: float
    alone: float
    first: float


def detectable(outcomes: Outcomes, family: Family, quantity: Quantity) -> Detectable | None:
    """What the comparisons of a quantity can detect; None if they show no spread."""
    made = [one for one in family.made if one.quantity == quantity]
    pairs = [(len(one.values), len(one.others)) for one in made]
    if not pairs or min(map(min, pairs)) < 2:
        return None
    in_pairs = pairs_runs(outcomes)
    deviation, degrees = (_of_pairs if in_pairs else _of_runs)(made)
    if not deviation > 0:
        return None
    n, m = min(pairs, key=min)
    sizes = power.SIGNIFICANCE, power.SIGNIFICANCE / family.size
    alone, first = (
        power.smallest_paired(n, significance=one)
        if in_pairs
        else power.smallest_unpaired(n, m, significance=one)
        for one in sizes
    )
    return Detectable(
        quantity=quantity,
        runs=min(n, m),
        pooled=len(made) if in_pairs else len(made) + 1,
        sd=deviation,
        sd_bound=intervals.deviation_bound(deviation, degrees, level=BOUND),
        correlation=_correlation(made) if in_pairs else float("nan"),
        alone=alone,
        first=first,
    )


def pairs_runs(outcomes: Outcomes) -> bool:
    """Whether the declared test pairs runs: a permutation test does not, whatever the study."""
    return outcomes.paired and outcomes.test != "permutation"


def _of_pairs(made: Sequence[Comparison]) -> tuple[float, float]:
    """Standard deviation of the differences, and its degrees of freedom.

    Differences from one reference are correlated by 1/2 if all arms vary alike, and their squares
    by 1/4, so that J comparisons are worth J / (1 + (J - 1) / 4).
    """
    deviation, degrees = _pooled([rounding.differences(one.values, one.others) for one in made])
    return deviation, degrees / (1 + (len(made) - 1) * SHARED)


def _of_runs(made: Sequence[Comparison]) -> tuple[float, float]:
    """Standard deviation between the runs of an arm; the reference counts once."""
    return _pooled([*(one.values for one in made), made[0].others])


def _pooled(samples: Sequence[Floats]) -> tuple[float, float]:
    degrees = [len(one) - 1 for one in samples]
    squares = sum(d * intervals.sd(one) ** 2 for d, one in zip(degrees, samples, strict=True))
    return float(np.sqrt(squares / sum(degrees))), float(sum(degrees))


def _correlation(made: Sequence[Comparison]) -> float:
    """NaN if no arm varies."""
    shared = sum(float(np.cov(one.values, one.others)[0, 1]) * len(one.values) for one in made)
    alone = sum(
        (intervals.sd(one.values) ** 2 + intervals.sd(one.others) ** 2) / 2 * len(one.values)
        for one in made
    )
    return shared / alone if alone else float("nan")
