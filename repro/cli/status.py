"""``repro status``: the progress of each study."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options
from repro.cli.shared import Place, place, warn
from repro.system.printing import say

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("study", required=False, shell_complete=completion_words.studies)
@options.results
def status(study: str | None, results: Path) -> None:
    """Say how far STUDY is, a name, a file or a bundle; every study if none is named."""
    from repro.cli import resolve
    from repro.records import records, study_origin
    from repro.records.task import OF_SOURCE

    at = place(study, results) if study is not None else Place("", results)
    results, name = at.results, resolve.study_name(at.study) if at.study else None
    indexes = records.read_indexes(results, name)
    if not indexes:
        what = f"results of {name}" if name else "study"
        say(f"No {what} in {results} yet. Start one: repro run {name or 'alpha_sweep'}")
    for index in indexes:
        found = records.read_study(index, results).values()
        failures = [record.failure["term"] for record in found if record.failure]
        of_source = failures.count(OF_SOURCE)
        with_source = f" ({of_source} of them with their source run)" if of_source else ""
        wanted = sum(len(arm.keys) for arm in index.arms)
        say(
            f"{index.address} ({index.differs}): {len(found)} of {wanted} runs finished, "
            f"{len(failures)} failed{with_source}{_beside(len(index.detectors))}"
        )
        if told := study_origin.change(index, results):
            warn(told)


def _beside(detectors: int) -> str:
    """How many detectors that were trained elsewhere stand beside its arms."""
    from repro.analysis.wording import count

    return f"; {count(detectors, 'detector')} trained elsewhere" if detectors else ""
