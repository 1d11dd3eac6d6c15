"""The record of one run, and the model by which every record is read.

Whoever made a record, each field has its type, its range and its length, and fields that depend on
each other agree; otherwise the record is damaged.
"""

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from repro.errors import RecordError
from repro.metrics import Count, pooled_recall
from repro.records import field_types, stack_names
from repro.records.field_types import (
    FileName,
    Free,
    Key,
    Known,
    Seed,
    Sha256,
    Text,
    Whole,
    checked_once,
)
from repro.study.configuration import Configuration, completed
from repro.study.section import NonNegative
from repro.system import private

# What is wrong with a configuration that another release wrote: its choices are others.
OF_ANOTHER_RELEASE = {
    "missing",
    "extra_forbidden",
    "literal_error",
    "union_tag_invalid",
    "union_tag_not_found",
}
SHARES = ("recall", "val_accuracy", "false_positive_rate", "crop_probability")
ALIKE = ("configuration", "data", "computation", "provenance", "plugins")  # in the runs of an arm
ONLY_OF_SOME = ("source", "plugins")  # fields that are written only if they are not empty
SAME = 1e-9  # of two numbers that are computed from the same counts


def counted(count: Count) -> Count:
    """A count that can be: no more detections than photographs.

    Raises:
        ValueError: It cannot.
    """
    if not 0 <= count.detected <= count.n or not 1 <= count.n <= 10**9:
        raise ValueError(f"{count.detected:,} of {count.n:,} photographs detected")
    return count


class _Failure(Known):
    epoch: Annotated[int, Field(ge=0)]
    term: Text
    reason: Text


def _kernels(name: str) -> str:
    stack_names.count(name)
    return name


class _Computation(Known):
    device: Text = ""
    kernels: Annotated[Text, AfterValidator(_kernels)] = ""
    threads: Whole = 1
    libraries: dict[Text, Text] = Field(default_factory=dict)
    code: dict[Text, Text] = Field(default_factory=dict)
    numerics: Whole = 1


def _time(text: str) -> str:
    if not 1970 <= datetime.fromisoformat(text).year <= 9998:
        raise ValueError(f"{text} is no time of a run")
    return text


class _Provenance(Known):
    """All may be missing, as in records of earlier releases."""

    commit: Text | None = None
    packages: dict[Text, Text | None] = Field(default_factory=dict)
    kernels_build: Text | None = None
    threads: Whole = 1
    stacked_runs: Whole = 1
    variables_cleared: list[Text] = Field(default_factory=list)
    variables_kept: list[Text] = Field(default_factory=list)
    started: Annotated[Text, AfterValidator(_time)] = ""
    seconds: Annotated[NonNegative, Field(le=1e10)] = 0
    images_per_second: Annotated[NonNegative, Field(le=1e12)] = 0


