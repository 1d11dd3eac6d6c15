"""``repro ui``: the MLflow pages in a browser."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options

if TYPE_CHECKING:
    pass


@click.command()
@options.variant
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.argument("study", required=False, shell_complete=completion_words.studies)
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
