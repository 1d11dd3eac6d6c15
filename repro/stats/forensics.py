"""Forensics of published values: consistency with counts and definitions.

Unlike the rest of the package this works in the published unit, percent and percent squared,
because the number of decimals is evidence. A published value represents all numbers that round to
it. Recalls of groups are fractions, as everywhere, and are converted to percent here.
Symbols: R runs, K groups, h half a unit of the last published digit. Whether a number can be at all
is `repro.stats.grim` and `repro.stats.grimmer`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import numpy as np

from repro.stats.disparity import ALL, Definition, mean_recall, run_recall, spread
from repro.stats.intervals import Floats, Integers
from repro.stats.selection import best

SLACK = 1e-9  # of comparisons between floating-point numbers
FINEST = Fraction(1, 10**9)  # smallest h: longer numbers are unrounded floats

Match = Literal["fits", "last digit", "differs"]
Rounding = Literal["nearest", "truncated", "ceiling"]
Interval = tuple[Fraction, Fraction]  # closed
LONG = 8  # decimals; numbers with more are floats written out, known to `FINEST` only
BELOW: dict[Rounding, int] = {"nearest": 1, "truncated": 0, "ceiling": 2}  # halves of a digit


@dataclass(frozen=True, slots=True)
class Printed:
    """A published value with its decimals, trailing zeros included.

    Attributes:
        value: In percent or percent squared.
        decimals: Digits after the point.
    """

    value: Decimal
    decimals: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Count the decimals once; this is asked often."""
        exponent = self.value.as_tuple().exponent
        assert isinstance(exponent, int), "NaN and infinity are refused when they are read"
        object.__setattr__(self, "decimals", max(0, -exponent))

    @property
    def half(self) -> float:
        """h: largest distance of the unrounded number from the published value."""
        return 0.5 * 10.0**-self.decimals

    def interval(self, rounding: Rounding = "nearest", error: Fraction = Fraction(0)) -> Interval:
        """The numbers that this may stand for, both ends included: a tie is rounded either way.

        Args:
            rounding: How it was shortened.
            error: Its largest error besides, such as that of reading it off a figure.
        """
        decimals = self.decimals
        if not error and decimals <= LONG:  # the same in whole numbers, which is faster
            twice = 2 * 10**decimals
            low = int(2 * self.value.scaleb(decimals)) - BELOW[rounding]
            return Fraction(low, twice), Fraction(low + 2, twice)
        value, half = Fraction(self.value), max(Fraction(1, 2 * 10**decimals), FINEST)
        below = BELOW[rounding] * half
        return value - below - error, value + 2 * half - below + error

    def __float__(self) -> float:
        return float(self.value)

    def __str__(self) -> str:
        return f"{self.value:f}"


@dataclass(frozen=True, slots=True)
class Computed:
    """A number and its largest possible error."""

    value: float
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class GroupValues:
    """Recalls of the groups of one arm.

    Attributes:
        recall: Of each run and group, in [0, 1], shape (R, K); one row if only the average over
            runs is known.
        error: Largest error of each recall, as a fraction, shape (R, K).
        sizes: Portraits of each group, shape (K,); None if unknown.
    """

    recall: Floats
    error: Floats
    sizes: Integers | None

    @property
    def runs(self) -> int:
        """R."""
        return len(self.recall)

    def best(self, keep: int) -> "GroupValues":
        """The best `keep` runs by pooled recall; all runs if there are no more.

        Raises:
            ValueError: The sizes are unknown, so pooling is impossible.
        """
        if keep >= self.runs:
            return self
        if self.sizes is None:
            raise ValueError("runs are chosen by pooled recall, which takes the groups' sizes")
        pooled = run_recall(self.recall, self.sizes, ALL[0])
        kept = best(np.round(pooled, 12), keep)
        return GroupValues(self.recall[kept], self.error[kept], self.sizes)

    def mean(self, definition: Definition) -> Computed | None:
        """E[A] in percent; None if it needs sizes that are unknown."""
        if definition.mean == "pooled" and self.sizes is None:
            return None
        sizes = np.ones(self.recall.shape[1]) if self.sizes is None else self.sizes
        value = mean_recall(self.recall, sizes, definition)
        error = mean_recall(self.error, sizes, definition)  # bound: the weighted mean of the errors
        return Computed(100 * float(value), 100 * float(error))

    def variance(self, definition: Definition) -> Computed:
        """Var[A] in percent squared."""
        error = variance_error(self.recall, self.error, definition)
        return Computed(1e4 * float(spread(self.recall, definition)), 1e4 * error)


