"""Which variance between groups of equal size a printed mean and variance can be.

K groups of n portraits in R runs have K R whole numbers of misses m_gr, of which the mean fixes the
sum S. Two variances go by one name:

- of the groups' averages over the runs: of K whole numbers, `grimmer` with the grain R n;
- of each run, then averaged: R n^2 (K - ddof) V = Q - sum_r T_r^2 / K, where T_r are the misses of
  the runs, which sum to S, and Q is the sum of all squares of m_gr.

Symbols as above.
"""

import itertools
from collections.abc import Iterator
from functools import cache
from math import ceil, floor

from repro.stats.forensics import Interval
from repro.stats.grim import whole
from repro.stats.grimmer import grimmer, least_squares, most_squares

EXACT = 40  # misses of a run, up to which all ways to spread them over the groups are known
MOST_SPLITS = 20_000  # of the misses over the runs


def of_averages(
    mean: Interval, variance: Interval, *, groups: int, n: int, runs: int, ddof: int
) -> bool:
    """Whether they can be of the groups' averages over the runs.

    Args:
        mean: Over the groups, a fraction.
        variance: Between them, of fractions.
        groups: K.
        n: Portraits of each group.
        runs: R.
        ddof: The variance divides by K - ddof.
    """
    scale = (0, n * runs)
    verdict = grimmer(mean, variance, groups, grain=n * runs, ddof=ddof, scale=scale)
    return verdict == "possible"


def of_each_run(
    mean: Interval, variance: Interval, *, groups: int, n: int, runs: int, ddof: int
) -> bool:
    """Whether they can be of single runs, the variance then averaged; arguments as before.

    True if there are too many ways to try.
    """
    every = groups * n * runs
    factor = groups * runs * n**2 * (groups - ddof)
    bounds = (variance[0] * factor, variance[1] * factor)
    return any(
        _spread_over_runs(min(right, every - right), groups, n, runs, bounds)
        for right in whole(mean, every)
        if 0 <= right <= every
    )


def _spread_over_runs(misses: int, groups: int, n: int, runs: int, bounds: Interval) -> bool:
    """Whether K Q - sum T_r^2 can lie within the bounds for this number of misses."""
    splits = itertools.islice(_splits(misses, runs, groups * n), MOST_SPLITS + 1)
    for tried, totals in enumerate(splits):
        if tried == MOST_SPLITS:
            return True
        squares = sum(total**2 for total in totals)
        first, last = (ceil((bounds[0] + squares) / groups), floor((bounds[1] + squares) / groups))
        if _squares_within(totals, groups, n, first, last):
            return True
    return False


def _splits(total: int, parts: int, most: int) -> Iterator[tuple[int, ...]]:
    """The ways to write a number as an ordered sum, the largest part first."""
    if parts == 1:
        if total <= most:
            yield (total,)
        return
    for largest in range(min(total, most), -(-total // parts) - 1, -1):
        for rest in _splits(total - largest, parts - 1, largest):
            yield largest, *rest


def _squares_within(totals: tuple[int, ...], groups: int, n: int, first: int, last: int) -> bool:
    """Whether the squares can sum to a number in a range, given the misses of each run."""
    if first > last:
        return False
    if max(totals) <= EXACT:
        every = [_sums_of_squares(total, groups, n) for total in totals]
        reached = {0}
        for sums in every:
            reached = {one + other for one in reached for other in sums if one + other <= last}
        return any(first <= one for one in reached)
    least = sum(least_squares(total, groups) for total in totals)
    most = sum(most_squares(total, groups, (0, n)) for total in totals)
    first, last = max(first, least), min(last, most)
    return first + (first - sum(totals)) % 2 <= last


@cache
def _sums_of_squares(total: int, parts: int, most: int) -> frozenset[int]:
    """The sums of squares of at most so many whole numbers, none above `most`, with this sum."""
    if not total:
        return frozenset({0})
    if total > parts * most:
        return frozenset()
    return frozenset(
        largest**2 + rest
        for largest in range(-(-total // parts), min(total, most) + 1)
        for rest in _sums_of_squares(total - largest, parts - 1, largest)
    )
