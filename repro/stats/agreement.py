"""Is a published value reproduced? Prediction interval, equivalence test, verdict.

Both sides are the same statistic: the mean over the best k of n runs. The published value y is
treated as one more such sample with the standard deviation of our runs (none was published). Equal
variances and normal values are assumed. The correlation between the reported quantity and the
selecting metric is unknown, so if another metric selects, the widest quantiles over correlations
in [-1, 1] are used.
Symbols: T our statistic, s the standard deviation of all our runs, delta the margin.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from repro.stats.disparity import Definition, spread
from repro.stats.intervals import Floats, Interval
from repro.stats.power import POWER
from repro.stats.selection import flattery, pairs, pivot

Word = Literal["reproduced", "not reproduced", "cannot tell"]
RHOS = (0.0, 0.25, 0.5, 0.75, 1.0)  # the negative ones are their mirror images


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """The statistic of our runs.

    Attributes:
        value: T.
        deviation: s, ddof 1, of all runs.
        runs: Number of runs; infinite for what unlimited runs would tell.
        keep: Number of runs kept by a selection.
        of: Number of runs that it selects from, as in the publication.
        selects: Whether runs are selected by the quantity (`itself`) or by `another` metric.
    """

    value: float
    deviation: float
    runs: float
    keep: int
    of: int
    selects: Literal["itself", "another"]

    def quantile(self, level: float) -> float:
        """Quantile of (T - T') / s; the widest over correlations if another metric selects."""
        if self.selects == "itself" or self.keep == self.of:
            return _quantile(self.runs, self.keep, self.of, 1.0, level)
        choice = self.runs, self.keep, self.of
        ends = [_quantile(*choice, rho, level) for rho in RHOS]
        ends += [-_quantile(*choice, rho, 1 - level) for rho in RHOS]
        return min(ends) if level < 0.5 else max(ends)


@functools.cache
def _quantile(runs: float, keep: int, of: int, rho: float, level: float) -> float:
    """Quantile of `pivot`; cached, because all numbers of a table use the same few."""
    return float(np.quantile(pivot(runs, keep, of, rho=rho), level))


def prediction_interval(ours: Statistic, *, level: float = 0.95) -> Interval:
    """Prediction interval for one more best-k-of-n mean of the same process.

    [T - 1.534 s, T + 2.373 s] for the best 3 of 5: not symmetric, because T and s are correlated.
    """
    tail = (1 - level) / 2
    return Interval(
        ours.value - ours.quantile(1 - tail) * ours.deviation,
        ours.value - ours.quantile(tail) * ours.deviation,
    )


def equivalent(ours: Statistic, margin: Interval, *, size: float = 0.05) -> bool:
    """Equivalence by two one-sided tests (Schuirmann 1987): is the difference below the margin?

    Both hypotheses, "at least delta above" and "at least delta below", must be rejected:
    (T - y + delta) / s > 1.226 and (T - y - delta) / s < -1.771 for the best 3 of 5.

    Args:
        ours: Our statistic.
        margin: y - delta and y + delta, fixed before the runs; -inf if there is no lower bound.
        size: Significance level: error rate for processes that differ by the margin.
    """
    return (
        ours.value - margin.low > ours.quantile(1 - size) * ours.deviation
        and ours.value - margin.high < ours.quantile(size) * ours.deviation
    )


def verdict(
    ours: Statistic,
    y: Interval,
    delta: float,
    *,
    scale: Callable[[float], float] = float,
) -> Word:
    """Reproduced, not reproduced, or cannot tell.

    Reproduced if the equivalence test passes; not reproduced if y is outside the 95 %
    prediction interval and differs by more than delta; otherwise the runs are too few or vary
    too much to tell.

    Args:
        ours: Our statistic, on the scale.
        y: Interval of the values that round to the published one.
        delta: Margin, in the published unit.
        scale: From the published unit to a scale with constant standard deviation: see `root`.
    """
    if equivalent(ours, Interval(scale(y.high - delta), scale(y.low + delta))):
        return "reproduced"
    low, high = prediction_interval(ours)
    unlike = scale(y.high) < low or scale(y.low) > high
    far = not scale(y.low - delta) <= ours.value <= scale(y.high + delta)
    return "not reproduced" if unlike and far else "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What `verdict` says of true reproductions: both sides are the same process.

    Attributes:
        chances: Proportion of the studies that get each word.
        margin: The margin with which `POWER` of them are reproduced; in the published unit.
        distance: How far the published process must lie, on the less favourable side, so that
            `POWER` of the studies are not reproduced; in the published unit. A variance cannot lie
            below 0; if that side is out of reach, it is the distance above.
    """

    chances: Mapping[Word, float]
    margin: float
    distance: float


def reach(ours: Statistic, delta: float, *, squared: bool = False) -> Reach:
    """Chances of each word, if the published value is a draw of the process of our runs.

    Simulated with seeds, for normal runs with the mean and standard deviation of `ours`, as
    `verdict` judges them. If another metric selects, it is taken as uncorrelated.

    Args:
        ours: Mean and standard deviation of the process, and the number of runs; infinite `runs`
            give the limit that more runs of ours cannot pass, because the published value varies.
        delta: Margin, in the published unit.
        squared: Whether the published unit is the square of that of `ours`: variances.
    """
    if ours.runs < 2:
        return Reach(chances=_CANNOT, margin=float("inf"), distance=float("inf"))
    value, s, y = _studies(ours)
    back = _square if squared else np.asarray
    low, high = (back(value - ours.quantile(q) * s) for q in (0.95, 0.05))
    needed = np.maximum(back(y) - low, high - back(y))
    low, high = (back(value - ours.quantile(q) * s) for q in (0.975, 0.025))
    above = np.maximum(high, back(value) + delta) - back(y)
    below = back(y) - np.minimum(low, back(value) - delta)
    same, unlike = float(np.mean(needed < delta)), float(np.mean((above < 0) | (below < 0)))
    sides = [float(np.quantile(side, POWER)) for side in (above, below)]
    lost = squared and sides[1] > ours.value**2
    return Reach(
        chances={"reproduced": same, "not reproduced": unlike, "cannot tell": 1 - same - unlike},
        margin=float(np.quantile(needed, POWER)),
        distance=sides[0] if lost else max(sides),
    )


_CANNOT: Mapping[Word, float] = {"reproduced": 0.0, "not reproduced": 0.0, "cannot tell": 1.0}


def _studies(ours: Statistic) -> tuple[Floats, Floats, Floats]:
    """T, s and y of simulated studies of the process."""
    rho = 1.0 if ours.selects == "itself" or ours.keep == ours.of else 0.0
    value, spread, theirs = pairs(ours.runs, ours.keep, ours.of, rho=rho)
    centre = ours.value - rho * flattery(ours.keep, ours.of) * ours.deviation
    return (
        centre + ours.deviation * value,
        ours.deviation * spread,
        centre + ours.deviation * theirs,
    )


def _square(value: Floats) -> Floats:
    """Inverse of `root`; 0 for roots below 0."""
    return np.asarray(np.maximum(value, 0) ** 2)


def root(value: float) -> float:
    """Square root: the scale for variances, whose standard deviation grows with their root.

    Without it a small T would coincide with a small s, and the equivalence test would have an
    error rate of up to 8 % instead of 5 %.

    Returns:
        -inf for values below 0, which a variance cannot have.
    """
    return float(np.sqrt(value)) if value >= 0 else float("-inf")


def influence(recall: Floats, kept: Floats, definition: Definition) -> Floats:
    """Influence of each run on Var[A]: the variance linearised about the kept runs, shape (R,).

    With runs averaged first, Var[A] is not a mean over runs. To first order it is the mean over the
    kept runs of V + 2 / (K - ddof) * sum_g (m_g - m) (r_ig - m_g), m the kept runs' mean; the
    standard deviation of this term over all runs is that of Var[A] between runs.

    Args:
        recall: Of each run and group, shape (R, K).
        kept: The rows of `recall` of the kept runs, shape (k, K).
        definition: If it averages runs last, the variances of the runs are returned.
    """
    if definition.runs == "last":
        return np.asarray(recall.var(axis=-1, ddof=definition.ddof))
    centre = kept.mean(axis=0)
    slope = 2 * (centre - centre.mean()) / (len(centre) - definition.ddof)
    return np.asarray(spread(kept, definition) + (recall - centre) @ slope)
