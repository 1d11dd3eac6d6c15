"""The parts of the variance of an arm's statistics, at a threshold."""

from collections.abc import Mapping

import numpy as np

from repro.analysis import thresholds
from repro.analysis.object_cache import cached_by_owner
from repro.analysis.outcomes import Arm, Outcomes
from repro.metrics import says_face
from repro.stats import components, noise, operating, quantities, redrawn
from repro.stats.components import Parts, Pooled
from repro.stats.disparity import Definition
from repro.stats.intervals import Floats
from repro.stats.quantities import Quantity

ESTIMATED = ("recall", "variance", "gap", "worst")
_GROUP = "group "  # before a group's name: the recall of that group
_NEWEST = 64  # arms whose redrawn statistics are cached, 320 kB each
_NEWEST_PARTS = _NEWEST * 8  # statistics of arms: each holds a redrawn one of at most 80 kB


def of_group(name: str) -> str:
    """The statistic "recall of this group"."""
    return f"{_GROUP}{name}"


def parts(arm: Arm, name: str, definition: Definition, rate: float | None = None) -> Parts:
    """The parts of the variance of a statistic.

    Args:
        arm: With two groups or more for ``variance`` and ``gap``.
        name: One of `ESTIMATED`, or `of_group`.
        definition: Of the mean and the variance.
        rate: False-positive rate that sets each run's threshold; None for logit 0.
    """
    return _parts(arm, name, definition, rate)


@cached_by_owner(most=_NEWEST_PARTS)
def _parts(arm: Arm, name: str, definition: Definition, rate: float | None) -> Parts:
    redrawn_values = None
    if rate is not None:
        redrawn_values = _redrawn(arm, drawn_with(arm, name), definition, rate).get(name)
    return _of_recalls(arm, quantity_of(arm, name, definition), rate, redrawn_values)


def _of_recalls(
    arm: Arm, quantity: Quantity, rate: float | None = None, redrawn_values: Floats | None = None
) -> Parts:
    scores = arm.scores
    return components.parts(
        thresholds.recalls(arm, rate),
        quantity,
        arm.sizes,
        detected=None if scores is None else thresholds.detections(arm, rate),
        group=None if scores is None else scores.group,
        redrawn=redrawn_values,
        cluster=None if scores is None else scores.cluster,
    )


def quantity_of(arm: Arm, name: str, definition: Definition) -> Quantity:
    """A statistic of an arm's recalls, by the names of `parts`."""
    if name.startswith(_GROUP):
        k = arm.groups.index(name.removeprefix(_GROUP))
        return quantities.group_quantity(k, len(arm.groups))
    return quantities.quantity(name, arm.sizes, definition)


def drawn_with(arm: Arm, name: str) -> tuple[str, ...]:
    """The statistics that are redrawn together with this one: those of the arm, or all groups'."""
    if name not in ESTIMATED:
        return tuple(map(of_group, arm.groups))
    return tuple(one for one in ESTIMATED if arm.can_differ or one in ("recall", "worst"))


@cached_by_owner(most=_NEWEST)
def _redrawn(
    arm: Arm, names: tuple[str, ...], definition: Definition, rate: float
) -> Mapping[str, Floats]:
    """Each statistic at the thresholds of redrawn photographs without a face, shape (D,)."""
    assert arm.scores is not None
    made = [quantity_of(arm, name, definition) for name in names]
    found = redrawn.statistic(
        arm.scores.portraits,
        arm.scores.nonfaces,
        arm.scores.group,
        len(arm.groups),
        rate=rate,
        of=lambda recall: np.stack([one.value(recall) for one in made], axis=1),
        few=arm.many,
    )
    return dict(zip(names, np.ascontiguousarray(found.T), strict=True))


def pooled(
    outcomes: Outcomes, name: str, definition: Definition, rate: float | None = None
) -> Pooled | None:
    """The variance between runs of a statistic over all arms for which it is defined."""
    return _pooled(outcomes, name, definition, rate)


