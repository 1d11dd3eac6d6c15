"""The footnotes of each table: the meaning of its numbers and their limits.

Those on comparisons are in `comparison_notes` and `power_notes`, those on runs in `run_notes`.
"""

from collections.abc import Sequence

import numpy as np

from repro.analysis import (
    arm_differences,
    matched,
    operating_points,
    portrait_clusters,
    thresholds,
)
from repro.analysis.arm_differences import Quantity
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import MANY_ARMS, MANY_RUNS, Arm, Outcomes
from repro.reporting.tables import (
    comparison_notes,
    interval_notes,
    power_notes,
    threshold_notes,
)
from repro.reporting.tables.cell import DASH
from repro.reporting.tables.run_notes import FIRST, MOST, few
from repro.stats import redrawn, rounding, selection
from repro.stats.disparity import Definition

SEEN = 5e-5  # ends of two intervals of recall that differ by less look alike in percent


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
        *_flattery(outcomes, definition),
        *power_notes.of_power(outcomes, definition),
    ]


def _flattery(outcomes: Outcomes, definition: Definition) -> list[str]:
    """What the selection of runs adds to the papers' columns, with nothing assumed."""
    runs = max(len(arm.seeds_of_block) for arm in outcomes.arms)
    if outcomes.keep >= runs:
        return []
    by_arm = [
        f"{arm.name} {_bias_of(arm, definition, outcomes.keep)}"
        for arm in outcomes.arms
        if len(arm.seeds_of_block) > outcomes.keep
    ]
    also = " and in variance" if any(arm.can_differ for arm in outcomes.arms) else ""
    return [
        f"Selection bias: the best {outcomes.keep} of {runs} runs minus all of them, in points of "
        f"recall{also}: {'; '.join(few(by_arm, 'arms'))}. For normally distributed runs "
        "theory expects the mean of the metric that selects to be too high by "
        f"{selection.flattery(outcomes.keep, runs):.4f} standard deviations between runs for the "
        f"best {outcomes.keep} of {runs}."
    ]


def _bias_of(arm: Arm, definition: Definition, keep: int) -> str:
    found = operating_points.selection_bias(arm, keep, definition)
    recall = f"{100 * found['recall']:+.2f}"
    return f"{recall} and {1e4 * found['variance']:+.2f}" if arm.can_differ else recall


def _redrawn(outcomes: Outcomes) -> str:
    """How often photographs are drawn again, and how exact this is."""
    if any(arm.many for arm in outcomes.arms):
        return (
            f"{redrawn.LEAST:,} times, because there are more than {MANY_ARMS} arms or "
            f"{MANY_RUNS:,} runs, which leaves an error of about a thirtieth of an interval's width"
        )
    return (
        f"{redrawn.MOST:,} times or less, which leaves an error of about a hundredth of an "
        "interval's width"
    )


def of_false_alarms(outcomes: Outcomes, definition: Definition) -> list[str]:
    """Footnotes: how thresholds are set, and what remains of each arm's gains."""
    found = [
        *threshold_notes.of_thresholds(outcomes),
        "At a given rate the intervals include that other photographs would set other thresholds: "
        f"these are drawn again {_redrawn(outcomes)}, so one decimal is printed. A gain is a "
        "proportion of the reference's variance or misses.",
        *interval_notes.of_intervals(outcomes),
        *_of_worst(outcomes, definition),
    ]
    told = list(gains(outcomes, definition).values())
    found += [f"{one}." for one in (told if len(told) <= MOST else told[:FIRST])]
    if len(told) > MOST:
        found.append(
            f"{len(told) - FIRST:,} more arms have a gain over the reference at some threshold."
        )
    return found + comparison_notes.of_trends(outcomes, definition, outcomes.rates)


