"""An arm at a threshold: recall, variance, gap and worst group, with their intervals.

The threshold is logit 0, as in the papers, or that of a given false-positive rate: a detector with
more false positives has more recall and smaller gaps without being fairer. All intervals are for
new seeds and new photographs, by the method of `components`; at equal false-positive rates this
includes the uncertainty of the threshold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from repro.analysis import arm_parts, portrait_clusters, thresholds
from repro.analysis.arm_parts import ESTIMATED
from repro.analysis.object_cache import cached_by_owner
from repro.analysis.outcomes import Arm, Outcomes
from repro.stats import components, disparity, intervals, noise, operating, redrawn, rounding
from repro.stats.components import Parts, Pooled
from repro.stats.disparity import Definition
from repro.stats.intervals import NOWHERE, Floats, Integers, Interval

BETTER = {"recall": 1, "variance": -1, "gap": -1, "worst": 1}  # sign of an improvement


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its interval; its ends are NaN if undefined.

    Attributes:
        value: NaN if it is not defined.
        interval: 95 %.
        sd: Standard deviation of the values of single runs (ddof 1); NaN for one run.
        samples: Number of redrawn samples that its interval is made of at a false-positive rate.
    """

    value: float
    interval: Interval = NOWHERE
    sd: float = float("nan")
    samples: int = redrawn.MOST

    @property
    def is_above_zero(self) -> bool:
        """Whether the interval lies above 0 by more than its Monte Carlo error at given rates."""
        monte_carlo = 3 / (2 * self.samples) ** 0.5  # relative error of a half-width, 3 sd
        return bool(self.interval.low > monte_carlo * (self.value - self.interval.low))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One arm at one threshold, all runs with results.

    Attributes:
        rate: False-positive rate that sets each run's threshold; None for logit 0.
        false_positives: At logit 0 the observed mean over the runs; at a rate the true rate of a
            run's threshold, with the interval of its Beta distribution; NaN without photographs.
        recall: Of each run and group, in [0, 1], shape (R, K).
        of: Estimate by quantity: `ESTIMATED`.
    """

    rate: float | None
    false_positives: Estimate
    recall: Floats
    of: Mapping[str, Estimate]


def reading(
    outcomes: Outcomes, arm: Arm, definition: Definition, *, rate: float | None = None
) -> Reading:
    """Estimates of an arm at a threshold.

    Args:
        outcomes: Of its study, over whose arms the spread between runs is pooled.
        arm: With runs.
        definition: Of the mean and the variance.
        rate: False-positive rate; None for logit 0, the only one without scores.
    """
    return _reading(outcomes, arm, definition, rate)


@cached_by_owner()
def _reading(outcomes: Outcomes, arm: Arm, definition: Definition, rate: float | None) -> Reading:
    recall = thresholds.recalls(arm, rate)
    own = own_quantities(recall, arm.sizes, definition)
    found = {}
    for name, value in quantities_of(recall, arm.sizes, definition).items():
        interval = NOWHERE
        if not np.isnan(value):
            interval = _interval(outcomes, arm, name, definition, rate)
        found[name] = Estimate(float(value), interval, intervals.sd(own[name]))
    false = false_positives(outcomes, arm) if rate is None else true_rate(arm, rate)
    return Reading(rate=rate, false_positives=false, recall=recall, of=found)


def _interval(
    outcomes: Outcomes, arm: Arm, name: str, definition: Definition, rate: float | None
) -> Interval:
    if portrait_clusters.are_unknown(outcomes, arm):
        return NOWHERE
    found = arm_parts.parts(arm, name, definition, rate)
    return interval_of(
        found, arm, name, definition, pooled=arm_parts.pooled(outcomes, name, definition, rate)
    )


def interval_of(
    found: Parts,
    arm: Arm,
    name: str,
    definition: Definition,
    *,
    pooled: Pooled | None = None,
    less: float = 0.0,
) -> Interval:
    """The interval of a quantity of an arm, or of the recall of a group.

    Args:
        found: Its parts.
        arm: Of which.
        name: One of `ESTIMATED`, or `arm_parts.of_group`.
        definition: Of the mean and the variance.
        pooled: Spread between runs over all arms, or None.
        less: Noise that is subtracted from a variance.
    """
    if name == "variance":
        most = disparity.largest_variance(len(arm.groups), definition.ddof)
        return components.variance_interval(found, most, pooled, less=less)
    if name == "gap":
        return components.interval(found, pooled, within=Interval(0.0, 1.0))
    portraits = int(arm.sizes.sum() if name == "recall" else arm.sizes[found.detected.argmax()])
    return components.share_interval(found, portraits, pooled)


def quantities_of(recall: Floats, sizes: Integers, definition: Definition) -> dict[str, Floats]:
    """As `disparity.quantities`; NaN for the variance and gap of a single group."""
    if recall.shape[-1] > 1:
        return disparity.quantities(recall, sizes, definition)
    means = disparity.mean_recall(recall, sizes, definition)
    nowhere = np.full_like(means, np.nan)
    return {
        "recall": means,
        "variance": nowhere,
        "gap": nowhere,
        "worst": disparity.worst(recall),
    }


def own_quantities(recall: Floats, sizes: Integers, definition: Definition) -> Mapping[str, Floats]:
    """Each quantity of each run, shape (R,); the worst group is that of the mean over runs."""
    lowest = rounding.lowest(recall.mean(axis=0))
    return {
        **disparity.run_quantities(recall, sizes, definition),
        "worst": recall[:, lowest],
    }


def group_estimates(outcomes: Outcomes, arm: Arm) -> list[Estimate]:
    """Recall of each group at logit 0, mean over the runs."""
    return _group_estimates(outcomes, arm)


@cached_by_owner()
def _group_estimates(outcomes: Outcomes, arm: Arm) -> list[Estimate]:
    definition, found = disparity.DEFINITIONS["dehaan2020"], []
    for k, group in enumerate(arm.groups):
        name = arm_parts.of_group(group)
        parts = arm_parts.parts(arm, name, definition)
        pooled = arm_parts.pooled(outcomes, name, definition)
        interval = components.share_interval(parts, int(arm.sizes[k]), pooled)
        if portrait_clusters.are_unknown(outcomes, arm):
            interval = NOWHERE
        found.append(Estimate(float(parts.value), interval, intervals.sd(arm.recall[:, k])))
    return found


def false_positives(outcomes: Outcomes, arm: Arm) -> Estimate:
    """Mean share of the photographs without a face that are detected at logit 0."""
    parts = arm_parts.false_positives(arm)
    if parts is None or arm.false_positive_rate is None:
        return Estimate(float("nan"))
    pooled = arm_parts.pooled_false_positives(outcomes)
    interval = components.share_interval(parts, arm.nonfaces, pooled)
    return Estimate(float(parts.value), interval, intervals.sd(arm.false_positive_rate))


def true_rate(arm: Arm, rate: float) -> Estimate:
    """The rate of the threshold among new photographs."""
    count = thresholds.nonfaces(arm)
    at_rank = operating.rank(rate, count)
    return Estimate(
        operating.expected_rate(at_rank, count), operating.rate_interval(at_rank, count)
    )


def without_noise(outcomes: Outcomes, arm: Arm, definition: Definition) -> Estimate:
    """Var[A] without the noise of seeds and portraits, and its interval; needs scores.

    NaN without scores, for a group of one portrait, and for one run that is averaged first.
    """
    return _without_noise(outcomes, arm, definition)


@cached_by_owner()
def _without_noise(outcomes: Outcomes, arm: Arm, definition: Definition) -> Estimate:
    if arm.scores is None or not arm.can_differ:
        return Estimate(float("nan"))
    found = thresholds.detections(arm, None)
    value = noise.unbiased_variance(
        found, arm.scores.group, len(arm.groups), definition, arm.scores.cluster
    )
    if np.isnan(value):
        return Estimate(float("nan"))
    parts = arm_parts.parts(arm, "variance", definition)
    most = disparity.largest_variance(len(arm.groups), definition.ddof)
    pooled = arm_parts.pooled(outcomes, "variance", definition)
    return Estimate(
        float(value),
        components.variance_interval(parts, most, pooled, less=float(parts.value - value)),
    )


def standard_error(values: Floats) -> float:
    """Of the mean of runs' values: sample standard deviation over root of R; NaN for one run."""
    return intervals.sd(values) / float(np.sqrt(len(values)))


