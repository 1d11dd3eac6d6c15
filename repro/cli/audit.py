"""The command that checks published numbers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click
from click.core import ParameterSource

from repro.cli import options as shared
from repro.system import atomic_files
from repro.system.printing import printable, say

if TYPE_CHECKING:
    from repro.analysis.audit.publication import Publication
    from repro.analysis.audit.reading.description import Description
    from repro.reporting.tables.presentation import Presentation
    from repro.reporting.tables.table_part import Format
    from repro.reporting.tables.terminal_table import Screen
    from repro.study.published import Margin, Published

ELSEWHERE = "pass -o with another file"
SUFFIXES: "dict[str, Format]" = {
    ".html": "html",
    ".md": "markdown",
    ".tex": "latex",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
}

Command = TypeVar("Command", bound=Callable[..., Any])


class Said(TypedDict):
    """What stands beside the numbers; see `description.Description`."""

    keep: int | None
    column: tuple[str, ...]
    group: tuple[str, ...]
    unit: str | None
    runs: int | None
    plus_minus: str | None
    average: str | None
    measure: str | None
    scores: str | None
    threshold: float | None


class Options(Said):
    """All options for reading files; see `inspection.audit`."""

    alone: bool
    images: int | None
    reference: str | None
    reading_error: float | None


SAID = [
    click.option(
        "--column",
        multiple=True,
        metavar="NAME=ROLE",
        help="What a column is: arm, run, group, n, detected, share (of a group), overall, worst, "
        "gap, variance, error, image, score, label, ignored, ...; several with commas. arm+run: "
        "the names of arms hold the run.",
    ),
    click.option(
        "--unit", type=click.Choice(["percent", "fraction"]), help="Of shares [default: as told]."
    ),
    click.option("--runs", type=click.IntRange(min=1), help="Runs of an arm that were made."),
    click.option("--keep", type=click.IntRange(min=1), help="Best runs to keep [default: all]."),
    click.option(
        "--plus-minus",
        type=click.Choice(["sd", "sem", "ci95_t", "ci95_normal"]),
        help="What is printed after ±.",
    ),
    click.option(
        "--average", type=click.Choice(["mean", "median"]), help="Over runs [default: mean]."
    ),
    click.option("--group", multiple=True, metavar="NAME=N", help="Portraits of a group."),
    click.option(
        "--measure",
        type=click.Choice(["recall", "error"]),
        help="Whether shares are of right or of wrong answers [default: recall].",
    ),
    click.option(
        "--scores",
        type=click.Choice(["logit", "probability", "other"]),
        help="What the scores of predictions are [default: as their column is called].",
    ),
    click.option(
        "--threshold",
        type=float,
        help="Score from which on a picture is called a face [default: logit 0, probability 0.5].",
    ),
]


def reading(command: Command) -> Command:
    """Options of every command that reads published numbers: what stands beside them."""
    for option in reversed(SAID):
        command = option(command)
    return command


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
@reading
@click.option("--reference", help="Arm that the others are compared with.")
@click.option(
    "--reading-error",
    type=click.FloatRange(min=0, max=100, max_open=True),
    help="Error of shares read off a figure, in percentage points [default: what the file says; "
    "0.03 between printed means and groups].",
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
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write to [default: print]; its suffix tells the format: .html, .md, .tex, ...",
)
@shared.presentation("markdown", "reading", "findings", *shared.PARTS, "curve")
def audit(
    files: tuple[Path, ...],
    output: Path | None,
    published: str | None,
    margin: tuple[float, float] | None,
    presentation: "Presentation",
    **options: Unpack[Options],
) -> None:
    """Check numbers that somebody published: tables, statistics and forensic checks of FILES.

    A row a run and group (arm,run,group,n,detected), a row a run or an arm with a column a group,
    or printed means (arm,recall,variance), in CSV, Markdown, LaTeX or aligned text. What columns
    are is told by their names, by --column, or by a YAML file beside the table (runs.yaml beside
    runs.csv). Or predictions: a row a picture and run (arm,run,image,group,label,score). Or a
    bundle: the predictions of its records; whether they give its tables is said, too.
    """
    from repro.analysis.audit.inspection import audit as inspect

    files = tuple(_predictions(file) for file in files)
    _check_output(output, files)
    read = inspect(
        files,
        said=description(options),
        alone=options["alone"],
        images=options["images"],
        keep=options["keep"],
        reference=options["reference"],
        reading_error=options["reading_error"],
        scores=options["scores"],
        threshold=options["threshold"],
    )
    found: Sequence[Publication] = read.publications
    if published is not None:
        found = _answering(found, *_answers(published, margin))
    label = "-".join(dict.fromkeys(file.stem for file in files))
    if output is None:
        screen, shown = _shown(found, presentation, label)
        say(shown, coloured=screen is not None and screen.colours)
        return
    _, shown = _shown(found, replace(presentation, form=_form(output, presentation)), label)
    say(atomic_files.put(output, f"{printable(shown)}\n".encode(), advice=ELSEWHERE))


def _predictions(file: Path) -> Path:
    """The file; of a bundle the predictions of its records, which are compared with its tables."""
    from repro.cli import audited_bundle
    from repro.study import study_files

    return audited_bundle.predictions(file) if study_files.is_bundle(file.name) else file


def _shown(
    found: "Sequence[Publication]", presentation: "Presentation", label: str
) -> "tuple[Screen | None, str]":
    """The output, and the terminal that it is for."""
    from repro.reporting.report import audit_page
    from repro.reporting.tables import audit_tables
    from repro.reporting.tables.terminal_table import Screen

    if presentation.form == "html" and presentation.part is None:
        return None, audit_page.page(found, presentation).rstrip("\n")
    screen = Screen.here() if presentation.form == "terminal" else None
    return screen, audit_tables.text(found, presentation, label=label, screen=screen)


def _check_output(output: Path | None, files: Sequence[Path]) -> None:
    """Refuse to write over what is audited."""
    from repro.errors import ReproError

    if output is None or not output.exists():
        return
    for file in files:
        if file.exists() and output.samefile(file):
            raise ReproError(f"-o {output}: this file is audited; name another")


def _form(output: Path, presentation: "Presentation") -> "Format":
    """The format that is asked for, or else that of the file's suffix."""
    from repro.errors import ReproError

    source = click.get_current_context().get_parameter_source("form")
    if source is not ParameterSource.DEFAULT:
        return presentation.form
    if output.suffix.lower() not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise ReproError(f"-o {output}: its suffix is none of {known}; say --format")
    return SUFFIXES[output.suffix.lower()]


