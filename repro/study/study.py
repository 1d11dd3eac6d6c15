"""A study file: one question, its arms, its replicates, and the published values.

``load`` reads the YAML, merges its layers (preset, base, profile, ``--set``, arm), and reports all
errors at once, each with its position in the file.
This module uses no data, results or torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from repro.errors import Problem
from repro.plugins import loaded
from repro.plugins.catalogue import Catalogue
from repro.plugins.declared import Plugin
from repro.study import (
    contrasts,
    file_digest,
    gap_share,
    looks,
    methods,
    paper_study,
    yaml_source,
)
from repro.study.arm import ArmSpec
from repro.study.claims import Declared
from repro.study.configuration import Configuration
from repro.study.gap_share import GapShare
from repro.study.looks import Stop
from repro.study.merge import (
    Layer,
    locate,
    options_layer,
    override_labels,
    refusal,
)
from repro.study.paper_study import PaperStudy
from repro.study.published import Margin, Published
from repro.study.resolution import Resolution
from repro.study.resources import Resources
from repro.study.schema import Compare, Header, Select


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of an arm with a seed."""

    arm: ArmSpec
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A resolved study: all layers merged, all arms complete.

    Attributes:
        overrides: Overrides of the command line, as ``key=value``, files by their last part.
        reference: Name of the arm that the others are compared with.
        first_seed: Seed of the first replicate; the others follow.
        compare: The family of comparisons.
        false_positive_rates: At which detectors are compared.
        claims: What it asks; empty if the file declares nothing.
        metrics: Of plug-ins, shown in its tables.
        cluster: Column of the test portraits that says who is shown: resampled together; None: the
            source's own; ``none``: portraits are independent.
        tone: Column with a scale of skin tone, likewise.
        gap_share: Which arms close how much of which gap, complete; None if it does not ask.
        stop: The rule by which it goes on until the primary claim is decided; None: one look.
        looks: Numbers of seeds at which the file plans to look at the results.
        published: The published values to compare with, or None.
        paper: The study on the paper's own data, which need not be there; None if no profile is it.
        margin: The equivalence margin.
        resources: Resources of each run.
        expected: Time and memory to expect, in words; None if the file does not say.
        file: Where it was read; None if it was not read from a file.
        file_digest: Of what the file says of the profile, see `file_digest`.
        catalogue: What its arms and claims can name: what is built in, and plug-ins.
        layers: Where its outer keys were written.
    """

    name: str
    question: str
    profile: str
    overrides: tuple[str, ...]
    arms: tuple[ArmSpec, ...]
    reference: str
    replicates: int
    first_seed: int
    select: Select
    compare: Compare
    false_positive_rates: tuple[float, ...]
    claims: tuple[Declared, ...]
    metrics: tuple[str, ...]
    stop: Stop | None
    looks: tuple[int, ...]
    published: Published | None
    margin: Margin | None
    resources: Resources
    cluster: str | None = None
    tone: str | None = None
    gap_share: GapShare | None = None
    expected: str | None = None
    paper: PaperStudy | None = None
    file: Path | None = None
    file_digest: str | None = None
    catalogue: Catalogue = field(default=methods.BUILT_IN, repr=False, compare=False)
    layers: tuple[Layer, ...] = field(default=(), repr=False, compare=False)

    def problem(self, key: str, message: str) -> Problem:
        """A problem of an outer key, at its place in the file or on the command line.

        Args:
            key: Such as ``cluster``.
            message: What is wrong and what to do.
        """
        found = locate((key,), self.layers)
        if found is None:
            return Problem(self.name, 0, 0, message)
        document, place = found
        return document.problem(place, message)

    def plugins_of(self, arm: ArmSpec) -> dict[str, Plugin]:
        """The plug-ins that an arm's runs use, by kind and name; nothing of what is built in.

        The network of their source run is among them, because it is loaded.
        """
        of = arm.configuration.source_arm
        sources = (one.configuration for one in self.arms if one.name == of)
        named = list(arm.configuration.methods)
        named += [("model", one.used["model"]) for one in sources]
        found = (self.catalogue.find(kind, name) for kind, name in named)
        return {one.title: one for one in found if one is not None and one.origin is not None}

    def runs(self, seeds: int | None = None) -> Iterator[Run]:
        """The runs, seed by seed, so that a study cut short stays balanced across arms.

        Args:
            seeds: Their number; None: the replicates.
        """
        chosen = self.seeds(self.replicates if seeds is None else seeds)
        return (Run(arm, seed) for seed in chosen for arm in self.arms)

    def seeds(self, count: int) -> range:
        """The first seeds."""
        return range(self.first_seed, self.first_seed + count)


def load(path: Path, *, profile: str | None = None, overrides: Sequence[str] = ()) -> Study:
    """Read a study file and merge the profile and the overrides into it.

    Args:
        path: The YAML file.
        profile: One of the file's profiles; the first one if None.
        overrides: ``KEY=VALUE`` with dotted keys, as given to ``--set``.

    Raises:
        StudyError: All errors in the file and in the overrides.
    """
    file = yaml_source.read(path)
    resolution = Resolution(file, path, options_layer(overrides))
    chosen = resolution.choose(profile)
    parts = {
        name: resolution.resolve(name, selected=name == chosen) for name in resolution.profiles
    }
    published = resolution.published()
    if resolution.problems:
        raise refusal(resolution.problems, file)
    header, arms = parts[chosen]
    assert header is not None
    by_name = {arm.name: arm.configuration for arm in arms}
    loaded.remember(header.name, resolution.catalogue)
    return Study(
        name=header.name,
        question=header.question,
        profile=chosen,
        overrides=override_labels(overrides),
        arms=tuple(arms),
        reference=header.reference,
        replicates=header.replicates,
        first_seed=header.seeds.first,
        select=header.select,
        compare=header.compare,
        false_positive_rates=header.false_positive_rates,
        claims=_claims(header, by_name),
        metrics=tuple(header.metrics),
        stop=header.stop,
        looks=looks.looks(resolution.replicates[chosen], header.stop),
        published=published[chosen],
        paper=paper_study.found(parts, published, chosen),
        margin=header.published.margin if header.published else None,
        resources=header.resources,
        cluster=header.cluster,
        tone=header.tone,
        gap_share=header.gap_share
        and gap_share.completed(header.gap_share, list(by_name), header.reference),
        expected=header.expected,
        file=path,
        file_digest=file_digest.of_content(file.value, chosen, path.parent),
        catalogue=resolution.catalogue,
        layers=resolution.outer[chosen],
    )


def _claims(header: Header, arms: Mapping[str, Configuration]) -> tuple[Declared, ...]:
    """The claims, each with the arms that it is about."""
    return tuple(
        Declared(one, contrasts.arms_of(one.contrast, arms, header.reference))
        for one in header.claims
    )