def difference(
    arm: Arm, reference: Arm, definition: Definition, *, rate: float | None = None
) -> Mapping[str, Estimate]:
    """Arm minus reference for each quantity, over their common seeds.

    With scores of the same photographs there are intervals; the spread is that of the pairs alone,
    because a fault that both arms share falls out of their difference. Pairs that all differ by
    the same show no spread, so that nothing is known of new seeds: there is no interval.
    """
    return _difference(arm, reference, definition, rate)


@cached_by_owner()
def _difference(
    arm: Arm, reference: Arm, definition: Definition, rate: float | None
) -> Mapping[str, Estimate]:
    a, b = paired(arm, reference)
    ours, theirs = (
        quantities_of(thresholds.recalls(one, rate), one.sizes, definition) for one in (a, b)
    )
    own, others = (
        own_quantities(thresholds.recalls(one, rate), one.sizes, definition) for one in (a, b)
    )
    same, found = same_photographs(a, b), {}
    for name in ESTIMATED:
        value, interval = float(ours[name] - theirs[name]), NOWHERE
        if same and not np.isnan(value):
            one, other = (arm_parts.parts(arm, name, definition, rate) for arm in (a, b))
            parts = one.minus(other)
            if not rounding.constant(parts.runs):
                interval = components.interval(parts)
        found[name] = Estimate(value, interval, intervals.sd(own[name] - others[name]))
    return found


