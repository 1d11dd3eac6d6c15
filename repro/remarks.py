"""What the numbers cannot carry, in plain words, for the foot of each table.

The word "significant" stands only beside its test, its family, the number of runs and the smallest
p-value that they can reach.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from repro import contrasts, readings
from repro.cell import DASH
from repro.contrasts import QUANTITIES, Comparison, Quantity
from repro.outcomes import Arm, Outcomes
from repro.readings import Estimate
from repro.run_remarks import FIRST, MOST, few
from repro.stats import agreement, comparisons, intervals, selection
from repro.stats.disparity import Definition

LEVEL = 0.05
HALF_WIDTH = 0.005  # of the interval for recall to which "runs needed" refers


def of_published(outcomes: Outcomes, name: str) -> list[str]:
    """Where the printed numbers stand, and on whose scale they are shown."""
    published = outcomes.published
    if published is None:
        return []
    where = f"{published.source}, {published.printed}"
    if outcomes.synthetic:
        return [f"Not comparable with {where}: the data are synthetic."]
    if name == published.definition:
        return [f"Published: {where}."]
    return [
        f"Published: {where}, printed as {published.definition} defines it and restated as {name} "
        "does; a dash where print does not say enough for that."
    ]


def of_strength(outcomes: Outcomes, definition: Definition) -> list[str]:
    """What so few runs cannot show."""
    runs = max((arm.runs for arm in outcomes.arms), default=0)
    if runs == 0:
        return []
    if runs == 1:
        return ["With a single run there is no interval: nothing can be said about other seeds."]
    return [
        *_flattery(outcomes, definition, runs),
        *_exactness(outcomes, runs),
        *_power(outcomes, definition, runs),
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
        f"Keeping the best {outcomes.keep} of {runs} flatters: by {sigma:.4f} standard deviations "
        "between runs in what the runs are kept by, times the correlation in any other quantity. "
        f"Estimated here, in points of recall and in variance: {'; '.join(few(by_arm, 'arms'))}."
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


def _exactness(outcomes: Outcomes, runs: int) -> list[str]:
    """What exact tests cannot reach; nothing limits those of many runs."""
    if runs >= comparisons.MANY:
        return []
    least = comparisons.least_of_deals(runs, runs)
    told = f"two arms of {runs} runs cannot come below p = {least:.3g} in a permutation test"
    if outcomes.paired:
        flip = comparisons.least_of_flips(runs)
        cannot = ", so that it cannot reach .05" if flip > LEVEL else ""
        told = (
            f"{runs} pairs of runs cannot come below p = {flip:.3g} in an exact paired "
            f"test{cannot}; {told}"
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
        f"A difference between two arms of {runs} runs is found four times in five only from "
        f"{least:.2f} standard deviations on: {100 * found['recall']:.2f} points of recall"
        f"{also} here. To know recall to half a "
        f"point takes {needed} runs an arm."
    ]


def smallest_differences(
    outcomes: Outcomes, definition: Definition, runs: int
) -> Mapping[Quantity, float]:
    """Which difference two arms of so many runs show four times in five; fractions, or NaN."""
    least = intervals.smallest_difference(runs) if runs > 1 else float("nan")
    return {q: least * _pooled_sd(outcomes, q, definition) for q in QUANTITIES}


def _pooled_sd(outcomes: Outcomes, quantity: Quantity, definition: Definition) -> float:
    squares, degrees = 0.0, 0
    for arm in outcomes.arms:
        if arm.runs > 1 and quantity in contrasts.defined(arm):
            values = contrasts.run_values(arm, quantity, definition)
            squares += (arm.runs - 1) * float(values.var(ddof=1))
            degrees += arm.runs - 1
    return float(np.sqrt(squares / degrees)) if degrees else float("nan")


def of_false_alarms(outcomes: Outcomes, definition: Definition) -> list[str]:
    """How it is read, and what became of each arm's gains."""
    skipped = sorted(
        {
            f"{100 * rate:g} %"
            for arm in outcomes.arms
            for rate in outcomes.rates
            if arm.scores is not None and not readings.can_read(arm, rate)
        }
    )
    found = [
        "Each run has its own threshold, the lowest at which at most the stated share of the "
        "photographs without a face is positive. Intervals (95 %): seed-by-photograph bootstrap "
        "with Student's quantile, the threshold set anew in every draw. A gain is a share of the "
        "reference's variance or misses."
    ]
    if skipped:
        found.append(f"Too few photographs without a face for {', '.join(skipped)}.")
    told = list(gains(outcomes, definition).values())
    found += [f"{one}." for one in (told if len(told) <= MOST else told[:FIRST])]
    if len(told) > MOST:
        found.append(f"{len(told) - FIRST:,} more arms gain over the reference at some threshold.")
    return found + _trends(outcomes, definition, outcomes.rates)


