"""Commands about what lies in the results folder: status, doctor, and the MLflow pages."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import options
from repro.cli.shared import warn

if TYPE_CHECKING:
    from repro.records import StudyIndex


@click.command()
@options.results
def doctor(results: Path) -> None:
    """Say what in the results folder is whole, what is not, and what to do about it."""
    from repro import doctor as examination

    findings = examination.examine(results)
    click.echo(examination.summary(findings))
    sys.exit(1 if examination.needs_mending(findings) else 0)


@click.command()
@options.results
def status(results: Path) -> None:
    """Say how far every study in the results folder is."""
    from repro import records

    indexes = records.read_indexes(results)
    if not indexes:
        click.echo(f"No study in {results} yet. Start one: repro run studies/alpha_sweep.yaml")
    for index in indexes:
        found = records.read_study(index, results).values()
        failed = sum(not record.finished for record in found)
        wanted = sum(len(arm.keys) for arm in index.arms)
        click.echo(
            f"{index.name} ({index.variant}): {len(found)} of {wanted} runs ended, {failed} failed"
        )


@click.command()
@options.results
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.argument("study", required=False)
def ui(study: str | None, results: Path, port: int) -> None:
    """Open the MLflow pages of the results on 127.0.0.1, grouped by arm, until Ctrl-C."""
    from repro.cli.resolve import study_name
    from repro.ui import serve

    name = study_name(study) if study else None
    sys.exit(serve(results, port=port, open_study=name))


@click.command()
@options.results
@click.argument("study", required=False)
def sync(study: str | None, results: Path) -> None:
    """Make the MLflow pages equal to the records of STUDY, or of all studies."""
    from repro import synchronisation, tables
    from repro.cli import exhibits, resolve

    def page(index: "StudyIndex") -> tuple[str, dict[str, bytes]]:
        material = exhibits.of_study(index, results, with_images=False, warn=warn)
        return exhibits.page(material, tables.parts(material.outcomes, style="full"))

    name = None
    if study is not None:
        name = resolve.studies(results, study, profile=None, overrides=())[0].name
    click.echo(synchronisation.synchronise(results, study=name, summary=page))
