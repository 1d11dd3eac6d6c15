"""Latents and resampling: sampling probabilities, posterior collapse, rarity."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator
from scipy.stats import spearmanr

from repro.analysis.samples import Floats, Rarity
from repro.metrics import ACTIVE_VARIANCE
from repro.records.records import BriefRecord
from repro.reporting.figures import log_axes, style
from repro.reporting.figures.illustration import Illustration
from repro.reporting.figures.study_view import MOST_RUNS, StudyView, listed, span
from repro.reporting.figures.style import Look
from repro.stats import intervals

BINS = 60
NARROW = 1e3  # ratio of an axis' ends below which powers of ten give too few ticks
FLOOR = 1e-4  # relative to uniform sampling; faces with less are counted in the first bin


def probabilities(view: StudyView) -> Illustration | None:
    """Sampling probability of each training face after the last epoch's resampling."""
    weights = {arm: runs for arm, runs in view.weights.items() if runs}
    if not weights:
        return None
    figure, (axes,) = style.canvas(1, 1, height=3.0)
    looks = view.looks
    edges = _histograms(axes, weights, looks)
    axes.axvline(1, color=style.FAINT, lw=0.8)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="sampling probability, relative to uniform sampling",
        ylabel="faces, %",
    )
    if edges[-1] / edges[0] < NARROW:
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    log_axes.plain(axes.xaxis)
    log_axes.plain(axes.yaxis)
    style.key(figure, axes)
    highest = [f"{arm} {span([max(r) * len(r) for r in runs], 1)}" for arm, runs in weights.items()]
    return Illustration(
        name="probabilities",
        title="Sampling probabilities of the training faces",
        sources="Figure 3 of de Haan et al. (2020) and figure 4A of Amini, Soleimany et al. (2019)",
        caption=(
            "Distribution of each training face's sampling probability in the last epoch, divided "
            "by that of uniform sampling (vertical line); both axes logarithmic"
            f"{_floor(edges)}. Highest in each arm, over its runs: "
            f"{'; '.join(highest)}. The runs of an arm are pooled. {_faces(weights)} "
            f"{view.said_of_weights()}{view.said_of_training()} {view.said_of_data()}"
        ),
        alt=(
            "Histograms of sampling probability, one line per arm. The most probable face is "
            f"sampled this many times as often as uniformly: {'; '.join(highest)}."
        ),
        figure=figure,
    )


def _histograms(
    axes: Axes, weights: Mapping[str, Sequence[Floats]], looks: Mapping[str, Look]
) -> Floats:
    """Draw one line per arm, over all its runs; return the edges of the bins."""
    multiples = {
        arm: np.concatenate([run * len(run) for run in runs]) for arm, runs in weights.items()
    }
    edges = _edges(np.concatenate(list(multiples.values())))
    for arm, values in multiples.items():
        counts, _ = np.histogram(np.clip(values, edges[0], None), edges)
        look = looks[arm]
        axes.stairs(
            100 * counts / len(values), edges, color=look.colour, ls=look.line, lw=1.4, label=arm
        )
    return edges


def _edges(multiples: Floats) -> Floats:
    """The edges of bins of equal width on a logarithmic axis."""
    low, high = max(float(multiples.min()), FLOOR), float(multiples.max())
    return np.geomspace(low * 0.999, high * 1.001, BINS + 1)


def _floor(edges: Floats) -> str:
    return f"; faces below {FLOOR:g} stand at the left end" if edges[0] < FLOOR else ""


def _faces(weights: Mapping[str, Sequence[Floats]]) -> str:
    counts = sorted({len(run) for runs in weights.values() for run in runs})
    return f"{' or '.join(f'{count:,}' for count in counts)} training faces."


def collapse(view: StudyView) -> Illustration | None:
    """KL of each latent and the number of active latents: whether the posterior has collapsed."""
    runs = {
        arm: [record for record in of_arm if record.kl_per_latent]
        for arm, of_arm in view.runs.items()
    }
    runs = {arm: of_arm for arm, of_arm in runs.items() if of_arm}
    if not runs:
        return None
    figure, (left, right) = style.canvas(1, 2, height=2.9, widths=[3, 2])
    looks = view.looks
    sorted_kl = {arm: _sorted_kl(of_arm) for arm, of_arm in runs.items()}
    for arm, values in sorted_kl.items():
        _kl_of(left, arm, values, looks[arm])
    left.set(xlabel="latent, by falling KL", ylabel="KL to the prior, nats")
    cut = log_axes.vertical(
        left,
        np.concatenate([values.ravel() for values in sorted_kl.values()]),
        always=1.3 * max(float(np.median(values, axis=0).max()) for values in sorted_kl.values()),
    )
    for place, (arm, of_arm) in enumerate(runs.items()):
        _active_of(right, place, of_arm, looks[arm])
    latents = max(len(record.kl_per_latent) for of_arm in runs.values() for record in of_arm)
    right.set(xlabel=f"active units of {latents}", xlim=(-0.03 * latents, 1.03 * latents))
    right.set_yticks(range(len(runs)), list(runs))
    right.invert_yaxis()
    style.key(figure, left)
    active = [f"{arm} {span(_active(of_arm), 0)}" for arm, of_arm in runs.items()]
    return Illustration(
        name="collapse",
        title="Posterior collapse",
        sources="Figures 7 and 8 of de Haan et al. (2020), which show it by example",
        caption=(
            "Left: KL divergence of each latent from its prior on held-out faces, latents sorted "
            "in each run, median over the runs with a band from the lowest to the highest; a "
            "latent without information about the face has a KL near 0. Right: latents whose "
            f"posterior mean varies over held-out faces by more than {ACTIVE_VARIANCE} (active "
            f"units, Burda et al. 2016); dots are runs, bars their mean. {cut}"
            f"{view.said_of_training()} {view.said_of_data()}"
        ),
        alt=(
            "Left, a line plot of KL per latent in falling order, one line per arm. Right, active "
            f"units of {latents}: {'; '.join(active)}."
        ),
        figure=figure,
    )


