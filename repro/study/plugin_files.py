"""The plug-ins that a study file lists: read, told, and loaded into a catalogue of its own.

Nothing is run before every text has been read and its path and digest are printed.
"""

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from repro.plugins import installed, plugin_module, plugin_text
from repro.plugins.catalogue import Catalogue, NameTaken
from repro.plugins.declared import Kind, Plugin
from repro.plugins.plugin_errors import PluginError
from repro.plugins.plugin_text import PluginText
from repro.study import methods
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
            text = plugin_text.read(beside / name)
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
    found = Catalogue(methods.BUILT_IN.entries, elsewhere=_installed)
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
