"""How every figure looks: one palette, one type size, one width.

Colours are told apart with the common kinds of colour blindness and, by marker and line, without
any colour. A group has the same colour, marker and line in every figure; so has an arm of a study.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

LIGHTEST, DARKEST = 0.62, 0.12  # of the arms' scale
WIDTH = 6.7  # inches: the text of an A4 page with margins of 2 cm
INK, FAINT = "#1a1a1a", "#767676"
PRINT = "#d1006c"  # of printed numbers


@dataclass(frozen=True, slots=True)
class Look:
    """Of one group or arm."""

    colour: str
    marker: str
    line: str


# Warm for women, cool for men; dark and full for darker, light and broken for lighter skin, so that
# print in grey keeps them apart. All have a contrast of 3 or more with white.
_GROUPS = {
    "darker_female": Look("#933b00", "o", "-"),
    "darker_male": Look("#00558b", "s", "-"),
    "lighter_female": Look("#d07d00", "o", "--"),
    "lighter_male": Look("#3a97d3", "s", "--"),
}
_FURTHER = [  # for groups of other names, in alphabetical order
    Look("#00558b", "o", "-"),
    Look("#933b00", "s", "-"),
    Look("#009e73", "^", "--"),
    Look("#d07d00", "D", "--"),
    Look("#b6609a", "v", ":"),
    Look("#3a97d3", "P", ":"),
]
OVERALL = Look(INK, "D", "-")
_MARKERS, _LINES = "osD^vPX", ("-", "--", "-.", ":")


def group_looks(groups: Sequence[str]) -> dict[str, Look]:
    """The look of each group; those of the Pilot Parliaments Benchmark have their own."""
    if set(groups) <= set(_GROUPS):
        return {name: _GROUPS[name] for name in groups}
    ordered = sorted(groups)
    return {name: _FURTHER[ordered.index(name) % len(_FURTHER)] for name in groups}


def arm_looks(arms: Sequence[str], reference: str) -> dict[str, Look]:
    """The look of each arm: the reference black, the others along one scale to ever darker."""
    others = [name for name in arms if name != reference]
    scale = mpl.colormaps["plasma"]
    looks = {reference: Look(INK, "o", "-")}
    for place, name in enumerate(others):
        at = LIGHTEST - (LIGHTEST - DARKEST) * place / max(len(others) - 1, 1)
        looks[name] = Look(
            mpl.colors.to_hex(scale(at)),
            _MARKERS[(place + 1) % len(_MARKERS)],
            _LINES[(place + 1) % len(_LINES)],
        )
    return {name: looks[name] for name in arms}


_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.titlelocation": "left",
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.formatter.use_mathtext": True,
}


def canvas(
    rows: int,
    columns: int,
    *,
    height: float,
    widths: Sequence[float] | None = None,
    heights: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """A figure of the common width, and its axes row by row.

    Args:
        rows: Of axes.
        columns: Of axes.
        height: Of the figure, in inches.
        widths: Of the columns, relative; None for equal ones.
        heights: Of the rows, relative; None for equal ones.
    """
    with rc_context(sns.axes_style("ticks") | _SETTINGS):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        grid = figure.subplots(
            rows, columns, squeeze=False, width_ratios=widths, height_ratios=heights
        )
        return figure, list(grid.flat)


def head(axes: Axes, text: str) -> None:
    """A line of text above the left end of the axes."""
    axes.set_title(text, loc="left", fontsize=8, pad=4)


def spoken(group: str) -> str:
    """A group's name as a label."""
    return group.replace("_", " ")


def key(figure: Figure, axes: Axes, *, columns: int = 5) -> None:
    """One legend above all axes, from what one of them holds."""
    handles, labels = axes.get_legend_handles_labels()
    with rc_context(_SETTINGS):
        figure.legend(
            handles,
            labels,
            loc="outside upper left",
            ncols=min(columns, len(labels)),
            handlelength=2.4,
        )
