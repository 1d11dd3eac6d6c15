"""Comparison of arms: values of single runs, their difference, tests, and the trend over arms.

Runs are paired by seed if the study's arms share their seeds, but not in an audited file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from repro.analysis import operating_points, thresholds
from repro.analysis.operating_points import Estimate
from repro.analysis.study_data import Arm, Outcomes
from repro.stats import comparisons, disparity, intervals
from repro.stats.comparisons import Difference, Test, Trend
from repro.stats.disparity import Definition
from repro.stats.intervals import Floats

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
) -> Trend:
    """Trend of the quantity over the arms in the order given.

    Args:
        outcomes: Its `paired` decides whether runs are paired.
        arms: In order.
        quantity: Of each run.
        definition: Of the quantity.
        rate: False-positive rate that sets the thresholds; None for logit 0.
    """
    read = [arm if rate is None else thresholds.at(arm, rate) for arm in arms]
    values = np.concatenate([run_values(arm, quantity, definition) for arm in read])
    order = np.repeat(np.arange(len(arms)), [arm.runs for arm in arms])
    seeds = np.concatenate([np.array(arm.seeds, dtype=np.int64) for arm in arms])
    return comparisons.jonckheere(values, order, block=seeds if outcomes.paired else None)


def tests(
    outcomes: Outcomes, arm: Arm, reference: Arm, metric: Quantity, definition: Definition
) -> dict[str, Test]:
    """The tests of one comparison by name."""
    a, b = operating_points.paired(arm, reference) if outcomes.paired else (arm, reference)
    x, y = (run_values(one, metric, definition) for one in (a, b))
    apart = run_difference(outcomes, arm, reference, metric, definition)
    found = {"t": Test(apart.p, 0.0)}
    if outcomes.paired:
        found["sign_flip"] = comparisons.sign_flip(x - y)
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
        adjusted: Holm-adjusted p-value of the study's test; NaN without a test.
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


def family(outcomes: Outcomes, definition: Definition) -> list[Comparison]:
    """All arms against the reference in all metrics of the study, with Holm-adjusted p-values."""
    reference = outcomes.arm(outcomes.reference)
    if reference is None:
        return []
    pairs = [
        (arm, metric)
        for arm in outcomes.others
        for metric in QUANTITIES
        if metric in outcomes.metrics and metric in defined(arm, reference)
        if not outcomes.paired or set(arm.seeds) & set(reference.seeds)
    ]
    tested = [tests(outcomes, arm, reference, metric, definition) for arm, metric in pairs]
    adjusted = comparisons.holm([test[outcomes.test].p for test in tested])
    return [
        _comparison(outcomes, arm, reference, metric, definition, test, p)
        for (arm, metric), test, p in zip(pairs, tested, adjusted, strict=True)
    ]


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
    spread = intervals.sd(values - others) if outcomes.paired else float("nan")
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
