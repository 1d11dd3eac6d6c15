"""``repro report``: a report of studies, for a browser and in LaTeX."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options
from repro.cli.shared import place, say_what_is_left_out, warn
from repro.system.printing import say

if TYPE_CHECKING:
    pass

REPORTS = Path("report")


@click.command()
@click.argument("studies", nargs=-1, required=True, shell_complete=completion_words.studies)
@options.variant
@options.with_images
@options.run_plugins
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
    run_plugins: bool,
    out: Path | None,
    title: str | None,
) -> None:
    """Write the report of STUDIES, names, files or bundles: one page for the browser, and LaTeX."""
    from repro.cli import exhibits, resolve
    from repro.reporting.report import report_files

    chapters = {}
    for study in studies:
        at = place(study, results, run_plugins=run_plugins)
        index = resolve.one(
            at.results, at.study, profile=profile, overrides=overrides, bundle=at.bundle
        )
        view = exhibits.of_study(index, at.results, with_images=with_images, warn=warn)
        chapters[f"{index.name}-{index.variant}"] = exhibits.chapter(
            view, study_file=resolve.study_file(study, index, at.bundle)
        )
        if at.bundle is None:
            say_what_is_left_out(view, with_images)
    for path in report_files.build(
        [*chapters.values()], out or REPORTS / "+".join(chapters), title=title
    ):
        say(path)
