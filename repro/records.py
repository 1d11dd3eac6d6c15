"""Evidence on disk: one folder per finished run, one index per study and variant.

``results/runs/KEY/`` holds ``record.json``, ``scores.csv``, ``model.safetensors`` and, for arms
that resample, ``weights.safetensors``. A folder appears whole or not at all: it exists when the
run ended, finished or failed with a reason.
``results/studies/NAME/VARIANT.json`` says which runs a study wants: tables need nothing else.
A run is named by what shapes its bits (configuration, seed, data, and how the machine computes),
never by the study that asked for it: two studies that share an arm share its runs.
"""

import contextlib
import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from repro.configuration import Configuration, digest
from repro.errors import RecordError
from repro.metrics import Count
from repro.study import Study

SCHEMA = 1
SCORES, MODEL, WEIGHTS = "scores.csv", "model.safetensors", "weights.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """How a machine computes, as far as it decides the last bits of a result.

    Attributes:
        device: ``cpu`` or ``cuda``.
        kernels: ``blocked`` or ``torch``.
        threads: Of a run.
    """

    device: str
    kernels: str
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one run left.

    Attributes:
        key: Names the run: digest and seed.
        configuration: Every choice, as plain values.
        data: Digest of the content of each part of the data.
        failure: None, or epoch, term and reason.
        groups: Detections per group on the test portraits; empty if failed.
        nonfaces: Detections on the photographs without a face; None if failed or absent.
        metrics: Single numbers by name, fractions not percent.
        kl_per_latent: Nats, averaged over validation faces.
        history: Per epoch.
        provenance: Commit, versions, machine, times.
        files: SHA-256 of the files beside the record.
    """

    key: str
    seed: int
    configuration: dict[str, Any]
    data: dict[str, str]
    failure: dict[str, Any] | None = None
    groups: dict[str, Count] = field(default_factory=dict)
    nonfaces: Count | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    kl_per_latent: list[float] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether the run has numbers."""
        return self.failure is None

    @property
    def choices(self) -> Configuration:
        """The configuration, typed."""
        return Configuration.model_validate_json(json.dumps(self.configuration))

    @property
    def shows_synthetic_faces(self) -> bool:
        """Whether it was trained on the project's own faces."""
        return bool(self.configuration["data"]["train"]["source"] == "synthetic")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmIndex:
    """An arm's name and the keys of its runs, in the order of the seeds."""

    name: str
    keys: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyIndex:
    """A study as tables see it."""

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

    def wanted(self) -> Iterator[tuple[str, int, str]]:
        """(arm, seed, key) of every run, arm by arm."""
        return ((a.name, seed, key) for a in self.arms for seed, key in enumerate(a.keys))


@dataclass(frozen=True, slots=True)
class PhotographScores:
    """One run's top logits.

    Attributes:
        groups: Group of each portrait.
        portraits: Top logit of each portrait.
        nonfaces: Top logit of each photograph without a face.
    """

    groups: tuple[str, ...]
    portraits: NDArray[np.float64]
    nonfaces: NDArray[np.float64]


def run_key(
    configuration: Configuration, seed: int, *, data: Mapping[str, str], arithmetic: Arithmetic
) -> str:
    """The name of a run: everything that shapes its numbers."""
    identity = {
        "configuration": configuration.identity(),
        "data": dict(data),
        "arithmetic": asdict(arithmetic),
    }
    return f"{digest(identity)}-seed{seed}"


def index_study(
    study: Study,
    *,
    data: Mapping[str, Mapping[str, str]],
    description: str,
    arithmetic: Arithmetic,
) -> StudyIndex:
    """The index of a study.

    Args:
        study: The resolved study.
        data: For each arm's name, the digests of its data.
        description: Of the data, for captions.
        arithmetic: Of the workers.
    """
    keys = {
        arm.name: [
            run_key(arm.configuration, seed, data=data[arm.name], arithmetic=arithmetic)
            for seed in range(study.replicates)
        ]
        for arm in study.arms
    }
    changed = digest([study.overrides, {name: dict(d) for name, d in data.items()}])[:6]
    return StudyIndex(
        name=study.name,
        variant=f"{study.profile}-{changed}" if study.overrides else study.profile,
        question=study.question,
        profile=study.profile,
        overrides=list(study.overrides),
        data=description,
        synthetic=any(arm.configuration.data.is_synthetic for arm in study.arms),
        arms=[ArmIndex(name=arm, keys=of_arm) for arm, of_arm in keys.items()],
        reference=study.reference,
        select=study.select.model_dump(mode="json"),
        published=_published(study),
        false_positive_rates=list(study.false_positive_rates),
        compare=study.compare.model_dump(mode="json"),
    )


def _published(study: Study) -> dict[str, Any] | None:
    if study.published is None:
        return None
    margin = study.margin.model_dump(mode="json") if study.margin else None
    return study.published.model_dump(mode="json") | {"margin": margin}


