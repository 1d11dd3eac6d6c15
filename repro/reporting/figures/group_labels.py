"""What figures of groups share: names, published values, and texts for screen readers."""

from collections.abc import Sequence

from repro.analysis import verdicts
from repro.analysis.outcomes import Arm
from repro.reporting.figures.study_view import StudyView, span
from repro.stats.disparity import DEFINITIONS, Definition
from repro.study.published import PublishedRow

OVERALL, POOLED = "all portraits", DEFINITIONS["dehaan2020"]
FEW = 8  # up to this many groups have clearly distinct colours
SPOKEN = 60  # up to this many numbers are read out one by one
GROUPS_SOURCES = "Figure 5 of de Haan et al. (2020) and figure 5B of Amini, Soleimany et al. (2019)"


def groups_of(arms: Sequence[Arm]) -> list[str]:
    """Every group that occurs in an arm, in order of first occurrence."""
    return list(dict.fromkeys(name for arm in arms for name in arm.groups))


def spoken(arms: Sequence[Arm]) -> str:
    """Means over the runs; with very many groups only the lowest and the highest."""
    many = sum(len(arm.groups) for arm in arms) > SPOKEN
    told = []
    for arm in arms:
        means = 100 * arm.recall.mean(axis=0)
        each = ", ".join(f"{g} {m:.1f}" for g, m in zip(arm.groups, means, strict=True))
        told.append(f"{arm.name}: {span(means) if many else each}")
    return f"Means over the runs: {'; '.join(told)}."


def definition(view: StudyView) -> Definition:
    """The definition of the published source, or the default if there is none."""
    published = view.outcomes.published
    return DEFINITIONS[published.definition if published else "dehaan2020"]


def printed_row(view: StudyView, arm: Arm) -> PublishedRow | None:
    """The published row of an arm; None for synthetic data."""
    outcomes = view.outcomes
    if outcomes.published is None or outcomes.synthetic:
        return None
    return next((row for row in outcomes.published.rows if row.arm == arm.name), None)


def printed_recalls(view: StudyView, arm: Arm) -> dict[str, float]:
    """Published recalls in percent, of each group and pooled over the portraits, if reported."""
    row, published = printed_row(view, arm), view.outcomes.published
    if row is None or published is None:
        return {}
    pooled = verdicts.restated(row, published, POOLED)["recall"]
    return (row.groups or {}) | ({} if pooled is None else {OVERALL: pooled})


def said_of_print(view: StudyView) -> str:
    """The meaning of the magenta marks; empty if there are none."""
    published = view.outcomes.published
    if published is None or view.outcomes.synthetic:
        return ""
    return f"Bars in magenta: {published.source}, {published.printed}. "
