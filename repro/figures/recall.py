"""What detectors find: recall of each group, against variance, against false alarms."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from repro import contrasts, readings, verdicts
from repro.figures import style
from repro.figures.illustration import Illustration
from repro.figures.material import Material, span
from repro.figures.style import Look
from repro.outcomes import Arm
from repro.published import PublishedRow
from repro.readings import Estimate
from repro.stats import intervals
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import Floats

OVERALL, POOLED = "all portraits", DEFINITIONS["dehaan2020"]
BOOTSTRAP = "95 % intervals for new seeds and new portraits (two-way bootstrap, Student's quantile)"


def by_group(material: Material) -> Illustration | None:
    """Recall of each group and of all portraits, arm by arm, with every run."""
    arms = material.arms
    if not arms:
        return None
    groups = arms[0].groups
    figure, (axes,) = style.canvas(1, 1, height=3.4)
    looks = {**style.group_looks(groups), OVERALL: style.OVERALL}
    width = 0.8 / len(looks)
    for place, arm in enumerate(arms):
        printed = _printed_recalls(material, arm)
        for slot, (name, look) in enumerate(looks.items()):
            x = place + (slot - (len(looks) - 1) / 2) * width
            values, estimate = _values(arm, name)
            _marks(
                axes, x, values, estimate, look, label=style.spoken(name) if place == 0 else None
            )
            if name in printed:
                axes.plot(x + 0.3 * width, printed[name], "_", color=style.PRINT, ms=9, mew=1.6)
    axes.set_xticks(range(len(arms)), [arm.name for arm in arms])
    axes.grid(axis="x", visible=False)
    axes.set(ylabel="recall, %")
    style.key(figure, axes)
    return Illustration(
        name="recall",
        title="Recall of each group",
        sources="Figure 5 of de Haan et al. (2020) and figure 5B of Amini, Soleimany et al. (2019)",
        caption=(
            "Share of the portraits in which some window has a logit of 0 or more. Dots: single "
            f"runs; large marks: their mean; bars: {_bars(arms)}. {_said_of_print(material)}"
            f"{material.said_of_runs()} {material.said_of_test()} {material.said_of_data()}"
        ),
        alt=f"Dot plot of recall in percent. {_spoken(arms)}",
        figure=figure,
    )


def _values(arm: Arm, name: str) -> tuple[Floats, Estimate]:
    """Recall of each run and what they come to, of a group or of all portraits."""
    if name == OVERALL:
        values = arm.run_recall(POOLED)
        found = readings.reading(arm, POOLED).of["recall"]
        if np.isnan(found.interval.low):
            found = Estimate(float(values.mean()), intervals.t_interval(values))
        return values, found
    k = arm.groups.index(name)
    found = readings.group_estimates(arm)[k]
    if np.isnan(found.interval.low):
        size = int(arm.sizes[k])
        found = Estimate(found.value, intervals.wilson(found.value * size, size))
    return arm.recall[:, k], found


def _bars(arms: list[Arm]) -> str:
    if all(arm.scores is not None and arm.runs > 1 for arm in arms):
        return BOOTSTRAP
    return (
        "95 % intervals: Wilson's for groups, for as many portraits; Student's over the runs for "
        "all portraits"
    )


def _marks(
    axes: Axes, x: float, values: Floats, estimate: Estimate, look: Look, *, label: str | None
) -> None:
    """Every run as a dot, the mean with its interval beside them."""
    beside = np.full(len(values), x - 0.05)
    axes.plot(beside, 100 * values, look.marker, color=look.colour, ms=2.4, alpha=0.7, mew=0)
    ends = 100 * np.array(estimate.interval)
    value = 100 * estimate.value
    known = not np.isnan(ends).any()
    axes.errorbar(
        x,
        value,
        yerr=np.abs(ends - value)[:, None] if known else None,
        color=look.colour,
        marker=look.marker,
        ms=5,
        mec="white",
        mew=0.6,
        lw=1.3,
        linestyle="none",
        label=label,
    )


def _spoken(arms: list[Arm]) -> str:
    told = []
    for arm in arms:
        means = 100 * arm.recall.mean(axis=0)
        each = ", ".join(f"{g} {m:.1f}" for g, m in zip(arm.groups, means, strict=True))
        told.append(f"{arm.name}: {each}")
    return f"Means over the runs: {'; '.join(told)}."


def _printed(material: Material, arm: Arm) -> PublishedRow | None:
    """The printed row of an arm, where data are of the kind that print is about."""
    outcomes = material.outcomes
    if outcomes.published is None or outcomes.synthetic:
        return None
    return next((row for row in outcomes.published.rows if row.arm == arm.name), None)


def _printed_recalls(material: Material, arm: Arm) -> dict[str, float]:
    """In percent, of each group and pooled over the portraits, as far as print says so."""
    row, published = _printed(material, arm), material.outcomes.published
    if row is None or published is None:
        return {}
    pooled = verdicts.restated(row, published, POOLED)["recall"]
    return (row.groups or {}) | ({} if pooled is None else {OVERALL: pooled})


def _said_of_print(material: Material) -> str:
    published = material.outcomes.published
    if published is None or material.outcomes.synthetic:
        return ""
    return f"Bars in magenta: {published.source}, {published.printed}. "


def tradeoff(material: Material) -> Illustration | None:
    """Recall against the variance between groups: every run, and each arm."""
    arms = material.arms
    if not arms:
        return None
    definition = _definition(material)
    figure, (axes,) = style.canvas(1, 1, height=3.4)
    looks = material.looks
    for arm in arms:
        _tradeoff_of(axes, arm, looks[arm.name], definition)
        _ring(axes, _printed(material, arm), looks[arm.name])
    axes.set_xscale("function", functions=(_root, np.square))
    axes.set(xlabel="variance between groups, percent squared", ylabel="recall, %")
    axes.set_xlim(left=0)
    style.key(figure, axes)
    means = [
        f"{arm.name} {100 * read['recall'].value:.1f} % and {1e4 * read['variance'].value:.2f}"
        for arm in arms
        for read in [readings.reading(arm, definition).of]
    ]
    rings = "Rings in magenta: print. " if _said_of_print(material) else ""
    return Illustration(
        name="tradeoff",
        title="Recall against variance",
        caption=(
            "Recall against the variance between the groups' recalls; up and to the left is "
            "better. The horizontal axis is stretched by the root. Small marks: single runs, the "
            "variance between that run's own groups; large marks: the arm over all its runs, "
            f"{definition}, with {BOOTSTRAP}. The variance of "
            "run-averaged recalls is smaller than the runs' own on average, because differences "
            f"between runs cancel. {rings}{material.said_of_runs()} {material.said_of_test()} "
            f"{material.said_of_data()}"
        ),
        alt=f"Scatter plot of recall against variance, an arm a mark: {'; '.join(means)}.",
        figure=figure,
    )


def _ring(axes: Axes, printed: PublishedRow | None, look: Look) -> None:
    """A printed row as an open mark."""
    if printed is not None:
        axes.plot(
            printed.variance,
            printed.recall,
            look.marker,
            mfc="none",
            mec=style.PRINT,
            ms=7,
            mew=1.3,
        )


def _root(values: Floats) -> Floats:
    return np.sqrt(np.maximum(values, 0))


def _definition(material: Material) -> Definition:
    published = material.outcomes.published
    return DEFINITIONS[published.definition if published else "dehaan2020"]


def _tradeoff_of(axes: Axes, arm: Arm, look: Look, definition: Definition) -> None:
    runs = [contrasts.run_values(arm, quantity, definition) for quantity in ("variance", "recall")]
    axes.plot(1e4 * runs[0], 100 * runs[1], look.marker, color=look.colour, ms=3, alpha=0.55, mew=0)
    read = readings.reading(arm, definition).of
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


def against_false_alarms(material: Material) -> Illustration | None:
    """Recall of each group against false-positive rate, arm by arm."""
    arms = [a for a in material.arms if a.scores is not None and a.scores.nonfaces.shape[1]]
    if not arms:
        return None
    columns = 2 if len(arms) in (2, 4) else min(3, len(arms))
    rows = -(-len(arms) // columns)
    figure, axes = style.canvas(rows, columns, height=0.5 + 2.1 * rows)
    for part, arm in zip(axes, arms, strict=False):
        _curves_of(part, arm)
    for place, part in enumerate(axes):
        if place % columns == 0:
            part.set_ylabel("recall, %")
        if place + columns >= len(arms):
            part.set_xlabel("false-positive rate, %")
        if place >= len(arms):
            part.remove()
    style.key(figure, axes[0])
    return Illustration(
        name="false_alarms",
        title="Recall against false alarms",
        caption=(
            "Recall of each group against the share of photographs without a face in which some "
            "window says face, as the threshold falls; logarithmic. Lines: mean over the runs at "
            "equal false-positive rates; bands: from the least run to the greatest; dots: where "
            "logit 0, the papers' threshold, puts the runs on average. A detector that says yes "
            "more often moves along its line without becoming fairer. "
            f"{material.said_of_runs()} {material.said_of_test()} {material.said_of_data()}"
        ),
        alt=(
            f"{len(arms)} line plots of recall against false-positive rate, a line a group. At "
            f"10 % false alarms the groups' recalls are: {'; '.join(map(_at_a_tenth, arms))}."
        ),
        figure=figure,
    )


def _curves_of(axes: Axes, arm: Arm) -> None:
    rates, runs = readings.curves(arm)
    shown = rates > 0
    looks = style.group_looks(arm.groups)
    for k, (name, look) in enumerate(looks.items()):
        x, mean = 100 * rates[shown], 100 * runs.mean(axis=0)[shown, k]
        axes.step(
            x, mean, where="post", color=look.colour, linestyle=look.line, label=style.spoken(name)
        )
        low, high = (100 * end(runs, axis=0)[shown, k] for end in (np.min, np.max))
        axes.fill_between(x, low, high, step="post", color=look.colour, alpha=0.1, lw=0)
        if arm.false_positive_rate is not None:
            at = 100 * arm.false_positive_rate.mean()
            axes.plot(at, 100 * arm.recall[:, k].mean(), look.marker, color=look.colour, ms=3.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(PercentFormatter(decimals=None, symbol=""))
    style.head(axes, arm.name)
    axes.set(ylim=(-2, 102))


def _at_a_tenth(arm: Arm) -> str:
    rates, runs = readings.curves(arm)
    place = int(np.searchsorted(rates, 0.1 + 1e-9)) - 1
    return f"{arm.name} {span(100 * runs.mean(axis=0)[place], 0)} %"
