"""One of four words for a claim, from an interval and the smallest effect that matters.

The effect is turned so that the expected side is positive: reference minus arm where a lower value
is expected. With its interval [L, U] and the smallest effect d there are two comparisons, and each
excludes one value: L > 0 that there is no effect, U < d that there is one of d or more. With a 95 %
interval each errs in 2.5 % of all studies, and because no effect is both 0 and d, a study has only
one of them to fear. An end that equals 0 or d excludes nothing.

A smallest effect can also be a ratio: the claim "to 0.75 of the reference or less" is about
0.75 times the reference minus the arm, whose interval is compared with 0 (Fieller 1954).
"""

from typing import Literal

import numpy as np

from repro.argument_checks import arrays
from repro.stats import rounding
from repro.stats.intervals import LEVEL, NOWHERE, Floats, Interval, t_quantile

Word = Literal["holds", "holds, but too small to matter", "does not hold", "cannot tell yet"]
HOLDS: Word = "holds"
TOO_SMALL: Word = "holds, but too small to matter"
DOES_NOT_HOLD: Word = "does not hold"
CANNOT_TELL: Word = "cannot tell yet"
WORDS: tuple[Word, ...] = (HOLDS, TOO_SMALL, DOES_NOT_HOLD, CANNOT_TELL)
UNBOUNDED = Interval(-np.inf, np.inf)


def conclude(low: float, beyond: float) -> Word:
    """The word of a claim that an effect is on the expected side.

    Args:
        low: Lower end L of the interval of the effect, turned so that the expected side is
            positive, in any unit; NaN if undefined, infinite if there is no end.
        beyond: Upper end of the effect minus the smallest effect, U - d; for a ratio that of
            `beyond_ratio`. NaN if undefined.

    Returns:
        "cannot tell yet" also where an end is undefined.
    """
    if np.isnan(low) or np.isnan(beyond):
        return CANNOT_TELL
    reached = not _above(0.0, beyond)
    if _above(low, 0.0):
        return HOLDS if reached else TOO_SMALL
    return CANNOT_TELL if reached else DOES_NOT_HOLD


def of_interval(interval: Interval, smallest: float) -> Word:
    """As `conclude`, of one interval of the turned effect and a smallest effect in its unit.

    Args:
        interval: Of the effect, positive on the expected side.
        smallest: The smallest effect that matters, above 0.

    Raises:
        ValueError: The smallest effect is not a finite number above 0.
    """
    _check(smallest)
    return conclude(interval.low, minus(interval.high, smallest))


def equivalent(interval: Interval, smallest: float) -> Word:
    """The word of a claim that a quantity is kept: it changes by less than the smallest effect.

    Args:
        interval: Of the effect, of either sign.
        smallest: The smallest effect that matters, above 0, in the unit of the interval.

    Returns:
        "holds" if the interval lies between both smallest effects, "does not hold" if it lies
        outside of them, else "cannot tell yet"; never "too small to matter".

    Raises:
        ValueError: The smallest effect is not a finite number above 0.
    """
    _check(smallest)
    rises = Interval(*(minus(end, smallest) for end in interval))
    falls = Interval(*(minus(end, -smallest) for end in interval))
    return kept(falls, rises)


def kept(falls: Interval, rises: Interval) -> Word:
    """As `equivalent`, from two intervals; for ratios these are those of two Fieller statistics.

    Args:
        falls: Of the effect plus the smallest effect; for a ratio r < 1 of arm - r reference.
            Below 0 the quantity falls by more than the smallest effect.
        rises: Of the effect minus the smallest effect; for a ratio of arm - reference / r. Above
            0 it rises by more.
    """
    if np.isnan([*falls, *rises]).any():
        return CANNOT_TELL
    if _above(falls.low, 0.0) and _above(0.0, rises.high):
        return HOLDS
    return DOES_NOT_HOLD if _above(0.0, falls.high) or _above(rises.low, 0.0) else CANNOT_TELL


def reverses(high: float) -> bool:
    """Whether the effect is on the other side: the upper end of the turned effect is below 0."""
    return _above(0.0, high)


def at_least(low_beyond: float) -> bool:
    """Whether even an effect below the smallest one is excluded: L >= d.

    Args:
        low_beyond: Lower end of the effect minus the smallest effect, L - d; for a ratio that of
            `beyond_ratio`. NaN if undefined.
    """
    return not np.isnan(low_beyond) and not _above(0.0, low_beyond)


