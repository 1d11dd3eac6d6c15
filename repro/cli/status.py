"""``repro status``: the progress of each study."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import options
from repro.cli.shared import warn
from repro.system.printing import say

if TYPE_CHECKING:
    pass


@click.command()
@options.results
def status(results: Path) -> None:
    """Say how far every study in the results folder is."""
    from repro.records import records, study_origin
    from repro.records.task import OF_SOURCE

    indexes = records.read_indexes(results)
    if not indexes:
        say(f"No study in {results} yet. Start one: repro run alpha_sweep")
    for index in indexes:
        found = records.read_study(index, results).values()
        failures = [record.failure["term"] for record in found if record.failure]
        of_source = failures.count(OF_SOURCE)
        with_source = f" ({of_source} of them with their source run)" if of_source else ""
        wanted = sum(len(arm.keys) for arm in index.arms)
        say(
            f"{index.address} ({index.differs}): {len(found)} of {wanted} runs finished, "
            f"{len(failures)} failed{with_source}"
        )
        if told := study_origin.change(index, results):
            warn(told)
