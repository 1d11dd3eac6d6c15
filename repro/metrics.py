"""One run's outputs -> numbers. Pure functions on arrays; fractions, never percent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from repro.argument_checks import arrays

Answer = TypeVar("Answer", covariant=True)
ACTIVE_VARIANCE = 0.01  # Burda, Grosse & Salakhutdinov 2016: of the posterior mean over images


class _Comparable(Protocol[Answer]):
    def __ge__(self, other: float, /) -> Answer: ...


def says_face(logit: _Comparable[Answer]) -> Answer:
    """Whether a logit means face, at the papers' threshold: a probability of 0.5 or more.

    Args:
        logit: A number, an array or a tensor of any shape; NaN gives False.

    Returns:
        Boolean, of the same shape.
    """
    return logit >= 0


@dataclass(frozen=True, slots=True)
class Count:
    """Number of photographs, and of those with at least one positive window."""

    n: int
    detected: int

    @property
    def share(self) -> float:
        """Fraction detected, in [0, 1]."""
        return self.detected / self.n


def group_counts(groups: Sequence[str], detected: NDArray[np.bool_]) -> dict[str, Count]:
    """Detections per group, groups in alphabetical order.

    Args:
        groups: Group of each photograph, length N; text, or integers, which become text.
        detected: Whether it was detected, boolean, shape (N,).

    Raises:
        TypeError: `detected` is not boolean; `groups` is no sequence; a group is neither text nor
            an integer, for example missing.
        ValueError: The two lengths differ.
    """
    detected = arrays.booleans("detected", detected)
    _require_names(groups)
    if len(groups) != len(detected):
        raise ValueError(f"shapes differ: groups ({len(groups)},), detected ({len(detected)},)")
    names = np.asarray(groups)
    return {
        str(name): Count(int((names == name).sum()), int(detected[names == name].sum()))
        for name in np.unique(names)
    }


def pooled_recall(groups: Mapping[str, Count]) -> float:
    """Fraction of all faces detected, whatever their group, in [0, 1].

    Args:
        groups: Counts of each group; together at least one photograph.

    Raises:
        TypeError: `groups` is no mapping to counts, or a count is no integer.
        ValueError: There are no photographs, or more detections than photographs.
    """
    if not isinstance(groups, Mapping):
        raise TypeError(f"groups must be a mapping of names to counts, not {groups!r}")
    for name, count in groups.items():
        if not isinstance(count, Count):
            raise TypeError(f"groups must have a Count for {name!r}, not {count!r}")
        n = arrays.whole(f"groups[{name!r}].n", count.n, 0)
        arrays.whole(f"groups[{name!r}].detected", count.detected, 0, n)
    photographs = sum(count.n for count in groups.values())
    if not photographs:
        raise ValueError("groups must have at least one photograph")
    return sum(count.detected for count in groups.values()) / photographs


def active_units(latent_mean: NDArray[np.float64]) -> int:
    """Number of latents whose posterior mean varies over images by more than 0.01 (Burda 2016).

    Args:
        latent_mean: Shape (N, D), finite, N at least 1.

    Returns:
        0 to D.

    Raises:
        TypeError: The values are not real numbers.
        ValueError: Another shape, or values not finite: how many, and the position of the first.
    """
    latent_mean = arrays.array("latent_mean", latent_mean, "(N, D)")
    if not len(latent_mean):
        raise ValueError("latent_mean must have at least one image")
    return int((latent_mean.var(axis=0) > ACTIVE_VARIANCE).sum())


def _require_names(groups: Sequence[str]) -> None:
    if isinstance(groups, str | bytes | Mapping) or not hasattr(groups, "__getitem__"):
        raise TypeError(f"groups must be a sequence of names, not {groups!r}")
    for place, name in enumerate(groups):
        if not isinstance(name, str | int | np.integer) or isinstance(name, bool):
            raise TypeError(f"groups must be text, not {name!r} at [{place}]")


def collapsed(groups: Mapping[str, Count], nonfaces: Count | None) -> bool:
    """Whether the recall of a detector is no larger than its false-positive rate.

    Such a detector has learned nothing, even if its recall is 1. Without photographs of
    non-faces: whether it detects no face at all.
    """
    recall = pooled_recall(groups)
    return recall <= nonfaces.share if nonfaces else recall == 0
