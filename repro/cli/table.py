"""``repro table``: the tables of a study, in any format."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options
from repro.cli.shared import Place, again, place
from repro.errors import ReproError
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.analysis.outcomes import Outcomes
    from repro.records.records import StudyIndex
    from repro.reporting.tables.presentation import Presentation
    from repro.reporting.tables.terminal_table import Screen


@click.command()
@click.argument("study", required=False, shell_complete=completion_words.studies)
@options.variant
@options.run_plugins
@options.presentation("latex", *options.PARTS, *options.ASKED_FOR, forms=("predictions",))
@click.pass_context
def table(
    context: click.Context,
    study: str | None,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    run_plugins: bool,
    presentation: "Presentation",
) -> None:
    """Print the table of STUDY, a name, a file or a bundle; of every study if none is named.

    A terminal gets a summary that fits its window, a pipe LaTeX. The format predictions has the
    score of every photograph in every run, which repro audit reads.
    """
    from repro.cli import resolve

    at = Place("", results) if study is None else place(study, results, run_plugins=run_plugins)
    indexes = resolve.studies(
        at.results, at.study or None, profile=profile, overrides=overrides, bundle=at.bundle
    )
    from repro.reporting.tables.terminal_table import Screen

    screen = Screen.here() if presentation.form == "terminal" else None
    say(
        text(indexes, at.results, presentation, screen),
        coloured=screen is not None and screen.colours,
    )
    if screen:
        say(f"LaTeX: {again(context, form='latex')}")


def text(
    indexes: "Sequence[StudyIndex]",
    results: Path,
    presentation: "Presentation",
    screen: "Screen | None" = None,
) -> str:
    """What the command prints of some studies, without the last line end.

    Args:
        indexes: Of the studies.
        results: The results folder.
        presentation: Options of the output.
        screen: The terminal; None for output that is not for one.

    Raises:
        ReproError: This format shows one study, or there is nothing to show.
    """
    from repro.reporting.tables import output_formats

    if presentation.form == "html" and len(indexes) > 1:
        several = ", ".join(index.address for index in indexes)
        raise ReproError(f"a page shows one study; name one: {several}")
    if presentation.form == "predictions":
        return predictions(indexes, results, presentation)
    found = [_outcomes(index, results, presentation) for index in indexes]
    if presentation.form == "json":
        return output_formats.as_json("table", found, presentation)
    return "\n\n".join(output_formats.text(one, presentation, screen=screen) for one in found)


def predictions(
    indexes: "Sequence[StudyIndex]", results: Path, presentation: "Presentation"
) -> str:
    """The scores of one study's runs, for `repro audit`."""
    from repro.analysis import study_data
    from repro.records import records
    from repro.reporting.tables import predictions_csv

    if len(indexes) > 1:
        several = ", ".join(index.address for index in indexes)
        raise ReproError(f"a predictions file is of one study; name one: {several}")
    presentation.require_plain()
    index = indexes[0]
    found = records.read_study(index, results)
    return predictions_csv.text(study_data.of_study(index, found, None), index, found, results)


def _outcomes(index: "StudyIndex", results: Path, presentation: "Presentation") -> "Outcomes":
    """The results of a study's records; scores of photographs are read only if needed.

    Detectors are read with them.
    """
    from repro.analysis import study_data
    from repro.records import records

    scores = presentation.needs_scores or bool(index.detectors)
    scores = scores or (presentation.answers and bool(index.claims))
    return study_data.of_study(
        index, records.read_study(index, results), results if scores else None
    )
