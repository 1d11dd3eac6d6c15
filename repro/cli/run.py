"""``repro run``: execute the runs of a study that have no record, and print its table."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from repro.cli import options
from repro.cli.shared import load, not_followed
from repro.errors import ReproError
from repro.execution.executors.executor_options import Place
from repro.system import count_progress
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.cli.page_drawing import Drawing
    from repro.records.mlflow.mirror_process import Scribe
    from repro.records.records import StudyIndex
    from repro.reporting.terminal.progress import Display
    from repro.study.study import Study


@click.command()
@options.study_file
@options.variant
@options.places
@click.option(
    "--checkpoint-seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Minimum time between two checkpoints of a run; 0 keeps one after every epoch.",
)
@click.option(
    "--until-answered",
    is_flag=True,
    help="Add seeds in blocks until the study's primary claim is decided, as 'stop' in a study.",
)
@click.option(
    "--at-most",
    type=click.IntRange(min=2, max=10_000),
    metavar="N",
    help="Seeds of each arm at which --until-answered ends undecided [default: the study's, or "
    "eight times its replicates].",
)
@click.option(
    "--retry-lost",
    is_flag=True,
    help="Try runs again whose worker died three times before, and those that depend on them.",
)
@click.option(
    "--quiet", "-q", is_flag=True, help="Show no progress, only the table, warnings and errors."
)
@click.option(
    "--log",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Append what happens to FILE, a line with its time for each event.",
)
@click.option(
    "--allow-doubles",
    is_flag=True,
    help="Continue with pictures that are duplicated in the data, or in training and test; tables "
    "report it.",
)
@click.option(
    "--no-detectors",
    is_flag=True,
    help="Do not score OpenCV's Haar cascade, dlib's HOG and MTCNN, as is done on published sets "
    "of faces if they are installed.",
)
def run(
    study: str,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    place: Place,
    checkpoint_seconds: float,
    until_answered: bool,
    at_most: int | None,
    retry_lost: bool,
    quiet: bool,
    log: Path | None,
    allow_doubles: bool,
    no_detectors: bool,
) -> None:
    """Execute every run of STUDY that has no record yet, then print its table.

    A run that starts from another arm's run of the same seed ('of' in the study) waits for it, and
    fails with it. The exit status is 1 if all its runs have failed.
    STUDY is a file, or a name: ./NAME.yaml, ./studies/NAME.yaml or the shipped study.
    """
    if quiet:
        click.get_current_context().with_resource(count_progress.hidden())
    set_to = os.environ.get("MLFLOW_TRACKING_URI")
    resolved = load(study, profile, overrides, quiet=quiet)
    if allow_doubles:
        resolved = _allowing_doubles(resolved)
    if until_answered or at_most is not None:
        resolved = _until_answered(resolved, at_most, asked=until_answered)
    how = _How(place, checkpoint_seconds, retry_lost, scores_detectors=not no_detectors)
    address = _run_and_print(resolved, results, how, quiet=quiet, log=log)
    if set_to and not quiet:
        not_followed(address)


class _How(NamedTuple):
    """How runs are executed, as the options say."""

    place: Place
    checkpoint_seconds: float
    retry_lost: bool
    scores_detectors: bool


def _run_and_print(
    study: "Study", results: Path, how: _How, *, quiet: bool, log: Path | None
) -> str:
    """Execute the runs and print the table; the address of the study."""
    from repro.cli.page_drawing import Drawing
    from repro.execution import stackable
    from repro.records.mlflow import mirror_process
    from repro.reporting.terminal import progress, run_log

    stackable.refuse(study, how.place)
    shown = progress.Quiet() if quiet else progress.on_this_terminal()
    written = run_log.Log(log, warn=shown.warn) if log else progress.Display()
    display = progress.Together(shown, written)
    with (
        written,
        mirror_process.Scribe(results, warn=display.warn) as mirror,
        Drawing(study, results) as drawing,
    ):
        variant = ", ".join([study.profile, *study.overrides])
        written.remark(f"{study.name} ({variant}), results in {results}")
        index = _executed(study, results, how, display, shown, mirror, drawing)
        if how.scores_detectors:
            from repro.execution import reference_detectors

            index = reference_detectors.beside(
                study, index, results, warn=display.warn, kernels=how.place.kernels
            )
        _print_table(index, results, mirror, drawing, warn=display.warn)
    return index.address


def _executed(
    study: "Study",
    results: Path,
    how: _How,
    display: "Display",
    shown: "Display",
    mirror: "Scribe",
    drawing: "Drawing",
) -> "StudyIndex":
    """Execute the runs that have no record.

    Args:
        study: Resolved.
        results: The results folder.
        how: As the options say.
        display: Told of everything that happens.
        shown: The part of it that is on the screen meanwhile.
        mirror: Given every run that ended.
        drawing: Of the study's page, which begins when runs have ended.
    """
    from repro.execution.executors.executor_registry import executor_at

    with (
        executor_at(how.place, study.resources, remark=display.remark) as executor,
        shown,  # ends before the executor: no bar is shown while workers end
    ):
        if not (results / "runs").exists():  # then all runs are missing, whatever a plan says
            executor.warm(len(study.arms) * study.replicates)
        from repro.execution import until_answered as rule  # and scipy, while workers load

        return rule.execute(
            study,
            results,
            executor=executor,
            on_event=drawing.watching(display.on_event),
            mirror=mirror,
            retry_lost=how.retry_lost,
            checkpoint_seconds=how.checkpoint_seconds,
            asked=how.place.asked,
        )


def _until_answered(study: "Study", at_most: int | None, *, asked: bool) -> "Study":
    if not asked:
        raise click.UsageError("--at-most is for --until-answered: add it")
    from repro.execution import until_answered

    return until_answered.with_rule(study, at_most)


def _allowing_doubles(study: "Study") -> "Study":
    """With ``data.doubles: allow`` in every arm; the names of the runs do not change."""
    arms = (replace(arm, configuration=arm.configuration.allowing_doubles()) for arm in study.arms)
    return replace(study, arms=tuple(arms))


def _print_table(
    index: "StudyIndex",
    results: Path,
    mirror: "Scribe",
    drawing: "Drawing",
    *,
    warn: Callable[[str], None],
) -> None:
    """Print a study's results, and show them in MLflow; an error if no run has numbers."""
    from repro.cli import exhibits
    from repro.reporting.tables import run_notes, tables
    from repro.reporting.tables.terminal_table import Screen

    view = exhibits.without_pictures(index, results)
    on_terminal = sys.stdout.isatty()
    say(exhibits.conclusion(view), coloured=on_terminal and Screen.here().colours)
    if mirror.wants_page(index):
        text, files = drawing.page(
            view, lambda: tables.parts(view.outcomes, style="full"), warn=warn
        )
        mirror.finish(index, text, files=files)
    if failure := run_notes.of_no_numbers(view.outcomes):
        raise ReproError(failure)
