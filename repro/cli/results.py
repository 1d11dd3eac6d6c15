"""Commands about what lies in the results folder: status, doctor, and the MLflow pages."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completing, options
from repro.cli.shared import warn

if TYPE_CHECKING:
    from repro.records.records import StudyIndex


@click.command()
@options.results
def doctor(results: Path) -> None:
    """Say what in the results folder is whole, what is not, and what to do about it."""
    from repro.execution import doctor as examination

    findings = examination.examine(results)
    click.echo(examination.summary(findings))
    sys.exit(1 if examination.needs_mending(findings) else 0)


@click.command()
@options.results
def status(results: Path) -> None:
    """Say how far every study in the results folder is."""
    from repro.records import records

    indexes = records.read_indexes(results)
    if not indexes:
        click.echo(f"No study in {results} yet. Start one: repro run alpha_sweep")
    for index in indexes:
        found = records.read_study(index, results).values()
        failed = sum(not record.finished for record in found)
        wanted = sum(len(arm.keys) for arm in index.arms)
        click.echo(
            f"{index.address} ({index.differs}): {len(found)} of {wanted} runs finished, "
            f"{failed} failed"
        )


@click.command()
@options.variant
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.argument("study", required=False, shell_complete=completing.studies)
def ui(
    study: str | None, results: Path, port: int, profile: str | None, overrides: tuple[str, ...]
) -> None:
    """Open the MLflow pages of the results on 127.0.0.1, grouped by arm, until Ctrl-C.

    With STUDY, a name or a file, its page is opened.
    """
    from repro.cli import resolve
    from repro.records.mlflow.mirror import experiment_name
    from repro.records.mlflow.server import serve

    page = None
    if study is not None:
        index = resolve.one(results, study, profile=profile, overrides=overrides)
        page = experiment_name(index)
    sys.exit(serve(results, port=port, open_study=page))


@click.command()
@options.variant
@click.argument("study", required=False, shell_complete=completing.studies)
def sync(study: str | None, results: Path, profile: str | None, overrides: tuple[str, ...]) -> None:
    """Make the MLflow pages equal to the records of STUDY, a name or a file, or of all studies."""
    from repro.cli import exhibits, resolve
    from repro.records.mlflow import synchronisation
    from repro.reporting.tables import tables

    def page(index: "StudyIndex") -> tuple[str, dict[str, bytes]]:
        view = exhibits.of_study(index, results, with_images=False, warn=warn)
        return exhibits.page(view, tables.parts(view.outcomes, style="full"))

    only = None
    if study is not None:
        only = resolve.one(results, study, profile=profile, overrides=overrides)
    click.echo(synchronisation.synchronise(results, only=only, summary=page))