def beyond_ratio(arm: Floats, reference: Floats, ratio: float) -> Floats:
    """What of each pair goes beyond a ratio; the mean is 0 if arm / reference is the ratio.

    Args:
        arm: Value of each pair, shape (n,).
        reference: Its partner with the same seed, shape (n,).
        ratio: Smallest effect: below 1 for an expected fall, above 1 for a rise.

    Returns:
        ratio * reference - arm for a fall, arm - ratio * reference for a rise, shape (n,): at
        least 0 where the effect matters.

    Raises:
        ValueError: The ratio is not a positive number other than 1.
    """
    if not (0 < ratio < np.inf and ratio != 1):
        raise ValueError(f"a ratio of {ratio} is no effect: below 1 is a fall, above 1 a rise")
    scaled = ratio * np.asarray(reference, dtype=np.float64)
    return rounding.differences(scaled, arm) if ratio < 1 else rounding.differences(arm, scaled)


def fieller(
    arm: Floats,
    reference: Floats,
    *,
    level: float = LEVEL,
    within: Interval = UNBOUNDED,
) -> Interval:
    """Interval of a ratio of two paired means.

    All r for which Student's interval of arm - r reference contains 0 (Fieller 1954). These are
    the solutions of a quadratic inequality. It has no end on one side or on both if the mean of
    the reference does not itself differ from 0: one in three studies of five normal pairs.

    Args:
        arm: Numerator of each pair, shape (n,), finite.
        reference: Denominator, shape (n,), finite.
        level: Of the interval, in (0, 1).
        within: Range of the ratio, (0, inf) for values that are never negative. Of two pieces of
            the solution only what lies within counts, and the interval spans it.

    Returns:
        Infinite where there is no end. `NOWHERE` for a single pair and where all pairs have the
        same ratio or the same values, which say nothing about how far others are.

    Raises:
        TypeError: The values are not real numbers.
        ValueError: Another shape; values that are not finite; unequal numbers; the level is out of
            range.
    """
    arrays.level(level)
    arm, reference = _paired(arm, reference)
    n = len(arm)
    if n < 2 or _proportional(arm, reference):
        return NOWHERE
    part = t_quantile(n - 1, level=level) ** 2 / n
    spread = part * np.cov(arm, reference)
    square = float(reference.mean() ** 2 - spread[1, 1])
    half = float(arm.mean() * reference.mean() - spread[0, 1])
    rest = float(arm.mean() ** 2 - spread[0, 0])
    return _solutions(square, half, rest, within)


def _paired(arm: Floats, reference: Floats) -> tuple[Floats, Floats]:
    arm, reference = arrays.vector("arm", arm), arrays.vector("reference", reference)
    if len(arm) != len(reference):
        raise ValueError(f"{len(arm)} values of the arm, {len(reference)} of the reference")
    return arm, reference


def _solutions(square: float, half: float, rest: float, within: Interval) -> Interval:
    """All r in a range with square r^2 - 2 half r + rest <= 0, spanned by one interval."""
    inside = half**2 - square * rest
    if inside <= 0:  # only where the quadratic opens downwards: the estimate always solves it
        return within
    far = half + float(np.copysign(np.sqrt(inside), half))  # no cancellation
    endless = float(np.copysign(np.inf, half))
    low, high = sorted((far / square if square else endless, rest / far))
    if square < 0:  # the solutions are r <= low and r >= high
        low, high = (
            within.low if low >= within.low else high,
            within.high if high <= within.high else low,
        )
    low, high = max(low, within.low), min(high, within.high)
    return Interval(low, high) if low <= high else NOWHERE


def _proportional(arm: Floats, reference: Floats) -> bool:
    """Whether all pairs have one ratio, or neither side varies."""
    if rounding.constant(arm) and rounding.constant(reference):
        return True
    mean = float(reference.mean())
    return bool(mean) and rounding.constant(arm - float(arm.mean()) / mean * reference)


def minus(end: float, value: float) -> float:
    """End of an interval minus a value: exactly 0 where they are equal but for rounding."""
    return rounding.difference(end, value) if np.isfinite(end) else end


def _above(a: float, b: float) -> bool:
    """Whether a > b, and not by rounding alone; infinite values are compared as they are."""
    if not (np.isfinite(a) and np.isfinite(b)):
        return a > b
    return a - b > rounding.tolerance(a, b)


def _check(smallest: float) -> None:
    if not 0 < smallest < np.inf:
        raise ValueError(f"the smallest effect is {smallest}; it is a number above 0")
