"""Means and standard deviations over the seeds of what MLflow holds of each run."""

from collections.abc import Iterator

import numpy as np

from repro.analysis import thresholds
from repro.analysis.outcomes import Arm, Outcomes
from repro.reporting.tables import number_format
from repro.reporting.tables.cell import DASH, Cell
from repro.reporting.tables.table_part import Part
from repro.stats import disparity, intervals
from repro.stats.disparity import DEFINITIONS
from repro.stats.intervals import Floats

_SCALE = {"recall": 1e2, "variance": 1e4, "gap": 1e2, "worst": 1e2}
_NAMES = {"recall": "Recall", "variance": "Variance", "gap": "Gap", "worst": "Worst group"}
_TOLD = (
    "FPR is the false-positive rate. Recall, gap and worst group are in percent, the variance "
    "between the groups of each run (ddof 0) in percent squared. The charts show the same as "
    "fractions: 0.0004 is a variance of 4. The variance of run-averaged recalls, as in the papers, "
    "is smaller than the mean of the runs' variances."
)


def part(outcomes: Outcomes) -> Part:
    """Mean ± standard deviation over the runs of each arm, at logit 0 and at each rate."""
    rows, names = [], []
    for rate in (None, *outcomes.rates):
        for arm in outcomes.arms:
            if arm.runs and (rate is None or thresholds.can_read(arm, rate)):
                rows.append(_row(arm, rate))
                names.append(arm.name)
    return Part(
        name="run_means",
        title="Mean ± standard deviation over the seeds.",
        table=number_format.frame(rows, names),
        keys=1,
        remarks=[_TOLD],
    )


def _row(arm: Arm, rate: float | None) -> dict[str, str]:
    return dict(_cells(arm, rate))


def _cells(arm: Arm, rate: float | None) -> Iterator[tuple[str, str]]:
    yield "Read at", "logit 0" if rate is None else f"FPR {100 * rate:g} %"
    yield "Runs", f"{arm.runs}/{arm.wanted}"
    recall = thresholds.recalls(arm, rate)
    values = disparity.run_quantities(recall, arm.sizes, DEFINITIONS["dehaan2020"])
    for name, head in _NAMES.items():
        yield head, _mean(_SCALE[name] * values[name])
    if rate is None and arm.false_positive_rate is not None:
        yield "False positives", _mean(100 * arm.false_positive_rate)


def _mean(values: Floats) -> Cell:
    """A dash for NaN; no deviation for a single run."""
    mean, sd = float(values.mean()), intervals.sd(values)
    if np.isnan(mean):
        return Cell(DASH)
    return Cell(f"{mean:.2f}" if np.isnan(sd) else f"{mean:.2f} ± {sd:.2f}")
