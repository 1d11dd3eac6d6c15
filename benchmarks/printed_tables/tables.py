"""Tables as people print them, drawn from counts: every number in them is what it says.

A `Design` says what is printed and how; `draw` draws counts and prints them. All arithmetic is
exact: shares are fractions of integers until they are rounded. Arrays of counts have the shape
(arms, runs, groups).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor, isqrt
from statistics import median
from typing import Literal

import numpy as np

Rounding = Literal["half up", "half even", "truncated"]
OVERALL, VARIANCE, BEHIND = "overall", "variance", " ±"
ARM_NAMES = ("ERM", "GroupDRO", "IRM", "Mixup", "CORAL", "DB-VAE", "JTT", "LfF", "DFR", "SubG")
ALPHAS = (None, "0.1", "0.05", "0.01", "0.005", "0.001", "0.0005", "0.0001")
GROUP_NAMES = {
    2: ("male", "female"),
    4: ("darker_male", "darker_female", "lighter_male", "lighter_female"),
    6: ("I", "II", "III", "IV", "V", "VI"),
    7: (*("White", "Black", "Indian", "East Asian"), "Southeast Asian", "Middle Eastern", "Latino"),
    9: ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+"),
}


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a table prints, and how.

    Attributes:
        sizes: Portraits of each group.
        runs: Of each arm.
        keep: How many of them, the best by pooled share, are averaged; None for all.
        rows: A row an arm, with averages over its runs, or a row a run.
        cells: Shares, or counts in a row a run.
        decimals: Of shares in percent (two more in fractions); None for floats as programs write
            them.
        zeros: Whether trailing zeros are printed; spreadsheets leave them out.
        overall: Of all groups: pooled over portraits, or the mean over the groups.
        ddof: Of the variance between groups; None if it is not printed.
        variance_of: The averages over runs, or of each run, then averaged.
        spread: What ± is, over the runs; None if it is not printed.
        series: Whether the arms are a method with falling alpha.
        level: How good the arms are; `equal` draws all groups and arms alike.
        shared: How much of a portrait's outcome is the portrait's, in [0, 1).
    """

    arms: int = 6
    sizes: tuple[int, ...] = (318, 271, 386, 295)
    runs: int = 3
    keep: int | None = None
    average: Literal["mean", "median"] = "mean"
    rows: Literal["means", "runs"] = "means"
    cells: Literal["shares", "counts"] = "shares"
    decimals: int | None = 2
    zeros: bool = True
    unit: Literal["percent", "fraction"] = "percent"
    rounding: Rounding = "half up"
    overall: Literal["pooled", "groups"] | None = "pooled"
    ddof: Literal[0, 1] | None = 0
    variance_of: Literal["averages", "runs"] = "averages"
    spread: Literal["sd", "sem"] | None = None
    series: bool = False
    level: Literal["usual", "high", "low", "equal"] = "usual"
    shared: float = 0.0

    @property
    def averaged(self) -> int:
        """Runs behind a printed share."""
        return 1 if self.rows == "runs" else self.keep or self.runs


@dataclass(frozen=True)
class Row:
    """What is printed of an arm, or of one of its runs (from 0): texts by column."""

    arm: int
    run: int | None
    texts: dict[str, str]