@cached_by_owner()
def _pooled(
    outcomes: Outcomes, name: str, definition: Definition, rate: float | None
) -> Pooled | None:
    known = [
        arm
        for arm in of_different_runs(outcomes)
        if arm.runs > 1
        and (len(arm.groups) > 1 or name not in ("variance", "gap"))
        and (not name.startswith(_GROUP) or name.removeprefix(_GROUP) in arm.groups)
        and (rate is None or thresholds.can_read(arm, rate))
    ]
    values = [
        quantity_of(arm, name, definition).pseudo_values(thresholds.recalls(arm, rate))
        for arm in known
    ]
    return components.pool(values)


def of_different_runs(outcomes: Outcomes) -> list[Arm]:
    """The arms with runs; of several that only rank the same runs differently, one."""
    own = {arm.keys or arm.name: arm for arm in outcomes.arms}
    return [arm for arm in own.values() if arm.runs]


@cached_by_owner()
def pooled_false_positives(outcomes: Outcomes) -> Pooled | None:
    """The variance between runs of the false-positive rate at logit 0, over all arms."""
    rates = [arm.false_positive_rate for arm in of_different_runs(outcomes)]
    return components.pool([one for one in rates if one is not None])


def false_positives(arm: Arm) -> Parts | None:
    """The parts of the mean false-positive rate at logit 0; None without photographs."""
    if arm.false_positive_rate is None:
        return None
    recall = arm.false_positive_rate[:, None]
    scores = arm.scores if arm.scores is not None and arm.scores.nonfaces.shape[1] else None
    return components.parts(
        recall,
        quantities.group_quantity(0, 1),
        np.array([arm.nonfaces]),
        detected=None if scores is None else says_face(scores.nonfaces).astype(np.float64),
        group=None if scores is None else np.zeros(scores.nonfaces.shape[1], dtype=np.int64),
    )


def variances_without_noise(arm: Arm, definition: Definition, rate: float | None = None) -> Floats:
    """Pseudo-value of each run of the variance without the noise of seeds and portraits.

    Their mean is `noise.unbiased_variance` of all runs. NaN without scores, for a group of one
    portrait, and for fewer than three runs that are averaged first.

    Args:
        arm: With two groups or more.
        definition: Of the variance.
        rate: False-positive rate that sets each run's threshold; None for logit 0.

    Returns:
        Shape (R,), squared fractions.
    """
    return _variances_without_noise(arm, definition, rate)


@cached_by_owner()
def _variances_without_noise(arm: Arm, definition: Definition, rate: float | None) -> Floats:
    if arm.scores is None:
        return np.full(arm.runs, np.nan)
    found, group, groups = thresholds.detections(arm, rate), arm.scores.group, len(arm.groups)
    cluster = arm.scores.cluster

    def without_noise(detected: Floats) -> float:
        return float(noise.unbiased_variance(detected, group, groups, definition, cluster))

    if definition.runs == "last":
        return np.array([without_noise(run[None]) for run in found])
    others = np.array([without_noise(np.delete(found, at, axis=0)) for at in range(arm.runs)])
    return np.asarray(arm.runs * without_noise(found) - (arm.runs - 1) * others)


def logit_variance(arm: Arm) -> Parts:
    """The parts of the variance between the logits of the groups' recalls, at logit 0."""
    return _of_recalls(arm, quantities.logit_variance(arm.sizes))


def area_variance(arm: Arm) -> Parts:
    """The parts of the variance between the groups' areas under the curve (DeLong et al. 1988)."""
    assert arm.scores is not None
    scores, groups = arm.scores, range(len(arm.groups))
    pairs = list(zip(scores.portraits, scores.nonfaces, strict=True))
    above = [[1 - operating.placements(n, p[scores.group == k]) for k in groups] for p, n in pairs]
    return components.parts(
        thresholds.areas(arm),
        quantities.plain_variance(),
        arm.sizes,
        detected=thresholds.placements(arm),
        group=scores.group,
        nonfaces=np.array(above),
        cluster=scores.cluster,
    )
