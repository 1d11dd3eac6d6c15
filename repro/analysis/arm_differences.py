"""Comparison of arms: values of single runs, their difference, tests, and the trend over arms.

Runs are paired by seed if the study's arms share their seeds, but not in an audited file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from repro.analysis import operating_points, thresholds
from repro.analysis.object_cache import cached_by_owner
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import Arm, Outcomes
from repro.stats import comparisons, disparity, intervals, rounding, trends
from repro.stats.comparisons import Difference, Test
from repro.stats.disparity import Definition
from repro.stats.intervals import Floats, Integers
from repro.stats.trends import Trend
from repro.system.count_progress import each

Quantity = Literal["recall", "variance"]
QUANTITIES: tuple[Quantity, ...] = ("recall", "variance")
UNIT = {
    "recall": 1e2,
    "variance": 1e4,
    "gap": 1e2,
    "worst": 1e2,
}  # table units per unit used here


def defined(*arms: Arm) -> tuple[Quantity, ...]:
    """The quantities that are defined for all of these arms: a single group has no variance."""
    return QUANTITIES if all(arm.can_differ for arm in arms) else ("recall",)


def run_values(arm: Arm, quantity: Quantity, definition: Definition) -> Floats:
    """The quantity of each run, shape (R,): recall, or the variance between its own groups.

    NaN for the variance of a single group.
    """
    if quantity == "recall":
        return arm.run_recall(definition)
    if not arm.can_differ:
        return np.full(arm.runs, np.nan)
    return disparity.run_variance(arm.recall, definition)


def run_difference(
    outcomes: Outcomes, arm: Arm, reference: Arm, quantity: Quantity, definition: Definition
) -> Difference:
    """Arm minus reference over single runs, paired by seed if seeds are shared."""
    if outcomes.paired:
        a, b = operating_points.paired(arm, reference)
        return comparisons.paired_difference(
            run_values(a, quantity, definition), run_values(b, quantity, definition)
        )
    return comparisons.welch_difference(
        run_values(arm, quantity, definition), run_values(reference, quantity, definition)
    )


def trend(
    outcomes: Outcomes,
    arms: Sequence[Arm],
    quantity: Quantity,
    definition: Definition,
    *,
    rate: float | None = None,
    places: Sequence[int] | Integers | None = None,
) -> Trend:
    """Trend of the quantity over the arms in the order given.

    Args:
        outcomes: Its `paired` decides whether runs are paired.
        arms: In order.
        quantity: Of each run.
        definition: Of the quantity.
        rate: False-positive rate that sets the thresholds; None for logit 0.
        places: Of the arms in the order, if some share a place; None: each has its own.
    """
    read = [arm if rate is None else thresholds.at(arm, rate) for arm in arms]
    values = np.concatenate([run_values(arm, quantity, definition) for arm in read])
    order = np.repeat(
        np.arange(len(arms)) if places is None else places, [arm.runs for arm in arms]
    )
    seeds = np.concatenate([np.array(arm.seeds, dtype=np.int64) for arm in arms])
    return trends.jonckheere(values, order, block=seeds if outcomes.paired else None)


def tests(
    outcomes: Outcomes, arm: Arm, reference: Arm, metric: Quantity, definition: Definition
) -> dict[str, Test]:
    """The tests of one comparison by name."""
    a, b = operating_points.paired(arm, reference) if outcomes.paired else (arm, reference)
    x, y = (run_values(one, metric, definition) for one in (a, b))
    apart = run_difference(outcomes, arm, reference, metric, definition)
    found = {"t": Test(apart.p, 0.0)}
    if outcomes.paired:
        found["sign_flip"] = comparisons.sign_flip(rounding.differences(x, y))
    return found | {"permutation": comparisons.permutation(x, y)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """One arm against the reference in one quantity, over single runs.

    Attributes:
        arm: Only with the reference's seeds if runs are paired.
        reference: Likewise.
        quantity: ``recall`` or ``variance``.
        values: Of the runs of the arm, shape (R,); fractions.
        others: Of the runs of the reference, shape (S,).
        difference: Arm minus reference; fractions.
        apart: The same with its t test and the correlation of the pairs.
        tests: By name.
        adjusted: Holm-adjusted p-value of the study's test; NaN if the test is not defined.
    """

    arm: Arm
    reference: Arm
    quantity: Quantity
    values: Floats
    others: Floats
    difference: Estimate
    apart: Difference
    tests: Mapping[str, Test]
    adjusted: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Family:
    """The comparisons that a study plans: all count in Holm's adjustment, whatever fails.

    Attributes:
        planned: Arm and quantity of each, in the order of the arms.
        made: Those with values of both arms, in the same order.
    """

    planned: Sequence[tuple[Arm, Quantity]]
    made: Sequence[Comparison]

    @property
    def size(self) -> int:
        """Number of planned comparisons."""
        return len(self.planned)

    @property
    def missing(self) -> Sequence[tuple[Arm, Quantity]]:
        """The planned comparisons without values, because runs of an arm are missing."""
        made = {(one.arm.name, one.quantity) for one in self.made}
        return [(arm, q) for arm, q in self.planned if (arm.name, q) not in made]


def family(outcomes: Outcomes, definition: Definition) -> Family:
    """All arms against the reference in all metrics of the study, with Holm-adjusted p-values."""
    return _family(outcomes, definition)


@cached_by_owner()
def _family(outcomes: Outcomes, definition: Definition) -> Family:
    planned = _planned(outcomes)
    reference = outcomes.arm(outcomes.reference)
    if reference is None:
        return Family(planned=planned, made=[])
    with each("tests of the differences", planned, unit="comparisons") as listed:
        tested = [
            tests(outcomes, arm, reference, metric, definition)
            if _comparable(outcomes, arm, reference, metric)
            else None
            for arm, metric in listed
        ]
    nothing = float("nan")
    adjusted = comparisons.holm([one[outcomes.test].p if one else nothing for one in tested])
    made = [
        _comparison(outcomes, arm, reference, metric, definition, test, p)
        for (arm, metric), test, p in zip(planned, tested, adjusted, strict=True)
        if test
    ]
    return Family(planned=planned, made=made)


def _planned(outcomes: Outcomes) -> list[tuple[Arm, Quantity]]:
    """Every arm but the reference, in every metric; no variance if the data have one group."""
    can_differ = any(arm.can_differ for arm in outcomes.arms)
    return [
        (arm, metric)
        for arm in outcomes.arms
        for metric in QUANTITIES
        if arm.name != outcomes.reference and metric in outcomes.metrics
        if can_differ or metric != "variance"
    ]


def _comparable(outcomes: Outcomes, arm: Arm, reference: Arm, metric: Quantity) -> bool:
    """Whether both arms have values; pairs need a common seed."""
    if not arm.runs or metric not in defined(arm, reference):
        return False
    return not outcomes.paired or bool(set(arm.seeds) & set(reference.seeds))


def _comparison(
    outcomes: Outcomes,
    arm: Arm,
    reference: Arm,
    quantity: Quantity,
    definition: Definition,
    tested: Mapping[str, Test],
    adjusted: float,
) -> Comparison:
    a, b = operating_points.paired(arm, reference) if outcomes.paired else (arm, reference)
    values, others = (run_values(one, quantity, definition) for one in (a, b))
    apart = run_difference(outcomes, arm, reference, quantity, definition)
    spread = float("nan")
    if outcomes.paired:
        spread = intervals.sd(rounding.differences(values, others))
    return Comparison(
        arm=a,
        reference=b,
        quantity=quantity,
        values=values,
        others=others,
        difference=Estimate(apart.mean, apart.interval, spread),
        apart=apart,
        tests=tested,
        adjusted=adjusted,
    )
