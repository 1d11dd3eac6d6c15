"""Footnotes on the methods of a table: what each is, its source, what it knows, what it costs."""

from collections.abc import Iterator, Mapping
from typing import Any

from repro.analysis import placebos
from repro.analysis.outcomes import Arm, Outcomes
from repro.plugins.declared import Kind, Plugin
from repro.reporting.tables.run_notes import few
from repro.study import methods
from repro.study.configuration import OF_DENSITY, OWN_ARCHITECTURES, STANDARD

PLAIN = {
    "none",
    *OF_DENSITY,
    STANDARD,
    *OWN_ARCHITECTURES,
}  # what the papers do, which their own columns explain
SECTIONS: tuple[tuple[str, str, Kind], ...] = (
    ("resampling", "rule", "rule"),
    ("objective", "name", "objective"),
    ("architecture", "name", "model"),
)


def of_methods(outcomes: Outcomes) -> list[str]:
    """A row for each method with its parameters, and one on an unusual choice of the epoch."""
    arms: dict[str, list[str]] = {}
    for arm in outcomes.arms:
        source = placebos.source_of(arm, outcomes.arms)
        for told in _told(arm.configured, source, outcomes.plugins):
            arms.setdefault(told, []).append(arm.name)
    every = len(outcomes.arms)
    return [
        f"{'All arms' if len(named) == every > 1 else ', '.join(few(named, 'arms'))}: {told}."
        for told, named in arms.items()
    ]


def _told(
    configured: Mapping[str, Any], source: Arm | None, plugins: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    for section, key, kind in SECTIONS:
        chosen = configured.get(section)
        if isinstance(chosen, Mapping) and (name := chosen.get(key, STANDARD)) not in PLAIN:
            parameters = chosen.get("parameters", {})
            method = methods.BUILT_IN.find(kind, name)
            own = plugins.get(f"{kind} {name}", {})
            words = [*_words(method, kind, name, parameters, own)]
            if method is not None and "source" in method.needs and source is not None:
                words.append(f"its source runs are those of “{source.name}”")
            yield "; ".join(words)
    if configured.get("checkpoint") == "worst_class":
        yield (
            "the network is that of the epoch with the highest recall of the worse class on the "
            "validation images at logit 0, ties to the latest (Yang et al. 2023); it selects for "
            "few false alarms where these are the worse side; no groups are known"
        )


def _words(
    method: Plugin | None,
    kind: Kind,
    name: str,
    parameters: Mapping[str, Any],
    own: Mapping[str, str],
) -> Iterator[str]:
    """What is declared of a method, part by part; `own` is what a plug-in says of itself."""
    if method is None:
        source = f" ({own['paper']})" if "paper" in own else ""
        yield f"{kind} {name}{source}, a plug-in"
        if "groups" in own:
            yield own["groups"]
        if "cost" in own:
            yield f"extra cost: {own['cost']}"
    else:
        source = f" ({method.paper})" if method.paper else ""
        yield f"{kind} {name}{source} {method.what}"
        yield methods.known_groups(method, dict(parameters))
        yield f"extra cost: {method.cost}"
    if parameters.get("labels") == "estimated":
        yield "balanced by estimate: the groups are a classifier's guesses"
    if parameters:
        yield ", ".join(f"{key} = {_value(value)}" for key, value in parameters.items())


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
