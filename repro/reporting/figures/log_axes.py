"""Logarithmic axes with plain numbers, cut where a few outliers would rule them."""

import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from repro.reporting.figures import style
from repro.stats.intervals import Floats

FAR_OUT = 3.0  # interquartile ranges above the upper quartile (Tukey 1977), of logarithms
SHORTER = 10.0  # factor by which a cut must shorten an axis
TICKS = 7  # most of an axis
STRIP = 0.24  # of the length of an axis, blank above its cut


def plain(axis: Axis) -> None:
    """Write numbers instead of powers, whose exponents would be too small to read."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: told(value)))
    axis.set_minor_formatter(NullFormatter())


def told(value: float) -> str:
    """Three significant digits without a raised exponent: 0.01, 31,600, 3.16e8."""
    rounded = float(f"{value:.3g}")
    if 1000 <= rounded < 1e6:
        return f"{rounded:,.0f}"
    return re.sub(r"e\+?(-?)0*", r"e\1", f"{rounded:g}")


def vertical(axes: Axes, values: Floats, *, always: float) -> str:
    """Make the vertical axis logarithmic; outliers above its end are counted there.

    Args:
        axes: With everything drawn.
        values: That are drawn, above 0, any shape.
        always: The axis reaches at least to this value.

    Returns:
        A sentence for the caption, with a space after it; empty if nothing lies above the axis.
    """
    axes.set_yscale("log")
    plain(axes.yaxis)
    low, end, highest = float(values.min()), max(_fence(values), always), float(values.max())
    if highest < SHORTER * end:
        return ""
    counted = f"{int((values > end).sum()):,} of {values.size:,}"
    _cut(axes, low / 1.3, end, f"▲ {counted} above,\nup to {told(highest)}")
    return f"The axis is cut at {told(end)}: {counted} values lie above, up to {told(highest)}. "


def _cut(axes: Axes, low: float, end: float, text: str) -> None:
    """End the axis there, with a text in a blank strip above it."""
    top = end * (end / low) ** STRIP
    axes.set_ylim(low, top)
    axes.axhspan(end, top, color="white", lw=0, zorder=4)
    axes.axhline(end, color=style.FAINT, lw=0.8, ls="--", zorder=4)
    middle = float(np.sqrt(end * top))
    axes.text(
        0.99,
        middle,
        text,
        transform=axes.get_yaxis_transform(),
        ha="right",
        va="center",
        fontsize=style.SMALL,
        zorder=5,
    )
    decades = LogLocator(numticks=TICKS).tick_values(low, end)
    axes.set_yticks([tick for tick in decades if low <= tick <= end])
    axes.minorticks_off()


def _fence(values: Floats) -> float:
    """Tukey's outer fence of the logarithms; equal quartiles count as a tenth of a decade apart."""
    lower, upper = np.quantile(np.log10(values), (0.25, 0.75))
    return float(10 ** (upper + FAR_OUT * max(upper - lower, 0.1)))
