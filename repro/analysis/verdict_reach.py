"""What a verdict on published numbers can tell if the reproduction is true.

The published value is itself one sample, so more runs of ours do not help beyond a limit; and with
a margin that is small against the spread between runs even true reproductions are rarely called
reproduced. This is known before training, from the spread alone.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from repro.analysis import verdicts
from repro.analysis.arm_differences import QUANTITIES, Quantity
from repro.analysis.outcomes import Arm, Outcomes
from repro.stats import agreement
from repro.stats.agreement import Reach, Statistic
from repro.study.published import Margin, Published

ASSUMED = (0.5, 1.0, 2.0)  # standard deviations between runs, in points, without records


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What the verdict on one quantity of one process can tell.

    Attributes:
        quantity: ``recall`` or ``variance``.
        deviation: Standard deviation between runs, in points: of recall, or of the root of the
            variance.
        runs: Number of our runs.
        delta: Margin, in points or percent squared.
        now: With this number of runs.
        limit: With unlimited runs of ours.
    """

    quantity: Quantity
    deviation: float
    runs: int
    delta: float
    now: Reach
    limit: Reach


def of_outcomes(outcomes: Outcomes, *, planned: bool = False) -> list[Prospect]:
    """For each published number that our runs can be compared with, with the spread of our runs.

    Empty without published values or a margin, or if no arm has enough runs.

    Args:
        outcomes: With published values.
        planned: For the planned number of runs, from two runs of an arm on; else for the runs that
            there are, if they are as many as in the publication.
    """
    return list(_of_outcomes(outcomes, planned=planned))


def _of_outcomes(outcomes: Outcomes, *, planned: bool) -> Iterator[Prospect]:
    published, margin = outcomes.published, outcomes.margin
    if published is None or margin is None:
        return
    least = 2 if planned else max(2, published.replicates)
    for row in published.rows:
        arm = outcomes.arm(row.arm)
        if arm is None or arm.runs < least:
            continue
        runs = max(arm.runs, outcomes.replicates) if planned else arm.runs
        if runs < published.replicates:
            continue
        for quantity in QUANTITIES:
            if getattr(row, quantity) is None or (quantity == "variance" and not arm.can_differ):
                continue
            ours = _process(arm, published, quantity, runs)
            if verdicts.has_spread(ours):
                yield _prospect(ours, quantity, margin)


def _process(arm: Arm, published: Published, quantity: Quantity, runs: int) -> Statistic:
    """The published statistic of an arm in points, for this number of runs."""
    n = arm.runs
    few = n < published.replicates
    seen = published.model_copy(update={"keep": n, "replicates": n}) if few else published
    ours = verdicts.statistic(arm, seen, quantity)
    return replace(
        ours,
        value=100 * ours.value,
        deviation=100 * ours.deviation,
        runs=runs,
        keep=published.keep,
        of=published.replicates,
    )


def assumed(outcomes: Outcomes, deviation: float) -> list[Prospect]:
    """For each published quantity, before there are records.

    Args:
        outcomes: With published values; a variance is assumed to be the median of them.
        deviation: Standard deviation between runs, in points, such as one of `ASSUMED`.
    """
    published, margin = outcomes.published, outcomes.margin
    found: list[Prospect] = []
    if published is None or margin is None or outcomes.replicates < published.replicates:
        return found
    for quantity in QUANTITIES:
        known = [v for row in published.rows if (v := getattr(row, quantity)) is not None]
        if not known:
            continue
        centre = float(np.median(known))
        itself = quantity == outcomes.by and outcomes.split == "test"
        ours = Statistic(
            value=math.sqrt(centre) if quantity == "variance" else centre,
            deviation=deviation,
            runs=outcomes.replicates,
            keep=published.keep,
            of=published.replicates,
            selects="itself" if itself else "another",
        )
        found.append(_prospect(ours, quantity, margin))
    return found


def _prospect(ours: Statistic, quantity: Quantity, margin: Margin) -> Prospect:
    delta, squared = getattr(margin, quantity), quantity == "variance"
    return Prospect(
        quantity=quantity,
        deviation=ours.deviation,
        runs=int(ours.runs),
        delta=delta,
        now=agreement.reach(ours, delta, squared=squared),
        limit=agreement.reach(replace(ours, runs=math.inf), delta, squared=squared),
    )
