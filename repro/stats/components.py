"""Intervals for new seeds and new photographs, from the parts of a statistic's variance.

A statistic of an arm varies because other seeds would train other runs, and because other portraits
(and, at a given false-positive rate, other photographs without a face) would be tested. The first
part is the variance between the runs' pseudo-values (Tukey 1958), the second that between the
portraits' contributions (the delta method). Nothing is resampled, so the ends are exact to the
printed digits, except for the part of redrawn thresholds.

One bad run in five is common, and a third of all arms with five runs show none. So the spread
between runs is also pooled over the arms of the study, and the interval is the wider of the two:
see `interval`. Arrays can have leading axes, for many studies at once.

Portraits are independent, unless they are known to be in clusters: then these are, see `clusters`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from repro.stats import clusters
from repro.stats.intervals import LEVEL, NOWHERE, Floats, Integers, Interval, t_quantile
from repro.stats.quantities import Quantity

HALF = 0.5  # of a portrait, added as detected and as missed, so that a recall of 1 is not certain


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """How a statistic of one arm depends on each run and each photograph.

    Attributes:
        value: The statistic, shape (...).
        runs: Pseudo-value of each run, shape (..., R); their mean is about the value.
        portraits: Contribution of each portrait, shape (..., N); None without scores.
        detected: Contribution of a portrait of each group that every run detects, shape (..., K).
        group: Position of each portrait's group, shape (N,); None without scores.
        bound: Without scores, the largest variance that portraits can add, shape (...).
        redrawn: The statistic at the thresholds of redrawn photographs without a face, shape (D,);
            empty at a fixed threshold.
        nonfaces: Contribution of each photograph without a face, shape (..., M); empty if they
            contribute only through a threshold.
        curved: Variance of the second-order term of a variance between groups, shape (...); else 0.
        cluster: Position of each portrait's cluster, shape (N,); None if portraits are independent.
    """

    value: Floats
    runs: Floats
    portraits: Floats | None
    detected: Floats
    group: Integers | None
    bound: Floats
    redrawn: Floats
    nonfaces: Floats
    curved: Floats
    cluster: Integers | None = None

    def minus(self, other: "Parts") -> "Parts":
        """The difference of two arms, over the same seeds and photographs.

        Without variance where the arms are identical in every run and for every portrait.
        """
        return combined([(1.0, self), (-1.0, other)])

    @property
    def of_clusters(self) -> clusters.Spread | None:
        """The variance over clusters of portraits; None if portraits are independent."""
        if self.cluster is None or self.portraits is None or self.group is None:
            return None
        return clusters.spread(self.portraits, self.group, self.detected, self.cluster)

    @property
    def fewest_clusters(self) -> float:
        """Clusters of the smallest group that counts; infinite if portraits are independent."""
        together = self.of_clusters
        return float("inf") if together is None else float(together.fewest)

    @property
    def of_photographs(self) -> Floats:
        """Variance from portraits, thresholds and curvature, shape (...); NaN if unknown.

        It is unknown, too, where a group has fewer than `clusters.LEAST` clusters.
        """
        return self.photographs[0]

    @property
    def photographs(self) -> tuple[Floats, Floats]:
        """`of_photographs` and its degrees of freedom, infinite for independent portraits."""
        found, degrees = self.bound, np.asarray(np.inf)
        if (together := self.of_clusters) is not None:
            found = np.where(together.fewest < clusters.LEAST, np.nan, together.variance)
            degrees = together.degrees
        elif self.portraits is not None and self.group is not None:
            found = portrait_variance(self.portraits, self.group, self.detected)
        whole = self._with_others(found)
        if self.cluster is None:
            return whole, degrees
        with np.errstate(invalid="ignore", divide="ignore"):
            return whole, np.where(found > 0, degrees * (whole / found) ** 2, np.inf)

    def _with_others(self, found: Floats) -> Floats:
        thresholds = float(self.redrawn.var(ddof=1)) if self.redrawn.size else 0.0
        count = self.nonfaces.shape[-1]
        others = self.nonfaces.var(axis=-1, ddof=1) / count if count > 1 else 0.0
        return np.asarray(found + thresholds + others + self.curved)


def combined(terms: Sequence[tuple[float, Parts]]) -> Parts:
    """A sum of statistics of arms with factors, over the same seeds and photographs.

    Without variance where it is the same in every run and for every portrait.

    Args:
        terms: Factors and parts.
    """

    def total(name: str) -> Floats:
        return np.asarray(sum(factor * getattr(one, name) for factor, one in terms))

    known = all(one.portraits is not None for _, one in terms)
    redrawn = all(one.redrawn.size for _, one in terms)
    runs, portraits = total("runs"), total("portraits") if known else None
    differ = runs.any(axis=-1) | (True if portraits is None else portraits.any(axis=-1))
    curved = np.asarray(sum(factor**2 * one.curved for factor, one in terms))
    return Parts(
        value=total("value"),
        runs=runs,
        portraits=portraits,
        detected=total("detected"),
        group=terms[0][1].group if known else None,
        bound=np.full_like(terms[0][1].bound, np.nan),
        redrawn=total("redrawn") if redrawn else np.empty(0),
        nonfaces=total("nonfaces"),
        curved=np.where(differ, curved, 0.0),
        cluster=terms[0][1].cluster if known else None,
    )


class Pooled(NamedTuple):
    """Variance between runs, pooled over arms."""

    variance: float
    degrees: int
    arms: int


def parts(
    recall: Floats,
    quantity: Quantity,
    sizes: Integers,
    *,
    detected: Floats | None = None,
    group: Integers | None = None,
    redrawn: Floats | None = None,
    nonfaces: Floats | None = None,
    cluster: Integers | None = None,
) -> Parts:
    """The parts of a quantity's variance.

    Args:
        recall: Of each run and group, in [0, 1], shape (..., R, K).
        quantity: The statistic and its derivative.
        sizes: Portraits of each group, shape (K,).
        detected: Each portrait in each run, in [0, 1], shape (..., R, N); None: only counts are
            known, so all runs could miss the same portraits, which gives the widest interval.
        group: Position of each portrait's group, shape (N,).
        redrawn: The quantity at redrawn thresholds, shape (D,).
        nonfaces: Share of each group's portraits above each photograph without a face, shape
            (..., R, K, M), for areas under a curve.
        cluster: Position of each portrait's cluster, shape (N,); None: portraits are independent.
    """
    slopes = quantity.slopes(recall)
    whole = np.broadcast_to(slopes, recall.shape).mean(axis=-2)
    portraits = None
    if detected is not None and group is not None:
        portraits = (slopes[..., group] * detected).mean(axis=-2)
    return Parts(
        value=quantity.value(recall),
        runs=quantity.pseudo_values(recall),
        portraits=portraits,
        detected=whole,
        group=group,
        bound=counted_variance(recall, slopes, sizes),
        redrawn=np.empty(0) if redrawn is None else redrawn,
        nonfaces=np.empty(0)
        if nonfaces is None
        else (slopes[..., None] * nonfaces).mean(axis=-3).sum(axis=-2),
        curved=quantity.curvature(
            recall, lambda: recall_noise(recall, sizes, detected, group, cluster)
        ),
        cluster=cluster,
    )


def portrait_variance(portraits: Floats, group: Integers, detected: Floats) -> Floats:
    """Variance of a sum of group means over portraits, from the portraits' contributions.

    Half a portrait that all runs detect and half a portrait that none detects are added to each
    group: with them a recall of 100 % has the variance of 0.5 missed portraits, not of none.

    Args:
        portraits: Contribution of each portrait, shape (..., N).
        group: Position of each portrait's group, shape (N,).
        detected: Contribution of a portrait that all runs detect, shape (..., K).

    Returns:
        Shape (...).
    """
    members = (group[:, None] == np.arange(detected.shape[-1])).astype(np.float64)
    size = members.sum(axis=0)
    mean = (portraits @ members + HALF * detected) / (size + 2 * HALF)
    square = (portraits**2 @ members + HALF * detected**2) / (size + 2 * HALF)
    return np.asarray((np.maximum(square - mean**2, 0.0) / size).sum(axis=-1))


def counted_variance(recall: Floats, slopes: Floats, sizes: Integers) -> Floats:
    """The largest variance that portraits can add if only counts are known, shape (...).

    It is reached if all runs miss the same portraits (Minkowski's inequality for the standard
    deviations of the runs).

    Args:
        recall: Of each run and group, shape (..., R, K).
        slopes: Derivative of the statistic by each run's recall, times R, shape (..., R or 1, K).
        sizes: Portraits of each group, shape (K,).
    """
    share = (recall * sizes + HALF) / (sizes + 2 * HALF)
    deviations = np.abs(slopes) * np.sqrt(share * (1 - share) / sizes)
    return np.asarray((deviations.mean(axis=-2) ** 2).sum(axis=-1))


def recall_noise(
    recall: Floats,
    sizes: Integers,
    detected: Floats | None = None,
    group: Integers | None = None,
    cluster: Integers | None = None,
) -> Floats:
    """Variance over portraits of each group's run-averaged recall, shape (..., K).

    From counts alone it is the largest possible, as in `counted_variance`.
    """
    if detected is None or group is None:
        share = (recall.mean(axis=-2) * sizes + HALF) / (sizes + 2 * HALF)
        return np.asarray(share * (1 - share) / sizes)
    share = detected.mean(axis=-2)
    one = np.eye(recall.shape[-1])
    if cluster is not None:
        return np.stack(
            [clusters.spread(share * row[group], group, row, cluster).variance for row in one],
            axis=-1,
        )
    each = [portrait_variance(share * row[group], group, row) for row in one]
    return np.stack(each, axis=-1)


def pool(arms: Sequence[Floats]) -> Pooled | None:
    """The variance between runs over several arms, each about its own mean.

    Args:
        arms: Pseudo-values of each arm's runs, shape (R,) each; arms with one run add nothing.

    Returns:
        None without two arms of two runs or more.
    """
    known = [values for values in arms if len(values) > 1 and np.isfinite(values).all()]
    if len(known) < 2:
        return None
    degrees = sum(len(values) - 1 for values in known)
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in known)
    return Pooled(squares / degrees, degrees, len(known))


def half_width(
    between: float,
    runs: int,
    degrees: int,
    of_photographs: float,
    *,
    free_of_photographs: float = np.inf,
    level: float = LEVEL,
) -> float:
    """Student's quantile times the standard error.

    Args:
        between: Variance between runs.
        runs: Number of runs that are averaged.
        degrees: Degrees of freedom of ``between``.
        of_photographs: Variance from the photographs.
        free_of_photographs: Its degrees of freedom.
        level: Of the interval.
    """
    error, free = standard_error(between, runs, degrees, of_photographs, free_of_photographs)
    return t_quantile(free, level=level) * error if error > 0 else float("nan")


def standard_error(
    between: float,
    runs: int,
    degrees: int,
    of_photographs: float,
    free_of_photographs: float = np.inf,
) -> tuple[float, float]:
    """Root of both parts of the variance, and its degrees of freedom.

    Where only the part between runs is estimated from few values, the degrees of freedom are
    ``degrees`` times (whole / part between runs) squared (Satterthwaite 1946), at most 10^9. A part
    of clusters is one of few values, too.
    Arguments as for `half_width`; 0 and 10^9 without any variance.
    """
    part = between / runs
    whole = part + of_photographs
    free = degrees * (whole / part) ** 2 if part > 1e-12 * whole else np.inf
    if np.isfinite(free_of_photographs) and of_photographs > 0:
        free = 1 / (1 / free + (of_photographs / whole) ** 2 / free_of_photographs)
    return float(np.sqrt(max(whole, 0.0))), float(min(free, 1e9))


def half_widths(
    found: Parts, pooled: Pooled | None = None, *, level: float = LEVEL
) -> tuple[float, float]:
    """Half-widths by the arm's own spread and by the pooled one; NaN if undefined."""
    runs, (others, free) = len(found.runs), map(float, found.photographs)
    own = float("nan")
    if runs > 1:
        own = half_width(
            *(float(found.runs.var(ddof=1)), runs, runs - 1, others),
            free_of_photographs=free,
            level=level,
        )
    if pooled is None:
        return own, float("nan")
    shared = half_width(
        *(pooled.variance, runs, pooled.degrees, others), free_of_photographs=free, level=level
    )
    return own, shared


