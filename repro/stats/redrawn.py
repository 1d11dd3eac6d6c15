"""Recalls at the thresholds of redrawn photographs without a face.

The threshold of a false-positive rate is a single photograph's logit, and one that matches another
run lies between two, so its uncertainty has no derivative: the photographs are drawn again with
replacement, the same for all runs and arms, and each sample sets its own thresholds. Portraits and
runs stay as they are: `components` adds their parts in closed form.
"""

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from repro.stats import operating
from repro.stats.intervals import Floats, Integers
from repro.stats.selection import SEED

MOST, LEAST = 10_000, 1_000  # samples; the standard deviation has a relative error of 0.7 or 2 %
NUMBERS = 20_000_000  # drawn numbers held in memory
IN_CACHE = 50_000  # samples of runs that are counted together
AT_ONCE = 500_000  # recalls of single runs held in memory at a time

Counts = NDArray[np.float32]  # integers, exact up to 16 million, fast to multiply
Places = NDArray[np.int32]  # half the memory of Integers


def samples(count: int, *, few: bool = False) -> int:
    """Number of samples for so many photographs without a face; the least if few are enough."""
    return LEAST if few else min(max(NUMBERS // max(count, 1), LEAST), MOST)


@functools.lru_cache(maxsize=2)
def draws(count: int, *, few: bool = False) -> Counts:
    """How often each photograph is drawn in each sample, shape (N, D), from a fixed seed."""
    generator = np.random.default_rng([SEED, count])
    found = np.empty((count, samples(count, few=few)), dtype=np.float32)
    for column in range(found.shape[1]):
        drawn = generator.integers(0, count, count)
        found[:, column] = np.bincount(drawn, minlength=count)
    return found


def ranks(times: Counts, falling: Integers, at_rank: Counts | int) -> Places:
    """Place of the threshold in a run's falling logits, of each sample.

    Args:
        times: How often each photograph is drawn, shape (N, D).
        falling: Positions of the photographs by falling logit, shape (N,).
        at_rank: Rank of the threshold among the drawn photographs, 1 to N; one for all samples, or
            shape (..., D).

    Returns:
        Shape (..., D).
    """
    count, least = len(falling), int(np.min(at_rank))
    if least > (count + 1) / 2:  # nearer to the other end
        return count - 1 - ranks(times, falling[::-1], count + 1 - at_rank)
    reached = np.zeros(times.shape[1], dtype=np.float32)
    places: Places = np.zeros(np.broadcast_shapes(np.shape(at_rank), reached.shape), dtype=np.int32)
    for photograph in falling:  # row by row, which stays in the processor's cache
        reached += times[photograph]
        below = reached < at_rank
        if not below.any():
            break
        places += below
    return places


def ranks_of_runs(times: Counts, order: Integers, at_rank: int) -> Places:
    """As `ranks`, for several runs at once.

    Args:
        times: How often each photograph is drawn, shape (N, D).
        order: Positions of the photographs by falling logit, shape (R, N).
        at_rank: Rank of the threshold, one for all samples.

    Returns:
        Shape (R, D).
    """
    if at_rank > (len(times) + 1) / 2:
        return np.stack([ranks(times, falling, at_rank) for falling in order])
    reached = np.zeros((len(order), times.shape[1]), dtype=np.float32)
    places: Places = np.zeros(reached.shape, dtype=np.int32)
    for photographs in order.T:
        reached += times[photographs]
        below = reached < at_rank
        if not below.any():
            break
        places += below
    return places


def statistic(
    portraits: Floats,
    nonfaces: Floats,
    group: Integers,
    groups: int,
    *,
    rate: float,
    of: Callable[[Floats], Floats],
    few: bool = False,
) -> Floats:
    """A statistic of the recalls at each sample's thresholds for a false-positive rate.

    Args:
        portraits: Top logits, shape (R, N).
        nonfaces: Top logits, shape (R, M).
        group: Position of each portrait's group, shape (N,).
        groups: K.
        rate: False-positive rate.
        of: Values, shape (D, Q), for recalls of shape (D, R, K).
        few: Whether `LEAST` samples are enough.

    Returns:
        Shape (D, Q).
    """
    levels, places = _thresholds(nonfaces, rate, few=few)
    return _at_levels(portraits, levels, places, group, groups, of)


def weighted_sums(
    portraits: Floats, nonfaces: Floats, factors: Floats, *, rate: float, few: bool = False
) -> Floats:
    """Sums over the detected portraits at each sample's thresholds, mean over the runs.

    Args:
        portraits: Top logits, shape (R, N).
        nonfaces: Top logits, shape (R, M).
        factors: Of the portraits in each sum, shape (Q, N).
        rate: False-positive rate.
        few: Whether `LEAST` samples are enough.

    Returns:
        Shape (D, Q).
    """
    levels, places = _thresholds(nonfaces, rate, few=few)
    total = np.zeros((places.shape[1], len(factors)))
    for logits, own, at in zip(portraits, levels, places, strict=True):
        order = np.argsort(logits, kind="stable")
        missed = np.searchsorted(logits[order], own, side="left")
        below = np.cumsum(np.pad(factors[:, order], ((0, 0), (1, 0))), axis=1)
        total += (below[:, -1:] - below[:, missed]).T[at]
    return np.asarray(total / len(portraits))


def _thresholds(nonfaces: Floats, rate: float, *, few: bool) -> tuple[Floats, Places]:
    """The logits that can be a threshold, shape (R, S), and which is each sample's, (R, D)."""
    times, at_rank = draws(nonfaces.shape[1], few=few), operating.rank(rate, nonfaces.shape[1])
    order = np.argsort(-nonfaces, axis=1, kind="stable")
    step = max(1, IN_CACHE // times.shape[1])
    places = np.empty((len(order), times.shape[1]), dtype=np.int32)
    for k in range(0, len(order), step):
        places[k : k + step] = ranks_of_runs(times, order[k : k + step], at_rank)
    levels = np.take_along_axis(nonfaces, order[:, : places.max() + 1], axis=1)
    return levels, places


def matched_statistic(
    portraits: Floats,
    nonfaces: Floats,
    positive: NDArray[np.bool_],
    group: Integers,
    groups: int,
    *,
    of: Callable[[Floats], Floats],
    times: Counts | None = None,
) -> Floats:
    """A statistic of the recalls at each sample's thresholds that match other runs.

    In each sample the other run's count and this run's threshold are of the same drawn photographs.
    A sample with none or all of them counted is read at the nearest threshold: between its two
    largest, or its two smallest logits.

    Args:
        portraits: Top logits, shape (R, N).
        nonfaces: Top logits, shape (R, M), M at least 2.
        positive: The photographs that the run to be matched detects, shape (R, M).
        group: Position of each portrait's group, shape (N,).
        groups: K.
        of: Values, shape (D, Q), for recalls of shape (D, R, K).
        times: How often each photograph is drawn, shape (M, D); None for `draws`.

    Returns:
        Shape (D, Q).
    """
    count = nonfaces.shape[1]
    times = draws(count) if times is None else times
    counts = np.clip(positive.astype(np.float32) @ times, 1, count - 1)
    found = [_matched(times, *each) for each in zip(nonfaces, counts, strict=True)]
    most = max(len(levels) for levels, _ in found)
    levels = np.stack([np.pad(one, (0, most - len(one))) for one, _ in found])
    return _at_levels(portraits, levels, np.stack([at for _, at in found]), group, groups, of)


def _matched(times: Counts, nonfaces: Floats, counts: Counts) -> tuple[Floats, Places]:
    """All midpoints between logits near a run's thresholds, and which is each sample's."""
    order = np.argsort(-nonfaces, kind="stable")
    high, low = ranks(times, order, np.stack([counts, counts + 1]))
    falling, first, wide = nonfaces[order], int(high.min()), int((low - high).max()) + 1
    above = np.arange(first, int(high.max()) + 1)[:, None]
    below = np.minimum(above + np.arange(wide), len(falling) - 1)
    levels = operating.midpoint(falling[above], falling[below])
    return levels.ravel(), (high - first) * wide + low - high


def _at_levels(
    portraits: Floats,
    levels: Floats,
    at: Places,
    group: Integers,
    groups: int,
    of: Callable[[Floats], Floats],
) -> Floats:
    """A statistic of the recalls at thresholds of shape (R, S), of which `at` (R, D) has one each.

    Recalls are counted once for each threshold, not for each sample.
    """
    shares = np.empty((*levels.shape, groups))
    for k in range(groups):
        for run, logits in enumerate(portraits[:, group == k]):
            missed = np.searchsorted(np.sort(logits), levels[run], side="left")
            shares[run, :, k] = 1 - missed / len(logits)
    rows = np.arange(len(levels))
    step = max(1, AT_ONCE // shares[:, 0].size)
    parts = (at[:, first : first + step].T for first in range(0, at.shape[1], step))
    return np.concatenate([of(shares[rows, part]) for part in parts])
