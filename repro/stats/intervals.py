"""Intervals for a mean over replicates and for a proportion, and bounds of a spread."""

import bisect
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from repro.argument_checks import arrays
from repro.stats import rounding

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
LEVEL = 0.95  # default level of intervals
TINY = float(np.finfo(np.float64).tiny)  # stands for "above 0" where infinity is allowed
LARGEST = float(np.finfo(np.float64).max)
NARROWEST = 1e-8  # half width of a mean's interval, in standard deviations between runs


class Interval(NamedTuple):
    """Lower and upper end; both NaN if undefined."""

    low: float
    high: float

    def __contains__(self, value: object) -> bool:
        """Whether the value lies between the ends, ends included."""
        return isinstance(value, (int, float)) and self.low <= value <= self.high


NOWHERE = Interval(float("nan"), float("nan"))


def t_quantile(degrees: float, *, level: float = LEVEL) -> float:
    """Quantile (1 + level) / 2 of Student's t; degrees above 0, infinity for the normal."""
    level, degrees = arrays.level(level), arrays.number("degrees", degrees, TINY, np.inf)
    return float(special.stdtrit(degrees, 0.5 + level / 2))


def t_level(bound: float, degrees: float) -> float:
    """Level whose quantile of Student's t is this bound; 1 for an infinite one."""
    return float(1 - 2 * special.stdtr(degrees, -bound))


def sd(values: Sequence[float] | Floats) -> float:
    """Sample standard deviation (ddof 1); NaN for a single value, exactly 0 for equal ones."""
    if len(values) < 2:
        return float("nan")
    values = np.asarray(values, dtype=np.float64)
    return 0.0 if rounding.constant(values) else float(np.std(values, ddof=1))


def t_half_width(values: Sequence[float] | Floats, *, level: float = LEVEL) -> float:
    """Half the width of Student's interval for the mean; NaN for a single value or equal ones."""
    n, spread = len(values), sd(values)
    if not spread > 0:
        return float("nan")
    return t_quantile(n - 1, level=level) * spread / float(np.sqrt(n))


def t_interval(values: Sequence[float] | Floats, *, level: float = LEVEL) -> Interval:
    """Student's interval for the mean.

    Source: Student 1908; the half width is the quantile of t with R - 1 degrees of freedom times
    the standard deviation (ddof 1) divided by the root of R.

    Args:
        values: Of each run, shape (R,), finite, R at least 1.
        level: Of the interval, in (0, 1).

    Returns:
        Two ends in the unit of the values; `NOWHERE`, both NaN, for a single value, and for equal
        ones, which say nothing about how far others are.

    Raises:
        TypeError: The values are not real numbers.
        ValueError: Another shape; values that are not finite: how many, and the position of the
            first; the level is out of range.
    """
    level, values = arrays.level(level), arrays.vector("values", values)
    mean, half = float(np.mean(values)), t_half_width(values, level=level)
    return Interval(mean - half, mean + half)


def wilson(successes: float, n: int, *, level: float = LEVEL) -> Interval:
    """Wilson's score interval for a proportion (Wilson 1927).

    Args:
        successes: Of `n` trials, 0 to n; not necessarily an integer, for a mean over runs of
            the same photographs.
        n: Number of trials, an integer, at least 1.
        level: Of the interval, in (0, 1).

    Returns:
        Ends in [0, 1]; exactly 0 or 1 where none or all succeed.

    Raises:
        TypeError: `n` is not an integer, or `successes` or `level` is not a number.
        ValueError: One of them is out of range or NaN.
    """
    level, n = arrays.level(level), arrays.whole("n", n, 1)
    successes = arrays.number("successes", successes, 0, n)
    z = float(special.ndtri(0.5 + level / 2))
    share, shrink = successes / n, 1 + z * z / n
    centre = (share + z * z / (2 * n)) / shrink
    half = z / shrink * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return Interval(
        0.0 if successes == 0 else centre - half, 1.0 if successes == n else centre + half
    )


def clopper_pearson(successes: int, n: int, *, level: float = LEVEL) -> Interval:
    """The exact interval of a proportion (Clopper & Pearson 1934); covers at least its level.

    Args:
        successes: Of `n` trials, 0 to n.
        n: Number of trials, at least 1.
        level: Of the interval, in (0, 1).

    Raises:
        TypeError: A number is not an integer, or the level not a number.
        ValueError: One of them is out of range.
    """
    level, n = arrays.level(level), arrays.whole("n", n, 1)
    successes = arrays.whole("successes", successes, 0, n)
    tail = (1 - level) / 2
    low = float(special.betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = 1.0
    if successes < n:
        high = float(special.betaincinv(successes + 1, n - successes, 1 - tail))
    return Interval(low, high)


def deviation_bound(deviation: float, degrees: float, *, level: float) -> float:
    """Upper confidence bound of a standard deviation, one-sided, for normal values.

    Args:
        deviation: Observed.
        degrees: Its degrees of freedom, above 0.
        level: In (0, 1): the true one is below the bound with this probability.

    Raises:
        TypeError: One of them is not a number.
        ValueError: One of them is out of range or NaN.
    """
    level, degrees = arrays.level(level), arrays.number("degrees", degrees, 0, np.inf, ends=False)
    deviation = arrays.number("deviation", deviation, 0, LARGEST)
    return deviation * float(np.sqrt(degrees / special.chdtri(degrees, level)))


def runs_needed(deviation: float, half_width: float, *, level: float = LEVEL) -> int:
    """Number of runs for which Student's interval for the mean has at most this half-width.

    Args:
        deviation: Standard deviation between runs.
        half_width: In the same unit, above 0, at least 1e-8 standard deviations.
        level: Of the interval.

    Raises:
        TypeError: One of them is not a number.
        ValueError: One of them is out of range or NaN.
    """
    deviation = arrays.number("deviation", deviation, 0, LARGEST)
    least = max(TINY, NARROWEST * deviation)
    half_width = arrays.number("half_width", half_width, least, LARGEST)

    def enough(n: int) -> bool:
        return t_quantile(n - 1, level=level) * deviation / float(np.sqrt(n)) <= half_width

    most = 2
    while not enough(most):
        most *= 2
    return 2 + bisect.bisect_left(range(2, most), True, key=enough)
