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
    return between(recall, definition.ddof)


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
        return between(group_means(recall), definition.ddof)
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
    return gap_of(group_means(_recalls(recall, groups=1)))


def _recalls(recall: Floats, *, groups: int) -> Floats:
    """Check recalls, with at least this number of groups."""
    recall = arrays.array("recall", recall, "(..., R, K)", low=0.0, high=1.0)
    if recall.shape[-2] < 1 or recall.shape[-1] < groups:
        raise ValueError(f"recall must have a run and {groups} groups or more, not {recall.shape}")
    return recall.astype(np.float64, copy=False)


def worst(recall: Floats) -> Floats:
    """Smallest run-averaged recall of a group, shape (...); arguments as for `gap`."""
    return worst_of(group_means(_recalls(recall, groups=1)))


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
        "variance": between(means, definition.ddof)
        if definition.runs == "first"
        else spread(recall, definition),
        "gap": gap_of(means),
        "worst": worst_of(means),
    }


def run_quantities(
    recall: Floats, sizes: Sequence[int] | Floats | Integers, definition: Definition
) -> dict[str, Floats]:
    """Recall, variance, gap and worst group of each run, shape (..., R).

    Arguments as for `run_recall`; NaN for the variance and the gap of a single group.
    """
    nowhere = np.full(recall.shape[:-1], np.nan)
    differ = recall.shape[-1] > 1
    return {
        "recall": run_recall(recall, sizes, definition),
        "variance": run_variance(recall, definition) if differ else nowhere,
        "gap": gap_of(recall) if differ else nowhere,
        "worst": worst_of(recall),
    }


def between(recall: Floats, ddof: int) -> Floats:
    """Variance over the groups, shape (...)."""
    groups = recall.shape[-1]
    mean = _over_groups(np.add, recall) / groups
    squares = (recall - mean[..., None]) ** 2
    return np.asarray(_over_groups(np.add, squares) / (groups - ddof))


def gap_of(means: Floats) -> Floats:
    """Largest minus smallest of the groups' means, shape (...)."""
    return np.asarray(_over_groups(np.maximum, means) - worst_of(means))


def worst_of(means: Floats) -> Floats:
    """Smallest of the groups' means, shape (...)."""
    return np.asarray(_over_groups(np.minimum, means))


def _over_groups(combine: np.ufunc, values: Floats) -> Floats:
    """As ``combine.reduce(values, axis=-1)``."""
    groups = values.shape[-1]
    if not 0 < groups < PAIRWISE:
        return np.asarray(combine.reduce(values, axis=-1))
    return np.asarray(functools.reduce(combine, (values[..., k] for k in range(groups))))


def largest_variance(groups: int, ddof: int) -> float:
    """The largest variance of K recalls: half of them 0 and half of them 1."""
    return groups // 2 * ((groups + 1) // 2) / (groups * (groups - ddof))
