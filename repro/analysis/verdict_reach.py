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
from repro.analysis.study_data import Outcomes
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
        delta: Margin, in points or points squared.
        now: With this number of runs.
        limit: With unlimited runs of ours.
    """

    quantity: Quantity
    deviation: float
    runs: int
    delta: float
    now: Reach
    limit: Reach


def of_outcomes(outcomes: Outcomes) -> list[Prospect]:
    """For each published number that our runs can be compared with, with the spread of our runs.

    Empty without published values or a margin, or if no arm has enough runs.
    """
    return list(_of_outcomes(outcomes))


def _of_outcomes(outcomes: Outcomes) -> Iterator[Prospect]:
    published, margin = outcomes.published, outcomes.margin
    if published is None or margin is None:
        return
    for row in published.rows:
        arm = outcomes.arm(row.arm)
        if arm is None or arm.runs < max(2, published.replicates):
            continue
        for quantity in QUANTITIES:
            if getattr(row, quantity) is None or (quantity == "variance" and not arm.can_differ):
                continue
            ours = verdicts.statistic(arm, published, quantity)
            in_points = replace(ours, value=100 * ours.value, deviation=100 * ours.deviation)
            yield _prospect(in_points, quantity, margin)


def assumed(
    published: Published, margin: Margin, deviation: float, *, runs: int, by: str
) -> list[Prospect]:
    """For each published quantity, before there are records.

    Args:
        published: A variance is assumed to be the median of the published ones.
        margin: Of the study.
        deviation: Standard deviation between runs, in points, such as one of `ASSUMED`.
        runs: Planned number of our runs.
        by: The quantity that selects our runs; another word if none of them does.
    """
    found = []
    for quantity in QUANTITIES:
        known = [v for row in published.rows if (v := getattr(row, quantity)) is not None]
        if not known or runs < published.replicates:
            continue
        centre = float(np.median(known))
        ours = Statistic(
            value=math.sqrt(centre) if quantity == "variance" else centre,
            deviation=deviation,
            runs=runs,
            keep=published.keep,
            of=published.replicates,
            selects="itself" if quantity == by else "another",
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