def interval(
    found: Parts,
    pooled: Pooled | None = None,
    *,
    within: Interval = Interval(-np.inf, np.inf),  # noqa: B008 (a tuple)
    level: float = LEVEL,
) -> Interval:
    """The value ± the wider half-width, cut at the ends of its range; NaN if undefined.

    A value outside the range, as a variance without noise below 0, is moved to its end before, so
    that the interval never is empty. A single run has an interval only with a pooled spread.
    """
    halves = [one for one in half_widths(found, pooled, level=level) if not np.isnan(one)]
    if not halves or np.isnan(found.value):
        return NOWHERE
    value = min(max(float(found.value), within.low), within.high)
    return Interval(max(value - max(halves), within.low), min(value + max(halves), within.high))


def variance_interval(
    found: Parts,
    most: float,
    pooled: Pooled | None = None,
    *,
    less: float = 0.0,
    level: float = LEVEL,
) -> Interval:
    """As `interval`, for a variance between groups: the arm's own part on the scale of the root.

    The root of a variance grows with the distances between the groups, so it is far less skewed.
    Near equal groups its derivative has no limit; below the noise of the groups' averages that
    noise takes the place of the variance in it.

    Args:
        found: Parts of a variance.
        most: The largest possible variance.
        pooled: Spread over arms, or None; as in `share_interval` it stays on the plain scale.
        less: Noise that is subtracted from the variance; a difference below 0 counts as 0.
        level: Of the interval.
    """
    own, shared = half_widths(found, pooled, level=level)
    if np.isnan(found.value):
        return NOWHERE
    whole, ends = float(found.value), []
    value = min(max(whole - less, 0.0), most)
    if not np.isnan(own):
        noise = float(np.sqrt(found.curved * (found.detected.shape[-1] - 1) / 2))
        at = whole if found.cluster is None else value
        root, step = np.sqrt(value), own / (2 * np.sqrt(max(at, noise)))
        ends += [float(max(root - step, 0.0) ** 2), float((root + step) ** 2)]
    if not shared <= own and not np.isnan(shared):
        ends += [value - shared, value + shared]
    if not ends:
        return NOWHERE
    return Interval(max(min(ends), 0.0), min(max(ends), most))


