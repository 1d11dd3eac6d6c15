"""Commands that show what runs came to: table, figures, report."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completing, options
from repro.cli.shared import again, warn
from repro.errors import ReproError

if TYPE_CHECKING:
    from repro.analysis.study_data import Outcomes
    from repro.records.records import StudyIndex
    from repro.reporting.figures.study_view import StudyView
    from repro.reporting.tables.presentation import Presentation

REPORTS = Path("report")


@click.command()
@click.argument("study", required=False, shell_complete=completing.studies)
@options.variant
@options.presentation("latex", *options.PARTS, "curve")
@click.pass_context
def table(
    context: click.Context,
    study: str | None,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    presentation: "Presentation",
) -> None:
    """Print the table of STUDY, a name or a file; of every study with results if none is named.

    A terminal gets a summary that fits its window, a pipe LaTeX.
    """
    from repro.cli import resolve

    indexes = resolve.studies(results, study, profile=profile, overrides=overrides)
    from repro.reporting.tables import output_formats
    from repro.reporting.tables.terminal_table import Screen

    if presentation.form == "html" and len(indexes) > 1:
        several = ", ".join(index.address for index in indexes)
        raise ReproError(f"a page shows one study; name one: {several}")
    found = [_outcomes(index, results, scores=presentation.needs_scores) for index in indexes]
    if presentation.form == "json":
        click.echo(output_formats.as_json("table", found, presentation))
        return
    screen = Screen.here() if presentation.form == "terminal" else None
    shown = (output_formats.text(one, presentation, screen=screen) for one in found)
    click.echo("\n\n".join(shown), color=screen.colours if screen else None)
    if screen:
        click.echo(f"LaTeX: {again(context, form='latex')}")


@click.command()
@click.argument("study", shell_complete=completing.studies)
@options.variant
@options.with_images
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to [default: report/STUDY-VARIANT/figures].",
)
@click.option("--only", multiple=True, metavar="NAME", help="Only this figure; repeatable.")
def figures(
    study: str,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    with_images: bool,
    out: Path | None,
    only: tuple[str, ...],
) -> None:
    """Draw the figures of STUDY, a name or a file: PNG, SVG and PDF of each, and captions.md."""
    from repro.cli import exhibits, resolve
    from repro.reporting.figures import files

    index = resolve.one(results, study, profile=profile, overrides=overrides)
    view = exhibits.of_study(index, results, with_images=with_images, warn=warn)
    folder = out or REPORTS / f"{index.name}-{index.variant}" / "figures"
    for path in files.write(view, folder, only=only):
        click.echo(path)
    _say_what_is_left_out(view, with_images)


@click.command()
@click.argument("studies", nargs=-1, required=True, shell_complete=completing.studies)
@options.variant
@options.with_images
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to [default: report/STUDY-VARIANT, names joined by +].",
)
@click.option("--title", help="Of the report.")
def report(
    studies: tuple[str, ...],
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    with_images: bool,
    out: Path | None,
    title: str | None,
) -> None:
    """Write the report of STUDIES, names or files: one page for the browser, and LaTeX."""
    from repro.cli import exhibits, resolve
    from repro.reporting.report import files

    chapters = {}
    for study in studies:
        index = resolve.one(results, study, profile=profile, overrides=overrides)
        view = exhibits.of_study(index, results, with_images=with_images, warn=warn)
        chapters[f"{index.name}-{index.variant}"] = exhibits.chapter(
            view, study_file=resolve.study_file(study, index)
        )
        _say_what_is_left_out(view, with_images)
    for path in files.build([*chapters.values()], out or REPORTS / "+".join(chapters), title=title):
        click.echo(path)


def _say_what_is_left_out(view: "StudyView", with_images: bool) -> None:
    if not view.specimens and not with_images:
        click.echo("Pictures of real faces are left out; --with-images shows them.", err=True)


def _outcomes(index: "StudyIndex", results: Path, *, scores: bool) -> "Outcomes":
    """What a study's records come to; scores of photographs are read only where asked for."""
    from repro.analysis import study_data
    from repro.records import records

    return study_data.of_study(
        index, records.read_study(index, results), results if scores else None
    )