@dataclass(frozen=True)
class PrintedTable:
    """A table, the counts behind it, and what is said beside it.

    Attributes:
        counts: Of right portraits, shape (arms, runs, groups).
        stated: Portraits of each group, as the table says.
        stated_unit, stated_spread: As the table says.
    """

    design: Design
    counts: np.ndarray = field(compare=False)
    groups: tuple[str, ...]
    rows: tuple[Row, ...]
    stated: tuple[int, ...]
    stated_unit: str
    stated_spread: str | None

    @property
    def columns(self) -> list[str]:
        """All printed columns but those that name the row."""
        return list(self.rows[0].texts)

    def arm_name(self, arm: int) -> str:
        """As in the column that names arms."""
        if not self.design.series:
            return ARM_NAMES[arm]
        return "No debias" if arm == 0 else "resampled"

    def shown_arm(self, arm: int) -> str:
        """What a sentence about the arm must contain."""
        if not self.design.series or arm == 0:
            return self.arm_name(arm)
        return f"alpha = {ALPHAS[arm]}"

    def changed(self, other: "PrintedTable") -> set[tuple[int, str]]:
        """Places (row, column) where two tables of one shape print different texts."""
        return {
            (at, column)
            for at, (one, two) in enumerate(zip(self.rows, other.rows, strict=True))
            for column in one.texts
            if one.texts[column] != two.texts[column]
        }

    def with_texts(self, texts: dict[tuple[int, str], str]) -> "PrintedTable":
        """The same with other texts at some places (row, column)."""
        rows = [
            replace(row, texts={c: texts.get((at, c), text) for c, text in row.texts.items()})
            for at, row in enumerate(self.rows)
        ]
        return replace(self, rows=tuple(rows))


def group_names(groups: int) -> tuple[str, ...]:
    """Names that people use for so many groups."""
    return GROUP_NAMES.get(groups, tuple(f"group_{at}" for at in range(groups)))


# Drawing


def draw(design: Design, generator: np.random.Generator) -> PrintedTable:
    """An honest table."""
    return printed(design, draw_counts(design, generator))


def draw_counts(design: Design, generator: np.random.Generator) -> np.ndarray:
    """Right portraits of each arm, run and group."""
    chances = _chances(design, generator)
    counts = np.empty((design.arms, design.runs, len(design.sizes)), dtype=np.int64)
    for arm in range(design.arms):
        for group, n in enumerate(design.sizes):
            counts[arm, :, group] = _outcomes(chances[arm, group], n, design, generator)
    return counts


def _chances(design: Design, generator: np.random.Generator) -> np.ndarray:
    """The probability that a portrait is right, by arm and group."""
    shape = (design.arms, len(design.sizes))
    if design.level == "equal":
        return np.full(shape, generator.uniform(0.8, 0.999))
    low, high = {"usual": (0.75, 0.97), "high": (0.985, 0.9995), "low": (0.3, 0.7)}[design.level]
    groups = generator.uniform(low, high, size=shape[1])
    effects = generator.normal(scale=generator.choice([0.0, 0.3]), size=shape)
    return 1 / (1 + (1 / groups - 1) * np.exp(-effects))


def _outcomes(
    chance: float, n: int, design: Design, generator: np.random.Generator
) -> np.ndarray | int:
    """Counts of the runs of an arm on the same portraits."""
    if not design.shared:
        return generator.binomial(n, chance, size=design.runs)
    weight = 1 / design.shared - 1
    portraits = generator.beta(chance * weight, (1 - chance) * weight, size=n)
    return (generator.random((design.runs, n)) < portraits).sum(axis=1)


# Printing


def printed(design: Design, counts: np.ndarray) -> PrintedTable:
    """The table of these counts."""
    groups = group_names(len(design.sizes))
    if design.rows == "runs":
        rows = [
            Row(arm, run, _texts(design, groups, counts[arm, [run]]))
            for arm in range(design.arms)
            for run in range(design.runs)
        ]
    else:
        kept = [best(design, counts[arm]) for arm in range(design.arms)]
        rows = [Row(arm, None, _texts(design, groups, of_arm)) for arm, of_arm in enumerate(kept)]
    return PrintedTable(
        design, counts, groups, tuple(rows), design.sizes, design.unit, design.spread
    )


def best(design: Design, counts: np.ndarray) -> np.ndarray:
    """The kept runs of an arm, shape (kept, groups); the first of equal ones."""
    if design.keep is None:
        return counts
    return counts[np.argsort(-counts.sum(axis=1), kind="stable")[: design.keep]]