def _of_worst(outcomes: Outcomes, definition: Definition) -> list[str]:
    """Why the worst group's recall has another interval than in the table of groups, if it has."""
    for arm in outcomes.arms:
        if not arm.runs:
            continue
        worst = operating_points.reading(outcomes, arm, definition).of["worst"]
        k = rounding.lowest(arm.recall.mean(axis=0))
        own = operating_points.group_estimates(outcomes, arm)[k]
        if not np.allclose(worst.interval, own.interval, rtol=0, atol=SEEN, equal_nan=True):
            return [
                "Worst group: the interval is for the lowest recall, whichever group has it with "
                "other seeds; the table of groups has the interval of this group's own recall."
            ]
    return []


def gains(outcomes: Outcomes, definition: Definition) -> dict[str, str]:
    """For each arm with a gain over the reference: what remains at equal false-positive rates."""
    reference = outcomes.arm(outcomes.reference)
    found: dict[str, str] = {}
    if reference is None or not outcomes.paired:
        return found
    for arm in outcomes.others:
        rates = [
            r for r in outcomes.rates if all(thresholds.can_read(a, r) for a in (arm, reference))
        ]
        if not rates or not set(arm.seeds) & set(reference.seeds):
            continue
        match = len(outcomes.arms) <= MANY_ARMS and not arm.many
        told = [
            one
            for quantity in arm_differences.defined(arm, reference)
            if (one := _gain(arm, reference, quantity, definition, rates, match=match))
        ]
        if told:
            where = ", ".join(f"{100 * rate:g}" for rate in rates)
            found[arm.name] = (
                f"{arm.name} against {reference.name}, at {outcomes.threshold} and then at {where} "
                f"% false positives: {'; '.join(told)}"
            )
    return found


def _gain(
    arm: Arm,
    reference: Arm,
    quantity: Quantity,
    definition: Definition,
    rates: Sequence[float],
    *,
    match: bool,
) -> str:
    """Whether one gain vanishes, shrinks, does not shrink or appears; "" if there is no gain.

    A gain is relative to the reference, because both arms miss more at a higher threshold.
    """
    before = operating_points.gain(arm, reference, quantity, definition)
    after = [
        operating_points.gain(arm, reference, quantity, definition, rate=rate) for rate in rates
    ]
    sure = sum(one.is_above_zero for one in after)
    gone = np.mean([not one.value > 0 for one in after])
    less = np.mean([not one.value >= before.value for one in after])
    if before.value > 0:
        what = "vanishes" if gone >= 0.5 else "shrinks" if less >= 0.5 else "does not shrink"
    elif sure and gone < 0.5:
        what = "appears"
    else:
        return ""
    steps = ", ".join(map(_percent, after))
    few = portrait_clusters.too_few_of(arm)
    return (
        f"{'variance' if quantity == 'variance' else 'misses'} lower by "
        f"{_percent(before)} %{_unsure(before, few)}, then by {steps} %: the gain {what} "
        f"(95 % interval above 0 at {sure} of {len(rates)} rates)"
        f"{_matched_gain(arm, reference, quantity, definition, few) if match else ''}"
    )


def _matched_gain(
    arm: Arm, reference: Arm, quantity: Quantity, definition: Definition, few: str
) -> str:
    """The gain over the matched reference; "" where there is none to tell."""
    found = matched.gain(arm, reference, quantity, definition)
    if np.isnan(found.value):
        return ""
    return f", matched lower by {_percent(found)} %{_unsure(found, few)}"


def _unsure(gain: Estimate, few: str) -> str:
    """Why a gain is not above 0 for sure; "" if it is.

    Args:
        gain: Of an arm.
        few: That clusters of portraits are too few for an interval, if they are.
    """
    if np.isnan(gain.value):
        return " (the reference leaves nothing to gain)"
    if np.isnan(gain.interval.low):
        return f" (no interval: {few or 'all pairs differ by the same'})"
    return "" if gain.is_above_zero else " (95 % interval not above 0)"


def _percent(gain: Estimate) -> str:
    """Whole percent; a dash for NaN."""
    return DASH if np.isnan(gain.value) else f"{round(100 * gain.value)}"
