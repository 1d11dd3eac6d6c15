"""What groups of equal recall show by chance: variance, gap and worst group.

Each portrait is detected with probability p, in every group. R runs see the same portraits; rho is
the correlation of a portrait's outcomes in two runs: 1 if all runs miss the same portraits, 0 if
they miss independent ones. One table does not tell rho, so both ends are reported.
Where n p (1 - p) is large, counts are taken for normal; near 0 and 100 % the statistics take few
values, and counts are drawn. Symbols: K groups of n_g portraits. Shares are fractions.
"""

import functools
import math
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

from repro.stats.disparity import between, gap_of
from repro.stats.intervals import Floats
from repro.stats.selection import SEED

DRAWS = 9_999  # with the observed one, p-values are multiples of 0.0001
NUMBERS = 4_000_000  # of single runs and groups that are drawn at once
LEAST_DRAWS = 999
LARGE = 5.0  # n p (1 - p) of the smallest group from which on counts are normal
GRID = 10_000  # shares between 0 and 1 over which a mean is integrated
TIES = 1e-9  # relative: values as close as this are equal

Quantity = Literal["variance", "gap", "worst"]
Order = Literal["first", "last"]  # runs averaged before the quantity is computed, or after


def nearby(recall: float) -> float:
    """The nearest recall of which the rarer answer is a power of 1.02; 0, 1/2 and 1 stay.

    Many rows then share their drawn laws; a variance changes by 1 % at most.
    """
    rarer = min(recall, 1 - recall)
    if not 0 < rarer < 0.5:
        return recall
    near = float(1.02 ** round(math.log(rarer, 1.02)))
    return 1 - near if recall > 0.5 else near


class Law(Protocol):
    """A distribution of a quantity that is large where groups differ."""

    @property
    def mean(self) -> float:
        """Expected value."""

    def upper(self, level: float) -> float:
        """The value below which the quantity lies with this probability."""

    def tail(self, value: float) -> float:
        """Probability of at least this value, ties included."""


@dataclass(frozen=True, slots=True)
class ScaledChiSquared:
    """Chi-squared with these degrees of freedom, scaled to this mean."""

    mean: float
    degrees: float

    def upper(self, level: float) -> float:
        """As `Law`."""
        return self.mean / self.degrees * float(special.chdtri(self.degrees, 1 - level))

    def tail(self, value: float) -> float:
        """As `Law`."""
        if value <= 0:
            return 1.0
        return float(special.chdtrc(self.degrees, value * self.degrees / self.mean))


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Drawn values in increasing order, times a scale."""

    rising: Floats
    scale: float = 1.0

    @property
    def mean(self) -> float:
        """As `Law`."""
        return self.scale * float(self.rising.mean())

    def upper(self, level: float) -> float:
        """As `Law`; one of the drawn values."""
        return self.scale * float(np.quantile(self.rising, level, method="inverted_cdf"))

    def tail(self, value: float) -> float:
        """As `Law`; at least one in the number of values and the observed one."""
        least = value - TIES * max(abs(value), self.scale * float(self.rising[-1]))
        if self.scale:
            least /= self.scale
        beyond = len(self.rising) - int(np.searchsorted(self.rising, least, side="left"))
        return (1 + beyond) / (1 + len(self.rising))


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualGroups:
    """Groups of one recall, and the runs that see them.

    Attributes:
        recall: p, in [0, 1].
        sizes: Portraits of each group, shape (K,), K at least 2.
        runs: R. Keeping the best by pooled recall changes nothing here, because under equal groups
            their deviations from it are independent of it: count the kept ones.
        correlation: rho, in [0, 1].
    """

    recall: float
    sizes: tuple[int, ...]
    runs: int = 1
    correlation: float = 1.0

    @property
    def single(self) -> float:
        """Variance of one portrait's outcome: p (1 - p)."""
        return self.recall * (1 - self.recall)

    @property
    def rarer(self) -> float:
        """Probability of the rarer answer."""
        return min(self.recall, 1 - self.recall)

    @property
    def shared(self) -> float:
        """Variance of a run average, over that of one run: rho + (1 - rho) / R."""
        return self.correlation + (1 - self.correlation) / self.runs

    @property
    def large(self) -> bool:
        """Whether counts are taken for normal."""
        return min(self.sizes) * self.single >= LARGE

    @property
    def alike(self) -> "EqualGroups":
        """The same for every number of runs where they make no difference."""
        same = self.runs == 1 or self.correlation == 1
        return replace(self, runs=1, correlation=1.0) if same else self


