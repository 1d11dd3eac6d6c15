"""What a number of pairs can tell of a claim: the probability of each of its four words.

The estimate of an effect is normal about the true one, its interval is that of `components`: the
variance between pairs is estimated, that of the photographs is known. The probabilities are
integrated over the estimated standard deviation, as in `power`.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from repro.stats import power
from repro.stats.conclusions import CANNOT_TELL, DOES_NOT_HOLD, HOLDS, TOO_SMALL, Word
from repro.stats.intervals import LEVEL, Floats

MOST = 10_000  # pairs, above which nobody goes
ENDLESS = 1e9  # degrees of freedom of an interval whose variance is known


class Chances(NamedTuple):
    """Probability of each word; they add up to 1."""

    holds: float
    too_small: float
    does_not_hold: float
    cannot_tell: float

    def of(self, word: Word) -> float:
        """The probability of one word."""
        return self[(HOLDS, TOO_SMALL, DOES_NOT_HOLD, CANNOT_TELL).index(word)]


@functools.cache
def words(
    pairs: int,
    effect: float,
    smallest: float,
    sd: float,
    *,
    level: float = LEVEL,
    photographs: float = 0.0,
) -> Chances:
    """Probability of each word of a claim that an effect is on the expected side.

    Args:
        pairs: Number of pairs of runs with the same seed, at least 2.
        effect: The true effect, positive on the expected side.
        smallest: The smallest effect that matters, above 0.
        sd: True standard deviation of the pairs' differences, above 0.
        level: Of the interval, in (0, 1).
        photographs: Variance of the estimate from the photographs, which more pairs do not reduce.

    Returns:
        Exact for normal differences without a variance from photographs. With it they are those of
        Satterthwaite's degrees of freedom. An effect x and an effect of the smallest one minus x
        exchange "holds" and "does not hold".

    Raises:
        ValueError: An argument is out of range.
    """
    half, weights, error = _half_widths(pairs, smallest, sd, level, photographs)
    at_zero = special.ndtr((half - effect) / error)  # probability of a lower end of 0 or less
    at_smallest = special.ndtr((smallest - half - effect) / error)  # of an upper end below it
    holds = 1 - np.maximum(at_zero, at_smallest)
    too_small = np.maximum(at_smallest - at_zero, 0.0)
    fails = np.minimum(at_zero, at_smallest)
    return _chances(holds @ weights, too_small @ weights, fails @ weights)


@functools.cache
def kept(
    pairs: int,
    effect: float,
    smallest: float,
    sd: float,
    *,
    level: float = LEVEL,
    photographs: float = 0.0,
) -> Chances:
    """As `words`, of a claim that a quantity changes by less than the smallest effect."""
    half, weights, error = _half_widths(pairs, smallest, sd, level, photographs)
    near, far = smallest - half, smallest + half
    inside = special.ndtr((near - effect) / error) - special.ndtr((-near - effect) / error)
    beyond = special.ndtr((effect - far) / error) + special.ndtr((-effect - far) / error)
    return _chances(np.maximum(inside, 0.0) @ weights, 0.0, beyond @ weights)


def pairs_needed(
    sd: float,
    smallest: float,
    *,
    level: float = LEVEL,
    power: float = power.POWER,
    photographs: float = 0.0,
) -> int | None:
    """Smallest number of pairs with which the claim is likely to be decided.

    A true effect of the smallest size then "holds" with this probability, and one of 0 "does not
    hold" with the same.

    Args:
        sd: True standard deviation of the pairs' differences, above 0.
        smallest: The smallest effect that matters, above 0.
        level: Of the interval, in (0, 1).
        power: The probability; one tail of the level is never reached.
        photographs: Variance of the estimate from the photographs.

    Returns:
        At least 2; None if it is above MOST, because the photographs are too few or the smallest
        effect is too small.
    """

    def chance(pairs: int) -> float:
        return words(pairs, smallest, smallest, sd, level=level, photographs=photographs).holds

    return _first(chance, power)


def pairs_needed_to_keep(
    sd: float,
    smallest: float,
    *,
    level: float = LEVEL,
    power: float = power.POWER,
    photographs: float = 0.0,
) -> int | None:
    """As `pairs_needed`, for a claim that a quantity is kept, where it does not change at all."""

    def chance(pairs: int) -> float:
        return kept(pairs, 0.0, smallest, sd, level=level, photographs=photographs).holds

    return _first(chance, power)


def photographs_needed(
    pairs: int,
    sd: float,
    smallest: float,
    photographs: float,
    *,
    level: float = LEVEL,
    power: float = power.POWER,
    keeps: bool = False,
) -> float | None:
    """How many times as many photographs decide the claim as likely, with the same pairs.

    Args:
        pairs: Number of pairs, at least 2.
        sd: True standard deviation of the pairs' differences, above 0.
        smallest: The smallest effect that matters, above 0.
        photographs: Variance of the estimate from the photographs there are, above 0; it falls as
            their number grows.
        level: Of the interval, in (0, 1).
        power: The probability of `pairs_needed`.
        keeps: Whether the claim is that of `pairs_needed_to_keep`.

    Returns:
        At least 1, which is: they suffice; None if no number does, because the pairs are too few.
    """

    def missing(times: float) -> float:
        of, true = (kept, 0.0) if keeps else (words, smallest)
        rest = photographs / times
        return of(pairs, true, smallest, sd, level=level, photographs=rest).holds - power

    if missing(1.0) >= 0:
        return 1.0
    if missing(np.inf) < 0:
        return None
    most = 2.0
    while missing(most) < 0 and most < MOST:
        most *= 2
    return float(optimize.brentq(missing, most / 2, most, xtol=1e-3)) if most < MOST else None


def _half_widths(
    pairs: int, smallest: float, sd: float, level: float, photographs: float
) -> tuple[Floats, Floats, float]:
    """Half-widths of the interval, their weights, and the true standard error of the estimate."""
    if pairs < 2:
        raise ValueError(f"{pairs} pairs have no interval")
    if not (sd > 0 and smallest > 0 and photographs >= 0 and 0 < level < 1):
        raise ValueError(
            f"sd {sd}, smallest effect {smallest}, photographs {photographs}, level {level}"
        )
    true = sd**2 / pairs
    s, weights = power.deviations(pairs - 1)
    part = true * s**2
    whole = part + photographs
    degrees = np.minimum((pairs - 1) * (whole / part) ** 2, ENDLESS)
    quantile = special.stdtrit(degrees, 0.5 + level / 2)
    return quantile * np.sqrt(whole), weights, float(np.sqrt(true + photographs))


def _chances(holds: float, too_small: float, fails: float) -> Chances:
    holds, too_small, fails = (float(np.clip(one, 0.0, 1.0)) for one in (holds, too_small, fails))
    return Chances(holds, too_small, fails, max(0.0, 1 - holds - too_small - fails))


def _first(chance: Callable[[int], float], wanted: float) -> int | None:
    """Smallest number of pairs with this chance or more; the chance rises with the pairs."""
    if not 0 < wanted < 1:
        raise ValueError(f"a probability of {wanted}")
    enough = 2
    while chance(enough) < wanted:
        enough *= 2
        if enough > MOST:
            return None
    few = enough // 2
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if chance(middle) >= wanted else (middle, enough)
    return enough
