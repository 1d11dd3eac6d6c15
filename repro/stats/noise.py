"""What seeds and portraits add to the variance between groups, and the variance without it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from repro.stats import clusters
from repro.stats.disparity import Definition, between
from repro.stats.intervals import Floats, Integers


def share_noise(share: Floats, sizes: Sequence[int] | Floats | Integers) -> Floats:
    """Unbiased estimate of the sampling variance of an observed share: p (1 - p) / (n - 1).

    Args:
        share: Observed, in [0, 1], shape (..., K).
        sizes: Portraits of each group, shape (K,), each at least 2.
    """
    return share * (1 - share) / (np.asarray(sizes, dtype=np.float64) - 1)


def variance_of_noise(noise: Floats, ddof: int) -> Floats:
    """Mean contribution of the groups' independent noise to the variance between them.

    (K - 1) / (K - ddof) times the mean over groups of the noise's variance; the mean if ddof
    is 1. Source: Lum, Zhang & Bower 2022, section 3, for the sample variance.

    Args:
        noise: Sampling variance of each group's recall, shape (..., K).
        ddof: Of the variance between groups.
    """
    groups = noise.shape[-1]
    return np.asarray((groups - 1) / (groups - ddof) * noise.mean(axis=-1))


def unbiased_variance(
    detected: Floats,
    group: Integers,
    groups: int,
    definition: Definition,
    cluster: Integers | None = None,
) -> Floats:
    """Var[A] without the noise of seeds and portraits: unbiased for new ones of both.

    If runs are averaged first, a U-statistic: products of detections of different runs and
    different portraits only. If they are averaged last, each run's variance minus the noise of its
    portraits. Can be negative: then the groups differ by less than noise would make them. Of
    portraits in clusters only products of different clusters count, for new clusters.

    Args:
        detected: 1 or 0 for each run and portrait, shape (..., R, N).
        group: Position of each portrait's group, shape (N,).
        groups: K.
        definition: Of the variance.
        cluster: Position of each portrait's cluster, shape (N,); None: portraits are independent.

    Returns:
        Shape (...); NaN for a single run that is averaged first, or a group of one portrait or
        cluster.
    """
    if cluster is not None:
        return _of_clusters(detected, clusters.layout(group, cluster), groups, definition)
    members = (group[:, None] == np.arange(groups)).astype(np.float64)
    found, sizes = detected @ members, members.sum(axis=0)  # counts: (..., R, K), (K,)
    if definition.runs == "last":
        return _less_portraits(found / sizes, sizes, definition.ddof)
    repeats = detected.sum(axis=-2) ** 2 @ members
    return _of_products(found, repeats, (detected**2).sum(axis=-2) @ members, sizes, definition)


def _less_portraits(recall: Floats, sizes: Floats, ddof: int) -> Floats:
    """Mean over the runs of their variance without the noise of the portraits."""
    if sizes.min() < 2:
        return np.full(recall.shape[:-2], np.nan)
    noise = variance_of_noise(share_noise(recall, sizes), ddof)
    return np.asarray((between(recall, ddof) - noise).mean(axis=-1))


def _of_products(
    found: Floats, repeats: Floats, squares: Floats, sizes: Floats, definition: Definition
) -> Floats:
    """The U-statistic, from sums.

    Args:
        found: Detected portraits of each run and group, shape (..., R, K).
        repeats: Sum over the portraits of the squared number of runs that detect them, (..., K).
        squares: Sum of squares of all detections, shape (..., K).
        sizes: Portraits of each group, shape (K,).
        definition: For its ddof.
    """
    *_, runs, groups = found.shape
    total = found.sum(axis=-2)
    if runs < 2 or sizes.min() < 2:
        return np.full(total.shape[:-1], np.nan)
    per_group = (found**2).sum(axis=-2)
    same = (total**2 - per_group - repeats + squares) / (sizes * (sizes - 1))
    scaled, by_run = total / sizes, found / sizes
    cross = scaled.sum(axis=-1) ** 2 - (scaled**2).sum(axis=-1)
    cross -= ((by_run.sum(axis=-1) ** 2) - (by_run**2).sum(axis=-1)).sum(axis=-1)
    pairs = runs * (runs - 1)
    variance = (same.sum(axis=-1) / groups - cross / (groups * (groups - 1))) / pairs
    return np.asarray(variance * (groups - 1) / (groups - definition.ddof))


def _of_clusters(
    detected: Floats, cells: clusters.Layout, groups: int, definition: Definition
) -> Floats:
    """The U-statistic of different clusters, and of different runs if these are averaged first.

    The product of two groups' recalls is the sum over pairs of portraits of different clusters, by
    their number; so is the square of a group's.
    """
    runs = detected.shape[-2]
    of_group = (cells.group[:, None] == np.arange(groups)).astype(np.float64)
    by_cell = cells.sums(detected)  # (..., R, Q)
    counts = cells.count[:, None] * of_group  # (Q, K)
    pairs = _outer(counts.sum(axis=0)) - _outer(cells.of_clusters(counts.T).T).sum(axis=0)
    if pairs.min() <= 0 or (definition.runs == "first" and runs < 2):
        return np.full(detected.shape[:-2], np.nan)
    each = _products(by_cell, of_group, cells)  # (..., R, K, K)
    found = each.mean(axis=-3)
    if definition.runs == "first":
        total = _products(by_cell.sum(axis=-2), of_group, cells)
        found = (total - each.sum(axis=-3)) / (runs * (runs - 1))
    found = found / pairs
    squares = np.trace(found, axis1=-2, axis2=-1)
    return np.asarray((squares - found.sum(axis=(-2, -1)) / groups) / (groups - definition.ddof))


def _products(by_cell: Floats, of_group: Floats, cells: clusters.Layout) -> Floats:
    """Products of two groups' sums without those within a cluster, shape (..., K, K)."""
    each = by_cell[..., None, :] * of_group.T  # (..., K, Q)
    together = cells.of_clusters(each)  # (..., K, C)
    within = together @ np.swapaxes(together, -1, -2)
    return np.asarray(_outer(by_cell @ of_group) - within)