def gains(outcomes: Outcomes, definition: Definition) -> dict[str, str]:
    """For each arm that gains over the reference somewhere: what is left at equal false alarms."""
    reference = outcomes.arm(outcomes.reference)
    found: dict[str, str] = {}
    if reference is None or not outcomes.paired:
        return found
    for arm in outcomes.others:
        rates = [
            r for r in outcomes.rates if all(readings.can_read(a, r) for a in (arm, reference))
        ]
        if not rates or not set(arm.seeds) & set(reference.seeds):
            continue
        told = [
            one
            for quantity in contrasts.defined(arm, reference)
            if (one := _gain(arm, reference, quantity, definition, rates))
        ]
        if told:
            where = ", ".join(f"{100 * rate:g}" for rate in rates)
            found[arm.name] = (
                f"{arm.name} against {reference.name}, at logit 0 and then at {where} % false "
                f"alarms: {'; '.join(told)}"
            )
    return found


def _gain(
    arm: Arm,
    reference: Arm,
    quantity: Quantity,
    definition: Definition,
    rates: Sequence[float],
) -> str:
    """What became of one gain: it vanishes, shrinks, does not shrink or appears; "" without any.

    A gain is a share of what there is to gain, because both arms miss more at a higher threshold.
    """
    before = readings.gain(arm, reference, quantity, definition)
    after = [readings.gain(arm, reference, quantity, definition, rate=rate) for rate in rates]
    sure = sum(one.interval.low > 0 for one in after)
    gone = np.mean([not one.value > 0 for one in after])
    less = np.mean([not one.value >= before.value for one in after])
    if before.value > 0:
        what = "vanishes" if gone >= 0.5 else "shrinks" if less >= 0.5 else "does not shrink"
    elif sure and gone < 0.5:
        what = "appears"
    else:
        return ""
    unsure = "" if before.interval.low > 0 else " (within the spread of seeds and photographs)"
    if np.isnan(before.value):
        unsure = " (nothing to gain)"
    steps = ", ".join(map(_percent, after))
    return (
        f"{'variance less' if quantity == 'variance' else 'misses fewer'} by "
        f"{_percent(before)} %{unsure}, then by {steps} %: the gain {what} "
        f"({sure} of {len(rates)} beyond that spread)"
    )


def _percent(gain: Estimate) -> str:
    """Whole percent; a dash where there was nothing to gain."""
    return DASH if np.isnan(gain.value) else f"{round(100 * gain.value)}"


def of_comparisons(
    outcomes: Outcomes,
    definition: Definition,
    found: Sequence[Comparison],
) -> list[str]:
    """The family and what came of it, the trend, and how weak the tests of spread are."""
    per_run = "recall and variance of each run by itself: the mean of the runs' own variances is "
    told = [
        f"Compared are {per_run}not the variance of run-averaged groups. "
        + (
            "Runs are paired by seed; r is their correlation, and at 0 or below pairing gains "
            "nothing."
            if outcomes.paired
            else "Runs are not paired; Welch's t."
        ),
        family(outcomes, found),
        "Spread ratio: variance between the arm's runs over that between the reference's, with "
        "the F interval of normal values; Brown-Forsythe is weak here: with five runs it finds a "
        "16-fold ratio one time in seven.",
    ]
    tests = [(kind, test) for one in found for kind, test in one.tests.items()]
    if any(not test.attainable for kind, test in tests if kind != "t"):
        told.append(
            "Where no smallest p stands beside a sign-flip or permutation test, there are so many "
            "runs that the normal limit of the test stands for their arrangements."
        )
    return told + _trends(outcomes, definition, [None])


_NAMES = {"t": "t test", "sign_flip": "sign-flip test", "permutation": "permutation test"}


