"""From the text of a study file to its arms: layers are merged, and every mistake is collected.

The layers of an arm are preset, base, profile, ``--set`` and the arm's own; the later one wins.
This module uses no data, results or torch.
"""

import itertools
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from repro.errors import Problem, StudyError
from repro.plugins.catalogue import Catalogue
from repro.study import (
    method_settings,
    plugin_files,
    published,
    shared_profiles,
    source_checks,
    source_settings,
    study_checks,
    study_files,
    yaml_source,
)
from repro.study.arm import ArmSpec
from repro.study.configuration import Configuration
from repro.study.merge import (
    MOST_PARTS,
    MOST_PROBLEMS,
    Layer,
    combined,
    did_you_mean,
    locate,
    merge,
    merged,
    refusal,
    validate,
)
from repro.study.presets import PRESETS
from repro.study.published import Published
from repro.study.schema import MAX_ARMS, MAX_PROFILES, Header, Ranked
from repro.study.yaml_source import KeyPath, Located, shown
from repro.system import private

STUDY_KEYS = (
    "replicates",
    "seeds",
    "select",
    "claims",
    "metrics",
    "cluster",
    "tone",
    "gap_share",
    "stop",
    "published",
    "resources",
    "expected",
)  # what a profile or --set may change beside configurations
MAX_CONFIGURATIONS = 3000  # arms of all profiles; about 10,000 are checked a second
MAX_NAME = 200  # characters
MAX_PATH = 4096  # characters
_NAMES = f"write one line of text, at most {MAX_NAME} characters"


