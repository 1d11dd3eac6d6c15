"""Commands that execute runs, or say what would: run, plan, verify."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completing, options
from repro.cli.shared import load, printable, warn
from repro.errors import ReproError
from repro.execution.executors.executor_options import Place

if TYPE_CHECKING:
    from repro.records.mlflow.mirror_process import Scribe
    from repro.records.records import StudyIndex
    from repro.records.task import Task
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
    "--retry-lost", is_flag=True, help="Try runs again whose worker died three times before."
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
def run(
    study: str,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    place: Place,
    checkpoint_seconds: float,
    retry_lost: bool,
    quiet: bool,
    log: Path | None,
    allow_doubles: bool,
) -> None:
    """Execute every run of STUDY that has no record yet, then print its table.

    The exit status is 1 if all its runs have failed.
    STUDY is a file, or a name: ./NAME.yaml, ./studies/NAME.yaml or the shipped study.
    """
    resolved = load(study, profile, overrides, quiet=quiet)
    if allow_doubles:
        resolved = _allowing_doubles(resolved)
    from repro.execution import runner
    from repro.execution.executors.registry import executor_at
    from repro.records.mlflow import mirror_process
    from repro.reporting.terminal import progress, run_log

    shown = progress.Quiet() if quiet else progress.on_this_terminal()
    written = run_log.Log(log, warn=shown.warn) if log else progress.Display()
    display = progress.Together(shown, written)

    def say(warning: str) -> None:
        display.warn(printable(warning))

    with written, mirror_process.Scribe(results, warn=say) as mirror:
        variant = ", ".join([resolved.profile, *resolved.overrides])
        written.remark(f"{resolved.name} ({variant}), results in {results}")
        with (
            executor_at(place, resolved.resources, remark=display.remark) as executor,
            shown,  # ends before the executor does: no bar stands there while workers end
        ):
            index = runner.run(
                resolved,
                results,
                executor=executor,
                on_event=display.on_event,
                mirror=mirror,
                retry_lost=retry_lost,
                checkpoint_seconds=checkpoint_seconds,
            )
        _print_table(index, results, mirror, warn=say)


@click.command()
@options.study_file
@options.variant
@options.places
@click.option(
    "--no-calibration",
    is_flag=True,
    help="Do not measure the cost of a run; omits the expected time and memory.",
)
@click.option(
    "--machines",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Number of machines like this one that share the study.",
)
@click.option(
    "--hourly-price",
    type=click.FloatRange(min=0),
    help="Price per hour of one machine, in any currency; gives the cost.",
)
def plan(
    study: str,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    place: Place,
    no_calibration: bool,
    machines: int,
    hourly_price: float | None,
) -> None:
    """List the runs of STUDY, done or to be trained and why, and the time and memory to expect.

    STUDY is a file, or a name: ./NAME.yaml, ./studies/NAME.yaml or the shipped study.
    """
    from repro.execution import runner, staleness
    from repro.execution.executors import hardware
    from repro.execution.executors.registry import executor_at

    resolved = load(study, profile, overrides)
    with executor_at(place, resolved.resources, remark=warn) as executor:
        planned = runner.plan(resolved, results, computation=executor.computation)
    slots = hardware.slots(place.device, place.workers, resolved.resources)
    missing = planned.missing
    ended = [task for task in planned.tasks if task not in missing]
    why = staleness.reasons(missing, planned.index, results) | staleness.earlier(ended)
    for task in planned.tasks:
        state = {"finished": "done", "failed": "failed"}.get(planned.states[task.key], "to run")
        reason = f": {why[task.key]}" if task.key in why else ""
        click.echo(f"{state:7} {task.key} {task.title}{reason}")
    total = len(planned.tasks)
    click.echo(f"{total} runs: {total - len(missing)} have a record, {len(missing)} to run")
    if missing and not no_calibration:
        click.echo(_expected(missing, slots, machines, hourly_price))


@click.command()
@click.argument("study", shell_complete=completing.studies)
@options.variant
@options.places
@click.option(
    "--runs",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Number of runs, spread over the arms: one of each before a second of any.",
)
def verify(
    study: str,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    place: Place,
    runs: int,
) -> None:
    """Train ended runs of STUDY, a name or a file, again, and compare them bit by bit."""
    from repro.cli import resolve
    from repro.execution import verification
    from repro.execution.executors.registry import executor_at
    from repro.study.resources import PLAIN

    index = resolve.one(results, study, profile=profile, overrides=overrides)
    same = total = 0
    with executor_at(place, PLAIN, remark=warn) as executor:
        for comparison in verification.verify(index, results, runs=runs, executor=executor):
            click.echo(comparison)
            same, total = same + (not comparison.differences), total + 1
    click.echo(f"{same} of {total} runs are bit-identical")
    sys.exit(0 if same == total else 1)


def _allowing_doubles(study: "Study") -> "Study":
    """With ``data.doubles: allow`` in every arm; no run has another name for it."""
    arms = (replace(arm, configuration=arm.configuration.allowing_doubles()) for arm in study.arms)
    return replace(study, arms=tuple(arms))


def _print_table(
    index: "StudyIndex", results: Path, mirror: "Scribe", *, warn: Callable[[str], None]
) -> None:
    """Print what a study came to, and show it in MLflow; an error if no run has numbers."""
    from repro.cli import exhibits
    from repro.reporting.tables import run_notes, tables

    view = exhibits.without_pictures(index, results)
    click.echo(exhibits.conclusion(view))
    if mirror.wants_page(index):
        parts = tables.parts(view.outcomes, style="full")
        shown = exhibits.with_pictures(view, results, with_images=False, warn=warn)
        table_markdown, files = exhibits.page(shown, parts)
        mirror.finish(index, table_markdown, files=files)
    if failure := run_notes.of_no_numbers(view.outcomes):
        raise ReproError(failure)


def _expected(
    missing: "Sequence[Task]", slots: list[str], machines: int, price: float | None
) -> str:
    """What the missing runs will cost, tried out on this machine."""
    from repro.cli import forecast
    from repro.execution import calibration

    click.echo("Measuring the cost of a run on this machine ...", err=True)
    expected = calibration.predict(missing, slots=slots, machines=machines)
    return forecast.in_words(expected, hourly_price=price)
