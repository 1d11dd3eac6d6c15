"""Detectors that were trained elsewhere, as fields for programs."""

from typing import Any

from repro.analysis import reference_rows
from repro.analysis.operating_points import Estimate, Reading
from repro.analysis.outcomes import Arm, Outcomes
from repro.reporting.tables import number_format
from repro.reporting.tables.cell import Number
from repro.reporting.tables.json_output import estimate
from repro.stats import rounding
from repro.stats.disparity import Definition

METHOD = "photographs alone"
_NAMES = {"recall": "recall", "variance": "variance", "gap": "gap", "worst": "worst_group"}


def detector(arm: Arm, outcomes: Outcomes, definition: Definition) -> dict[str, Any]:
    """All numbers of one detector, in the words of an arm's."""
    groups = zip(arm.groups, arm.sizes, arm.recall[0], strict=True)
    found = reference_rows.group_estimates(arm)
    return {
        "name": arm.name,
        "key": arm.keys[0],
        "groups": [
            {"name": name, "n": int(n), "detected": round(float(share) * int(n))}
            for name, n, share in groups
        ],
        "estimates": {
            **_quantities(arm, reference_rows.reading(arm, definition)),
            "groups": [
                {"name": name, "recall": _of(number_format.number(one, "recall"))}
                for name, one in zip(arm.groups, found, strict=True)
            ],
        },
        "at_false_positive_rates": [
            {
                "rate": {"value": 100 * rate, "unit": "percent"},
                **_quantities(arm, reference_rows.reading(arm, definition, rate=rate)),
            }
            for rate in outcomes.rates
            if reference_rows.can_read(arm, rate)
        ],
    }


def _quantities(arm: Arm, read: Reading) -> dict[str, Any]:
    found: dict[str, Any] = {
        _NAMES[q]: _of(number_format.number(one, q)) for q, one in read.of.items()
    }
    found["worst_group"]["group"] = arm.groups[rounding.lowest(read.recall[0])]
    return {**found, "false_positives": _false(read.false_positives)}


def _false(found: Estimate) -> dict[str, Any] | None:
    number = number_format.false_positives(found).number
    return None if found.value != found.value else _of(number)


def _of(number: Number | None) -> dict[str, Any]:
    assert number is not None
    return estimate(number, n=1, method=METHOD)
