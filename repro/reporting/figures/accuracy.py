"""The accuracy figure of the lab and the original paper: each group and arm, ± SEM."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes

from repro.analysis import operating_points
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import Arm
from repro.reporting.figures import group_labels, grouped_points, style
from repro.reporting.figures.group_labels import OVERALL, POOLED
from repro.reporting.figures.grouped_points import Kind, Layout, Mark
from repro.reporting.figures.illustration import Illustration
from repro.reporting.figures.study_view import StudyView
from repro.reporting.figures.style import Look
from repro.reporting.tables import run_notes
from repro.stats.intervals import NOWHERE, Floats, Interval

ALL_CROPS = "all crops"
HIGH = 0.5  # where every value is above it, dots replace bars, which would have to be cut
STEP = 5.0  # percent; an axis begins at a multiple of it
_GAP = 0.75  # inches above and below a panel

Find = Callable[[Arm, str], Mark | None]


def by_group(view: StudyView) -> Illustration | None:
    """Recall of each group and overall; below it the mean probability of face crops."""
    arms = view.arms
    if not arms:
        return None
    printed = {arm.name: group_labels.printed_recalls(view, arm) for arm in arms}

    def recall(arm: Arm, group: str) -> Mark | None:
        values = _recalls(arm, group)
        return None if values is None else _mark(values, printed[arm.name].get(group))

    panels: list[tuple[list[str], Find]] = [([*group_labels.groups_of(arms), OVERALL], recall)]
    crops = [name for arm in arms if arm.crops for name in arm.crops.groups]
    if crops:
        panels.append(([*dict.fromkeys(crops), ALL_CROPS], _probability))
    where = [
        grouped_points.layout(names, [style.spoken(name) for name in names], len(arms))
        for names, _ in panels
    ]
    heights = [one.height + _GAP for one in where]
    figure, axes = style.canvas(len(panels), 1, height=sum(heights), heights=heights)
    looks = {arm.name: view.looks[arm.name] for arm in arms}
    drawn = [
        _panel(part, one, looks, arms, find, what)
        for part, one, (_, find), what in zip(axes, where, panels, _WHAT, strict=False)
    ]
    style.key(figure, axes[0])
    return Illustration(
        name="accuracy",
        title="Accuracy of each group, as in the papers",
        sources=group_labels.GROUPS_SOURCES,
        caption=_caption(view, drawn),
        alt=(
            f"{_KINDS[drawn[0][0]]} of recall in percent, one colour per arm. "
            f"{group_labels.spoken(arms)}"
        ),
        figure=figure,
    )


_WHAT = ("recall, %", "mean probability of crops, %")
_KINDS = {"bars": "Bar chart", "dots": "Dot plot"}


def _recalls(arm: Arm, group: str) -> Floats | None:
    if group == OVERALL:
        return arm.run_recall(POOLED)
    return arm.recall[:, arm.groups.index(group)] if group in arm.groups else None


def _probability(arm: Arm, group: str) -> Mark | None:
    crops = arm.crops
    if crops is None:
        return None
    if group == ALL_CROPS:
        return _mark(crops.overall)
    if group not in crops.groups:
        return None
    return _mark(crops.probability[:, crops.groups.index(group)])


def _mark(values: Floats, printed: float | None = None) -> Mark:
    """The mean of the runs' values ± its standard error."""
    mean, error = float(values.mean()), operating_points.standard_error(values)
    ends = NOWHERE if np.isnan(error) else Interval(mean - error, mean + error)
    return Mark(values=values, estimate=Estimate(mean, ends), printed=printed)


def _panel(
    axes: Axes,
    where: Layout,
    looks: dict[str, Look],
    arms: Sequence[Arm],
    find: Find,
    what: str,
) -> tuple[Kind, float]:
    """Draw a panel; return its kind and where its axis begins, in percent."""
    by_name = {arm.name: arm for arm in arms}
    marks = [mark for arm in arms for name in where.categories if (mark := find(arm, name))]
    lowest = 100 * min(_lowest(mark) for mark in marks)
    kind: Kind = "dots" if lowest >= 100 * HIGH else "bars"
    first = 0.0 if kind == "bars" else STEP * np.floor((lowest - 1) / STEP)
    grouped_points.draw(axes, where, looks, lambda name, arm: find(by_name[arm], name), kind=kind)
    last = 100 + 0.02 * (100 - first)
    if where.across:
        axes.set(ylabel=what, ylim=(first, last))
    else:
        axes.set(xlabel=what, xlim=(first, last))
    return kind, float(first)


def _lowest(mark: Mark) -> float:
    """The lowest value of a mark, as a fraction."""
    ends = [mark.estimate.interval.low, *mark.values]
    printed = [] if mark.printed is None else [mark.printed / 100]
    return float(np.nanmin([*ends, *printed]))


def _caption(view: StudyView, drawn: Sequence[tuple[Kind, float]]) -> str:
    arms = view.arms
    told = ["Recall, which the papers call accuracy, of each group and of all portraits."]
    if len(drawn) > 1:
        told.append(
            "Below: the MIT lab's metric, the mean probability that a face crop is a face, over "
            f"{run_notes.of_crops(arms)}, without a threshold. So few pictures cannot show a "
            "difference of a few points between groups."
        )
    large = "bars or large marks" if len({kind for kind, _ in drawn}) > 1 else _LARGE[drawn[0][0]]
    told.append(
        f"Small dots: single runs; {large}: their mean; whiskers: ± its standard error over the "
        "runs, which is not a confidence interval."
    )
    for what, (kind, first) in zip(_WHAT, drawn, strict=False):
        if kind == "dots" and first > 0:
            told.append(
                f"The axis of {what.removesuffix(', %')} begins at {first:.0f} %, not at 0, so "
                "there are dots instead of bars, whose lengths would mislead."
            )
    told.append(
        f"{group_labels.said_of_print(view)}{view.said_of_runs()} "
        f"{view.said_of_test()} {view.said_of_data()}"
    )
    return " ".join(told)


_LARGE = {"bars": "bars", "dots": "large marks"}
