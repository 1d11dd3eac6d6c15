"""The table at equal false-positive rates: every arm, and its difference from the reference."""

from collections.abc import Iterator, Sequence

from repro.analysis import matched, operating_points, reference_rows, thresholds
from repro.analysis.arm_differences import QUANTITIES
from repro.analysis.outcomes import Arm, Outcomes
from repro.reporting.tables import (
    comparison_notes,
    matched_notes,
    notes,
    number_format,
    reference_notes,
    run_notes,
)
from repro.reporting.tables.table_part import Part
from repro.stats import rounding
from repro.stats.disparity import DEFINITIONS, Definition
from repro.system.count_progress import each


def part(outcomes: Outcomes, name: str) -> Part | None:
    """Every arm, and its difference from the reference, at equal false-positive rates."""
    definition = DEFINITIONS[name]
    arms = [arm for arm in outcomes.arms if arm.runs and thresholds.nonfaces(arm)]
    below = [
        (one.name, row)
        for one in outcomes.detectors
        if outcomes.rates and thresholds.nonfaces(one)
        for row in _reference_rows(outcomes, one, definition)
    ]
    with each("table at equal false-positive rates", arms, unit="arms") as shown:
        rows = [
            (arm.name, row)
            for arm in shown
            if outcomes.rates
            for row in _rows(outcomes, arm, definition)
        ]
    if not rows and not below:
        return None
    every = [*rows, *below]
    return Part(
        name="false_alarms",
        title=f"{outcomes.name}: at equal false-positive rates, all runs with results.",
        table=number_format.frame([row for _, row in every], [arm for arm, _ in every]),
        keys=1,
        below=len(below),
        remarks=[
            *(notes.of_false_alarms(outcomes, definition) if rows else ()),
            *reference_notes.of_detectors(outcomes, shown=bool(below)),
            *matched_notes.of_pairs(_compared(outcomes, arms), threshold=outcomes.threshold),
            *comparison_notes.of_none(outcomes, definition),
            *run_notes.of_single_groups(outcomes),
        ],
    )


def _compared(outcomes: Outcomes, arms: Sequence[Arm]) -> list[tuple[Arm, Arm]]:
    """The arms that share a seed with the reference, each with it."""
    reference = outcomes.arm(outcomes.reference)
    if reference is None:
        return []
    seeds = set(reference.seeds)
    return [
        (arm, reference) for arm in arms if arm.name != reference.name and seeds & set(arm.seeds)
    ]


def _rows(outcomes: Outcomes, arm: Arm, definition: Definition) -> Iterator[dict[str, str]]:
    """At logit 0, there with the reference matched, then at each rate."""
    rates = [rate for rate in outcomes.rates if thresholds.can_read(arm, rate)]
    reference = next((other for _, other in _compared(outcomes, [arm])), None)
    for rate in (None, *rates):
        row = _reading_cells(outcomes, arm, definition, rate)
        if reference is not None:
            apart = operating_points.difference(arm, reference, definition, rate=rate)
            for q in QUANTITIES:
                row[_MINUS[q]] = number_format.difference(apart[q], q, decimals=_decimals(rate))
        yield row
        if reference is not None and rate is None and not matched.refusal(arm, reference):
            yield {
                "Threshold": f"{outcomes.threshold}, reference matched",
                "False positives": row["False positives"],
                **{
                    _MINUS[q]: matched_notes.difference(
                        arm, reference, q, definition, arms=len(outcomes.arms)
                    )
                    for q in QUANTITIES
                },
            }


_MINUS = {q: f"{q.capitalize()} minus reference" for q in QUANTITIES}


def _decimals(rate: float | None) -> int:
    """Intervals at given rates have a Monte Carlo error, which two decimals would hide."""
    return 2 if rate is None else 1


def _reading_cells(
    outcomes: Outcomes, arm: Arm, definition: Definition, rate: float | None
) -> dict[str, str]:
    read = operating_points.reading(outcomes, arm, definition, rate=rate)
    return _cells_of(read, arm, outcomes.threshold)


def _reference_rows(
    outcomes: Outcomes, detector: Arm, definition: Definition
) -> Iterator[dict[str, str]]:
    """A detector that was trained elsewhere, at its own threshold and at each rate."""
    rates = [rate for rate in outcomes.rates if reference_rows.can_read(detector, rate)]
    for rate in (None, *rates):
        read = reference_rows.reading(detector, definition, rate=rate)
        yield _cells_of(read, detector, "its own")


def _cells_of(read: operating_points.Reading, arm: Arm, threshold: str) -> dict[str, str]:
    rate = read.rate
    at = threshold if rate is None else f"{100 * rate:g} % false positives"
    worst = arm.groups[rounding.lowest(read.recall.mean(axis=0))]
    decimals = _decimals(rate)
    return {
        "Threshold": at,
        "False positives": number_format.false_positives(read.false_positives),
        **{
            q.capitalize(): number_format.estimate(read.of[q], q, decimals=decimals)
            for q in ("recall", "variance", "gap")
        },
        "Worst group": number_format.estimate(
            read.of["worst"], "worst", before=worst, decimals=decimals
        ),
    }
