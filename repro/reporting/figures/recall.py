"""Recall of each group, against variance and against the false-positive rate."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from repro.analysis import arm_differences, operating_points, thresholds
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import Arm
from repro.reporting.figures import group_labels, grouped_points, style
from repro.reporting.figures.group_labels import FEW, OVERALL, POOLED
from repro.reporting.figures.grouped_points import Find, Layout, Mark
from repro.reporting.figures.illustration import Illustration
from repro.reporting.figures.study_view import MOST_RUNS, StudyView, span
from repro.reporting.figures.style import Look
from repro.stats import operating
from repro.stats.disparity import Definition
from repro.stats.intervals import Floats
from repro.study.published import PublishedRow

INTERVALS = "95 % intervals for new seeds and new portraits"
FEW_ARMS = 6  # so many stand in two columns
TENTH = 0.1  # the false-positive rate whose recalls the text alternative gives


def by_group(view: StudyView) -> Illustration | None:
    """Recall of each group and of all portraits, with every run; ordered by arm or by group."""
    arms = view.arms
    if not arms:
        return None
    by_name = {arm.name: arm for arm in arms}
    printed = {arm.name: group_labels.printed_recalls(view, arm) for arm in arms}

    def mark(arm: str, group: str) -> Mark | None:
        if group != OVERALL and group not in by_name[arm].groups:
            return None
        values, estimate = _values(view, by_name[arm], group)
        return Mark(values=values, estimate=estimate, printed=printed[arm].get(group))

    figure, axes, where = _drawn(view, mark)
    (axes.set_ylabel if where.across else axes.set_xlabel)("recall, %")
    style.key(figure, axes)
    return Illustration(
        name="recall",
        title="Recall of each group",
        sources=group_labels.GROUPS_SOURCES,
        caption=(
            "Proportion of the portraits in which any window has a logit of 0 or more. Dots: "
            f"single runs; large marks: their mean; bars: {INTERVALS}. "
            f"{group_labels.said_of_print(view)}"
            f"{view.said_of_runs()} {view.said_of_test()} {view.said_of_data()}"
        ),
        alt=f"Dot plot of recall in percent. {group_labels.spoken(arms)}",
        figure=figure,
    )


def _drawn(view: StudyView, mark: Find) -> tuple[Figure, Axes, Layout]:
    """Few groups are colours within arms; many groups are categories, with arms as colours."""
    groups, arms = group_labels.groups_of(view.arms), [arm.name for arm in view.arms]
    columns = [*groups, OVERALL]
    spoken: Callable[[str], str]
    if len(groups) <= FEW:
        looks = {**style.group_looks(groups), OVERALL: style.OVERALL}
        where = grouped_points.layout(arms, arms, len(looks))
        find, spoken = mark, style.spoken
    else:
        looks = {arm: view.looks[arm] for arm in arms}
        where = grouped_points.layout(columns, [style.spoken(name) for name in columns], len(looks))
        find, spoken = (lambda group, arm: mark(arm, group)), str
    figure, (axes,) = style.canvas(1, 1, height=where.height + 0.7)
    grouped_points.draw(axes, where, looks, find, spoken=spoken)
    return figure, axes, where


def _values(view: StudyView, arm: Arm, name: str) -> tuple[Floats, Estimate]:
    """Recall of each run and their estimate, for a group or for all portraits."""
    if name == OVERALL:
        found = operating_points.reading(view.outcomes, arm, POOLED).of["recall"]
        return arm.run_recall(POOLED), found
    k = arm.groups.index(name)
    return arm.recall[:, k], operating_points.group_estimates(view.outcomes, arm)[k]


def tradeoff(view: StudyView) -> Illustration | None:
    """Recall against the variance between groups: every run, and each arm."""
    arms = [arm for arm in view.arms if arm.can_differ]
    if not arms:
        return None
    definition = group_labels.definition(view)
    figure, (axes,) = style.canvas(1, 1, height=3.4)
    looks = view.looks
    for arm in arms:
        _tradeoff_of(axes, view, arm, looks[arm.name], definition)
        _ring(axes, group_labels.printed_row(view, arm), looks[arm.name])
    style.root_scale(axes)
    axes.set(xlabel="variance between groups, percent squared", ylabel="recall, %")
    style.key(figure, axes)
    means = [
        f"{arm.name} {100 * read['recall'].value:.1f} % and {1e4 * read['variance'].value:.2f}"
        for arm in arms
        for read in [operating_points.reading(view.outcomes, arm, definition).of]
    ]
    rings = "Rings in magenta: published values. " if group_labels.said_of_print(view) else ""
    return Illustration(
        name="tradeoff",
        title="Recall against variance",
        caption=(
            "Recall against the variance between the groups' recalls; up and to the left is "
            "better. The horizontal axis has a square-root scale. Small marks: single runs, with "
            "the variance between that run's groups; large marks: the arm over all its runs, "
            f"{definition}, with {INTERVALS}. The variance of "
            "run-averaged recalls is smaller than the mean of the runs' variances, because "
            f"differences between runs cancel. {rings}{view.said_of_runs()} "
            f"{view.said_of_test()} {view.said_of_data()}"
        ),
        alt=f"Scatter plot of recall against variance, one mark per arm: {'; '.join(means)}.",
        figure=figure,
    )


def _ring(axes: Axes, printed: PublishedRow | None, look: Look) -> None:
    """Draw a published row as an open mark."""
    if printed is not None and printed.recall is not None and printed.variance is not None:
        axes.plot(
            printed.variance,
            printed.recall,
            look.marker,
            mfc="none",
            mec=style.PRINT,
            ms=7,
            mew=1.3,
        )


def _tradeoff_of(axes: Axes, view: StudyView, arm: Arm, look: Look, definition: Definition) -> None:
    runs = [
        arm_differences.run_values(arm, quantity, definition)[:MOST_RUNS]
        for quantity in ("variance", "recall")
    ]
    axes.plot(1e4 * runs[0], 100 * runs[1], look.marker, color=look.colour, ms=3, alpha=0.55, mew=0)
    read = operating_points.reading(view.outcomes, arm, definition).of
    x, y = (unit * read[q].value for q, unit in (("variance", 1e4), ("recall", 1e2)))
    axes.errorbar(
        x,
        y,
        xerr=_bar(read["variance"], 1e4),
        yerr=_bar(read["recall"], 1e2),
        color=look.colour,
        marker=look.marker,
        ms=7,
        mec="white",
        mew=0.7,
        lw=1,
        linestyle="none",
        label=arm.name,
    )


def _bar(estimate: Estimate, unit: float) -> Floats | None:
    if np.isnan(estimate.interval.low):
        return None
    return np.abs(unit * (np.array(estimate.interval) - estimate.value))[:, None]


def against_false_alarms(view: StudyView) -> Illustration | None:
    """Recall of each group against false-positive rate, arm by arm."""
    arms = [a for a in view.arms if a.scores is not None and a.scores.nonfaces.shape[1]]
    if not arms:
        return None
    columns = min(len(arms), 2 if len(arms) <= FEW_ARMS else 3)
    rows = -(-len(arms) // columns)
    figure, axes = style.canvas(rows, columns, height=0.5 + 2.1 * rows)
    for part, arm in zip(axes, arms, strict=False):
        _curves_of(part, arm, letters=66 // columns)
    for place, part in enumerate(axes):
        if place % columns == 0:
            part.set_ylabel("recall, %")
        if place + columns >= len(arms):
            part.set_xlabel("false-positive rate, %")
        if place >= len(arms):
            part.remove()
    style.key(figure, max(axes[: len(arms)], key=lambda part: len(part.lines)))
    few = max(len(arm.groups) for arm in arms) <= FEW
    bands = "bands: from the lowest run to the highest; " if few else ""
    return Illustration(
        name="false_alarms",
        title="Recall against false-positive rate",
        caption=(
            "Recall of each group against the expected proportion of new photographs without a "
            "face in which any window is classified as a face: k / (N + 1) for the threshold at "
            "the k-th largest logit of N photographs; logarithmic axis. Lines: "
            f"mean over the runs at equal false-positive rates; {bands}dots: mean of the runs at "
            "logit 0, the papers' threshold. A detector that says face more often moves along its "
            "line without becoming fairer. "
            f"{view.said_of_runs()} {view.said_of_test()} {view.said_of_data()}"
        ),
        alt=(
            f"{len(arms)} line plots of recall against false-positive rate, one line per group."
            f"{_at_a_tenth(arms)}"
        ),
        figure=figure,
    )


def _curves_of(axes: Axes, arm: Arm, *, letters: int) -> None:
    rates, runs = thresholds.curves(arm)
    shown = rates > 0
    looks = style.group_looks(arm.groups)
    width = 1.4 if len(looks) <= FEW else 0.9
    for k, (name, look) in enumerate(looks.items()):
        x, mean = 100 * rates[shown], 100 * runs.mean(axis=0)[shown, k]
        axes.step(
            x,
            mean,
            where="post",
            color=look.colour,
            linestyle=look.line,
            label=style.spoken(name),
            lw=width,
        )
        if len(looks) <= FEW:
            low, high = (100 * end(runs, axis=0)[shown, k] for end in (np.min, np.max))
            axes.fill_between(x, low, high, step="post", color=look.colour, alpha=0.1, lw=0)
        if arm.false_positive_rate is not None:
            at = 100 * arm.false_positive_rate.mean()
            axes.plot(at, 100 * arm.recall[:, k].mean(), look.marker, color=look.colour, ms=3.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(PercentFormatter(decimals=None, symbol=""))
    style.head(axes, style.shortened(arm.name, letters))
    axes.set(ylim=(-2, 102))


def _at_a_tenth(arms: list[Arm]) -> str:
    """The groups' recalls at 10 % false positives, of the arms with enough photographs for it."""
    told = []
    for arm in arms:
        if thresholds.can_read(arm, TENTH):
            place = operating.rank(TENTH, thresholds.nonfaces(arm))
            _, runs = thresholds.curves(arm)
            told.append(f"{arm.name} {span(100 * runs.mean(axis=0)[place], 0)} %")
    return f" At 10 % false positives the groups' recalls are: {'; '.join(told)}." if told else ""
