"""The style of all figures: one palette, two font sizes, one width.

Colours remain distinct with the common kinds of colour blindness; markers and lines distinguish
series without any colour. A group has the same look in every figure, and so has an arm of a study.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

LIGHTEST, DARKEST = 0.62, 0.12  # ends of the arms' brightness scale
WIDTH = 6.0  # inches: 8 points are 7.4 CSS pixels where a telephone shows it 400 pixels wide
NORMAL, SMALL = 8.5, 8.0  # points
LETTERS = 17.0  # letters of a label per inch, approximately
LONGEST = 48  # letters of a legend entry
HANDLE, LINE = 0.5, 0.17  # inches beside a legend entry, and for each of its lines
STACK = 3  # maximum lines of a label
INK, FAINT = "#1a1a1a", "#767676"
PRINT = "#d1006c"  # colour of published values


@dataclass(frozen=True, slots=True)
class Look:
    """The look of one group or arm."""

    colour: str
    marker: str
    line: str


# Warm for women, cool for men; dark and solid for darker, light and dashed for lighter skin, so
# that greyscale prints keep them apart. All have a contrast of at least 3 with white.
_GROUPS = {
    "darker_female": Look("#933b00", "o", "-"),
    "darker_male": Look("#00558b", "s", "-"),
    "lighter_female": Look("#d07d00", "o", "--"),
    "lighter_male": Look("#3a97d3", "s", "--"),
}
_FURTHER = [  # for other group names, in alphabetical order
    Look("#00558b", "o", "-"),
    Look("#933b00", "s", "-"),
    Look("#009e73", "^", "--"),
    Look("#d07d00", "D", "--"),
    Look("#b6609a", "v", ":"),
    Look("#3a97d3", "P", ":"),
]
_FURTHER_MARKERS = "os^DvPX"  # with six colours, 42 looks before the first is repeated
OVERALL = Look(INK, "D", "-")
_MARKERS, _LINES = "osD^vPX", ("-", "--", "-.", ":")


def group_looks(groups: Sequence[str]) -> dict[str, Look]:
    """The look of each group; those of the Pilot Parliaments Benchmark have their own."""
    if set(groups) <= set(_GROUPS):
        return {name: _GROUPS[name] for name in groups}
    places = {name: place for place, name in enumerate(sorted(groups))}
    return {name: _further(places[name]) for name in groups}


def _further(place: int) -> Look:
    """A look by position: six colours, then the same colours with the next marker and line."""
    again, first = divmod(place, len(_FURTHER))
    look = _FURTHER[first]
    if not again:
        return look
    return Look(
        look.colour,
        _FURTHER_MARKERS[(first + again) % len(_FURTHER_MARKERS)],
        _LINES[(_LINES.index(look.line) + again) % len(_LINES)],
    )


def arm_looks(arms: Sequence[str], reference: str) -> dict[str, Look]:
    """The look of each arm: the reference black, the others increasingly dark along one scale."""
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
    "font.family": "DejaVu Sans",  # shipped with matplotlib: the same on every machine
    "font.size": NORMAL,
    "axes.titlesize": NORMAL,
    "axes.labelsize": NORMAL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
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
    share: Literal["none", "row"] = "none",
) -> tuple[Figure, list[Axes]]:
    """A figure of the common width, with its axes row by row.

    Args:
        rows: Number of rows of axes.
        columns: Number of columns of axes.
        height: Height of the figure in inches.
        widths: Of the columns, relative; None for equal ones.
        heights: Of the rows, relative; None for equal ones.
        share: Whether the axes of a row share one vertical scale, labelled beside the first.
    """
    with rc_context(sns.axes_style("ticks") | _SETTINGS):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        grid = figure.subplots(
            rows,
            columns,
            squeeze=False,
            width_ratios=widths,
            height_ratios=heights,
            sharey=share,
        )
        return figure, list(grid.flat)


def head(axes: Axes, text: str) -> None:
    """Write a line of text above the left end of the axes."""
    axes.set_title(text, loc="left", fontsize=NORMAL, pad=4)


def spoken(group: str) -> str:
    """The label for a group's name."""
    return group.replace("_", " ")


def shortened(name: str, letters: int) -> str:
    """The name, cut to at most this many letters."""
    return name if len(name) <= letters else f"{name[: letters - 1].rstrip()}…"


def wrapped(text: str, letters: int, *, lines: int) -> str:
    """The text in lines of at most this many letters; the last one ends with … if it is cut."""
    return "\n".join(textwrap.wrap(text, letters, max_lines=lines, placeholder=" …"))


def stacked(names: Sequence[str], *, width: float) -> list[str] | None:
    """Labels that fit side by side, broken into lines; None if they do not fit.

    Args:
        names: One for each position on an axis.
        width: Width of the axis in inches.
    """
    letters = int(width / len(names) * LETTERS) - 1
    if letters < max(len(word) for name in names for word in name.split() or [""]):
        return None
    found = [textwrap.wrap(name, letters) or [""] for name in names]
    return None if max(map(len, found)) > STACK else ["\n".join(lines) for lines in found]


def key(figure: Figure, axes: Axes, *, columns: int = 5) -> None:
    """One legend above all axes, made from one of them; the figure grows by its height."""
    handles, labels = axes.get_legend_handles_labels()
    labels = [shortened(label, LONGEST) for label in labels]
    letters = max(map(len, labels), default=0)
    fitting = max(1, int(WIDTH / (letters / LETTERS + HANDLE)))
    across = max(1, min(columns, fitting, len(labels)))
    lines = -(-len(labels) // across)
    figure.set_figheight(figure.get_figheight() + LINE * max(0, lines - 2))
    order = [place for first in range(across) for place in range(first, len(labels), across)]
    with rc_context(_SETTINGS):  # which fills columns, and people read rows
        figure.legend(
            [handles[place] for place in order],
            [labels[place] for place in order],
            loc="outside upper left",
            ncols=across,
            handlelength=2.4,
            columnspacing=1.2,
        )


def key_above(axes: Axes) -> None:
    """A legend above the left end of these axes, one entry per line; may overlap the next axes."""
    handles, labels = axes.get_legend_handles_labels()
    axes.set_title("\n" * len(labels))  # reserves the space
    with rc_context(_SETTINGS):
        legend = axes.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0, 1.01),
            borderaxespad=0.2,
            handlelength=1.2,
        )
    legend.set_in_layout(False)


def root_scale(axes: Axes) -> None:
    """Use a square root scale on the horizontal axis, from 0: for variances."""
    axes.set_xscale("function", functions=(_root, np.square))
    axes.set_xlim(left=0)


def _root(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(values, 0))
