"""``repro data``: prepare, inspect and fetch data sets. Heavy imports stay inside the commands."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from click.shell_completion import CompletionItem

from repro.cli.shared import Group, warn
from repro.execution.executors.executor_options import MOST_WORKERS
from repro.system import machine
from repro.system.printing import say

if TYPE_CHECKING:
    from repro.data.catalogue import Entry
    from repro.data.preparation import Prepared

FILE = click.Path(path_type=Path)


class _Layout(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4
    """A choice of the layouts that the sources register; they are loaded only when needed."""

    name = "layout"

    @property
    def choice(self) -> "click.Choice[str]":
        """The choice of layouts."""
        from repro.data import any_layout

        return click.Choice(any_layout.kinds())

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert to one of the layouts."""
        return self.choice.convert(value, param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """All layouts, for the help of the command."""
        return self.choice.get_metavar(param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The layouts that begin with this text."""
        return self.choice.shell_complete(ctx, param, incomplete)


@click.group(cls=Group)
def data() -> None:
    """Prepare, inspect and fetch data sets."""


@data.command()
@click.option("--limit", type=click.IntRange(min=1), help="Pictures of each source at most.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Seed of random crops and of the choice under --limit.",
)
@click.option(
    "--workers", type=click.IntRange(1, MOST_WORKERS), help="Processes [default: one per core]."
)
@click.option(
    "--without",
    type=FILE,
    help="File of further class folders of ImageNet to leave out, one per line.",
)
@click.option(
    "--part",
    default="train",
    show_default=True,
    type=click.Choice(["train", "all"]),
    help="Part of CelebA's or FairFace's own partition.",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="COLUMN",
    help="Makes the groups of faces; repeatable [default: each source's own].",
)
@click.option(
    "--skip-unreadable", is_flag=True, help="Leave unreadable pictures out, and report them."
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.argument("out", type=FILE, metavar="OUT.h5")
def prepare(
    sources: tuple[str, ...],
    out: Path,
    limit: int | None,
    seed: int,
    workers: int | None,
    without: Path | None,
    part: Literal["train", "all"],
    groups: tuple[str, ...],
    skip_unreadable: bool,
) -> None:
    """Cut pictures to 64 x 64 and write them into one file for `data.train`.

    A SOURCE is KIND:PATH: celeba:DIR, celeba-aligned:DIR, fairface:DIR, utkface:DIR, groups:DIR,
    faces:DIR, imagenet:DIR, nonfaces:DIR, csv:FILE or mit_h5:FILE.
    """
    from repro.data import h5_writer, preparation, raw_sources
    from repro.data.sources import imagenet
    from repro.data.sources.source_registry import RawOptions

    h5_writer.require_new(out)
    classes = imagenet.names(imagenet.PEOPLE)
    if without is not None:
        classes |= imagenet.names(without)
    options = RawOptions(part=part, without=classes, seed=seed, groups=groups)
    read = [raw_sources.read(word, options) for word in sources]
    for remark in dict.fromkeys(line for source in read for line in source.remarks):
        warn(remark)
    prepared = preparation.prepare(
        [raw_sources.limited(source, limit, seed=seed) for source in read],
        out,
        seed=seed,
        workers=workers or machine.cores(),
        unreadable="skip" if skip_unreadable else "stop",
    )
    _say_prepared(prepared, out)


@data.command()
@click.option(
    "--as",
    "kind",
    type=_Layout(),
    help="What PATH is [default: guessed by its layout].",
)
@click.option(
    "--group", "groups", multiple=True, metavar="COLUMN", help="Makes groups; repeatable."
)
@click.option("--sheet", type=FILE, metavar="OUT.png", help="Write a contact sheet; shows faces.")
@click.argument("paths", nargs=-1, required=True, type=FILE, metavar="PATH...")
def info(paths: tuple[Path, ...], kind: str | None, groups: tuple[str, ...], sheet: Path) -> None:
    """Count what is in data sets, and find unfit, doubled and leaked pictures.

    A PATH is an .h5 file, a CSV, a folder of PPB, FairFace or UTKFace, or one of pictures. Of
    several, pictures that are in two of them are named.
    """
    from repro.data import any_layout, dataset_info, info_report
    from repro.system import atomic_files

    opened = [any_layout.read(path, kind=kind, groups=groups) for path in paths]
    surveys = [dataset_info.survey(each) for each in opened]
    say(info_report.text(surveys))
    if sheet is not None:
        content = info_report.sheet(surveys)
        say(atomic_files.put(sheet, content, advice="pass --sheet with another name"))


@data.command()
@click.option(
    "--to",
    "folder",
    default=Path(),
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the file [default: this one].",
)
@click.option("--list", "listing", is_flag=True, help="List the catalogue and stop.")
@click.option("--catalogue", type=FILE, help="Your own catalogue instead of the shipped one.")
@click.argument("name", required=False)
def fetch(name: str | None, folder: Path, listing: bool, catalogue: Path | None) -> None:
    """Download the data set NAME, or say where to ask for it."""
    from repro.data import catalogue as catalogues

    entries = catalogues.read(catalogue or catalogues.OURS)
    if listing or name is None:
        for each, entry in entries.items():
            _say_entry(each, entry)
        return
    entry = catalogues.one(entries, name)
    _say_entry(name, entry)
    if entry.url is None:
        return
    from repro.data import download

    fetched = download.fetch(entry, folder)
    say(f"{fetched.path}: {'already there' if fetched.was_there else 'downloaded'}")
    checked = (
        "as the catalogue says"
        if fetched.is_checked
        else "not checked, because none is published; the size is right"
    )
    say(f"sha256 {fetched.sha256}: {checked}")


def _say_prepared(prepared: "Prepared", out: Path) -> None:
    for source in prepared.sources:
        left_out = ", ".join(f"{count:,} {why}" for why, count in source.left_out.items())
        say(
            f"{source.kind}: {source.faces:,} faces, {source.nonfaces:,} non-faces; "
            f"left out: {left_out or 'none'}; terms: {source.terms}"
        )
    for problem in prepared.problems:
        say(f"Warning: left out: {problem}", err=True)
    faces = sum(source.faces for source in prepared.sources)
    others = sum(source.nonfaces for source in prepared.sources)
    say(
        f"{out}: {faces + others:,} images, {faces:,} faces and {others:,} non-faces; "
        f"sha256 of images and labels {prepared.sha256}"
    )


def _say_entry(name: str, entry: "Entry") -> None:
    say(f"{name}: {entry.what}")
    say(f"  terms: {entry.terms}")
    if entry.note:
        say(f"  note: {entry.note}")
    where = f"ask {entry.ask}" if entry.ask else f"{entry.url} ({entry.size:,} bytes)"
    say(f"  where: {where}")
