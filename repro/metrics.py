"""One run's outputs -> numbers. Pure functions on arrays; fractions, never percent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ACTIVE_VARIANCE = 0.01  # Burda, Grosse & Salakhutdinov 2016: of the posterior mean over images


@dataclass(frozen=True, slots=True)
class Count:
    """Photographs looked at, and those with at least one positive window."""

    n: int
    detected: int

    @property
    def share(self) -> float:
        """Fraction detected, in [0, 1]."""
        return self.detected / self.n


def group_counts(groups: Sequence[str], detected: NDArray[np.bool_]) -> dict[str, Count]:
    """Detections per group, groups in alphabetical order.

    Args:
        groups: Group of each photograph.
        detected: Boolean, same length.
    """
    names = np.asarray(groups)
    return {
        str(name): Count(int((names == name).sum()), int(detected[names == name].sum()))
        for name in np.unique(names)
    }


def pooled_recall(groups: Mapping[str, Count]) -> float:
    """Fraction of all faces detected, whatever their group, in [0, 1]."""
    return sum(c.detected for c in groups.values()) / sum(c.n for c in groups.values())


def active_units(latent_mean: NDArray[np.float64]) -> int:
    """Number of latents whose posterior mean varies over images by more than 0.01 (Burda 2016).

    Args:
        latent_mean: Shape (N, D).
    """
    return int((latent_mean.var(axis=0) > ACTIVE_VARIANCE).sum())


def collapsed(groups: Mapping[str, Count], nonfaces: Count | None) -> bool:
    """Whether a detector says face no more often of faces than of photographs without one.

    Such a detector has learned nothing, however large its recall is: always saying yes counts.
    Without photographs to compare with, one that finds no face at all.
    """
    recall = pooled_recall(groups)
    return recall <= nonfaces.share if nonfaces else recall == 0
