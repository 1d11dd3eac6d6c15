"""The command that checks published numbers."""

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from repro.cli import options
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.reporting.tables.presentation import Presentation
    from repro.study.published import Margin, Published


class ReadOptions(TypedDict):
    """Options for reading files; see `inspection.audit`."""

    alone: bool
    images: int | None
    keep: int | None
    reference: str | None
    reading_error: float


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--alone", is_flag=True, help="Do not also read files in its folder with the same arms."
)
@click.option(
    "--images",
    type=click.IntRange(min=1),
    help="Portraits behind printed recalls [default: 1270, the Pilot Parliaments Benchmark].",
)
@click.option("--keep", type=click.IntRange(min=1), help="Best runs to keep [default: all].")
@click.option("--reference", help="Arm that the others are compared with.")
@click.option(
    "--reading-error",
    default=0.03,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Error of values read off a figure, in percentage points.",
)
@click.option(
    "--published",
    metavar="FILE|NAME",
    help="Published numbers to judge by: a file as in studies/published/, or a name there; the "
    "audited file does not describe training, so make sure that the protocol is the same.",
)
@click.option(
    "--margin",
    nargs=2,
    type=click.FloatRange(min=0, min_open=True),
    metavar="RECALL VARIANCE",
    help="Largest difference that agrees with published values, in points and percent squared.",
)
@options.presentation("markdown", "findings", *options.PARTS)
def audit(
    files: tuple[Path, ...],
    published: str | None,
    margin: tuple[float, float] | None,
    presentation: "Presentation",
    **reading: Unpack[ReadOptions],
) -> None:
    """Check numbers that somebody published: tables, statistics and forensic checks of CSV FILES.

    Columns: arm,alpha,run,group,n,detected (counts); arm,alpha,run,group,n,accuracy_percent or
    accuracy_fraction; arm,alpha,recall,variance (published means); or arm,alpha and one column per
    group.
    """
    from repro.analysis import study_data
    from repro.analysis.audit.inspection import audit as inspect
    from repro.reporting.tables import audit_tables
    from repro.reporting.tables.terminal_table import Screen

    read = inspect(files, **reading)
    found = list(read.outcomes)
    if published is not None:
        answers = _answers(published, margin)
        found = [study_data.answering(one, *answers) for one in found]
    screen = Screen.here() if presentation.form == "terminal" else None
    label = "-".join(dict.fromkeys(file.stem for file in files))
    shown = audit_tables.text(read, found, presentation, label=label, screen=screen)
    say(shown, coloured=screen is not None and screen.colours)


def _answers(
    published: str, margin: tuple[float, float] | None
) -> "tuple[Published, Margin | None]":
    from repro.study import study_files
    from repro.study.published import Margin, read

    found = read(study_files.published_file(published))
    if margin is None:
        return found, None
    return found, Margin(recall=margin[0], variance=margin[1])
