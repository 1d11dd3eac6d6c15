"""Completions for a shell: studies, profiles, choices, arms and runs. Loads nothing heavy.

Anything that cannot be read gives no completions: errors are not shown here.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from repro.errors import ReproError
from repro.system import regular_file

MOST_BYTES = 8 << 20  # of an index
UNREADABLE = (
    ReproError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
)
MOST = 200  # maximum number of words offered
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completer(words: Callable[[click.Context, str], Iterable[str]]) -> Completer:
    def complete(
        context: click.Context, _: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            found = [word for word in words(context, incomplete) if word.startswith(incomplete)]
        except UNREADABLE:
            return []
        return [CompletionItem(word) for word in dict.fromkeys(found[:MOST])]

    return complete


@_completer
def studies(_: click.Context, incomplete: str) -> Iterator[str]:
    """Names of studies, or paths of study files and bundles if the word looks like a path."""
    from repro.study import study_files

    if "/" in incomplete or incomplete.startswith("."):
        folder = Path(incomplete if incomplete.endswith("/") else Path(incomplete).parent)
        for path in sorted(folder.iterdir()):
            if path.is_dir() or path.suffix in (*study_files.ENDINGS, study_files.BUNDLE):
                yield f"{path}/" if path.is_dir() else str(path)
    else:
        yield from (one.name for one in study_files.listed())


@_completer
def profiles(context: click.Context, _: str) -> Iterator[str]:
    """Profiles of the study on the command line."""
    yield from _study(context).get("profiles", {})


@_completer
def arms(context: click.Context, _: str) -> Iterator[str]:
    """Arms of the study on the command line, as named in its results."""
    name = Path(_study_word(context)).stem.partition("@")[0]
    for index in _indexes(context, name or "*"):
        yield from (arm["name"] for arm in index["arms"])


@_completer
def detectors(context: click.Context, _: str) -> Iterator[str]:
    """Detectors that were scored for the study on the command line."""
    from repro.records.records import RECORD

    name = Path(_study_word(context)).stem.partition("@")[0]
    for index in _indexes(context, name or "*"):
        for key in index.get("detectors", ()):
            path = _results(context) / "detectors" / Path(key).name / RECORD
            yield str(json.loads(regular_file.read(path, at_most=MOST_BYTES))["name"])


@_completer
def choices(_: click.Context, incomplete: str) -> Iterator[str]:
    """Keys of choices, up to and including the sign before the value."""
    from repro.study.presets import PRESETS

    if "=" not in incomplete:
        found = {key for preset in PRESETS.values() for key in _keys(preset)}
        yield from (f"{key}=" for key in sorted({*found, *DATA, "replicates", "seeds.first"}))


@_completer
def runs(context: click.Context, incomplete: str) -> Iterator[str]:
    """STUDY/ARM/SEED, completed part by part, and the keys of records."""
    from repro.cli.run_names import plain

    study, slash, rest = incomplete.partition("/")
    if not slash:
        yield from sorted(f"{_address(index)}/" for index in _indexes(context))
        if incomplete:
            folder = _results(context) / "runs"
            yield from sorted(path.name for path in folder.glob(f"{incomplete}*-seed*"))
        return
    for index in _indexes(context, study.partition("@")[0]):
        for arm in index["arms"] if _address(index) == study else ():
            name = f"{study}/{plain(arm['name'])}/"
            seeds = [f"{name}{seed}" for seed in range(len(arm["keys"]))]
            yield from seeds if "/" in rest else [name]


DATA = ("data.train", "data.test", "data.nonfaces")


def _keys(preset: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in preset.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _study(context: click.Context) -> Any:
    """The content of the study file named on the command line."""
    from repro.study import study_files, yaml_source

    return yaml_source.read(study_files.find(_study_word(context)).path).value


def _study_word(context: click.Context) -> str:
    """The study on the command line, which click does not parse if an option lacks a value."""
    rest = (word for word in context.args if not word.startswith("-"))
    return str(context.params.get("study") or next(rest, ""))


def _indexes(context: click.Context, name: str = "*") -> Iterator[dict[str, Any]]:
    """Indexes of a results folder, as plain values, unchecked."""
    for path in sorted((_results(context) / "studies").glob(f"{name}/*.json")):
        yield json.loads(regular_file.read(path, at_most=MOST_BYTES))


def _address(index: dict[str, Any]) -> str:
    """NAME of an unchanged study, NAME@ID if something was changed."""
    if not index["overrides"]:
        return str(index["name"])
    return f"{index['name']}@{index['variant'].removeprefix(index['profile'] + '-')}"


def _results(context: click.Context) -> Path:
    return Path(context.params.get("results") or "results")
