"""The footnotes on comparisons of arms: the family, its result, and the trend.

The word "significant" is used only with its test, its family, the number of runs and the smallest
possible p-value.
"""

from collections.abc import Sequence

import numpy as np

from repro.analysis import arm_differences, portrait_clusters, thresholds
from repro.analysis.arm_differences import Family
from repro.analysis.outcomes import Arm, Outcomes
from repro.analysis.wording import count
from repro.reporting.tables import run_notes
from repro.reporting.tables.run_notes import few
from repro.stats import comparisons, trends
from repro.stats.disparity import Definition

LEVEL = 0.05
_NAMES = {"t": "t test", "sign_flip": "sign-flip test", "permutation": "permutation test"}


def of_comparisons(outcomes: Outcomes, definition: Definition) -> list[str]:
    """Footnotes: the family and its result, the trend, and the power of the tests of spread."""
    found = arm_differences.family(outcomes, definition)
    if not found.made:
        return of_none(outcomes, definition)
    return [
        *_of_values(outcomes, found),
        of_family(outcomes, found),
        *_of_untested(outcomes, found),
        *_of_spread(found),
        *_of_limits(found),
        *of_trends(outcomes, definition, [None]),
    ]


def of_none(outcomes: Outcomes, definition: Definition) -> list[str]:
    """Why no arm is compared, if comparisons are planned and there are results."""
    found = arm_differences.family(outcomes, definition)
    if found.made or not found.planned or not any(arm.runs for arm in outcomes.arms):
        return []
    reference = outcomes.arm(outcomes.reference)
    if reference is None:
        planned = next((a for a in outcomes.arms if a.name == outcomes.reference), None)
        lost = run_notes.without_results(planned) if planned else ""
        why = f" ({lost})" if lost else ""
        return [
            f"No arm is compared: the reference, {outcomes.reference}, has no runs with "
            f"results{why}."
        ]
    if not outcomes.others:
        why = "no other arm has runs with results"
    else:
        why = "no run with results of another arm has the seed of one of its own"
    return [f"No arm is compared with {reference.name}: {why}."]


def _of_values(outcomes: Outcomes, found: Family) -> list[str]:
    """What is compared, and what the pairs' correlation means where it is not above 0."""
    told = []
    if any(one.quantity == "variance" for one in found.made):
        told.append(
            "Recall and variance are those of single runs; the mean of the runs' variances is not "
            "the variance of run-averaged groups."
        )
    if clusters := portrait_clusters.short(outcomes):
        told.append(
            f"Intervals and tests are for new seeds and these portraits, of {clusters}: they say "
            "nothing of others."
        )
    if not outcomes.paired:
        return [" ".join([*told, "Runs are not paired; intervals and p, t are Welch's."])]
    told.append("Runs are paired by seed; r is their correlation.")
    if any(one.apart.correlation <= 0 for one in found.made):
        told.append("Where r is 0 or below, pairing does not increase the power.")
    return [" ".join(told)]


def of_family(outcomes: Outcomes, found: Family) -> str:
    """The number of planned comparisons, their smallest possible p, and the significant ones."""
    tested = [one for one in found.made if not np.isnan(one.adjusted)]
    about = _about(outcomes, found)
    if not tested:
        return f"No comparison has a p-value ({about})."
    least = min(one.tests[outcomes.test].attainable for one in tested)
    first = min(1.0, found.size * least)
    if least:
        about += f", smallest possible p {least:.3g}, {first:.3g} after the first step of Holm"
    elif outcomes.test != "t":
        about += ", any p possible by its normal approximation"
    elif any(not np.isnan(one.apart.interval.low) for one in tested):
        about += ", any p possible for normal differences"
    else:
        about += ", no run differs from the reference's"
    passed = [
        f"{one.arm.name} in {one.quantity} ({_p(one.adjusted)})"
        for one in tested
        if one.adjusted <= LEVEL
    ]
    if passed:
        return f"Significant at .05 ({about}): {'; '.join(few(passed, 'comparisons'))}."
    impossible = ", and none can have one" if first > LEVEL else ""
    return f"No comparison has an adjusted p of .05 or less{impossible} ({about})."


