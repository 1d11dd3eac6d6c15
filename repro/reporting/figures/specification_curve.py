"""The specification curve as a figure: arms by variance, and what each changes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from repro.analysis import operating_points, portrait_clusters
from repro.analysis.operating_points import Estimate
from repro.analysis.outcomes import Arm, Outcomes
from repro.reporting.figures import group_labels, style
from repro.reporting.figures.illustration import Illustration
from repro.reporting.figures.study_view import MOST_ARMS, StudyView, listed
from repro.reporting.figures.style import Look
from repro.reporting.tables import specification_curve
from repro.reporting.tables.cell import DASH
from repro.reporting.tables.specification_curve import Curve, Specification
from repro.stats.disparity import Definition

NAME = 28  # letters of an arm's name
ROW, COLUMN, WIDEST = 0.2, 0.15, 0.22  # inches for each arm, and for each choice
_LOOKS = {
    "yes": Look("#00558b", "o", "-"),
    "no": Look("#933b00", "s", "-"),
    "cannot tell": Look("#767676", "D", "-"),
    DASH: Look(style.INK, "v", "-"),
}
_TOLD = {
    "yes": "variance below no debias",
    "no": "above",
    "cannot tell": "cannot tell",
    DASH: "without a counterpart",
}
_UNITS = {"recall": 1e2, "variance": 1e4}


def curve(view: StudyView) -> Illustration | None:
    """Recall and variance of every arm with intervals, and the matrix of choices."""
    definition = group_labels.definition(view)
    found = specification_curve.of_outcomes(view.outcomes, definition)
    if found is None:
        return None
    rows, keys = _shown(found), found.keys
    matrix = min(WIDEST * len(keys), max(3.2, COLUMN * len(keys)))
    rest = max(1.1, (style.WIDTH - 1.7 - matrix) / 2)
    figure, axes = style.canvas(
        1, 3, height=2.2 + ROW * len(rows), widths=[rest, rest, matrix], share="row"
    )
    reference = _reference(view, found)
    for part, quantity in zip(axes, _UNITS, strict=False):
        _band(part, view.outcomes, reference, quantity, definition)
        _estimates(part, rows, quantity)
    axes[0].set_xlabel("recall, %")
    style.root_scale(axes[1])
    axes[1].set_xlabel("variance,\npercent squared")
    _matrix(axes[2], rows, keys)
    _names(axes, rows, found.central)
    style.key_above(axes[0])
    return Illustration(
        name="specification",
        title="Specification curve",
        caption=_caption(view, found, reference, definition),
        alt=_alt(found),
        figure=figure,
    )


def _reference(view: StudyView, found: Curve) -> Arm | None:
    """The central arm's partner without resampling, or else the study's reference."""
    central = next(one for one in found.specifications if one.arm is found.central)
    chosen = central.partner or view.outcomes.arm(view.outcomes.reference)
    return chosen if chosen is not None and chosen.runs else None


def _band(
    axes: Axes, outcomes: Outcomes, reference: Arm | None, quantity: str, definition: Definition
) -> None:
    """Draw the reference as a line with its interval."""
    if reference is None:
        return
    estimate = operating_points.reading(outcomes, reference, definition).of[quantity]
    unit = _UNITS[quantity]
    low, high = estimate.interval
    if not np.isnan(low):
        axes.axvspan(unit * low, unit * high, color=style.FAINT, alpha=0.13, lw=0)
    axes.axvline(unit * estimate.value, color=style.FAINT, lw=1, ls="--")


def _estimates(axes: Axes, rows: Sequence[Specification], quantity: str) -> None:
    told = set()
    for place, one in enumerate(rows):
        if one.read is None:
            axes.text(0.5, place, "no numbers", transform=axes.get_yaxis_transform(), **_FAINTLY)
            continue
        look = _LOOKS[one.falls]
        _estimate(axes, place, one.read.of[quantity], _UNITS[quantity], look)
        told.add(one.falls)
    for word, look in _LOOKS.items():
        if word in told:
            axes.plot([], [], look.marker, color=look.colour, ms=4.5, ls="none", label=_TOLD[word])


_FAINTLY: dict[str, Any] = {
    "ha": "center",
    "va": "center",
    "fontsize": style.SMALL,
    "color": style.FAINT,
}


def _estimate(axes: Axes, place: int, found: Estimate, unit: float, look: Look) -> None:
    if np.isnan(found.value):
        return
    value, ends = unit * found.value, unit * np.array(found.interval)
    reach = None if np.isnan(ends).any() else np.abs(ends - value)[:, None]
    axes.errorbar(
        value,
        place,
        xerr=reach,
        color=look.colour,
        marker=look.marker,
        ms=4.5,
        lw=1,
        ls="none",
        clip_on=False,
    )


def _matrix(axes: Axes, rows: Sequence[Specification], keys: Sequence[str]) -> None:
    """Draw a filled mark where an arm differs from the central arm."""
    marks = [(keys.index(key), place) for place, one in enumerate(rows) for key in one.changed]
    across, down = zip(*marks, strict=True)
    axes.plot(across, down, "s", color=style.INK, ms=4.5, ls="none")
    axes.set_xticks(
        range(len(keys)), [specification_curve.spoken(key) for key in keys], rotation=90
    )
    axes.xaxis.tick_top()
    axes.set_xlim(-0.6, len(keys) - 0.4)


def _shown(found: Curve) -> list[Specification]:
    """All, or evenly spaced ones with the central arm, because more cannot be read."""
    rows, last = found.specifications, len(found.specifications) - 1
    kept = set(np.linspace(0, last, min(MOST_ARMS, last + 1)).round().astype(int).tolist())
    return [one for place, one in enumerate(rows) if place in kept or one.arm is found.central]


def _names(axes: Sequence[Axes], rows: Sequence[Specification], middle: Arm) -> None:
    """Write the arms' names on the vertical axis, and highlight the central arm in every panel."""
    arms = [one.arm for one in rows]
    central = arms.index(middle)
    for part in axes:
        part.axhspan(central - 0.5, central + 0.5, color="#f3e9c6", lw=0, zorder=0)
        part.tick_params(axis="y", length=0)
    labels = [style.shortened(arm.name, NAME) for arm in arms]
    labels[central] = f"{labels[central]} ◂"
    axes[0].set_yticks(range(len(arms)), labels)
    axes[0].set_ylim(len(arms) - 0.5, -0.5)
    axes[0].get_yticklabels()[central].set_fontweight("bold")


