"""Outcomes as fields for programs, from the same numbers as the printed tables."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from repro.analysis import (
    arm_differences,
    matched,
    operating_points,
    portrait_clusters,
    thresholds,
    verdicts,
)
from repro.analysis.arm_differences import QUANTITIES, Comparison, Family
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import Arm, Outcomes
from repro.reporting.tables import (
    claims_json,
    comparison_notes,
    declaration_notes,
    gap_table,
    interval_notes,
    look_notes,
    matched_notes,
    method_notes,
    metric_columns,
    notes,
    number_format,
    placebo_table,
    reference_json,
    reference_notes,
    run_notes,
    tone_table,
)
from repro.reporting.tables.cell import Number
from repro.reporting.tables.json_output import estimate
from repro.stats import intervals, rounding
from repro.stats.disparity import DEFINITIONS, Definition

_BOTH = "runs and photographs, Student's quantile"
_STUDENT = "Student's t over the runs"
_BETA = "Beta distribution of the true rate of the k-th largest logit"
_NAMES = {"recall": "recall", "variance": "variance", "gap": "gap", "worst": "worst_group"}


def study(outcomes: Outcomes, name: str, *, arms: Sequence[str] = ()) -> dict[str, Any]:
    """All content of the tables of one study.

    Args:
        outcomes: With scores, for all intervals.
        name: Name of the definition of recall and variance.
        arms: Names of the arms to include, in order; all if empty.
    """
    definition = DEFINITIONS[name]
    chosen = [_named(outcomes, arm) for arm in arms] or list(outcomes.arms)
    wanted = {arm.name for arm in chosen}
    return {
        "study": outcomes.name,
        "variant": _variant(outcomes),
        "caption": outcomes.caption,
        "changed": list(outcomes.changed),
        "synthetic": outcomes.synthetic,
        "definition": {"name": name, "text": str(definition)},
        "selection": {
            "keep": outcomes.keep,
            "of": outcomes.block,
            "by": outcomes.by,
            "split": outcomes.split,
        },
        "reference": outcomes.reference,
        "paired": outcomes.paired,
        "clusters": portrait_clusters.as_fields(outcomes),
        "withdrawn": list(outcomes.withdrawn),
        "arms": [_arm(arm, outcomes, definition) for arm in chosen],
        "detectors": [
            reference_json.detector(one, outcomes, definition) for one in outcomes.detectors
        ],
        "comparisons": [
            _comparison(one, outcomes, family, definition)
            for family in [arm_differences.family(outcomes, definition)]
            for one in family.made
            if one.arm.name in wanted
        ],
        "metrics": metric_columns.origins(outcomes),
        **claims_json.fields(outcomes),
        "gap_share": gap_table.as_fields(outcomes),
        "placebos": placebo_table.as_fields(outcomes),
        "tone": tone_table.as_fields(outcomes, [arm.name for arm in chosen]),
        "verdict": verdict(outcomes),
        "looks": look_notes.as_fields(outcomes),
        "preregistration": declaration_notes.as_fields(outcomes),
        "notes": _notes(outcomes, name, definition),
    }


def conclusions(outcomes: Outcomes) -> dict[str, Any]:
    """What one study says: its answer, claims and verdict."""
    return {
        "study": outcomes.name,
        "variant": _variant(outcomes),
        "caption": outcomes.caption,
        "synthetic": outcomes.synthetic,
        **claims_json.fields(outcomes),
        "verdict": verdict(outcomes),
    }


def _variant(outcomes: Outcomes) -> str | None:
    return outcomes.label.partition(f"{outcomes.name}-")[2] or None


def _named(outcomes: Outcomes, name: str) -> Arm:
    return next(arm for arm in outcomes.arms if arm.name == name)


def _arm(arm: Arm, outcomes: Outcomes, definition: Definition) -> dict[str, Any]:
    resamples = None if arm.alpha is None else math.isfinite(arm.alpha)
    return {
        "name": arm.name,
        "alpha": arm.alpha,
        "resamples": resamples,
        "groups": _sizes(arm),
        "runs": _runs(arm, outcomes.keep),
        "counts": {
            "wanted": arm.wanted,
            "with_numbers": arm.runs,
            "failed": len(arm.failed),
            "collapsed": len(arm.collapsed),
            "missing": arm.missing,
            "posterior_collapsed": arm.posterior_collapsed,
        },
        "estimates": _estimates(arm, outcomes, definition) if arm.runs else None,
        "at_false_positive_rates": [
            _read(arm, outcomes, definition, rate)
            for rate in outcomes.rates
            if arm.runs and thresholds.can_read(arm, rate)
        ],
        "matched": _matched(arm, outcomes, definition),
        "metrics": metric_columns.fields(outcomes, arm),
    }


def _sizes(arm: Arm) -> list[dict[str, Any]]:
    return [{"name": g, "n": int(n)} for g, n in zip(arm.groups, arm.sizes, strict=True)]


def _runs(arm: Arm, keep: int) -> list[dict[str, Any]]:
    """Every run that ended; for those without results, the reason."""
    kept = set(arm.kept(keep))
    found: list[dict[str, Any]] = [
        {
            "seed": seed,
            "status": "finished",
            "reason": None,
            "kept": at in kept,
            "groups": _groups(arm, arm.recall[at]),
            "false_positives": _false_positives(arm, at),
        }
        for at, seed in enumerate(arm.seeds)
    ]
    plain: dict[str, Any] = {"kept": False, "groups": [], "false_positives": None}
    for seed in arm.collapsed:
        reason = (
            "says face of no portrait"
            if arm.recall_alone
            else "says face no more often of faces than of other photographs"
        )
        found.append({"seed": seed, "status": "collapsed", "reason": reason, **plain})
    seeds = arm.failed_seeds or [None] * len(arm.failed)
    for failed, reason in zip(seeds, arm.failed, strict=True):
        found.append({"seed": failed, "status": "failed", "reason": reason, **plain})
    return found


def _groups(arm: Arm, recall: Any) -> list[dict[str, Any]]:
    """The number of detected portraits in each group; null if a file gives only shares."""
    found = []
    for name, size, share in zip(arm.groups, arm.sizes, recall, strict=True):
        count = round(float(share) * int(size))
        exact = abs(count - float(share) * int(size)) < 1e-6
        found.append({"name": name, "n": int(size), "detected": count if exact else None})
    return found


def _false_positives(arm: Arm, at: int) -> dict[str, Any] | None:
    if arm.false_positive_rate is None:
        return None
    detected = round(float(arm.false_positive_rate[at]) * arm.nonfaces)
    return {"n": arm.nonfaces, "detected": detected}


def _estimates(arm: Arm, outcomes: Outcomes, definition: Definition) -> dict[str, Any]:
    kept = operating_points.of_kept(arm, outcomes.keep, definition)
    read = operating_points.reading(outcomes, arm, definition)
    clean = operating_points.without_noise(outcomes, arm, definition)
    groups = operating_points.group_estimates(outcomes, arm)
    count = len(arm.kept(outcomes.keep))
    return {
        **_quantities(arm, read),
        "variance_without_noise": _of(number_format.number(clean, "variance"), arm.runs, _BOTH),
        "recall_new_seeds": _of(_new_seeds(arm, definition), arm.runs, _STUDENT),
        "kept_recall": _of(number_format.number(kept["recall"], "recall"), count, ""),
        "kept_variance": _of(number_format.number(kept["variance"], "variance"), count, ""),
        "false_positives": _share_of_nonfaces(arm, read.false_positives, _BOTH),
        "groups": [_group(arm, k, found) for k, found in enumerate(groups)],
    }


def _new_seeds(arm: Arm, definition: Definition) -> Number | None:
    """Recall with Student's interval over the runs: for new seeds and the same portraits."""
    values = arm.run_recall(definition)
    return number_format.share(
        float(values.mean()), interval=intervals.t_interval(values), sd=intervals.sd(values)
    ).number


