"""Whether a printed mean and standard deviation can be of whole numbers: GRIMMER and DEBIT.

c whole numbers with the sum S have squares that sum to Q, where Q and S are both odd or both even,
Q is at least that of numbers as equal as S allows, and at most that of numbers at the two ends of
their scale. The printed deviation leaves an interval for Q; the printed mean leaves S, sometimes
several, and all are tried. For few numbers these conditions do not suffice, so the numbers are
enumerated. Shares k / n have the grain n; the mean over R runs has c = R.
Sources: Anaya 2016, Allard 2018 (GRIMMER); Heathers & Brown 2019 (DEBIT: a scale from 0 to 1).
"""

from fractions import Fraction
from math import ceil, floor, isqrt
from typing import Literal

from repro.stats.forensics import Interval, Printed, Rounding
from repro.stats.grim import whole

ENUMERATED = 6  # numbers; of more, every sum of squares of the right parity is taken as possible
MOST_TRIED = 5_000  # ways that are enumerated

Scale = tuple[int, int]  # the least and the largest of the whole numbers
Grimmer = Literal["possible", "mean", "parity", "spread"]


def squared(sd: Printed, rounding: Rounding = "nearest") -> Interval:
    """The variances whose root is printed so."""
    low, high = sd.interval(rounding)
    return max(Fraction(0), low) ** 2, high**2


def grimmer(
    mean: Interval,
    variance: Interval,
    count: int,
    *,
    grain: int | Fraction = 1,
    ddof: int = 1,
    scale: Scale | None = None,
) -> Grimmer:
    """Whether numbers with a grain can have this mean and this variance.

    Args:
        mean: That it may stand for.
        variance: Likewise; `squared` of a standard deviation, times `count` of a standard error.
        count: c, how many numbers.
        grain: They are whole numbers divided by this: n for shares, n / 100 in percent, the number
            of items for means of items.
        ddof: The variance divides by count - ddof, above 0.
        scale: Of the whole numbers, if it has ends: (0, n) for shares, (0, 1) for DEBIT.

    Returns:
        `mean` if already the mean is impossible, `parity` if the only sums of squares near enough
        are odd where the sum is even or the reverse, `spread` if there are none at all.
    """
    sums = whole(mean, grain * count)
    if scale is not None:
        sums = range(max(sums.start, count * scale[0]), min(sums.stop, count * scale[1] + 1))
    if not sums:
        return "mean"
    factor = (count - ddof) * Fraction(grain) ** 2
    low, high = variance[0] * factor, variance[1] * factor
    parity = False
    for total in sums:
        first, last = _squares(total, count, low, high, scale)
        even = first + (first - total) % 2
        if even <= last and _reached(total, count, (even, last), scale):
            return "possible"
        parity = parity or first <= last < even
    return "parity" if parity else "spread"


def _squares(
    total: int, count: int, low: Fraction, high: Fraction, scale: Scale | None
) -> tuple[int, int]:
    """Least and largest sum of squares whose deviations from the mean lie between these."""
    centre = Fraction(total**2, count)
    first = max(ceil(low + centre), least_squares(total, count))
    last = floor(high + centre)
    return first, last if scale is None else min(last, most_squares(total, count, scale))


def least_squares(total: int, count: int) -> int:
    """The least sum of squares of whole numbers with this sum: they are as equal as they can be."""
    each, more = divmod(total, count)
    return (count - more) * each**2 + more * (each + 1) ** 2


def most_squares(total: int, count: int, scale: Scale) -> int:
    """The largest sum of squares on a scale: all but one number are at its ends."""
    least, most = scale
    width = most - least
    if not width:
        return count * least**2
    full, rest = divmod(total - count * least, width)
    return full * width**2 + rest**2 + 2 * least * (total - count * least) + count * least**2


def _reached(total: int, count: int, squares: tuple[int, int], scale: Scale | None) -> bool:
    """Whether numbers with this sum have a sum of squares between two; true if in doubt."""
    first, last = squares
    if count > ENUMERATED:
        return True
    if count == 1:
        return first <= total**2 <= last
    if count == 2:
        return _pair(total, first, last, scale)
    # With deviations of d in sum, one of c numbers is at most sqrt(d (c-1)/c) from the mean.
    deviations = last - Fraction(total**2, count)
    reach = isqrt(floor(deviations * (count - 1) / count)) + 1
    low, high = total // count - reach, -(-total // count) + reach
    if scale is not None:
        low, high = max(low, scale[0]), min(high, scale[1])
    if (high - low + 1) ** (count - 2) > MOST_TRIED:
        return True
    return any(
        _reached(total - one, count - 1, (first - one**2, last - one**2), scale)
        for one in range(low, high + 1)
        if last >= one**2 + least_squares(total - one, count - 1)
    )


def _pair(total: int, first: int, last: int, scale: Scale | None) -> bool:
    """Whether two numbers do: their difference d has d^2 = 2 Q - S^2 and the parity of S."""
    if 2 * last < total**2:
        return False
    lowest = 2 * first - total**2
    least = 0 if lowest <= 0 else isqrt(lowest - 1) + 1
    most = isqrt(2 * last - total**2)
    if scale is not None:
        most = min(most, total - 2 * scale[0], 2 * scale[1] - total)
    return least + (least - total) % 2 <= most
