"""Marks of several series side by side in each category: runs, estimate and published value.

Categories are on the horizontal axis if their names fit below it, else on the vertical axis.
Fractions become percent here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

from repro.analysis.operating_points import Estimate
from repro.reporting.figures import style
from repro.reporting.figures.study_view import MOST_RUNS
from repro.reporting.figures.style import Look
from repro.stats.intervals import Floats

ACROSS = style.WIDTH - 0.6  # inches, length of an axis that takes the full width
CROWDED = 0.09  # inches for each series, below which marks are small
SERIES, CATEGORY = 0.085, 0.19  # inches, in a vertical layout
TALLEST = 9.6  # inches, as a page
NAME = 44  # letters of a category's name in a vertical layout

Kind = Literal["dots", "bars"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mark:
    """One series in one category.

    Attributes:
        values: Of each run, fractions, shape (R,).
        estimate: Their mean and its interval; NaN without one.
        printed: The published value in percent; None without one.
    """

    values: Floats
    estimate: Estimate
    printed: float | None = None


Find = Callable[[str, str], Mark | None]  # by category and series


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The positions of the categories.

    Attributes:
        categories: Names, in order.
        labels: Their labels on the axis.
        across: Whether they are side by side, on the horizontal axis.
        series: Number of series in each category.
    """

    categories: Sequence[str]
    labels: Sequence[str]
    across: bool
    series: int

    @property
    def height(self) -> float:
        """Height of the axes in inches."""
        if self.across:
            return 2.7
        each = max(CATEGORY, SERIES * self.series + 0.06)
        return min(TALLEST, max(1.2, each * len(self.categories)))

    @property
    def each(self) -> float:
        """Space of one series within a category, in inches."""
        room = ACROSS if self.across else self.height
        return 0.8 * room / max(1, len(self.categories) * self.series)


def layout(categories: Sequence[str], spoken: Sequence[str], series: int) -> Layout:
    """Side by side if names and marks fit, else one below the other."""
    labels = style.stacked(spoken, width=ACROSS)
    across = labels is not None and 0.8 * ACROSS / (len(spoken) * series) >= 0.5 * CROWDED
    if labels is None or not across:
        labels = [style.shortened(name, NAME) for name in spoken]
    return Layout(categories=categories, labels=labels, across=across, series=series)


def draw(
    axes: Axes,
    where: Layout,
    series: Mapping[str, Look],
    find: Find,
    *,
    kind: Kind = "dots",
    spoken: Callable[[str], str] = str,
) -> None:
    """Draw all marks and the categories' names.

    Args:
        axes: The axes to draw on.
        where: The categories.
        series: The look of each series.
        find: Gives the mark of a category and series; None for no mark.
        kind: Kind of the large marks; bars begin at 0.
        spoken: Gives the name of a series in the legend.
    """
    width, told = 0.8 / len(series), set()
    for place, category in enumerate(where.categories):
        for slot, (name, look) in enumerate(series.items()):
            mark = find(category, name)
            if mark is None:
                continue
            at = place + (slot - (len(series) - 1) / 2) * width
            label = None if name in told else spoken(name)
            told.add(name)
            _mark(axes, at, width, mark, look, where=where, kind=kind, label=label)
    ticks = range(len(where.categories))
    if where.across:
        axes.set_xticks(ticks, where.labels)
        axes.grid(axis="x", visible=False)
    else:
        axes.set_yticks(ticks, where.labels)
        axes.set_ylim(len(where.categories) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        for place in ticks[1:]:
            axes.axhline(place - 0.5, color="#e4e4e4", lw=0.5, zorder=0)


def _mark(
    axes: Axes,
    at: float,
    width: float,
    mark: Mark,
    look: Look,
    *,
    where: Layout,
    kind: Kind,
    label: str | None,
) -> None:
    """Draw runs as dots, the estimate with its whisker, and the published value as a stroke."""
    small, bar = where.each < CROWDED, kind == "bars"
    value, ends = 100 * mark.estimate.value, 100 * np.array(mark.estimate.interval)
    if bar:
        draw_bar = axes.bar if where.across else axes.barh
        draw_bar(at, value, 0.9 * width, color=look.colour, alpha=0.35, label=label)
    aside = 0.3 * min(width, 0.2)
    dots = mark.values[:MOST_RUNS]
    x, y = _turned(np.full(len(dots), at - aside), 100 * dots, where)
    dot = 1.6 if small else 2.4
    axes.plot(x, y, look.marker, color=look.colour, ms=dot, alpha=0.7, mew=0)
    reach = None if np.isnan(ends).any() else np.abs(ends - value)[:, None]
    axes.errorbar(
        *_turned(at, value, where),
        xerr=None if where.across else reach,
        yerr=reach if where.across else None,
        color=look.colour,
        marker="none" if bar else look.marker,
        ms=3.4 if small else 5,
        mec="white",
        mew=0.2 if small else 0.6,
        lw=0.9 if small else 1.3,
        linestyle="none",
        label=None if bar else label,
    )
    if mark.printed is not None:
        x, y = _turned(at + aside, mark.printed, where)
        stroke, size = "_" if where.across else "|", 5 if small else 9
        axes.plot(x, y, stroke, color=style.PRINT, ms=size, mew=1.2 if small else 1.6)


def _turned(along: Any, value: Any, where: Layout) -> tuple[Any, Any]:
    """The pair as horizontal and vertical coordinates."""
    return (along, value) if where.across else (value, along)
