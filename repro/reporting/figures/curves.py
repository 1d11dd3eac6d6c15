"""Curves over the epochs: loss, validation accuracy, effective sample size."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from repro.analysis.object_cache import cached_by_owner
from repro.records.records import BriefRecord
from repro.reporting.figures import log_axes, style
from repro.reporting.figures.illustration import Illustration
from repro.reporting.figures.study_view import MOST_RUNS, StudyView, listed

WIDE = 20.0  # ratio of the largest to the smallest value above which an axis is logarithmic
CURVES = {"train_loss", "val_accuracy"}  # of a history
RANGE = "Thick lines: median over the runs; thin lines: every run."


def training(view: StudyView) -> Illustration | None:
    """Loss and validation accuracy over the epochs, each objective on its own scale."""
    frame = _history(view)
    if frame.empty:
        return None
    objectives = list(dict.fromkeys(frame["objective"]))
    figure, axes = style.canvas(1, len(objectives) + 1, height=2.9)
    cuts = []
    for part, objective in zip(axes, objectives, strict=False):
        shown = frame[frame["objective"] == objective]
        _lines(part, shown, "train_loss", view)
        style.head(part, objective)
        part.set(ylabel="training loss per image", xlabel="epoch")
        cuts.append(_scale(part, shown, "train_loss"))
    accuracy = axes[-1]
    _lines(accuracy, frame.assign(percent=100 * frame["val_accuracy"]), "percent", view)
    style.head(accuracy, "Held-out images")
    accuracy.set(ylabel="validation accuracy, %", xlabel="epoch")
    style.key(figure, accuracy)
    ends = _at_the_end(frame, "val_accuracy")
    return Illustration(
        name="training",
        title="Loss and validation accuracy",
        sources="Figure 2 of de Haan et al. (2020) and figure 3 of Amini, Soleimany et al. (2019)",
        caption=(
            f"Training loss per image and validation accuracy after each epoch. {RANGE} Losses "
            "with a summed and with an averaged reconstruction error differ by a factor of up to "
            "12,288 (the values of an image) and have separate axes, logarithmic if the values "
            f"differ more than {WIDE:.0f}-fold. {''.join(cuts)}{view.said_of_training()} "
            f"{view.said_of_data()}"
        ),
        alt=(
            f"{len(axes)} line plots over the epochs: training loss for "
            f"{listed([o.lower() for o in objectives])}, and validation accuracy. Median accuracy "
            f"after the last epoch: {'; '.join(f'{a} {v:.1f} %' for a, v in ends.items())}."
        ),
        figure=figure,
    )


def draws(view: StudyView) -> Illustration | None:
    """Effective number of faces under resampling, by epoch."""
    frame = _history(view)
    if "ess_share" not in frame or not (frame["ess_share"] < 1).any():
        return None
    figure, (axes,) = style.canvas(1, 1, height=3.0)
    percents = frame.assign(percent=100 * frame["ess_share"])
    _lines(axes, percents, "percent", view)
    axes.set(xlabel="epoch", ylabel="effective sample size, % of faces")
    _scale(axes, percents, "percent")
    style.key(figure, axes)
    ends = _at_the_end(frame, "ess_share")
    return Illustration(
        name="effective_sample_size",
        title="Effective sample size",
        caption=(
            "Effective sample size of each epoch's sampling, 1 divided by the sum of the squared "
            "probabilities, as a percentage of the training faces: at 100 % every face is sampled "
            f"equally often. {RANGE} {view.said_of_weights()}{_failures(view)}"
            f"{view.said_of_training()} "
            f"{view.said_of_data()}"
        ),
        alt=(
            "Line plot of effective sample size over the epochs, one line per arm. Median in the "
            f"last epoch: {'; '.join(f'{arm} {value:.3g} %' for arm, value in ends.items())}."
        ),
        figure=figure,
    )


@cached_by_owner()
def _history(view: StudyView) -> pd.DataFrame:
    """A row for each epoch of each run of the arms that are shown, if it has both curves."""
    parts = [
        pd.DataFrame(history).assign(arm=arm, seed=record.seed, objective=_objective(record))
        for arm, runs in view.runs.items()
        for record in runs
        if (history := view.whole(record).history) and all(row.keys() >= CURVES for row in history)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _objective(record: BriefRecord) -> str:
    """The name of the loss, as far as it determines the scale."""
    if record.configuration.get("model") == "classifier":
        return "Classification alone"
    reduction = record.configuration.get("reconstruction", {}).get("reduction", "unknown")
    return f"Reconstruction error, {reduction}"


def _lines(axes: Axes, frame: pd.DataFrame, column: str, view: StudyView) -> None:
    """A thin line for each run and a thick line for each arm's median."""
    looks = view.looks
    for arm, runs in frame.groupby("arm", sort=False):
        look = looks[str(arm)]
        for _, run in list(runs.groupby("seed", sort=False))[:MOST_RUNS]:
            axes.plot(run["epoch"], run[column], color=look.colour, lw=0.6, alpha=0.45)
        median = runs.groupby("epoch")[column].median()
        axes.plot(median, color=look.colour, linestyle=look.line, lw=2, label=str(arm))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _at_the_end(frame: pd.DataFrame, column: str) -> "pd.Series[float]":
    """Percent in the last epoch of the runs, the median for each arm."""
    last = frame.groupby(["arm", "seed"], sort=False).tail(1)
    return 100 * last.groupby("arm", sort=False)[column].median()


def _scale(axes: Axes, frame: pd.DataFrame, column: str) -> str:
    """Make a wide axis logarithmic; return what the caption says of values above it."""
    values = frame[column]
    if values.min() <= 0 or values.max() / values.min() <= WIDE:
        return ""
    medians = frame.groupby(["arm", "epoch"], sort=False)[column].median()
    return log_axes.vertical(axes, values.to_numpy(), always=1.3 * float(medians.max()))


def _failures(view: StudyView) -> str:
    failed = [arm.name for arm in view.outcomes.arms if arm.failed]
    return f"Runs that failed have no line ({listed(failed)}). " if failed else ""