def _added(found: Parts) -> float:
    """Photographs that count as one, of each group that contributes; 1 each if independent."""
    together = found.of_clusters
    if together is None:
        return float(np.count_nonzero(found.detected))
    return float(together.weight[found.detected != 0].sum())


def share_interval(
    found: Parts, portraits: int, pooled: Pooled | None = None, *, level: float = LEVEL
) -> Interval:
    """As `interval`, for a share: the arm's own part on the scale of the logit.

    Recalls near 1 are skewed, so ± is wrong for them. The pooled spread comes from arms with other
    recalls and stays in points; where it is wider, the interval covers both.

    Args:
        found: Parts of a share.
        portraits: Number of photographs; to both counts half a photograph, or half of those that
            count as one, is added for each group that contributes, as in `portrait_variance`.
        pooled: Spread over arms, or None.
        level: Of the interval.
    """
    own, shared = half_widths(found, pooled, level=level)
    value, ends = float(found.value), []
    if not np.isnan(own):
        added = HALF * _added(found) / portraits
        share = (value + added) / (1 + 2 * added)
        step, odds = own / (share * (1 - share)), np.log(share / (1 - share))
        back = (1 / (1 + np.exp(-(odds + sign * step))) for sign in (-1, 1))
        ends += [float(end * (1 + 2 * added) - added) for end in back]
    if not shared <= own and not np.isnan(shared):
        ends += [value - shared, value + shared]
    if not ends or np.isnan(value):
        return NOWHERE
    return Interval(max(min(*ends, value), 0.0), min(max(*ends, value), 1.0))