def _outer(values: Floats) -> Floats:
    return np.asarray(values[..., :, None] * values[..., None, :])


def unbiased_bounds(
    recall: Floats, sizes: Sequence[int] | Floats | Integers, definition: Definition
) -> tuple[float, float]:
    """The least and the largest `unbiased_variance` of portraits with these counts.

    Counts do not say whether the runs miss the same portraits: if they all do, the noise is
    largest; if misses are spread evenly, it is smallest. Equal ends if runs are averaged last.

    Args:
        recall: Of each run and group, shape (R, K).
        sizes: Portraits of each group, shape (K,).
        definition: Of the variance.
    """
    n = np.asarray(sizes, dtype=np.float64)
    if definition.runs == "last":
        found = float(_less_portraits(recall, n, definition.ddof))
        return found, found
    counts = recall * n
    falling = -np.sort(-counts, axis=0)
    nested = ((2 * np.arange(1, len(counts) + 1) - 1)[:, None] * falling).sum(axis=0)
    total = counts.sum(axis=0)
    whole, rest = np.divmod(np.round(total), n)
    even = (n - rest) * whole**2 + rest * (whole + 1) ** 2
    low, high = (_of_products(counts, one, total, n, definition) for one in (nested, even))
    return float(low), float(high)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """Variance and gap that arise by chance if all groups have the same recall.

    Attributes:
        variance: Expected variance between the groups, squared fraction.
        variance_95: Its 95 % quantile, squared fraction.
        gap: Expected gap, fraction.
    """

    variance: float
    variance_95: float
    gap: float


def averaged_floor(expected: float, groups: int, definition: Definition) -> NoiseFloor:
    """The noise floor of a variance of run averages: what seeds and portraits add to it.

    Args:
        expected: The variance minus `unbiased_variance`, squared fraction, at least 0.
        groups: K.
        definition: Of the variance.
    """
    return _floor(expected, expected * (groups - definition.ddof) / (groups - 1), groups)


def noise_floor(recall: float, sizes: Sequence[int] | Floats | Integers, ddof: int) -> NoiseFloor:
    """The noise floor of one run with groups of equal recall, by the normal approximation.

    For PPB's groups at 92.4 %: variance 1.69 (ddof 0) or 2.25 (ddof 1), 4.40 at 95 % (ddof 0),
    gap 3.09, in percent.

    Args:
        recall: Of every group, in (0, 1).
        sizes: Portraits of each group.
        ddof: Of the variance between groups.
    """
    each = recall * (1 - recall) / np.asarray(sizes, dtype=np.float64)
    return _floor(float(variance_of_noise(each, ddof)), float(each.mean()), len(each))


def _floor(expected: float, noise: float, groups: int) -> NoiseFloor:
    """From the expected variance, and the mean sampling variance of a group's recall."""
    upper = float(special.chdtri(groups - 1, 0.05)) / (groups - 1)
    return NoiseFloor(
        variance=expected,
        variance_95=expected * upper,
        gap=float(np.sqrt(noise)) * expected_range(groups),
    )


def expected_range(n: int) -> float:
    """Expected largest minus smallest of n standard normal values: 2.059 for 4."""
    grid = np.linspace(-9, 9, 4001)
    below = special.ndtr(grid)
    return float(np.trapezoid(1 - below**n - (1 - below) ** n, grid))
