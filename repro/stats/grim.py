"""Whether a printed share can be a share of whole portraits: GRIM, in whole numbers.

A mean of R runs over n portraits is a whole number divided by R n. Which shares have such a grain:

- of one run: N = n;
- of the mean of R runs, or of the best R of more: N = R n;
- of the median of runs: N = n if their number is odd, 2 n (the middle of two) if it is even;
- of the runs' recall pooled over groups: N = R sum n_g;
- of the mean over groups of sizes n_g: every sum of R n_g detections, see `means_over_groups`.

A mean of probabilities, or of portraits of which some were left out, has none of them.
Source: Brown & Heathers 2017. Symbols: n, N portraits; R runs; d decimals.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil, floor, gcd, lcm, prod

import numpy as np
import numpy.typing as npt

from repro.stats.forensics import BELOW, LONG, Interval, Printed, Rounding

MOST_RUNS = 10  # numbers of runs that are tried where it is unknown
MOST_KINDS = 200  # of cells, by N and decimals; of more the bound is taken
MOST_PRINTS = 10**6  # numbers of so many decimals are counted one by one
MOST_SUMS = 10**6  # of the groups; beyond these every printed mean is taken as possible


def whole(interval: Interval, grain: int | Fraction) -> range:
    """The integers k for which k / grain lies in a closed interval."""
    low, high = interval
    return range(ceil(low * grain), floor(high * grain) + 1)


def whole_counts(
    printed: Printed,
    trials: int,
    rounding: Rounding = "nearest",
    error: Fraction = Fraction(0),
) -> range:
    """The integers k for which 100 k / trials is printed as this percentage.

    A tie may be rounded up or down.

    Args:
        printed: In percent.
        trials: Number of portraits, over all runs.
        rounding: How it was shortened.
        error: Its largest error besides, in percentage points.
    """
    if error or printed.decimals > LONG:
        found = whole(printed.interval(rounding, error), Fraction(trials, 100))
        return range(max(0, found.start), min(trials, found.stop - 1) + 1)
    units = 10**printed.decimals
    low = 2 * int(printed.value * units) - BELOW[rounding]  # in halves of the last digit
    first, last = -(-low * trials // (200 * units)), (low + 2) * trials // (200 * units)
    return range(max(0, first), min(trials, last) + 1)


def trials(n: int, runs: int, *, median: bool = False) -> int:
    """N of the mean, or of the median, of some runs over n portraits each."""
    if not median:
        return n * runs
    return n if runs % 2 else 2 * n


def fewest_runs(printed: Printed, n: int, most: int = 100) -> int | None:
    """The least number of runs over n portraits whose mean may be printed so; None if over most."""
    return next((r for r in range(1, most + 1) if whole_counts(printed, r * n)), None)


@cache
def _sums(sizes: tuple[int, ...], runs: int) -> tuple[int, int]:
    """N, and a bit for every whole number of N-ths that a mean over groups may be; (N, 0): all."""
    common = lcm(*sizes)
    whole = common * len(sizes) * runs
    if whole > MOST_SUMS:
        return whole, 0
    reached = 1
    for size in sizes:
        step = common // size
        total = reached
        for _ in range(size * runs):
            reached <<= step
            total |= reached
        reached = total
    return whole, reached


def means_over_groups(printed: Printed, sizes: Sequence[int], runs: int) -> bool:
    """Whether the mean over groups of R runs' shares may be printed so.

    It is sum (k_g / n_g) / (R K), a whole number of N-ths with N = R K lcm(n_g), of which some near
    0 and 100 % cannot be reached. Where N is above a million, every printed mean is possible.

    Args:
        printed: In percent.
        sizes: n_g.
        runs: R.
    """
    whole, reached = _sums(tuple(sizes), runs)
    counts = whole_counts(printed, whole)
    return not reached or any(reached >> k & 1 for k in counts)


@dataclass(frozen=True, slots=True)
class Grim:
    """Whether published shares are possible for one number of runs.

    Attributes:
        runs: Number of averaged runs.
        fitting: Whether each share is possible.
        chance: Probability that random numbers all are.
    """

    runs: int
    fitting: tuple[bool, ...]
    chance: float

    @property
    def all(self) -> bool:
        """Whether every share is possible."""
        return all(self.fitting)


def grim(
    shares: Sequence[tuple[Printed, int]], runs: Iterable[int] = range(1, MOST_RUNS + 1)
) -> tuple[Grim, ...]:
    """For each number of runs, whether the published means over runs are possible (GRIM test).

    Args:
        shares: In percent, each with its portraits in one run.
        runs: Numbers to try.
    """
    return tuple(
        Grim(
            r,
            tuple(bool(whole_counts(share, r * n)) for share, n in shares),
            chance_of_shares((r * n, share.decimals) for share, n in shares),
        )
        for r in runs
    )


def chance_up_to(shares: Sequence[tuple[Printed, int]], runs: int) -> float:
    """Probability that random numbers are all possible for this number of runs, or for fewer.

    The chance of the least number of runs that fits, all that were tried before it included.
    """
    return chance_of_any(
        [[(r * n, share.decimals) for share, n in shares] for r in range(1, runs + 1)]
    )


# Chance


def possible_prints(trials: int, decimals: int) -> int:
    """How many percentages with these decimals are shares of a number of portraits.

    Both prints of a tie count. Of the 100 * 10^d + 1 percentages that can be printed, all are
    shares if there are at least 100 * 10^d portraits.
    """
    units = int(100 * 10**decimals)
    if trials >= units:
        return units + 1
    common = gcd(2 * units, trials)
    ties = (common + 1) // 2 if (2 * units // common) % 2 else 0
    return trials + 1 + ties


Kind = tuple[tuple[int, int], ...]  # of a cell: N and decimals, under every hypothesis


def chance_of_shares(cells: Iterable[tuple[int, int]]) -> float:
    """Probability that random percentages are all shares of their numbers of portraits.

    Args:
        cells: N and decimals of each.
    """
    chances = (
        (possible_prints(trials, decimals) / (100 * 10**decimals + 1)) ** times
        for (trials, decimals), times in Counter(cells).items()
    )
    return float(prod(chances))


def chance_of_any(tried: Sequence[Sequence[tuple[int, int]]]) -> float:
    """Probability that random percentages are all possible under at least one of some hypotheses.

    By inclusion and exclusion over the hypotheses (numbers of runs, say), with every print counted:
    0.5 of 1 portrait is also 0.5 of 2. For more than four decimals, or more than 200 kinds of
    cells, the sum of the hypotheses' probabilities is given, which is no less.

    Args:
        tried: For each hypothesis N and decimals of each cell, the cells in the same order.
    """
    kinds = Counter(zip(*tried, strict=True))
    many = len(kinds) > MOST_KINDS or any(100 * 10 ** k[0][1] > MOST_PRINTS for k in kinds)
    if len(tried) == 1 or many:
        return min(1.0, sum(chance_of_shares(cells) for cells in tried))
    total, value = 0.0, 1.0
    shares = {kind: _shares_of_all(kind) for kind in kinds}
    for chosen in range(1, 1 << len(tried)):
        value = prod(float(shares[kind][chosen]) ** times for kind, times in kinds.items())
        total += value if chosen.bit_count() % 2 else -value
    return min(1.0, max(0.0, total))


@cache
def _shares_of_all(kind: Kind) -> npt.NDArray[np.float64]:
    """For each set of hypotheses, the share of prints that are possible under all of them."""
    decimals = kind[0][1]
    units = 100 * 10**decimals
    masks = np.zeros(units + 1, dtype=np.int64)
    for at, (trials, _) in enumerate(kind):
        masks |= _marked(trials, units).astype(np.int64) << at
    counts = np.bincount(masks, minlength=1 << len(kind)).astype(np.float64)
    for at in range(len(kind)):  # sums over all sets that hold a set
        halves = counts.reshape(-1, 2, 1 << at)
        halves[:, 0] += halves[:, 1]
    return np.asarray(counts / (units + 1))


def _marked(trials: int, units: int) -> npt.NDArray[np.bool_]:
    """Which of the prints 0, 1, ... units are shares; both of a tie."""
    if trials >= units:
        return np.ones(units + 1, dtype=np.bool_)
    marked = np.zeros(units + 1, dtype=np.bool_)
    twice = 2 * units * np.arange(trials + 1, dtype=np.int64) + trials
    marked[twice // (2 * trials)] = True  # half up
    marked[-((2 * trials - twice) // (2 * trials))] = True  # half down
    return marked
