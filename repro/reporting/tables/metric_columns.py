"""Metrics of plug-ins in tables: a column each, where they come from, and fields for programs."""

from collections.abc import Iterator
from typing import Any, Literal

from repro.analysis import own_metrics
from repro.analysis.outcomes import Arm, Outcomes
from repro.plugins.declared import Plugin
from repro.reporting.tables.cell import DASH, Cell, Number, Unit
from repro.reporting.tables.json_output import estimate

_STUDENT = "Student's t over the runs"
_UNITS: dict[str, Unit] = {"points": "points", "percent": "percent"}
_BETTER: dict[Literal["higher", "lower"] | None, int] = {"higher": 1, "lower": -1, None: 0}


def head(name: str) -> str:
    """The head of a metric's column."""
    return name.replace("_", " ").capitalize()


def cells(outcomes: Outcomes, arm: Arm) -> dict[str, str]:
    """The columns of an arm, at logit 0; none for metrics that are not here."""
    found: dict[str, str] = {}
    for name, plugin in outcomes.own_metrics.items():
        if plugin is not None:
            number = _number(arm, plugin)
            found[head(name)] = Cell(DASH) if number is None else Cell.of(number)
    return found


def notes(outcomes: Outcomes) -> Iterator[str]:
    """What each metric is and where it comes from, below the table."""
    for name, plugin in outcomes.own_metrics.items():
        if plugin is None:
            yield f"No column for {head(name)}: {own_metrics.missing(name)}."
        else:
            yield f"{head(name)}: {_described(plugin)}."


def fields(outcomes: Outcomes, arm: Arm) -> dict[str, Any]:
    """Each metric of an arm for programs; null without a value."""
    found: dict[str, Any] = {}
    for name, plugin in outcomes.own_metrics.items():
        number = _number(arm, plugin) if plugin is not None else None
        found[name] = number and estimate(number, n=arm.runs, method=_STUDENT)
    return found


def origins(outcomes: Outcomes) -> list[dict[str, Any]]:
    """Where each metric comes from, for programs."""
    return [
        {
            "name": name,
            "from": plugin.origin.where if plugin and plugin.origin else None,
            "digest": plugin.origin.digest if plugin and plugin.origin else None,
            "unit": plugin.unit if plugin else None,
            "better": plugin.better if plugin else None,
        }
        for name, plugin in outcomes.own_metrics.items()
    ]


def _number(arm: Arm, plugin: Plugin) -> Number | None:
    value = own_metrics.of_arm(arm, plugin)
    if value is None:
        return None
    return Number(
        value=value.mean,
        unit=_UNITS.get(plugin.unit, ""),
        interval=value.interval,
        sd=value.sd,
        better=_BETTER[plugin.better],
    )


def _described(plugin: Plugin) -> str:
    """Unit, direction, threshold, interval, file and digest."""
    assert plugin.origin is not None
    unit = f"in {plugin.unit}" if plugin.unit else "without a unit"
    better = f", {plugin.better} is better" if plugin.better else ""
    return (
        f"{unit}{better}, mean of the runs at logit 0 with Student's interval over them, for new "
        f"seeds and these photographs; by {plugin.origin.where} ({plugin.origin.digest})"
    )
