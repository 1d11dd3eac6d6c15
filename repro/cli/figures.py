"""``repro figures``: the figures of a study, as files."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import completion_words, options
from repro.cli.shared import say_what_is_left_out, warn
from repro.system.printing import say

if TYPE_CHECKING:
    pass

REPORTS = Path("report")


@click.command()
@click.argument("study", shell_complete=completion_words.studies)
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
    from repro.reporting.figures import figure_files

    index = resolve.one(results, study, profile=profile, overrides=overrides)
    view = exhibits.of_study(index, results, with_images=with_images, warn=warn)
    folder = out or REPORTS / f"{index.name}-{index.variant}" / "figures"
    for path in figure_files.write(view, folder, only=only):
        say(path)
    say_what_is_left_out(view, with_images)
