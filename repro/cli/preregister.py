"""``repro preregister``: write what a study declares, before its results are known."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repro.cli import options
from repro.cli.shared import load, warn
from repro.errors import ReproError
from repro.execution.executors.executor_options import Place
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.records.records import StudyIndex


@click.command()
@options.study_file
@options.variant
@options.places
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder to write to [default: this one].",
)
def preregister(
    study: str,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    place: Place,
    out: Path,
) -> None:
    """Write what STUDY declares into NAME.preregistration.yaml, before its results are known.

    It holds the arms, the claims, the rule to stop, the seeds, the date and a digest, and says
    which of its runs have a record in the results folder already. Tables of the study then say
    whether it was declared before any result, and what was changed later.
    """
    import datetime

    import yaml

    from repro.execution import preregistering, stackable
    from repro.execution.executors.executor_registry import executor_at
    from repro.records import preregistration
    from repro.system import atomic_files

    resolved = load(study, profile, overrides)
    stackable.refuse(resolved, place)
    with executor_at(place, resolved.resources, remark=warn) as executor:
        computation = executor.computation
    planned = preregistering.planned_runs(resolved, results, computation=computation)
    now = datetime.datetime.now(datetime.UTC)
    content = preregistering.content(resolved, planned, results, now=now)
    path = out / f"{resolved.name}.preregistration.yaml"
    if path.exists():
        raise ReproError(f"{path} exists already and is not replaced: pass --out, or move it away")
    kept = preregistration.path_of(planned.index.name, planned.index.variant, results)
    preregistration.write(content, kept)
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    atomic_files.put(path, text.encode())
    _add_to_index(planned.index, content, results)
    say(f"{path}\nDigest {content['digest']}; {_found(content)}")


def _found(content: dict[str, Any]) -> str:
    existing: str = content["records"]["said"]
    fresh = "; `seeds: {first: 100}` gives fresh ones" if content["records"]["exist"] else ""
    return f"{existing}{fresh}"


def _add_to_index(planned: "StudyIndex", content: dict[str, Any], results: Path) -> None:
    """The tables of a study that was run before say so, too."""
    from repro.records import records

    path = records.index_path(planned, results)
    if path.exists():
        records.write_index(replace(records.read_index(path), preregistration=content), results)
