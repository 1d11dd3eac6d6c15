"""Inequality between groups: recall and variance between groups, under stated definitions.

The literature uses "E[A]" and "Var[A]" for different quantities; a `Definition` selects one.
Arrays of recalls have shape (..., R, K): R runs, K groups; leading axes are kept, so that a
bootstrap passes all samples at once. Means over many short rows are ten times as fast as numpy's
and bitwise equal for fewer than eight groups.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from repro.argument_checks import arrays
from repro.stats.intervals import Floats, Integers

PAIRWISE = 8  # numbers from which on numpy does not sum a row from left to right


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Definition of E[A] and Var[A].

    Attributes:
        mean: Of one run's recall: pooled over all portraits, or the mean over the groups.
        ddof: Of the variance over K groups: 0 divides by K, 1 by K - 1.
        runs: Averaged first (variance of the run-averaged groups) or last (average of the
            variances of single runs).
    """

    mean: Literal["pooled", "groups"]
    ddof: Literal[0, 1]
    runs: Literal["first", "last"]

    def __str__(self) -> str:
        """In words."""
        mean = "recall pooled over portraits" if self.mean == "pooled" else "mean over groups"
        kind = "population variance (ddof 0)" if self.ddof == 0 else "sample variance (ddof 1)"
        runs = "of run-averaged groups" if self.runs == "first" else "of each run, then averaged"
        return f"{mean}; {kind} {runs}"


DEFINITIONS: dict[str, Definition] = {
    "amini2019": Definition(mean="groups", ddof=1, runs="first"),
    "dehaan2020": Definition(mean="pooled", ddof=0, runs="first"),
    "fijen2020": Definition(mean="pooled", ddof=1, runs="last"),
}
ALL = tuple(
    Definition(mean=mean, ddof=ddof, runs=runs)
    for mean in ("pooled", "groups")
    for ddof in (0, 1)
    for runs in ("first", "last")
)


def run_recall(
    recall: Floats, sizes: Sequence[int] | Floats | Integers, definition: Definition
) -> Floats:
    """Recall of each run, shape (..., R).

    Args:
        recall: Of each run and group, shape (..., R, K).
        sizes: Portraits of each group, shape (K,).
        definition: How groups are averaged.
    """
    if definition.mean == "groups":
        return np.asarray(_over_groups(np.add, recall) / recall.shape[-1])
    share = np.asarray(sizes, dtype=np.float64)
    return np.asarray(recall @ (share / share.sum()))


def run_variance(recall: Floats, definition: Definition) -> Floats:
    """Variance between the groups of each run, shape (..., R); squared fraction."""
    return _between(recall, definition.ddof)


def mean_recall(
    recall: Floats, sizes: Sequence[int] | Floats | Integers, definition: Definition
) -> Floats:
    """E[A]: mean over runs, shape (...)."""
    return np.asarray(run_recall(recall, sizes, definition).mean(axis=-1))


def variance(recall: Floats, definition: Definition | str) -> Floats:
    """Var[A]: the variance of recall between groups.

    Args:
        recall: Of each run and group, fractions in [0, 1], shape (..., R, K), K at least 2.
        definition: Definition of Var[A], or its name in `DEFINITIONS`.

    Returns:
        Shape (...), squared fractions: 0 if all groups have the same recall; times 10^4 it is in
        percent squared.

    Raises:
        TypeError: The recalls are not real numbers.
        ValueError: An unknown name; recalls of another shape, outside [0, 1], or not finite: how
            many, and the position of the first.
    """
    if not isinstance(definition, Definition):
        arrays.word("definition", definition, DEFINITIONS)
        definition = DEFINITIONS[definition]
    return spread(_recalls(recall, groups=2), definition)


def spread(recall: Floats, definition: Definition) -> Floats:
    """`variance` without its checks: also of bounds that lie outside [0, 1]. Shape (...)."""
    if definition.runs == "first":
        return _between(group_means(recall), definition.ddof)
    return np.asarray(run_variance(recall, definition).mean(axis=-1))


def gap(recall: Floats) -> Floats:
    """Largest minus smallest run-averaged recall of a group.

    Args:
        recall: Of each run and group, fractions in [0, 1], shape (..., R, K).

    Returns:
        Shape (...), fractions.

    Raises:
        TypeError: The recalls are not real numbers.
        ValueError: They have another shape, lie outside [0, 1] or are not finite: how many, and
            the position of the first.
    """
    return _gap(group_means(_recalls(recall, groups=1)))


def _recalls(recall: Floats, *, groups: int) -> Floats:
    """Check recalls, with at least this number of groups."""
    recall = arrays.array("recall", recall, "(..., R, K)", low=0.0, high=1.0)
    if recall.shape[-2] < 1 or recall.shape[-1] < groups:
        raise ValueError(f"recall must have a run and {groups} groups or more, not {recall.shape}")
    return recall


def worst(recall: Floats) -> Floats:
    """Smallest run-averaged recall of a group, shape (...)."""
    return _worst(group_means(recall))


def group_means(recall: Floats) -> Floats:
    """Run-averaged recall of each group, shape (..., K)."""
    *leading, runs, groups = recall.shape
    by_run = np.ascontiguousarray(recall.reshape(-1, runs, groups).swapaxes(0, 1))
    return np.asarray(np.add.reduce(by_run, axis=0) / runs).reshape(*leading, groups)