def _answering(
    found: "Sequence[Publication]", published: "Published", margin: "Margin | None"
) -> "Sequence[Publication]":
    """The publications; their runs are judged by published values."""
    from repro.analysis import study_data

    return [
        replace(
            each,
            outcomes=tuple(study_data.answering(one, published, margin) for one in each.outcomes),
        )
        for each in found
    ]


def description(given: Said) -> "Description":
    """What the options say beside the numbers."""
    from repro.analysis.audit.reading.description import Description

    said: dict[str, Any] = {
        "unit": given["unit"],
        "replicates": given["runs"],
        "spread": given["plus_minus"],
        "average": given["average"],
        "measure": given["measure"],
        "columns": {
            name.strip(): role
            for names, role in _pairs("--column", given["column"], "seed=run")
            for name in names.split(",")
        },
        "groups": {
            name: _portraits(name, n)
            for name, n in _pairs("--group", given["group"], "darker_male=318")
        },
    }
    return Description(**{key: value for key, value in said.items() if value})


def _portraits(group: str, n: str) -> int:
    """A whole number of at least 1."""
    from repro.errors import DataError

    if not (n.isascii() and n.isdigit() and 0 < int(n) <= 10_000_000):
        raise DataError(f"--group {group}: '{n}' is not a whole number of portraits, 1 or more")
    return int(n)


def _pairs(option: str, texts: Iterable[str], example: str) -> Iterator[tuple[str, str]]:
    """The name before the last = and the text after it."""
    from repro.errors import DataError

    for text in texts:
        name, equals, value = text.rpartition("=")
        if not (equals and name.strip() and value.strip()):
            raise DataError(f"{option} {text!r}: write NAME=VALUE, as in {option} {example}")
        yield name.strip(), value.strip()


def _answers(
    published: str, margin: tuple[float, float] | None
) -> "tuple[Published, Margin | None]":
    from repro.study import study_files
    from repro.study.published import Margin, read

    found = read(study_files.published_file(published))
    if margin is None:
        return found, None
    return found, Margin(recall=margin[0], variance=margin[1])
