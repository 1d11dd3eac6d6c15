"""Records on disk: one folder per run that ended, one index per study and variant.

``results/runs/KEY/`` holds ``record.json``, ``scores.csv``, ``model.safetensors`` and, for arms
that resample, ``weights.safetensors`` (of the last resampled epoch) and
``epoch_weights.safetensors`` (of every resampled epoch). A folder is written whole or not at all,
when the run ended: finished, or failed with a reason.
``results/studies/NAME/VARIANT.json`` lists the runs of a study: tables need nothing else.
A run is named by everything that affects its bits (configuration, seed, data, and how it was
computed), never by the study that requested it: two studies that share an arm share its runs.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from repro.errors import LaterRelease, RecordError, Unreadable
from repro.records import epoch_weights, left_out, scores, sealed_json, shareable, study_index
from repro.records import record as run_record
from repro.records.numerics import earlier_code
from repro.records.record import ONLY_OF_SOME, BriefRecord, Record
from repro.records.scores import Scores
from repro.records.sealed_json import SCHEMA, WITH_SOURCE
from repro.records.study_index import ArmIndex, StudyIndex
from repro.study.configuration import Configuration
from repro.study.section import digest
from repro.system import atomic_files, checksum, regular_file
from repro.system.count_progress import each

__all__ = ["ArmIndex", "BriefRecord", "Record", "StudyIndex"]  # where the program finds them

ADVICE = (
    "free some space or make it writable, or pass --results DIR; then run the same command again"
)
MOST_BYTES = 1 << 30  # of a file beside a record
RECORD = "record.json"
SCORES, MODEL, WEIGHTS = "scores.csv", "model.safetensors", "weights.safetensors"
EPOCH_WEIGHTS = "epoch_weights.safetensors"  # of each resampled epoch


NO_PLUGINS: Mapping[str, str] = MappingProxyType({})
State = Literal["finished", "failed", "damaged", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """How a run is computed, as far as it affects the last bits of a result.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        kernels: ``blocked``, ``torch``, or ``stacked-25`` for 25 runs as one network.
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


def run_key(
    configuration: Configuration,
    seed: int,
    *,
    data: Mapping[str, str],
    computation: Computation,
    source: str | None = None,
    plugins: Mapping[str, str] = NO_PLUGINS,
) -> str:
    """The name of a run: everything that affects its numbers; arguments as for `run_digests`."""
    own = next(
        run_digests(
            configuration, data=data, computation=computation, source=source, plugins=plugins
        )
    )
    return key_of(own, seed)


def run_digests(
    configuration: Configuration,
    *,
    data: Mapping[str, str],
    computation: Computation,
    source: str | None = None,
    plugins: Mapping[str, str] = NO_PLUGINS,
) -> Iterator[str]:
    """What the names of an arm's runs begin with: first today, then in each earlier release.

    Runs that an earlier release named so have the same bits.

    Args:
        configuration: Of the arm.
        data: The digest of each part of its data.
        computation: How its runs are computed.
        source: The first of these for the arm of its source runs; None if it has none.
        plugins: The digest of each plug-in that its runs use.
    """
    identity: dict[str, Any] = {"configuration": configuration.identity(), "data": dict(data)}
    if source is not None:
        identity["source"] = source
    if plugins:
        identity["plugins"] = dict(sorted(plugins.items()))
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
    content = {"schema": _schema(record), **_plain(record), "files": digests}
    folder, sealed = folder_of(record.key, results), checksum.seal(content)
    if len(sealed) > sealed_json.MOST_BYTES:
        raise RecordError(f"{folder}: a record of {len(sealed):,} bytes would never be read again")
    atomic_files.put_folder(folder, {**files, RECORD: sealed}, advice=ADVICE)
    if not has_record(record.key, results):
        raise RecordError(f"{folder}: blocks a record; move it away and run again")
    return folder


def _schema(record: Record) -> int:
    """The first schema that has all fields of the record: earlier releases read what they can."""
    return WITH_SOURCE if record.source or record.plugins else SCHEMA


def _plain(record: Record) -> dict[str, Any]:
    """Like `asdict`, without empty `ONLY_OF_SOME` and without copying numbers of the history."""
    content = {
        each.name: value
        for each in fields(record)
        if (value := getattr(record, each.name)) or each.name not in ONLY_OF_SOME
    }
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
    if not all(regular_file.is_there(folder / name) for name in record.files):
        return "damaged"
    return "finished" if record.finished else "failed"


def source_of(key: str, results: Path) -> str:
    """The key of a run's source run; empty if it has none, or if its record cannot be read."""
    path = folder_of(key, results) / RECORD
    try:
        if sealed_json.schema_of(path) != WITH_SOURCE:
            return ""
        return read_record(key, results).source
    except RecordError:
        return ""


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
    try:
        record = run_record.parse(sealed_json.read(path))
    except ValueError as error:
        raise sealed_json.damaged(path, error) from None
    if record.key != key:
        raise RecordError(f"{path}: this is the record of {record.key}; move it away")
    return record