def family(outcomes: Outcomes, found: Sequence[Comparison]) -> str:
    """How many comparisons there are, what they can reach, and what came of them."""
    arms = len({one.arm.name for one in found})
    test = f"{'paired ' if outcomes.paired and outcomes.test == 't' else ''}{_NAMES[outcomes.test]}"
    whole = [outcomes.arm(one.arm.name) for one in found]
    runs = min((arm.runs for arm in whole if arm), default=0)
    least = max((one.tests[outcomes.test].attainable for one in found), default=0.0)
    first = min(1.0, len(found) * least)
    normal = "if the differences are normal" if outcomes.test == "t" else "in its normal limit"
    about = (
        f"{test}, Holm over a family of {len(found)} ({_many(arms, 'arm')} x "
        f"{_many(len(outcomes.metrics), 'metric')}), n = {runs}, "
    )
    about += (
        f"smallest p attainable {least:.3g}, {first:.3g} after the first step of Holm"
        if least
        else f"any p attainable {normal}"
    )
    passed = [
        f"{one.arm.name} in {one.quantity} ({_p(one.adjusted)})"
        for one in found
        if one.adjusted <= LEVEL
    ]
    if passed:
        return f"Significant at .05 ({about}): {'; '.join(few(passed, 'comparisons'))}."
    impossible = " and none can" if first > LEVEL else ""
    return f"No comparison comes to an adjusted p of .05 or less{impossible} ({about})."


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _p(p: float) -> str:
    return f"p {p:.4f}" if p >= 0.0001 else "p below 0.0001"


def _trends(outcomes: Outcomes, definition: Definition, rates: Sequence[float | None]) -> list[str]:
    """One test of the paper's claim along falling alpha over all runs, at each of the rates."""
    arms = _sweep(outcomes)
    found = [
        _trend(outcomes, arms, definition, rate)
        for rate in rates
        if arms and all(rate is None or readings.can_read(arm, rate) for arm in arms)
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
    where = f"at {100 * rate:g} % false alarms " if rate else ""
    if rate is None and any(arm.scores for arm in arms):
        where = "at logit 0 "
    found = {
        q: contrasts.trend(outcomes, arms, q, definition, rate=rate)
        for q in contrasts.defined(*arms)
    }
    told = ", ".join(f"{q} {one.rise:+.2f} ({_p(one.test.p)})" for q, one in found.items())
    least = max(one.test.attainable for one in found.values())
    reach = f"smallest p attainable {least:.1g}" if least else "by the normal limit of the shuffles"
    return f"{where}{told}, {reach}"


def _sweep(outcomes: Outcomes) -> list[Arm]:
    """The arms from the largest alpha to the smallest; none unless they are points of one sweep."""
    own = {arm.keys or arm.name: arm for arm in reversed(outcomes.arms)}  # ranked otherwise: once
    found = [arm for arm in outcomes.arms if own[arm.keys or arm.name] is arm]
    arms = [arm for arm in found if arm.runs and arm.alpha is not None]
    alphas = {arm.alpha for arm in arms}
    if len(alphas) < 3 or len(alphas) < len(arms):
        return []
    return sorted(arms, key=lambda arm: -float(arm.alpha or 0.0))


def of_verdict(outcomes: Outcomes, name: str) -> list[str]:
    """What is compared with what."""
    published = outcomes.published
    assert published is not None
    found = [
        f"Both sides are the mean of the best {published.keep} of {published.replicates} runs as "
        f"{published.definition} defines recall and variance. Print comes without a spread: it is "
        "taken as one more such draw with ours. Variances are compared by their roots.",
        "Reproduced: an equivalence test with the margin that the study declares passes at 5 %. "
        "Not reproduced: print lies outside the 95 % prediction interval and beyond the margin. "
        "Else the runs cannot tell. Directions are of the runs' own values, each with its own "
        "95 % interval.",
    ]
    if name != published.definition:
        found.append(f"The verdict keeps to {published.definition}, whatever the tables show.")
    return found


def of_crops(arms: Sequence[Arm]) -> str:
    """How many crops there are."""
    known = {(arm.crops.count, arm.crops.groups) for arm in arms if arm.crops is not None}
    if len(known) > 1:
        return "the crops of each arm"
    count, names = next(iter(known))
    return f"{count} crops in {len(names)} groups"
