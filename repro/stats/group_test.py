"""Do the groups of one arm differ at all? A Monte Carlo test for new seeds and new portraits."""

import numpy as np
from numpy.typing import NDArray

from repro.stats import clusters, rounding
from repro.stats.comparisons import Test
from repro.stats.intervals import Floats, Integers
from repro.stats.selection import SEED

DRAWS = 9_999  # with the observed one, p-values are multiples of 0.0001


def groups_differ(
    detected: Floats,
    group: Integers,
    groups: int,
    *,
    cluster: Integers | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Test:
    """Test the variance between the groups' run-averaged recalls against equal groups.

    Under the null hypothesis the names of the groups mean nothing. Portraits are dealt to groups of
    the same sizes, each with its detections in all runs, so that runs that miss the same portraits
    stay as they are. To each dealt group the effect of its seeds is added: a normal term with the
    variance between runs that portraits do not explain. That variance is estimated from few runs,
    so each deal takes another of its possible values (Weerahandi 1993). The variances of equal
    counts are equal, so they are compared with a tolerance, and ties count against a difference.
    Portraits in clusters are not dealt: see `_flipped`.

    Args:
        detected: 1 or 0 for each run and portrait, shape (R, N).
        group: Position of each portrait's group, shape (N,).
        groups: K, at least 2.
        cluster: Position of each portrait's cluster, shape (N,); None: portraits are independent.
        draws: Number of random deals.
        seed: Of the generator.

    Returns:
        p = (1 + deals with at least the observed variance) / (1 + deals), and its smallest value;
        NaN without two groups, or if a group has fewer than `clusters.LEAST` clusters.
    """
    few = cluster is not None and clusters.per_group(group, cluster, groups).min() < clusters.LEAST
    if groups < 2 or few:
        return Test(float("nan"), float("nan"))
    runs = len(detected)
    sizes = np.bincount(group, minlength=groups)
    times = detected.sum(axis=0).astype(np.int64)  # runs that detect each portrait
    counts = np.bincount(times, minlength=runs + 1)
    seen = np.bincount(group, weights=times, minlength=groups) / (runs * sizes)
    generator = np.random.default_rng([seed, runs, len(group), int(times.sum())])
    if cluster is None:
        dealt = _dealt(generator, counts, sizes, draws) / (runs * sizes)
    else:
        dealt = _flipped(generator, times / runs, clusters.layout(group, cluster), sizes, draws)
    dealt += _seeds(generator, detected, group, groups, draws)
    as_large = dealt.var(axis=1) >= seen.var() - rounding.tolerance(seen)
    least = 1 / (draws + 1)
    return Test((1 + int(as_large.sum())) * least, least)


def _dealt(
    generator: np.random.Generator, counts: Integers, sizes: Integers, draws: int
) -> NDArray[np.float64]:
    """Sum over the portraits of each dealt group of the runs that detect them, shape (D, K).

    Args:
        generator: Of random numbers.
        counts: Number of portraits that 0, 1, ..., R runs detect, shape (R + 1,).
        sizes: Portraits of each group, shape (K,).
        draws: D.
    """
    classes = np.flatnonzero(counts)
    left = np.tile(counts[classes], (draws, 1))
    found = np.zeros((draws, len(sizes)))
    for k, size in enumerate(sizes[:-1]):
        missing, rest = np.full(draws, size), left.sum(axis=1)
        for place, times in enumerate(classes):
            rest = rest - left[:, place]
            drawn = generator.hypergeometric(left[:, place], rest, missing)
            found[:, k] += times * drawn
            left[:, place] -= drawn
            missing = missing - drawn
    found[:, -1] = left @ classes
    return found


def _flipped(
    generator: np.random.Generator,
    share: Floats,
    cells: clusters.Layout,
    sizes: Integers,
    draws: int,
) -> NDArray[np.float64]:
    """Group means of clusters whose deviations have random signs, shape (D, K).

    If all groups have the same expected recall, what a cluster adds to the groups' sums beyond it
    could as well have the other sign, in all its groups at once (a wild cluster bootstrap with the
    null hypothesis imposed: Cameron, Gelbach & Miller 2008).

    Args:
        generator: Of random numbers.
        share: Of the runs that detect each portrait, shape (N,).
        cells: Of the portraits.
        sizes: Portraits of each group, shape (K,).
        draws: D.
    """
    apart = cells.sums(share - share.mean())
    parts = apart[:, None] * (cells.group[:, None] == np.arange(len(sizes))) / sizes
    of_clusters = cells.of_clusters(parts.T)  # (K, C)
    signs = generator.choice([-1.0, 1.0], (draws, of_clusters.shape[1]))
    return np.asarray(signs @ of_clusters.T)


def _seeds(
    generator: np.random.Generator, detected: Floats, group: Integers, groups: int, draws: int
) -> NDArray[np.float64]:
    """What training with other seeds adds to each group's run average, shape (D, K)."""
    runs = len(detected)
    if runs < 2:
        return np.zeros((draws, groups))
    degrees = (runs - 1) * (groups - 1)
    by_group, by_portrait = mean_squares(detected, group, groups)
    possible = by_group * degrees / generator.chisquare(degrees, (draws, 1))
    spread = np.sqrt(np.maximum(possible - by_portrait, 0.0) / runs)
    return np.asarray(spread * generator.standard_normal((draws, groups)))


def mean_squares(detected: Floats, group: Integers, groups: int) -> tuple[float, float]:
    """How much runs differ in a group's recall, beyond what they share, and by portraits alone.

    The mean square of run by group, and that of run by portrait within groups divided by the size
    of the group. The first minus the second is an unbiased estimate of the variance between seeds.

    Args:
        detected: 1 or 0 for each run and portrait, shape (R, N), R at least 2.
        group: Position of each portrait's group, shape (N,).
        groups: K.
    """
    members = (group[:, None] == np.arange(groups)).astype(np.float64)
    sizes, runs = members.sum(axis=0), len(detected)
    recall = detected @ members / sizes
    apart = recall - recall.mean(axis=0) - recall.mean(axis=1, keepdims=True) + recall.mean()
    by_group = (apart**2).sum() / ((runs - 1) * (groups - 1))
    rest = detected - detected.mean(axis=0) - (recall - recall.mean(axis=0))[:, group]
    within = (rest**2).sum(axis=0) @ members / ((runs - 1) * np.maximum(sizes - 1, 1))
    return float(by_group), float((within / sizes).mean())
