"""The footnotes of each table: the meaning of its numbers and their limits.

Those on comparisons are in `comparison_notes` and `power_notes`, those on runs in `run_notes`.
"""

from collections.abc import Sequence

import numpy as np

from repro.analysis import arm_differences, operating_points
from repro.analysis.arm_differences import Quantity
from repro.analysis.operating_points import Estimate
from repro.analysis.study_data import Arm, Outcomes
from repro.reporting.tables import comparison_notes, power_notes
from repro.reporting.tables.cell import DASH
from repro.reporting.tables.run_notes import FIRST, MOST, few
from repro.stats import agreement, selection
from repro.stats.disparity import Definition


def of_published(outcomes: Outcomes, name: str) -> list[str]:
    """The source of the published values, and the definition under which they are shown."""
    published = outcomes.published
    if published is None:
        return []
    where = f"{published.source}, {published.printed}"
    if outcomes.synthetic:
        return [f"Not comparable with {where}: the data are synthetic."]
    if name == published.definition:
        return [f"Published: {where}."]
    return [
        f"Published: {where}, converted from the definition {published.definition} to {name}; a "
        "dash where the source does not report enough for that."
    ]


def of_strength(outcomes: Outcomes, definition: Definition) -> list[str]:
    """What this number of runs cannot detect."""
    runs = max((arm.runs for arm in outcomes.arms), default=0)
    if runs == 0:
        return []
    if runs == 1:
        return ["With a single run there is no interval: nothing is known about other seeds."]
    return [
        *_flattery(outcomes, definition, runs),
        *power_notes.of_power(outcomes, definition),
    ]


def _flattery(outcomes: Outcomes, definition: Definition, runs: int) -> list[str]:
    if outcomes.keep >= runs:
        return []
    sigma = selection.flattery(outcomes.keep, runs)
    by_arm = [
        f"{arm.name} {_optimism_of(arm, definition, outcomes.keep)}"
        for arm in outcomes.arms
        if arm.runs > outcomes.keep
    ]
    return [
        f"Selection bias: keeping the best {outcomes.keep} of {runs} runs raises the mean of the "
        f"metric that selects them by {sigma:.4f} standard deviations between runs, and that of "
        "any other quantity by this times its correlation with the metric. Estimated here, in "
        f"points of recall and in variance: {'; '.join(few(by_arm, 'arms'))}."
    ]


def _optimism_of(arm: Arm, definition: Definition, keep: int) -> str:
    recall = f"{100 * _optimism(arm, 'recall', definition, keep):+.2f}"
    if not arm.can_differ:
        return recall
    return f"{recall} and {1e4 * _optimism(arm, 'variance', definition, keep):+.2f}"


def _optimism(arm: Arm, quantity: Quantity, definition: Definition, keep: int) -> float:
    if quantity == "recall":
        values = arm.run_recall(definition)
    else:
        values = agreement.influence(arm.recall, arm.recall[arm.kept(keep)], definition)
    return selection.optimism(values, arm.selector, keep)


def of_false_alarms(outcomes: Outcomes, definition: Definition) -> list[str]:
    """Footnotes: how thresholds are set, and what remains of each arm's gains."""
    skipped = sorted(
        {
            f"{100 * rate:g} %"
            for arm in outcomes.arms
            for rate in outcomes.rates
            if arm.scores is not None and not operating_points.can_read(arm, rate)
        }
    )
    found = [
        "Each run has its own threshold: the lowest at which at most the stated proportion of the "
        "photographs without a face is positive. Intervals (95 %): seed-by-photograph bootstrap "
        "with Student's quantile; each bootstrap sample sets its own thresholds. A gain is a "
        "proportion of the reference's variance or misses."
    ]
    if skipped:
        found.append(
            f"Too few photographs without a face for {', '.join(skipped)} false positives."
        )
    told = list(gains(outcomes, definition).values())
    found += [f"{one}." for one in (told if len(told) <= MOST else told[:FIRST])]
    if len(told) > MOST:
        found.append(
            f"{len(told) - FIRST:,} more arms have a gain over the reference at some threshold."
        )
    return found + comparison_notes.of_trends(outcomes, definition, outcomes.rates)


def gains(outcomes: Outcomes, definition: Definition) -> dict[str, str]:
    """For each arm with a gain over the reference: what remains at equal false-positive rates."""
    reference = outcomes.arm(outcomes.reference)
    found: dict[str, str] = {}
    if reference is None or not outcomes.paired:
        return found
    for arm in outcomes.others:
        rates = [
            r
            for r in outcomes.rates
            if all(operating_points.can_read(a, r) for a in (arm, reference))
        ]
        if not rates or not set(arm.seeds) & set(reference.seeds):
            continue
        told = [
            one
            for quantity in arm_differences.defined(arm, reference)
            if (one := _gain(arm, reference, quantity, definition, rates))
        ]
        if told:
            where = ", ".join(f"{100 * rate:g}" for rate in rates)
            found[arm.name] = (
                f"{arm.name} against {reference.name}, at logit 0 and then at {where} % false "
                f"positives: {'; '.join(told)}"
            )
    return found


def _gain(
    arm: Arm,
    reference: Arm,
    quantity: Quantity,
    definition: Definition,
    rates: Sequence[float],
) -> str:
    """Whether one gain vanishes, shrinks, does not shrink or appears; "" if there is no gain.

    A gain is relative to the reference, because both arms miss more at a higher threshold.
    """
    before = operating_points.gain(arm, reference, quantity, definition)
    after = [
        operating_points.gain(arm, reference, quantity, definition, rate=rate) for rate in rates
    ]
    sure = sum(one.interval.low > 0 for one in after)
    gone = np.mean([not one.value > 0 for one in after])
    less = np.mean([not one.value >= before.value for one in after])
    if before.value > 0:
        what = "vanishes" if gone >= 0.5 else "shrinks" if less >= 0.5 else "does not shrink"
    elif sure and gone < 0.5:
        what = "appears"
    else:
        return ""
    unsure = "" if before.interval.low > 0 else " (95 % interval not above 0)"
    if np.isnan(before.value):
        unsure = " (the reference leaves nothing to gain)"
    steps = ", ".join(map(_percent, after))
    return (
        f"{'variance' if quantity == 'variance' else 'misses'} lower by "
        f"{_percent(before)} %{unsure}, then by {steps} %: the gain {what} "
        f"(95 % interval above 0 at {sure} of {len(rates)} rates)"
    )


def _percent(gain: Estimate) -> str:
    """Whole percent; a dash for NaN."""
    return DASH if np.isnan(gain.value) else f"{round(100 * gain.value)}"


def of_verdict(outcomes: Outcomes, name: str) -> list[str]:
    """Footnotes: what is compared, and when a claim is reproduced."""
    published = outcomes.published
    assert published is not None
    found = [
        f"Both sides are the mean of the best {published.keep} of {published.replicates} runs as "
        f"{published.definition} defines recall and variance. The published value has no spread: "
        "it is treated as one more sample with the spread of our runs. Variances are compared by "
        "their square roots.",
        "Reproduced: an equivalence test with the margin that the study declares passes at 5 %. "
        "Not reproduced: the published value is outside the 95 % prediction interval and beyond "
        "the margin. Otherwise the runs cannot tell. Directions use the values of single runs, "
        "each with its own 95 % interval.",
    ]
    if name != published.definition:
        found.append(
            f"The verdict uses {published.definition} even if the tables use another definition."
        )
    return found
