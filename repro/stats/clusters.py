"""Portraits that belong together: the variance of a sum of group means when clusters are drawn.

Several pictures of one person are found or missed together, so they say less of other persons than
as many pictures of different ones. Here whole clusters are the sample: the deviations of a
cluster's portraits are added up before they are squared (Liang & Zeger 1986). A cluster can hold
portraits of several groups; then its deviations in all of them are added, so that what moves the
groups together counts as that. With every portrait its own cluster the variance is that of
`components.portrait_variance` times C / (C - 1), C the number of the group's clusters.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from repro.stats.intervals import Floats, Integers

LEAST = 10  # clusters of a group; fewer give no interval and no p
ENOUGH = 20  # from here on the intervals are shown to cover
COUNTS = 0.05  # share of the variance from which on a group counts for `LEAST`
HALF = 0.5  # of a cluster, added as detected and as missed, as in `components`


@dataclass(frozen=True, slots=True)
class Layout:
    """Which portraits stand together, as positions for `numpy.add.reduceat`.

    A cell is what a cluster has of one group.

    Attributes:
        order: Portraits by cluster and group, shape (N,).
        starts: First portrait of each cell in this order, shape (Q,).
        group: Of each cell, shape (Q,).
        count: Portraits of each cell, shape (Q,).
        firsts: First cell of each cluster, shape (C,).
    """

    order: Integers
    starts: Integers
    group: Integers
    count: Integers
    firsts: Integers

    def sums(self, portraits: Floats) -> Floats:
        """Sum of each cell, shape (..., Q), of one number for each portrait, shape (..., N)."""
        return np.asarray(np.add.reduceat(portraits[..., self.order], self.starts, axis=-1))

    def of_clusters(self, cells: Floats) -> Floats:
        """Sum of each cluster, shape (..., C), of one number for each cell, shape (..., Q)."""
        return np.asarray(np.add.reduceat(cells, self.firsts, axis=-1))


class Spread(NamedTuple):
    """The variance over clusters.

    Attributes:
        variance: Of the sum of group means, shape (...).
        degrees: Of freedom of that estimate, shape (...); infinite without variance.
        fewest: Clusters of the smallest group that counts, shape (...); infinite if none does.
        weight: Portraits that count as one, in each group, shape (..., K): 1 to the mean size of
            its clusters.
    """

    variance: Floats
    degrees: Floats
    fewest: Floats
    weight: Floats


def layout(group: Integers, cluster: Integers) -> Layout:
    """The cells of these portraits.

    Args:
        group: Position of each portrait's group, shape (N,).
        cluster: Position of each portrait's cluster, shape (N,).
    """
    order = np.lexsort((group, cluster))
    groups, homes = group[order], cluster[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (groups[1:] != groups[:-1]) | (homes[1:] != homes[:-1])
    starts = np.flatnonzero(new)
    firsts = np.unique(homes[starts], return_index=True)[1]
    count = np.diff(np.append(starts, len(order)))
    return Layout(order, starts, groups[starts], count, firsts)


def are_single(cluster: Integers) -> bool:
    """Whether every portrait is its own cluster: then portraits are independent."""
    return len(np.unique(cluster)) == len(cluster)


def per_group(group: Integers, cluster: Integers, groups: int) -> Integers:
    """Number of clusters with a portrait of each group, shape (K,)."""
    return np.bincount(layout(group, cluster).group, minlength=groups)


def spread(portraits: Floats, group: Integers, detected: Floats, cluster: Integers) -> Spread:
    """Variance of a sum of group means over clusters, from the portraits' contributions.

    Half a cluster that all runs detect and half a cluster that none detects are added to each
    group, of as many portraits as count as one: the mean size of its clusters if they are found or
    missed together, 1 if they are independent. So copies of portraits do not narrow it.

    Args:
        portraits: Contribution of each portrait, shape (..., N).
        group: Position of each portrait's group, shape (N,).
        detected: Contribution of a portrait that all runs detect, shape (..., K).
        cluster: Position of each portrait's cluster, shape (N,).
    """
    cells, groups = layout(group, cluster), detected.shape[-1]
    of_group = (cells.group[:, None] == np.arange(groups)).astype(np.float64)  # (Q, K)
    size, number = cells.count @ of_group, of_group.sum(axis=0)
    weight = _weight(portraits, group, cells, size, number)
    sums = cells.sums(portraits)
    mean = (sums @ of_group + HALF * weight * detected) / (size + 2 * HALF * weight)
    scale = np.sqrt(number / np.maximum(number - 1, 1) / (size * (size + weight)))
    apart = (sums - cells.count * mean[..., cells.group]) * scale[..., cells.group]
    added = HALF * (scale * weight) ** 2 * ((detected - mean) ** 2 + mean**2)
    by_group = apart**2 @ of_group + added
    variance = (cells.of_clusters(apart) ** 2).sum(axis=-1) + added.sum(axis=-1)
    return Spread(variance, *_certainty(by_group, cells, of_group, number), weight)


def _weight(
    portraits: Floats, group: Integers, cells: Layout, size: Floats, number: Floats
) -> Floats:
    """The design effect of each group: sum of squared cluster totals over that of portraits.

    Between 1 and the mean size of a cluster; the latter where nothing differs.
    """
    of_group = (cells.group[:, None] == np.arange(len(size))).astype(np.float64)
    mean = cells.sums(portraits) @ of_group / size
    rest = portraits - mean[..., group]
    together, alone = cells.sums(rest) ** 2 @ of_group, cells.sums(rest**2) @ of_group
    most = np.broadcast_to(size / number, together.shape)
    seen = alone > 1e-12 * (cells.sums(portraits**2) @ of_group)
    found = np.divide(together, alone, out=most.copy(), where=seen)
    return np.asarray(np.clip(found, 1.0, most))


def _certainty(
    by_group: Floats, cells: Layout, of_group: Floats, number: Floats
) -> tuple[Floats, Floats]:
    """Degrees of freedom of the variance, and the clusters of the smallest group that counts.

    A cluster's part of its group's variance grows with its size squared, as if its portraits were
    one. The degrees are the effective number of clusters (Carter, Schnepel & Steigerwald 2017)
    times (C_g - 1) / C_g for the mean of each group.

    Args:
        by_group: Variance of each group's part, shape (..., K).
        cells: Of the portraits.
        of_group: 1 where a cell is of a group, shape (Q, K).
        number: Clusters of each group, shape (K,).
    """
    squares = cells.count.astype(np.float64) ** 2
    share = squares / (squares @ of_group)[cells.group]
    parts = cells.of_clusters(by_group[..., cells.group] * share)
    whole = by_group.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = whole**2 / (parts**2).sum(axis=-1)
        free = effective * (by_group @ (1 - 1 / number)) / whole
    degrees = np.where(whole > 0, np.maximum(free, 1.0), np.inf)
    counts = (by_group >= COUNTS * whole[..., None]) & (by_group > 0)
    return degrees, np.where(counts, number, np.inf).min(axis=-1)
