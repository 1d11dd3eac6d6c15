"""A source of a plug-in in a study file: ``train: {source: mine, PARAMETER: VALUE}``.

As for rules and objectives, what stands beside the name are its parameters. They are checked by the
plug-in's own model, and the specification gets their defaults and the plug-in's digest.
"""

from collections.abc import Sequence
from typing import Any

from repro.errors import Problem
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Plugin
from repro.plugins.plugin_errors import PluginError
from repro.study import data_spec
from repro.study.merge import Layer, combined, did_you_mean, locate, merged
from repro.study.method_settings import checked_parameters
from repro.study.yaml_source import KeyPath, shown

# Stands for a source with mistakes, so that the model of the data adds no other to them.
WRONG = {"source": "unknown", "parameters": {}, "digest": "0" * 32}


def opened(layers: Sequence[Layer], catalogue: Catalogue, problems: list[Problem]) -> list[Layer]:
    """The layers of an arm with each source of a plug-in checked and filled in.

    Args:
        layers: The lowest first.
        catalogue: Of sources.
        problems: Mistakes are added, each at its place.
    """
    found = list(layers)
    for role in data_spec.ROLES:
        name = merged(layers, ("data", role, "source"))
        if isinstance(name, str) and name not in data_spec.NAMES:
            found += _of_plugin(layers, role, name, catalogue, problems)
    return found


def _of_plugin(
    layers: Sequence[Layer], role: str, name: str, catalogue: Catalogue, problems: list[Problem]
) -> list[Layer]:
    """Layers that put the specification in the place of what was written."""
    spec: dict[str, Any] = {**WRONG}
    try:
        plugin = catalogue.find("source", name)
        message = _unknown(name, role, catalogue) if plugin is None else _misplaced(plugin, role)
        if plugin is not None and plugin.origin is not None and not message:
            filled = checked_parameters(plugin, [_parameters(layers, role)], problems)
            spec = {"source": name, "parameters": filled, "digest": plugin.origin.digest}
    except PluginError as error:
        message = str(error)
    place = locate(("data", role, "source"), layers)
    if message and place:
        problem = place[0].problem(place[1], message)
        problems += [problem] if problem not in problems else []
    return [Layer({"data": {role: None}}), Layer({"data": {role: spec}})]


def _unknown(name: str, role: str, catalogue: Catalogue) -> str:
    own = (one.name for one in catalogue if one.kind == "source" and one.role == role)
    known = [*data_spec.NAMES_OF[role], *own]
    return f"data.{role}: {shown(name)} is not one of {', '.join(known)}{did_you_mean(name, known)}"


def _misplaced(plugin: Plugin, role: str) -> str:
    """What is said of a source of another role; empty if it is of this one."""
    if plugin.role == role:
        return ""
    return f"data.{role}: the source '{plugin.name}' gives data.{plugin.role}"


def _parameters(layers: Sequence[Layer], role: str) -> Layer:
    start: KeyPath = ("data", role)
    given = {key: value for key, value in merged(layers, start).items() if key != "source"}
    origins = combined(layers).origins
    return Layer(given, {path[2:]: at for path, at in origins.items() if path[:2] == start})
