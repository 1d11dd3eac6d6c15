"""The difference of two proportions of few runs, such as the share of failed or collapsed runs.

Exact and unconditional (Chan & Zhang 1999): a difference belongs to the interval if neither
one-sided test of it rejects, whatever the second proportion is. The test's statistic is the score
(Miettinen & Nurminen 1985), its distribution is that of all tables, so no run is taken for normal.
"""

import functools

import numpy as np
from numpy.typing import NDArray
from scipy import special

from repro.argument_checks import arrays
from repro.stats.intervals import LEVEL, Floats, Interval

GRID = 120  # values of the second proportion over which the largest p is sought
STEPS = 50  # differences between -1 and 1 that are tried first
CLOSE = 1e-5  # of an end
TIE = 1e-9  # scores that differ by less are equal


@functools.cache
def difference_interval(
    first: int, n: int, second: int, m: int, *, level: float = LEVEL
) -> Interval:
    """Interval of the difference of two independent proportions, first minus second.

    Args:
        first: Runs of the first arm that count, 0 to n.
        n: Runs of the first arm, at least 1.
        second: Runs of the second arm that count, 0 to m.
        m: Runs of the second arm, at least 1.
        level: Covered at least, in (0, 1), each tail with half of what it leaves.

    Returns:
        Ends in [-1, 1]. It is wider than necessary for arms whose runs share seeds, if such runs
        tend to have the same result.

    Raises:
        TypeError: A number of runs is not an integer.
        ValueError: One of them is out of range, or the level.
    """
    arrays.level(level)
    for count, runs in ((first, n), (second, m)):
        arrays.whole("runs that count", count, 0, arrays.whole("runs", runs, 1))
    tail = (1 - level) / 2
    return Interval(_low(first, n, second, m, tail), -_low(second, m, first, n, tail))


def _low(x: int, n: int, y: int, m: int, tail: float) -> float:
    """Smallest difference whose one-sided p for a larger one is above the tail, rounded down."""
    rejected = -1.0
    for delta in np.linspace(-1, 1, STEPS + 1)[1:]:
        if p_larger(x, n, y, m, float(delta)) > tail:
            break
        rejected = float(delta)
    if rejected == -1.0 and p_larger(x, n, y, m, -1.0) > tail:
        return -1.0
    accepted = rejected + 2 / STEPS
    while accepted - rejected > CLOSE:
        middle = (accepted + rejected) / 2
        if p_larger(x, n, y, m, middle) > tail:
            accepted = middle
        else:
            rejected = middle
    return rejected


def p_larger(x: int, n: int, y: int, m: int, delta: float) -> float:
    """One-sided p of the hypothesis that the difference is delta, against a larger one.

    The largest probability, over all second proportions, of a table whose score is at least that
    of the observed one.

    Args:
        x: Runs of the first arm that count, of n.
        n: Runs of the first arm.
        y: Runs of the second arm that count, of m.
        m: Runs of the second arm.
        delta: Difference of the proportions, in [-1, 1].
    """
    scores = score(n, m, delta)
    extreme = (scores >= scores[x, y] - TIE).astype(np.float64)
    first, second = _nuisance(n, m, delta)
    return float(((first @ extreme) * second).sum(axis=1).max())


def rejected(n: int, m: int, delta: float, tail: float) -> NDArray[np.bool_]:
    """Tables whose p of `p_larger` is at most the tail, shape (n + 1, m + 1)."""
    scores = score(n, m, delta).ravel()
    order = np.argsort(-scores, kind="stable")
    first, second = _nuisance(n, m, delta)
    tables = (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)
    p = np.cumsum(tables[:, order], axis=1).max(axis=0)
    falling = scores[order]
    last = np.searchsorted(-falling, -falling + TIE, side="right") - 1  # of equal scores
    found = np.empty(scores.size, dtype=np.bool_)
    found[order] = p[last] <= tail
    return found.reshape(n + 1, m + 1)


def _nuisance(n: int, m: int, delta: float) -> tuple[Floats, Floats]:
    """Probabilities of both counts over the grid of proportions, (G, n + 1) and (G, m + 1)."""
    low, high = max(0.0, -delta), min(1.0, 1 - delta)
    second = low + (high - low) * np.sin(np.linspace(0, np.pi / 2, GRID)) ** 2
    return probabilities(n, np.clip(second + delta, 0, 1)), probabilities(m, second)


def score(n: int, m: int, delta: float) -> Floats:
    """Score of each table against a difference, shape (n + 1, m + 1): large for a larger one.

    The observed minus the supposed difference, over its standard error at the most likely
    proportions with that difference; 0 where both are 0.
    """
    x, y = np.arange(n + 1)[:, None] / n, np.arange(m + 1)[None, :] / m
    first = _most_likely(x, n, y, m, delta)
    second = np.clip(first - delta, 0, 1)
    variance = first * (1 - first) / n + second * (1 - second) / m
    apart = np.where(np.abs(x - y - delta) < TIE, 0.0, x - y - delta)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(apart == 0, 0.0, apart / np.sqrt(np.maximum(variance, 0.0)))


def _most_likely(x: Floats, n: int, y: Floats, m: int, delta: float) -> Floats:
    """First proportion that maximises the likelihood given the difference.

    Solution of the cubic equation of Farrington & Manning (1990), in trigonometric form.
    """
    theta = m / n
    a = 1 + theta
    b = -(1 + theta + x + theta * y + delta * (theta + 2))
    c = delta**2 + delta * (2 * x + theta + 1) + x + theta * y
    d = -x * delta * (1 + delta)
    v = b**3 / (3 * a) ** 3 - b * c / (6 * a**2) + d / (2 * a)
    u = np.copysign(np.sqrt(np.maximum(b**2 / (3 * a) ** 2 - c / (3 * a), 0.0)), v)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.where(u == 0, 0.0, v / u**3)
    angle = (np.pi + np.arccos(np.clip(cosine, -1, 1))) / 3
    return np.asarray(
        np.clip(2 * u * np.cos(angle) - b / (3 * a), max(0, delta), min(1, 1 + delta))
    )


def probabilities(n: int, proportions: Floats) -> Floats:
    """Binomial probability of each count of n, shape (G, n + 1) for G proportions."""
    counts = np.arange(n + 1)
    ways = special.gammaln(n + 1) - special.gammaln(counts + 1) - special.gammaln(n - counts + 1)
    logs = special.xlogy(counts, proportions[:, None]) + special.xlog1py(
        n - counts, -proportions[:, None]
    )
    return np.asarray(np.exp(ways + logs))
