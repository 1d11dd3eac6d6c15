"""Equality of computed values: two that differ by rounding alone are equal.

Groups' counts are integers, so equal recalls and equal variances are common. In floating point
they differ by about 1e-16, and a difference, a rank or a test would count them as different.
All comparisons of values of runs use this module and its one tolerance.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
TOLERANCE = 1e-12  # of values up to 1; of larger ones relative to the largest magnitude


def tolerance(*values: Floats | float) -> float:
    """Largest difference of two of these values that counts as none."""
    largest = (float(np.max(np.abs(one), initial=0.0)) for one in values)
    return TOLERANCE * max(1.0, *largest)


def merged(values: Floats, *, within: float | None = None) -> Floats:
    """The values, equal where they differ by rounding alone.

    Of sorted values, those with no gap above the tolerance become the smallest of them; all others
    keep every bit.

    Args:
        values: Shape (R,), finite; NaN stays NaN.
        within: The tolerance; None for that of these values.
    """
    values = np.asarray(values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    rising = values[order]
    limit = tolerance(values) if within is None else within
    starts = ~(np.diff(rising, prepend=-np.inf) <= limit)  # also before NaN
    found = np.empty_like(values)
    found[order] = rising[starts][np.cumsum(starts) - 1]
    return found


def together(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Both arrays, their values merged as those of one."""
    both = merged(np.concatenate([a, b]))
    return both[: len(a)], both[len(a) :]


def differences(a: Floats, b: Floats) -> Floats:
    """First minus second, shape (R,): exactly 0 for equal values, and equal differences equal."""
    within = tolerance(a, b)
    apart = np.asarray(a - b, dtype=np.float64)
    return merged(np.where(np.abs(apart) <= within, 0.0, apart), within=within)


def difference(a: float, b: float) -> float:
    """First minus second: exactly 0 for equal values."""
    return 0.0 if abs(a - b) <= tolerance(a, b) else a - b


def equal(a: Floats, b: Floats) -> bool:
    """Whether all values of two arrays of one shape are equal."""
    return not differences(a, b).any()


def constant(values: Floats) -> bool:
    """Whether all values are equal, or there are none; NaN differs from everything."""
    return len(values) == 0 or bool(np.ptp(values) <= tolerance(values))


def ranks(values: Floats) -> Integers:
    """Rank of each value among the distinct ones, from 0 for the smallest, shape (R,)."""
    return np.asarray(np.unique(merged(values), return_inverse=True)[1], dtype=np.int64)


def rising(values: Floats) -> Integers:
    """Positions of the values in increasing order; equal ones in the order of their positions."""
    return np.argsort(ranks(values), kind="stable").astype(np.int64)


def lowest(values: Floats) -> int:
    """Position of the smallest value; of equal ones the first."""
    return int(rising(values)[0])