def _quantities(arm: Arm, read: operating_points.Reading) -> dict[str, Any]:
    found: dict[str, Any] = {
        _NAMES[q]: _of(number_format.number(one, q), arm.runs, _BOTH) for q, one in read.of.items()
    }
    found["worst_group"]["group"] = arm.groups[rounding.lowest(read.recall.mean(axis=0))]
    return found


def _share_of_nonfaces(arm: Arm, found: Estimate, method: str) -> dict[str, Any] | None:
    if np.isnan(found.value):
        return None
    return _of(number_format.false_positives(found).number, arm.runs, method)


def _group(arm: Arm, k: int, found: Estimate) -> dict[str, Any]:
    area = None
    if arm.scores is not None and arm.scores.nonfaces.shape[1]:
        own = thresholds.areas(arm)[:, k]
        within = number_format.within_one(intervals.t_interval(own))
        area = estimate(
            Number(value=float(own.mean()), unit="", interval=within, sd=intervals.sd(own)),
            n=arm.runs,
            method=_STUDENT,
        )
    recall = number_format.number(found, "recall")
    return {"name": arm.groups[k], "recall": _of(recall, arm.runs, _BOTH), "area": area}


def _of(number: Number | None, n: int, method: str) -> dict[str, Any]:
    assert number is not None
    return estimate(number, n=n, method=method)


