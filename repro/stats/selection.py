"""The best k of n runs: how they are selected, and the selection bias.

Symbols: T is the mean of a quantity over the k runs that are kept of n; sigma the standard
deviation of the quantity between runs; rho its correlation with the metric that selects.
"""

import functools
import math
from collections.abc import Sequence
from math import comb

import numpy as np
from scipy import integrate, special

from repro.argument_checks import arrays
from repro.stats import rounding
from repro.stats.intervals import Floats, Integers

DRAWS = 400_000  # of every simulated distribution; quantiles have errors below 0.01
WIDEST = 50  # largest number of runs for which DRAWS studies are simulated
NUMBERS = 4_000_000  # simulated runs of all studies together if there are more
ROWS = 2**15  # simulated studies that are ranked at a time
SEED = 20201130  # of every simulation, so that tables are reproducible


def best(values: Sequence[float] | Floats, keep: int) -> list[int]:
    """Positions of the `keep` largest values, in the order of the values' positions.

    Of equal values the first are kept; values that differ by rounding alone are equal.

    Args:
        values: Of each run, shape (R,), finite.
        keep: Number of values to keep, 1 to R.

    Raises:
        TypeError: The values are not real numbers, or `keep` is not an integer.
        ValueError: `keep` is out of range; a value is not finite.
    """
    values = arrays.vector("values", values)
    keep = arrays.whole("keep", keep, 1, len(values))
    return sorted(_falling(values)[:keep].tolist())


def _falling(values: Floats) -> Integers:
    """Positions in decreasing order; equal values in the order of their positions."""
    return rounding.rising(-values)


def flattery(keep: int, of: int) -> float:
    """Selection bias of the best `keep` of `of` normal runs, in units of sigma.

    The expected mean of the kept runs: a run of value x is kept if fewer than `keep` of the others
    are larger. 0.5527 for the best 3 of 5; 0 if all are kept. If another metric selects, times rho.

    Raises:
        TypeError: A number is not an integer.
        ValueError: `keep` is not from 1 to `of`.
    """
    of = arrays.whole("of", of, 1)
    return _flattery(arrays.whole("keep", keep, 1, of), of)


@functools.cache
def _flattery(keep: int, of: int) -> float:
    if keep == of:
        return 0.0
    border = float(special.ndtri(1 - keep / of))

    def kept(x: float) -> float:
        chance = special.betainc(of - keep, keep, special.ndtr(x))
        return float(x * chance * np.exp(-x * x / 2) / np.sqrt(2 * np.pi))

    whole = integrate.quad(kept, -12, 12, points=[border], epsabs=1e-13, epsrel=1e-13)[0]
    return float(of / keep * whole)


def optimism(values: Floats, by: Floats, keep: int) -> float:
    """Selection bias as it is seen: the kept runs' mean minus the mean of all runs.

    No distribution is assumed. For normal runs it is rho * `flattery` * sigma on average.

    Args:
        values: The reported quantity of each run, shape (R,), finite.
        by: The metric that selects, shape (R,), finite; it can be `values`.
        keep: Number of runs that are kept, 1 to R.

    Returns:
        In the unit of the values; 0 if all are kept.

    Raises:
        TypeError: The values are not real numbers, or `keep` is not an integer.
        ValueError: The shapes differ, or are not (R,); a value is not finite; `keep` is out of
            range.
    """
    values, by = arrays.vector("values", values), arrays.vector("by", by)
    arrays.equal_shapes(values=values, by=by)
    keep = arrays.whole("keep", keep, 1, len(values))
    return float(values[best(by, keep)].mean() - values.mean()) if keep < len(values) else 0.0


def correlation(a: Floats, b: Floats) -> float:
    """Pearson's correlation; NaN if an array is constant: it is not defined there.

    Raises:
        TypeError: The values are not real numbers.
        ValueError: The shapes differ, or are not (R,); a value is not finite.
    """
    a, b = arrays.vector("a", a), arrays.vector("b", b)
    arrays.equal_shapes(a=a, b=b)
    if len(a) < 2 or rounding.constant(a) or rounding.constant(b):
        return float("nan")
    return float(np.mean((a - a.mean()) * (b - b.mean())) / (np.std(a) * np.std(b)))


