"""Two arms, or many in order: differences, effect sizes, exact tests, families of tests.

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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from repro.argument_checks import arrays
from repro.stats import rounding
from repro.stats.intervals import LEVEL, NOWHERE, Floats, Integers, Interval, sd, t_quantile, wilson
from repro.stats.selection import SEED, correlation

ENUMERATED = 200_000  # arrangements up to which a test is exact; otherwise as many are sampled
SHUFFLES = 20_000  # of the trend test
MANY = 500  # pairs, or runs of an arm, from which on a normal approximation is used
LISTED = 1000  # runs of all arms up to which the trend test shuffles
EVEN = 100  # effective number of runs that a normal approximation needs, see `_evenness`
AT_ONCE = 2_000_000  # numbers of arrangements held in memory at a time


Bits = NDArray[np.uint8]  # eight to a byte, a row for each arrangement


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
    arrays.level(level)
    a, b = arrays.vector("a", a), arrays.vector("b", b)
    _require_equal_shapes(a, b)
    differences = rounding.differences(a, b)
    n, mean = len(differences), _mean_difference(a, b)
    if n < 2:
        return Difference(mean=mean, interval=NOWHERE, p=float("nan"), correlation=float("nan"))
    error = sd(differences) / float(np.sqrt(n))
    return _difference(mean, error, n - 1, level, correlation(a, b))


def welch_difference(a: Floats, b: Floats, *, level: float = LEVEL) -> Difference:
    """Welch's t for unpaired arms, with Satterthwaite's degrees of freedom."""
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
    """
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
    """
    _require_equal_shapes(a, b)
    apart = rounding.differences(a, b)
    wins = float((apart > 0).sum() + (apart == 0).sum() / 2)
    return wins / len(a), wilson(wins, len(a), level=level)


def sign_flip(differences: Floats) -> Test:
    """Exact paired sign-flip test: under the null hypothesis both signs are equally likely.

    Two-sided on the absolute mean; the smallest p for five pairs that differ is 2 / 32. A pair
    without a difference has no sign; without any difference p is 1.

    Args:
        differences: Of each pair, shape (R,).
    """
    differences = rounding.differences(differences, np.zeros_like(differences))
    differences = differences[differences != 0]
    n, total = len(differences), float(differences.sum())
    if n == 0:
        return Test(1.0, 1.0)
    if n >= MANY and _evenness(differences) >= EVEN:
        return Test(_beyond(total, float(np.sqrt((differences**2).sum()))), 0.0)
    turned = _sums(_flips(n), differences)
    return Test(_share_as_large(np.abs(total - 2 * turned), abs(total)), least_of_flips(n))


def least_of_flips(n: int) -> float:
    """The smallest p of a sign-flip test of n pairs that differ."""
    return min(1.0, 2 / 2**n) if 2**n <= ENUMERATED else 1 / ENUMERATED


def permutation(a: Floats, b: Floats) -> Test:
    """Exact unpaired permutation test: under the null hypothesis arms are assigned at random.

    Two-sided on the absolute difference of means; the smallest p for five against five is
    2 / 252, and larger if some runs are equal.
    """
    n, m, pooled = len(a), len(b), np.concatenate(rounding.together(a, b))
    seen = _mean_difference(pooled[:n], pooled[n:])
    centred = pooled - pooled.mean()
    if min(n, m) >= MANY and _evenness(centred) * 2 * min(n, m) / (n + m) >= EVEN:
        return Test(_beyond(seen, float(pooled.std(ddof=1) * np.sqrt(1 / n + 1 / m))), 0.0)
    dealt = _sums(_deals(n + m, n), pooled)
    means = np.abs(dealt / n - (pooled.sum() - dealt) / m)
    least = _share_as_large(means, float(means.max()))
    if len(means) >= ENUMERATED:  # drawn: the most extreme assignment need not be among them
        least = least_of_deals(n, m)
    return Test(_share_as_large(means, abs(seen)), least)


def least_of_deals(n: int, m: int) -> float:
    """The smallest p of a permutation test of n and m runs that all differ; double if n = m."""
    ways = comb(n + m, n)
    return (2 if n == m else 1) / ways if ways <= ENUMERATED else 1 / ENUMERATED


@functools.lru_cache(maxsize=4)
def _flips(n: int) -> Bits:
    """Which of n signs are flipped: all arrangements or a sample, the observed one first."""
    if 2**n <= ENUMERATED:
        return np.packbits((np.arange(2**n)[:, None] >> np.arange(n)) & 1, axis=1)
    generator = np.random.default_rng([SEED, n])
    drawn = (generator.integers(0, 2, (rows, n)) for rows in _parts(ENUMERATED, n))
    turned = np.concatenate([np.packbits(part, axis=1) for part in drawn])
    turned[0] = 0
    return turned


@functools.lru_cache(maxsize=4)
def _deals(total: int, n: int) -> Bits:
    """Which n of the runs are assigned to the first arm: all arrangements or a sample."""
    if comb(total, n) <= ENUMERATED:
        picks = np.array(list(combinations(range(total), n)))
        dealt = np.zeros((len(picks), total), dtype=np.bool_)
        np.put_along_axis(dealt, picks, values=True, axis=1)
        return np.packbits(dealt, axis=1)
    generator = np.random.default_rng([SEED, total, n])
    parts = []
    for rows in _parts(ENUMERATED, total):
        keys = generator.random((rows, total))
        last = np.partition(keys, n - 1, axis=1)[:, n - 1 : n]
        parts.append(np.packbits(keys <= last, axis=1))
    found = np.concatenate(parts)
    found[0] = np.packbits(np.arange(total) < n)  # the observed arrangement is one of them
    return found


def _sums(chosen: Bits, values: Floats) -> Floats:
    """Sum of the chosen values of each arrangement."""
    ends = np.cumsum(list(_parts(len(chosen), len(values))))[:-1]
    parts = (np.unpackbits(one, axis=1, count=len(values)) for one in np.split(chosen, ends))
    return np.concatenate([part @ values for part in parts])


def _parts(rows: int, width: int) -> Iterator[int]:
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


def _beyond(seen: float, deviation: float, *, mean: float = 0.0) -> float:
    """Probability that a normal value is at least as far from 0 as the observed one."""
    low, high = (-abs(seen) - mean) / deviation, (mean - abs(seen)) / deviation
    return float(special.ndtr(low) + special.ndtr(high))


def _share_as_large(statistics: Floats, seen: float) -> float:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Whether a quantity rises or falls along ordered arms.

    Attributes:
        rise: Jonckheere's statistic scaled to [-1, 1]: pairs of runs in rising order minus pairs in
            falling order, over all pairs of different arms.
        test: Two-sided.
    """

    rise: float
    test: Test


