"""The claims of a study, answered from its runs: the effect, its interval and one of four words.

An effect is the value of an arm minus that of another, over their common seeds. For a trend it is
the change from the first arm to the last one along a straight line (least squares, the arms
equally far apart). Intervals speak of new seeds and new photographs, by the method of
`components`; for shares of runs they are exact. The primary claim has its own level, the others
share one error of 5 % (Bonferroni).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from repro.analysis import (
    arm_parts,
    bad_runs,
    looks,
    matched,
    operating_points,
    own_metrics,
    portrait_clusters,
    thresholds,
    tone,
)
from repro.analysis.claim_findings import PERCENT, SQUARED, Finding, is_variance
from repro.analysis.object_cache import cached_by_owner
from repro.analysis.outcomes import Arm, Outcomes
from repro.analysis.wording import count
from repro.stats import (
    components,
    conclusions,
    intervals,
    operating,
    proportions,
    rounding,
)
from repro.stats.clusters import LEAST
from repro.stats.components import Parts
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import LEVEL, NOWHERE, Interval
from repro.study.claims import Claim, Declared

STATISTIC = {"recall": "recall", "variance": "variance", "gap": "gap", "worst_group": "worst"}
_TAKES_TWO = {
    "variance": "a variance",
    "gap": "a gap",
    "auc_variance": "a variance of areas under the curve",
}
_ALL_ALIKE = "all pairs differ by the same, which tells nothing of others"
_ALL_BEYOND = "all pairs are as far from the ratio, which tells nothing of others"


def is_share(claim: Claim) -> bool:
    """Whether it is about a share of an arm's runs."""
    return claim.is_share


def findings(outcomes: Outcomes) -> list[Finding]:
    """The answer to each claim, in the order of the study file.

    The primary claim's interval has a higher level where it is looked at repeatedly, see `looks`.

    Args:
        outcomes: With scores.
    """
    others = sum(not one.claim.primary for one in outcomes.claims)
    return [
        _at_level(
            outcomes,
            one,
            looks.level(outcomes, one) if one.claim.primary else 1 - (1 - LEVEL) / others,
        )
        for one in outcomes.claims
    ]


def _at_level(outcomes: Outcomes, declared: Declared, level: float) -> Finding:
    if level < looks.WIDEST:
        return _finding(outcomes, declared, level)
    found = _finding(outcomes, declared, LEVEL)
    return replace(
        found,
        word=conclusions.CANNOT_TELL,
        interval=NOWHERE,
        level=level,
        exceeds=False,
        opposite=False,
        reason=found.reason or looks.TOO_FEW,
    )


def primary_alone(outcomes: Outcomes) -> Finding:
    """The answer to the primary claim of a study with claims, without those to the others."""
    declared = next(one for one in outcomes.claims if one.claim.primary)
    return _at_level(outcomes, declared, looks.level(outcomes, declared))


def primary(found: Sequence[Finding]) -> Finding | None:
    """The answer to the primary claim; None if the study has no claims."""
    return next((one for one in found if one.claim.primary), None)


@cached_by_owner()
def _finding(outcomes: Outcomes, declared: Declared, level: float) -> Finding:
    planned = {arm.name: arm for arm in outcomes.arms}
    arms = [planned[name] for name in declared.arms]
    unknown = Finding(
        declared=declared,
        word=conclusions.CANNOT_TELL,
        level=level,
        started=min(arm.wanted for arm in arms),
        metric=outcomes.own_metric(declared.claim.quantity),
        sampled=portrait_clusters.sampled(outcomes, arms),
    )
    if is_share(declared.claim):
        return _of_shares(unknown, *arms)
    pairs = common(arms)
    unknown = replace(unknown, pairs=len(pairs[0].seeds), doubts=doubts_of(outcomes, arms))
    if why := unreadable(declared.claim, arms, pairs):
        return replace(unknown, reason=why)
    if declared.claim.is_metric:
        return _of_metric(unknown, pairs)
    if declared.claim.quantity == "tone_slope":
        return _of_tone(outcomes, unknown, pairs)
    few = portrait_clusters.refusal(outcomes, pairs)
    if declared.claim.expect == "largest":
        return _largest(unknown, pairs, few)
    return _changed(unknown, statistics(declared.claim, pairs, outcomes.definition), few)