def variance_error(recall: Floats, error: Floats, definition: Definition) -> float:
    """Largest error of Var[A] if each recall has an error of at most `error`.

    With deviations d from the mean and errors e, Var changes by at most
    (2 sum |d| e + sum e^2) / (K - ddof), per run or for the run-averaged groups.

    Args:
        recall: Of each run and group, shape (R, K).
        error: Same shape.
        definition: Of the variance.
    """
    if definition.runs == "first":
        recall, error = recall.mean(axis=0, keepdims=True), error.mean(axis=0, keepdims=True)
    deviation = np.abs(recall - recall.mean(axis=1, keepdims=True))
    bound = (2 * deviation * error + error**2).sum(axis=1) / (recall.shape[1] - definition.ddof)
    return float(bound.mean())


def match(printed: Printed, computed: Computed) -> Match:
    """Whether a published value is the rounded computed value.

    Returns:
        ``last digit`` if the difference, minus rounding and the error of the computed value, is at
        most one unit of the last digit: an error of rounding or copying. Never if the computed
        value is less precise than the published one.
    """
    beyond = abs(float(printed) - computed.value) - printed.half - computed.error
    if beyond <= SLACK:
        return "fits"
    near = beyond <= 2 * printed.half + SLACK and computed.error <= printed.half + SLACK
    return "last digit" if near else "differs"


@dataclass(frozen=True, slots=True)
class DefinitionFit:
    """A column of published values, compared under one definition.

    Attributes:
        definition: The parts that do not affect this column are arbitrary.
        computed: Values under the definition, one per row.
        matches: Agreement of each with the published value.
    """

    definition: Definition
    computed: tuple[Computed, ...]
    matches: tuple[Match, ...]

    @property
    def fitting(self) -> int:
        """Number of rows that equal the rounded computed value."""
        return self.matches.count("fits")

    @property
    def rank(self) -> tuple[int, int]:
        """Sort key of definitions: rows that fit, then rows that differ in the last digit."""
        return self.fitting, self.matches.count("last digit")


def _fit(
    printed: Sequence[Printed], computed: Sequence[Computed], definition: Definition
) -> DefinitionFit:
    matches = tuple(match(p, c) for p, c in zip(printed, computed, strict=True))
    return DefinitionFit(definition, tuple(computed), matches)


def mean_fits(printed: Sequence[Printed], values: Sequence[GroupValues]) -> list[DefinitionFit]:
    """The published means under every definition of E[A] that the values allow, best first.

    Args:
        printed: In percent.
        values: Of the same arms.
    """
    found = []
    for definition in ALL:
        if (definition.ddof, definition.runs) == (0, "first"):
            computed = [value.mean(definition) for value in values]
            known = [estimate for estimate in computed if estimate is not None]
            if len(known) == len(printed):
                found.append(_fit(printed, known, definition))
    return sorted(found, key=lambda reading: reading.rank, reverse=True)


def variance_fits(printed: Sequence[Printed], values: Sequence[GroupValues]) -> list[DefinitionFit]:
    """The published variances under every definition of Var[A], best first.

    Args:
        printed: In percent squared.
        values: Of the same arms; for single runs the order of averaging has no effect.
    """
    single = all(value.runs == 1 for value in values)
    found = [
        _fit(printed, [value.variance(definition) for value in values], definition)
        for definition in ALL
        if definition.mean == "pooled" and not (single and definition.runs == "last")
    ]
    return sorted(found, key=lambda reading: reading.rank, reverse=True)


def shorter_cells(column: Sequence[Printed]) -> list[int]:
    """Positions of the cells with fewer decimals than the longest of their column."""
    longest = max(cell.decimals for cell in column)
    return [place for place, cell in enumerate(column) if cell.decimals < longest]
