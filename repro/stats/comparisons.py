"""Two arms: differences, effect sizes, exact tests, families of tests.

Runs are paired where the seed fixes the same split, initial weights and order in both arms.
Every exact test also returns the smallest p-value that it can reach with its number of runs. With
very many runs the tests use a normal approximation instead of listing the arrangements, unless a
few runs dominate (`EVEN`); this approximation has no smallest p. Values that differ by rounding
alone are equal, see `rounding`.

The t and Brown-Forsythe tests are those of `scipy.stats`, which the tests compare to 1e-12. They
are written out here because that module takes a second to import and ten times as long per test,
warns about arms without variation, and rounds differently, which would change digits of the JSON.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from repro.argument_checks import arrays
from repro.stats import rounding
from repro.stats.intervals import LEVEL, NOWHERE, Floats, Interval, sd, t_quantile, wilson
from repro.stats.selection import SEED, correlation

ENUMERATED = 200_000  # arrangements up to which a test is exact; otherwise as many are sampled
MANY = 500  # pairs, or runs of an arm, from which on a normal approximation is used
EVEN = 100  # effective number of runs that a normal approximation needs, see `_evenness`
AT_ONCE = 2_000_000  # numbers of arrangements held in memory at a time


Bits = NDArray[np.uint8]  # eight to a byte, a row for each arrangement
_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float64)


class Test(NamedTuple):
    """A two-sided p-value, and the smallest that the test can reach with these runs.

    The smallest p is 0 for a t test and for a normal approximation.
    """

    p: float
    attainable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """First arm minus second.

    Attributes:
        mean: Of the differences; exactly 0 if they are 0 up to rounding.
        interval: Student's for pairs, Welch's without pairs; NaN for a single run, and where the
            runs show no spread, because equal runs do not say how far others are.
        p: p-value of the same t test, two-sided; NaN without an interval, but 1 if there is no
            difference at all.
        correlation: Between the pairs; NaN without pairs, and if an arm does not vary. If not
            above 0, pairing adds no power.
    """

    mean: float
    interval: Interval
    p: float
    correlation: float


def paired_difference(a: Floats, b: Floats, *, level: float = LEVEL) -> Difference:
    """Student's paired t.

    Args:
        a: Of the first arm, shape (R,), finite, R at least 1, in the order of the seeds.
        b: Of the second arm, same shape and order.
        level: Of the interval, in (0, 1).

    Returns:
        First arm minus second, in the unit of the values; for a single pair, and for pairs that
        all differ by the same, no interval.

    Raises:
        TypeError: The values are not real numbers.
        ValueError: The shapes differ, or are not (R,); a value is not finite; the level is out of
            range.
    """
    level, a, b = arrays.level(level), arrays.vector("a", a), arrays.vector("b", b)
    arrays.equal_shapes(a=a, b=b)
    differences = rounding.differences(a, b)
    n, mean = len(differences), _mean_difference(a, b)
    if n < 2:
        return Difference(mean=mean, interval=NOWHERE, p=float("nan"), correlation=float("nan"))
    error = sd(differences) / float(np.sqrt(n))
    return _difference(mean, error, n - 1, level, correlation(a, b))


def welch_difference(a: Floats, b: Floats, *, level: float = LEVEL) -> Difference:
    """Welch's t for unpaired arms, with Satterthwaite's degrees of freedom.

    Args:
        a: Of the first arm, shape (R,), finite, R at least 1.
        b: Of the second arm, shape (S,), finite, S at least 1.
        level: Of the interval, in (0, 1).

    Raises:
        TypeError: The values or the level are not real numbers.
        ValueError: Another shape; a value is not finite; the level is out of range.
    """
    level, a, b = arrays.level(level), arrays.vector("a", a), arrays.vector("b", b)
    mean = _mean_difference(a, b)
    if min(len(a), len(b)) < 2:
        return Difference(mean=mean, interval=NOWHERE, p=float("nan"), correlation=float("nan"))
    parts = sd(a) ** 2 / len(a), sd(b) ** 2 / len(b)
    total = sum(parts)
    below = parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1)
    degrees = total**2 / below if below > 0 else float(len(a) + len(b) - 2)
    return _difference(mean, float(np.sqrt(total)), float(degrees), level, float("nan"))


def _difference(
    mean: float, error: float, degrees: float, level: float, related: float
) -> Difference:
    if error == 0:
        p = 1.0 if mean == 0 else float("nan")
        return Difference(mean=mean, interval=NOWHERE, p=p, correlation=related)
    half = t_quantile(degrees, level=level) * error
    return Difference(
        mean=mean,
        interval=Interval(mean - half, mean + half),
        p=2 * float(special.stdtr(degrees, -abs(mean) / error)),
        correlation=related,
    )


def _mean_difference(a: Floats, b: Floats) -> float:
    return rounding.difference(float(a.mean()), float(b.mean()))


def hedges_g(a: Floats, b: Floats, *, level: float = LEVEL) -> tuple[float, Interval]:
    """Standardised difference of unpaired arms, corrected for small samples (Hedges 1981).

    Returns:
        g in units of the pooled standard deviation, and the interval from the noncentral t; NaN
        for both if neither arm varies or one has a single run.

    Raises:
        TypeError, ValueError: As `welch_difference`.
    """
    level, a, b = arrays.level(level), arrays.vector("a", a), arrays.vector("b", b)
    n, m = len(a), len(b)
    degrees = n + m - 2
    if min(n, m) < 2:
        return float("nan"), NOWHERE
    pooled = np.sqrt(((n - 1) * sd(a) ** 2 + (m - 1) * sd(b) ** 2) / degrees)
    if pooled == 0:
        return float("nan"), NOWHERE
    small = 1 - 3 / (4 * degrees - 1)
    scale = np.sqrt(n * m / (n + m))
    t = float(_mean_difference(a, b) / pooled * scale)
    tail = (1 - level) / 2
    ends = (special.nctdtrinc(degrees, p, t) for p in (1 - tail, tail))
    low, high = (float(small * end / scale) for end in ends)
    return float(small * t / scale), Interval(low, high)


def superiority(a: Floats, b: Floats, *, level: float = LEVEL) -> tuple[float, Interval]:
    """P(A > B) over pairs of runs, ties count half (Bouthillier et al. 2021), Wilson's interval.

    Args:
        a: Of the first arm, shape (R,), in the order of the seeds.
        b: Of the second arm, same shape and order.
        level: Of the interval.

    Raises:
        TypeError, ValueError: As `paired_difference`.
    """
    level, a, b = arrays.level(level), arrays.vector("a", a), arrays.vector("b", b)
    arrays.equal_shapes(a=a, b=b)
    apart = rounding.differences(a, b)
    wins = float((apart > 0).sum() + (apart == 0).sum() / 2)
    return wins / len(a), wilson(wins, len(a), level=level)


def sign_flip(differences: Floats) -> Test:
    """Exact paired sign-flip test: under the null hypothesis both signs are equally likely.

    Two-sided on the absolute mean; the smallest p for five pairs that differ is 2 / 32. A pair
    without a difference has no sign; without any difference p is 1.

    Args:
        differences: Of each pair, shape (R,), finite, R at least 1.

    Raises:
        TypeError: They are not real numbers.
        ValueError: Another shape; a difference is not finite.
    """
    differences = arrays.vector("differences", differences)
    differences = rounding.differences(differences, np.zeros_like(differences))
    differences = differences[differences != 0]
    n, total = len(differences), float(differences.sum())
    if n == 0:
        return Test(1.0, 1.0)
    if n >= MANY and _evenness(differences) >= EVEN:
        return Test(beyond(total, float(np.sqrt((differences**2).sum()))), 0.0)
    turned = _sums(_flips(n), differences)
    return Test(share_as_large(np.abs(total - 2 * turned), abs(total)), least_of_flips(n))


def least_of_flips(n: int) -> float:
    """The smallest p of a sign-flip test of n pairs that differ."""
    n = arrays.whole("n", n, 0)
    return min(1.0, 2 / 2**n) if 2**n <= ENUMERATED else 1 / ENUMERATED


def permutation(a: Floats, b: Floats) -> Test:
    """Exact unpaired permutation test: under the null hypothesis arms are assigned at random.

    Two-sided on the absolute difference of means; the smallest p for five against five is
    2 / 252, and larger if some runs are equal.

    Raises:
        TypeError, ValueError: As `welch_difference`.
    """
    a, b = arrays.vector("a", a), arrays.vector("b", b)
    n, m, pooled = len(a), len(b), np.concatenate(rounding.together(a, b))
    seen = _mean_difference(pooled[:n], pooled[n:])
    centred = pooled - pooled.mean()
    if min(n, m) >= MANY and _evenness(centred) * 2 * min(n, m) / (n + m) >= EVEN:
        return Test(beyond(seen, float(pooled.std(ddof=1) * np.sqrt(1 / n + 1 / m))), 0.0)
    dealt = _sums(_deals(n + m, n), pooled)
    means = np.abs(dealt / n - (pooled.sum() - dealt) / m)
    least = share_as_large(means, float(means.max()))
    if len(means) >= ENUMERATED:  # drawn: the most extreme assignment need not be among them
        least = least_of_deals(n, m)
    return Test(share_as_large(means, abs(seen)), least)


def least_of_deals(n: int, m: int) -> float:
    """The smallest p of a permutation test of n and m runs that all differ; double if n = m."""
    n, m = arrays.whole("n", n, 1), arrays.whole("m", m, 1)
    ways = comb(n + m, n)
    return (2 if n == m else 1) / ways if ways <= ENUMERATED else 1 / ENUMERATED


@functools.lru_cache(maxsize=4)
def _flips(n: int) -> Bits:
    """Which of n signs are flipped: all arrangements or a sample, the observed one first."""
    if 2**n <= ENUMERATED:
        return _by_column(np.packbits((np.arange(2**n)[:, None] >> np.arange(n)) & 1, axis=1))
    generator = np.random.default_rng([SEED, n])
    drawn = (generator.integers(0, 2, (rows, n)) for rows in portions(ENUMERATED, n))
    turned = np.concatenate([np.packbits(part, axis=1) for part in drawn])
    turned[0] = 0
    return _by_column(turned)


@functools.lru_cache(maxsize=4)
def _deals(total: int, n: int) -> Bits:
    """Which n of the runs are assigned to the first arm: all arrangements or a sample."""
    if comb(total, n) <= ENUMERATED:
        picks = np.array(list(combinations(range(total), n)))
        dealt = np.zeros((len(picks), total), dtype=np.bool_)
        np.put_along_axis(dealt, picks, values=True, axis=1)
        return _by_column(np.packbits(dealt, axis=1))
    generator = np.random.default_rng([SEED, total, n])
    parts = []
    for rows in portions(ENUMERATED, total):
        keys = generator.random((rows, total))
        last = np.partition(keys, n - 1, axis=1)[:, n - 1 : n]
        parts.append(np.packbits(keys <= last, axis=1))
    found = np.concatenate(parts)
    found[0] = np.packbits(np.arange(total) < n)  # the observed arrangement is one of them
    return _by_column(found)


def _by_column(chosen: Bits) -> Bits:
    """The same, each column in one piece of memory: `_sums` reads it twice as fast."""
    return np.asfortranarray(chosen)


def _sums(chosen: Bits, values: Floats) -> Floats:
    """Sum of the chosen values of each arrangement, from the sums of each eight values."""
    total = np.zeros(len(chosen))
    for place, bits in enumerate(chosen.T):
        eight = values[8 * place : 8 * (place + 1)]
        total += np.take(_BITS[:, : len(eight)] @ eight, bits)
    return total


def portions(rows: int, width: int) -> Iterator[int]:
    """Sizes of the parts in which rows of this width are processed."""
    step = max(1, AT_ONCE // max(width, 1))
    return (min(step, rows - first) for first in range(0, rows, step))


def _evenness(values: Floats) -> float:
    """Effective number of values, from the ratio of their second to their fourth moment.

    It is the number of values if all are equal, and small if a few dominate; then their sum is
    not normal. NaN if all are 0.
    """
    squares = values**2
    with np.errstate(invalid="ignore"):
        return float(squares.sum() ** 2 / (squares**2).sum())


def beyond(seen: float, deviation: float, *, mean: float = 0.0) -> float:
    """Probability that a normal value is at least as far from 0 as the observed one."""
    low, high = (-abs(seen) - mean) / deviation, (mean - abs(seen)) / deviation
    return float(special.ndtr(low) + special.ndtr(high))


def share_as_large(statistics: Floats, seen: float) -> float:
    """Share of the statistics that are at least as large as the observed one, ties included."""
    return float((statistics >= seen - rounding.tolerance(seen)).mean())


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment over a family of tests (Holm 1979).

    Args:
        p: The p-values of the family, each in [0, 1]; NaN for a planned test that was not made,
            which stays NaN and is counted, because a run that fails must not lower other p-values.

    Returns:
        The adjusted p-values, in the order given.

    Raises:
        TypeError: The values are not real numbers.
        ValueError: A value is outside [0, 1], or the array is not one-dimensional.
    """
    p = arrays.array("p", p, "(M,)", low=0.0, high=1.0, nan=True).tolist()
    known = sorted((value, i) for i, value in enumerate(p) if not np.isnan(value))
    adjusted, least = [float("nan")] * len(p), 0.0
    for step, (value, i) in enumerate(known):
        least = max(least, min(1.0, (len(p) - step) * value))
        adjusted[i] = least
    return adjusted


