"""Recall against a number of each portrait, such as skin tone: a slope, levels, a smooth line.

All three are a straight line (or a mean) through the detections by weighted least squares, so each
is a weighted sum of detections: its value for several runs is the mean of the runs' own values,
and its value without one person follows from sums. The interval is for new runs and new persons:
each part of the variance has Student's quantile of its own, and the squares of the half-widths
add up (Howe 1974; Zou & Donner 2008). Arrays can have leading axes, for many studies at once.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from repro.stats.components import HALF, Pooled
from repro.stats.intervals import LEVEL, NOWHERE, Floats, Integers, Interval, t_quantile

MOST_LEVELS = 12  # different values up to which a covariate is a scale with levels
LEAST_P = 1e-12  # smallest p-value that is looked for
_SINGULAR = 1e-9  # of a sum of squares, relative to its largest possible value: no line

Form = Literal["mean", "line", "slope"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A line through detections by weighted least squares, and what is read off it.

    Attributes:
        weight: Of each portrait, at least 0, shape (N,).
        offset: The covariate less the value at which the line is read, shape (N,).
        form: ``mean``: the weighted mean, no line; ``line``: the line's height at offset 0;
            ``slope``: its rise for an offset of 1.
    """

    weight: Floats
    offset: Floats
    form: Form

    @property
    def coefficients(self) -> Floats:
        """Factor of each portrait's detection, shape (N,); NaN where no line can be drawn."""
        w, o = self.weight, self.offset
        total, first, second = w.sum(), w @ o, w @ (o * o)
        if self.form == "mean":
            return np.asarray(w / total if total > 0 else np.full_like(w, np.nan))
        room = total * second - first**2
        if not room > _SINGULAR * total * second:
            return np.full_like(w, np.nan)
        rise = w * (total * o - first) / room
        return np.asarray(rise if self.form == "slope" else w * (second - first * o) / room)

    def without_each(self, share: Floats, cluster: Integers) -> Floats:
        """What is read off the line without one person.

        Args:
            share: Of the runs that detect each portrait, shape (..., N).
            cluster: Position of each portrait's person, 0 to C - 1, shape (N,); each occurs.

        Returns:
            Shape (..., C); NaN where the others draw no line.
        """
        w, o = self.weight, self.offset

        def others(values: Floats) -> Floats:
            return np.asarray(values.sum(axis=-1)[..., None] - sums(values, cluster))

        total, reached = others(w), others(w * share)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.form == "mean":
                return np.asarray(np.where(total > _SINGULAR * w.sum(), reached / total, np.nan))
            first, second, along = others(w * o), others(w * o * o), others(w * o * share)
            room = total * second - first**2
            above = total * along - first * reached
            if self.form == "line":
                above = second * reached - first * along
            return np.asarray(np.where(room > _SINGULAR * total * second, above / room, np.nan))


def slope_fit(covariate: Floats, *, unit: float = 1.0) -> Fit:
    """The rise of recall for an increase of the covariate by `unit`; all portraits alike."""
    offset = (covariate - covariate.mean()) / unit
    return Fit(weight=np.ones(len(covariate)), offset=offset, form="slope")


def level_fit(covariate: Floats, level: float) -> Fit:
    """The recall of the portraits that have this value."""
    here = (covariate == level).astype(np.float64)
    return Fit(weight=here, offset=np.zeros(len(covariate)), form="mean")


def local_fit(covariate: Floats, at: float, bandwidth: float) -> Fit:
    """Recall at a value by local linear regression with a Gaussian kernel (Fan 1992)."""
    apart = (covariate - at) / bandwidth
    return Fit(weight=np.exp(-(apart**2) / 2), offset=apart, form="line")