def _sorted_kl(runs: Sequence[BriefRecord]) -> Floats:
    """Of each run, falling, shape (R, latents); rounding makes some slightly negative."""
    return np.maximum([sorted(record.kl_per_latent, reverse=True) for record in runs], 1e-8)


def _kl_of(axes: Axes, arm: str, values: Floats, look: Look) -> None:
    x = np.arange(1, values.shape[1] + 1)
    axes.plot(x, np.median(values, axis=0), color=look.colour, ls=look.line, label=arm)
    low, high = values.min(axis=0), values.max(axis=0)
    axes.fill_between(x, low, high, color=look.colour, alpha=0.13, lw=0)


def _active(runs: Sequence[BriefRecord]) -> Floats:
    return np.array([record.metrics["val_active_units"] for record in runs])


def _active_of(axes: Axes, place: int, runs: Sequence[BriefRecord], look: Look) -> None:
    values = _active(runs)
    dots = values[:MOST_RUNS]
    heights = place + np.linspace(-0.18, 0.18, len(dots)) if len(dots) > 1 else [place]
    axes.plot(dots, heights, look.marker, color=look.colour, ms=3.5, mew=0)
    axes.plot([values.mean()] * 2, [place - 0.32, place + 0.32], color=look.colour, lw=1.8)


def rarity(view: StudyView) -> Illustration | None:
    """How often faces with each trait are sampled, against the share of faces with the trait."""
    if not view.rarity:
        return None
    levels, shares = _order(view.rarity)
    figure, (axes,) = style.canvas(1, 1, height=0.9 + 0.21 * len(levels))
    looks = view.looks
    width = 0.7 / len(view.rarity)
    for slot, one in enumerate(view.rarity):
        offset = (slot - (len(view.rarity) - 1) / 2) * width
        _multiples_of(axes, one, levels, offset, looks[one.arm])
    axes.axvline(1, color=style.FAINT, lw=0.8)
    names = [f"{name}, {100 * shares[name]:.1f} %" for name in levels]
    axes.set_yticks(range(len(levels)), names)
    axes.set_xlabel("draws of such a face, relative to uniform sampling")
    axes.set_xlim(left=-0.01 * axes.get_xlim()[1])
    axes.grid(axis="y", visible=True)
    axes.set_ylim(len(levels) - 0.4, -0.6)
    style.key(figure, axes)
    ranks = [f"{one.arm} {_rank(one):+.2f}" for one in view.rarity]
    return Illustration(
        name="rarity",
        title="Sampling probability against rarity",
        caption=(
            "The embedded faces are generated from known factors, so the rarity of each trait is "
            "known: its proportion of the training faces is beside its name, the rarest on top. "
            "Marks: sampling probability of a face with the trait in the last epoch, divided by "
            "that of uniform sampling (vertical line), mean over the runs; bars: Student's 95 % "
            "interval for new seeds and the same pictures. Sampling by true rarity would fall from "
            "top to bottom; Spearman's rank correlation of this ratio with the proportion: "
            f"{'; '.join(ranks)}. {view.said_of_weights()}{view.said_of_training()} "
            f"{view.said_of_data()}"
        ),
        alt=(
            "Dot plot: traits by rising proportion, and how often faces with them are sampled. "
            f"{' '.join(_spoken(one) for one in view.rarity)}"
        ),
        figure=figure,
    )


def _order(found: Sequence[Rarity]) -> tuple[list[str], dict[str, float]]:
    """Levels that occur, by increasing share."""
    first = found[0]
    means = dict(zip(first.levels, first.shares.mean(axis=0), strict=True))
    shown = [name for name, share in means.items() if share > 0]
    return sorted(shown, key=lambda name: means[name]), means


def _multiples_of(
    axes: Axes, one: Rarity, levels: Sequence[str], offset: float, look: Look
) -> None:
    label: str | None = one.arm
    for place, name in enumerate(levels):
        values = one.multiples[:, one.levels.index(name)]
        values = values[~np.isnan(values)]
        if not len(values):
            continue
        half = intervals.t_half_width(values)
        axes.errorbar(
            values.mean(),
            place + offset,
            xerr=None if np.isnan(half) else half,
            color=look.colour,
            marker=look.marker,
            ms=3.6,
            lw=0.9,
            linestyle="none",
            label=label,
        )
        label = None


def _rank(one: Rarity) -> float:
    """Rank correlation of multiple and share over levels; -1 if rarer is always drawn more."""
    shown = one.shares.max(axis=0) > 0
    multiples = np.nanmean(one.multiples[:, shown], axis=0)
    return float(spearmanr(one.shares[:, shown].mean(axis=0), multiples)[0])


def _spoken(one: Rarity) -> str:
    shown = np.flatnonzero(one.shares.max(axis=0) > 0)
    means = np.nanmean(one.multiples[:, shown], axis=0)
    told = [f"{one.levels[shown[k]]} {means[k]:.2f}" for k in np.argsort(-means)[:3]]
    return f"{one.arm} draws most often {listed(told)} times."