def _of_metric(unknown: Finding, pairs: Sequence[Arm]) -> Finding:
    """The answer to a claim on a metric of a plug-in."""
    claim, metric = unknown.claim, unknown.metric
    if metric is None:
        return replace(unknown, reason=own_metrics.missing(claim.quantity))
    rate = claim.read_at.false_positive_rate if claim.read_at else None
    return _changed(unknown, [own_metrics.parts(arm, metric, rate) for arm in pairs])


def _of_tone(outcomes: Outcomes, unknown: Finding, pairs: Sequence[Arm]) -> Finding:
    """The answer to a claim on the change of recall over a scale of skin tone."""
    if why := tone.refusal(outcomes, pairs):
        return replace(unknown, reason=why)
    assert unknown.claim.read_at is not None
    rate = unknown.claim.read_at.false_positive_rate
    few = tone.few(outcomes, pairs[0])
    found = _changed(unknown, [tone.parts(arm, outcomes.tone, rate) for arm in pairs], few)
    return replace(found, interval=NOWHERE, word=conclusions.CANNOT_TELL) if few else found


def common(arms: Sequence[Arm]) -> list[Arm]:
    """The arms with the seeds that all of them have results for."""
    shared = set.intersection(*(set(arm.seeds) for arm in arms))
    seeds = tuple(seed for seed in arms[0].seeds if seed in shared)
    return [operating_points.only(arm, seeds) for arm in arms]


def doubts_of(outcomes: Outcomes, arms: Sequence[Arm]) -> tuple[str, ...]:
    """Why the interval cannot be trusted, arms with runs far from the others first."""
    known = sorted((arm for arm in arms if arm.runs), key=lambda arm: not bad_runs.far(arm))
    found = [(arm.name, bad_runs.untrusted(outcomes, arm)) for arm in known]
    return tuple(f"{name}: {why}" for name, why in found if why)


def unreadable(claim: Claim, arms: Sequence[Arm], pairs: Sequence[Arm]) -> str:
    """Why the claim has no value or no interval; empty if it has one."""
    if empty := [arm.name for arm in arms if not arm.runs]:
        return f"{' and '.join(empty)} {'has' if len(empty) == 1 else 'have'} no run with results"
    if len(pairs[0].seeds) < 2:
        planned, few = max(arm.wanted for arm in arms), len(pairs[0].seeds)
        return (
            f"{few or 'none'} of {count(planned, 'planned seed')} "
            f"{'have' if few > 1 else 'has'} results in all its arms, and an interval takes 2"
        )
    if any(arm.scores is None for arm in pairs):
        return "the scores of its runs are missing"
    if claim.group is not None and claim.group not in pairs[0].groups:
        return f"no group is called '{claim.group}'; the groups are {', '.join(pairs[0].groups)}"
    if claim.quantity in ("variance", "gap", "auc_variance") and not arms[0].can_differ:
        return f"the test portraits have one group, and {_TAKES_TWO[claim.quantity]} takes two"
    return _unreadable_threshold(claim, pairs)


def _unreadable_threshold(claim: Claim, pairs: Sequence[Arm]) -> str:
    photographs = thresholds.nonfaces(pairs[0])
    if claim.quantity in ("auc_variance", "false_positive_rate") and not photographs:
        return "there are no photographs without a face"
    if claim.read_at is None:
        return ""
    rate = claim.read_at.false_positive_rate
    if rate is not None and not operating.supports(rate, photographs):
        return operating.too_few(rate, photographs)
    if claim.read_at.matched_to is not None:
        why = matched.refusal(pairs[1], pairs[0])
        return why and f"the false-positive rates cannot be matched: {why}"
    return ""


