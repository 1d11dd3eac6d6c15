"""Runs far from the others of their arm, and arms whose runs spread unlike those of the others.

Trainings of this kind fail in one run of several, without an error: the recall is 20 or 40 points
lower. Five runs of an arm often show no such run, so what the other arms show is told as well.
"""

import numpy as np

from repro.analysis import arm_parts
from repro.analysis.outcomes import Arm, Outcomes
from repro.stats import intervals, rounding
from repro.stats.disparity import DEFINITIONS
from repro.stats.intervals import Interval

FAR, DEVIATIONS = 0.10, 5  # points of recall, and median absolute deviations, from the median
UNLIKE = 3  # ratio of two standard deviations
FEWEST = 3  # runs of an arm from which on one can be far from the median
_POOLED = DEFINITIONS["dehaan2020"]


def far(arm: Arm) -> list[int]:
    """Seeds of the runs whose recall is far from the median of the arm."""
    if arm.runs < FEWEST:
        return []
    recall = arm.run_recall(_POOLED)
    away = np.abs(recall - np.median(recall))
    limit = max(FAR, DEVIATIONS * float(np.median(away))) + rounding.TOLERANCE
    return [seed for seed, one in zip(arm.seeds, away, strict=True) if one > limit]


def share(outcomes: Outcomes) -> tuple[int, int, Interval] | None:
    """Runs far from their arm's median, all runs, and the exact interval of the proportion.

    Over arms with `FEWEST` runs or more; None without such an arm.
    """
    arms = [arm for arm in arm_parts.of_different_runs(outcomes) if arm.runs >= FEWEST]
    total, count = sum(arm.runs for arm in arms), sum(len(far(arm)) for arm in arms)
    return (count, total, intervals.clopper_pearson(count, total)) if total else None


def unlike(outcomes: Outcomes, arm: Arm) -> float:
    """The arm's standard deviation of recall between runs, divided by that of the other arms.

    The arm itself is left out of the pooled one: with it the ratio of A arms with as many runs
    could not exceed root A. NaN if the other arms have no spread, or the arm has too few runs.
    """
    pooled = arm_parts.pooled(outcomes, "recall", _POOLED)
    if pooled is None or arm.runs < FEWEST:
        return float("nan")
    own, whole = intervals.sd(arm.run_recall(_POOLED)), pooled.variance * pooled.degrees
    degrees = pooled.degrees - (arm.runs - 1)
    rest = whole - own**2 * (arm.runs - 1)
    if rest <= rounding.TOLERANCE * max(whole, rounding.TOLERANCE):
        return float("nan")
    return own / float(np.sqrt(rest / degrees))


def untrusted(outcomes: Outcomes, arm: Arm) -> str:
    """Why the arm's intervals cannot be trusted; empty if nothing speaks against them."""
    ratio, seeds = unlike(outcomes, arm), far(arm)
    if seeds:
        named = ", ".join(map(str, seeds))
        return f"seed {named} far from its median" if len(seeds) == 1 else f"seeds {named} far off"
    if rounding.constant(arm.run_recall(_POOLED)) and not np.isnan(ratio):
        return "its runs do not differ, those of the other arms do"
    if ratio > UNLIKE or ratio * UNLIKE < 1:
        told = f"{ratio:.1f}" if ratio > 1 else f"{ratio:.2f}"
        return f"its runs spread {told} times as much as those of the other arms"
    return ""
