"""Replicates -> estimates. Pure functions on arrays; fractions in, fractions out.

Symbols: n replicates of one arm, K groups.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]


def best(values: Sequence[float], keep: int) -> list[int]:
    """Positions of the `keep` largest values, in the order of the values' positions.

    Equal values are kept in the order in which they stand.

    Raises:
        ValueError: There are fewer values than are to be kept.
    """
    if keep > len(values):
        raise ValueError(f"cannot keep {keep} of {len(values)}")
    order = sorted(range(len(values)), key=lambda i: -values[i])
    return sorted(order[:keep])


def variance_between_groups(group_recall: Floats) -> float:
    """Population variance (ddof 0) of the groups' run-averaged recall: Var[A] of de Haan et al.

    Args:
        group_recall: Shape (n, K); averaged over the n runs first.

    Returns:
        Squared fraction, 0 when every group fares alike. Times 10^4 it is in percent squared.
    """
    return float(group_recall.mean(axis=0).var(ddof=0))


def group_gap(group_recall: Floats) -> float:
    """Largest less smallest run-averaged recall of a group.

    Args:
        group_recall: Shape (n, K).
    """
    return float(np.ptp(group_recall.mean(axis=0)))


def t_half_width(values: Sequence[float], *, level: float = 0.95) -> float:
    """Half the width of Student's interval for the mean; NaN for a single value."""
    n = len(values)
    if n < 2:
        return float("nan")
    quantile = float(stdtrit(n - 1, 0.5 + level / 2))
    return quantile * float(np.std(values, ddof=1)) / float(np.sqrt(n))
