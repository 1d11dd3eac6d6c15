"""One contrast of estimates with standard errors: a trend over arms, a difference of two.

A printed order is evidence only against its spread: of five equal arms each step rises in one of
120 tables, and of arms that truly rise by one standard error a step, all four observed steps rise
in one of four. So a trend is judged as a whole, by one linear contrast.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from repro.stats import intervals, rounding
from repro.stats.intervals import LEVEL, NOWHERE, Floats, Interval


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over runs, with the error of that mean.

    Attributes:
        error: Standard error, at least 0.
        degrees: Of freedom of the error: runs minus 1.
    """

    value: float
    error: float
    degrees: float

    @staticmethod
    def of_runs(values: Floats, *, keep: int | None = None) -> "Estimate":
        """The mean of runs; NaN as its error for a single one.

        Args:
            values: Of each run, shape (R,).
            keep: How many were averaged, of which these are all.
        """
        deviation = intervals.sd(values)
        return Estimate(
            float(np.mean(values)), deviation / math.sqrt(keep or len(values)), len(values) - 1
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A weighted sum of independent estimates.

    Attributes:
        value: sum c_a y_a.
        error: sqrt(sum c_a^2 s_a^2).
        t: Value over error; NaN if all errors are 0.
        degrees: Satterthwaite's; infinite if all errors are.
        p: Two-sided.
    """

    value: float
    error: float
    t: float
    degrees: float
    p: float

    def interval(self, *, level: float = LEVEL) -> Interval:
        """Of the value; nowhere without an error."""
        if math.isnan(self.p):
            return NOWHERE
        half = intervals.t_quantile(self.degrees, level=level) * self.error
        return Interval(self.value - half, self.value + half)


def contrast(estimates: Sequence[Estimate], weights: Sequence[float]) -> Contrast:
    """The contrast with these weights.

    Source: Satterthwaite 1946 for the degrees of freedom:
    (sum c^2 s^2)^2 / sum((c s)^4 / (R - 1)).

    Args:
        estimates: Independent of one another, at least two.
        weights: Of the same number.
    """
    c = np.asarray(weights, dtype=np.float64)
    y = np.array([one.value for one in estimates])
    squares = (c * np.array([one.error for one in estimates])) ** 2
    df = np.array([one.degrees for one in estimates], dtype=np.float64)
    variance, value = float(squares.sum()), rounding.difference(float(c @ y), 0.0)
    if not variance > 0:
        nan = float("nan")
        return Contrast(value=value, error=math.sqrt(variance), t=nan, degrees=nan, p=nan)
    error, lost = math.sqrt(variance), float((squares**2 / df).sum())
    degrees, t = variance**2 / lost if lost else math.inf, value / error
    p = 2 * float(special.stdtr(degrees, -abs(t)) if lost else special.ndtr(-abs(t)))
    return Contrast(value=value, error=error, t=t, degrees=degrees, p=p)


def linear(estimates: Sequence[Estimate]) -> Contrast:
    """The linear trend over estimates in order: for five, the weights are -2, -1, 0, 1 and 2."""
    middle = (len(estimates) - 1) / 2
    return contrast(estimates, [place - middle for place in range(len(estimates))])


def difference(first: Estimate, second: Estimate) -> Contrast:
    """First minus second (Welch 1947)."""
    return contrast([first, second], [1, -1])
