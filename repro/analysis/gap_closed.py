"""How much of a gap each arm of a study closes, where its primary claim is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from repro.analysis import arm_parts, claim_findings, claims
from repro.analysis.outcomes import Arm, Outcomes
from repro.stats import gap_share
from repro.stats.disparity import Definition
from repro.stats.gap_share import GapShare
from repro.stats.intervals import Floats
from repro.study.claims import Claim
from repro.study.gap_share import BETTER

FEWEST = 3  # seeds: a variance without noise takes two, and one of them is left out in turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The share of a gap that an arm closes; values as in the primary claim's unit.

    Attributes:
        arm: Its name.
        ceiling: The arm that shows how far the gap can be closed.
        reference: The arm with the gap.
        claim: Whose quantity is read, at its threshold.
        found: Share, numerator and denominator; None if nothing can be read.
        reason: Why nothing can be read; empty if something can.
        doubts: Why the interval cannot be trusted, by arm.
    """

    arm: str
    ceiling: str
    reference: str
    claim: Claim
    found: GapShare | None = None
    reason: str = ""
    doubts: tuple[str, ...] = ()


def closings(outcomes: Outcomes) -> list[Closing]:
    """Each arm with each ceiling; empty if the study does not ask for them.

    Args:
        outcomes: With scores.
    """
    main = next((one.claim for one in outcomes.claims if one.claim.primary), None)
    if outcomes.gap_share is None or main is None:
        return []
    return list(_closings(outcomes, main))


def _closings(outcomes: Outcomes, main: Claim) -> Iterator[Closing]:
    planned = {arm.name: arm for arm in outcomes.arms}
    asked = outcomes.gap_share
    assert asked is not None
    reference = asked.reference or outcomes.reference
    for arm, ceiling in asked.pairs():
        told = Closing(arm=arm, ceiling=ceiling, reference=reference, claim=main)
        yield _closing(outcomes, told, [planned[name] for name in (reference, arm, ceiling)])


def _closing(outcomes: Outcomes, told: Closing, arms: Sequence[Arm]) -> Closing:
    pairs = claims.common(arms)
    if why := claims.unreadable(told.claim, arms, pairs) or _few(told.claim, pairs[0]):
        return replace(told, reason=why)
    values = [lower_is_better(told.claim, arm, outcomes.definition) for arm in pairs]
    if np.isnan(values).any():
        return replace(told, reason="a group has one portrait, whose noise cannot be removed")
    return replace(
        told, found=gap_share.gap_share(*values), doubts=claims.doubts_of(outcomes, arms)
    )


def _few(claim: Claim, arm: Arm) -> str:
    if claim.quantity != "variance" or arm.runs >= FEWEST:
        return ""
    return f"its arms have {arm.runs} seeds in common, and a variance without noise takes {FEWEST}"


def lower_is_better(claim: Claim, arm: Arm, definition: Definition) -> Floats:
    """Values of an arm's seeds of a claim's quantity, in its unit, shape (R,).

    A variance is that without the noise of seeds and portraits. Of a quantity of which more is
    better the values are negative.
    """
    if claim.quantity == "variance":
        rate = claim.read_at.false_positive_rate if claim.read_at else None
        return claim_findings.SQUARED * arm_parts.variances_without_noise(arm, definition, rate)
    (found,) = claims.statistics(claim, [arm], definition)
    return np.asarray(-BETTER[claim.quantity] * claims.unit(claim) * found.runs)