def law(groups: EqualGroups, quantity: Quantity, *, ddof: int = 0, order: Order = "first") -> Law:
    """What equal groups give by chance.

    Args:
        groups: Of equal recall.
        quantity: `variance` (squared fraction), `gap` (largest minus smallest share) or `worst`:
            the largest share of misses, 1 minus the recall of the worst group.
        ddof: Of the variance.
        order: Whether the quantity is computed of run averages, or of each run, then averaged.
    """
    groups = groups.alike
    if quantity == "worst" and (groups.runs == 1 or (order == "first" and not groups.correlation)):
        return WorstOfCounts(1 - groups.recall, tuple(groups.runs * n for n in groups.sizes))
    if quantity == "worst" or not groups.large:
        return Drawn(_counted(groups, quantity, ddof, order))
    if quantity == "variance":
        return _normal_variance(groups, ddof, order)
    return Drawn(_normal_gaps(replace(groups, recall=0.5), order), 2 * groups.single**0.5)


@dataclass(frozen=True, slots=True)
class WorstOfCounts:
    """The largest share of misses of independent groups, exactly.

    Attributes:
        missed: Probability of a miss, the same in all groups.
        trials: Of each group.
    """

    missed: float
    trials: tuple[int, ...]

    @property
    def mean(self) -> float:
        """As `Law`, to 1e-4."""
        grid = (np.arange(GRID) + 0.5) / GRID
        return float(self._tails(grid).mean())

    def upper(self, level: float) -> float:
        """As `Law`: the least possible value that is reached with this probability."""
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            above = float(self._tails(np.array([middle]))[0]) > 1 - level
            low, high = (middle, high) if above else (low, middle)
        return low

    def tail(self, value: float) -> float:
        """As `Law`."""
        return float(self._tails(np.array([value * (1 - TIES)]))[0])

    def _tails(self, values: Floats) -> Floats:
        """Probability that some group misses at least this share."""
        n = np.array(self.trials, dtype=np.int64)
        below = np.ceil(values[:, None] * n) - 1  # the most misses that are a smaller share
        none_below = special.bdtr(np.maximum(below, 0), n, self.missed)
        return np.asarray(1 - np.where(below < 0, 0.0, none_below).prod(axis=-1))


def expected_variance(groups: EqualGroups, *, ddof: int, order: Order) -> float:
    """Mean variance between equal groups.

    (K - 1) / (K - ddof) times the mean of p (1 - p) / n_g; of run averages times
    rho + (1 - rho) / R. The mean over runs of single runs' variances has the same mean whatever
    rho is.
    """
    count, noise = len(groups.sizes), groups.single * np.mean(1 / np.array(groups.sizes))
    shared = groups.shared if order == "first" else 1.0
    return float((count - 1) / (count - ddof) * noise * shared)


def _normal_variance(groups: EqualGroups, ddof: int, order: Order) -> Law:
    """Chi-squared with the mean and the variance of the quadratic form (Satterthwaite 1946).

    With groups of one size it has K - 1 degrees of freedom. Variances of two runs have the
    correlation rho^2, so that their mean over R runs has R / (1 + (R - 1) rho^2) times as many.
    """
    noise, count = 1 / np.array(groups.sizes, dtype=np.float64), len(groups.sizes)
    mean = (1 - 1 / count) * noise.sum()
    spread = 2 * ((1 - 2 / count) * (noise**2).sum() + noise.sum() ** 2 / count**2)
    degrees = float(2 * mean**2 / spread)
    if order == "last":
        degrees *= groups.runs / (1 + (groups.runs - 1) * groups.correlation**2)
    return ScaledChiSquared(expected_variance(groups, ddof=ddof, order=order), degrees)


@functools.lru_cache(maxsize=16)
def _normal_gaps(groups: EqualGroups, order: Order) -> Floats:
    """Gaps of normal shares, in increasing order."""
    generator = np.random.default_rng([SEED, groups.runs, *groups.sizes])
    runs = groups.runs if order == "last" else 1
    rho = groups.correlation if order == "last" else 1.0
    noise = groups.single / np.array(groups.sizes) * (groups.shared if order == "first" else 1.0)
    shape = (_draws(groups, runs), runs, len(noise))
    common, own = generator.standard_normal((shape[0], 1, len(noise))), np.zeros((1, 1, 1))
    if rho < 1:
        own = generator.standard_normal(shape)
    shares = np.sqrt(noise) * (np.sqrt(rho) * common + np.sqrt(1 - rho) * own)
    return np.sort(gap_of(shares).mean(axis=-1))


@functools.lru_cache(maxsize=256)
def _counted(groups: EqualGroups, quantity: Quantity, ddof: int, order: Order) -> Floats:
    """The quantity of drawn counts, in increasing order."""
    if order == "first":
        return np.sort(_of(average_shares(groups), quantity, ddof))
    return np.sort(_of(_run_shares(groups), quantity, ddof).mean(axis=-1))


def _of(shares: Floats, quantity: Quantity, ddof: int) -> Floats:
    if quantity == "variance":
        return between(shares, ddof)
    return gap_of(shares) if quantity == "gap" else 1 - shares.min(axis=-1)


