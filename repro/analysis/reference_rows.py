"""Detectors that were trained elsewhere, at their own threshold and at equal false positives.

Such a detector is one network, so there are no other seeds: its intervals are for new photographs
alone. Shares of independent photographs at a fixed threshold have the exact interval of Clopper and
Pearson; all others have that of `components` without any variance between runs.
"""

from dataclasses import replace

import numpy as np

from repro.analysis import arm_parts, operating_points, thresholds
from repro.analysis.object_cache import cached_by_owner
from repro.analysis.operating_points import Estimate, Reading
from repro.analysis.outcomes import Arm
from repro.stats import disparity, intervals, noise, operating
from repro.stats.components import Parts
from repro.stats.disparity import Definition
from repro.stats.intervals import Interval

_POOLED = disparity.DEFINITIONS["dehaan2020"]


def reading(detector: Arm, definition: Definition, *, rate: float | None = None) -> Reading:
    """Estimates of a detector at a threshold.

    Args:
        detector: An arm of one run.
        definition: Of the mean and the variance.
        rate: False-positive rate; None for the detector's own threshold.
    """
    return _reading(detector, definition, rate)


@cached_by_owner()
def _reading(detector: Arm, definition: Definition, rate: float | None) -> Reading:
    recall = thresholds.recalls(detector, rate)
    values = operating_points.quantities_of(recall, detector.sizes, definition)
    found = {name: Estimate(float(value)) for name, value in values.items()}
    for name, one in found.items():
        if not np.isnan(one.value):
            parts = fixed(arm_parts.parts(detector, name, definition, rate))
            interval = operating_points.interval_of(parts, detector, name, definition)
            found[name] = replace(one, interval=interval)
    if rate is None and definition.mean == "pooled" and _is_exact(detector):
        found["recall"] = _share(int(_detected(detector).sum()), int(detector.sizes.sum()))
    own = false_positives(detector) if rate is None else operating_points.true_rate(detector, rate)
    return Reading(rate=rate, false_positives=own, recall=recall, of=found)


def can_read(detector: Arm, rate: float) -> bool:
    """Whether its scores have a threshold at this rate.

    They have none where too many photographs without a face have the same score, such as those in
    which it found nothing.
    """
    if detector.scores is None or not thresholds.can_read(detector, rate):
        return False
    level = operating.threshold(detector.scores.nonfaces, rate)
    return bool(np.isfinite(level).all()) and not thresholds.ties(detector, rate).any()


def group_estimates(detector: Arm) -> list[Estimate]:
    """Recall of each group at the detector's own threshold."""
    if _is_exact(detector):
        pairs = zip(_detected(detector), detector.sizes, strict=True)
        return [_share(int(found), int(size)) for found, size in pairs]
    found = []
    for k, group in enumerate(detector.groups):
        parts = fixed(arm_parts.parts(detector, arm_parts.of_group(group), _POOLED))
        name = arm_parts.of_group(group)
        interval = operating_points.interval_of(parts, detector, name, _POOLED)
        found.append(Estimate(float(detector.recall[0, k]), interval))
    return found


def false_positives(detector: Arm) -> Estimate:
    """Share of the photographs without a face in which it finds one; NaN without any."""
    if detector.false_positive_rate is None:
        return Estimate(float("nan"))
    count = round(float(detector.false_positive_rate[0]) * detector.nonfaces)
    return _share(count, detector.nonfaces)


def without_noise(detector: Arm, definition: Definition) -> Estimate:
    """Var[A] less what portraits add to it on average; NaN for one group or a single portrait."""
    if detector.scores is None or not detector.can_differ:
        return Estimate(float("nan"))
    single = replace(definition, runs="last")
    found = thresholds.detections(detector, None)
    scores = detector.scores
    value = noise.unbiased_variance(
        found, scores.group, len(detector.groups), single, scores.cluster
    )
    if np.isnan(value):
        return Estimate(float("nan"))
    parts = fixed(arm_parts.parts(detector, "variance", single))
    less = float(parts.value - value)
    interval = operating_points.interval_of(parts, detector, "variance", single, less=less)
    return Estimate(float(value), interval)


def fixed(parts: Parts) -> Parts:
    """The parts of one network's statistic as those of two runs that are the same.

    So the variance between runs is 0 and known to be: what is left is that of the photographs.
    """
    return replace(parts, runs=np.repeat(parts.value[..., None], 2, axis=-1))


def _is_exact(detector: Arm) -> bool:
    """Whether its portraits are independent, as far as is known."""
    return detector.scores is None or detector.scores.cluster is None


def _detected(detector: Arm) -> intervals.Floats:
    return np.asarray(np.round(detector.recall[0] * detector.sizes))


def _share(count: int, of: int) -> Estimate:
    found: Interval = intervals.clopper_pearson(count, of)
    return Estimate(count / of, found)
