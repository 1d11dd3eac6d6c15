"""``repro sync``: make the MLflow pages equal to the records."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options
from repro.cli.shared import warn
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.records.records import StudyIndex


@click.command()
@options.variant
@click.argument("study", required=False, shell_complete=completion_words.studies)
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
    say(synchronisation.synchronise(results, only=only, summary=page))
