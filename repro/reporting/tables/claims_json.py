"""A study's answer and claims as fields for programs."""

import math
from typing import Any

from repro.analysis import claim_findings, claims
from repro.analysis.claim_findings import Finding
from repro.analysis.outcomes import Outcomes
from repro.reporting.tables import answer
from repro.stats import conclusions

_METHOD = "paired runs and photographs, Student's quantile"
_OF_METRIC = "paired runs, Student's quantile; these photographs"
_UNITS = {"points": "points", "percent squared": "percent_squared"}
_EXACT = "exact unconditional, score statistic (Chan & Zhang 1999)"


def fields(outcomes: Outcomes) -> dict[str, Any]:
    """``answer``, its sentences, and ``claims``; null and empty without claims.

    ``comparison`` is the sentence on detectors that were trained elsewhere, or null.

    Args:
        outcomes: With scores.
    """
    told = answer.of_study(outcomes)
    return {
        "answer": list(told.sentences) or None,
        "comparison": told.comparison or None,
        "claims": [_claim(one, outcomes) for one in told.findings],
        "records": outcomes.digest or None,
    }


def _claim(found: Finding, outcomes: Outcomes) -> dict[str, Any]:
    claim, wanted = found.claim, claim_findings.needed(found)
    return {
        "name": claim.name,
        "source": claim.source,
        "primary": claim.primary,
        "word": found.word,
        "evidence": answer.evidence(found),
        "quantity": claim.quantity,
        "group": claim.group,
        "read_at": claim.read_at.model_dump(exclude_none=True) if claim.read_at else None,
        "contrast": claim.contrast.model_dump(exclude_none=True),
        "arms": list(found.declared.arms),
        "expect": claim.expect,
        "effect": _effect(found),
        "values": [found.first, found.last],
        "smallest_effect": {
            **claim.smallest_effect.model_dump(exclude_none=True),
            "value": found.smallest,
        },
        "exceeds_smallest_effect": found.exceeds,
        "opposite": found.opposite,
        "pairs": {"with_results": found.pairs, "planned": found.started},
        "definition": outcomes.definition_name,
        "reason": found.reason or None,
        "doubts": list(found.doubts),
        "to_settle": None
        if found.word != conclusions.CANNOT_TELL or wanted.pairs is None
        else {
            "pairs": wanted.pairs,
            "times_as_many_photographs": wanted.times,
            "of": found.sampled,
        },
    }


def _effect(found: Finding) -> dict[str, Any]:
    low, high = found.interval
    method = _EXACT if claims.is_share(found.claim) else _METHOD
    method = _OF_METRIC if found.claim.is_metric else method
    return {
        "value": found.effect,
        "unit": _UNITS.get(found.unit, "1"),
        "n": found.pairs,
        "sd": found.spread,
        "interval": None
        if math.isnan(low)
        else {"low": low, "high": high, "level": found.level, "method": method},
    }
