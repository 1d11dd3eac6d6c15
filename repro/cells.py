"""Numbers -> the text of cells: fractions become percent, what is missing a dash. Pure."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from repro import readings
from repro.readings import Estimate
from repro.rendering import DASH
from repro.stats.intervals import Floats, Interval


def frame(rows: Sequence[dict[str, str]], names: Sequence[str], head: str = "Arm") -> pd.DataFrame:
    """A table with these names as its first column; a dash where a row lacks a cell."""
    return pd.DataFrame(rows, index=pd.Index(list(names), name=head)).fillna(DASH)


def estimate(found: Estimate, unit: float, *, sign: bool = False) -> str:
    """Value and interval in the unit; a dash where the quantity is not defined."""
    value = unit * found.value
    if np.isnan(value):
        return DASH
    text = f"{value:+.2f}" if sign else f"{value:.2f}"
    return text if np.isnan(found.interval.low) else f"{text} {ends(found.interval, unit)}"


def ends(found: Interval, unit: float = 100, decimals: int = 2) -> str:
    """Both ends in brackets; nothing where there is no interval."""
    if np.isnan(found.low):
        return ""
    return f"[{unit * found.low:.{decimals}f}, {unit * found.high:.{decimals}f}]"


def within_one(found: Interval) -> Interval:
    """The ends, within [0, 1]."""
    if np.isnan(found.low):
        return found
    return Interval(max(found.low, 0.0), min(found.high, 1.0))


def percent(share: float) -> str:
    """A fraction as percent, two decimals; a dash where there is none."""
    return DASH if np.isnan(share) else f"{100 * share:.2f}"


def p_value(p: float) -> str:
    """A p-value, or a dash where there is none."""
    if np.isnan(p):
        return DASH
    return f"{p:.4f}" if p >= 0.0001 else "<0.0001"


def mean_and_error(values: Floats) -> str:
    """Mean of the runs' shares ± its standard error, in percent; a dash for one run's."""
    error = readings.standard_error(values)
    return f"{percent(float(values.mean()))} ± {DASH if np.isnan(error) else percent(error)}"