def statistics(claim: Claim, arms: Sequence[Arm], definition: Definition) -> list[Parts]:
    """A claim's quantity in each arm, for one that is not `unreadable`."""
    if claim.quantity == "auc_variance":
        return [arm_parts.area_variance(arm) for arm in arms]
    if claim.quantity == "false_positive_rate":
        return [one for arm in arms if (one := arm_parts.false_positives(arm)) is not None]
    name = STATISTIC.get(claim.quantity) or arm_parts.of_group(str(claim.group))
    return _at_threshold(claim, arms, name, definition)


def _at_threshold(
    claim: Claim, arms: Sequence[Arm], name: str, definition: Definition
) -> list[Parts]:
    assert claim.read_at is not None
    if claim.read_at.matched_to is not None:
        ours, theirs = matched.pair(arms[1], arms[0], name, definition)
        return [theirs, ours]
    rate = claim.read_at.false_positive_rate
    return [arm_parts.parts(arm, name, definition, rate) for arm in arms]


def _changed(unknown: Finding, of_arms: Sequence[Parts], few: str = "") -> Finding:
    """The answer to a claim on the change from the first arm to the last.

    Args:
        unknown: What is known without values.
        of_arms: The quantity in each arm.
        few: Why there is no interval where the clusters of portraits are too few.
    """
    claim, first = unknown.claim, of_arms[0]
    weights, scale = _weights(len(of_arms)), _unit(unknown)
    change = components.combined(list(zip(weights, of_arms, strict=True)))
    smallest = _smallest(claim, float(first.value), scale)
    told = replace(
        unknown,
        first=scale * float(first.value),
        last=scale * float(of_arms[-1].value),
        smallest=smallest,
    )
    told = _measured(told, change, scale)
    if change.fewest_clusters < LEAST:
        return replace(told, reason=few, hopeless=True)
    if rounding.constant(change.runs):
        return replace(told, reason=_ALL_ALIKE)
    interval = components.interval(change, level=told.level)
    bounded = replace(told, interval=_scaled(interval, scale))
    if claim.expect == "kept":
        return replace(bounded, word=conclusions.equivalent(bounded.interval, smallest))
    _, turned = bounded.turned
    beyond = _beyond(bounded, weights, of_arms)
    if math.isnan(beyond.high):
        return replace(told, reason=few or _ALL_BEYOND)
    told = bounded
    return replace(
        told,
        word=conclusions.conclude(turned.low, beyond.high),
        exceeds=conclusions.at_least(beyond.low),
        opposite=conclusions.reverses(turned.high),
    )


def _weights(arms: int) -> list[float]:
    """Factors of the arms' values in the change along the line: -1 and 1 for two arms."""
    places = np.arange(arms) - (arms - 1) / 2
    return [float(one) for one in (arms - 1) * places / (places**2).sum()]


def _unit(found: Finding) -> float:
    return own_metrics.scale(found.metric) if found.metric is not None else unit(found.claim)


def unit(claim: Claim) -> float:
    """Table units of its quantity per unit used here."""
    return SQUARED if is_variance(claim) else PERCENT


def _smallest(claim: Claim, first: float, scale: float) -> float:
    effect = claim.smallest_effect
    if effect.absolute is not None:
        return effect.absolute
    assert effect.ratio is not None
    return abs(1 - effect.ratio) * scale * first


def _measured(told: Finding, change: Parts, scale: float) -> Finding:
    return replace(
        told,
        effect=scale * float(change.value),
        spread=scale * intervals.sd(change.runs),
        noise=scale**2 * float(change.of_photographs),
    )


def _scaled(interval: Interval, scale: float) -> Interval:
    return Interval(scale * interval.low, scale * interval.high)


def _beyond(told: Finding, weights: Sequence[float], of_arms: Sequence[Parts]) -> Interval:
    """Of the turned effect minus the smallest one; for a ratio Fieller's statistic."""
    effect, scale = told.claim.smallest_effect, _unit(told)
    if effect.ratio is None:
        _, turned = told.turned
        return Interval(*(conclusions.minus(end, told.smallest) for end in turned))
    first, *rest = (told.sign * weight for weight in weights)
    factors = [first - abs(1 - effect.ratio), *rest]
    beyond = components.combined(list(zip(factors, of_arms, strict=True)))
    if rounding.constant(beyond.runs):
        return NOWHERE
    return _scaled(components.interval(beyond, level=told.level), scale)