def _about(outcomes: Outcomes, found: Family) -> str:
    """The test, its family and the number of runs."""
    arms = len({arm.name for arm, _ in found.planned})
    metrics = len({quantity for _, quantity in found.planned})
    sizes = sorted({min(len(one.values), len(one.others)) for one in found.made})
    runs = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return (
        f"{name_of_test(outcomes)}, Holm over a family of {found.size} "
        f"({count(arms, 'arm')} x {count(metrics, 'metric')}), n = {runs}"
    )


def name_of_test(outcomes: Outcomes) -> str:
    """The declared test, in words."""
    pairs = "paired " if outcomes.paired and outcomes.test == "t" else ""
    return f"{pairs}{_NAMES[outcomes.test]}"


def _of_untested(outcomes: Outcomes, found: Family) -> list[str]:
    """The planned comparisons without a p-value; they count in Holm's adjustment all the same."""
    why = [(arm.name, quantity, _missing(outcomes, arm)) for arm, quantity in found.missing]
    for one in found.made:
        if np.isnan(one.adjusted):
            single = min(len(one.values), len(one.others)) < 2
            why.append((one.arm.name, one.quantity, "a single run" if single else "no spread"))
    if not why:
        return []
    by_arm: dict[tuple[str, str], list[str]] = {}
    for arm, quantity, reason in why:
        by_arm.setdefault((arm, reason), []).append(quantity)
    told = [f"{arm} in {' and '.join(q)} ({reason})" for (arm, reason), q in by_arm.items()]
    return [
        f"Without a p-value, but counted by Holm: {len(why)} of "
        f"{count(found.size, 'planned comparison')}: {'; '.join(few(told, 'arms'))}."
    ]


def _missing(outcomes: Outcomes, arm: Arm) -> str:
    if not arm.runs:
        return f"no runs with results: {run_notes.without_results(arm)}"
    if not arm.can_differ:
        return "a single group"
    return f"no seed of {outcomes.reference}"


def _of_spread(found: Family) -> list[str]:
    """How the spreads of arms are compared, and how little their test can tell."""
    ratios = [comparisons.variance_ratio(one.values, one.others)[0] for one in found.made]
    tests = [comparisons.brown_forsythe(one.values, one.others) for one in found.made]
    if np.isnan(ratios).all():
        return []
    told = (
        "Spread ratio: variance between the arm's runs divided by that between the reference's, "
        "with the F interval for normal values."
    )
    if np.isnan(tests).all():
        return [told]
    return [
        f"{told} The Brown-Forsythe test has low power: with five runs it detects a 16-fold ratio "
        "in 14 % of the cases."
    ]


def _of_limits(found: Family) -> list[str]:
    tests = [(kind, test) for one in found.made for kind, test in one.tests.items()]
    if all(test.attainable for kind, test in tests if kind != "t"):
        return []
    return [
        "A sign-flip or permutation test without a smallest possible p uses its normal "
        "approximation, because there are too many runs to list their arrangements."
    ]


def _p(p: float) -> str:
    return f"p {p:.4f}" if p >= 0.0001 else "p below 0.0001"


def of_trends(
    outcomes: Outcomes, definition: Definition, rates: Sequence[float | None]
) -> list[str]:
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
    if any("smallest possible" in one for one in found):
        error = 0.5 / trends.SHUFFLES**0.5
        shuffled += f" {trends.SHUFFLES:,} times: standard error of p at most {error:.4f}"
    return [
        "Trend over log alpha, from the largest (no resampling) to the smallest, over "
        f"{count(sum(arm.runs for arm in arms), 'run')}, Jonckheere-Terpstra from -1 (falls) to 1 "
        f"(rises): {'; '.join(found)} (two-sided, {shuffled}; not adjusted)."
    ]


def _trend(
    outcomes: Outcomes, arms: Sequence[Arm], definition: Definition, rate: float | None
) -> str:
    where = f"at {100 * rate:g} % false positives " if rate else ""
    if rate is None and any(arm.scores for arm in arms):
        where = f"at {outcomes.threshold} "
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