def _texts(design: Design, groups: Sequence[str], counts: np.ndarray) -> dict[str, str]:
    """All texts of a row about these runs, shape (runs, groups)."""
    if design.cells == "counts":
        return {name: str(int(n)) for name, n in zip(groups, counts[0], strict=True)}
    texts: dict[str, str] = {}
    for at, name in enumerate(groups):
        over_runs = [Fraction(int(k), design.sizes[at]) for k in counts[:, at]]
        texts[name] = share_text(design, average(design, over_runs))
        if design.spread:
            texts[name + BEHIND] = error_text(design, over_runs, design.spread)
    if design.overall:
        texts[OVERALL] = share_text(design, overall(design, counts, design.overall))
    if design.ddof is not None:
        texts[VARIANCE] = variance_text(design, variance(design, counts, design.ddof))
    return texts


def average(design: Design, values: Sequence[Fraction]) -> Fraction:
    """Over runs."""
    return median(values) if design.average == "median" else _mean(values)


def _mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def overall(design: Design, counts: np.ndarray, kind: str) -> Fraction:
    """Average over runs of the share over all groups."""
    of_runs = []
    for run in counts:
        shares = [Fraction(int(k), n) for k, n in zip(run, design.sizes, strict=True)]
        pooled = Fraction(int(run.sum()), sum(design.sizes))
        of_runs.append(pooled if kind == "pooled" else _mean(shares))
    return average(design, of_runs)


def variance(design: Design, counts: np.ndarray, ddof: int) -> Fraction:
    """Between groups, of squared fractions."""
    shares = [
        [Fraction(int(k), n) for k, n in zip(run, design.sizes, strict=True)] for run in counts
    ]
    if design.variance_of == "runs":
        return _mean([spread_of(run, ddof) for run in shares])
    return spread_of([average(design, over) for over in zip(*shares, strict=True)], ddof)


def spread_of(values: Sequence[Fraction], ddof: int) -> Fraction:
    """Their variance."""
    mean = _mean(values)
    return sum(((one - mean) ** 2 for one in values), Fraction(0)) / (len(values) - ddof)


# Text of a number


def share_text(design: Design, share: Fraction) -> str:
    """A share of portraits."""
    scale, further = (100, 0) if design.unit == "percent" else (1, 2)
    if design.decimals is None:
        return repr(float(share * scale))
    return number_text(share * scale, design.decimals + further, design.rounding, design.zeros)


def variance_text(design: Design, value: Fraction) -> str:
    """A variance between groups; at least two decimals in percent squared."""
    scale, further = (10_000, 0) if design.unit == "percent" else (1, 4)
    if design.decimals is None:
        return repr(float(value * scale))
    decimals = max(2, design.decimals) + further
    return number_text(value * scale, decimals, design.rounding, design.zeros)


def error_text(design: Design, values: Sequence[Fraction], kind: str) -> str:
    """The standard deviation over runs (ddof 1), or the standard error of their mean."""
    squared = spread_of(values, 1) / (1 if kind == "sd" else len(values))
    scale, further = (100, 0) if design.unit == "percent" else (1, 2)
    assert design.decimals is not None, "floats are printed without ±"
    decimals = design.decimals + further
    scaled = squared * scale**2 * 100**decimals
    truncated = design.rounding == "truncated"
    whole = isqrt(floor(scaled)) if truncated else (isqrt(floor(4 * scaled)) + 1) // 2
    return _with_point(whole, decimals, design.zeros)


def number_text(value: Fraction, decimals: int, rounding: Rounding, zeros: bool = True) -> str:
    """A number, rounded exactly."""
    scaled = value * 10**decimals
    whole = {"half up": floor(scaled + Fraction(1, 2)), "half even": round(scaled)}.get(
        rounding, floor(scaled)
    )
    return _with_point(whole, decimals, zeros)


def _with_point(whole: int, decimals: int, zeros: bool) -> str:
    if not decimals:
        return str(whole)
    digits = str(whole).zfill(decimals + 1)
    text = f"{digits[:-decimals]}.{digits[-decimals:]}"
    return text if zeros else text.rstrip("0").rstrip(".")