def _caption(view: StudyView, found: Curve, reference: Arm | None, definition: Definition) -> str:
    rows = found.specifications
    judged = [one for one in rows if one.apart is not None]
    told = [
        f"{len(rows)} specifications, the lowest variance first: recall and variance over all runs "
        f"({definition}) with 95 % intervals for new seeds and new portraits, and the choices in "
        f"which each differs from the central arm, {found.central.name} (set off)."
        f"{portrait_clusters.in_caption(view.outcomes)}"
    ]
    if len(rows) > MOST_ARMS:
        told.append(
            f"Shown: {MOST_ARMS} of them, evenly spaced, and the central arm; all are in the table."
        )
    if judged:
        counts = ", ".join(
            f"{sum(one.falls == word for one in judged)} {word}"
            for word in ("yes", "no", "cannot tell")
        )
        told.append(
            f"Colours: whether the variance of the {len(judged)} that have a counterpart without "
            f"resampling (no debias) is below the counterpart's, paired by seed: {counts}; not "
            "adjusted for their number."
        )
    if reference is not None:
        told.append(f"Broken line and band: {reference.name}.")
    told.append("The axis of variance has a square-root scale.")
    shared_runs = [one.arm.name for one in rows if one.same_runs_as]
    if shared_runs:
        told.append(f"The same runs as another arm, but ranked differently: {listed(shared_runs)}.")
    return " ".join([*told, view.said_of_runs(), view.said_of_data()])


def _alt(found: Curve) -> str:
    known = [one for one in found.specifications if one.read is not None]
    if not known:
        return f"{len(found.specifications)} specifications, none with results."
    ends = [
        f"{one.arm.name} with {1e4 * one.read.of['variance'].value:.2f}"
        for one in (known[0], known[-1])
        if one.read is not None
    ]
    return (
        f"Dot plots of recall and variance of {len(found.specifications)} specifications, from "
        f"{' to '.join(ends)} percent squared, beside a matrix of {len(found.keys)} choices."
    )
