"""Figures of a published table: its groups against chance, and its digits against whole counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from scipy import stats

from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.published_table import PublishedTable, Row, Share
from repro.reporting import escaping
from repro.reporting.figures import style
from repro.reporting.figures.illustration import Illustration
from repro.reporting.figures.style import Look
from repro.stats.forensics import Printed

ARM, AXIS = 0.22, 0.9  # inches for each arm, and for axis and legend
NAMES = 34  # letters of an arm's name
MOST_ARMS = 36  # that a figure shows
OUTSIDE = 0.05  # probability that any of an arm's groups lies outside its band by chance
FURTHEST = 6.0  # halves of the last digit that are shown
_RING: dict[str, Any] = {
    **{"marker": "o", "ls": "", "mfc": "none", "mec": style.PRINT, "ms": 9, "mew": 1.3},
    "clip_on": False,
}


@dataclass(frozen=True, slots=True)
class _Arm:
    """The printed shares of one arm, in percent, averaged over its rows; and its band."""

    name: str
    shares: Mapping[str, float]
    band: tuple[float, float]


def figures(table: PublishedTable) -> list[Illustration]:
    """The figures of a table; none without groups whose sizes are known."""
    if len(table.groups) < 2:
        return []
    return [one for one in (against_chance(table), against_counts(table)) if one is not None]


# Chance


def against_chance(table: PublishedTable) -> Illustration | None:
    """Each arm's groups, and where equal groups of these sizes would lie."""
    arms = [arm for key in table.keys if (arm := _arm(table, key)) is not None][:MOST_ARMS]
    if not arms:
        return None
    figure, (axes,) = style.canvas(1, 1, height=AXIS + ARM * len(arms))
    looks = style.group_looks(table.groups)
    for place, arm in enumerate(arms):
        low, high = arm.band
        axes.barh(place, high - low, left=low, height=0.72, color="#e2e2e2", lw=0, zorder=1)
        for group, share in arm.shares.items():
            _point(axes, share, place, looks[group])
    _named(axes, [arm.name for arm in arms])
    axes.set_xlabel(_unit(table))
    _key(axes, table.groups, looks)
    style.key(figure, axes)
    outside = sum(_is_outside(arm) for arm in arms)
    return Illustration(
        name=f"{escaping.anchor(table.title)}-chance",
        title="Groups against chance",
        caption=f"{table.title}: printed share of each group, and (shaded) where all groups of an "
        f"arm would lie with {100 * (1 - OUTSIDE):g} % probability if they had one expected share, "
        "the arm's own, in one run of these numbers of portraits. Averages of several runs that "
        "miss the same portraits vary as much, others less."
        f"{_left_out(table, len(arms))}",
        alt=f"{len(arms)} arms; in {outside} of them a group lies outside the band of chance.",
        figure=figure,
    )


def _arm(table: PublishedTable, key: Key) -> _Arm | None:
    """An arm with all groups and their sizes; else None."""
    rows = [row for row in table.runs_of(key) if not row.failed]
    sizes = table.sizes(rows[0]) if rows else None
    shares: dict[str, float] = {}
    for group in table.groups:
        values = [value for row in rows if (value := _percent(row, group)) is not None]
        if not values or sizes is None:
            return None
        shares[group] = float(np.mean(values))
    assert sizes is not None
    return _Arm(key.name, shares, _band(shares, sizes))


def _percent(row: Row, group: str) -> float | None:
    share = row.groups.get(group)
    if share is None:
        return None
    if share.detected is not None and share.n:
        return 100 * share.detected / share.n
    return None if share.cell is None or share.cell.value is None else float(share.cell.value)


def _band(shares: Mapping[str, float], sizes: Mapping[str, int]) -> tuple[float, float]:
    """Ends of the union of the groups' exact binomial ranges, in percent."""
    whole = sum(sizes.values())
    pooled = sum(shares[group] * n for group, n in sizes.items()) / whole / 100
    tail = OUTSIDE / len(sizes) / 2
    pooled = min(max(pooled, 0.0), 1.0)
    counts = [(stats.binom.ppf([tail, 1 - tail], n, pooled), n) for n in sizes.values()]
    low = min(float(ends[0]) / n for ends, n in counts)
    high = max(float(ends[1]) / n for ends, n in counts)
    return 100 * low, 100 * high


