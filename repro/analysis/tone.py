"""Recall against the study's scale of skin tone: slope, recall at each tone, differences of arms.

All intervals are for new seeds and new portraits (of other persons, where `cluster` names them), by
the method of `stats.covariate`; at equal false-positive rates they include the uncertainty of the
threshold. Portraits of unknown tone are left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from repro.analysis import arm_parts, operating_points, thresholds
from repro.analysis.object_cache import cached_by_owner
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import Arm, Outcomes
from repro.stats import components, covariate, intervals, redrawn, rounding
from repro.stats.clusters import LEAST
from repro.stats.components import Parts, Pooled
from repro.stats.covariate import Fit, Reading
from repro.stats.intervals import NOWHERE, Floats, Integers

GRID = 41  # tones at which a smooth curve is read
NO_SCALE = "the study has no scale of skin tone (key `tone:`)"
Rises = Literal["darker", "lighter", ""]
# Columns whose direction is known: scales with a fixed one, and those that sources make.
_RISES: dict[str, Rises] = {
    "fitzpatrick skin type category": "darker",
    "fitzpatrick": "darker",
    "monk": "darker",
    "mst": "darker",
    "skin_tone": "darker",
    "apparent_skin_color": "lighter",
    "natural_skin_color": "lighter",
    "skin_reflectance": "lighter",
    "ita": "lighter",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The tones of an arm's portraits.

    Attributes:
        column: That holds them.
        rises: Whether a larger number is darker or lighter; empty if that is not known.
        tones: Of the portraits whose tone is known, shape (T,).
        cluster: Position of the cluster of each of these, from 0, shape (T,); None: all differ.
        known: Whether the tone of each portrait is known, shape (N,).
        levels: The different tones in rising order; None if there are too many for levels.
    """

    column: str
    rises: Rises
    tones: Floats
    cluster: Integers | None
    known: NDArray[np.bool_]
    levels: Floats | None

    @property
    def ends(self) -> tuple[float, float]:
        """The lightest and the darkest tone; the smallest and the largest if that is not known."""
        low, high = float(self.tones.min()), float(self.tones.max())
        return (high, low) if self.rises == "lighter" else (low, high)

    @property
    def clusters(self) -> int:
        """Number of clusters (persons) of known tone; of portraits where all are independent."""
        return covariate.counted(self.cluster, np.ones(len(self.tones), dtype=bool))

    def at(self, tone: float) -> tuple[int, float]:
        """Numbers of portraits and of clusters of this tone."""
        here = self.tones == tone
        return int(here.sum()), covariate.counted(self.cluster, here)

    @property
    def bandwidth(self) -> float:
        """Of a smooth curve, in units of the tone."""
        return covariate.bandwidth(self.tones, self.clusters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Recall at a tone.

    Attributes:
        tone: On the study's scale.
        recall: Without an interval if `clusters` is below `clusters.LEAST`.
        portraits: Of this tone; of a smooth curve all.
        clusters: Of this tone; of a smooth curve their effective number near it.
    """

    tone: float
    recall: Estimate
    portraits: int
    clusters: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeDifference:
    """Slope of an arm minus that of the reference, over their common seeds.

    Attributes:
        estimate: For the range of the scale; no interval where all pairs differ by the same.
        p: Two-sided, not adjusted; NaN without interval.
    """

    estimate: Estimate
    p: float


def scaled(outcomes: Outcomes) -> list[Arm]:
    """The arms whose portraits have two tones or more; empty if the study has no scale."""
    return [arm for arm in outcomes.arms if arm.runs and scale(outcomes, arm) is not None]


def detectors(outcomes: Outcomes) -> list[Arm]:
    """The reference detectors, trained elsewhere, whose portraits have two tones or more."""
    return [one for one in outcomes.detectors if scale(outcomes, one) is not None]


def scale(outcomes: Outcomes, arm: Arm) -> Scale | None:
    """The tones of an arm's portraits; None without a scale, or with a single tone."""
    return _scale(arm, outcomes.tone)


def direction(column: str) -> Rises:
    """Whether a larger number in a column is darker or lighter; empty if that is not known."""
    return _RISES.get(column.lower(), "")


@cached_by_owner()
def _scale(arm: Arm, column: str) -> Scale | None:
    if not column or arm.scores is None or arm.scores.tone is None:
        return None
    known = ~np.isnan(arm.scores.tone)
    tones = arm.scores.tone[known]
    if len(np.unique(tones)) < 2:
        return None
    who = arm.scores.cluster
    return Scale(
        column=column,
        rises=direction(column),
        tones=tones,
        cluster=None if who is None else np.unique(who[known], return_inverse=True)[1],
        known=known,
        levels=covariate.levels(tones),
    )


def can_read(arm: Arm, rate: float) -> bool:
    """Whether there are enough photographs without a face for a threshold at this rate."""
    return thresholds.can_read(arm, rate)


def slope(outcomes: Outcomes, arm: Arm, *, rate: float | None = None) -> Estimate:
    """Change of recall between the ends of the scale, along the line through all portraits.

    Args:
        outcomes: Of its study, over whose arms the spread between runs is pooled.
        arm: One of `scaled`, or of `detectors`.
        rate: False-positive rate that sets each run's threshold; None for logit 0.
    """
    return _slope(outcomes, arm, rate)


@cached_by_owner()
def _slope(outcomes: Outcomes, arm: Arm, rate: float | None) -> Estimate:
    found = _slope_reading(arm, outcomes.tone, rate)
    seeds = arm not in detectors(outcomes)
    pooled = _pooled_slopes(outcomes, rate) if seeds else None
    interval = NOWHERE
    if _clusters(arm, outcomes.tone) >= LEAST:
        interval = covariate.interval(found, pooled, seeds=seeds)
    return Estimate(float(found.value), interval, intervals.sd(found.runs))


def slope_difference(
    outcomes: Outcomes, arm: Arm, reference: Arm, *, rate: float | None = None
) -> SlopeDifference | None:
    """Slope of an arm minus that of the reference; None if they share no seed or portraits.

    Arguments as for `slope`.
    """
    a, b = operating_points.paired(arm, reference)
    if arm is reference or not a.runs or not _same_portraits(a, b):
        return None
    one, other = (_slope_reading(each, outcomes.tone, rate) for each in (a, b))
    apart, interval, p = one.minus(other), NOWHERE, float("nan")
    if a.runs > 1 and not rounding.constant(apart.runs) and _clusters(a, outcomes.tone) >= LEAST:
        interval, p = covariate.interval(apart), covariate.p_value(apart)
    return SlopeDifference(
        estimate=Estimate(float(apart.value), interval, intervals.sd(apart.runs)), p=p
    )


def parts(arm: Arm, column: str, rate: float | None = None) -> Parts:
    """The change between the ends of the scale as claims read it, with the parts of its variance.

    Args:
        arm: Not one with a `refusal`.
        column: Of the scale.
        rate: False-positive rate that sets each run's threshold; None for logit 0.
    """
    known, read = _scale(arm, column), _slope_reading(arm, column, rate)
    assert known is not None
    (line,) = _line(known)
    share = thresholds.detections(arm, rate)[:, known.known].mean(axis=0)
    apart = share - share.mean() - float(read.value) * line.offset
    return Parts(
        value=read.value,
        runs=read.runs,
        portraits=len(share) * line.coefficients * apart,
        detected=np.array([len(share) * np.sqrt(2 * float(read.floor))]),
        group=np.zeros(len(share), dtype=np.int64),
        bound=np.asarray(np.nan),
        redrawn=read.redrawn,
        nonfaces=np.empty(0),
        curved=np.asarray(0.0),
        cluster=known.cluster,
    )


def refusal(outcomes: Outcomes, arms: Sequence[Arm]) -> str:
    """Why arms have no change over the scale to be compared; empty if they have."""
    if not outcomes.tone:
        return NO_SCALE
    if any(_scale(arm, outcomes.tone) is None for arm in arms):
        return f"no two different tones are known from the column {outcomes.tone}"
    if not all(_same_portraits(arm, arms[0]) for arm in arms[1:]):
        return "its arms were tested on different portraits"
    return ""


def few(outcomes: Outcomes, arm: Arm) -> str:
    """Why there is no interval where the scale has too few clusters; empty if it has enough."""
    number = _clusters(arm, outcomes.tone)
    if number >= LEAST:
        return ""
    what = f"values of {outcomes.cluster}" if outcomes.cluster else "portraits"
    return f"{number} {what} have a tone, and an interval takes {LEAST}"


def curve(outcomes: Outcomes, arm: Arm, *, rate: float | None = None) -> list[Point]:
    """Recall at each level, or of a smooth curve at `GRID` tones from the smallest to the largest.

    A smooth curve has no point where fewer than `LEAST` clusters are near. Arguments as for
    `slope`.
    """
    return _curve(outcomes, arm, rate)


@cached_by_owner()
def _curve(outcomes: Outcomes, arm: Arm, rate: float | None) -> list[Point]:
    known = scale(outcomes, arm)
    assert known is not None
    seeds = arm not in detectors(outcomes)
    found = []
    for place, tone in enumerate(grid(known)):
        read = _curve_readings(arm, outcomes.tone, rate)[place]
        portraits, clusters = len(known.tones), read.persons
        if known.levels is not None:
            portraits, clusters = known.at(float(tone))
        elif clusters < LEAST:
            continue
        interval = NOWHERE
        if clusters >= LEAST:
            pooled = _pooled_points(outcomes, rate, place) if seeds else None
            interval = covariate.share_interval(read, pooled, seeds=seeds)
        value = min(max(float(read.value), 0.0), 1.0)
        estimate = Estimate(value, interval, intervals.sd(read.runs))
        found.append(
            Point(tone=float(tone), recall=estimate, portraits=portraits, clusters=clusters)
        )
    return found


def grid(known: Scale) -> Floats:
    """The tones at which recall is read."""
    if known.levels is not None:
        return known.levels
    return np.linspace(known.tones.min(), known.tones.max(), GRID)


def _fits(known: Scale) -> list[Fit]:
    if known.levels is not None:
        return [covariate.level_fit(known.tones, float(tone)) for tone in known.levels]
    return [covariate.local_fit(known.tones, float(tone), known.bandwidth) for tone in grid(known)]


def _line(known: Scale) -> list[Fit]:
    first, last = known.ends
    return [covariate.slope_fit(known.tones, unit=last - first)]


@cached_by_owner()
def _slope_reading(arm: Arm, column: str, rate: float | None) -> Reading:
    return _readings(arm, column, rate, _line)[0]


@cached_by_owner()
def _curve_readings(arm: Arm, column: str, rate: float | None) -> list[Reading]:
    return _readings(arm, column, rate, _fits)


def _readings(
    arm: Arm, column: str, rate: float | None, fits: Callable[[Scale], list[Fit]]
) -> list[Reading]:
    """What is read off lines through an arm's detections at a threshold."""
    known = _scale(arm, column)
    assert known is not None
    assert arm.scores is not None
    lines, here = fits(known), known.known
    detected = thresholds.detections(arm, rate)[:, here]
    moved: list[Floats | None] = [None] * len(lines)
    if rate is not None:
        factors = np.stack([line.coefficients for line in lines])
        moved = list(
            redrawn.weighted_sums(
                arm.scores.portraits[:, here], arm.scores.nonfaces, factors, rate=rate, few=arm.many
            ).T
        )
    return [
        covariate.read(line, detected, known.cluster, one)
        for line, one in zip(lines, moved, strict=True)
    ]


@cached_by_owner()
def _pooled_slopes(outcomes: Outcomes, rate: float | None) -> Pooled | None:
    """The variance between runs of the slope over all arms."""
    arms = _pooled_arms(outcomes, rate)
    return components.pool([_slope_reading(arm, outcomes.tone, rate).runs for arm in arms])


@cached_by_owner()
def _pooled_points(outcomes: Outcomes, rate: float | None, place: int) -> Pooled | None:
    arms = _pooled_arms(outcomes, rate)
    found = [_curve_readings(arm, outcomes.tone, rate) for arm in arms]
    return components.pool([one[place].runs for one in found if place < len(one)])


def _pooled_arms(outcomes: Outcomes, rate: float | None) -> list[Arm]:
    return [
        arm
        for arm in arm_parts.of_different_runs(outcomes)
        if scale(outcomes, arm) is not None and (rate is None or can_read(arm, rate))
    ]


def _clusters(arm: Arm, column: str) -> int:
    known = _scale(arm, column)
    return 0 if known is None else known.clusters


def _same_portraits(a: Arm, b: Arm) -> bool:
    """Whether both arms were tested on portraits of the same tones."""
    if not operating_points.same_photographs(a, b):
        return False
    assert a.scores is not None
    assert b.scores is not None
    if a.scores.tone is None or b.scores.tone is None:
        return False
    return np.array_equal(a.scores.tone, b.scores.tone, equal_nan=True)
