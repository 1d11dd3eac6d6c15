"""``repro replication``: what a study says of another one of the same effect."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import click

from repro.cli import completion_words, options
from repro.cli.audit import Said, description, reading
from repro.errors import ReproError
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.analysis.audit.replication import Replication, Side, Source
    from repro.reporting.tables.table_part import Format

FORMATS = ["terminal", "markdown", "html", "latex", "csv", "tsv", "json"]


@click.command()
@click.argument("sources", nargs=-1, metavar="THEIRS OURS", shell_complete=completion_words.studies)
@click.option(
    "--effect",
    "quantity",
    type=click.Choice(["recall", "variance"]),
    default="variance",
    show_default=True,
    help="What is compared.",
)
@click.option("--arm", help="The arm, as it is called in both.")
@click.option("--less", help="The arm that is taken from it; without it the arm alone is compared.")
@click.option("--their-arm", help="The name of the arm in THEIRS, if another one.")
@click.option("--their-less", help="The name of the other arm in THEIRS, if another one.")
@click.option(
    "--margin",
    type=click.FloatRange(min=0, min_open=True),
    help="Largest difference that does not matter, in points or percent squared.",
)
@click.option(
    "--theirs",
    nargs=2,
    type=float,
    metavar="EFFECT SE",
    help="In place of THEIRS: the effect and its standard error, in points or percent squared.",
)
@click.option(
    "--ours", nargs=2, type=float, metavar="EFFECT SE", help="In place of OURS: the same of ours."
)
@click.option(
    "--their-se",
    type=click.FloatRange(min=0, min_open=True),
    help="Standard error of the effect in THEIRS, if it gives none.",
)
@click.option(
    "--our-se",
    type=click.FloatRange(min=0, min_open=True),
    help="Standard error of the effect in OURS, if it gives none.",
)
@options.DEFINITION
@reading
@options.results
@options.form("markdown", FORMATS)
def replication(
    sources: tuple[str, ...],
    quantity: Any,
    arm: str | None,
    less: str | None,
    their_arm: str | None,
    their_less: str | None,
    margin: float | None,
    theirs: tuple[float, float] | None,
    ours: tuple[float, float] | None,
    their_se: float | None,
    our_se: float | None,
    definition: str | None,
    results: Path,
    form: "Format",
    **said: Unpack[Said],
) -> None:
    """Say whether OURS replicates THEIRS.

    Each is a study with results, a file that repro audit reads (runs, predictions, or printed means
    with ± and their number of runs), or the name of published values. Prints where ours was to be
    expected, equivalence, the sceptical p-value and small telescopes, with the size of the effect.
    """
    from repro.analysis.audit import replication as compare
    from repro.analysis.audit.replication import Asked, Replication

    named = _named(sources, theirs, ours)
    if their_less and not less and named[1] is not None:
        raise ReproError("--their-less compares two arms of theirs: name two of ours, --less ARM")
    found = [None if source is None else _read(source, results, said) for source in named]
    used = compare.definition_of(definition, *found)
    asked = (
        Asked(quantity, their_arm or arm, their_less or less, used, their_se, "their"),
        Asked(quantity, arm, less, used, our_se, "our"),
    )
    both = [
        compare.of(read, one) if read else _given(numbers, said["runs"], one.side)
        for read, numbers, one in zip(found, (theirs, ours), asked, strict=True)
    ]
    compared = Replication(
        quantity=quantity,
        is_effect=any(one.less for one in asked) or not any(found),
        margin=margin,
        definition=used if any(map(compare.has_runs, found)) else None,
        theirs=both[0],
        ours=both[1],
    )
    _print(compared, form)


def _print(compared: "Replication", form: "Format") -> None:
    from repro.reporting.tables import json_output, output_formats, replication_table
    from repro.reporting.tables.terminal_table import Screen

    if form == "json":
        say(json_output.document("replication", replication=replication_table.fields(compared)))
        return
    screen = Screen.here() if form == "terminal" else None
    shown = output_formats.written(
        [replication_table.part(compared)], form, label="replication", screen=screen
    )
    say(shown, coloured=screen is not None and screen.colours)


def _named(
    sources: tuple[str, ...],
    theirs: tuple[float, float] | None,
    ours: tuple[float, float] | None,
) -> list[str | None]:
    """Both sources; None for one that is given as numbers."""
    wanted = [word for word, given in (("THEIRS", theirs), ("OURS", ours)) if not given]
    if len(sources) != len(wanted):
        what = f"name {' and '.join(wanted)}" if wanted else "both are given, so name no source"
        raise ReproError(f"{what}: {len(sources)} were named")
    rest = iter(sources)
    return [None if given else next(rest) for given in (theirs, ours)]


def _given(numbers: tuple[float, float] | None, runs: int | None, side: str) -> "Side":
    from repro.analysis.audit import replication

    assert numbers is not None
    return replication.given(*numbers, runs, {"their": "theirs", "our": "ours"}[side])


def _read(source: str, results: Path, said: Said) -> "Source":
    """The runs or the printed tables of a study, a file or published values."""
    from repro.analysis import study_data
    from repro.cli import resolve
    from repro.records import records
    from repro.study import study_files

    study_files.refuse_bundle(source)
    path = Path(source)
    if not path.exists() and not study_files.is_path(source):
        name = source.partition("@")[0]
        if study_files.find_name(name) or records.read_indexes(results, name):
            index = resolve.one(results, source, profile=None, overrides=())
            return study_data.of_study(index, records.read_study(index, results), None)
        path = study_files.published_file(source)
        table = path.with_suffix(".csv")  # of which it is the description
        path = table if table.exists() else path
    return _of_file(path, said)


def _of_file(path: Path, said: Said) -> "Source":
    from repro.analysis.audit.inspection import audit
    from repro.analysis.audit.replication import Printed

    read = audit(
        [path],
        said=description(said),
        alone=True,
        keep=said["keep"],
        scores=said["scores"],
        threshold=said["threshold"],
    )
    if len(read.outcomes) > 1:
        parts = "; ".join(one.name for one in read.outcomes)
        raise ReproError(f"{path}: has several parts ({parts}): make a file of each")
    return read.outcomes[0] if read.outcomes else Printed(path.stem, read.tables)
