"""Metrics of plug-ins: computed from stored scores when a table is made.

A metric gets the scores of one run: the top logit of each photograph, its group, whether it shows a
face, and the threshold. Its text belongs to the table and not to the run.
"""

from dataclasses import dataclass

import numpy as np

from repro.analysis.object_cache import cached_by_owner
from repro.analysis.outcomes import Arm
from repro.plugins import calls
from repro.plugins.declared import Plugin
from repro.stats import intervals, operating
from repro.stats.components import Parts
from repro.stats.intervals import Floats, Interval

IN_HUNDREDS = ("points", "percent")  # units in which a fraction is shown times 100


@dataclass(frozen=True, slots=True)
class Value:
    """A metric of an arm, in its unit.

    Attributes:
        mean: Over the runs.
        interval: Student's, for new seeds and the same photographs.
        sd: Of the runs, ddof 1.
        runs: Of each run, shape (R,).
    """

    mean: float
    interval: Interval
    sd: float
    runs: Floats


def scale(plugin: Plugin) -> float:
    """From what the function returns to what is shown."""
    return 100.0 if plugin.unit in IN_HUNDREDS else 1.0


def unit_of_difference(plugin: Plugin | None) -> str:
    """Of the difference of two values."""
    if plugin is None:
        return ""
    return "points" if plugin.unit in IN_HUNDREDS else plugin.unit


def missing(name: str) -> str:
    """Why a metric has no value, as a clause."""
    return f"the plug-in of the metric {name} is not here: name the study's file that lists it"


def of_arm(arm: Arm, plugin: Plugin, rate: float | None = None) -> Value | None:
    """A metric of an arm; None without scores.

    Args:
        arm: With runs.
        plugin: Of kind ``metric``.
        rate: False-positive rate that sets each run's threshold; None for logit 0.

    Raises:
        PluginError: It raised an exception, or returned no finite number.
    """
    if arm.scores is None or not arm.runs:
        return None
    found = scale(plugin) * values(arm, plugin, rate)
    return Value(float(found.mean()), intervals.t_interval(found), intervals.sd(found), found)


def values(arm: Arm, plugin: Plugin, rate: float | None = None) -> Floats:
    """What the function returns for each run, shape (R,); arguments as for `of_arm`."""
    return _values(arm, plugin, rate)


@cached_by_owner()
def _values(arm: Arm, plugin: Plugin, rate: float | None) -> Floats:
    scores = arm.scores
    assert scores is not None
    nonfaces = scores.nonfaces.shape[1]
    names = [*(arm.groups[k] for k in scores.group), *[""] * nonfaces]
    groups = calls.read_only(np.array(names, dtype=np.str_))
    labels = calls.read_only(np.arange(len(names)) < len(names) - nonfaces)
    found = []
    for portraits, others in zip(scores.portraits, scores.nonfaces, strict=True):
        threshold = 0.0 if rate is None else float(operating.threshold(others, rate))
        logits = calls.read_only(np.concatenate([portraits, others]))
        found.append(_number(plugin, calls.call(plugin, logits, groups, labels, threshold)))
    return np.array(found)


def parts(arm: Arm, plugin: Plugin, rate: float | None = None) -> Parts:
    """The metric as a statistic of an arm whose variance comes from the seeds alone."""
    assert arm.scores is not None
    runs = values(arm, plugin, rate)
    none = np.zeros(len(arm.groups))
    return Parts(
        value=np.asarray(runs.mean()),
        runs=runs,
        portraits=np.zeros(len(arm.scores.group)),
        detected=none,
        group=arm.scores.group,
        bound=np.asarray(0.0),
        redrawn=np.empty(0),
        nonfaces=np.empty(0),
        curved=np.asarray(0.0),
    )


def _number(plugin: Plugin, value: object) -> float:
    is_number = isinstance(value, float | int | np.floating | np.integer)
    if not is_number or isinstance(value, bool):
        raise calls.refuse(plugin, f"it returned {calls.described(value)}: return a float")
    number = float(value)  # type: ignore[arg-type]
    if not np.isfinite(number):
        raise calls.refuse(plugin, f"it returned {number}: return a finite number")
    return number
