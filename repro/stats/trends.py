"""A trend over arms in order: Jonckheere-Terpstra, by shuffles or by their normal approximation.

Values that differ by rounding alone are equal, see `rounding`.
"""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from repro.stats import comparisons, rounding
from repro.stats.comparisons import Test
from repro.stats.intervals import Floats, Integers
from repro.stats.selection import SEED

SHUFFLES = 20_000  # random shuffles of the arms' labels
LISTED = 1000  # runs of all arms up to which labels are shuffled


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
        if law.evenness >= comparisons.EVEN:
            return Trend(
                rise=rise, test=Test(comparisons.beyond(seen, law.deviation, mean=law.mean), 0.0)
            )
    rises = [_rises(values, shuffled) for shuffled in _shuffled(labels, blocks)]
    as_large = comparisons.share_as_large(np.abs(np.concatenate(rises)), abs(seen))
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
    """The labels, shuffled within the blocks, in arrays of rows of limited size."""
    generator = np.random.default_rng([SEED, len(labels)])
    homes = [np.flatnonzero(blocks == one) for one in np.unique(blocks)]
    first = True
    for rows in comparisons.portions(SHUFFLES, len(labels)):
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
        evenness: See `comparisons`; the approximation needs at least EVEN.
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