def read_weights(
    record: BriefRecord, results: Path, *, faces: int | None = None
) -> NDArray[np.float64] | None:
    """Probability of each training face in the last resampled epoch, shape (F,), sum 1.

    Args:
        record: Of the run.
        results: The results folder.
        faces: F, where it is known.

    Returns:
        None if the run never resampled.

    Raises:
        RecordError: The file is not the one written with the record, or holds no such numbers.
    """
    content = read_file(record, results, WEIGHTS)
    if content is None:
        return None
    try:
        found = safetensors.numpy.load(content)["face_weights"]
        wrong = epoch_weights.problem(found, faces)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        wrong = f"no face_weights can be read: {error}"
    if wrong:
        raise sealed_json.damaged(folder_of(record.key, results) / WEIGHTS, wrong)
    return found


def read_epoch_weights(
    record: BriefRecord, results: Path, *, faces: int | None = None
) -> epoch_weights.ByEpoch:
    """Probability of each training face, shape (F,), sum 1, in each resampled epoch, by epoch.

    Args:
        record: Of the run.
        results: The results folder.
        faces: F, where it is known.

    Returns:
        Empty if the run never resampled, or if an earlier release made it.

    Raises:
        RecordError: The file is not the one written with the record, or holds no such numbers.
    """
    content = read_file(record, results, EPOCH_WEIGHTS)
    try:
        return epoch_weights.unpack(content, faces) if content is not None else {}
    except ValueError as error:
        raise sealed_json.damaged(folder_of(record.key, results) / EPOCH_WEIGHTS, error) from None


def require_tensors(record: BriefRecord, results: Path) -> None:
    """Check that the file of a run's network holds tensors.

    Raises:
        RecordError: It does not, or is not the one written with the record.
    """
    content = read_file(record, results, MODEL)
    try:
        if content is not None:
            safetensors.numpy.load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise sealed_json.damaged(folder_of(record.key, results) / MODEL, error) from None


def read_scores(record: BriefRecord, results: Path) -> dict[str, Scores] | None:
    """Scores of a run's photographs, as `scores.from_csv`; None if it has none.

    Raises:
        RecordError: The file is not the one written with the record, or its counts are others.
    """
    content = read_file(record, results, SCORES)
    if content is None:
        return None
    try:
        found = scores.from_csv(content)
        wrong = scores.disagreement(found, record.groups, record.nonfaces)
    except ValueError as error:
        wrong = str(error)
    if wrong:
        raise sealed_json.damaged(folder_of(record.key, results) / SCORES, wrong)
    return found


def read_file(record: BriefRecord, results: Path, name: str) -> bytes | None:
    """A file beside a run's record, verified; None if the run has none of that name.

    None, too, for a file that the bundle that was opened leaves out, see `left_out`.

    Raises:
        RecordError: The file is missing or not the one written with the record.
    """
    expected = record.files.get(name)
    if expected is None:
        return None
    path = folder_of(record.key, results) / name
    try:
        content = regular_file.read(path, at_most=MOST_BYTES)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and name in left_out.names(results):
            return None
        raise RecordError(f"{path}: cannot be read ({error.strerror}); run again") from None
    except regular_file.NotPlain as error:
        raise sealed_json.damaged(path, error) from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise RecordError(f"{path}: its checksum does not match; remove its folder and run again")
    return content


def write_index(index: StudyIndex, results: Path) -> Path:
    """Write a study's index atomically.

    Raises:
        CannotWrite: The disk is full, or the path cannot be written.
    """
    plain = {
        name: value
        for name, value in asdict(index).items()
        if value or name not in study_index.ONLY_OF_SOME
    }
    schema = WITH_SOURCE if plain.keys() & {*study_index.ONLY_OF_SOME} else SCHEMA
    content = checksum.seal({"schema": schema, **plain})
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
        RecordError: It is damaged, of a later release, or at another place than its name says.
    """
    try:
        index = study_index.parse(sealed_json.read(path))
    except ValueError as error:
        raise sealed_json.damaged(path, error) from None
    if (index.name, index.variant) != (path.parent.name, path.stem):
        named = f"{index.name}/{index.variant}"
        raise RecordError(f"{path}: this is the index of {named}; move it away")
    return index


def read_study(index: StudyIndex, results: Path) -> dict[str, BriefRecord]:
    """The existing records of a study's runs, by key, without their curves."""
    found: dict[str, BriefRecord] = {}
    wanted, last = [key for _, _, key in index.wanted()], None
    with each(f"{index.name}: reading records", wanted, unit="runs") as keys:
        for key in keys:
            if key not in found and has_record(key, results):
                last = found[key] = read_record(key, results).brief(last)
    return found
