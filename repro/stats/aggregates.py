"""Exact bounds of what is computed from printed shares: overall values and variances.

Every share lies in a closed interval; so does what follows from them. Symbols: K groups with the
shares x_g in [l_g, u_g], the middle m_g and the half-width h_g, and n_g portraits.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import numpy as np
from scipy.optimize import linprog

from repro.stats.forensics import Interval

SOLVED = 1e-6  # percentage points to which the linear programme is solved


def meet(one: Interval, other: Interval) -> bool:
    """Whether two closed intervals share a number."""
    return one[0] <= other[1] and other[0] <= one[1]


def apart(one: Interval, other: Interval) -> Fraction:
    """The gap between two closed intervals; 0 if they meet."""
    return max(one[0] - other[1], other[0] - one[1], Fraction(0))


def weighted_mean(shares: Sequence[Interval], weights: Sequence[int]) -> Interval:
    """The bounds of sum n_g x_g / sum n_g."""
    scale, lows, highs = _whole(shares)
    total = sum(weights) * scale
    low, high = (sum(n * x for n, x in zip(weights, ends, strict=True)) for ends in (lows, highs))
    return Fraction(low, total), Fraction(high, total)


def variance(shares: Sequence[Interval], ddof: int) -> Interval:
    """Bounds of the variance between groups; never too narrow.

    The middle's, and (2 sum |m_g - mean| h_g + sum h_g^2) / (K - ddof) around it.

    Args:
        shares: At least two.
        ddof: The variance divides by K - ddof.
    """
    scale, lows, highs = _whole(shares)
    groups = len(shares)
    middles = [low + high for low, high in zip(lows, highs, strict=True)]  # times 2
    halves = [high - low for low, high in zip(lows, highs, strict=True)]  # times 2
    total = sum(middles)
    away = [abs(groups * middle - total) for middle in middles]  # times 2 K
    unit = (2 * groups * scale) ** 2 * (groups - ddof)
    value = sum(d * d for d in away)
    error = sum(2 * d * groups * h + (groups * h) ** 2 for d, h in zip(away, halves, strict=True))
    return Fraction(max(0, value - error), unit), Fraction(value + error, unit)


def common_weights(rows: Sequence[tuple[Sequence[Interval], Interval]]) -> bool:
    """Whether groups of some unknown sizes, the same in all rows, give every row's overall value.

    A linear programme: w_g >= 0, sum w_g = 1, and the bounds of sum w_g x_g meet the value's.

    Args:
        rows: Bounds of each group's share in one order, and of the printed overall value.
    """
    lows = np.array([[float(low) for low, _ in shares] for shares, _ in rows])
    highs = np.array([[float(high) for _, high in shares] for shares, _ in rows])
    bounds = np.array([[float(low) - SOLVED, float(high) + SOLVED] for _, (low, high) in rows])
    groups = lows.shape[1]
    found = linprog(
        np.zeros(groups),
        A_ub=np.vstack([lows, -highs]),
        b_ub=np.concatenate([bounds[:, 1], -bounds[:, 0]]),
        A_eq=np.ones((1, groups)),
        b_eq=[1.0],
    )
    return bool(found.status == 0)


def _whole(intervals: Sequence[Interval]) -> tuple[int, list[int], list[int]]:
    """A common denominator, and the numerators of the lower and the upper ends."""
    scale = lcm(*(end.denominator for interval in intervals for end in interval))
    lows, highs = (
        [interval[at].numerator * (scale // interval[at].denominator) for interval in intervals]
        for at in (0, 1)
    )
    return scale, lows, highs
