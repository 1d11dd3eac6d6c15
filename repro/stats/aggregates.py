"""Exact bounds of what is computed from printed shares: overall values and variances.

Every share lies in a closed interval; so does what follows from them. Symbols: K groups with the
shares x_g in [l_g, u_g], the middle m_g and the half-width h_g, and n_g portraits.
"""

from collections.abc import Sequence
from fractions import Fraction

from repro.stats.forensics import Interval


def meet(one: Interval, other: Interval) -> bool:
    """Whether two closed intervals share a number."""
    return one[0] <= other[1] and other[0] <= one[1]


def apart(one: Interval, other: Interval) -> Fraction:
    """The gap between two closed intervals; 0 if they meet."""
    return max(one[0] - other[1], other[0] - one[1], Fraction(0))


def weighted_mean(shares: Sequence[Interval], weights: Sequence[int]) -> Interval:
    """The bounds of sum n_g x_g / sum n_g."""
    total = sum(weights)
    low, high = (
        sum((n * share[end] for n, share in zip(weights, shares, strict=True)), Fraction(0)) / total
        for end in (0, 1)
    )
    return low, high


def variance(shares: Sequence[Interval], ddof: int) -> Interval:
    """Bounds of the variance between groups; never too narrow.

    The middle's, and (2 sum |m_g - mean| h_g + sum h_g^2) / (K - ddof) around it.

    Args:
        shares: At least two.
        ddof: The variance divides by K - ddof.
    """
    groups = len(shares)
    middles = [(low + high) / 2 for low, high in shares]
    halves = [(high - low) / 2 for low, high in shares]
    mean = sum(middles, Fraction(0)) / groups
    away = [abs(middle - mean) for middle in middles]
    value = sum((d * d for d in away), Fraction(0)) / (groups - ddof)
    error = sum((2 * d * h + h * h for d, h in zip(away, halves, strict=True)), Fraction(0))
    error /= groups - ddof
    return max(Fraction(0), value - error), value + error
