"""The index of a study: which runs each of its arms has, and the model by which it is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from repro.records import declared, field_types
from repro.records.field_types import (
    MOST_SEEDS,
    DetectorKey,
    Key,
    Name,
    Plain,
    Sha256,
    Text,
)
from repro.study.claims import MAX_CLAIMS, QUANTITIES, Claim, MetricName
from repro.study.gap_share import GapShare
from repro.study.looks import MOST_LOOKS, Looks
from repro.study.published import Margin, Published
from repro.study.schema import MAX_ARMS, MOST_METRICS, NAME, PROFILE, Compare, Ranking, Rate, Select
from repro.study.section import Section

OF_PLUGIN = {"where", "digest"}
PLUGIN_WORDS = ("paper", "groups", "cost")  # what a plug-in says of itself, where it does
ONLY_OF_SOME = (
    "metrics",
    "plugins",
    "portraits",
    "detectors",
)  # fields that are written only if they are not empty
MOST_DETECTORS = 50  # of a study
VARIANT = r"^\w[\w .+=-]{0,69}$"  # a profile, and six digits where something was changed


def _as(model: type[Section]) -> AfterValidator:
    """Plain values that a model of study files accepts."""

    def checked(value: dict[str, Any]) -> dict[str, Any]:
        field_types.check(model, value)
        return value

    return AfterValidator(checked)


def _published(value: dict[str, Any]) -> dict[str, Any]:
    if "protocol" in value:  # earlier releases did not store it, and their values are not read
        rest = {name: one for name, one in value.items() if name != "margin"}
        field_types.check(Published, rest)
    if value.get("margin") is not None:
        field_types.check(Margin, value["margin"])
    return value


def _claim(value: dict[str, Any]) -> dict[str, Any]:
    rest = {name: one for name, one in value.items() if name != "arms"}
    field_types.check(Claim, rest)
    arms = value.get("arms")
    if not isinstance(arms, list) or len(arms) < 2:
        raise ValueError("arms: a list of two or more is expected")
    return value


def _plugin(value: dict[str, str]) -> dict[str, str]:
    if not OF_PLUGIN <= set(value) <= OF_PLUGIN | {*PLUGIN_WORDS}:
        raise ValueError(f"{' and '.join(sorted(OF_PLUGIN))} are expected")
    return value


def _declared(value: dict[str, Any]) -> dict[str, Any]:
    declared.require(value)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmIndex:
    """An arm's name and the keys of its runs, in the order of the seeds.

    Attributes:
        select: Metric and split by which its runs are ranked; None for the study's.
    """

    __pydantic_config__: ClassVar[ConfigDict] = field_types.STRICT

    name: Name
    keys: Annotated[list[Key], Field(min_length=1, max_length=MOST_SEEDS)]
    select: Annotated[dict[str, str], _as(Ranking)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitsIndex:
    """What is known of a study's test portraits beside their groups; see `portraits`.

    Attributes:
        cluster: The column that says who is shown; empty if none is known.
        tone: The column with the tone of the skin; likewise.
        sha256: Of the file.
    """

    __pydantic_config__: ClassVar[ConfigDict] = field_types.STRICT

    cluster: Text
    tone: Text
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyIndex:
    """A study as tables read it.

    Attributes:
        gap_share: Which arms close how much of which gap; None if the study does not ask.
        first_seed: Seed of the first run of each arm; the others follow.
        replicates: Seeds from which the paper's columns select; None: all.
        looks: When its claims were planned to be looked at, and were; None without claims.
        preregistration: What was declared before, see `preregistration`; None if nothing was.
        file: The study file, as `study_origin` writes its path; None if it is not known.
        file_digest: Of what the file says of this variant, see `file_digest`; None as above.
        metrics: Of plug-ins, that its tables show.
        plugins: Of its runs: where each comes from, its digest, and what it says of its paper, of
            groups and of its cost, by kind and name.
        portraits: Who is shown and how dark; None if neither is known.
        detectors: Keys of the records of detectors that were trained elsewhere, see `detectors`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = field_types.STRICT

    name: Annotated[str, Field(pattern=NAME)]
    variant: Annotated[str, Field(pattern=VARIANT)]
    question: Annotated[Text, Field(min_length=1)]
    profile: Annotated[str, Field(pattern=PROFILE)]
    overrides: list[Text]
    data: Text
    synthetic: bool
    arms: Annotated[list[ArmIndex], Field(min_length=1, max_length=MAX_ARMS)]
    reference: Name
    select: Annotated[dict[str, Any], _as(Select)]
    published: Annotated[Plain, AfterValidator(_published)] | None
    false_positive_rates: Annotated[list[Rate], Field(max_length=10)] = field(
        default_factory=lambda: [0.01, 0.05, 0.1]
    )
    compare: Annotated[dict[str, Any], _as(Compare)] = field(
        default_factory=lambda: {"metrics": ["recall", "variance"], "test": "t"}
    )
    claims: Annotated[  # each with its `arms`
        list[Annotated[Plain, AfterValidator(_claim)]], Field(max_length=MAX_CLAIMS)
    ] = field(default_factory=list)
    gap_share: Annotated[dict[str, Any], _as(GapShare)] | None = None
    first_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    replicates: Annotated[int, Field(ge=1, le=MOST_SEEDS)] | None = None
    looks: Looks | None = None
    preregistration: Annotated[Plain, AfterValidator(_declared)] | None = None
    file: Annotated[Text, Field(min_length=1)] | None = None
    file_digest: Text | None = None
    metrics: Annotated[list[MetricName], Field(max_length=MOST_METRICS)] = field(
        default_factory=list
    )
    plugins: dict[Text, Annotated[dict[str, Text], AfterValidator(_plugin)]] = field(
        default_factory=dict
    )
    portraits: PortraitsIndex | None = None
    detectors: Annotated[list[DetectorKey], Field(max_length=MOST_DETECTORS)] = field(
        default_factory=list
    )

    @property
    def all_metrics(self) -> list[str]:
        """Metrics of plug-ins that its tables show and its claims ask of, each once."""
        asked = [claim["quantity"] for claim in self.claims]
        own = (name for name in asked if name not in QUANTITIES)
        return list(dict.fromkeys([*self.metrics, *own]))

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return max(len(arm.keys) for arm in self.arms)

    def first(self, seeds: int) -> "StudyIndex":
        """The index with only so many seeds, the first ones."""
        return replace(self, arms=[replace(arm, keys=arm.keys[:seeds]) for arm in self.arms])

    @property
    def short(self) -> str:
        """The variant's id: the profile, or six hex digits if something was changed."""
        return self.variant.removeprefix(f"{self.profile}-") if self.overrides else self.variant

    @property
    def address(self) -> str:
        """The address of this variant for commands: ``STUDY@ID``."""
        return f"{self.name}@{self.short}"

    @property
    def differs(self) -> str:
        """The changes that define this variant, in words."""
        changed = f"; changed: {', '.join(self.overrides)}" if self.overrides else ""
        return f"profile {self.profile}{changed}"

    def wanted(self) -> Iterator[tuple[str, int, str]]:
        """(arm, seed, key) of every run, arm by arm."""
        return ((arm.name, seed, key) for arm in self.arms for seed, key in self.runs_of(arm))

    def runs_of(self, arm: ArmIndex) -> Iterator[tuple[int, str]]:
        """(seed, key) of every run of an arm."""
        return enumerate(arm.keys, start=self.first_seed)