def average_shares(groups: EqualGroups) -> Floats:
    """Drawn run averages of each group, shape (D, K).

    A share rho of the portraits has one outcome in all runs, the rest one of its own in each.
    """
    generator, sizes, runs = _generator(groups), np.array(groups.sizes), groups.runs
    same = _portraits_alike(generator, groups, _draws(groups, 1))
    counts = runs * generator.binomial(same, groups.rarer)
    if groups.correlation < 1:
        counts += generator.binomial(runs * (sizes - same), groups.rarer)
    return _recall(groups, counts / (runs * sizes))


def _run_shares(groups: EqualGroups) -> Floats:
    """Drawn shares of each run and group, shape (D, R, K)."""
    generator, sizes = _generator(groups), np.array(groups.sizes)
    draws = _draws(groups, groups.runs)
    same = _portraits_alike(generator, groups, draws)
    common = generator.binomial(same, groups.rarer)
    own = np.broadcast_to((sizes - same)[..., None, :], (draws, groups.runs, len(sizes)))
    counts = common[..., None, :] + generator.binomial(own, groups.rarer)
    return _recall(groups, counts / sizes)


def _recall(groups: EqualGroups, rarer: Floats) -> Floats:
    """The share of right answers, from that of the rarer answers, which are drawn faster."""
    return 1 - rarer if groups.recall > 0.5 else rarer


def _generator(groups: EqualGroups) -> np.random.Generator:
    return np.random.default_rng([SEED, groups.runs, *groups.sizes])


def _draws(groups: EqualGroups, runs: int) -> int:
    """Number of draws: fewer for very many runs or groups."""
    return min(DRAWS, max(LEAST_DRAWS, NUMBERS // (runs * len(groups.sizes))))


def _portraits_alike(
    generator: np.random.Generator, groups: EqualGroups, draws: int
) -> NDArray[np.int64]:
    """Portraits with one outcome in all runs, shape (D, K)."""
    sizes = np.array(groups.sizes)
    if groups.correlation in (0.0, 1.0):
        return np.broadcast_to(sizes * int(groups.correlation), (draws, len(sizes)))
    return generator.binomial(sizes, groups.correlation, (draws, len(sizes)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Homogeneity:
    """Pearson's test that groups have one recall.

    Attributes:
        statistic: Chi-squared, of R_eff = R / (1 + (R - 1) rho) runs' counts.
        degrees: K - 1.
        p: From chi-squared; where fewer than 5 are expected somewhere, from counts that are drawn
            with the number of misses that was seen.
    """

    statistic: float
    degrees: int
    p: float


def homogeneity(
    shares: Floats, sizes: tuple[int, ...], *, runs: int = 1, correlation: float = 1.0
) -> Homogeneity:
    """Whether groups differ, from their shares in one run or averaged over runs.

    The chi-squared of counts pooled over runs is too large by 1 + (R - 1) rho, because the runs
    see the same portraits; here it is divided by that.

    Args:
        shares: Of each group, run-averaged, fractions, shape (K,), K at least 2.
        sizes: Portraits of each group, shape (K,).
        runs: R.
        correlation: rho, in [0, 1].
    """
    shared = EqualGroups(recall=0.5, sizes=sizes, runs=runs, correlation=correlation).shared
    trials, degrees = tuple(round(n / shared) for n in sizes), len(sizes) - 1
    n = np.array(trials, dtype=np.float64)
    statistic, found = float(_pearson(shares, n)), float(shares @ n)
    rarer = min(found, n.sum() - found)
    if min(trials) * rarer >= LARGE * n.sum():
        p = float(special.chdtrc(degrees, statistic))
    else:
        p = Drawn(_pearsons(trials, round(max(rarer, 0.0)))).tail(statistic)
    return Homogeneity(statistic=statistic, degrees=degrees, p=p)


def _pearson(shares: Floats, trials: Floats) -> Floats:
    """Chi-squared of each row, shape (...); 0 where all are detected or none."""
    recall = shares @ (trials / trials.sum())
    noise = recall * (1 - recall)
    squares = (trials * (shares - recall[..., None]) ** 2).sum(axis=-1)
    return np.asarray(np.divide(squares, noise, out=np.zeros_like(squares), where=noise > 1e-12))


@functools.lru_cache(maxsize=256)
def _pearsons(trials: tuple[int, ...], found: int) -> Floats:
    """Chi-squared of so many among all, dealt to groups at random; in increasing order."""
    generator = np.random.default_rng([SEED, found, *trials])
    dealt = generator.multivariate_hypergeometric(trials, found, size=DRAWS, method="marginals")
    sizes = np.array(trials, dtype=np.float64)
    return np.sort(_pearson(dealt / sizes, sizes))
