"""Arm against arm: the runs' own values, their difference, the tests and the trend along arms.

Runs are paired by seed where the study's arms share their seeds, and not in somebody else's file.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from repro import readings
from repro.outcomes import Arm, Outcomes
from repro.stats import comparisons, disparity
from repro.stats.comparisons import Difference, Test, Trend
from repro.stats.disparity import Definition
from repro.stats.intervals import Floats

Quantity = Literal["recall", "variance"]
QUANTITIES: tuple[Quantity, ...] = ("recall", "variance")
UNIT = {"recall": 1e2, "variance": 1e4, "gap": 1e2, "worst": 1e2}  # printed units in one of ours


def defined(*arms: Arm) -> tuple[Quantity, ...]:
    """The quantities that all of these arms have: one group alone has no variance."""
    return QUANTITIES if all(arm.can_differ for arm in arms) else ("recall",)


def run_values(arm: Arm, quantity: Quantity, definition: Definition) -> Floats:
    """The quantity of each run, shape (R,): recall, or the variance between its own groups.

    NaN for the variance of one group alone.
    """
    if quantity == "recall":
        return arm.run_recall(definition)
    if not arm.can_differ:
        return np.full(arm.runs, np.nan)
    return disparity.run_variance(arm.recall, definition)


def run_difference(
    outcomes: Outcomes, arm: Arm, reference: Arm, quantity: Quantity, definition: Definition
) -> Difference:
    """Arm less reference of the runs' own values, paired by seed where seeds are shared."""
    if outcomes.paired:
        a, b = readings.paired(arm, reference)
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
    """Whether the quantity rises along the arms as they are listed.

    Args:
        outcomes: Say whether runs are paired.
        arms: In order.
        quantity: Of each run.
        definition: Of the quantity.
        rate: False-positive rate at which the runs are read; None at logit 0.
    """
    read = [arm if rate is None else readings.at(arm, rate) for arm in arms]
    values = np.concatenate([run_values(arm, quantity, definition) for arm in read])
    order = np.repeat(np.arange(len(arms)), [arm.runs for arm in arms])
    seeds = np.concatenate([np.array(arm.seeds, dtype=np.int64) for arm in arms])
    return comparisons.jonckheere(values, order, block=seeds if outcomes.paired else None)


def tests(
    outcomes: Outcomes, arm: Arm, reference: Arm, metric: Quantity, definition: Definition
) -> dict[str, Test]:
    """The tests of one comparison by name."""
    a, b = readings.paired(arm, reference) if outcomes.paired else (arm, reference)
    x, y = (run_values(one, metric, definition) for one in (a, b))
    apart = run_difference(outcomes, arm, reference, metric, definition)
    found = {"t": Test(apart.p, 0.0)}
    if outcomes.paired:
        found["sign_flip"] = comparisons.sign_flip(x - y)
    return found | {"permutation": comparisons.permutation(x, y)}