_MODEL = TypeAdapter(StudyIndex)


def parse(text: bytes) -> StudyIndex:
    """An index from JSON.

    Raises:
        ValueError: A field is wrong, or two do not agree; one sentence.
    """
    index = field_types.parsed(_MODEL, text)
    for wrong in (*_of_arms(index), *wrong_looks(index.looks)):
        raise ValueError(wrong)
    return index


def _of_arms(index: StudyIndex) -> Iterator[str]:
    names = [arm.name for arm in index.arms]
    if len(set(names)) < len(names):
        yield "arms: two have the same name"
    if index.reference not in names:
        yield f"reference: no arm is called {index.reference!r}"
    for arm, seed, key in index.wanted():
        if key.rpartition("-seed")[2] != str(seed):
            yield f"arms: {key} stands at seed {seed} of {arm!r}"
    if len(set(index.detectors)) < len(index.detectors):
        yield "detectors: one stands there twice"
    for claim in index.claims:
        if any(arm not in names for arm in claim["arms"]):
            yield f"claims: {claim['name']!r} is about an arm that the study does not have"
    yield from _of_gap_share(index, names)


def _of_gap_share(index: StudyIndex, names: Sequence[str]) -> Iterator[str]:
    asked = index.gap_share or {}
    named = [*asked.get("ceilings", ()), *(asked.get("arms") or ())]
    if any(name not in names for name in (*named, asked.get("reference") or index.reference)):
        yield "gap_share: it is about an arm that the study does not have"


def wrong_looks(looks: Looks | None) -> Iterator[str]:
    """Numbers of seeds, each above the one before."""
    if looks is None:
        return
    for name, seeds in (("planned", looks.planned), ("taken", looks.taken)):
        if any(one < 1 for one in seeds) or [*seeds] != sorted(set(seeds)):
            yield f"looks.{name}: its numbers of seeds do not rise"
    if not 0 < len(looks.planned) <= MOST_LOOKS or not 0 < looks.level < 1:
        yield "looks: one look or more is planned, at a level between 0 and 1"
