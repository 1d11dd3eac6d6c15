"""Recall against skin tone, a curve for each arm, with the groups beside it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from repro.analysis import operating_points, tone
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import Arm
from repro.analysis.tone import Point, Scale
from repro.reporting.figures import group_labels, style
from repro.reporting.figures.illustration import Illustration
from repro.reporting.figures.study_view import StudyView
from repro.reporting.figures.style import Look
from repro.reporting.tables import tone_table
from repro.stats.clusters import LEAST
from repro.stats.intervals import Floats

MOST_BANDS = 6  # arms up to which intervals are drawn: more bands hide each other
SPREAD = 0.5  # of the least distance of two tones that the marks of all arms take
RUG, STROKES = 0.03, 300  # of the height, for the tones of single portraits; most of them
HEIGHT = 3.4
BESIDE = 0.35  # width of the groups' axes relative to that of the curves, at least


def curves(view: StudyView) -> Illustration | None:
    """Recall at each tone, or a smooth curve, at the papers' threshold."""
    arms = [arm for arm in tone.scaled(view.outcomes) if arm in view.arms]
    if not arms:
        return None
    known = tone.scale(view.outcomes, arms[0])
    assert known is not None
    groups = group_labels.groups_of(arms)
    beside = 1 < len(groups) <= group_labels.FEW
    widths = [1, min(0.8, max(BESIDE, 0.13 * len(groups)))] if beside else None
    figure, axes = style.canvas(1, 1 + beside, height=HEIGHT, widths=widths, share="row")
    for place, arm in enumerate(arms):
        aside = (place - (len(arms) - 1) / 2) / max(len(arms), 1)
        _curve(axes[0], view, arm, aside=aside, bands=len(arms) <= MOST_BANDS)
        if beside:
            _groups(axes[1], view, arm, groups, aside=aside, bars=len(arms) <= MOST_BANDS)
    _label(axes[0], known)
    if beside:
        _label_groups(axes[1], groups)
    style.key(figure, axes[0])
    return Illustration(
        name="tone",
        title="Recall against skin tone",
        caption=_caption(view, known, beside=beside, bands=len(arms) <= MOST_BANDS),
        alt=_spoken(view, arms, beside=beside),
        figure=figure,
    )


def _curve(axes: Axes, view: StudyView, arm: Arm, *, aside: float, bands: bool) -> None:
    known, points = tone.scale(view.outcomes, arm), tone.curve(view.outcomes, arm)
    look = view.looks[arm.name]
    if known is None or not points:
        return
    x = np.array([point.tone for point in points])
    if known.levels is not None:
        turn = -1 if known.rises == "lighter" else 1  # the axis is turned, too
        x = x + turn * aside * SPREAD * float(np.diff(known.levels).min())
        _levels(axes, x, points, look, label=arm.name, bars=bands)
        return
    y = np.array([100 * point.recall.value for point in points])
    axes.plot(x, y, color=look.colour, linestyle=look.line, label=arm.name)
    if bands:
        ends = 100 * np.array([point.recall.interval for point in points])
        axes.fill_between(x, *ends.T, color=look.colour, alpha=0.12, lw=0)
        for end in ends.T:
            axes.plot(x, end, color=look.colour, linestyle=look.line, lw=0.5, alpha=0.7)


def _turned(view: StudyView, arm: Arm) -> bool:
    known = tone.scale(view.outcomes, arm)
    return known is not None and known.rises == "lighter"


def _levels(
    axes: Axes, x: Floats, points: Sequence[Point], look: Look, *, label: str, bars: bool
) -> None:
    y = np.array([100 * point.recall.value for point in points])
    axes.plot(x, y, color=look.colour, linestyle=look.line, lw=0.9, alpha=0.8)
    axes.errorbar(
        x,
        y,
        yerr=_bars([point.recall for point in points]) if bars else None,
        color=look.colour,
        marker=look.marker,
        ms=4.5,
        mec="white",
        mew=0.5,
        lw=1.1,
        linestyle="none",
        label=label,
    )


def _bars(found: Sequence[Estimate]) -> Floats:
    """Distances of the ends in percent, shape (2, points); NaN draws none."""
    ends = np.array([one.interval for one in found])
    apart = ends - np.array([[one.value] for one in found])
    return np.asarray(100 * np.abs(apart).T)


