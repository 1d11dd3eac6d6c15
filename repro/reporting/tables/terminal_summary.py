"""The summary table that a terminal shows first: the results and their limits."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from repro.analysis import arm_differences, operating_points, verdicts
from repro.analysis.arm_differences import Comparison
from repro.analysis.study_data import Arm, Outcomes
from repro.reporting.tables import interval_notes, notes, number_format, run_notes
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
            [_row(outcomes, arm, definition, family) for arm in outcomes.arms],
            [arm.name for arm in outcomes.arms],
        ),
        remarks=list(_remarks(outcomes, definition, family)),
    )


def _row(
    outcomes: Outcomes, arm: Arm, definition: Definition, family: list[Comparison]
) -> dict[str, str]:
    row: dict[str, str] = {}
    if not arm.runs:
        return row
    found = operating_points.reading(outcomes, arm, definition)
    row["Recall"] = number_format.estimate(found.of["recall"], "recall")
    if any(one.can_differ for one in outcomes.arms):
        row["Variance"] = number_format.estimate(found.of["variance"], "variance")
    if any(one.false_positive_rate is not None for one in outcomes.arms):
        row["False positives"] = number_format.share(found.false_positives.value, better=0)
    for one in family:
        if one.arm.name == arm.name:
            row[f"{one.quantity.capitalize()} Δ, p"] = _difference(one)
    return row


def _difference(one: Comparison) -> Cell:
    found = number_format.number(one.difference, one.quantity, signed=True)
    return Cell.of(replace(found, after=_p(one.adjusted)))


def _p(p: float) -> str:
    """The p-value without the leading 0."""
    if np.isnan(p):
        return ""
    if p < 0.001:
        return "p <.001"
    return f"p {p:.2f}".replace("0.", ".") if p >= 0.1 else f"p {p:.3f}".replace("0.", ".")


def _remarks(outcomes: Outcomes, definition: Definition, family: list[Comparison]) -> Iterator[str]:
    yield _about(outcomes)
    if family:
        yield _about_differences(outcomes, family)
    yield from _strength(outcomes, definition)
    yield from interval_notes.briefly(outcomes)
    yield from _without_numbers(outcomes)
    yield from run_notes.of_single_groups(outcomes)
    yield from _verdict(outcomes)


def _about(outcomes: Outcomes) -> str:
    if not any(arm.runs > 1 for arm in outcomes.arms):
        return "In percent and percent squared."
    return f"In percent and percent squared; [95 % interval] {interval_notes.WHAT}."


def _about_differences(outcomes: Outcomes, family: list[Comparison]) -> str:
    pairs = "paired by seed" if outcomes.paired else "not paired"
    told = f"Δ: difference of single runs from {outcomes.reference}, {pairs}"
    if all(np.isnan(one.adjusted) for one in family):
        return f"{told}; too few runs for a p-value."
    count = f"{len(family)} comparison{'s' if len(family) > 1 else ''}"
    return f"{told}; p adjusted by Holm over {count}."


def _strength(outcomes: Outcomes, definition: Definition) -> Iterator[str]:
    """What this number of runs cannot detect."""
    runs = max((arm.runs for arm in outcomes.arms), default=0)
    if runs == 1:
        yield "A single run gives no information about other seeds."
    found = notes.smallest_differences(outcomes, definition, runs)
    if np.isnan(found["recall"]) or len(outcomes.arms) < 2:
        return
    also = "" if np.isnan(found["variance"]) else f" (variance: {1e4 * found['variance']:.3g})"
    yield (
        f"{runs} runs per arm detect only differences of at least {100 * found['recall']:.2g} "
        f"points{also} with 80 % power."
    )


def _without_numbers(outcomes: Outcomes) -> Iterator[str]:
    told = []
    for arm in outcomes.arms:
        counts = {
            "failed": len(arm.failed),
            "collapsed": len(arm.collapsed),
            "not run yet": arm.missing,
        }
        named = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        if named:
            told.append(f"{arm.name} {named} of {arm.wanted}")
    if told:
        yield f"Runs without results: {'; '.join(run_notes.few(told, 'arms'))}."


def _verdict(outcomes: Outcomes) -> Iterator[str]:
    published = outcomes.published
    if published is None:
        return
    where = f"{published.source}, {published.printed}"
    against = verdicts.refusals(outcomes, published)
    if outcomes.margin is None:
        against.append("no margin is declared")
    if against:
        yield f"No verdict on {where}: {against[0]}."
        return
    counts = Counter(one.word for one in verdicts.judge(outcomes, told={}))
    yield f"Verdict on {where}: {', '.join(f'{n} {word}' for word, n in counts.items())}."