def jonckheere(values: Floats, order: Integers, *, block: Integers | None = None) -> Trend:
    """Jonckheere-Terpstra trend test by permutation, ties count half.

    Under the null hypothesis the labels of the arms are exchangeable, so they are shuffled: within
    each block (seed) if runs are paired, else over all runs. SHUFFLES shuffles with a fixed seed,
    the observed arrangement among them; a normal approximation for more than LISTED runs.

    Args:
        values: Of each run, shape (R,).
        order: Place of each run's arm in the order, shape (R,); arms at one place are one arm.
        block: Seed of each run, shape (R,), or None.
    """
    values = rounding.merged(values)
    places, sizes = np.unique(order, return_counts=True)
    labels = np.searchsorted(places, order)
    blocks = np.zeros_like(labels) if block is None else np.unique(block, return_inverse=True)[1]
    pairs = (len(values) ** 2 - int((sizes**2).sum())) / 2
    seen = float(_rises(values, labels[None])[0])
    rise = seen / pairs if pairs else float("nan")
    least = min(1.0, max(2 / _arrangements(order, blocks), 1 / SHUFFLES))
    if not (_vary(values, blocks) & _vary(labels, blocks)).any():
        return Trend(rise=rise, test=Test(1.0, 1.0))  # every shuffle gives the same
    if len(values) > LISTED:
        law = _limit(values, labels, blocks)
        if law.evenness >= EVEN:
            return Trend(rise=rise, test=Test(_beyond(seen, law.deviation, mean=law.mean), 0.0))
    rises = [_rises(values, shuffled) for shuffled in _shuffled(labels, blocks)]
    as_large = _share_as_large(np.abs(np.concatenate(rises)), abs(seen))
    return Trend(rise=rise, test=Test(max(least, as_large), least))


def _vary(values: Floats | Integers, blocks: Integers) -> NDArray[np.bool_]:
    """Whether there are different values in each block."""
    home = np.argsort(blocks, kind="stable")
    starts = np.unique(blocks[home], return_index=True)[1]
    ends = (one.reduceat(values[home], starts) for one in (np.minimum, np.maximum))
    return np.not_equal(*ends)


def _shuffled(labels: Integers, blocks: Integers) -> Iterable[NDArray[Any]]:
    """As `_shuffles`; cached for the next quantity of the same runs, unless there are too many."""
    if len(labels) > LISTED:
        return _shuffles(labels, blocks)
    return _kept_shuffles(labels.tobytes(), blocks.tobytes())


@functools.lru_cache(maxsize=1)
def _kept_shuffles(labels: bytes, blocks: bytes) -> tuple[NDArray[Any], ...]:
    return tuple(_shuffles(np.frombuffer(labels, np.int64), np.frombuffer(blocks, np.int64)))


def _shuffles(labels: Integers, blocks: Integers) -> Iterator[NDArray[Any]]:
    """The labels, shuffled within the blocks: arrays of rows, at most AT_ONCE numbers each."""
    generator = np.random.default_rng([SEED, len(labels)])
    homes = [np.flatnonzero(blocks == one) for one in np.unique(blocks)]
    first = True
    for rows in _parts(SHUFFLES, len(labels)):
        keys = generator.random((rows, len(labels)))
        shuffled = np.empty(keys.shape, dtype=np.min_scalar_type(labels.max()))
        for home in homes:
            shuffled[:, home] = labels[home][keys[:, home].argsort(axis=1, kind="stable")]
        if first:
            shuffled[0], first = labels, False
        yield shuffled


