"""The summary table that a terminal shows first: the results and their limits."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from repro.analysis import (
    arm_differences,
    arm_power,
    matched,
    operating_points,
    portrait_clusters,
    reference_rows,
    thresholds,
)
from repro.analysis.arm_differences import UNIT, Comparison, Family
from repro.analysis.arm_power import Detectable
from repro.analysis.operating_points import Estimate, Reading
from repro.analysis.outcomes import Arm, Outcomes
from repro.reporting.tables import (
    comparison_notes,
    declaration_notes,
    interval_notes,
    look_notes,
    matched_notes,
    metric_columns,
    number_format,
    power_notes,
    reference_notes,
    run_notes,
    verdict_notes,
)
from repro.reporting.tables.cell import Cell
from repro.reporting.tables.table_part import Part
from repro.stats.disparity import DEFINITIONS, Definition


def summary(outcomes: Outcomes, name: str) -> Part:
    """Recall, variance, false positives and differences of every arm, all runs with results.

    Args:
        outcomes: With scores, for intervals that also cover new portraits.
        name: Name of the definition of variance and mean.
    """
    definition = DEFINITIONS[name]
    family = arm_differences.family(outcomes, definition)
    return Part(
        name="summary",
        title=outcomes.caption,
        table=number_format.frame(
            [
                *(_row(outcomes, arm, definition, family) for arm in outcomes.arms),
                *(_reference_row(outcomes, one, definition) for one in outcomes.detectors),
            ],
            [arm.name for arm in (*outcomes.arms, *outcomes.detectors)],
        ),
        below=len(outcomes.detectors),
        remarks=list(_remarks(outcomes, definition, family)),
    )


def _row(outcomes: Outcomes, arm: Arm, definition: Definition, family: Family) -> dict[str, str]:
    row: dict[str, str] = {}
    if not arm.runs:
        return row
    found = operating_points.reading(outcomes, arm, definition)
    can_differ = any(one.can_differ for one in outcomes.arms)
    row["Recall"] = number_format.estimate(found.of["recall"], "recall")
    if can_differ:
        row["Variance"] = number_format.estimate(found.of["variance"], "variance")
    if any(one.false_positive_rate is not None for one in outcomes.arms):
        row["False positives"] = number_format.share(found.false_positives.value, better=0)
    row |= metric_columns.cells(outcomes, arm)
    if (rate := asked_rate(outcomes)) is not None:
        return row | _at_rate(outcomes, arm, definition, rate)
    for one in family.made:
        if one.arm.name == arm.name:
            row[f"{one.quantity.capitalize()} Δ, p"] = _difference(one)
            if not matched.refusal(one.arm, one.reference):
                row[f"{one.quantity.capitalize()} Δ, matched"] = _matched(one, definition)
    return row


def _reference_row(outcomes: Outcomes, detector: Arm, definition: Definition) -> dict[str, str]:
    """A detector that was trained elsewhere: no differences and no metrics of plug-ins."""
    found = reference_rows.reading(detector, definition)
    row: dict[str, str] = {"Recall": number_format.estimate(found.of["recall"], "recall")}
    if detector.can_differ:
        row["Variance"] = number_format.estimate(found.of["variance"], "variance")
    if detector.false_positive_rate is not None:
        row["False positives"] = number_format.share(found.false_positives.value, better=0)
    rate = asked_rate(outcomes)
    if rate is None or not reference_rows.can_read(detector, rate):
        return row
    read = reference_rows.reading(detector, definition, rate=rate)
    return row | _cells_at_rate(read, rate, can_differ=detector.can_differ)


def asked_rate(outcomes: Outcomes) -> float | None:
    """The false-positive rate at which the primary claim is read; None without one.

    Its columns then take the place of the differences at logit 0.
    """
    main = next((one.claim for one in outcomes.claims if one.claim.primary), None)
    rate = main.read_at.false_positive_rate if main and main.read_at else None
    known = [arm for arm in outcomes.arms if arm.runs]
    if rate is None or not all(thresholds.can_read(arm, rate) for arm in known):
        return None
    return rate


def _at_rate(outcomes: Outcomes, arm: Arm, definition: Definition, rate: float) -> dict[str, str]:
    read = operating_points.reading(outcomes, arm, definition, rate=rate)
    can_differ = any(one.can_differ for one in outcomes.arms)
    return _cells_at_rate(read, rate, can_differ=can_differ)


def _cells_at_rate(found: Reading, rate: float, *, can_differ: bool) -> dict[str, str]:
    at = f"at {100 * rate:g} % FP"
    row: dict[str, str] = {
        f"Recall {at}": number_format.estimate(found.of["recall"], "recall", decimals=1)
    }
    if can_differ:
        row[f"Variance {at}"] = number_format.estimate(found.of["variance"], "variance", decimals=1)
    return row


def _difference(one: Comparison) -> Cell:
    found = number_format.number(one.difference, one.quantity, signed=True)
    return Cell.of(replace(found, after=_p(one.adjusted)))


def _matched(one: Comparison, definition: Definition) -> Cell:
    """Without its interval, which takes long for many arms and has no room in most windows."""
    found = matched.changes(one.arm, one.reference, replace(definition, runs="last"))
    return number_format.difference(Estimate(found[one.quantity]), one.quantity, decimals=1)


def _p(p: float) -> str:
    """The p-value without the leading 0."""
    if np.isnan(p):
        return ""
    if p < 0.001:
        return "p <.001"
    return f"p {p:.2f}".replace("0.", ".") if p >= 0.1 else f"p {p:.3f}".replace("0.", ".")


def _remarks(outcomes: Outcomes, definition: Definition, family: Family) -> Iterator[str]:
    yield _about(outcomes)
    if asked_rate(outcomes) is None:
        if family.made:
            yield _about_differences(outcomes, family, definition)
            yield from matched_notes.briefly((one.arm, one.reference) for one in family.made)
        yield from comparison_notes.of_none(outcomes, definition)
        yield from _strength(outcomes, family)
    yield from portrait_clusters.sentences(outcomes)
    yield from interval_notes.briefly(outcomes)
    yield from reference_notes.of_detectors(outcomes)
    yield from _without_numbers(outcomes)
    yield from metric_columns.notes(outcomes)
    yield from run_notes.of_recall_alone(outcomes)
    yield from run_notes.of_single_groups(outcomes)
    yield from look_notes.of_looks(outcomes)
    yield from declaration_notes.of_declaration(outcomes)
    yield from _verdict(outcomes)


def _about(outcomes: Outcomes) -> str:
    rate = "" if asked_rate(outcomes) is None else "; FP: false positives"
    if not any(arm.runs > 1 for arm in outcomes.arms):
        return f"In percent and percent squared{rate}."
    return f"In percent and percent squared{rate}; [95 % interval] {interval_notes.WHAT}."


def _about_differences(outcomes: Outcomes, family: Family, definition: Definition) -> str:
    pairs = "paired by seed" if outcomes.paired else "not paired"
    compared = any(one.quantity == "variance" for one in family.made)
    first = " (Variance: of averaged runs)" if compared and definition.runs == "first" else ""
    told = f"Δ: difference of single runs from {outcomes.reference}, {pairs}{first}"
    if all(np.isnan(one.adjusted) for one in family.made):
        few_runs = all(min(len(one.values), len(one.others)) < 2 for one in family.made)
        return f"{told}; too few runs for a p-value." if few_runs else f"{told}; no p-value."
    if family.size == 1:
        return f"{told}."
    planned = f" planned, {len(family.missing)} without results" if family.missing else ""
    these = ", for new seeds and these photographs" if portrait_clusters.of_study(outcomes) else ""
    return f"{told}; p adjusted by Holm over {family.size} comparisons{planned}{these}."


def _strength(outcomes: Outcomes, family: Family) -> Iterator[str]:
    """What this number of runs cannot detect."""
    if max((arm.runs for arm in outcomes.arms), default=0) == 1:
        yield "A single run gives no information about other seeds."
    if why := power_notes.cannot_pass(outcomes, family):
        yield f"{why}."
    found = power_notes.detectable(outcomes, family)
    if not found:
        return
    what = "pairs" if arm_power.pairs_runs(outcomes) else "runs per arm"
    first = ""
    if family.size > 1:
        steps = [_amount(one, one.first, unit=False) for one in found]
        first = f" alone, from {' and '.join(steps)} at Holm's first step"
    alone = " and ".join(_amount(one, one.alone) for one in found)
    yield (
        f"Detected with 80 % power by {found[0].runs} {what}: differences of single runs from "
        f"{alone}{first}."
    )


def _amount(one: Detectable, deviations: float, *, unit: bool = True) -> str:
    value = UNIT[one.quantity] * one.sd * deviations
    if one.quantity == "recall":
        return f"{power_notes.shown('recall', value, '.1f')}{' points' if unit else ''}"
    return f"{power_notes.shown('variance', value, '.3g')}{' of variance' if unit else ''}"


def _without_numbers(outcomes: Outcomes) -> Iterator[str]:
    told = [
        f"{arm.name} {lost} of {arm.wanted}"
        for arm in outcomes.arms
        if (lost := run_notes.without_results(arm))
    ]
    if told:
        yield f"Runs without results: {'; '.join(run_notes.few(told, 'arms'))}."


def _verdict(outcomes: Outcomes) -> Iterator[str]:
    if told := verdict_notes.summary(outcomes):
        yield f"Reproduction of published numbers: {told}."
