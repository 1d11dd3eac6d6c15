"""Two arms, or many in order: differences, effect sizes, exact tests, families of tests.

Runs are paired where the seed fixes the same split, initial weights and order in both arms.
A p-value is worth no more than the smallest one that its test can reach with so few runs, so every
exact test returns both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from scipy import special

from repro.stats.intervals import LEVEL, NOWHERE, Floats, Integers, Interval, t_quantile, wilson
from repro.stats.selection import SEED, correlation

ENUMERATED = 200_000  # arrangements up to which a test is exact; beyond, as many are drawn
SHUFFLES = 20_000  # of the trend test
TINY = 1e-12  # two statistics this close are equal


class Test(NamedTuple):
    """A two-sided p-value, and the smallest that the test can reach with these runs."""

    p: float
    attainable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """First arm less second.

    Attributes:
        mean: Of the differences.
        interval: Student's for pairs, Welch's without pairs; nowhere for a single run.
        p: Of the same t test, two-sided; NaN where there is no interval.
        correlation: Between the pairs; NaN without pairs. At 0 or below pairing gains nothing.
    """

    mean: float
    interval: Interval
    p: float
    correlation: float


def paired_difference(a: Floats, b: Floats, *, level: float = LEVEL) -> Difference:
    """Student's paired t.

    Args:
        a: Of the first arm, shape (R,), in the order of the seeds.
        b: Of the second arm, same shape and order.
        level: Of the interval.
    """
    _require_equal_shapes(a, b)
    differences = a - b
    n, mean = len(differences), float(differences.mean())
    if n < 2:
        return Difference(mean=mean, interval=NOWHERE, p=float("nan"), correlation=float("nan"))
    error = float(differences.std(ddof=1) / np.sqrt(n))
    return _difference(mean, error, n - 1, level, correlation(a, b))


def welch_difference(a: Floats, b: Floats, *, level: float = LEVEL) -> Difference:
    """Welch's t for unpaired arms, with Satterthwaite's degrees of freedom."""
    mean = float(a.mean() - b.mean())
    if min(len(a), len(b)) < 2:
        return Difference(mean=mean, interval=NOWHERE, p=float("nan"), correlation=float("nan"))
    parts = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    total = sum(parts)
    below = parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1)
    degrees = total**2 / below if below > 0 else float(len(a) + len(b) - 2)
    return _difference(mean, float(np.sqrt(total)), float(degrees), level, float("nan"))


def _difference(
    mean: float, error: float, degrees: float, level: float, related: float
) -> Difference:
    half = t_quantile(degrees, level=level) * error
    if error > 0:
        p = 2 * float(special.stdtr(degrees, -abs(mean) / error))
    else:
        p = 1.0 if mean == 0 else 0.0
    return Difference(
        mean=mean, interval=Interval(mean - half, mean + half), p=p, correlation=related
    )


def hedges_g(a: Floats, b: Floats, *, level: float = LEVEL) -> tuple[float, Interval]:
    """Standardised difference of unpaired arms, corrected for small samples (Hedges 1981).

    Returns:
        g in units of the pooled standard deviation, and the interval from the noncentral t; NaN
        and nowhere where neither arm varies or one has a single run.
    """
    n, m = len(a), len(b)
    degrees = n + m - 2
    if min(n, m) < 2:
        return float("nan"), NOWHERE
    if np.ptp(a) == np.ptp(b) == 0:
        return float("nan"), NOWHERE
    pooled = np.sqrt(((n - 1) * a.var(ddof=1) + (m - 1) * b.var(ddof=1)) / degrees)
    small = 1 - 3 / (4 * degrees - 1)
    scale = np.sqrt(n * m / (n + m))
    t = float((a.mean() - b.mean()) / pooled * scale)
    tail = (1 - level) / 2
    ends = (special.nctdtrinc(degrees, p, t) for p in (1 - tail, tail))
    low, high = (float(small * end / scale) for end in ends)
    return float(small * t / scale), Interval(low, high)


def superiority(a: Floats, b: Floats, *, level: float = LEVEL) -> tuple[float, Interval]:
    """P(A > B) over pairs of runs, ties as halves (Bouthillier et al. 2021), Wilson's interval.

    Args:
        a: Of the first arm, shape (R,), in the order of the seeds.
        b: Of the second arm, same shape and order.
        level: Of the interval.
    """
    _require_equal_shapes(a, b)
    wins = float((a > b).sum() + (a == b).sum() / 2)
    return wins / len(a), wilson(wins, len(a), level=level)


def sign_flip(differences: Floats) -> Test:
    """Exact paired test: the sign of each difference is as likely one as the other.

    Two-sided on the absolute mean; five pairs that differ cannot come below 2 / 32.

    Args:
        differences: Of each pair, shape (R,).
    """
    n, exact = len(differences), 2 ** len(differences) <= ENUMERATED
    if exact:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        generator = np.random.default_rng([SEED, n])
        signs = 1 - 2 * generator.integers(0, 2, (ENUMERATED, n))
        signs[0] = 1  # the arrangement that was seen is one of them
    sums = np.abs(signs @ differences)
    moving = int((differences != 0).sum())  # a pair without a difference has no sign
    least = min(1.0, 2 / 2**moving) if exact else 1 / len(signs)
    return Test(_share_as_large(sums, abs(float(differences.sum()))), least)


def permutation(a: Floats, b: Floats) -> Test:
    """Exact unpaired test: each run could as well have stood in the other arm.

    Two-sided on the absolute difference of means; five against five cannot come below 2 / 252.
    """
    pooled, n = np.concatenate([a, b]), len(a)
    total = comb(len(pooled), n)
    if total <= ENUMERATED:
        picks = np.array(list(combinations(range(len(pooled)), n)))
    else:
        generator = np.random.default_rng([SEED, len(pooled), n])
        ranks = generator.random((ENUMERATED, len(pooled))).argsort(axis=1)
        picks = ranks[:, :n]
        picks[0] = np.arange(n)
    chosen = pooled[picks].sum(axis=1)
    means = np.abs(chosen / n - (pooled.sum() - chosen) / len(b))
    seen = abs(float(a.mean() - b.mean()))
    ways = 2 if len(a) == len(b) and total <= ENUMERATED else 1
    return Test(_share_as_large(means, seen), ways / len(picks))


def _share_as_large(statistics: Floats, seen: float) -> float:
    tolerance = TINY * max(1.0, seen)
    return float((statistics >= seen - tolerance).mean())


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment over a family of tests, in the order given; NaN stays NaN."""
    known = sorted((value, i) for i, value in enumerate(p) if not np.isnan(value))
    adjusted, least = [float("nan")] * len(p), 0.0
    for step, (value, i) in enumerate(known):
        least = max(least, min(1.0, (len(known) - step) * value))
        adjusted[i] = least
    return adjusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Whether a quantity rises or falls along ordered arms.

    Attributes:
        rise: Jonckheere's statistic scaled to [-1, 1]: pairs of runs in rising order less pairs in
            falling order, over all pairs of different arms.
        test: Two-sided.
    """

    rise: float
    test: Test


def jonckheere(values: Floats, order: Integers, *, block: Integers | None = None) -> Trend:
    """Jonckheere-Terpstra trend test by permutation, ties as halves.

    Under the hypothesis an arm's label says nothing, so labels are shuffled: within each block
    (seed) where runs are paired, else over all runs. SHUFFLES shuffles from a fixed seed, the
    arrangement that was seen among them.

    Args:
        values: Of each run, shape (R,).
        order: Place of each run's arm in the order, shape (R,).
        block: Seed of each run, shape (R,), or None.
    """
    generator = np.random.default_rng([SEED, len(values)])
    keys = generator.random((SHUFFLES, len(values)))
    blocks = np.zeros(len(values), dtype=np.int64) if block is None else block
    home = np.argsort(blocks, kind="stable")  # runs block by block
    shuffled = np.lexsort((keys, np.broadcast_to(blocks, keys.shape)), axis=1)
    labels = np.empty((SHUFFLES, len(values)), dtype=np.int64)
    labels[:, home] = order[shuffled]
    labels[0] = order
    rises = _rises(values, labels)
    extremes = np.abs(rises)
    pairs = float((order[:, None] > order).sum())
    arrangements = _arrangements(order, blocks)
    least = min(1.0, max(2 / arrangements, 1 / SHUFFLES))
    return Trend(
        rise=float(rises[0] / pairs) if pairs else float("nan"),
        test=Test(max(least, _share_as_large(extremes, float(extremes[0]))), least),
    )


def _rises(values: Floats, labels: Integers) -> Floats:
    """Pairs of runs of different arms in rising order less those in falling order.

    Args:
        values: Shape (R,).
        labels: Places of the runs' arms, a row for each shuffle.
    """
    steps = np.sign(values[:, None] - values)
    places = np.arange(labels.max() + 1)
    found = []
    for part in np.array_split(labels, 1 + labels.size * len(places) // 4_000_000):
        of_place = (part[:, :, None] == places).astype(np.float64)  # (shuffles, R, arms)
        over = np.einsum("ij,sja->sia", steps, of_place, optimize=True)  # steps over each arm
        lower = np.cumsum(over, axis=2) - over
        found.append(np.take_along_axis(lower, part[:, :, None], axis=2).sum(axis=(1, 2)))
    return np.concatenate(found)


def _arrangements(order: Integers, blocks: Integers) -> float:
    """In how many ways the labels can be shuffled within the blocks."""
    ways = 0.0
    for one in np.unique(blocks):
        _, counts = np.unique(order[blocks == one], return_counts=True)
        ways += special.gammaln(counts.sum() + 1) - special.gammaln(counts + 1).sum()
    return float(np.exp(min(ways, 700)))


def variance_ratio(a: Floats, b: Floats, *, level: float = LEVEL) -> tuple[float, Interval]:
    """s^2 of the first arm over s^2 of the second, with the F interval of normal values.

    Five against five: the interval is the ratio divided and multiplied by 9.60.
    """
    if min(len(a), len(b)) < 2 or np.ptp(b) == 0:
        return float("nan"), NOWHERE
    ratio = float(a.var(ddof=1) / b.var(ddof=1))
    tail = (1 - level) / 2
    high = float(special.fdtri(len(a) - 1, len(b) - 1, 1 - tail))
    low = float(special.fdtri(len(a) - 1, len(b) - 1, tail))
    return ratio, Interval(ratio / high, ratio / low)


def brown_forsythe(a: Floats, b: Floats) -> float:
    """Whether two arms spread alike: Levene's test about the medians. Weak for few runs.

    An F test of the distances from the medians (Brown & Forsythe 1974).

    Returns:
        The p-value; NaN where the distances from the medians do not vary, as with two runs.
    """
    x, y = (np.abs(one - np.median(one)) for one in (a, b))
    if min(len(a), len(b)) < 2 or max(np.ptp(x), np.ptp(y)) < TINY:
        return float("nan")
    degrees = len(x) + len(y) - 2
    within = (len(x) * x.var() + len(y) * y.var()) / degrees
    between = (x.mean() - y.mean()) ** 2 / (1 / len(x) + 1 / len(y))
    return float(special.fdtrc(1, degrees, between / within))


def _require_equal_shapes(a: Floats, b: Floats) -> None:
    if a.shape != b.shape:
        raise ValueError(f"pairs need equal shapes, not {a.shape} and {b.shape}")
