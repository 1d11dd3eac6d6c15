"""``repro studies``: which studies can be run by name."""

import textwrap
from typing import TYPE_CHECKING

import click

from repro.errors import ReproError
from repro.system.printing import one_line, say

if TYPE_CHECKING:
    from repro.study.study import Study
    from repro.study.study_files import StudyFile

WIDTH = 100  # columns
INDENT = 4


@click.command()
def studies() -> None:
    """List the studies that can be run by name: question, arms, runs, expected time."""
    from repro.study import study_files

    found = study_files.listed()
    say("\n\n".join(map(_described, found)))


def _described(file: "StudyFile") -> str:
    """A study as a paragraph; for one that cannot be read, the first reason."""
    from repro.study import study

    try:
        if plugins := _plugins(file):
            lines = [file.name, f"uses plug-ins, which are not run for this list: {plugins}"]
        else:
            read = study.load(file.path)
            lines = [file.name, read.question, _size(read)]
    except ReproError as error:
        lines = [f"{file.name}: cannot be read", str(error).splitlines()[0]]
    lines.append(_origin(file))
    first, *others = (one_line(line) for line in lines)
    return "\n".join([first, *map(_indented, others)])


def _plugins(file: "StudyFile") -> str:
    """The plug-ins that a study file lists, in one line."""
    from repro.study import plugin_files, yaml_source

    content = yaml_source.read(file.path).value
    listed = content.get(plugin_files.KEY) if isinstance(content, dict) else None
    return ", ".join(map(str, listed)) if isinstance(listed, list) else ""


def _size(read: "Study") -> str:
    """Arms, runs, and the expected time of the default profile."""
    arms, runs = len(read.arms), len(read.arms) * read.replicates
    expected = read.expected or f"time: repro plan {read.name}"
    size = f"{arms} arm{'s' * (arms > 1)}, {runs} run{'s' * (runs > 1)}"
    return f"{size}; profile {read.profile}: {expected}"


def _origin(file: "StudyFile") -> str:
    if file.hides:
        return f"local: {file.path}, in place of the shipped one"
    return f"shipped: {file.path}" if file.is_shipped else f"local: {file.path}"


def _indented(line: str) -> str:
    blank = " " * INDENT
    return textwrap.fill(
        line, WIDTH, initial_indent=blank, subsequent_indent=blank, break_long_words=False
    )
