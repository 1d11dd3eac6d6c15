"""``repro plugins``: what a study can name, and where from; nothing of a plug-in is run."""

from typing import TYPE_CHECKING

import click

from repro.cli import completion_words
from repro.system.printing import one_line, say

if TYPE_CHECKING:
    from repro.plugins.listing import Listed
    from repro.plugins.plugin_text import PluginText


@click.command()
@click.argument("study", required=False, shell_complete=completion_words.studies)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plugins(study: str | None, as_json: bool) -> None:
    """List rules, objectives, models, metrics and sources: built-in, installed, and those of STUDY.

    Nothing is imported or run: files are read for their decorators, and installed packages for
    their entry points.
    """
    from repro.plugins import listing
    from repro.reporting.tables.json_output import document
    from repro.study import methods

    found = listing.everything(methods.BUILT_IN, _texts(study) if study else [])
    if as_json:
        say(document("plugins", plugins=[_fields(one) for one in found]))
        return
    say("\n".join(_lines(found)))


def _texts(wanted: str) -> "list[PluginText]":
    """The plug-ins that a study's file lists, read.

    Raises:
        StudyError: The file, or one of them, cannot be read.
    """
    from repro.errors import Problem, StudyError
    from repro.study import plugin_files, study_files, yaml_source
    from repro.study.yaml_source import KeyPath

    path = study_files.find(wanted).path
    file = yaml_source.read(path)
    problems: list[Problem] = list(file.problems)

    def report(place: KeyPath, message: str) -> None:
        problems.append(file.problem(place, message))

    listed = file.value.get(plugin_files.KEY, []) if isinstance(file.value, dict) else []
    texts = plugin_files.read(listed, path.parent, report)
    if problems:
        raise StudyError(problems)
    return texts


def _lines(found: "list[Listed]") -> list[str]:
    """A line for each, in columns; what is wrong with one is on a line of its own."""
    kinds, names, places = (
        max(len(one_line(text)) for text in texts)
        for texts in zip(*((one.kind, one.name, one.where) for one in found), strict=True)
    )
    told = []
    for one in found:
        cells = (
            one.kind.ljust(kinds),
            one_line(one.name).ljust(names),
            one_line(one.where).ljust(places),
            one.digest,
        )
        told.append("  ".join(cells).rstrip())
        if one.problem:
            told.append(f"    cannot be used: {one_line(one.problem)}")
    return told


def _fields(one: "Listed") -> dict[str, str | None]:
    return {
        "kind": one.kind,
        "name": one.name,
        "from": one.where,
        "digest": one.digest or None,
        "problem": one.problem or None,
    }