def variance_ratio(a: Floats, b: Floats, *, level: float = LEVEL) -> tuple[float, Interval]:
    """s^2 of the first arm over s^2 of the second, with the F interval of normal values.

    Five against five: the interval is the ratio divided and multiplied by 9.60.

    Returns:
        NaN for both if the second arm does not vary; no interval if the first does not.

    Raises:
        TypeError, ValueError: As `welch_difference`.
    """
    level, a, b = arrays.level(level), arrays.vector("a", a), arrays.vector("b", b)
    if min(len(a), len(b)) < 2 or rounding.constant(b):
        return float("nan"), NOWHERE
    ratio = (sd(a) / sd(b)) ** 2
    if ratio == 0:
        return ratio, NOWHERE
    tail = (1 - level) / 2
    high = float(special.fdtri(len(a) - 1, len(b) - 1, 1 - tail))
    low = float(special.fdtri(len(a) - 1, len(b) - 1, tail))
    return ratio, Interval(ratio / high, ratio / low)


def brown_forsythe(a: Floats, b: Floats) -> float:
    """Test of equal spread of two arms: Levene's test about the medians. Low power for few runs.

    An F test of the distances from the medians (Brown & Forsythe 1974).

    Returns:
        The p-value; NaN where the distances from the medians do not vary, as with two runs.

    Raises:
        TypeError, ValueError: As `welch_difference`.
    """
    a, b = arrays.vector("a", a), arrays.vector("b", b)
    x, y = rounding.together(*(np.abs(one - np.median(one)) for one in (a, b)))
    if min(len(a), len(b)) < 2 or (rounding.constant(x) and rounding.constant(y)):
        return float("nan")
    degrees = len(x) + len(y) - 2
    within = (len(x) * x.var() + len(y) * y.var()) / degrees
    between = (x.mean() - y.mean()) ** 2 / (1 / len(x) + 1 / len(y))
    return float(special.fdtrc(1, degrees, between / within))
