"""Intervals for a study that is looked at while it grows, and that stops once it is decided.

At every look the t interval has the same higher level: 99 % for looks at 5, 10, ..., 40 pairs.
Then all of them together cover the effect in at least 95 % of all studies (repeated confidence
intervals, Jennison & Turnbull 1989), so whatever is read off them, to stop or to go on, keeps its
error. A look that nobody planned has a wider interval that holds at any number of pairs (Lai 1976;
Wang & Ramdas 2023).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from repro.argument_checks import arrays
from repro.stats import intervals
from repro.stats.intervals import LEVEL, NOWHERE, Floats, Interval, t_quantile

OVERALL = 0.05  # most that the intervals of all looks may miss the effect
PRIOR = 1.0  # variance of the standardised effect in the mixture of the anytime interval

# Thousandths that the interval of one look leaves, for 2, 3, ... looks after blocks of pairs of one
# size: the most for which 4.6 % of 3,000,000 simulated studies stop where there is no effect.
BLOCKS = {
    2: (24, 17, 14, 12, 10, 9, 9, 8, 8, 7, 7),
    3: (24, 18, 14, 12, 11, 10, 9, 9, 8, 8, 7),
    4: (25, 18, 15, 13, 11, 10, 9, 9, 8, 8, 7),
    5: (25, 18, 15, 13, 11, 10, 10, 9, 8, 8, 8),
    6: (25, 19, 15, 13, 11, 10, 10, 9, 8),
    8: (26, 19, 15, 13, 12, 11),
    10: (26, 19, 15, 13, 12),
}
OTHERS = {
    (3, 6, 9, 12, 15, 18, 20): 10,
    (5, 10, 20, 40): 13,
    (10, 15, 20, 25, 30, 35, 40): 12,
}
PLANS: dict[tuple[int, ...], float] = {
    tuple(block * (i + 1) for i in range(count)): thousandths / 1000
    for block, row in BLOCKS.items()
    for count, thousandths in enumerate(row, start=2)
} | {plan: thousandths / 1000 for plan, thousandths in OTHERS.items()}


def blocks(block: int, most: int) -> tuple[int, ...]:
    """Looks after every block of pairs: 5, 10, ..., 40 for blocks of 5 and at most 40.

    Args:
        block: Pairs in a block, at least 2.
        most: Pairs at the last look, at least one block; the last block may be smaller.
    """
    arrays.whole("most", most, arrays.whole("block", block, 2))
    return (*range(block, most, block), most)


def significance(looks: Sequence[int]) -> float:
    """What the interval of one look leaves, the same at every look: 0.01 for 5, 10, ..., 40.

    Args:
        looks: Numbers of pairs, increasing, the first at least 2.

    Returns:
        From simulation for the plans in `PLANS`. For any other plan 0.05 over the number of looks
        (Bonferroni), or, if that is more, the value of one of `PLANS` that has all its looks.

    Raises:
        ValueError: There is no look, or they do not increase from 2 on.
    """
    plan = checked(looks)
    if plan in PLANS:
        return PLANS[plan]
    wider = [value for known, value in PLANS.items() if set(plan) <= set(known)]
    return max([OVERALL / len(plan), *wider])


def level(looks: Sequence[int]) -> float:
    """Level of the interval of every look; as `significance`, which is 1 minus it."""
    return 1 - significance(looks)


def is_simulated(looks: Sequence[int]) -> bool:
    """Whether the level comes from simulation; otherwise it is Bonferroni's."""
    return tuple(looks) in PLANS or significance(looks) > OVERALL / len(looks)


def boundary(looks: Sequence[int]) -> tuple[float, ...]:
    """Bound of abs(t) at each look, beyond which its interval excludes 0."""
    chosen = level(looks)
    return tuple(t_quantile(pairs - 1, level=chosen) for pairs in looks)


def at_looks(values: Floats, looks: Sequence[int]) -> list[Interval]:
    """The interval of each look that has been reached.

    Args:
        values: Difference of each pair in the order in which the pairs were started, shape (n,);
            NaN for a pair that failed: it counts to the look that it was started for, because
            failures must not choose the looks.
        looks: Numbers of started pairs.

    Returns:
        As many as looks are at most n; `NOWHERE` where fewer than two pairs have results or all
        are equal.
    """
    chosen = level(looks)
    reached = (values[:pairs] for pairs in looks if pairs <= len(values))
    known = [some[~np.isnan(some)] for some in reached]
    return [intervals.t_interval(one, level=chosen) if len(one) else NOWHERE for one in known]


def anytime_boundary(pairs: int, *, overall: float = OVERALL) -> float:
    r"""Bound of abs(t) that a study without an effect ever crosses with at most this probability.

    With nu = n - 1 and g = 1 + n, the test martingale
    :math:`g^{-1/2} [(1 + t^2/\nu) / (1 + t^2/(\nu g))]^{n/2}` reaches 1 / overall at it. It holds
    at every number of pairs, whoever chose to look there and why.

    Args:
        pairs: Number of pairs with results, at least 2.
        overall: The probability, in (0, 1).

    Returns:
        Infinite for so few pairs that nothing can be told: fewer than five at 0.05.
    """
    arrays.whole("pairs", pairs, 2)
    arrays.number("overall", overall, 0, 1, ends=False)
    g = 1 + pairs * PRIOR
    a = (g / overall**2) ** (1 / pairs)
    return float(np.sqrt((pairs - 1) * (a - 1) / (1 - a / g))) if a < g else float("inf")


def anytime_interval(values: Floats, *, level: float = LEVEL) -> Interval:
    """Interval for a mean that holds at every number of pairs, planned or not.

    Args:
        values: Of the pairs with results, shape (n,), finite.
        level: Covered at all numbers of pairs together, in (0, 1).

    Returns:
        Without ends for fewer than five pairs at 95 %; `NOWHERE` for a single pair, or equal ones.

    Raises:
        TypeError: The values are not real numbers.
        ValueError: Another shape, values that are not finite, or the level is out of range.
    """
    arrays.level(level)
    values = arrays.vector("values", values)
    spread = intervals.sd(values)
    if not spread > 0:
        return NOWHERE
    half = anytime_boundary(len(values), overall=1 - level) * spread / float(np.sqrt(len(values)))
    mean = float(np.mean(values))
    return Interval(mean - half, mean + half)


def checked(looks: Sequence[int]) -> tuple[int, ...]:
    """The looks, if they increase from 2 on."""
    plan = tuple(looks)
    if not plan or plan[0] < 2 or any(a >= b for a, b in pairwise(plan)):
        raise ValueError(f"looks must be at increasing numbers of pairs from 2 on, not {plan}")
    return plan
