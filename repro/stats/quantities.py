"""Statistics of an arm's recalls with their derivatives, for `components`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from repro.stats.disparity import (
    Definition,
    between,
    gap_of,
    group_means,
    run_recall,
    worst_of,
)
from repro.stats.intervals import Floats, Integers


class Quantity(Protocol):
    """A statistic of recalls of shape (..., R, K), and how it depends on them."""

    def value(self, recall: Floats) -> Floats:
        """The statistic, shape (...)."""

    def pseudo_values(self, recall: Floats) -> Floats:
        """Its pseudo-value for each run, shape (..., R)."""

    def slopes(self, recall: Floats) -> Floats:
        """R times its derivative by the recall of each run and group, shape (..., R or 1, K)."""

    def curvature(self, recall: Floats, noise: Callable[[], Floats]) -> Floats:
        """Variance of its second-order term, shape (...).

        Args:
            recall: Shape (..., R, K).
            noise: Gives the variance over portraits of each group's run average, shape (..., K);
                called only where it is needed.
        """


@dataclass(frozen=True, slots=True)
class OfMeans:
    """A function of the groups' run-averaged recalls.

    The pseudo-value of a run is R times the value of all runs minus (R - 1) times that of the
    others (Tukey 1958).

    Attributes:
        of: Values for means of shape (..., K).
        slope: Its derivatives, shape (..., K).
        contrast: For a variance between groups of f(mean), the derivative of f, shape (..., K).
        ddof: Of that variance.
    """

    of: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    contrast: Callable[[Floats], Floats] | None = None
    ddof: int = 1

    def value(self, recall: Floats) -> Floats:
        """See `Quantity`."""
        return self.of(group_means(recall))

    def pseudo_values(self, recall: Floats) -> Floats:
        """See `Quantity`; NaN for a single run."""
        runs, means = recall.shape[-2], group_means(recall)
        if runs < 2:
            return np.full(recall.shape[:-1], np.nan)
        others = (runs * means[..., None, :] - recall) / (runs - 1)
        return np.asarray(runs * self.of(means)[..., None] - (runs - 1) * self.of(others))

    def slopes(self, recall: Floats) -> Floats:
        """See `Quantity`."""
        return self.slope(group_means(recall))[..., None, :]

    def curvature(self, recall: Floats, noise: Callable[[], Floats]) -> Floats:
        """See `Quantity`; 0 unless it is a variance between groups."""
        means = group_means(recall)
        if self.contrast is None:
            return np.zeros(means.shape[:-1])
        steps = self.contrast(means)
        apart = (recall - means[..., None, :]) * steps[..., None, :]
        apart = apart - apart.mean(axis=-1, keepdims=True)
        runs, groups = recall.shape[-2:]
        seeds = (apart**2).sum(axis=(-2, -1)) / ((groups - 1) * max(runs - 1, 1) * runs)
        return _curvature(seeds + (steps**2 * noise()).mean(axis=-1), groups, self.ddof)


def _curvature(noise: Floats, groups: int, ddof: int) -> Floats:
    """Variance of the variance of K values that differ by noise alone: 2 noise^2 / (K - 1)."""
    scale = (groups - 1) / (groups - ddof)
    return np.asarray(2 * (scale * noise) ** 2 / (groups - 1))


@dataclass(frozen=True, slots=True)
class OfRuns:
    """The mean over the runs of a function of each run's recalls.

    Attributes:
        of: Values for recalls of shape (..., K).
        slope: Its derivatives, shape (..., K).
        ddof: For a variance between groups; None for other functions.
    """

    of: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    ddof: int | None = None

    def value(self, recall: Floats) -> Floats:
        """See `Quantity`."""
        return np.asarray(self.of(recall).mean(axis=-1))

    def pseudo_values(self, recall: Floats) -> Floats:
        """See `Quantity`: the runs' own values."""
        return self.of(recall)

    def slopes(self, recall: Floats) -> Floats:
        """See `Quantity`."""
        return self.slope(recall)

    def curvature(self, recall: Floats, noise: Callable[[], Floats]) -> Floats:
        """See `Quantity`; 0 unless it is a variance between groups."""
        if self.ddof is None:
            return np.zeros(recall.shape[:-2])
        return _curvature(noise().mean(axis=-1), recall.shape[-1], self.ddof)


