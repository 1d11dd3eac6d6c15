"""The footnotes of each table: the meaning of its numbers and their limits.

The word "significant" is used only with its test, its family, the number of runs and the smallest
possible p-value.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from repro.analysis import arm_differences, operating_points, thresholds
from repro.analysis.arm_differences import QUANTITIES, Comparison, Quantity
from repro.analysis.operating_points import Estimate
from repro.analysis.study_data import Arm, Outcomes
from repro.reporting.tables import interval_notes, threshold_notes
from repro.reporting.tables.cell import DASH
from repro.reporting.tables.run_notes import FIRST, MOST, few
from repro.stats import comparisons, intervals, redrawn, selection
from repro.stats.disparity import Definition

LEVEL = 0.05
HALF_WIDTH = 0.005  # of the interval for recall to which "runs needed" refers


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
        *_exactness(outcomes, runs),
        *_power(outcomes, definition, runs),
    ]


def _flattery(outcomes: Outcomes, definition: Definition, runs: int) -> list[str]:
    """What the selection of runs adds to the papers' columns, with nothing assumed."""
    if outcomes.keep >= runs:
        return []
    by_arm = [
        f"{arm.name} {_bias_of(arm, definition, outcomes.keep)}"
        for arm in outcomes.arms
        if arm.runs > outcomes.keep
    ]
    also = " and in variance" if any(arm.can_differ for arm in outcomes.arms) else ""
    return [
        f"Selection bias: the best {outcomes.keep} runs minus all runs, in points of recall{also}: "
        f"{'; '.join(few(by_arm, 'arms'))}. For normally distributed runs theory expects "
        "the mean of the metric that selects to be too high by "
        f"{selection.flattery(outcomes.keep, runs):.4f} standard deviations between runs for the "
        f"best {outcomes.keep} of {runs}."
    ]


def _bias_of(arm: Arm, definition: Definition, keep: int) -> str:
    found = operating_points.selection_bias(arm, keep, definition)
    recall = f"{100 * found['recall']:+.2f}"
    return f"{recall} and {1e4 * found['variance']:+.2f}" if arm.can_differ else recall


def _exactness(outcomes: Outcomes, runs: int) -> list[str]:
    """The smallest p-values of exact tests; no limit applies with many runs."""
    if runs >= comparisons.MANY:
        return []
    least = comparisons.least_of_deals(runs, runs)
    told = (
        f"with two arms of {runs} runs the smallest possible p of a permutation test is {least:.3g}"
    )
    if outcomes.paired:
        flip = comparisons.least_of_flips(runs)
        cannot = ", above .05" if flip > LEVEL else ""
        told = (
            f"with {runs} pairs of runs the smallest possible p of an exact paired test is "
            f"{flip:.3g}{cannot}; {told}"
        )
    return [f"{told[0].upper()}{told[1:]}."]


def _power(outcomes: Outcomes, definition: Definition, runs: int) -> list[str]:
    found = smallest_differences(outcomes, definition, runs)
    if np.isnan(found["recall"]):
        return []
    least = intervals.smallest_difference(runs)
    needed = intervals.runs_needed(_pooled_sd(outcomes, "recall", definition), HALF_WIDTH)
    variance = 1e4 * found["variance"]
    also = "" if np.isnan(variance) else f" and {variance:.2f} of variance"
    return [
        f"A difference between two arms of {runs} runs is detected with 80 % power only from "
        f"{least:.2f} standard deviations: {100 * found['recall']:.2f} points of recall"
        f"{also} here. A 95 % interval of ± half a point for recall needs {needed} runs per arm."
    ]


def smallest_differences(
    outcomes: Outcomes, definition: Definition, runs: int
) -> Mapping[Quantity, float]:
    """The difference that two arms of so many runs detect with 80 % power; fractions, or NaN."""
    least = intervals.smallest_difference(runs) if runs > 1 else float("nan")
    return {q: least * _pooled_sd(outcomes, q, definition) for q in QUANTITIES}


def _pooled_sd(outcomes: Outcomes, quantity: Quantity, definition: Definition) -> float:
    squares, degrees = 0.0, 0
    for arm in outcomes.arms:
        if arm.runs > 1 and quantity in arm_differences.defined(arm):
            values = arm_differences.run_values(arm, quantity, definition)
            squares += (arm.runs - 1) * float(values.var(ddof=1))
            degrees += arm.runs - 1
    return float(np.sqrt(squares / degrees)) if degrees else float("nan")


def of_false_alarms(outcomes: Outcomes, definition: Definition) -> list[str]:
    """Footnotes: how thresholds are set, and what remains of each arm's gains."""
    found = [
        *threshold_notes.of_thresholds(outcomes),
        "At a given rate the intervals include that other photographs would set other thresholds: "
        f"these are drawn again {redrawn.MOST:,} times or less, which leaves an error of about a "
        "hundredth of an interval's width, so one decimal is printed. A gain is a proportion of "
        "the reference's variance or misses.",
        *interval_notes.of_intervals(outcomes),
    ]
    told = list(gains(outcomes, definition).values())
    found += [f"{one}." for one in (told if len(told) <= MOST else told[:FIRST])]
    if len(told) > MOST:
        found.append(
            f"{len(told) - FIRST:,} more arms have a gain over the reference at some threshold."
        )
    return found + _trends(outcomes, definition, outcomes.rates)


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
    sure = sum(one.is_above_zero for one in after)
    gone = np.mean([not one.value > 0 for one in after])
    less = np.mean([not one.value >= before.value for one in after])
    if before.value > 0:
        what = "vanishes" if gone >= 0.5 else "shrinks" if less >= 0.5 else "does not shrink"
    elif sure and gone < 0.5:
        what = "appears"
    else:
        return ""
    unsure = "" if before.is_above_zero else " (95 % interval not above 0)"
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