def quantities(
    recall: Floats, sizes: Sequence[int] | Floats | Integers, definition: Definition
) -> dict[str, Floats]:
    """`mean_recall`, `variance`, `gap` and `worst` at once, averaging the runs only once."""
    means = group_means(recall)
    return {
        "recall": mean_recall(recall, sizes, definition),
        "variance": _between(means, definition.ddof)
        if definition.runs == "first"
        else spread(recall, definition),
        "gap": _gap(means),
        "worst": _worst(means),
    }


def _between(recall: Floats, ddof: int) -> Floats:
    """Variance over the groups, shape (...)."""
    groups = recall.shape[-1]
    mean = _over_groups(np.add, recall) / groups
    squares = (recall - mean[..., None]) ** 2
    return np.asarray(_over_groups(np.add, squares) / (groups - ddof))


def _gap(means: Floats) -> Floats:
    return np.asarray(_over_groups(np.maximum, means) - _worst(means))


def _worst(means: Floats) -> Floats:
    return np.asarray(_over_groups(np.minimum, means))


def _over_groups(combine: np.ufunc, values: Floats) -> Floats:
    """As ``combine.reduce(values, axis=-1)``."""
    groups = values.shape[-1]
    if not 0 < groups < PAIRWISE:
        return np.asarray(combine.reduce(values, axis=-1))
    return np.asarray(functools.reduce(combine, (values[..., k] for k in range(groups))))


def share_noise(share: Floats, sizes: Sequence[int] | Floats | Integers) -> Floats:
    """Unbiased estimate of the sampling variance of an observed share: p (1 - p) / (n - 1).

    Args:
        share: Observed, in [0, 1], shape (..., K).
        sizes: Portraits of each group, shape (K,), each at least 2.
    """
    return share * (1 - share) / (np.asarray(sizes, dtype=np.float64) - 1)


def variance_of_noise(noise: Floats, ddof: int) -> Floats:
    """Mean contribution of the groups' independent noise to the variance between them.

    (K - 1) / (K - ddof) times the mean over groups of the noise's variance; the mean if ddof
    is 1. Source: Lum, Zhang & Bower 2022, section 3, for the sample variance.

    Args:
        noise: Sampling variance of each group's recall, shape (..., K).
        ddof: Of the variance between groups.
    """
    groups = noise.shape[-1]
    return np.asarray((groups - 1) / (groups - ddof) * noise.mean(axis=-1))


def corrected_variance(
    recall: Floats,
    sizes: Sequence[int] | Floats | Integers,
    definition: Definition,
    *,
    noise: Floats | None = None,
) -> float:
    """Var[A] minus the expected contribution of sampling the portraits.

    Unbiased for the variance between the groups' recalls in the population of portraits, with
    these trained runs. Below 0 the variance is no larger than the noise.

    Args:
        recall: Of each run and group, shape (R, K).
        sizes: Portraits of each group.
        definition: Of the variance.
        noise: Sampling variance of each group's run-averaged recall, shape (K,), from scores of
            single portraits. None: assumes that all runs miss the same portraits if runs are
            averaged first, which gives an upper bound.
    """
    if definition.runs == "last":
        noise = share_noise(recall, sizes).mean(axis=0)
    elif noise is None:
        noise = share_noise(recall.mean(axis=0), sizes)
    return float(spread(recall, definition) - variance_of_noise(noise, definition.ddof))


def portrait_noise(detected: Floats, group: Integers, groups: int) -> Floats:
    """Sampling variance of each group's run-averaged recall, over portraits, shape (K,).

    The runs see the same portraits, so the sampling unit is a portrait, not a decision.

    Args:
        detected: 1 or 0 for each run and portrait, shape (R, N).
        group: Position of each portrait's group, shape (N,).
        groups: K.
    """
    share = np.asarray(detected, dtype=np.float64).mean(axis=0)
    return np.array(
        [share[group == k].var(ddof=1) / (group == k).sum() for k in range(groups)],
        dtype=np.float64,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """Variance and gap of one run that arise by chance if all groups have the same recall.

    Attributes:
        variance: Expected variance between the groups, squared fraction.
        variance_95: Its 95 % quantile, squared fraction.
        gap: Expected gap, fraction.
    """

    variance: float
    variance_95: float
    gap: float


def noise_floor(recall: float, sizes: Sequence[int] | Floats | Integers, ddof: int) -> NoiseFloor:
    """The noise floor for groups of equal recall, by the normal approximation.

    For PPB's groups at 92.4 %: variance 1.69 (ddof 0) or 2.25 (ddof 1), 4.40 at 95 % (ddof 0),
    gap 3.09, in percent.

    Args:
        recall: Of every group, in (0, 1).
        sizes: Portraits of each group.
        ddof: Of the variance between groups.
    """
    each = recall * (1 - recall) / np.asarray(sizes, dtype=np.float64)
    expected = float(variance_of_noise(each, ddof))
    groups = len(each)
    upper = float(special.chdtri(groups - 1, 0.05)) / (groups - 1)
    return NoiseFloor(
        variance=expected,
        variance_95=expected * upper,
        gap=float(np.sqrt(each.mean())) * expected_range(groups),
    )


def expected_range(n: int) -> float:
    """Expected largest minus smallest of n standard normal values: 2.059 for 4."""
    grid = np.linspace(-9, 9, 4001)
    below = special.ndtr(grid)
    return float(np.trapezoid(1 - below**n - (1 - below) ** n, grid))
