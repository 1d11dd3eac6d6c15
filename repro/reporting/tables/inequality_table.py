"""The table of inequality: whether the groups differ at all, and on scales without a ceiling."""

from collections.abc import Sequence

import numpy as np

from repro.analysis import arm_parts, operating_points, thresholds
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import Arm, Outcomes
from repro.reporting.tables import interval_notes, number_format
from repro.reporting.tables.cell import DASH, Cell
from repro.reporting.tables.table_part import Part
from repro.stats import components, group_test
from repro.stats.components import Parts
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import Interval
from repro.system.count_progress import each


def part(outcomes: Outcomes, name: str) -> Part | None:
    """Whether the groups of each arm differ at all, and by how much on scales without a ceiling."""
    arms = [arm for arm in outcomes.arms if arm.runs and arm.can_differ]
    if not arms:
        return None
    with each("table of inequality", arms, unit="arms") as shown:
        rows = [_cells(outcomes, arm, DEFINITIONS[name]) for arm in shown]
    where = f", at {outcomes.threshold}" if any(arm.scores for arm in arms) else ""
    return Part(
        name="inequality",
        title=f"{outcomes.name}: inequality between groups, all runs with results{where}.",
        table=number_format.frame(rows, [arm.name for arm in arms]),
        remarks=[*_said(arms), *interval_notes.of_intervals(outcomes)],
    )


def _cells(outcomes: Outcomes, arm: Arm, definition: Definition) -> dict[str, str]:
    read = operating_points.reading(outcomes, arm, definition).of
    areas = arm.scores is not None and arm.scores.nonfaces.shape[1]
    return {
        "Variance": number_format.estimate(read["variance"], "variance"),
        "p, equal groups": _equal_groups(arm),
        "Variance of logits": number_format.ratio(*_bounded(arm_parts.logit_variance(arm))),
        "Variance of areas": number_format.estimate(
            Estimate(*_bounded(arm_parts.area_variance(arm))), "variance"
        )
        if areas
        else DASH,
    }


def _equal_groups(arm: Arm) -> Cell:
    if arm.scores is None:
        return number_format.p_value(float("nan"))
    found = thresholds.detections(arm, None)
    test = group_test.groups_differ(
        *(found, arm.scores.group, len(arm.groups)),
        cluster=arm.scores.cluster,
        draws=_deals([arm]),
    )
    return number_format.p_value(test.p, least=test.attainable)


def _deals(arms: Sequence[Arm]) -> int:
    """Number of random divisions of the portraits."""
    return group_test.DRAWS // 10 if any(arm.many for arm in arms) else group_test.DRAWS


def _bounded(found: Parts) -> tuple[float, Interval]:
    """A variance with its interval, not below 0."""
    return float(found.value), components.variance_interval(found, np.inf)


def _said(arms: Sequence[Arm]) -> list[str]:
    """Footnotes: the test, and the scales."""
    areas = any(arm.scores is not None and arm.scores.nonfaces.shape[1] for arm in arms)
    own = ""
    if any(arm.runs > 1 for arm in arms):
        columns = "this column and of the areas" if areas else "this column"
        own = f" The intervals of {columns} use the arm's own spread alone."
    found = [
        "A variance of recalls falls by itself near 100 %, where all groups must meet. The "
        "variance of the recalls' logits (ddof 1) has no such ceiling; half a portrait is "
        f"added to the detected and to the missed ones.{own}"
    ]
    if any(arm.scores is None for arm in arms):
        found.append(
            "Without the score of each portrait there is no test of equal groups and no variance "
            "of areas."
        )
    if any(arm.scores is not None for arm in arms):
        together = any(arm.scores and arm.scores.cluster is not None for arm in arms)
        what = (
            "random signs of what each cluster of portraits adds to the groups, the same"
            if together
            else "random divisions of the portraits into groups of these sizes, with the same "
            "division"
        )
        found.append(
            "p, equal groups: Monte Carlo test that the groups do not differ, for new seeds and "
            f"new portraits: {_deals(arms):,} {what} in all runs, plus the variation of each group "
            f"between runs. Standard error of p at most {0.5 / _deals(arms) ** 0.5:.4f}. Not "
            "adjusted for the number of arms."
        )
    if areas:
        found.append(
            "Variance of areas: between the groups' areas under the curve of recall against "
            "false-positive rate, in percent squared (ddof 1); it depends on no threshold."
        )
    return found