class Resolution:
    """Resolves a file profile by profile and collects the problems of all."""

    def __init__(self, file: Located, path: Path, options: Layer) -> None:
        """Read the outer keys.

        Args:
            file: Of the study.
            path: Where it was read.
            options: Of the command line.

        Raises:
            StudyError: Its outer keys are not those of a study.
        """
        self.file, self.path, self.options = file, path, options
        self.refused = 0  # arms
        self.replicates: dict[str, Any] = {}  # that the file declares, by profile
        self.outer: dict[str, tuple[Layer, ...]] = {}  # where its outer keys are, by profile
        self.problems: list[Problem] = list(file.problems)
        self.top = self._top()
        self.profiles = list(self.top.value["profiles"])
        self.catalogue = self._catalogue()

    def _top(self) -> Layer:
        """The outer mapping of the file; raises if it is not a mapping."""
        if not isinstance(self.file.value, dict):
            what = "a study is a mapping of keys: name, question, base, arms, profiles ..."
            raise StudyError([self.file.problem((), what)])
        top = Layer.from_file(self.file, ())
        validate(Header, [top], self.problems)
        value = top.value
        sound = (
            isinstance(value.get("base"), dict)
            and _all_mappings(value.get("arms"), list, most=MAX_ARMS)
            and _all_mappings(value.get("profiles"), dict, most=MAX_PROFILES)
        )
        if not sound:
            raise refusal(self.problems, self.file)
        for place, message in study_checks.of_profiles(list(value["profiles"])):
            self._report(place, message)
        return top

    def _catalogue(self) -> Catalogue:
        """What the study can name; raises if one of its plug-ins cannot be read or loaded."""
        listed = self.top.value.get(plugin_files.KEY, [])
        if not listed:
            return plugin_files.catalogue([], self._report)
        before = len(self.problems)
        texts = plugin_files.read(listed, self.path.parent, self._report)
        if self.problems:  # nothing is run for a study with mistakes
            raise refusal(self.problems, self.file)
        found = plugin_files.catalogue(texts, self._report)
        if len(self.problems) > before:
            raise refusal(self.problems, self.file)
        return found

    @property
    def is_full(self) -> bool:
        """Whether the limit of reported problems is reached."""
        return max(len(self.problems), self.refused) >= MOST_PROBLEMS

    def choose(self, profile: str | None) -> str:
        """The profile to run: the named one, or the file's first."""
        if profile is None or profile in self.profiles:
            return profile or self.profiles[0]
        hint = did_you_mean(profile, self.profiles)
        known = ", ".join(self.profiles)
        message = f"{self.path} has no such profile{hint}; it has {known}"
        self.problems.append(yaml_source.problem(f"--profile {profile}", message))
        raise refusal(self.problems, self.file)

    def resolve(self, profile: str, *, selected: bool) -> tuple[Header | None, list[ArmSpec]]:
        """Header and arms under a profile; --set applies to the selected one alone."""
        if self.is_full:
            return None, []
        written_here = Layer.from_file(self.file, ("profiles", profile))
        own = shared_profiles.opened(written_here, self.path.parent, self.problems)
        options = self.options if selected else Layer({})
        outer = [self.top, own.only(*STUDY_KEYS), options.only(*STUDY_KEYS)]
        self.outer[profile] = tuple(outer)
        self.replicates[profile] = merged(outer[:-1], ("replicates",))
        header = self._header(outer)
        preset = Layer(self._preset(self.top.value["base"], ("base",)))
        base = self._current(Layer.from_file(self.file, ("base",)).without("preset"))
        self._configured([preset, base])  # a profile must not hide mistakes
        own_choices, options_choices = (
            self._current(own.without(*STUDY_KEYS, "arms")),
            self._current(options.without(*STUDY_KEYS)),
        )
        lower = combined([base, own_choices, options_choices])
        written = list(itertools.islice(self._written_arms(), self._most_arms + 1))
        if len(written) > self._most_arms:
            self._report_too_many_arms()
            return header, []
        self._check_overlays(profile, [name for name, _ in written])
        arms = (
            self._arm(
                name,
                [self._own_preset(layer, preset), lower, layer, *self._overlay(profile, name)],
                selected=selected,
            )
            for name, layer in written
        )
        found = [arm for arm in arms if arm is not None]
        self._check_arms(written, found, options_choices)
        if header is not None:
            whole = len(found) == len(written)
            self._check_header(header, outer, found if whole else None)
        return header, found

    @property
    def _most_arms(self) -> int:
        return min(MAX_ARMS, MAX_CONFIGURATIONS // len(self.profiles))

    def _report_too_many_arms(self) -> None:
        profiles = f"{len(self.profiles)} profile{'s' * (len(self.profiles) > 1)}"
        self._report(("arms",), f"more than {self._most_arms} arms with {profiles}: leave some out")

    def _check_arms(
        self, written: list[tuple[str, Layer]], found: list[ArmSpec], options: Layer
    ) -> None:
        """Report what does not fit together in the arms; some of it only if none has a problem."""
        names, layers = [name for name, _ in written], [layer for _, layer in written]
        for place, message in study_checks.of_arms(names, found, self.top.value.get("reference")):
            self._report(place, message)
        if len(found) == len(written):
            self.problems += study_checks.idle_options(options, layers, found)
            for problem in source_checks.problems(found, self.catalogue):
                self._note(problem)

    def _check_header(
        self, header: Header, layers: list[Layer], arms: list[ArmSpec] | None
    ) -> None:
        """Report what in a header does not fit together, or not with the arms if they are known."""
        mistakes = [*study_checks.of_stop(header, layers)]
        mistakes += study_checks.of_metrics(header, self.catalogue)
        if arms is not None:
            mistakes += study_checks.of_claims(header.claims, arms, header.reference)
            mistakes += study_checks.of_gap_share(header, arms)
        for place, message in mistakes:
            self._report_at(place, layers, message)

    def _overlay(self, profile: str, arm: str) -> list[Layer]:
        """The changes that the profile makes to this arm only."""
        overlays = self.top.value["profiles"][profile].get("arms")
        if not isinstance(overlays, dict) or not isinstance(overlays.get(arm), dict):
            return []
        return [self._current(Layer.from_file(self.file, ("profiles", profile, "arms", arm)))]

    def _check_overlays(self, profile: str, names: list[str]) -> None:
        """Report changes of a profile to unknown arms."""
        overlays = self.top.value["profiles"][profile].get("arms", {})
        path = ("profiles", profile, "arms")
        if not _all_mappings(overlays, dict, most=MAX_ARMS) and overlays != {}:
            self._report(path, "a profile's arms are a mapping of names to what differs there")
            return
        for name in overlays:
            if name not in names:
                hint = did_you_mean(str(name), names)
                self._report((*path, name), f"no arm is called {shown(name)}{hint}")

    def _header(self, layers: list[Layer]) -> Header | None:
        header = validate(Header, layers, self.problems)
        keep, replicates = (merged(layers, path) for path in (("select", "keep"), ("replicates",)))
        if not (isinstance(keep, int) and isinstance(replicates, int) and keep > replicates):
            return header
        fewer_on_purpose = ("replicates",) in layers[-1].origins
        if header and fewer_on_purpose and ("select", "keep") not in layers[-1].origins:
            select = header.select.model_copy(update={"keep": replicates})
            return header.model_copy(update={"select": select})
        message = f"select.keep is {keep}, but replicates is {replicates}: keep fewer or run more"
        self._report_at(("select", "keep"), layers, message)
        return None

    def _preset(self, value: Mapping[str, Any], place: KeyPath) -> dict[str, Any]:
        name = value.get("preset")
        if isinstance(name, str) and name in PRESETS:
            return PRESETS[name]
        known = ", ".join(PRESETS)
        hint = did_you_mean(name, PRESETS) if isinstance(name, str) else ""
        what = "base.preset is missing" if name is None else f"unknown preset {shown(name)}{hint}"
        self._report((*place, "preset"), f"{what}; known: {known}")
        return PRESETS["dehaan2020"]

    def _own_preset(self, arm: Layer, preset: Layer) -> Layer:
        """The lowest layer: the preset of the arm if it has one, else that of the study."""
        if "preset" not in arm.value:
            return preset
        _, place = arm.origins[("preset",)]
        return Layer(self._preset(arm.value, place[:-1]))

    def _written_arms(self) -> Iterator[tuple[str, Layer]]:
        """Name and layer of each arm, with grids expanded."""
        for index, value in enumerate(self.top.value["arms"]):
            path = ("arms", index)
            layer = Layer.from_file(self.file, path).without("name", "sweep")
            name = value.get("name")
            if "name" in value and not _is_name(name):
                self._report((*path, "name"), f"{shown(name)} is not a valid name: {_NAMES}")
            elif "sweep" in value:
                yield from self._grid(value["sweep"], index, layer, name)
            elif "name" in value:
                yield name, self._current(layer)
            else:
                self._report(path, "an arm needs a name, or a sweep that names it")

    def _grid(
        self, sweep: Any, index: int, layer: Layer, prefix: Any
    ) -> Iterator[tuple[str, Layer]]:
        path = ("arms", index, "sweep")
        if not self._is_grid(sweep, path):
            return
        for picks in itertools.product(*(range(len(values)) for values in sweep.values())):
            choices = [
                (key, sweep[key][i], (*path, key, i)) for key, i in zip(sweep, picks, strict=True)
            ]
            own = Layer.from_dotted(self.file, choices)
            words = [f"{key.rsplit('.')[-1]} = {_word(value)}" for key, value, _ in choices]
            name = ", ".join([prefix, *words] if prefix else words)
            if not _is_name(name):
                self._report(path, f"{shown(name)} is not a valid name: {_NAMES}")
                return
            origins = layer.origins | own.origins | {(): (self.file, path[:2])}
            yield name, self._current(Layer(merge(layer.value, own.value), origins))

    def _is_grid(self, sweep: Any, path: KeyPath) -> bool:
        if not isinstance(sweep, dict) or not sweep:
            self._report(path, "a sweep maps keys to lists of values")
            return False
        empty = [key for key, values in sweep.items() if not isinstance(values, list) or not values]
        for key in empty:
            self._report((*path, key), f"empty grid: give {shown(key)} a list of values")
        if deep := [key for key in sweep if key.count(".") >= MOST_PARTS]:
            self._report(path, f"{shown(deep[0])} is not a key of a configuration")
        size = math.prod(len(values) for values in sweep.values() if isinstance(values, list))
        if size > MAX_ARMS:
            self._report(path, f"the grid has {size} arms; at most {MAX_ARMS} are allowed")
        return not (empty or deep or size > MAX_ARMS)

    def _arm(self, name: str, layers: list[Layer], *, selected: bool) -> ArmSpec | None:
        """The arm; None if it has problems, or if the limit of problems is reached."""
        own = layers[2]
        ranked = [own.only("select")] if "select" in own.value else []
        choices = [layer.without("select", "preset") for layer in layers]
        configuration = None if self.is_full else self._configured(choices)
        if configuration is None:
            self.refused += 1
            return None
        if selected:
            configuration = self._with_paths(configuration, choices)
        select = validate(Ranked, ranked, self.problems) if ranked else None
        arm = ArmSpec(name, configuration, select.select if select else None, tuple(choices))
        for paths, message in method_settings.problems_of(configuration, self.catalogue):
            self._note(arm.problem(paths, message))
        return arm

    def _current(self, layer: Layer) -> Layer:
        return method_settings.current(layer, self.problems)

    def _configured(self, layers: list[Layer]) -> Configuration | None:
        """The configuration of merged layers; None if it has problems."""
        before = len(self.problems)
        whole = method_settings.opened(layers, self.catalogue, self.problems)
        whole = source_settings.opened(whole, self.catalogue, self.problems)
        configuration = validate(Configuration, whole, self.problems)
        return configuration if len(self.problems) == before else None

    def _with_paths(self, configuration: Configuration, layers: list[Layer]) -> Configuration:
        """The configuration with ``${NAME}`` in its data paths taken from the environment."""
        data = configuration.data
        for role, spec in data.parts.items():
            if (path := getattr(spec, "path", None)) is None:
                continue
            for variable in private.variables(path):
                if variable in os.environ:
                    continue
                message = (
                    f"data.{role}: the environment variable {variable} is not set; "
                    f"set it, or pass --set data.{role}=PATH"
                )
                self._report_at(("data", role), layers, message)
            path = private.expanded(path)
            if not 0 < len(path) <= MAX_PATH:
                message = f"data.{role}: the path has {len(path):,} characters: name a file"
                self._report_at(("data", role), layers, message)
            data = data.model_copy(update={role: spec.model_copy(update={"path": path})})
        return configuration.model_copy(update={"data": data})

    def published(self) -> dict[str, Published | None]:
        """The published values that each profile is compared with."""
        found: dict[str, Published | None] = {}
        for profile in self.profiles:
            where: KeyPath = ("profiles", profile, "published")
            block = self.top.value["profiles"][profile].get("published")
            if block is None:
                where, block = ("published",), self.top.value.get("published")
            name = block.get("source") if isinstance(block, dict) else None
            read = self._answers(name, (*where, "source")) if isinstance(name, str) else None
            found[profile] = read
        return found

    def _answers(self, name: str, where: KeyPath) -> Published | None:
        """Published values from the folder of the study, or shipped ones."""
        found = study_files.find_published(name, self.path.parent)
        if found is None:
            known = study_files.known_published(self.path.parent)
            what = f"unknown source {shown(name)}{did_you_mean(name, known)}"
            self._report(where, f"{what}; known: {', '.join(known)}")
            return None
        return published.load(found, self.problems)

    def _report(self, path: KeyPath, message: str) -> None:
        self._note(self.file.problem(path, message))

    def _report_at(self, path: KeyPath, layers: Sequence[Layer], message: str) -> None:
        document, place = locate(path, layers) or (self.file, ())
        self._note(document.problem(place, message))

    def _note(self, problem: Problem) -> None:
        if problem not in self.problems:  # another profile can have the same problem
            self.problems.append(problem)


def _word(value: Any) -> str:
    """A value as part of a name."""
    text = str(value)
    return text if text.isprintable() and len(text) <= MAX_NAME // 4 else shown(value)


def _is_name(name: Any) -> bool:
    """Whether it is one line of text, short enough for tables."""
    return (
        isinstance(name, str)
        and 0 < len(name.strip()) <= len(name) <= MAX_NAME
        and not set("\n\t") & set(name)
    )


def _all_mappings(value: Any, kind: type[list[Any]] | type[dict[str, Any]], *, most: int) -> bool:
    if not isinstance(value, kind) or not 0 < len(value) <= most:
        return False
    items = value.values() if isinstance(value, dict) else value
    return all(isinstance(item, dict) for item in items)