def _is_outside(arm: _Arm) -> bool:
    low, high = arm.band
    return any(not low <= share <= high for share in arm.shares.values())


# Whole counts


def against_counts(table: PublishedTable) -> Illustration | None:
    """Each printed share less the nearest share that whole counts give, in halves of a digit."""
    found = _misfits(table)
    arms = list(dict.fromkeys(name for name, _, _ in found))[:MOST_ARMS]
    if not arms:
        return None
    figure, (axes,) = style.canvas(1, 1, height=AXIS + ARM * len(arms))
    looks = style.group_looks(table.groups)
    axes.axvspan(-1, 1, color="#dcebdc", lw=0, zorder=0)
    for name, group, misfit in found:
        if name in arms:
            shown = max(-FURTHEST, min(float(misfit), FURTHEST))
            _point(axes, shown, arms.index(name), looks[group])
            if abs(misfit) > 1:
                axes.plot([shown], [arms.index(name)], **_RING)
    _named(axes, arms)
    reach = max(2.0, *(min(abs(float(misfit)), FURTHEST) for _, _, misfit in found))
    axes.set_xlim(-1.08 * reach, 1.08 * reach)
    axes.set_xlabel("printed less nearest possible share / half a unit of the last digit")
    _key(axes, table.groups, looks)
    if any(abs(misfit) > 1 for _, _, misfit in found):
        axes.plot([], [], label="no share of n", **_RING)
    style.key(figure, axes)
    outside = sum(abs(misfit) > 1 for _, _, misfit in found)
    return Illustration(
        name=f"{escaping.anchor(table.title)}-counts",
        title="Digits against whole counts",
        caption=f"{table.title}: each printed share less the nearest share of the stated number of "
        "portraits and runs. Within the shaded range it rounds to what is printed; outside, no "
        "whole count gives the printed digits. Shares that every count would fit are left out."
        f"{_left_out(table, len(arms))}",
        alt=f"{len(found)} printed shares; {outside} are no share of the stated number.",
        figure=figure,
    )


def _misfits(table: PublishedTable) -> list[tuple[str, str, Fraction]]:
    """(arm, group, printed less possible in halves) of each share that counts could contradict."""
    said = table.description
    runs = 1 if table.single_runs else said.averaged
    if runs is None or said.average == "median" or said.reading_error:
        return []
    found = []
    for row in table.rows:
        sizes = table.sizes(row) or {}
        for group, share in row.groups.items():
            value = _printed(share)
            if group in sizes and value is not None and runs * sizes[group] < _prints(value):
                name = row.arm.name if row.run is None else f"{row.arm.name}, run {row.run}"
                found.append((name, group, _misfit(value, runs * sizes[group])))
    return found


def _printed(share: Share) -> Printed | None:
    return None if share.cell is None or share.cell.state != "number" else share.cell.value


def _prints(value: Printed) -> int:
    """How many values from 0 to 100 % these decimals can print."""
    return int(10 ** (value.decimals + 2))


def _misfit(value: Printed, trials: int) -> Fraction:
    """The printed value less the nearest share, in halves of its last digit."""
    printed = Fraction(value.value)
    nearest = min(max(round(printed * trials / 100), 0), trials)
    return (printed - Fraction(100 * nearest, trials)) * 2 * int(10**value.decimals)


# Both


def _point(axes: Axes, x: float, place: int, look: Look) -> None:
    how: dict[str, Any] = {"color": look.colour, "ms": 5, "mec": "white", "mew": 0.5, "zorder": 3}
    axes.plot([x], [place], look.marker, ls="", clip_on=False, **how)


def _key(axes: Axes, groups: Sequence[str], looks: Mapping[str, Look]) -> None:
    """Entries of the legend, one a group."""
    for group in groups:
        look = looks[group]
        axes.plot([], [], look.marker, ls="", color=look.colour, label=style.spoken(group))


def _named(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [style.shortened(name, NAMES) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)


def _unit(table: PublishedTable) -> str:
    return "errors, %" if table.description.measure == "error" else "recall or accuracy, %"


def _left_out(table: PublishedTable, shown: int) -> str:
    return f" The first {shown} rows are shown." if shown == MOST_ARMS else ""
