"""Arms less their placebos: the weights of an arm, and the same weights on the wrong faces.

A placebo's faces are drawn as unevenly as the arm's, so the difference is what it matters which
faces are favoured. It is read where the study's primary claim is, or as the variance at logit 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from repro.analysis import claims, portrait_clusters
from repro.analysis.outcomes import Arm, Outcomes
from repro.stats import components, power, rounding
from repro.stats.clusters import LEAST
from repro.stats.components import Parts
from repro.stats.intervals import LEVEL, NOWHERE, Interval
from repro.study.claims import Claim
from repro.study.gap_share import BETTER

PLACEBO = "placebo"  # name of the rule
MOST_FREE = 1e4  # degrees of freedom, beyond which the power does not change


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboContrast:
    """An arm less its placebo, paired by seed; values in the unit of the claim.

    Attributes:
        arm: Its name.
        placebo: Name of the other.
        within: Where its weights are dealt: over ``all`` faces, or within ``groups``.
        permutation: One for the ``run``, or a new one in each ``epoch``.
        claim: Whose quantity is read, at its threshold.
        value: Of the difference; NaN if unknown.
        interval: For new seeds and photographs.
        seen: The smallest difference that 80 % of such studies would see; NaN if unknown.
        pairs: Number of seeds.
        sd: Standard deviation of the pairs' differences (ddof 1); NaN if unknown.
        reason: Why there is no value, or no interval; empty if there are both.
        doubts: Why the interval cannot be trusted, by arm.
    """

    arm: str
    placebo: str
    within: str
    permutation: str
    claim: Claim
    value: float = float("nan")
    interval: Interval = NOWHERE
    seen: float = float("nan")
    pairs: int = 0
    sd: float = float("nan")
    reason: str = ""
    doubts: tuple[str, ...] = ()


def contrasts(outcomes: Outcomes) -> list[PlaceboContrast]:
    """Every arm with a placebo that has ended, less it; empty without any.

    Args:
        outcomes: With scores.
    """
    return list(_contrasts(outcomes))


def _contrasts(outcomes: Outcomes) -> Iterator[PlaceboContrast]:
    claim = _read_as(outcomes)
    for placebo in outcomes.arms:
        rule = _resampling(placebo)
        arm = source_of(placebo, outcomes.arms)
        if rule.get("rule") != PLACEBO or arm is None:
            continue
        parameters = rule.get("parameters", {})
        told = PlaceboContrast(
            arm=arm.name,
            placebo=placebo.name,
            within=str(parameters.get("within", "all")),
            permutation=str(parameters.get("permutation", "run")),
            claim=claim,
        )
        yield _contrast(outcomes, told, [placebo, arm])


def _resampling(arm: Arm) -> dict[str, Any]:
    found = arm.configured.get("resampling")
    return dict(found) if isinstance(found, dict) else {}


def source_of(arm: Arm, arms: Sequence[Arm]) -> Arm | None:
    """The arm whose runs this one's started from; None without one in this study.

    By the keys of the source runs, since another study may call the arm otherwise.
    """
    sources = set(arm.sources)
    return next((one for one in arms if sources & set(one.keys)), None)


def _read_as(outcomes: Outcomes) -> Claim:
    """The primary claim if it is on a quantity of detectors, else the variance at logit 0."""
    for one in outcomes.claims:
        if one.claim.primary and one.claim.quantity in BETTER:
            return one.claim
    return Claim.model_validate(
        {
            "name": "the groups are more equal than with the placebo",
            "quantity": "variance",
            "read_at": {"logit": 0},
            "contrast": {"arm": "arm", "less": "placebo"},
            "expect": "lower",
            "smallest_effect": {"absolute": 1.0},
        }
    )


def _contrast(outcomes: Outcomes, told: PlaceboContrast, arms: Sequence[Arm]) -> PlaceboContrast:
    pairs = claims.common(arms)
    told = replace(told, pairs=pairs[0].runs, doubts=claims.doubts_of(outcomes, arms))
    if why := claims.unreadable(told.claim, arms, pairs):
        return replace(told, reason=why)
    placebo, arm = claims.statistics(told.claim, pairs, outcomes.definition)
    return _measured(told, arm.minus(placebo), portrait_clusters.refusal(outcomes, arms))


def _measured(told: PlaceboContrast, apart: Parts, few_clusters: str) -> PlaceboContrast:
    scale = claims.unit(told.claim)
    told = replace(told, value=scale * float(apart.value))
    if rounding.constant(apart.runs):
        return replace(told, reason="all pairs differ by the same, which tells nothing of others")
    if apart.fewest_clusters < LEAST:
        return replace(told, reason=few_clusters)
    low, high = components.interval(apart, level=LEVEL)
    variance = float(apart.runs.var(ddof=1))
    error, free = components.standard_error(
        variance, told.pairs, told.pairs - 1, *map(float, apart.photographs)
    )
    return replace(
        told,
        interval=Interval(scale * low, scale * high),
        seen=scale * error * power.detectable(min(free, MOST_FREE)),
        sd=scale * variance**0.5,
    )
