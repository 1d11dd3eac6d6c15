"""Records on disk: one folder per run that ended, one index per study and variant.

``results/runs/KEY/`` holds ``record.json``, ``scores.csv``, ``model.safetensors`` and, for arms
that resample, ``weights.safetensors``. A folder is written whole or not at all, when the run ended:
finished, or failed with a reason.
``results/studies/NAME/VARIANT.json`` lists the runs of a study: tables need nothing else.
A run is named by everything that affects its bits (configuration, seed, data, and how it was
computed), never by the study that requested it: two studies that share an arm share its runs.
"""

import hashlib
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from repro.errors import LaterRelease, RecordError, Unreadable
from repro.metrics import Count
from repro.records import shareable
from repro.records.numerics import earlier_code
from repro.study.configuration import Configuration, completed
from repro.study.looks import Looks
from repro.study.section import digest
from repro.system import atomic_files, checksum, input_file, private
from repro.system.count_progress import each

# Schema 1 had no `computation`, and a checksum of its content instead of its bytes; in schema 2 the
# name of a run depended on the digests of the code instead of its numerics.
SCHEMA = 3
ADVICE = (
    "free some space or make it writable, or pass --results DIR; then run the same command again"
)
RECORD = "record.json"
SCORES, MODEL, WEIGHTS = "scores.csv", "model.safetensors", "weights.safetensors"