def bandwidth(covariate: Floats, persons: int) -> float:
    """Standard deviation of the kernel: 1.06 s C^(-1/5), for C persons.

    s is the smaller of the standard deviation (ddof 1) and the interquartile range / 1.34
    (Silverman 1986), the former where half of the portraits have one value.
    """
    spread = float(covariate.std(ddof=1))
    low, high = np.quantile(covariate, (0.25, 0.75))
    middle = float(high - low) / 1.34
    narrow = min(spread, middle) if middle > 0 else spread
    return float(1.06 * narrow * persons**-0.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read off a line, and how it depends on each run, each person and the thresholds.

    Attributes:
        value: Mean over the runs, shape (...).
        runs: Of each run, shape (..., R).
        without: Without each person, shape (..., C).
        floor: Variance of half a person of average weight that is found and half a one that is
            not, shape (...): a recall of 100 % is not certain.
        persons: Effective number: (sum of weights)^2 / sum of squared weights.
        redrawn: At redrawn thresholds, shape (D,); empty at a fixed threshold.
    """

    value: Floats
    runs: Floats
    without: Floats
    floor: Floats
    persons: float
    redrawn: Floats

    def minus(self, other: "Reading") -> "Reading":
        """The difference of two arms, over the same seeds and photographs."""
        both = self.redrawn.size and other.redrawn.size
        return Reading(
            value=np.asarray(self.value - other.value),
            runs=np.asarray(self.runs - other.runs),
            without=np.asarray(self.without - other.without),
            floor=np.zeros_like(self.floor),
            persons=min(self.persons, other.persons),
            redrawn=np.asarray(self.redrawn - other.redrawn) if both else np.empty(0),
        )

    @property
    def of_persons(self) -> Floats:
        """Variance from the persons: jackknife over persons (Tukey 1958), shape (...)."""
        apart = ((self.without - self.value[..., None]) ** 2).sum(axis=-1)
        return np.asarray(apart * (1 - 1 / max(self.persons, 1.0)) + self.floor)


def read(
    fit: Fit, detected: Floats, cluster: Integers | None = None, redrawn: Floats | None = None
) -> Reading:
    """What is read off a line through detections.

    Args:
        fit: The line.
        detected: 1 or 0 for each run and portrait, shape (..., R, N).
        cluster: Position of each portrait's person, 0 to C - 1, shape (N,); None: each portrait
            is another person.
        redrawn: The reading at redrawn thresholds, shape (D,).
    """
    if cluster is None:
        cluster = np.arange(detected.shape[-1], dtype=np.int64)
    factors, share = fit.coefficients, detected.mean(axis=-2)
    runs = detected @ factors
    whole = sums(np.abs(factors), cluster)
    persons = float(whole.sum() ** 2 / (whole @ whole)) if (whole > 0).any() else 0.0
    recall = share @ (fit.weight / fit.weight.sum())
    added = HALF * (recall**2 + (1 - recall) ** 2)
    return Reading(
        value=np.asarray(runs.mean(axis=-1)),
        runs=runs,
        without=fit.without_each(share, cluster),
        floor=np.asarray(added * (whole @ whole) / max(persons, 1.0)),
        persons=persons,
        redrawn=np.empty(0) if redrawn is None else redrawn,
    )


def sums(values: Floats, cluster: Integers) -> Floats:
    """The sum over each person's portraits, shape (..., C), of values of shape (..., N)."""
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    return np.asarray(np.add.reduceat(values[..., order], starts, axis=-1))


def half_width(
    found: Reading, pooled: Pooled | None = None, *, level: float = LEVEL, seeds: bool = True
) -> Floats:
    """Half the width of an interval for new runs and new persons, shape (...); NaN if undefined.

    The root of t² v/R + t² (persons) + z² (thresholds): t with R - 1 degrees of freedom for the
    runs, with the effective number of persons less 1 for the persons. With a pooled spread it is
    the wider of both, as in `components`.

    Args:
        found: The reading.
        pooled: Spread between runs over all arms, or None.
        level: Of the interval.
        seeds: Whether there could be other runs: not of a detector that somebody else trained.
    """
    if not found.persons > 1:
        return np.full(found.value.shape, np.nan)
    others = t_quantile(found.persons - 1, level=level) ** 2 * found.of_persons
    if found.redrawn.size:
        others = others + t_quantile(np.inf, level=level) ** 2 * found.redrawn.var(ddof=1)
    if not seeds:
        return np.asarray(np.sqrt(others))
    runs = found.runs.shape[-1]
    between = np.full(found.value.shape, np.nan)
    if runs > 1:
        between = t_quantile(runs - 1, level=level) ** 2 * found.runs.var(axis=-1, ddof=1)
    if pooled is not None:
        between = np.fmax(between, t_quantile(pooled.degrees, level=level) ** 2 * pooled.variance)
    return np.asarray(np.sqrt(between / runs + others))


def interval(
    found: Reading, pooled: Pooled | None = None, *, level: float = LEVEL, seeds: bool = True
) -> Interval:
    """The value ± its half-width; `NOWHERE` if undefined. Arguments as for `half_width`."""
    value, half = float(found.value), float(half_width(found, pooled, level=level, seeds=seeds))
    return NOWHERE if np.isnan(half) else Interval(value - half, value + half)


def share_interval(
    found: Reading, pooled: Pooled | None = None, *, level: float = LEVEL, seeds: bool = True
) -> Interval:
    """As `interval`, for a recall: ± on the scale of the logit, with half a person added to both.

    A line can leave [0, 1]; it is cut there before.
    """
    half = float(half_width(found, pooled, level=level, seeds=seeds))
    if np.isnan(half):
        return NOWHERE
    value = min(max(float(found.value), 0.0), 1.0)
    added = HALF / found.persons
    share = (value + added) / (1 + 2 * added)
    step, odds = half / (share * (1 - share)), np.log(share / (1 - share))
    ends = [1 / (1 + np.exp(-(odds + sign * step))) for sign in (-1, 1)]
    low, high = (float(end * (1 + 2 * added) - added) for end in ends)
    return Interval(max(min(low, value), 0.0), min(max(high, value), 1.0))


def p_value(found: Reading, *, seeds: bool = True) -> float:
    """Two-sided p that the value is 0: 1 less the level at which the interval ends there.

    So it is below .05 where the 95 % interval leaves out 0, and only there. NaN without interval.
    """
    value = abs(float(found.value))
    if np.isnan(value) or np.isnan(half_width(found, seeds=seeds)):
        return float("nan")

    def beyond(p: float) -> float:
        return float(half_width(found, level=1 - p, seeds=seeds)) - value

    if value == 0 or beyond(1 - 1e-9) >= 0:
        return 1.0
    if beyond(LEAST_P) <= 0:
        return LEAST_P
    return float(optimize.brentq(beyond, LEAST_P, 1 - 1e-9, xtol=1e-13))


def levels(covariate: Floats) -> Floats | None:
    """The different values in rising order; None for more than `MOST_LEVELS`."""
    found = np.unique(covariate)
    return found if len(found) <= MOST_LEVELS else None


def counted(cluster: Integers | None, chosen: NDArray[np.bool_]) -> int:
    """The number of persons in the chosen portraits."""
    return int(chosen.sum() if cluster is None else len(np.unique(cluster[chosen])))
