"""Settings of methods as a study file has them: a name, and parameters beside it.

``resampling: {rule: placebo, of: alpha = 0.01, within: groups}``: what the section itself does not
know are parameters of the method. They are checked by the method's own model, defaults are filled
in, and they become ``parameters`` of the section. Whoever names another method in an upper layer
leaves the parameters of the lower one behind.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from repro.errors import Problem
from repro.plugins import calls
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Kind, Plugin
from repro.plugins.plugin_errors import PluginError
from repro.study import yaml_source
from repro.study.configuration import Configuration, Network, Objective, Resampling, renamed
from repro.study.merge import Layer, Origins, did_you_mean, locate, merged, validate
from repro.study.section import Section
from repro.study.yaml_source import KeyPath, shown

PARAMETERS = "parameters"


@dataclass(frozen=True, slots=True)
class _Named:
    """A section of a configuration that names a method."""

    section: str
    key: str  # of the method's name
    kind: Kind
    model: type[Section]

    @property
    def known(self) -> set[str]:
        """Keys of the section that are no parameters."""
        return set(self.model.model_fields) - {PARAMETERS}


SECTIONS = (
    _Named("resampling", "rule", "rule", Resampling),
    _Named("objective", "name", "objective", Objective),
    _Named("architecture", "name", "model", Network),
)


def current(layer: Layer, problems: list[Problem]) -> Layer:
    """A layer with today's names: ``rule`` for ``combine``, a network's name in its section."""
    value, origins = dict(layer.value), layer.origins
    resampling = value.get("resampling")
    if isinstance(resampling, dict) and "combine" in resampling:
        if "rule" in resampling:
            message = "'combine' is the former name of 'rule': keep one of them"
            _note([layer], ("resampling", "combine"), message, problems)
            resampling = {key: resampling[key] for key in resampling if key != "combine"}
        value["resampling"] = renamed(resampling)
        origins = _moved(origins, ("resampling", "combine"), ("resampling", "rule"))
    if isinstance(value.get("architecture"), str):
        value["architecture"] = {"name": value["architecture"]}
        if ("architecture",) in origins:
            place = origins["architecture",]
            origins = {**origins, ("architecture", "name"): place}
    return Layer(value, origins)


def _moved(origins: Origins, old: KeyPath, new: KeyPath) -> Origins:
    return {new if path == old else path: place for path, place in origins.items()}


def _note(layers: Sequence[Layer], path: KeyPath, message: str, problems: list[Problem]) -> None:
    found = locate(path, layers)
    problem = (
        found[0].problem(found[1], message) if found else yaml_source.problem("study", message)
    )
    if problem not in problems:
        problems.append(problem)


def opened(layers: Sequence[Layer], catalogue: Catalogue, problems: list[Problem]) -> list[Layer]:
    """The layers with each method's parameters checked and filled in.

    Args:
        layers: Of one arm, the lowest first, with today's names.
        catalogue: Of methods.
        problems: Mistakes are added, each at its place.
    """
    found = list(layers)
    for named in SECTIONS:
        found = _section_opened(found, named, catalogue, problems)
    return found


def _section_opened(
    layers: list[Layer], named: _Named, catalogue: Catalogue, problems: list[Problem]
) -> list[Layer]:
    rest, own = _split(layers, named)
    name = merged(rest, (named.section, named.key))
    if not isinstance(name, str):
        return rest  # the section itself is wrong or absent, which its own model says
    try:
        plugin = catalogue.find(named.kind, name)
    except PluginError as error:  # of an installed one
        _note(rest, (named.section, named.key), str(error), problems)
        return rest
    if plugin is None:
        known = catalogue.names(named.kind)
        where = named.section if named.kind == "model" else f"{named.section}.{named.key}"
        what = f"{shown(name)} is not one of {', '.join(known)}{did_you_mean(name, known)}"
        _note(rest, (named.section, named.key), f"{where}: {what}", problems)
        return rest
    if hidden := sorted(named.known & set(plugin.parameters.model_fields)):
        message = (
            f"the {plugin.title} has a parameter '{hidden[0]}', which {named.section} has already: "
            "give it another name"
        )
        _note(rest, (named.section, named.key), message, problems)
        return rest
    try:
        filled = checked_parameters(plugin, own, problems, beside=named.known)
    except PluginError as error:
        _note(rest, (named.section, named.key), str(error), problems)
        return rest
    return [*rest, Layer({named.section: {PARAMETERS: filled}})] if filled else rest


def checked_parameters(
    plugin: Plugin,
    layers: Sequence[Layer],
    problems: list[Problem],
    *,
    beside: Collection[str] = (),
) -> dict[str, Any]:
    """Parameters with their defaults, as plain values; none if there are mistakes.

    Args:
        plugin: Whose model checks them: its validators and defaults are its own code.
        layers: Of the parameters, the lowest first.
        problems: Mistakes are added.
        beside: Further keys that are allowed there.

    Raises:
        PluginError: The model itself raised an exception, or a value is not the same after JSON.
    """
    with calls.own_code(plugin):
        checked = validate(plugin.parameters, layers, problems, beside=beside)
        filled = {} if checked is None else checked.model_dump(mode="json")
        if checked is not None:
            plugin.typed(filled)  # as a worker does, which gets plain values
        return filled


def _split(layers: Sequence[Layer], named: _Named) -> tuple[list[Layer], list[Layer]]:
    """The layers without parameters of methods, and those of the method that is named last."""
    rest: list[Layer] = []
    own: list[Layer] = []
    name: Any = None
    for layer in layers:
        section = layer.value.get(named.section)
        if not isinstance(section, dict):
            rest.append(layer)
            continue
        if section.get(named.key, name) != name:
            name, own = section[named.key], []
        kept = {key: value for key, value in section.items() if key in named.known}
        rest.append(
            Layer({**layer.value, named.section: kept}, _without(layer.origins, named, section))
        )
        own.append(_parameters(layer, named, section))
    return rest, own


def _without(origins: Origins, named: _Named, section: dict[str, Any]) -> Origins:
    moved = {key for key in section if key not in named.known}
    return {
        path: place
        for path, place in origins.items()
        if not (path[:1] == (named.section,) and len(path) > 1 and path[1] in moved)
    }


def _parameters(layer: Layer, named: _Named, section: dict[str, Any]) -> Layer:
    values = {key: value for key, value in section.items() if key not in named.known}
    start = (named.section,)
    origins = {
        path[1:]: place
        for path, place in layer.origins.items()
        if path[:1] == start and (len(path) == 1 or path[1] in values)
    }
    return Layer(values, origins)


def flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings by the keys of a study file: parameters beside the other keys of their section."""
    found = dict(settings)
    for named in SECTIONS:
        section = found.get(named.section)
        if isinstance(section, dict):
            rest = {key: value for key, value in section.items() if key != PARAMETERS}
            found[named.section] = rest | section.get(PARAMETERS, {})
    return found


