"""Two studies of the same effect as a table, and as fields of JSON."""

import math
from typing import Any, get_args

from repro.analysis.audit.replication import UNIT, Replication, Side, Statement
from repro.reporting.tables import number_format
from repro.reporting.tables.cell import DASH, Cell
from repro.reporting.tables.table_part import Part
from repro.stats import replication
from repro.stats.intervals import Interval

EQUATIONS = (
    "Standard errors are for new seeds and the same portraits. Prediction interval: theirs ± "
    "Student's quantile (Welch's degrees of freedom) times the root of both squared standard "
    "errors. Sceptical p: Held, Micheloud & Pawel (2022), small if .025 or less. Small telescopes: "
    "Simonsohn (2015), by the noncentral t. Bayes factor: normal form, no effect against the "
    "original's posterior; below 1 speaks for theirs. Sceptical p and Bayes factor take the "
    "standard errors as known; with few runs both are too sure."
)
LEVEL_ONLY = (
    "Standard errors are for new seeds and the same portraits. The value of one arm is no effect "
    "that could be 0, so there is no sceptical p-value, no small telescope and no Bayes factor: "
    "name the arm that it is compared with, --less ARM."
)


def part(found: Replication) -> Part:
    """The table: both sides, then a row for each measure with its sentence."""
    sides = [("Theirs", found.theirs), ("Ours", found.ours)]
    names = [name for name, _ in sides]
    rows = [_side(one, found) for _, one in sides]
    for one in found.statements():
        names.append(one.name)
        rows.append(_row(one))
    return Part(
        name="replication",
        title=f"{found.theirs.source} and {found.ours.source}: {_title(found)}.",
        table=number_format.frame(rows, names, "Measure"),
        remarks=[*_definition(found), EQUATIONS if found.is_effect else LEVEL_ONLY],
        holds="words",
    )


def _definition(found: Replication) -> list[str]:
    """Of single runs; what is printed follows its own source."""
    return [f"Of single runs: {found.definition}."] if found.definition else []


def _title(found: Replication) -> str:
    return f"{found.ours.what}, in {UNIT[found.quantity]}"


def _side(one: Side, found: Replication) -> dict[str, str]:
    effect = one.effect
    return {
        "Value": Cell(f"{effect.value:.2f}", {"": effect.value}),
        "Standard error": Cell(f"{effect.error:.2f}", {"": effect.error}),
        "95 % interval": _interval(found.within(one.interval)),
        "What it says": f"{one.source}: {one.what}; {one.basis}.",
    }


def _row(one: Statement) -> dict[str, str]:
    return {
        "Value": Cell(f"{one.value:.4g}", {"": one.value}),
        "Standard error": Cell(DASH),
        "95 % interval": _interval(one.interval),
        "What it says": one.text,
    }


def _interval(ends: Interval) -> Cell:
    if math.isnan(ends.low):
        return Cell(DASH)
    return Cell(f"[{ends.low:.2f}, {ends.high:.2f}]", {"low": ends.low, "high": ends.high})


def fields(found: Replication) -> dict[str, Any]:
    """The same for JSON, with every digit."""
    return {
        "quantity": found.quantity,
        "unit": UNIT[found.quantity].replace(" ", "_"),
        "margin": found.margin,
        "theirs": _side_fields(found.theirs),
        "ours": _side_fields(found.ours),
        "measures": [
            {
                "name": one.name,
                "value": one.value,
                "interval": None
                if math.isnan(one.interval.low)
                else {"low": one.interval.low, "high": one.interval.high, "level": 0.95},
                "text": one.text,
            }
            for one in found.statements()
        ],
        "sceptical_p": _sceptical(found) if found.is_effect else None,
        "bayes_factor": replication.bayes_factor(found.theirs.effect, found.ours.effect)
        if found.is_effect
        else None,
    }


def _sceptical(found: Replication) -> dict[str, float]:
    scales: tuple[replication.Scale, ...] = get_args(replication.Scale)
    return {scale: found.sceptical_p(scale) for scale in scales}


def _side_fields(one: Side) -> dict[str, Any]:
    effect = one.effect
    return {
        "source": one.source,
        "effect": one.what,
        "value": effect.value,
        "standard_error": effect.error,
        "degrees_of_freedom": effect.degrees,
        "basis": one.basis,
    }
