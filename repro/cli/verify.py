"""``repro verify``: train ended runs again, and compare them bit by bit."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options
from repro.cli.shared import place as place_of
from repro.cli.shared import warn
from repro.execution.executors.executor_options import Place
from repro.system.printing import say

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("study", shell_complete=completion_words.studies)
@options.variant
@options.places
@options.run_plugins
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
    run_plugins: bool,
    runs: int,
) -> None:
    """Train ended runs of STUDY, a name, a file or a bundle, again, and compare bit by bit."""
    from repro.analysis.wording import count
    from repro.cli import resolve
    from repro.execution import verification
    from repro.execution.executors.executor_registry import executor_at
    from repro.study.resources import PLAIN

    at = place_of(study, results, run_plugins=run_plugins)
    index = resolve.one(
        at.results, at.study, profile=profile, overrides=overrides, bundle=at.bundle
    )
    catalogue = resolve.catalogue(at.study, verification.wanted(index), at.bundle)
    same = total = left_out = 0
    with executor_at(place, PLAIN, remark=warn) as executor:
        compared = verification.verify(
            index,
            at.results,
            runs=runs,
            executor=executor,
            asked=place.asked,
            catalogue=catalogue,
            is_bundle=at.bundle is not None,
        )
        for comparison in compared:
            say(comparison)
            if comparison.left_out:
                left_out += comparison.runs
            else:
                same, total = same + (not comparison.differences), total + 1
    if index.detectors:
        say(
            f"Not repeated: {count(len(index.detectors), 'detector')} trained elsewhere; where its "
            "file is, `repro score` with --check scores it again and compares"
        )
    also = f"; {left_out} left out" if left_out else ""
    say(f"{same} of {total} runs are bit-identical{also}")
    sys.exit(0 if same == total > 0 else 1)
