"""Recalls at the thresholds of redrawn photographs without a face.

The threshold of a false-positive rate is a single photograph's logit, so its uncertainty has no
derivative: the photographs are drawn again with replacement, the same for all runs and arms, and
each sample sets its own thresholds. Portraits and runs stay as they are: `components` adds their
parts in closed form.
"""

import functools
from collections.abc import Callable
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from repro.stats import operating
from repro.stats.intervals import Floats, Integers
from repro.stats.selection import SEED

MOST, LEAST = 10_000, 1_000  # samples; the standard deviation has a relative error of 0.7 or 2 %
NUMBERS = 20_000_000  # drawn numbers held in memory
AT_ONCE = 500_000  # recalls of single runs held in memory at a time

Counts = NDArray[np.float32]  # integers, exact up to 16 million, fast to multiply


def samples(count: int) -> int:
    """Number of samples for so many photographs without a face."""
    return min(max(NUMBERS // max(count, 1), LEAST), MOST)


@functools.lru_cache(maxsize=2)
def draws(count: int) -> Counts:
    """How often each photograph is drawn in each sample, shape (N, D), from a fixed seed."""
    generator = np.random.default_rng([SEED, count])
    found = np.empty((count, samples(count)), dtype=np.float32)
    for column in range(found.shape[1]):
        drawn = generator.integers(0, count, count)
        found[:, column] = np.bincount(drawn, minlength=count)
    return found


def ranks(times: Counts, falling: Integers, at_rank: int) -> Integers:
    """Place of the threshold in a run's falling logits, of each sample, shape (D,).

    Args:
        times: How often each photograph is drawn, shape (N, D).
        falling: Positions of the photographs by falling logit, shape (N,).
        at_rank: Rank of the threshold among the drawn photographs, 1 to N.
    """
    for depth in (at_rank + 6 * isqrt(at_rank) + 10, len(falling)):  # it is rarely deeper
        top = times[falling[:depth]]
        reached = np.tri(len(top), dtype=np.float32) @ top  # cumulative sums, faster than cumsum
        if reached[-1].min() >= at_rank:
            break
    return np.asarray((reached < at_rank).sum(axis=0))


def statistic(
    portraits: Floats,
    nonfaces: Floats,
    group: Integers,
    groups: int,
    *,
    rate: float,
    of: Callable[[Floats], Floats],
) -> Floats:
    """A statistic of the recalls at each sample's thresholds.

    Args:
        portraits: Top logits, shape (R, N).
        nonfaces: Top logits, shape (R, M).
        group: Position of each portrait's group, shape (N,).
        groups: K.
        rate: False-positive rate.
        of: Values, shape (D, Q), for recalls of shape (D, R, K).

    Returns:
        Shape (D, Q).
    """
    times, at_rank = draws(nonfaces.shape[1]), operating.rank(rate, nonfaces.shape[1])
    falling = np.argsort(-nonfaces, axis=1, kind="stable")
    places = np.empty((len(nonfaces), times.shape[1]), dtype=np.int32)
    for run, one in enumerate(falling):
        places[run] = ranks(times, one, at_rank)
    steps = np.arange(places.max() + 1)
    shares = np.empty((len(nonfaces), len(steps), groups))
    for run, order in enumerate(falling):
        levels = nonfaces[run, order[steps]]
        for k in range(groups):
            ranked = np.sort(portraits[run, group == k])
            shares[run, :, k] = 1 - np.searchsorted(ranked, levels, side="left") / len(ranked)
    rows = np.arange(len(nonfaces))
    step = max(1, AT_ONCE // shares[:, 0].size)
    parts = (places[:, first : first + step].T for first in range(0, places.shape[1], step))
    return np.concatenate([of(shares[rows, part]) for part in parts])