def expected_best_weights(runs: int, keep: int, of: int) -> Floats:
    """Weights of the sorted values in the unbiased estimate of the mean of the best k of n runs.

    The U-statistic over all subsets of `of` runs (Tang et al. 2020 for keep = 1); for `of` =
    `runs` it is the mean of the best `keep`.

    Returns:
        Shape (runs,), for values in increasing order; sums to 1.

    Raises:
        TypeError: A number is not an integer.
        ValueError: Not 1 <= keep <= of <= runs.
    """
    runs = arrays.whole("runs", runs, 1)
    of = arrays.whole("of", of, 1, runs)
    keep = arrays.whole("keep", keep, 1, of)
    subsets = comb(runs, of)
    weights = [
        sum(comb(runs - rank, r) * comb(rank - 1, of - 1 - r) for r in range(keep) if r < of)
        for rank in range(1, runs + 1)
    ]
    return np.array(weights, dtype=np.float64) / (keep * subsets)


def expected_best(values: Floats, by: Floats, *, keep: int, of: int) -> float:
    """Estimate of the mean of the best `keep` of `of` runs from at least as many runs.

    Args:
        values: The reported quantity of each run, shape (R,).
        by: The metric that selects, shape (R,); of equal runs a selection keeps the first.
        keep: Number of runs kept by a selection.
        of: Number of runs that it selects from, at most R.

    Raises:
        TypeError: The values are not real numbers, or a number is not an integer.
        ValueError: The shapes differ, or are not (R,); a value is not finite; not
            1 <= keep <= of <= R.
    """
    values, by = arrays.vector("values", values), arrays.vector("by", by)
    arrays.equal_shapes(values=values, by=by)
    order = _falling(by)[::-1]
    return float(values[order] @ expected_best_weights(len(values), keep, of))


def draws_of_best(runs: int, keep: int, of: int, *, rho: float = 1.0) -> tuple[Floats, Floats]:
    """T and s in many studies whose values are standard normal.

    Returns:
        The estimate of the best-`keep`-of-`of` mean from `runs` runs, and the standard deviation
        of all of them (ddof 1; NaN for a single one), each of shape (DRAWS,), or shorter for more
        than WIDEST runs, where both vary little.
    """
    generator = np.random.default_rng([SEED, runs, keep, of, round(100 * (rho + 1))])
    studies = DRAWS if runs <= WIDEST else max(1, NUMBERS // runs)
    values = generator.standard_normal((studies, runs))
    weights = expected_best_weights(runs, keep, of)
    means, spread = np.empty(studies), np.full(studies, np.nan)
    for first in range(0, studies, ROWS):
        rows = slice(first, first + ROWS)
        by = rho * values[rows]
        if abs(rho) < 1:
            by = by + np.sqrt(1 - rho * rho) * generator.standard_normal(by.shape)
        order = np.argsort(by, axis=1)
        means[rows] = np.take_along_axis(values[rows], order, axis=1) @ weights
        if runs > 1:
            spread[rows] = values[rows].std(axis=1, ddof=1)
    return means, spread


@functools.lru_cache(maxsize=4)
def pairs(runs: float, keep: int, of: int, *, rho: float = 1.0) -> tuple[Floats, Floats, Floats]:
    """T and s of ours, and T' of an independent study of the same standard normal process.

    Args:
        runs: Number of our runs, at least `of`; infinite for as many as it takes to know T and s.
        keep: Number of runs kept by a selection.
        of: Number of runs of the other study, and of those that a selection of ours chooses from.
        rho: Correlation of the quantity with the metric that selects.

    Returns:
        Each of shape (DRAWS,).
    """
    theirs = np.resize(draws_of_best(of, keep, of, rho=rho)[0], DRAWS)
    if math.isinf(runs):
        return np.full(DRAWS, rho * flattery(keep, of)), np.ones(DRAWS), theirs
    n = int(runs)
    ours, spread = (np.resize(one, DRAWS) for one in draws_of_best(n, keep, of, rho=rho))
    return ours, spread, np.random.default_rng([SEED, n, keep, of]).permutation(theirs)


@functools.cache
def pivot(runs: float, keep: int, of: int, *, rho: float = 1.0) -> Floats:
    """Sorted draws of (T - T') / s: ours minus that of an independent study, divided by our s.

    Ours has `runs` runs, the other one `of`; both report the best `keep` of `of`. Quantiles 2.5,
    5, 95 and 97.5 % for 3 of 5 are about -2.373, -1.771, 1.226 and 1.534.
    """
    ours, spread, theirs = pairs(runs, keep, of, rho=rho)
    return np.sort((ours - theirs) / spread)
