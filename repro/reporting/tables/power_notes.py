"""The footnotes on what this number of runs can show: smallest p-values, power, runs needed."""

from collections.abc import Mapping

import numpy as np

from repro.analysis import arm_differences, arm_power
from repro.analysis.arm_differences import UNIT, Family, Quantity
from repro.analysis.arm_power import Detectable
from repro.analysis.outcomes import Outcomes
from repro.analysis.wording import count
from repro.reporting.tables.comparison_notes import LEVEL, name_of_test
from repro.stats import comparisons, intervals
from repro.stats.disparity import Definition

HALF_WIDTH = 0.005  # of the interval for recall to which "runs needed" refers
NAMES: Mapping[Quantity, str] = {"recall": "recall", "variance": "variance of single runs"}
_UNITS: Mapping[Quantity, str] = {"recall": " points", "variance": ""}
# Differences that cannot be, in the unit of the tables: the variance of two groups, one of 0 and
# one of 100 %, is 5,000 by the definition that makes it largest.
_LARGEST: Mapping[Quantity, float] = {"recall": 100.0, "variance": 5000.0}


def of_power(outcomes: Outcomes, definition: Definition) -> list[str]:
    """What this number of runs can detect; of comparisons nothing if there are none."""
    family = arm_differences.family(outcomes, definition)
    return [
        *_of_smallest_p(outcomes, family),
        *_of_detectable(outcomes, family),
        *_of_runs_needed(outcomes, definition),
    ]


def detectable(outcomes: Outcomes, family: Family) -> list[Detectable]:
    """What the declared test detects of each quantity; empty if it can detect nothing."""
    if cannot_pass(outcomes, family):
        return []
    quantities = dict.fromkeys(one.quantity for one in family.made)
    found = (arm_power.detectable(outcomes, family, quantity) for quantity in quantities)
    return [one for one in found if one]


def cannot_pass(outcomes: Outcomes, family: Family) -> str:
    """Why no comparison can have an adjusted p of .05 or less; "" if one can."""
    least = min((one.tests[outcomes.test].attainable for one in family.made), default=0.0)
    first = min(1.0, family.size * least)
    if first <= LEVEL:
        return ""
    return (
        f"No difference can be significant: the smallest possible p of the {name_of_test(outcomes)}"
        f" is {first:.3g}{_after(family)}"
    )


def shown(quantity: Quantity, difference: float, form: str) -> str:
    """A difference, in the unit of the tables; one that cannot be as "over" the largest."""
    largest = _LARGEST[quantity]
    return format(difference, form) if difference <= largest else f"over {largest:,.0f}"


def test_in_words(outcomes: Outcomes) -> str:
    """The t test whose power is given."""
    return "paired t test" if arm_power.pairs_runs(outcomes) else "unpaired t test"


def _after(family: Family) -> str:
    steps = f" at the first step of Holm over {family.size} comparisons"
    return steps if family.size > 1 else ""


def _of_smallest_p(outcomes: Outcomes, family: Family) -> list[str]:
    """The smallest p-values of exact tests; no limit applies with many runs."""
    sizes = [(len(one.values), len(one.others)) for one in family.made]
    n, m = min(sizes, key=min, default=(0, 0))
    if not 1 < min(n, m) < comparisons.MANY:
        return []
    arms = f"two arms of {n} runs" if n == m else f"arms of {n} and {m} runs"
    least = comparisons.least_of_deals(n, m)
    told = f"with {arms} the smallest possible p of a permutation test is {least:.3g}"
    if outcomes.paired:
        flip = comparisons.least_of_flips(n)
        cannot = ", above .05" if flip > LEVEL else ""
        told = (
            f"with {n} pairs of runs the smallest possible p of an exact paired test is "
            f"{flip:.3g}{cannot}; {told}"
        )
    return [f"{told[0].upper()}{told[1:]}."]


def _of_detectable(outcomes: Outcomes, family: Family) -> list[str]:
    if why := cannot_pass(outcomes, family):
        return [f"{why}."]
    found = detectable(outcomes, family)
    if not found:
        return []
    one, guide = found[0], ""
    if outcomes.test != "t":
        guide = f"As a guide to the {name_of_test(outcomes)}: "
    if arm_power.pairs_runs(outcomes):
        what, unit = f"{one.runs} pairs", "of the pairs' differences"
    else:
        what, unit = f"{one.runs} runs per arm", "between the runs of an arm"
    first = f" alone, and of {one.first:.2f}{_after(family)}" if family.size > 1 else ""
    told = (
        f"{guide}with 80 % power the {test_in_words(outcomes)} at .05 detects with {what} a "
        f"difference of {one.alone:.2f} standard deviations {unit}{first}"
    )
    amounts = "; ".join(_amount(each, family) for each in found)
    return [f"{told[0].upper()}{told[1:]}. Here: {amounts}."]


def _amount(one: Detectable, family: Family) -> str:
    """The detectable difference of a quantity, the spread behind it, and its uncertainty."""
    unit, scale = _UNITS[one.quantity], UNIT[one.quantity]
    pairs = not np.isnan(one.correlation)
    what = "comparison" if pairs else "arm"
    pooled = f"pooled over {count(one.pooled, what)}; " if one.pooled > 1 else ""
    related = f"; correlation of the pairs {one.correlation:+.2f}" if pairs else ""
    return (
        f"{NAMES[one.quantity]} {_steps(one, one.sd, family)}{unit}, standard deviation "
        f"{scale * one.sd:.2f}{unit} ({pooled}with 80 % confidence at most "
        f"{scale * one.sd_bound:.2f}, which gives {_steps(one, one.sd_bound, family)}{related})"
    )


def _steps(one: Detectable, deviation: float, family: Family) -> str:
    """The difference alone and at the first step of Holm, in the unit of the tables."""
    scale = UNIT[one.quantity] * deviation
    steps = (one.alone, one.first) if family.size > 1 else (one.alone,)
    return " and ".join(shown(one.quantity, scale * step, ".2f") for step in steps)


def _of_runs_needed(outcomes: Outcomes, definition: Definition) -> list[str]:
    """For an interval of a given width; nothing where runs show no spread."""
    squares, degrees = 0.0, 0
    for arm in outcomes.arms:
        if arm.runs > 1:
            deviation = intervals.sd(arm_differences.run_values(arm, "recall", definition))
            squares += (arm.runs - 1) * deviation**2
            degrees += arm.runs - 1
    if not squares:
        return []
    seen = float(np.sqrt(squares / degrees))
    needed = intervals.runs_needed(seen, HALF_WIDTH)
    return [
        f"A 95 % t interval of ± half a point for recall, for new seeds and the same photographs "
        f"only, needs {needed:,} runs per arm at the standard deviation between runs seen here, "
        f"{100 * seen:.2f} points."
    ]