def _rises(values: Floats, labels: NDArray[Any]) -> Floats:
    """Pairs of runs of different arms in rising order minus those in falling order.

    Args:
        values: Shape (R,).
        labels: Places of the runs' arms, a row for each shuffle of the same labels.
    """
    ranks = np.unique(values, return_inverse=True)[1]
    rising = _in_order(labels[:, np.argsort(ranks, kind="stable")])
    if ranks.max() == len(values) - 1:
        return rising
    tied = np.lexsort((-np.arange(len(ranks)), ranks))  # equal values in reverse order
    return np.asarray((rising + _in_order(labels[:, tied])) / 2)


def _in_order(labels: NDArray[Any]) -> Floats:
    """Pairs of a row whose labels rise from left to right minus pairs whose labels fall."""
    low, high = int(labels[0].min()), int(labels[0].max())
    if low == high:
        return np.zeros(len(labels))
    upper = labels > (low + high) // 2
    many = int(upper[0].sum())
    places = upper @ np.arange(labels.shape[1], dtype=np.float64)  # sum over the upper half
    before = places - many * (many - 1) / 2  # number of lower-half elements before them
    across = 2 * before - many * (labels.shape[1] - many)
    halves = (labels.ravel().compress(half.ravel()) for half in (~upper, upper))
    return np.asarray(across + sum(_in_order(half.reshape(len(labels), -1)) for half in halves))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The normal approximation for shuffled labels.

    Attributes:
        mean: Not 0 if some blocks lack arms that others have.
        deviation: Standard deviation.
        evenness: See `_evenness`; the approximation needs at least EVEN.
    """

    mean: float
    deviation: float
    evenness: float


def _limit(values: Floats, labels: Integers, blocks: Integers) -> Limit:
    r"""The distribution of `_rises` over shuffles, from its projection on single runs.

    Given that run k has label l, each run of block c, which has n_c shuffled labels, adds on
    average (labels of c below l - above l) / n_c times the sign of (value of k - its own). So the
    statistic is :math:`\sum_k D_{k, l(k)}`, D the product of both summed over the blocks, plus a
    remainder of order 1 / R of the variance. Hoeffding (1951) gives the limit of such sums.
    """
    members = [np.flatnonzero(blocks == one) for one in range(blocks.max() + 1)]
    above = np.stack([_steps(values, values[one]) for one in members], axis=1)  # (R, blocks)
    counts = np.stack([np.bincount(labels[one], minlength=labels.max() + 1) for one in members])
    lower = np.cumsum(counts, axis=1) - counts
    sizes = counts.sum(axis=1, keepdims=True)
    lean = (2 * lower + counts - sizes) / sizes  # (blocks, arms): share below minus share above
    mean = variance = fourth = 0.0
    for one, count in zip(members, counts, strict=True):
        n, share = len(one), count / len(one)
        mean += float(above[one].sum(axis=0) @ (lean @ share)) / 2
        found = above[one] @ lean
        found -= (found @ share)[:, None]
        found -= found.mean(axis=0)
        squares = found**2
        variance += float((squares @ share).sum()) * n / max(n - 1, 1)
        fourth += float((squares**2 @ share).sum())
    return Limit(
        mean=mean,
        deviation=float(np.sqrt(variance)),
        evenness=variance**2 / fourth if fourth else 0.0,
    )


def _steps(values: Floats, others: Floats) -> Floats:
    """Number of the others below each value minus the number above."""
    ranked = np.sort(others)
    sides = (np.searchsorted(ranked, values, side=side) for side in ("left", "right"))
    return np.asarray(sum(sides) - float(len(others)))


def _arrangements(order: Integers, blocks: Integers) -> float:
    """Number of ways to shuffle the labels within the blocks."""
    ways = 0.0
    for one in np.unique(blocks):
        _, counts = np.unique(order[blocks == one], return_counts=True)
        ways += special.gammaln(counts.sum() + 1) - special.gammaln(counts + 1).sum()
    return float(np.exp(min(ways, 700)))


def variance_ratio(a: Floats, b: Floats, *, level: float = LEVEL) -> tuple[float, Interval]:
    """s^2 of the first arm over s^2 of the second, with the F interval of normal values.

    Five against five: the interval is the ratio divided and multiplied by 9.60.

    Returns:
        NaN for both if the second arm does not vary; no interval if the first does not.
    """
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
    """
    x, y = rounding.together(*(np.abs(one - np.median(one)) for one in (a, b)))
    if min(len(a), len(b)) < 2 or (rounding.constant(x) and rounding.constant(y)):
        return float("nan")
    degrees = len(x) + len(y) - 2
    within = (len(x) * x.var() + len(y) * y.var()) / degrees
    between = (x.mean() - y.mean()) ** 2 / (1 / len(x) + 1 / len(y))
    return float(special.fdtrc(1, degrees, between / within))


def _require_equal_shapes(a: Floats, b: Floats) -> None:
    if a.shape != b.shape:
        raise ValueError(f"pairs need equal shapes, not {a.shape} and {b.shape}")
