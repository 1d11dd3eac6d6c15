"""``repro verify``: train ended runs again, and compare them bit by bit."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options
from repro.cli.shared import warn
from repro.execution.executors.executor_options import Place
from repro.system.printing import say

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("study", shell_complete=completion_words.studies)
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
    from repro.execution.executors.executor_registry import executor_at
    from repro.study.resources import PLAIN

    index = resolve.one(results, study, profile=profile, overrides=overrides)
    catalogue = resolve.catalogue(study, verification.wanted(index))
    same = total = 0
    with executor_at(place, PLAIN, remark=warn) as executor:
        compared = verification.verify(
            index,
            results,
            runs=runs,
            executor=executor,
            kernels=place.kernels,
            catalogue=catalogue,
        )
        for comparison in compared:
            say(comparison)
            same, total = same + (not comparison.differences), total + 1
    say(f"{same} of {total} runs are bit-identical")
    sys.exit(0 if same == total else 1)
