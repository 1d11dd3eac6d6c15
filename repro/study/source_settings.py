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
from repro.study.merge import Layer, combined, locate, merged, validate
from repro.study.yaml_source import KeyPath


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

    def note(message: str) -> None:
        place = locate(("data", role, "source"), layers)
        problem = place[0].problem(place[1], message) if place else None
        if problem is not None and problem not in problems:
            problems.append(problem)

    try:
        plugin = catalogue.find("source", name)
    except PluginError as error:
        note(str(error))
        return []
    if plugin is None or plugin.origin is None:
        return []  # the model of the data says what is wrong
    if plugin.role != role:
        note(f"data.{role}: the source '{name}' is of {plugin.role}")
        return []
    checked = validate(plugin.parameters, [_parameters(layers, role)], problems)
    if checked is None:
        return []
    spec = _specification(plugin, checked.model_dump(mode="json"))
    return [Layer({"data": {role: None}}), Layer({"data": {role: spec}})]


def _specification(plugin: Plugin, parameters: dict[str, Any]) -> dict[str, Any]:
    assert plugin.origin is not None
    return {"source": plugin.name, "parameters": parameters, "digest": plugin.origin.digest}


def _parameters(layers: Sequence[Layer], role: str) -> Layer:
    start: KeyPath = ("data", role)
    given = {key: value for key, value in merged(layers, start).items() if key != "source"}
    origins = combined(layers).origins
    return Layer(given, {path[2:]: at for path, at in origins.items() if path[:2] == start})
