"""Format numbers as cells: fractions become percent, NaN a dash. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from repro.analysis import operating_points
from repro.analysis.operating_points import BETTER, Estimate
from repro.reporting.tables.cell import DASH, Cell, Number, Spread, Unit
from repro.stats import intervals
from repro.stats.intervals import NOWHERE, Floats, Interval

_UNITS: Mapping[str, tuple[Unit, float]] = {
    "recall": ("percent", 1e2),
    "variance": ("percent_squared", 1e4),
    "gap": ("points", 1e2),
    "worst": ("percent", 1e2),
}


def frame(rows: Sequence[dict[str, str]], names: Sequence[str], head: str = "Arm") -> pd.DataFrame:
    """A table whose first column has these names; a dash where a row lacks a cell."""
    index = pd.Index(list(names), name=head)
    return pd.DataFrame(rows, index=index, dtype=object).fillna(DASH)


def estimate(found: Estimate, quantity: str, *, before: str = "", decimals: int = 2) -> Cell:
    """Value and interval of a quantity; a dash for NaN."""
    return Cell.of(replace(number(found, quantity, before=before), decimals=decimals))


def difference(found: Estimate, quantity: str, *, decimals: int = 2) -> Cell:
    """Like `estimate`, for the difference of two arms."""
    return Cell.of(replace(number(found, quantity, signed=True), decimals=decimals))


def number(found: Estimate, quantity: str, *, signed: bool = False, before: str = "") -> Number:
    """A quantity, or if signed a difference of two, in the unit of the tables."""
    unit, scale = _UNITS[quantity]
    return Number(
        value=scale * found.value,
        unit="points" if signed and unit == "percent" else unit,
        signed=signed,
        interval=scaled(found.interval, scale),
        sd=scale * found.sd,
        better=0 if signed else BETTER[quantity],
        before=before,
    )


def scaled(found: Interval, scale: float) -> Interval:
    """The interval in another unit."""
    return Interval(scale * found.low, scale * found.high)


def share(
    value: float,
    *,
    interval: Interval = NOWHERE,
    sd: float = float("nan"),
    error: float = float("nan"),
    shows: Spread = "interval",
    better: int = 1,
) -> Cell:
    """A fraction in percent; a dash for NaN. Arguments as for `Number`, as fractions."""
    return Cell.of(
        Number(
            value=100 * value,
            interval=scaled(interval, 100),
            sd=100 * sd,
            error=100 * error,
            shows=shows,
            better=better,
        )
    )


def false_positives(found: Estimate) -> Cell:
    """A false-positive rate in percent with its interval; neither more nor less is better."""
    return share(found.value, interval=found.interval, sd=found.sd, better=0)


def ratio(value: float, interval: Interval = NOWHERE, *, signed: bool = False) -> Cell:
    """A number without a unit, with its interval; a dash for NaN."""
    return Cell.of(Number(value=value, unit="", signed=signed, interval=interval))


def ends(found: Interval, unit: float = 100, decimals: int = 2) -> str:
    """Both ends in brackets; empty if there is no interval."""
    if np.isnan(found.low):
        return ""
    return f"[{unit * found.low:.{decimals}f}, {unit * found.high:.{decimals}f}]"


def within_one(found: Interval) -> Interval:
    """The interval, clipped to [0, 1]."""
    if np.isnan(found.low):
        return found
    return Interval(max(found.low, 0.0), min(found.high, 1.0))


def percent(value: float) -> str:
    """A fraction as percent, two decimals; a dash for NaN."""
    return DASH if np.isnan(value) else f"{100 * value:.2f}"


def p_value(p: float, *, least: float = 0.0) -> Cell:
    """A p-value with the smallest value that its test can reach; a dash for NaN."""
    if np.isnan(p):
        return Cell(DASH, {"": p})
    text = f"{p:.4f}" if p >= 0.0001 else "<0.0001"
    return (
        Cell(f"{text} (smallest possible {least:.3g})", {"": p, "least": least})
        if least
        else Cell(text, {"": p})
    )


def mean_and_error(values: Floats) -> Cell:
    """Mean of the runs' fractions ± its standard error (a dash for one run), in percent."""
    return share(
        float(values.mean()),
        error=operating_points.standard_error(values),
        sd=intervals.sd(values),
        shows="error",
    )
