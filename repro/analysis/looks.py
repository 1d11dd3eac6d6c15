"""The level of the interval of a primary claim that is looked at while its study grows."""

from collections.abc import Sequence

from repro.analysis.outcomes import Outcomes
from repro.stats import intervals, stopping
from repro.stats.intervals import LEVEL
from repro.study.claims import Declared

WIDEST = 1.0  # level of an interval without ends
TOO_FEW = "at a number of seeds that was not planned, fewer than five pairs of runs tell nothing"


def is_planned(outcomes: Outcomes) -> bool:
    """Whether the study is at one of its planned looks: all runs of that look have ended."""
    looks = outcomes.looks
    if looks is None:
        return True
    complete = not any(arm.missing for arm in outcomes.arms)
    return complete and looks.include(outcomes.replicates)


def level_of(planned: Sequence[int]) -> float:
    """Level of the interval at each of the planned looks, the same at all."""
    return LEVEL if len(planned) < 2 else stopping.level(planned)


def level(outcomes: Outcomes, declared: Declared) -> float:
    """Level of a primary claim's interval, with which all looks together err in 5 % of studies.

    At a look that was not planned, the level gives Student's interval the width of the one that
    holds at any number of pairs; 1 where that has no ends.

    Args:
        outcomes: Of the study.
        declared: The claim.
    """
    if is_planned(outcomes):
        return outcomes.looks.level if outcomes.looks else LEVEL
    return anytime_level(_pairs(outcomes, declared))


def anytime_level(pairs: int) -> float:
    """Level with which Student's interval is as wide as the one that holds at any number."""
    if pairs < 2:
        return WIDEST
    return intervals.t_level(stopping.anytime_boundary(pairs), pairs - 1)


def _pairs(outcomes: Outcomes, declared: Declared) -> int:
    """Number of seeds that all arms of a claim have results for; of a share those that ended."""
    arms = [arm for arm in outcomes.arms if arm.name in declared.arms]
    if declared.claim.is_share:
        return min(arm.wanted - arm.missing for arm in arms)
    return len(set.intersection(*(set(arm.seeds) for arm in arms)))