def _of_shares(unknown: Finding, first: Arm, last: Arm) -> Finding:
    """The answer to a claim on the share of runs that fail, or that collapse."""
    counts = [_count(unknown.claim, arm) for arm in (first, last)]
    (k, n), (j, m) = counts
    told = replace(unknown, pairs=min(n, m), smallest=_smallest(unknown.claim, 0.0, PERCENT))
    if not min(n, m):
        return replace(told, reason="no run of one of its arms has ended")
    shares = [PERCENT * k / n, PERCENT * j / m]
    told = replace(told, first=shares[0], last=shares[1], effect=shares[1] - shares[0])
    interval = proportions.difference_interval(j, m, k, n, level=told.level)
    told = replace(told, interval=_scaled(interval, PERCENT))
    if unknown.claim.expect == "kept":
        return replace(told, word=conclusions.equivalent(told.interval, told.smallest))
    _, turned = told.turned
    return replace(
        told,
        word=conclusions.of_interval(turned, told.smallest),
        exceeds=conclusions.at_least(conclusions.minus(turned.low, told.smallest)),
        opposite=conclusions.reverses(turned.high),
    )


def _count(claim: Claim, arm: Arm) -> tuple[int, int]:
    """Runs of this kind, and all runs that have ended."""
    ended = arm.runs + len(arm.failed) + len(arm.collapsed)
    if claim.quantity == "posterior_collapsed_share":
        return arm.posterior_collapsed, arm.runs
    return len(arm.failed if claim.quantity == "failed_share" else arm.collapsed), ended


def _largest(unknown: Finding, pairs: Sequence[Arm], few: str) -> Finding:
    """The answer to "this group gains more than each other": the smallest of the differences.

    Its lower end is the smallest of the differences' lower ends, each at the full level (an
    intersection-union test); the upper end is the smallest of the upper ends at a shared level.
    """
    claim, group = unknown.claim, str(unknown.claim.group)
    others = [name for name in pairs[0].groups if name != group]
    if not others:
        return replace(unknown, reason="the test portraits have one group, and a gain is compared")
    gains = {name: _gain(claim, pairs, name) for name in pairs[0].groups}
    apart = [gains[group].minus(gains[name]) for name in others]
    nearest = apart[int(np.argmin([float(one.value) for one in apart]))]
    told = _measured(unknown, nearest, PERCENT)
    told = replace(told, smallest=_smallest(claim, float("nan"), PERCENT))
    first, *_, last = statistics(claim, pairs, DEFINITIONS["dehaan2020"])
    told = replace(told, first=PERCENT * float(first.value), last=PERCENT * float(last.value))
    if min(one.fewest_clusters for one in apart) < LEAST:
        return replace(told, reason=few, hopeless=True)
    if any(rounding.constant(one.runs) for one in apart):
        return replace(told, reason=_ALL_ALIKE)
    shared = 1 - (1 - told.level) / len(others)
    low = min(components.interval(one, level=told.level).low for one in apart)
    high = min(components.interval(one, level=shared).high for one in apart)
    interval = _scaled(Interval(low, high), PERCENT)
    return replace(
        told,
        interval=interval,
        word=conclusions.of_interval(interval, told.smallest),
        exceeds=conclusions.at_least(conclusions.minus(interval.low, told.smallest)),
        opposite=conclusions.reverses(interval.high),
    )


def _gain(claim: Claim, pairs: Sequence[Arm], group: str) -> Parts:
    name, definition = arm_parts.of_group(group), DEFINITIONS["dehaan2020"]
    of_arms = _at_threshold(claim, pairs, name, definition)
    return components.combined(list(zip(_weights(len(of_arms)), of_arms, strict=True)))
