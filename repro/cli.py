"""The command line: parse, call one function, print. Heavy imports stay inside the commands.

Exit status: 0 done, 1 the user can mend it, 2 usage, 3 another process is running this study,
130 or 143 interrupted.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repro import __version__, data_commands, interruptions, options
from repro.errors import Busy, ReproError
from repro.place import Place

if TYPE_CHECKING:
    from repro.figures.material import Material
    from repro.outcomes import Outcomes
    from repro.published import Margin, Published
    from repro.records import StudyIndex
    from repro.study import Study
    from repro.tasks import Task

REPORTS = Path("report")


class _Group(click.Group):
    """Turns every mistake that the user can mend into plain lines and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            with interruptions.watched():
                return super().invoke(ctx)
        except ReproError as error:
            click.echo(f"Error: {_printable(str(error))}", err=True)
            sys.exit(3 if isinstance(error, Busy) else 1)
        except interruptions.Interrupted as interruption:
            interruptions.end(interruption.status)


@click.group(cls=_Group)
@click.version_option(__version__, prog_name="repro")
def main() -> None:
    """Run published machine-learning claims again and say whether they hold."""


main.add_command(data_commands.data)


@main.command()
@options.study_file
@options.variant
@options.places
@click.option(
    "--checkpoint-seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Least time between two checkpoints of a run; 0 keeps one after every epoch.",
)
@click.option(
    "--retry-lost", is_flag=True, help="Try runs again whose worker died three times before."
)
def run(
    study: Path,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    place: Place,
    checkpoint_seconds: float,
    retry_lost: bool,
) -> None:
    """Execute every run of STUDY that has no record yet, then print its table."""
    resolved = _load(study, profile, overrides)
    from repro import exhibits, mirroring, progress, rendering, runner, tables
    from repro.executors.places import executor_at

    with mirroring.Scribe(results, warn=_warn) as mirror:
        with (
            progress.on_this_terminal() as watcher,
            executor_at(place, resolved.resources, remark=watcher.remark) as executor,
        ):
            index = runner.run(
                resolved,
                results,
                executor=executor,
                progress=watcher,
                mirror=mirror,
                retry_lost=retry_lost,
                checkpoint_seconds=checkpoint_seconds,
            )
        material = exhibits.without_pictures(index, results)
        parts = tables.parts(material.outcomes, style="full")
        click.echo(rendering.render(parts, form="markdown", label=index.name))
        if mirror.wants_page(index):
            shown = exhibits.with_pictures(material, results, with_images=False, warn=_warn)
            table_markdown, files = exhibits.page(shown, parts)
            mirror.finish(index, table_markdown, files=files)


@main.command()
@options.study_file
@options.variant
@options.places
@click.option(
    "--no-calibration",
    is_flag=True,
    help="Do not try out what a run costs; leaves out the expected time and memory.",
)
@click.option(
    "--machines",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Expect the study to run on so many machines like this one.",
)
@click.option(
    "--hourly-price",
    type=click.FloatRange(min=0),
    help="Of one such machine, in any currency: what the study will cost.",
)
def plan(
    study: Path,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    place: Place,
    no_calibration: bool,
    machines: int,
    hourly_price: float | None,
) -> None:
    """List the runs of STUDY, done or to be trained and why, and the time and memory to expect."""
    from repro import machine, runner, staleness
    from repro.executors.places import executor_at

    resolved = _load(study, profile, overrides)
    with executor_at(place, resolved.resources, remark=_warn) as executor:
        planned = runner.plan(resolved, results, computation=executor.computation)
    slots = machine.slots(place.device, place.workers, resolved.resources)
    missing = planned.missing
    why = staleness.reasons(missing, planned.index, results)
    for task in planned.tasks:
        state = {"finished": "done", "failed": "failed"}.get(planned.states[task.key], "to run")
        reason = f": {why[task.key]}" if task.key in why else ""
        click.echo(f"{state:7} {task.key} {task.title}{reason}")
    total = len(planned.tasks)
    click.echo(f"{total} runs: {total - len(missing)} have a record, {len(missing)} to run")
    if missing and not no_calibration:
        click.echo(_expected(missing, slots, machines, hourly_price))