def _groups(
    axes: Axes, view: StudyView, arm: Arm, groups: Sequence[str], *, aside: float, bars: bool
) -> None:
    found = operating_points.group_estimates(view.outcomes, arm)
    look = view.looks[arm.name]
    axes.errorbar(
        [groups.index(group) + SPREAD * aside for group in arm.groups],
        [100 * one.value for one in found],
        yerr=_bars(found) if bars else None,
        color=look.colour,
        marker=look.marker,
        ms=4.5,
        mec="white",
        mew=0.5,
        lw=1.1,
        linestyle="none",
    )


def _label(axes: Axes, known: Scale) -> None:
    """From the lightest tone on the left, with the number of portraits or clusters below it."""
    named = style.shortened(known.column, 30)
    if known.levels is None:
        axes.xaxis.set_major_locator(MaxNLocator(6))
        step = float(np.ptp(known.tones)) / STROKES
        found = np.unique((known.tones / step).round()) * step
        where = axes.get_xaxis_transform()
        axes.vlines(found, 0, RUG, color=style.FAINT, lw=0.4, transform=where)
        counted = ""
    else:
        ticks = [f"{one:.3g}\n{known.at(float(one))[1]:,.0f}" for one in known.levels]
        axes.set_xticks(known.levels, ticks)
        axes.grid(axis="x", visible=False)
        counted = f"\nbelow: {'portraits' if known.cluster is None else 'clusters'}"
    ends = ", from light to dark" if known.rises else ""
    axes.set_xlabel(f"{named}{ends}{counted}")
    axes.set_ylabel("recall, %")
    if known.rises == "lighter":
        axes.invert_xaxis()
    axes.set_ylim(top=min(103.0, axes.get_ylim()[1]))


def _label_groups(axes: Axes, groups: Sequence[str]) -> None:
    names = [style.shortened(style.spoken(group), 22) for group in groups]
    axes.set_xticks(range(len(groups)), names, rotation=90)
    axes.set_xlim(-0.6, len(groups) - 0.4)
    axes.grid(axis="x", visible=False)


def _caption(view: StudyView, known: Scale, *, beside: bool, bands: bool) -> str:
    what = "portraits" if known.cluster is None else f"clusters of equal {view.outcomes.cluster}"
    if known.levels is None:
        drawn = (
            "Lines: a local line with a Gaussian kernel of standard deviation "
            f"{known.bandwidth:.3g}, where at least {LEAST} {what} are near; strokes at the "
            "bottom: tones of single portraits."
        )
        shown = "Bands"
    else:
        drawn = f"Marks: mean over the runs; below each tone the number of {what}."
        shown = "Bars"
    told = f" {shown}: pointwise 95 % intervals for new seeds and new portraits" if bands else ""
    if bands:
        told += "." if known.levels is None else f", where a tone has {LEAST} or more."
    groups = " On the right the recall of each group." if beside else ""
    return (
        f"Recall at {view.outcomes.threshold} {tone_table.between(known)}. {drawn}{told}{groups} "
        f"{view.said_of_runs()} {view.said_of_test()} {view.said_of_data()}"
    )


def _spoken(view: StudyView, arms: Sequence[Arm], *, beside: bool) -> str:
    """The ends of each curve and the change along the straight line."""
    ends: Mapping[str, list[Point]] = {arm.name: tone.curve(view.outcomes, arm) for arm in arms}
    told, turned = [], any(_turned(view, arm) for arm in arms)
    for arm in arms:
        points, slope = ends[arm.name], tone.slope(view.outcomes, arm)
        if points:
            first, last = (points[at] for at in ((-1, 0) if turned else (0, -1)))
            told.append(
                f"{arm.name} {100 * first.recall.value:.1f} % at tone {first.tone:.4g} and "
                f"{100 * last.recall.value:.1f} % at {last.tone:.4g}, change over the scale "
                f"{100 * slope.value:.1f} points"
            )
    groups = ", with the recall of each group beside it" if beside else ""
    return f"Line plot of recall against skin tone{groups}: {'; '.join(told)}."
