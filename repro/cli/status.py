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

    indexes = records.read_indexes(results)
    if not indexes:
        say(f"No study in {results} yet. Start one: repro run alpha_sweep")
    for index in indexes:
        found = records.read_study(index, results).values()
        failed = sum(not record.finished for record in found)
        wanted = sum(len(arm.keys) for arm in index.arms)
        say(
            f"{index.address} ({index.differs}): {len(found)} of {wanted} runs finished, "
            f"{failed} failed"
        )
        if told := study_origin.change(index, results):
            warn(told)