@main.command()
@click.argument("study")
@options.variant
@options.places
@click.option(
    "--runs",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many, dealt over the arms: one of each before a second of any.",
)
def verify(
    study: str,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    place: Place,
    runs: int,
) -> None:
    """Train ended runs of STUDY, a name or a file, again, and compare them bit by bit."""
    from repro import lookup, verification
    from repro.executors.places import executor_at
    from repro.resources import PLAIN

    indexes = lookup.studies(results, study, profile=profile, overrides=overrides)
    same = total = 0
    with executor_at(place, PLAIN, remark=_warn) as executor:
        for index in indexes:
            for comparison in verification.verify(index, results, runs=runs, executor=executor):
                click.echo(comparison)
                same, total = same + (not comparison.differences), total + 1
    click.echo(f"{same} of {total} runs came out the same to the last bit")
    sys.exit(0 if same == total else 1)


@main.command()
@options.results
def doctor(results: Path) -> None:
    """Say what in the results folder is whole, what is not, and what to do about it."""
    from repro import doctor as examination

    findings = examination.examine(results)
    click.echo(examination.summary(findings))
    sys.exit(1 if examination.needs_mending(findings) else 0)


@main.command()
@options.results
def status(results: Path) -> None:
    """Say how far every study in the results folder is."""
    from repro import records

    indexes = records.read_indexes(results)
    if not indexes:
        click.echo(f"No study in {results} yet. Start one: repro run studies/alpha_sweep.yaml")
    for index in indexes:
        found = records.read_study(index, results).values()
        failed = sum(not record.finished for record in found)
        wanted = sum(len(arm.keys) for arm in index.arms)
        click.echo(
            f"{index.name} ({index.variant}): {len(found)} of {wanted} runs ended, {failed} failed"
        )


@main.command()
@click.argument("study", required=False)
@options.variant
@options.form("latex")
@options.presentation(*options.PARTS, "curve")
def table(
    study: str | None,
    profile: str | None,
    overrides: tuple[str, ...],
    results: Path,
    form: Any,
    style: Any,
    definition: str | None,
    part: str | None,
) -> None:
    """Print the table of STUDY, a name or a file; of every study with results if none is named."""
    from repro import lookup

    indexes = lookup.studies(results, study, profile=profile, overrides=overrides)
    from repro import rendering, tables

    if form == "html" and len(indexes) > 1:
        several = ", ".join(f"{index.name} ({index.variant})" for index in indexes)
        raise ReproError(f"a page shows one study; name one, with --profile and --set: {several}")
    chosen: Any = style or ("full" if form in ("markdown", "html") else "paper")
    scores = chosen == "full" or part is not None
    shown = []
    for index in indexes:
        found = _outcomes(index, results, scores=scores)
        parts = tables.shown(found, form=form, style=chosen, definition=definition, which=part)
        shown.append(rendering.render(parts, form=form, label=found.label))
    click.echo("\n\n".join(shown))


@main.command()
@click.argument("study")
@options.variant
@options.with_images
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to [default: report/STUDY-VARIANT/figures].",
)
@click.option("--only", multiple=True, metavar="NAME", help="One figure alone; repeatable.")
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
    from repro import exhibits, lookup
    from repro.figures import files

    for index in lookup.studies(results, study, profile=profile, overrides=overrides):
        material = exhibits.of_study(index, results, with_images=with_images, warn=_warn)
        folder = out or REPORTS / f"{index.name}-{index.variant}" / "figures"
        for path in files.write(material, folder, only=only):
            click.echo(path)
        _say_what_is_left_out(material, with_images)