def write_record(
    record: Record, results: Path, files: Mapping[str, Callable[[Path], None]]
) -> Path:
    """Write a run's folder whole or not at all.

    Args:
        record: With `files` empty; the digests are filled in here.
        results: The results folder.
        files: For each file beside the record, a function that writes it to a path.

    Returns:
        The run's folder. If another process finished the same run first, its folder stays.
    """
    runs = results / "runs"
    partial = runs / f".{record.key}.{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        digests = {}
        for name, write in files.items():
            write(partial / name)
            digests[name] = _settled(partial / name)
        content = {"schema": SCHEMA, **asdict(record), "files": digests}
        _write_json(partial / "record.json", content)
        with contextlib.suppress(OSError):  # another process was first: its record stands
            partial.rename(runs / record.key)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if not has_record(record.key, results):
        raise RecordError(f"{runs / record.key}: the record could not be put in place")
    return runs / record.key


def has_record(key: str, results: Path) -> bool:
    """Whether the run ended, finished or failed."""
    return (results / "runs" / key / "record.json").is_file()


def read_record(key: str, results: Path) -> Record:
    """One run's record.

    Raises:
        RecordError: It is missing, damaged, or of another schema.
    """
    path = results / "runs" / key / "record.json"
    content = _read_json(path)
    content["groups"] = {name: Count(**count) for name, count in content["groups"].items()}
    content["nonfaces"] = Count(**content["nonfaces"]) if content["nonfaces"] else None
    try:
        return Record(**content)
    except TypeError as error:
        raise RecordError(f"{path}: not a record of this program ({error})") from None


def read_scores(record: Record, results: Path) -> PhotographScores | None:
    """The scores of a run's photographs; None if the run left none.

    Raises:
        RecordError: The file is not the one that the record was written with.
    """
    content = read_file(record, results, SCORES)
    if content is None:
        return None
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"))))
    portraits = [row for row in rows if row["set"] == "portraits"]
    others = [row for row in rows if row["set"] == "nonfaces"]
    return PhotographScores(
        tuple(row["group"] for row in portraits),
        np.array([float(row["top_logit"]) for row in portraits]),
        np.array([float(row["top_logit"]) for row in others]),
    )


def read_weights(record: Record, results: Path) -> NDArray[np.float64] | None:
    """Probability of each training face in the last resampled epoch, shape (F,), sum 1.

    Returns:
        None if the run never resampled.

    Raises:
        RecordError: The file is not the one that the record was written with.
    """
    content = read_file(record, results, WEIGHTS)
    return None if content is None else safetensors.numpy.load(content)["face_weights"]


def read_file(record: Record, results: Path, name: str) -> bytes | None:
    """A file beside a run's record, checked; None if the run left none of that name.

    Raises:
        RecordError: The file is missing or not the one that the record was written with.
    """
    expected = record.files.get(name)
    if expected is None:
        return None
    path = results / "runs" / record.key / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); run again") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise RecordError(f"{path}: its checksum does not fit; remove its folder and run again")
    return content


def write_index(index: StudyIndex, results: Path) -> Path:
    """Put a study's index in place, whole."""
    path = results / "studies" / index.name / f"{index.variant}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    _write_json(partial, {"schema": SCHEMA, **asdict(index)})
    return partial.replace(path)


def read_indexes(results: Path, name: str | None = None) -> list[StudyIndex]:
    """The indexes of one study, or of all, by name and variant.

    Raises:
        RecordError: One is damaged, or of another schema.
    """
    pattern = f"{name or '*'}/*.json"
    found = []
    for path in sorted((results / "studies").glob(pattern)):
        content = _read_json(path)
        content["arms"] = [ArmIndex(**arm) for arm in content["arms"]]
        found.append(StudyIndex(**content))
    return found


def read_study(index: StudyIndex, results: Path) -> dict[str, Record]:
    """The records that exist of the runs that a study wants, by key."""
    return {
        key: read_record(key, results) for _, _, key in index.wanted() if has_record(key, results)
    }


def _settled(path: Path) -> str:
    """SHA-256 of a file that is surely on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checksum(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _write_json(path: Path, content: dict[str, Any]) -> None:
    whole = json.loads(json.dumps(content, allow_nan=False))
    whole["checksum"] = _checksum(whole)
    with path.open("w", encoding="utf-8") as file:
        json.dump(whole, file, indent=1, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def _read_json(path: Path) -> dict[str, Any]:
    """The content of a file of ours, less schema and checksum, both checked."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError(f"{path}: there is no such record") from None
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: damaged ({error}); remove its folder and run again") from None
    if not isinstance(content, dict) or "schema" not in content:
        raise RecordError(f"{path}: not a record of this program; move it away")
    if content["schema"] != SCHEMA:
        raise RecordError(
            f"{path}: written by schema {content['schema']}, this is schema {SCHEMA}; "
            "run the study again, or use the release that wrote it"
        )
    if content.pop("checksum", None) != _checksum(content):
        raise RecordError(f"{path}: its checksum does not fit; remove its folder and run again")
    del content["schema"]
    return content