def _read(arm: Arm, outcomes: Outcomes, definition: Definition, rate: float) -> dict[str, Any]:
    """The arm's metrics at equal false-positive rates."""
    read = operating_points.reading(outcomes, arm, definition, rate=rate)
    reference = outcomes.arm(outcomes.reference)
    differences = None
    if reference is not None and reference is not arm and set(arm.seeds) & set(reference.seeds):
        apart = operating_points.difference(arm, reference, definition, rate=rate)
        common = len(set(arm.seeds) & set(reference.seeds))
        differences = {
            q: _of(number_format.number(apart[q], q, signed=True), common, _BOTH)
            for q in QUANTITIES
        }
    return {
        "rate": {"value": 100 * rate, "unit": "percent"},
        "false_positives": _share_of_nonfaces(arm, read.false_positives, _BETA),
        **_quantities(arm, read),
        "differences": differences,
    }


def _matched(arm: Arm, outcomes: Outcomes, definition: Definition) -> dict[str, Any] | None:
    """The reference at the arm's own false-positive rates, and the arm minus it.

    None where the arm is not compared with it.
    """
    reference = outcomes.arm(outcomes.reference)
    if reference is None or reference is arm or not outcomes.paired or not arm.runs:
        return None
    why = matched.refusal(arm, reference)
    return {
        "reference": reference.name,
        "refusal": why or None,
        "values": None if why else _matched_values(arm, reference, definition),
        "differences": None if why else _matched_differences(arm, reference, definition),
    }


def _matched_values(arm: Arm, reference: Arm, definition: Definition) -> dict[str, Any]:
    found = matched.values(arm, reference, definition)
    return {_NAMES[q]: _single(number_format.number(Estimate(one), q)) for q, one in found.items()}


def _single(number: Number) -> dict[str, Any]:
    """A number without an interval."""
    return {"value": number.value, "unit": number.unit}


def _matched_differences(arm: Arm, reference: Arm, definition: Definition) -> dict[str, Any]:
    found, common = matched.difference(arm, reference, definition), set(arm.seeds)
    n = len(common & set(reference.seeds))
    return {
        _NAMES[q]: _of(number_format.number(one, q, signed=True), n, _BOTH)
        for q, one in found.items()
    }


def _comparison(
    one: Comparison, outcomes: Outcomes, family: Family, definition: Definition
) -> dict[str, Any]:
    method = "paired t" if outcomes.paired else "Welch's t"
    number = number_format.number(one.difference, one.quantity, signed=True)
    cell = matched_notes.difference(
        one.arm, one.reference, one.quantity, replace(definition, runs="last")
    )
    return {
        "arm": one.arm.name,
        "reference": one.reference.name,
        "quantity": one.quantity,
        "n": {"arm": len(one.values), "reference": len(one.others)},
        "difference": estimate(number, n=len(one.values), method=method),
        "matched_difference": cell.number
        and estimate(cell.number, n=len(one.values), method=_BOTH),
        "correlation": one.apart.correlation,
        "tests": {
            kind: {"p": test.p, "smallest_p": test.attainable or None}
            for kind, test in one.tests.items()
        },
        "adjusted": {
            "p": one.adjusted,
            "method": "Holm",
            "test": outcomes.test,
            "family": family.size,
        },
    }


def verdict(outcomes: Outcomes) -> dict[str, Any] | None:
    """The comparison with published values; None without any."""
    published = outcomes.published
    if published is None:
        return None
    against = verdicts.refusals(outcomes, published)
    if outcomes.margin is None:
        against.append("no margin is declared")
    judged: Sequence[verdicts.Judgement] = []
    if not against:
        told = notes.gains(outcomes, DEFINITIONS[published.definition])
        judged = verdicts.judge(outcomes, told=told)
    return {
        "source": published.source,
        "printed": published.printed,
        "status": "refused" if against else "judged",
        "refusals": against,
        "judgements": [_judgement(one) for one in judged],
    }


def _judgement(one: verdicts.Judgement) -> Mapping[str, Any]:
    low, high = one.ends
    return {
        "subject": one.subject,
        "claim": one.claim,
        "published": one.numbers[0],
        "ours": one.numbers[1],
        "unit": "percent_squared" if "variance" in one.claim else "percent",
        "interval": None if np.isnan(low) else {"low": low, "high": high, "level": 0.95},
        "word": one.word,
        "reason": one.reason,
    }


def _notes(outcomes: Outcomes, name: str, definition: Definition) -> list[str]:
    return [
        *run_notes.of_selection(outcomes, name),
        *method_notes.of_methods(outcomes),
        *run_notes.of_recall_alone(outcomes),
        *run_notes.of_single_groups(outcomes),
        *run_notes.of_runs(outcomes),
        *run_notes.of_machines(outcomes),
        *look_notes.of_looks(outcomes),
        *declaration_notes.of_declaration(outcomes),
        *interval_notes.of_intervals(outcomes),
        *interval_notes.of_bad_runs(outcomes),
        *notes.of_published(outcomes, name),
        *notes.of_strength(outcomes, definition),
        *metric_columns.notes(outcomes),
        *reference_notes.of_detectors(outcomes),
        *comparison_notes.of_none(outcomes, definition),
    ]
