"""Is a published value reproduced? Prediction interval, equivalence test, verdict.

Both sides are the same statistic: the mean over the best k of n runs. The published value y is
treated as one more such sample with the standard deviation of our runs (none was published). Equal
variances and normal values are assumed. The correlation between the reported quantity and the
selecting metric is unknown, so if another metric selects, the widest quantiles over correlations
in [-1, 1] are used.
Symbols: T our statistic, s the standard deviation of all our runs, delta the margin.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from repro.stats.disparity import Definition, spread
from repro.stats.intervals import Floats, Interval
from repro.stats.selection import pivot

Word = Literal["reproduced", "not reproduced", "cannot tell"]
RHOS = (0.0, 0.25, 0.5, 0.75, 1.0)  # the negative ones are their mirror images


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """The statistic of our runs.

    Attributes:
        value: T.
        deviation: s, ddof 1, of all runs.
        runs: Number of runs.
        keep: Number of runs kept by a selection.
        of: Number of runs that it selects from, as in the publication.
        selects: Whether runs are selected by the quantity (`itself`) or by `another` metric.
    """

    value: float
    deviation: float
    runs: int
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
def _quantile(runs: int, keep: int, of: int, rho: float, level: float) -> float:
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
