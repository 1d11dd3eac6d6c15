"""Logarithmic axes with plain numbers, cut where a few outliers would rule them."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from repro.reporting.figures import style
from repro.stats.intervals import Floats

FAR_OUT = 3.0  # interquartile ranges above the upper quartile (Tukey 1977), of logarithms
SHORTER = 10.0  # factor by which a cut must shorten an axis
_CORNER: dict[str, Any] = {
    "ha": "right",
    "va": "top",
    "fontsize": style.SMALL,
    "bbox": {"color": "white", "alpha": 0.85, "pad": 1.5, "lw": 0},
}


def plain(axis: Axis) -> None:
    """Write numbers instead of powers, whose exponents would be too small to read."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: told(value)))
    axis.set_minor_formatter(NullFormatter())


def told(value: float) -> str:
    """Three significant digits without an exponent: 0.01, 316,000,000."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 1000 else f"{rounded:g}"


def vertical(axes: Axes, values: Floats, *, always: float) -> str:
    """Make the vertical axis logarithmic; outliers above it are counted in its corner.

    Args:
        axes: With everything drawn.
        values: That are drawn, above 0, any shape.
        always: The axis reaches at least to this value.

    Returns:
        A sentence for the caption, with a space after it; empty if nothing lies above the axis.
    """
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    plain(axes.yaxis)
    end, highest = max(_fence(values), always), float(values.max())
    if highest < SHORTER * end:
        return ""
    beyond = int((values > end).sum())
    axes.set_ylim(float(values.min()) / 1.3, end)
    counted = f"{beyond:,} of {values.size:,}"
    axes.text(
        0.99,
        0.98,
        f"▲ {counted} above,\nup to {told(highest)}",
        transform=axes.transAxes,
        **_CORNER,
    )
    return f"The axis is cut at {told(end)}: {counted} values lie above it, up to {told(highest)}. "


def _fence(values: Floats) -> float:
    """Tukey's outer fence of the logarithms; equal quartiles count as a tenth of a decade apart."""
    lower, upper = np.quantile(np.log10(values), (0.25, 0.75))
    return float(10 ** (upper + FAR_OUT * max(upper - lower, 0.1)))
