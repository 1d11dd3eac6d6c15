"""How often chance makes two runs, or two arms, equal in every group.

Two draws of a count with the standard deviation s are equal with probability about
1 / (2 s sqrt(pi)); of K counts with the covariance C, with (2 sqrt(pi))^-K det(C)^-1/2. Rounding to
whole numbers adds 1/12 to each variance, so that the formula also holds for small s (for s = 0 it
gives .98). Units: whole counts, or units of the last printed digit.
"""

from collections.abc import Sequence
from math import exp, log, pi

import numpy as np

from repro.stats.intervals import Floats

ROUNDED = 1 / 12  # the variance that rounding adds


def chance_of_a_tie(covariance: Floats) -> float:
    """Probability that two draws are equal in all K numbers.

    Args:
        covariance: Of the numbers, shape (K, K).
    """
    groups = len(covariance)
    _, logarithm = np.linalg.slogdet(covariance + ROUNDED * np.eye(groups))
    return min(1.0, exp(-groups * log(2 * pi**0.5) - float(logarithm) / 2))


def pooled_covariance(blocks: Sequence[Floats]) -> Floats | None:
    """The covariance within blocks of draws, shape (K, K); None without two draws in a block.

    With fewer than 2 K degrees of freedom only the variances are estimated.

    Args:
        blocks: Of each arm, the numbers of its runs, shape (R, K).
    """
    centred = [block - block.mean(axis=0) for block in blocks if len(block) > 1]
    freedom = sum(len(block) - 1 for block in centred)
    if not freedom:
        return None
    together = np.concatenate(centred)
    covariance = together.T @ together / freedom
    if freedom < 2 * covariance.shape[0]:
        covariance = np.diag(np.diag(covariance))
    return np.asarray(covariance, dtype=np.float64)