def named(settings: dict[str, Any]) -> dict[str, Any]:
    """As `flat`, with the name of a network in its section, as layers have it."""
    found = flat(settings)
    if isinstance(found.get("architecture"), str):
        found["architecture"] = {"name": found["architecture"]}
    return found


def problems_of(
    configuration: Configuration, catalogue: Catalogue
) -> Iterator[tuple[list[KeyPath], str]]:
    """What an arm's methods lack: settings that are wrong, and a sentence."""
    of = {"resampling": configuration.resampling.of, "objective": configuration.objective.of}
    for named in SECTIONS:
        name = configuration.used[named.kind]
        plugin = catalogue.find(named.kind, name)
        if plugin is None:
            continue
        place: list[KeyPath] = [(named.section, named.key), (named.section,)]
        yield from ((place, why) for why in _lacking(plugin, of.get(named.section), configuration))


def _lacking(plugin: Plugin, of: str | None, configuration: Configuration) -> Iterator[str]:
    what = f"the {plugin.kind} '{plugin.name}'"
    if "source" in plugin.needs and of is None:
        yield f"{what} starts from a finished run: name its arm by 'of'"
    if "source" not in plugin.needs and of is not None:
        yield f"{what} starts from no other run: remove 'of'"
    if plugin.kind == "model" and plugin.origin is not None and configuration.model != "classifier":
        yield f"{what} is a plug-in's, which gives a logit alone: set model to 'classifier'"
    if "latents" in plugin.needs and not configuration.latents:
        yield f"{what} needs latents, and the classifier has none"