State = Literal["finished", "failed", "damaged", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """How a run is computed, as far as it affects the last bits of a result.

    Attributes:
        device: ``cpu`` or ``cuda``.
        kernels: ``blocked`` or ``torch``.
        threads: Number of threads of a run.
        libraries: Release of each library that computes results.
        code: Digest of each module of ours that computes results; not part of a run's name.
        numerics: `NUMERICS` of this program.
    """

    device: str
    kernels: str
    threads: int
    libraries: Mapping[str, str]
    code: Mapping[str, str]
    numerics: int

    def identity(self) -> dict[str, Any]:
        """The fields that are part of a run's name."""
        return {name: value for name, value in asdict(self).items() if name != "code"}

    def earlier_identities(self) -> Iterator[dict[str, Any]]:
        """This computation as earlier releases named it, with digests of code in a run's name."""
        for earlier in earlier_code():
            if earlier.numerics == self.numerics:
                plain = self.identity() | {"code": dict(earlier.code)}
                del plain["numerics"]
                yield plain


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
    """

    key: str
    seed: int
    configuration: dict[str, Any]
    data: dict[str, str]
    computation: dict[str, Any] = field(default_factory=dict)
    failure: dict[str, Any] | None = None
    groups: dict[str, Count] = field(default_factory=dict)
    nonfaces: Count | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    kl_per_latent: Sequence[float] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether the run has results."""
        return self.failure is None

    @property
    def choices(self) -> Configuration:
        """The configuration, typed, its paths such that they can be opened."""
        found = Configuration.model_validate_json(json.dumps(self.configuration))
        return found.with_paths(private.expanded)

    @property
    def shows_synthetic_faces(self) -> bool:
        """Whether the run was trained on this program's synthetic faces."""
        return bool(self.configuration["data"]["train"]["source"] == "synthetic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(BriefRecord):
    """The whole record of one run.

    Attributes:
        history: Losses and other numbers of each epoch.
    """

    history: list[dict[str, float]] = field(default_factory=list)

    def brief(self, like: BriefRecord | None = None) -> BriefRecord:
        """The record without its curves.

        Args:
            like: Another record; what is equal in both is held in memory once.
        """
        kept = {each.name: getattr(self, each.name) for each in fields(BriefRecord)}
        if like is not None:
            kept = {name: _shared(value, getattr(like, name)) for name, value in kept.items()}
        return BriefRecord(**{**kept, "kl_per_latent": array("d", self.kl_per_latent)})


def _shared(value: Any, other: Any) -> Any:
    """A value that equals the first, made from parts of the other where they are equal."""
    if repr(value) == repr(other):  # 1 and 1.0 differ
        return other
    if isinstance(value, dict) and isinstance(other, dict):
        return {name: _shared(one, other.get(name)) for name, one in value.items()}
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmIndex:
    """An arm's name and the keys of its runs, in the order of the seeds.

    Attributes:
        select: Metric and split by which its runs are ranked; None for the study's.
    """

    name: str
    keys: list[str]
    select: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyIndex:
    """A study as tables read it.

    Attributes:
        first_seed: Seed of the first run of each arm; the others follow.
        replicates: Seeds from which the paper's columns select; None: all.
        looks: When its claims were planned to be looked at, and were; None without claims.
        preregistration: What was declared before, see `preregistration`; None if nothing was.
    """

    name: str
    variant: str
    question: str
    profile: str
    overrides: list[str]
    data: str
    synthetic: bool
    arms: list[ArmIndex]
    reference: str
    select: dict[str, Any]
    published: dict[str, Any] | None
    false_positive_rates: list[float] = field(default_factory=lambda: [0.01, 0.05, 0.1])
    compare: dict[str, Any] = field(
        default_factory=lambda: {"metrics": ["recall", "variance"], "test": "t"}
    )
    claims: list[dict[str, Any]] = field(default_factory=list)  # each with its `arms`
    first_seed: int = 0
    replicates: int | None = None
    looks: Looks | None = None
    preregistration: dict[str, Any] | None = None

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


def run_key(
    configuration: Configuration, seed: int, *, data: Mapping[str, str], computation: Computation
) -> str:
    """The name of a run: everything that affects its numbers."""
    own = next(run_digests(configuration, data=data, computation=computation))
    return key_of(own, seed)


def run_digests(
    configuration: Configuration, *, data: Mapping[str, str], computation: Computation
) -> Iterator[str]:
    """What the names of an arm's runs begin with: first today, then in each earlier release.

    Runs that an earlier release named so have the same bits.
    """
    identity = {"configuration": configuration.identity(), "data": dict(data)}
    for one in (computation.identity(), *computation.earlier_identities()):
        yield digest({**identity, "computation": one})


def key_of(run_digest: str, seed: int) -> str:
    """The name of a run from that of its arm's runs and its seed."""
    return f"{run_digest}-seed{seed}"


def write_record(record: Record, results: Path, files: Mapping[str, bytes]) -> Path:
    """Write a run's folder whole or not at all.

    Args:
        record: With `files` empty; the digests are filled in here.
        results: The results folder.
        files: The content of each file beside the record, by name.

    Returns:
        The run's folder. If another process finished the same run first, its folder stays.

    Raises:
        CannotWrite: The disk is full, or the path cannot be written.
    """
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    content = {"schema": SCHEMA, **_plain(record), "files": digests}
    folder = folder_of(record.key, results)
    atomic_files.put_folder(folder, {**files, RECORD: checksum.seal(content)}, advice=ADVICE)
    if not has_record(record.key, results):
        raise RecordError(f"{folder}: blocks a record; move it away and run again")
    return folder


def _plain(record: Record) -> dict[str, Any]:
    """Like `asdict`, but without copying every number of the history."""
    content = {each.name: getattr(record, each.name) for each in fields(record)}
    nonfaces = record.nonfaces and asdict(record.nonfaces)
    groups = {name: asdict(count) for name, count in record.groups.items()}
    told = {
        "configuration": shareable.configuration(record.configuration),
        "failure": shareable.failure(record.failure),
    }
    return content | told | {"groups": groups, "nonfaces": nonfaces}


def folder_of(key: str, results: Path) -> Path:
    """The folder of a run's files, whether it exists or not."""
    return results / "runs" / key


def has_record(key: str, results: Path) -> bool:
    """Whether the run ended, finished or failed."""
    return (folder_of(key, results) / RECORD).is_file()


def state_of(key: str, results: Path) -> State:
    """How a run ended, according to its record and the names of the files beside it.

    Raises:
        LaterRelease: The schema is unknown to this release.
        Unreadable: The system does not allow reading it.
    """
    folder = folder_of(key, results)
    if not folder.exists():
        return "absent"
    try:
        record = read_record(key, results)
    except (LaterRelease, Unreadable):
        raise
    except RecordError:
        return "damaged"
    if not all((folder / name).is_file() for name in record.files):
        return "damaged"
    return "finished" if record.finished else "failed"


def set_aside(key: str, results: Path) -> Path:
    """Move a run's folder out of the way; return its new path.

    Raises:
        CannotWrite: It cannot be moved.
    """
    return atomic_files.move_aside(folder_of(key, results), results / "aside", advice=ADVICE)


def read_record(key: str, results: Path) -> Record:
    """One run's record, of this schema or an earlier one.

    Raises:
        RecordError: It is missing, damaged, of another run, or of a later release.
    """
    path = folder_of(key, results) / RECORD
    content = _read_json(path)
    try:
        content["groups"] = {name: Count(**count) for name, count in content["groups"].items()}
        content["nonfaces"] = Count(**content["nonfaces"]) if content["nonfaces"] else None
        content["configuration"] = completed(content["configuration"])
        record = Record(**content)
    except (TypeError, KeyError, AttributeError) as error:
        raise RecordError(f"{path}: not a record of this program ({error})") from None
    if record.key != key:
        raise RecordError(f"{path}: this is the record of {record.key}; move it away")
    return record


def read_weights(record: BriefRecord, results: Path) -> NDArray[np.float64] | None:
    """Probability of each training face in the last resampled epoch, shape (F,), sum 1.

    Returns:
        None if the run never resampled.

    Raises:
        RecordError: The file is not the one written with the record.
    """
    content = read_file(record, results, WEIGHTS)
    return None if content is None else safetensors.numpy.load(content)["face_weights"]


def read_file(record: BriefRecord, results: Path, name: str) -> bytes | None:
    """A file beside a run's record, verified; None if the run has none of that name.

    Raises:
        RecordError: The file is missing or not the one written with the record.
    """
    expected = record.files.get(name)
    if expected is None:
        return None
    path = folder_of(record.key, results) / name
    try:
        content = input_file.read(path)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); run again") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise RecordError(f"{path}: its checksum does not match; remove its folder and run again")
    return content


def write_index(index: StudyIndex, results: Path) -> Path:
    """Write a study's index atomically.

    Raises:
        CannotWrite: The disk is full, or the path cannot be written.
    """
    content = checksum.seal({"schema": SCHEMA, **asdict(index)})
    return atomic_files.put(index_path(index, results), content, advice=ADVICE)


def index_path(index: StudyIndex, results: Path) -> Path:
    """The path of a study's index, whether it exists or not."""
    return path_of_index(index.name, index.variant, results)


def path_of_index(name: str, variant: str, results: Path) -> Path:
    """The path of the index of a study's variant, whether it exists or not."""
    return results / "studies" / name / f"{variant}.json"


def read_indexes(results: Path, name: str | None = None) -> list[StudyIndex]:
    """The indexes of one study, or of all, by name and variant.

    Raises:
        RecordError: One is damaged, or of another schema.
    """
    pattern = f"{name or '*'}/*.json"
    return [read_index(path) for path in sorted((results / "studies").glob(pattern))]


def read_index(path: Path) -> StudyIndex:
    """One index.

    Raises:
        RecordError: It is damaged, or of a later release.
    """
    content = _read_json(path)
    try:
        content["arms"] = [ArmIndex(**arm) for arm in content["arms"]]
        content["looks"] = _looks(content.get("looks"))
        return StudyIndex(**content)
    except (TypeError, KeyError) as error:
        raise RecordError(f"{path}: not an index of this program ({error})") from None


def _looks(plain: dict[str, Any] | None) -> Looks | None:
    if plain is None:
        return None
    tuples = {name: tuple(plain[name]) for name in ("planned", "taken")}
    return Looks(**{**plain, **tuples})


def read_study(index: StudyIndex, results: Path) -> dict[str, BriefRecord]:
    """The existing records of a study's runs, by key, without their curves."""
    found: dict[str, BriefRecord] = {}
    wanted, last = [key for _, _, key in index.wanted()], None
    with each(f"{index.name}: reading records", wanted, unit="runs") as keys:
        for key in keys:
            if key not in found and has_record(key, results):
                last = found[key] = read_record(key, results).brief(last)
    return found


def _read_json(path: Path) -> dict[str, Any]:
    """The content of a file of ours, without schema and checksum, both verified."""
    try:
        raw = input_file.read(path)
        content = json.loads(raw)
    except FileNotFoundError:
        raise RecordError(f"{path}: record not found") from None
    except input_file.NotAFile as error:
        raise RecordError(f"{path}: no record; {error.strerror}, or move it away") from None
    except OSError as error:
        raise Unreadable(
            f"{path}: cannot be read ({error.strerror}); it may be complete, so make it readable"
        ) from None
    except ValueError as error:
        raise RecordError(f"{path}: damaged ({error}); run again to recreate it") from None
    if not isinstance(content, dict) or not isinstance(content.get("schema"), int):
        raise RecordError(f"{path}: not a record of this program; move it away")
    if content["schema"] > SCHEMA:
        raise LaterRelease(
            f"{path}: written by a later release (schema {content['schema']}, this one knows "
            f"{SCHEMA}); use that release"
        )
    if not _is_whole(content, raw):
        raise RecordError(f"{path}: its checksum does not match; run again to recreate it")
    return {name: value for name, value in content.items() if name not in ("schema", "checksum")}


def _is_whole(content: dict[str, Any], raw: bytes) -> bool:
    if content["schema"] > 1:
        return checksum.is_whole(raw)
    rest = {name: value for name, value in content.items() if name != "checksum"}
    text = json.dumps(rest, sort_keys=True)
    return content.get("checksum") == hashlib.sha256(text.encode()).hexdigest()
