"""The plug-ins that a study file lists: read, told, and loaded into a catalogue of its own.

Nothing is run before every text has been read and its path and digest are printed.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from repro.errors import Problem, StudyError
from repro.plugins import installed, listing, plugin_module, plugin_text
from repro.plugins.catalogue import Catalogue, NameTaken
from repro.plugins.declared import Kind, Plugin
from repro.plugins.plugin_errors import PluginError
from repro.plugins.plugin_text import Missing, PluginText
from repro.study import methods, yaml_source
from repro.study.yaml_source import KeyPath
from repro.system.printing import say

KEY = "plugins"  # of a study file
Report = Callable[[KeyPath, str], None]


def read(listed: Any, beside: Path, report: Report) -> list[PluginText]:
    """The texts of the plug-ins that a study file lists; nothing of them is run.

    Args:
        listed: The value of `plugins`, which need not be sound.
        beside: Folder of the study file.
        report: Told what cannot be read, with its place.
    """
    found: list[PluginText] = []
    for number, name in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(name, str) or not name:
            continue  # the header's model says so
        try:
            text = _read(beside, name)
        except PluginError as error:
            report((KEY, number), f"plugins: {error}")
            continue
        if any(one.digest == text.digest for one in found):
            report((KEY, number), f"plugins: {text.where} is listed twice: remove one")
        found.append(text)
    return found


def catalogue(texts: Iterable[PluginText], report: Report) -> Catalogue:
    """What is built in and what the texts declare, and installed plug-ins by their names.

    Args:
        texts: Of a study, in its order.
        report: Told what cannot be loaded, with its place.
    """
    found = Catalogue(methods.BUILT_IN.entries, _installed, installed.names)
    for number, text in enumerate(texts):
        _tell(text.where, text.digest)
        try:
            plugins = plugin_module.plugins_of(text)
            for one in plugins:
                _require_not_installed(one)
            found = found.with_plugins(plugins)
        except (PluginError, NameTaken) as error:
            report((KEY, number), str(error))
    return found


def of_file(path: Path, wanted: Collection[tuple[Kind, str]]) -> Catalogue:
    """What a study file's plug-ins declare, of some names; other files of plug-ins are not run.

    Records and tables need few of them: a file that is missing is as if nobody had listed it.

    Args:
        path: The study file.
        wanted: Kinds and names.

    Raises:
        StudyError: A plug-in with one of these names cannot be loaded.
        PluginError: None has, and a file is not Python.
    """
    file = yaml_source.read(path)
    listed = file.value.get(KEY) if isinstance(file.value, dict) else None
    numbers = {}
    failed: list[PluginError] = []
    for number, name in enumerate(listed if isinstance(listed, list) else []):
        try:
            text = _read(path.parent, str(name))
            if any((one.kind, one.name) in wanted for one in listing.of_text(text)):
                numbers[number] = text
        except PluginError as error:
            failed.append(error)
    problems: list[Problem] = []
    found = catalogue(
        numbers.values(), lambda place, message: problems.append(file.problem(place, message))
    )
    if problems:
        raise StudyError(problems)
    broken = [one for one in failed if not isinstance(one, Missing)]
    if broken and any(found.find(*one) is None for one in wanted):
        raise broken[0]
    return found


def _read(beside: Path, name: str) -> PluginText:
    """A plug-in that a study in this folder lists; neither may lie in a folder of results."""
    plugin_text.require_no_results(beside.resolve() / "study", str(beside))
    return plugin_text.read(beside / name)


def missing_now(path: Path, plugins: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Which of the plug-ins of some runs a study file has no more, or in another text.

    Nothing is run.

    Args:
        path: The study file.
        plugins: By kind and name, with their digests.
    """
    try:
        content = yaml_source.read(path).value
    except StudyError:
        return []
    listed = content.get(KEY) if isinstance(content, dict) else None
    here = {_digest(path.parent / str(one)) for one in (listed if isinstance(listed, list) else [])}
    return [
        title
        for title, one in plugins.items()
        if one["digest"] not in here and one["digest"] != _installed_digest(title)
    ]


def _digest(path: Path) -> str:
    try:
        return plugin_text.read(path).digest
    except PluginError:
        return ""


def _installed_digest(title: str) -> str:
    kind, _, name = title.partition(" ")
    try:
        one = installed.find(kind, name)
        return installed.digest(one) if one else ""
    except PluginError:
        return ""


def _require_not_installed(plugin: Plugin) -> None:
    other = installed.find(plugin.kind, plugin.name)
    if other is not None:
        assert plugin.origin is not None
        raise NameTaken(
            f"{plugin.origin.where}: there is a {plugin.kind} called '{plugin.name}' already, that "
            f"of {other.where}, which is installed: give this one another name"
        )


@functools.cache
def _installed(kind: Kind, name: str) -> Plugin | None:
    """The installed plug-in of this kind and name, loaded; None if there is none."""
    one = installed.find(kind, name)
    if one is None:
        return None
    _tell(one.where, installed.digest(one))
    return installed.load(one)


@functools.cache
def _tell(where: str, digest: str) -> None:
    """Say once in each process what is about to be run."""
    say(f"Plug-in: {where} ({digest})", err=True)
