"""Logistic regression with an L1 penalty, by accelerated proximal gradients (FISTA).

Beck and Teboulle (2009), "A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse
Problems", with the restart of O'Donoghue and Candès (2015).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

STEPS = 20_000
TOLERANCE = 1e-4  # of the optimality conditions, as a share of the penalty, at most of N


@dataclass(frozen=True, slots=True)
class Linear:
    """A logit that is linear in D features.

    Attributes:
        weights: Shape (D,).
        intercept: Added to the sum.
    """

    weights: Numbers
    intercept: float

    def logits(self, features: Numbers) -> Numbers:
        """Of features (N, D), shape (N,)."""
        found: Numbers = features @ self.weights + self.intercept
        return found


def fit(features: Numbers, positive: NDArray[np.bool_], *, c: float) -> Linear:
    """Minimise |w|_1 + C sum log(1 + exp(-y (w x + b))), y = 1 or -1; b is not penalised.

    Args:
        features: Standardised, shape (N, D).
        positive: Boolean (N,), with both values.
        c: Inverse strength of the penalty, as in scikit-learn.

    Returns:
        The minimum, to the `TOLERANCE`.

    Raises:
        ValueError: One class is missing: its logit would be infinite.
        ArithmeticError: It is not reached in `STEPS` steps.
    """
    if positive.all() or not positive.any():
        raise ValueError("both classes are needed")
    centre = features.mean(axis=0)  # fewer steps; the intercept makes up for it
    rows = np.column_stack([features - centre, np.ones(len(features))])
    penalty = np.append(np.full(features.shape[1], 1 / c), 0.0)
    step = 4 / np.linalg.norm(rows, 2) ** 2  # 1 / L: a logistic loss curves by 1/4 at most
    at = ahead = np.zeros(rows.shape[1])
    momentum = 1.0
    for _ in range(STEPS):
        slope = _gradient(rows, positive, ahead)
        if _violation(ahead, slope, penalty) <= TOLERANCE * min(1 / c, len(rows)):
            return Linear(ahead[:-1], float(ahead[-1] - centre @ ahead[:-1]))
        moved = ahead - step * slope
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * penalty, 0.0)
        restart = (ahead - new) @ (new - at) > 0
        faster = 1.0 if restart else (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new if restart else new + (momentum - 1) / faster * (new - at)
        at, momentum = new, faster
    raise ArithmeticError(f"C = {c:g}: no minimum after {STEPS:,} steps")


def _gradient(rows: Numbers, positive: NDArray[np.bool_], at: Numbers) -> Numbers:
    probability = 0.5 * (1 + np.tanh(0.5 * (rows @ at)))  # the sigmoid, without overflow
    found: Numbers = (probability - positive) @ rows
    return found


def _violation(at: Numbers, slope: Numbers, penalty: Numbers) -> float:
    """The largest distance of 0 from the subdifferential of any coefficient."""
    away = np.where(at == 0, np.abs(slope) - penalty, np.abs(slope + penalty * np.sign(at)))
    return float(away.max())