def of_comparisons(
    outcomes: Outcomes,
    definition: Definition,
    found: Sequence[Comparison],
) -> list[str]:
    """Footnotes: the family and its result, the trend, and the power of the tests of spread."""
    told = [
        "Recall and variance are those of single runs; the mean of the runs' variances is not the "
        "variance of run-averaged groups. "
        + (
            "Runs are paired by seed; r is their correlation. At r of 0 or below, pairing does not "
            "increase the power."
            if outcomes.paired
            else "Runs are not paired; the test is Welch's t test."
        ),
        family(outcomes, found),
        "Spread ratio: variance between the arm's runs divided by that between the reference's, "
        "with the F interval for normal values. The Brown-Forsythe test has low power: with five "
        "runs it detects a 16-fold ratio in 14 % of the cases.",
    ]
    tests = [(kind, test) for one in found for kind, test in one.tests.items()]
    if any(not test.attainable for kind, test in tests if kind != "t"):
        told.append(
            "A sign-flip or permutation test without a smallest possible p uses its normal "
            "approximation, because there are too many runs to list their arrangements."
        )
    return told + _trends(outcomes, definition, [None])


_NAMES = {"t": "t test", "sign_flip": "sign-flip test", "permutation": "permutation test"}


def family(outcomes: Outcomes, found: Sequence[Comparison]) -> str:
    """The number of comparisons, their smallest possible p, and the significant ones."""
    arms = len({one.arm.name for one in found})
    test = f"{'paired ' if outcomes.paired and outcomes.test == 't' else ''}{_NAMES[outcomes.test]}"
    whole = [outcomes.arm(one.arm.name) for one in found]
    runs = min((arm.runs for arm in whole if arm), default=0)
    least = max((one.tests[outcomes.test].attainable for one in found), default=0.0)
    first = min(1.0, len(found) * least)
    normal = "for normal differences" if outcomes.test == "t" else "by its normal approximation"
    about = (
        f"{test}, Holm over a family of {len(found)} ({_many(arms, 'arm')} x "
        f"{_many(len(outcomes.metrics), 'metric')}), n = {runs}, "
    )
    about += (
        f"smallest possible p {least:.3g}, {first:.3g} after the first step of Holm"
        if least
        else f"any p possible {normal}"
    )
    passed = [
        f"{one.arm.name} in {one.quantity} ({_p(one.adjusted)})"
        for one in found
        if one.adjusted <= LEVEL
    ]
    if passed:
        return f"Significant at .05 ({about}): {'; '.join(few(passed, 'comparisons'))}."
    impossible = ", and none can have one" if first > LEVEL else ""
    return f"No comparison has an adjusted p of .05 or less{impossible} ({about})."


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _p(p: float) -> str:
    return f"p {p:.4f}" if p >= 0.0001 else "p below 0.0001"


def _trends(outcomes: Outcomes, definition: Definition, rates: Sequence[float | None]) -> list[str]:
    """One trend test for decreasing alpha over all runs, at each of the rates."""
    arms = _sweep(outcomes)
    found = [
        _trend(outcomes, arms, definition, rate)
        for rate in rates
        if arms and all(rate is None or thresholds.can_read(arm, rate) for arm in arms)
    ]
    if not found:
        return []
    shuffled = "labels shuffled within each seed" if outcomes.paired else "labels shuffled"
    return [
        "Trend over log alpha, from the largest (no resampling) to the smallest, over "
        f"{sum(arm.runs for arm in arms)} runs, Jonckheere-Terpstra from -1 (falls) to 1 (rises): "
        f"{'; '.join(found)} (two-sided, {shuffled}; not adjusted)."
    ]


def _trend(
    outcomes: Outcomes, arms: Sequence[Arm], definition: Definition, rate: float | None
) -> str:
    where = f"at {100 * rate:g} % false positives " if rate else ""
    if rate is None and any(arm.scores for arm in arms):
        where = "at logit 0 "
    found = {
        q: arm_differences.trend(outcomes, arms, q, definition, rate=rate)
        for q in arm_differences.defined(*arms)
    }
    told = ", ".join(f"{q} {one.rise:+.2f} ({_p(one.test.p)})" for q, one in found.items())
    least = max(one.test.attainable for one in found.values())
    reach = f"smallest possible p {least:.1g}" if least else "normal approximation"
    return f"{where}{told}, {reach}"


def _sweep(outcomes: Outcomes) -> list[Arm]:
    """The arms by decreasing alpha; none unless they are points of one sweep."""
    own = {arm.keys or arm.name: arm for arm in reversed(outcomes.arms)}  # ranked otherwise: once
    found = [arm for arm in outcomes.arms if own[arm.keys or arm.name] is arm]
    arms = [arm for arm in found if arm.runs and arm.alpha is not None]
    alphas = {arm.alpha for arm in arms}
    if len(alphas) < 3 or len(alphas) < len(arms):
        return []
    return sorted(arms, key=lambda arm: -float(arm.alpha or 0.0))