def quantity(
    name: str, sizes: Sequence[int] | Floats | Integers, definition: Definition
) -> Quantity:
    """The statistic of this name: ``recall``, ``variance``, ``gap`` or ``worst``.

    Args:
        name: Of the quantity.
        sizes: Portraits of each group, shape (K,).
        definition: Of the mean and the variance.
    """
    if name == "recall":
        groups = len(sizes)
        weights = np.full(groups, 1 / groups)
        if definition.mean == "pooled":
            weights = np.asarray(sizes, dtype=np.float64) / np.sum(sizes)
        return OfRuns(
            lambda recall: run_recall(recall[..., None, :], sizes, definition)[..., 0],
            lambda recall: np.broadcast_to(weights, recall.shape),
        )
    if name == "variance":
        return _variance_quantity(definition)
    order = np.argsort(np.asarray(sizes), kind="stable")
    if name == "gap":
        return OfMeans(gap_of, lambda means: _highest(means, order) - _lowest(means, order))
    return OfMeans(worst_of, lambda means: _lowest(means, order))


def _variance_quantity(definition: Definition) -> Quantity:
    ddof = definition.ddof

    def of(recall: Floats) -> Floats:
        return between(recall, ddof)

    def slope(recall: Floats) -> Floats:
        apart = recall - recall.mean(axis=-1, keepdims=True)
        return np.asarray(2 * apart / (recall.shape[-1] - ddof))

    if definition.runs == "last":
        return OfRuns(of, slope, ddof)
    return OfMeans(of, slope, np.ones_like, ddof)


def group_quantity(k: int, groups: int) -> Quantity:
    """The recall of group k."""
    return OfRuns(
        lambda recall: recall[..., k],
        lambda recall: np.broadcast_to(np.eye(groups)[k], recall.shape),
    )


def logit_variance(sizes: Sequence[int] | Floats | Integers) -> Quantity:
    """Variance (ddof 1) between the logits of the groups' run-averaged recalls.

    Unlike the variance of recalls it does not shrink by itself near 100 %. Half a portrait of a
    group of average size (harmonic mean) is added to the detected and to the missed ones, so that
    the logit of 1 is finite and equal recalls have equal logits in groups of any sizes.
    """
    n = len(sizes) / float((1 / np.asarray(sizes, dtype=np.float64)).sum())

    def share(means: Floats) -> Floats:
        return np.asarray((means * n + 0.5) / (n + 1))

    def logit(means: Floats) -> Floats:
        return np.asarray(special.logit(share(means)))

    def steps(means: Floats) -> Floats:
        return np.asarray(n / (n + 1) / (share(means) * (1 - share(means))))

    def slope(means: Floats) -> Floats:
        values = logit(means)
        apart = values - values.mean(axis=-1, keepdims=True)
        return np.asarray(2 * apart / (means.shape[-1] - 1) * steps(means))

    return OfMeans(lambda means: between(logit(means), 1), slope, steps, 1)


def plain_variance() -> Quantity:
    """Variance (ddof 1) between the groups' run averages of any quantity."""
    return _variance_quantity(Definition(mean="groups", ddof=1, runs="first"))


def _lowest(means: Floats, order: Integers) -> Floats:
    """1 at the lowest of each row, else 0; of equal ones at the first in the order.

    In the order of sizes that is the smallest group, whose recall is the least certain.
    """
    return np.asarray(np.eye(len(order))[order[means[..., order].argmin(axis=-1)]])


def _highest(means: Floats, order: Integers) -> Floats:
    """1 at the highest; of equal ones at the last, so that a gap is always between two groups."""
    return _lowest(-means, order[::-1])
