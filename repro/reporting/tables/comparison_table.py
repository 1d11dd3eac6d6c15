"""The table of comparisons: differences of single runs, their sizes and tests, metric by metric."""

from dataclasses import replace

import numpy as np

from repro.analysis import arm_differences, operating_points
from repro.analysis.arm_differences import Comparison
from repro.analysis.outcomes import Outcomes
from repro.reporting.tables import comparison_notes, matched_notes, number_format
from repro.reporting.tables.cell import DASH, Cell
from repro.reporting.tables.table_part import Part
from repro.stats import comparisons, intervals
from repro.stats.disparity import DEFINITIONS, Definition
from repro.system.count_progress import each

BOTH = "New seeds and portraits"  # its column, if any comparison has such an interval
MATCHED = "Difference, matched"  # its column, if any reference can be matched


def part(outcomes: Outcomes, name: str) -> Part | None:
    """Every arm compared with the reference, metric by metric, or why none is."""
    definition = DEFINITIONS[name]
    family = arm_differences.family(outcomes, definition)
    with each("table of comparisons", family.made, unit="comparisons") as made:
        rows = [_cells(outcomes, one, definition) for one in made]
    for optional in (BOTH, MATCHED):
        if all(row.get(optional, DASH) == DASH for row in rows):
            rows = [{head: row[head] for head in row if head != optional} for row in rows]
    told = comparison_notes.of_comparisons(outcomes, definition)
    if not told:
        return None
    if outcomes.paired:
        pairs = dict.fromkeys((one.arm, one.reference) for one in family.made)
        told += matched_notes.of_pairs(pairs, threshold=outcomes.threshold)
    return Part(
        name="comparisons",
        title=f"{outcomes.name}: arms compared with {outcomes.reference}, values of single runs.",
        table=number_format.frame(rows, [one.arm.name for one in family.made]),
        keys=1 if family.made else 0,
        remarks=told,
    )


_TESTS = {"t": "p, t", "sign_flip": "p, sign flip", "permutation": "p, permutation"}


def _cells(outcomes: Outcomes, one: Comparison, definition: Definition) -> dict[str, str]:
    x, y = one.values, one.others
    row: dict[str, str] = {"Metric": one.quantity}
    row["Runs"] = Cell(f"{len(x)}, {len(y)}", {"": len(x), "reference": len(y)})
    row["Difference, new seeds"] = number_format.difference(one.difference, one.quantity)
    if outcomes.paired:
        both = operating_points.difference(one.arm, one.reference, replace(definition, runs="last"))
        row[BOTH] = Cell(DASH)
        if not np.isnan(both[one.quantity].interval.low):
            row[BOTH] = number_format.difference(both[one.quantity], one.quantity)
        row[MATCHED] = matched_notes.difference(
            one.arm,
            one.reference,
            one.quantity,
            replace(definition, runs="last"),
            arms=len(outcomes.arms),
        )
        row["r"] = number_format.ratio(one.apart.correlation if len(x) > 1 else float("nan"))
    row["Hedges' g"] = number_format.ratio(*comparisons.hedges_g(x, y), signed=True)
    if outcomes.paired:
        row["P(arm > reference)"] = number_format.ratio(*comparisons.superiority(x, y))
    row["Spread ratio"] = _spread_ratio(*comparisons.variance_ratio(x, y))
    row["p, Brown-Forsythe"] = number_format.p_value(comparisons.brown_forsythe(x, y))
    for kind, test in one.tests.items():
        row[_TESTS[kind]] = number_format.p_value(test.p, least=test.attainable)
    return row | {"p, Holm": number_format.p_value(one.adjusted)}


def _spread_ratio(ratio: float, ends: intervals.Interval) -> Cell:
    """The ratio of two variances with significant digits, because it may be very large or small."""
    if np.isnan(ratio):
        return Cell(DASH, {"": ratio})
    if np.isnan(ends.low):
        return Cell(f"{ratio:.3g}", {"": ratio})
    return Cell(
        f"{ratio:.3g} [{ends.low:.3g}, {ends.high:.3g}]",
        {"": ratio, "low": ends.low, "high": ends.high},
    )
