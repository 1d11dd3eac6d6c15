"""``repro sync``: make the MLflow pages equal to the records, or send a study to a server."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options
from repro.cli.shared import not_followed, warn
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.records.records import StudyIndex


@click.command()
@options.variant
@click.option(
    "--to",
    "address",
    metavar="URI",
    help="Send the study to the MLflow that is there: http://HOST:PORT, sqlite:///FILE or "
    "postgresql://HOST/NAME. User and password are taken from MLFLOW_TRACKING_USERNAME and "
    "_PASSWORD, or a token from MLFLOW_TRACKING_TOKEN.",
)
@click.option("--experiment", metavar="NAME", help="With --to [default: STUDY/VARIANT].")
@click.option("--weights", is_flag=True, help="With --to: send the networks' files, too.")
@click.option(
    "--artifact-location",
    "location",
    metavar="URI",
    help="With --to: where a new experiment keeps files of runs [default: the server's choice, or "
    "a folder beside the file of a database].",
)
@click.argument("study", required=False, shell_complete=completion_words.studies)
def sync(
    study: str | None,
    results: Path,
    profile: str | None,
    overrides: tuple[str, ...],
    address: str | None,
    experiment: str | None,
    weights: bool,
    location: str | None,
) -> None:
    """Make the MLflow pages equal to the records of STUDY, a name or a file, or of all studies.

    With --to, STUDY is sent to a tracking server that is there already. What is there is not sent
    again, and an interrupted command continues.
    """
    set_to = os.environ.get("MLFLOW_TRACKING_URI")  # removed from this process by what follows
    if address is None and (experiment or weights or location):
        raise click.UsageError("--experiment, --weights and --artifact-location need --to URI")
    if address is not None and study is None:
        raise click.UsageError("--to sends one study: name it")
    from repro.cli import exhibits, resolve
    from repro.records.mlflow import sqlite_store, synchronisation
    from repro.records.mlflow.remote import destination, push
    from repro.reporting.tables import tables

    def page(index: "StudyIndex") -> tuple[str, dict[str, bytes]]:
        view = exhibits.of_study(index, results, with_images=False, warn=warn)
        return exhibits.page(view, tables.parts(view.outcomes, style="full"))

    where = destination.parse(address) if address is not None else None
    only = None
    if study is not None:
        only = resolve.one(results, study, profile=profile, overrides=overrides)
    if where is not None and only is not None:
        wish = push.Wish(
            destination=where, experiment=experiment, location=location, weights=weights
        )
        say(push.push(only, results, wish, summary=page))
        return
    say(synchronisation.synchronise(results, only=only, summary=page))
    say(f"Written to {sqlite_store.database(results)}")
    if set_to:
        not_followed(only.address if only is not None else "STUDY")
