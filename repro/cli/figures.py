"""``repro figures``: the figures of a study, as files."""

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
@click.argument("study", shell_complete=completion_words.studies)
@options.variant
@options.with_images
@options.run_plugins
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
    run_plugins: bool,
    out: Path | None,
    only: tuple[str, ...],
) -> None:
    """Draw the figures of STUDY, a name, a file or a bundle: PNG, SVG and PDF, and captions.md."""
    from repro.cli import exhibits, resolve
    from repro.reporting.figures import figure_files

    at = place(study, results, run_plugins=run_plugins)
    index = resolve.one(
        at.results, at.study, profile=profile, overrides=overrides, bundle=at.bundle
    )
    view = exhibits.of_study(index, at.results, with_images=with_images, warn=warn)
    folder = out or REPORTS / f"{index.name}-{index.variant}" / "figures"
    for path in figure_files.write(view, folder, only=only):
        say(path)
    if at.bundle is None:
        say_what_is_left_out(view, with_images)