@main.command()
@click.argument("studies", nargs=-1, required=True)
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
    from repro import exhibits, lookup
    from repro.report import files

    chapters = {}
    for study in studies:
        for index in lookup.studies(results, study, profile=profile, overrides=overrides):
            material = exhibits.of_study(index, results, with_images=with_images, warn=_warn)
            chapters[f"{index.name}-{index.variant}"] = exhibits.chapter(
                material, study_file=lookup.study_file(study, index)
            )
            _say_what_is_left_out(material, with_images)
    for path in files.build([*chapters.values()], out or REPORTS / "+".join(chapters), title=title):
        click.echo(path)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--alone", is_flag=True, help="Do not read along files beside it with the same arms.")
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
    help="Of values read off a drawing, in percent points.",
)
@click.option(
    "--published",
    type=click.Path(path_type=Path),
    help="Printed numbers to judge by, as in studies/published/; the file says nothing about "
    "training, so that the protocol is the same is your word.",
)
@click.option(
    "--margin",
    nargs=2,
    type=click.FloatRange(min=0, min_open=True),
    metavar="RECALL VARIANCE",
    help="How far from print is still the same, in points and points squared.",
)
@options.form("markdown")
@options.presentation("findings", *options.PARTS)
def audit(
    files: tuple[Path, ...],
    alone: bool,
    images: int | None,
    keep: int | None,
    reference: str | None,
    reading_error: float,
    published: Path | None,
    margin: tuple[float, float] | None,
    form: Any,
    style: Any,
    definition: str | None,
    part: str | None,
) -> None:
    """Check numbers that somebody published: tables, statistics and forensic checks of CSV FILES.

    Columns: arm,alpha,run,group,n,detected (counts); arm,alpha,run,group,n,accuracy_percent or
    accuracy_fraction; arm,alpha,recall,variance (printed means); or arm,alpha and a column a group.
    """
    from repro import outcomes, rendering, tables
    from repro.audit.inspection import audit as inspect

    read = inspect(
        files,
        alone=alone,
        images=images,
        keep=keep,
        reference=reference,
        reading_error=reading_error,
    )
    found = list(read.outcomes)
    if published is not None:
        answers = _answers(published, margin)
        found = [outcomes.answering(one, *answers) for one in found]
    parts = tables.audited(read, found, style=style or "full", definition=definition)
    shown = tables.only(parts, part or ("findings" if form == "csv" else None))
    label = "-".join(dict.fromkeys(file.stem for file in files))
    click.echo(rendering.render(shown, form=form, label=label))


def _answers(
    published: Path, margin: tuple[float, float] | None
) -> "tuple[Published, Margin | None]":
    from repro.published import Margin, read

    if margin is None:
        return read(published), None
    return read(published), Margin(recall=margin[0], variance=margin[1])


@main.command()
@options.results
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535))
@click.argument("study", required=False)
def ui(study: str | None, results: Path, port: int) -> None:
    """Open the MLflow pages of the results on 127.0.0.1, grouped by arm, until Ctrl-C."""
    from repro.lookup import study_name
    from repro.ui import serve

    name = study_name(study) if study else None
    sys.exit(serve(results, port=port, open_study=name))


@main.command()
@options.results
@click.argument("study", required=False)
def sync(study: str | None, results: Path) -> None:
    """Make the MLflow pages equal to the records of STUDY, or of all studies."""
    from repro import exhibits, lookup, synchronisation, tables

    def page(index: "StudyIndex") -> tuple[str, dict[str, bytes]]:
        material = exhibits.of_study(index, results, with_images=False, warn=_warn)
        return exhibits.page(material, tables.parts(material.outcomes, style="full"))

    name = None
    if study is not None:
        name = lookup.studies(results, study, profile=None, overrides=())[0].name
    click.echo(synchronisation.synchronise(results, study=name, summary=page))


def _expected(
    missing: "Sequence[Task]", slots: list[str], machines: int, price: float | None
) -> str:
    """What the missing runs will cost, tried out on this machine."""
    from repro import calibration, forecast

    click.echo("Trying out on this machine what a run costs ...", err=True)
    expected = calibration.predict(missing, slots=slots, machines=machines)
    return forecast.in_words(expected, hourly_price=price)


def _warn(line: str) -> None:
    click.echo(f"Warning: {_printable(line)}", err=True)


def _printable(text: str) -> str:
    from repro.yamlfile import printable

    return "\n".join(map(printable, text.splitlines()))


def _say_what_is_left_out(material: "Material", with_images: bool) -> None:
    if not material.specimens and not with_images:
        click.echo("Pictures of real faces are left out; --with-images shows them.", err=True)


def _load(study: Path, profile: str | None, overrides: tuple[str, ...]) -> "Study":
    from repro.study import load

    return load(study, profile=profile, overrides=overrides)


def _outcomes(index: "StudyIndex", results: Path, *, scores: bool) -> "Outcomes":
    """What a study's records come to; scores of photographs are read only where asked for."""
    from repro import outcomes, records

    return outcomes.of_study(index, records.read_study(index, results), results if scores else None)


if __name__ == "__main__":
    main()
