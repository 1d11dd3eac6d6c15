"""``repro run``: execute the runs of a study that have no record, and print its table."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

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
    from repro.cli.page_drawing import Drawing
    from repro.execution.executors.executor_registry import executor_at
    from repro.records.mlflow import mirror_process
    from repro.reporting.terminal import progress, run_log

    shown = progress.Quiet() if quiet else progress.on_this_terminal()
    written = run_log.Log(log, warn=shown.warn) if log else progress.Display()
    display = progress.Together(shown, written)

    with (
        written,
        mirror_process.Scribe(results, warn=display.warn) as mirror,
        Drawing(resolved, results) as drawing,
    ):
        variant = ", ".join([resolved.profile, *resolved.overrides])
        written.remark(f"{resolved.name} ({variant}), results in {results}")
        with (
            executor_at(place, resolved.resources, remark=display.remark) as executor,
            shown,  # ends before the executor: no bar is shown while workers end
        ):
            if not (results / "runs").exists():  # then all runs are missing, whatever a plan says
                executor.warm(len(resolved.arms) * resolved.replicates)
            from repro.execution import until_answered as rule  # and scipy, while workers load

            index = rule.execute(
                resolved,
                results,
                executor=executor,
                on_event=drawing.watching(display.on_event),
                mirror=mirror,
                retry_lost=retry_lost,
                checkpoint_seconds=checkpoint_seconds,
                kernels=place.kernels,
            )
        if not no_detectors:
            from repro.execution import reference_detectors

            index = reference_detectors.beside(
                resolved, index, results, warn=display.warn, kernels=place.kernels
            )
        _print_table(index, results, mirror, drawing, warn=display.warn)
    if set_to and not quiet:
        not_followed(index.address)


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

    view = exhibits.without_pictures(index, results)
    say(exhibits.conclusion(view))
    if mirror.wants_page(index):
        text, files = drawing.page(
            view, lambda: tables.parts(view.outcomes, style="full"), warn=warn
        )
        mirror.finish(index, text, files=files)
    if failure := run_notes.of_no_numbers(view.outcomes):
        raise ReproError(failure)
