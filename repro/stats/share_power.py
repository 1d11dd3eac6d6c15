"""What a number of runs can tell of a claim on the share of failed or collapsed runs.

As `word_power`, but exact: the probabilities of all tables whose interval, that of `proportions`,
gives a word.
"""

import functools

import numpy as np

from repro.stats import power, proportions
from repro.stats.intervals import LEVEL
from repro.stats.word_power import Chances

MOST = 100  # runs an arm, above which nothing is sought


@functools.cache
def words(runs: int, more: float, less: float, smallest: float, *, level: float = LEVEL) -> Chances:
    """Probability of each word of a claim that one arm's share is larger than the other's.

    Args:
        runs: Of each arm, at least 1.
        more: True share of the arm that is expected to have the larger one, in [0, 1].
        less: True share of the other, in [0, 1].
        smallest: The smallest difference that matters, in (0, 1].
        level: Of the interval, in (0, 1).

    Raises:
        ValueError: An argument is out of range.
    """
    if not (runs >= 1 and 0 <= more <= 1 and 0 <= less <= 1 and 0 < smallest <= 1):
        raise ValueError(f"{runs} runs, shares {more} and {less}, smallest effect {smallest}")
    tail = (1 - level) / 2
    above = proportions.rejected(runs, runs, 0.0, tail)  # the interval excludes 0
    below = proportions.rejected(runs, runs, -smallest, tail).T  # and the smallest effect
    first, second = proportions.probabilities(runs, np.array([more, less]))
    tables = first[:, None] * second
    return Chances(
        *(
            float(tables[which].sum())
            for which in (above & ~below, above & below, ~above & below, ~above & ~below)
        )
    )


def runs_needed(
    less: float, smallest: float, *, level: float = LEVEL, power: float = power.POWER
) -> int | None:
    """Smallest number of runs an arm with which a true smallest effect is likely to hold.

    Args:
        less: True share of the arm that is expected to have the smaller one; the other has this
            and the smallest effect, at most 1 together.
        smallest: The smallest difference that matters.
        level: Of the interval, in (0, 1).
        power: The probability.

    Returns:
        None if it is above MOST.
    """

    def enough(runs: int) -> bool:
        found = words(runs, less + smallest, less, smallest, level=level)
        return found.holds >= power

    if not enough(MOST):
        return None
    return next(runs for runs in range(2, MOST + 1) if enough(runs))