def of_kept(arm: Arm, keep: int, definition: Definition) -> Mapping[str, Estimate]:
    """The papers' columns: recall and variance of the best `keep` runs; NaN with fewer runs.

    They have no intervals: runs that were selected are no sample of new runs.
    """
    kept = arm.kept(keep)
    if not kept:
        return dict.fromkeys(("recall", "variance"), Estimate(float("nan")))
    recall = arm.recall[kept]
    own = own_quantities(recall, arm.sizes, definition)
    mean = float(disparity.mean_recall(recall, arm.sizes, definition))
    variance = float(disparity.variance(recall, definition)) if arm.can_differ else float("nan")
    return {
        "recall": Estimate(mean, sd=intervals.sd(own["recall"])),
        "variance": Estimate(variance, sd=intervals.sd(own["variance"])),
    }


def selection_bias(arm: Arm, keep: int, definition: Definition) -> Mapping[str, float]:
    """The papers' columns minus the same of all runs of their block; NaN with fewer runs."""
    kept = of_kept(arm, keep, definition)
    block = only(arm, arm.seeds_of_block)
    whole = quantities_of(block.recall, block.sizes, definition)
    return {name: kept[name].value - float(whole[name]) for name in kept}


def gain(
    arm: Arm,
    reference: Arm,
    quantity: str,
    definition: Definition,
    *,
    rate: float | None = None,
) -> Estimate:
    """Relative reduction of variance, or of missed faces, compared with the reference.

    Negative for an increase, NaN if the reference has none. The interval is that of the
    difference, divided by the reference's observed value.
    """
    a, b = paired(arm, reference)
    apart = difference(a, b, definition, rate=rate)[quantity]
    base = float(quantities_of(thresholds.recalls(b, rate), b.sizes, definition)[quantity])
    samples = redrawn.LEAST if arm.many else redrawn.MOST
    return replace(relative(apart, base, quantity), samples=samples)


def relative(apart: Estimate, base: float, quantity: str) -> Estimate:
    """A difference as a share of the reference's variance or misses, positive if it is better."""
    room = base if quantity == "variance" else 1 - base
    if room <= 0:
        return Estimate(float("nan"))
    ends = sorted(BETTER[quantity] * end / room for end in apart.interval)
    return Estimate(BETTER[quantity] * apart.value / room, Interval(*ends))


def paired(arm: Arm, reference: Arm) -> tuple[Arm, Arm]:
    """Both arms with their common seeds, in the same order."""
    if arm.seeds == reference.seeds:
        return arm, reference
    known = set(reference.seeds)
    seeds = tuple(seed for seed in arm.seeds if seed in known)
    return only(arm, seeds), only(reference, seeds)


def only(arm: Arm, seeds: tuple[int, ...]) -> Arm:
    """The same object if the arm has only these seeds, so that its cache is reused."""
    return arm if arm.seeds == seeds else _part(arm, seeds)


@cached_by_owner()
def _part(arm: Arm, seeds: tuple[int, ...]) -> Arm:
    return arm.only(seeds)


def same_photographs(a: Arm, b: Arm) -> bool:
    """Whether both arms have scores of as many portraits of each group and other photographs.

    Portraits in clusters are in the same ones.
    """
    if a.scores is None or b.scores is None:
        return False
    alike = (a.scores.cluster is None) == (b.scores.cluster is None)
    if alike and a.scores.cluster is not None and b.scores.cluster is not None:
        alike = np.array_equal(a.scores.cluster, b.scores.cluster)
    return (
        alike
        and np.array_equal(a.scores.group, b.scores.group)
        and a.scores.nonfaces.shape == b.scores.nonfaces.shape
    )
