"""Mistakes of arms that start from the finished run of another arm: which, and from what."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from repro.errors import Problem
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Plugin
from repro.study import methods
from repro.study.configuration import Configuration
from repro.study.merge import did_you_mean
from repro.study.yaml_source import KeyPath, shown

if TYPE_CHECKING:
    from repro.study.arm import ArmSpec

Mistake = tuple[KeyPath, str]  # the setting that is wrong, and a sentence
SAME_IMAGES = (("data", "train"), ("validation_share",))  # so that both train on the same ones
PLACEBO = "a placebo is its arm but for the faces that get the weights"


def problems(arms: "Sequence[ArmSpec]", catalogue: Catalogue) -> Iterator[Problem]:
    """Mistakes of all arms of a study, each at its place in the file.

    Args:
        arms: All of them, resolved.
        catalogue: Where their rules are found, plug-ins among them.
    """
    by_name = {arm.name: arm.configuration for arm in arms}
    for arm in arms:
        if arm.configuration.source_arm is not None:
            for path, message in _of_arm(arm.name, by_name, catalogue):
                yield arm.problem([path], message)


def _of_arm(
    name: str, arms: Mapping[str, Configuration], catalogue: Catalogue
) -> Iterator[Mistake]:
    configuration = arms[name]
    section = "resampling" if configuration.resampling.of is not None else "objective"
    of, place = configuration.source_arm, (section, "of")
    assert of is not None
    if of == name:
        yield place, "an arm cannot start from its own runs: name another arm"
    elif of not in arms:
        yield place, _unknown(of, list(arms))
    elif cycle := _cycle(name, arms):
        yield place, f"these arms wait for each other: {' -> '.join(cycle)}: leave one 'of' out"
    else:
        yield from _of_pair(configuration, arms[of], of, place, catalogue)


def _unknown(of: str, arms: Sequence[str]) -> str:
    """What to name in place of an arm that there is not."""
    swept = [name for name in arms if name.startswith(f"{of}, ")]
    if swept:
        return f"{shown(of)} is a sweep: name one of its arms, {' or '.join(map(shown, swept))}"
    return f"unknown arm {shown(of)}{did_you_mean(of, arms)}; the arms are: {', '.join(arms)}"


def _cycle(name: str, arms: Mapping[str, Configuration]) -> list[str]:
    """The arms from one to its source, and so on, until it comes again; empty if it does not."""
    way = [name]
    while True:
        of = arms[way[-1]].source_arm
        if of is None or of not in arms:
            return []
        if of in way:
            return [*way, of] if of == name else []
        way.append(of)


def _of_pair(
    arm: Configuration, source: Configuration, of: str, place: KeyPath, catalogue: Catalogue
) -> Iterator[Mistake]:
    """An arm and the arm that it starts from, of the name `of`."""
    if methods.replays(arm):
        yield from _of_replay(arm, source, of, place, catalogue)
        return
    for path in SAME_IMAGES:
        if (mine := _at(arm, path)) != (its := _at(source, path)):
            yield path, _differs(path, mine, its, of, "one starts from the other's runs")
    if arm.resampling.rule == "frozen" and not source.latents:
        yield place, f"{shown(of)} is a classifier, which has no latents: name an arm that has"
    objective = methods.objective(arm, catalogue)
    if objective.held_out and source.checkpoint != "last":
        yield (
            ("objective", "of"),
            f"{shown(of)} has checkpoint: {source.checkpoint}, chosen on the held-out images that "
            f"the {objective.title} fits: give it checkpoint: last",
        )
    if not objective.trains:
        yield from _of_network(arm, source, of, objective)


def _of_replay(
    arm: Configuration, source: Configuration, of: str, place: KeyPath, catalogue: Catalogue
) -> Iterator[Mistake]:
    """A placebo is its arm but for the faces that get the weights."""
    if source.resampling.rule == "none":
        yield place, f"{shown(of)} draws all faces alike: name an arm with weights to deal"
        return
    if why := _draws_otherwise(source, catalogue):
        yield place, f"{shown(of)} {why}: name an arm that draws faces by weights"
        return
    mine, its = _leaves(arm.settings()), _leaves(source.settings())
    mine |= _leaves({"data": arm.data.model_dump(mode="json")})
    its |= _leaves({"data": source.data.model_dump(mode="json")})
    for path in {**mine, **its}:
        if path[0] != "resampling" and mine.get(path) != its.get(path):
            yield path, _differs(path, mine.get(path), its.get(path), of, PLACEBO)
            return
    for name in ("replacement", "balance", "uniform_epochs"):
        path = ("resampling", name)
        if (drawn := _at(arm, path)) != (other := _at(source, path)):
            yield path, _differs(path, drawn, other, of, PLACEBO)
            return


def _draws_otherwise(source: Configuration, catalogue: Catalogue) -> str:
    """What else than its weights of faces the draws of an arm depend on; empty if nothing."""
    resampling = source.resampling
    rule = catalogue.find("rule", resampling.rule)
    if rule is not None and rule.scope == "loss":
        return "draws all faces alike and weights their losses, and a placebo draws by its weights"
    if resampling.rule == "jtt" and resampling.parameters.get("nonfaces") != "even":
        return "also weights images without a face (nonfaces), and a placebo deals those of faces"
    return ""


def _of_network(
    arm: Configuration, source: Configuration, of: str, objective: Plugin
) -> Iterator[Mistake]:
    """An arm without epochs, whose network is its source's."""
    why = f"the {objective.title} takes over its network"
    for path in (("architecture",), ("model",), ("latent_dim",)):
        if (mine := _at(arm, path)) != (its := _at(source, path)):
            yield path, _differs(path, mine, its, of, why)


def _differs(path: KeyPath, mine: Any, its: Any, of: str, why: str) -> str:
    key = ".".join(map(str, path))
    return f"{key} is {_told(mine)} here and {_told(its)} in {shown(of)}: make both alike, as {why}"


def _told(value: Any) -> str:
    return "absent" if value is None else shown(value)


def _at(configuration: Configuration, path: KeyPath) -> Any:
    value: Any = configuration.model_dump(mode="json")
    for key in path:
        value = value[key]
    return value


def _leaves(tree: Mapping[str, Any], start: KeyPath = ()) -> dict[KeyPath, Any]:
    found: dict[KeyPath, Any] = {}
    for name, value in tree.items():
        path = (*start, name)
        found |= _leaves(value, path) if isinstance(value, Mapping) else {path: value}
    return found
