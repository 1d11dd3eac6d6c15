"""The command that shows one run."""

from pathlib import Path

import click

from repro.cli import completion_words, options
from repro.system.printing import say


@click.command()
@options.results
@click.argument("run", shell_complete=completion_words.runs)
def show(run: str, results: Path) -> None:
    """Show one RUN: its state, choices, curve, detections, provenance and files.

    RUN is the key of a record, the beginning of one, or STUDY/ARM/SEED, such as
    alpha_sweep/alpha-0.1/3: blanks and signs of an arm's name can be written as one hyphen.
    """
    from repro.cli import run_names
    from repro.records import records, run_view
    from repro.reporting.terminal import run_details

    indexes = records.read_indexes(results)
    key = run_names.key_of(run, results, indexes, run_view.keys(results, indexes))
    say(run_details.text(run_view.view(key, results, indexes)))