def _by(model: type[Known]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def checked(value: dict[str, Any]) -> dict[str, Any]:
        if value:
            field_types.check(model, field_types.plain(value))
        return value

    return checked


def _of_any_release(written: dict[str, Any]) -> dict[str, Any]:
    """A configuration, completed; choices that this release does not have are kept.

    Raises:
        ValueError: A value has another type or range.
    """
    field_types.plain(written)
    if not isinstance(written.get("resampling", {}), dict):
        raise ValueError("resampling: a mapping is expected")
    whole = completed(written)
    try:
        Configuration.model_validate(whole)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            of_words = one["type"] != "literal_error" or isinstance(one["input"], str)
            if one["type"] not in OF_ANOTHER_RELEASE or not of_words:
                raise ValueError(field_types.sentence(error)) from None
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefRecord:
    """The record of one run without its curves, which would fill the memory for many runs.

    Attributes:
        key: Name of the run: digest and seed.
        configuration: Every choice, as plain values.
        data: Digest of the content of each part of the data.
        computation: How it was computed, as `Computation`; empty in records of schema 1.
        failure: None, or epoch, term and reason.
        groups: Detections per group on the test portraits; empty if failed.
        nonfaces: Detections on the photographs without a face; None if failed or absent.
        metrics: Single numbers by name, as fractions.
        kl_per_latent: Nats, averaged over validation faces.
        provenance: Commit, versions, machine, times.
        files: SHA-256 of the files beside the record.
        source: Key of the run on which it depends; empty if there is none.
        plugins: Digest of each plug-in that it used, by name.
    """

    __pydantic_config__: ClassVar[ConfigDict] = field_types.STRICT

    key: Key
    seed: Seed
    configuration: Annotated[Free, AfterValidator(checked_once(_of_any_release))]
    data: dict[Text, Text]
    computation: Annotated[Free, AfterValidator(checked_once(_by(_Computation)))] = field(
        default_factory=dict
    )
    failure: Annotated[Free, AfterValidator(_by(_Failure))] | None = None
    groups: dict[Text, Annotated[Count, AfterValidator(counted)]] = field(default_factory=dict)
    nonfaces: Annotated[Count, AfterValidator(counted)] | None = None
    metrics: dict[Text, float] = field(default_factory=dict)
    kl_per_latent: Sequence[float] = field(default_factory=list)
    provenance: Annotated[Free, AfterValidator(_by(_Provenance))] = field(default_factory=dict)
    files: dict[FileName, Sha256] = field(default_factory=dict)
    source: Key | Literal[""] = ""
    plugins: dict[Text, Text] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether the run has results."""
        return self.failure is None

    @property
    def choices(self) -> Configuration:
        """The configuration, typed, its paths such that they can be opened.

        Raises:
            RecordError: Another release made it, whose choices this one does not have.
        """
        try:
            found = Configuration.model_validate(self.configuration)
        except ValidationError as error:
            told = field_types.sentence(error)
            raise RecordError(
                f"{self.key}: made by another release, whose choices this one does not have "
                f"({told}); use that release"
            ) from None
        return found.with_paths(private.expanded)

    @property
    def shows_synthetic_faces(self) -> bool:
        """Whether the run was trained on this program's synthetic faces."""
        value: Any = self.configuration
        for name in ("data", "train", "source"):
            value = value.get(name) if isinstance(value, dict) else None
        return bool(value == "synthetic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(BriefRecord):
    """The whole record of one run.

    Attributes:
        history: Losses and other numbers of each epoch.
    """

    kl_per_latent: list[float] = field(default_factory=list)
    history: list[dict[Text, float]] = field(default_factory=list)

    def brief(self, like: BriefRecord | None = None) -> BriefRecord:
        """The record without its curves.

        Args:
            like: Another record; what is equal in both is held in memory once.
        """
        kept = {each.name: getattr(self, each.name) for each in fields(BriefRecord)}
        if like is not None:
            kept |= {name: _shared(kept[name], getattr(like, name)) for name in ALIKE}
        return BriefRecord(**{**kept, "kl_per_latent": array("d", self.kl_per_latent)})


def _shared(value: Any, other: Any) -> Any:
    """A value that equals the first, made from parts of the other where they are equal."""
    if value is other or repr(value) == repr(other):  # 1 and 1.0 differ
        return other
    if isinstance(value, dict) and isinstance(other, dict):
        return {name: _shared(one, other.get(name)) for name, one in value.items()}
    return value


_MODEL = TypeAdapter(Record)


def parse(text: bytes) -> Record:
    """A record from JSON.

    Raises:
        ValueError: A field is wrong, or two do not agree; one sentence.
    """
    record = field_types.parsed(_MODEL, text)
    for wrong in (*_of_results(record), *_of_metrics(record), *_of_epochs(record)):
        raise ValueError(wrong)
    return record


def _of_results(record: Record) -> Iterator[str]:
    """Key and seed, and what a run that failed or finished has."""
    if record.key.rpartition("-seed")[2] != str(record.seed):
        yield f"seed: {record.seed}, and its name ends in {record.key.rpartition('-')[2]}"
    if record.source and record.source.rpartition("-seed")[2] != str(record.seed):
        yield f"source: it has another seed: {record.source}"
    if record.source and record.source == record.key:
        yield "source: it is the run itself"
    if record.failure == {}:
        yield "failure: it has no reason"
    if record.finished and not record.groups:
        yield "groups: a finished run has some"
    if not record.finished and (record.groups or record.nonfaces or record.metrics):
        yield "failure: a failed run has no results"


def _of_metrics(record: Record) -> Iterator[str]:
    """Shares between 0 and 1, and those that the counts give as well."""
    metrics, groups, nonfaces = record.metrics, record.groups, record.nonfaces
    for name, value in metrics.items():
        if name.startswith(SHARES) and not 0 <= value <= 1:
            yield f"metrics.{name}: {value} is no share"
    known = {"recall": pooled_recall(groups)} if groups else {}
    if nonfaces:
        known["false_positive_rate"] = nonfaces.share
    for name, value in known.items():
        if not math.isclose(metrics.get(name, value), value, abs_tol=SAME):
            yield f"metrics.{name}: {metrics[name]}, and its counts give {value}"
    if any(name.startswith("crop_probability/") for name in metrics):
        for name in ("crop_probability", "crops"):
            if name not in metrics:
                yield f"metrics.{name}: it is missing"


def _of_epochs(record: Record) -> Iterator[str]:
    """The epochs and the latents, as many as the configuration has at most."""
    configuration, latents = record.configuration, len(record.kl_per_latent)
    if [epoch.get("epoch") for epoch in record.history] != [*range(1, len(record.history) + 1)]:
        yield "history: its epochs are not 1, 2, 3 ..."
    if len(record.history) > configuration.get("epochs", math.inf):
        yield f"history: {len(record.history):,} epochs, and {configuration['epochs']:,} planned"
    if latents and latents != configuration.get("latent_dim", latents):
        yield f"kl_per_latent: {latents:,} latents, and {configuration['latent_dim']:,} planned"
    active = record.metrics.get("val_active_units", 0 if not latents else math.nan)
    if latents and not 0 <= active <= latents:
        yield f"metrics.val_active_units: {active} of {latents:,} latents"
