"""``repro ui``: the studies and their runs in a browser."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options

if TYPE_CHECKING:
    pass

SERVER = str(Path(__file__).with_name("ui_server.py"))  # a program of its own


@click.command()
@options.variant
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.argument("study", required=False, shell_complete=completion_words.studies)
def ui(
    study: str | None, results: Path, port: int, profile: str | None, overrides: tuple[str, ...]
) -> None:
    """Open the studies of the results on 127.0.0.1, with their answers, until Ctrl-C.

    Each study's page is its report, with links to its runs in MLflow. With STUDY, a name or a file,
    its page is opened.
    """
    from repro.cli import resolve
    from repro.records.mlflow.mirror import experiment_name
    from repro.records.mlflow.request_rules import STUDIES
    from repro.records.mlflow.server import serve
    from repro.reporting.site import listing

    shown, page = None, STUDIES
    if study is not None:
        index = resolve.one(results, study, profile=profile, overrides=overrides)
        shown, page = experiment_name(index), listing.path_of(index.name, index.variant)
    sys.exit(serve(results, port=port, open_study=shown, program=SERVER, page=page))
