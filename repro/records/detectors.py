"""Records of detectors that were trained elsewhere, and the model by which each is read.

Such a record is no run of an arm: nothing was trained. It lies in ``detectors/KEY`` of a results
folder with the scores of the same photographs, which have the detector's threshold subtracted. Two
studies on the same photographs share it.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from repro.errors import RecordError
from repro.metrics import Count
from repro.records import field_types, scores, sealed_json
from repro.records.field_types import DetectorKey, FileName, Name, Plain, Sha256, Text
from repro.records.record import counted
from repro.records.records import ADVICE, MOST_BYTES, RECORD, SCORES
from repro.records.scores import Scores
from repro.study.configuration import WholePicture, Windows
from repro.study.section import digest
from repro.system import atomic_files, checksum, regular_file

ROLES = ("test", "nonfaces")  # the parts of the data that a detector sees
FOLDER = "detectors"  # of a results folder


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorRecord:
    """The record of one detector on one study's pictures.

    Attributes:
        key: See `key_of`.
        name: Its name in tables.
        origin: How it was given: ``file.py:load``, ``model.pt2``, ``haar``.
        kind: What it is made of: ``python``, ``pt2``, ``torchscript``, ``onnx``, ``safetensors``
            or ``package``.
        digest: Of its text, file or package.
        reads: ``windows``, those of the study, or ``whole`` pictures.
        data: Digest of the content of the portraits (``test``) and of ``nonfaces``.
        windows: The study's windows, ``{"read": "whole", ...}`` where each is a whole crop; empty
            if it reads whole pictures.
        threshold: Score from which on it says face; subtracted in the scores.
        settings: How pictures were handed to it.
        groups: Detections per group on the test portraits.
        nonfaces: Detections on the photographs without a face; None without any.
        computation: Releases of the libraries that computed it.
        provenance: Machine and times.
        files: SHA-256 of the files beside the record.
    """

    __pydantic_config__: ClassVar[ConfigDict] = field_types.STRICT

    key: DetectorKey
    name: Name
    origin: Annotated[Text, Field(min_length=1)]
    kind: Text
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    reads: Literal["windows", "whole"]
    data: dict[Text, Text]
    windows: Plain = field(default_factory=dict)
    threshold: float = 0.0
    settings: Plain = field(default_factory=dict)
    groups: Annotated[dict[Text, Annotated[Count, AfterValidator(counted)]], Field(min_length=1)]
    nonfaces: Annotated[Count, AfterValidator(counted)] | None = None
    computation: Plain = field(default_factory=dict)
    provenance: Plain = field(default_factory=dict)
    files: dict[FileName, Sha256] = field(default_factory=dict)


_MODEL = TypeAdapter(DetectorRecord)


def key_of(record: DetectorRecord) -> str:
    """The name of a record: everything that decides its numbers, and the detector's name."""
    named = ("name", "digest", "kind", "reads", "data", "windows", "threshold", "settings")
    return f"detector-{digest({one: getattr(record, one) for one in named})[:12]}"


def parse(text: bytes) -> DetectorRecord:
    """A record from JSON.

    Raises:
        ValueError: A field is wrong, or two do not agree; one sentence.
    """
    record = field_types.parsed(_MODEL, text)
    for wrong in _wrong(record):
        raise ValueError(wrong)
    return record


def _wrong(record: DetectorRecord) -> Iterator[str]:
    if record.key != key_of(record):
        yield f"key: {record.key}, and its fields give {key_of(record)}"
    if not {ROLES[0]} <= set(record.data) <= {*ROLES}:
        yield f"data: {' and '.join(ROLES)} are expected, or {ROLES[0]} alone"
    if record.reads == "windows":
        windows = dict(record.windows)
        rule = WholePicture if windows.pop("read", None) == "whole" else Windows
        field_types.check(rule, windows)
    elif record.windows:
        yield "windows: a detector of whole pictures has none"
    if SCORES not in record.files:
        yield f"files: {SCORES} is missing"


def write(record: DetectorRecord, results: Path, found: dict[str, Scores]) -> Path:
    """Write the folder of a record whole or not at all; its digests of files are filled in here.

    Returns:
        The folder. If another process wrote the same one first, that stays.

    Raises:
        CannotWrite: The disk is full, or the path cannot be written.
        RecordError: Something else lies at its place.
    """
    content = scores.to_csv(found)
    plain = asdict(record) | {"files": {SCORES: hashlib.sha256(content).hexdigest()}}
    sealed = checksum.seal({"schema": sealed_json.NEWEST, **plain})
    folder = folder_of(record.key, results)
    atomic_files.put_folder(folder, {SCORES: content, RECORD: sealed}, advice=ADVICE)
    if not (folder / RECORD).is_file():
        raise RecordError(f"{folder}: blocks a record; move it away and score again")
    return folder


def folder_of(key: str, results: Path) -> Path:
    """The folder of a record's files, whether it exists or not."""
    return results / FOLDER / key


def read(key: str, results: Path) -> DetectorRecord:
    """One record.

    Raises:
        RecordError: It is missing, damaged, of another detector, or of a later release.
    """
    path = folder_of(key, results) / RECORD
    try:
        record = parse(sealed_json.read(path))
    except ValueError as error:
        raise _damaged(path, error) from None
    if record.key != key:
        raise RecordError(f"{path}: this is the record of {record.key}; move it away")
    return record


def read_all(keys: Iterable[str], results: Path) -> list[DetectorRecord]:
    """Some records, in this order; raises as `read` does."""
    return [read(key, results) for key in keys]


def there(results: Path) -> Iterator[DetectorRecord]:
    """All records of a results folder that can be read."""
    for path in sorted((results / FOLDER).glob("detector-*")):
        with contextlib.suppress(RecordError):
            yield read(path.name, results)


def set_aside(key: str, results: Path) -> Path:
    """Move a record's folder out of the way; return its new path.

    Raises:
        CannotWrite: It cannot be moved.
    """
    return atomic_files.move_aside(folder_of(key, results), results / "aside", advice=ADVICE)


def read_scores(record: DetectorRecord, results: Path) -> dict[str, Scores]:
    """Scores of its photographs, as `scores.from_csv`.

    Raises:
        RecordError: The file is not the one written with the record, or its counts are others.
    """
    path = folder_of(record.key, results) / SCORES
    try:
        content = regular_file.read(path, at_most=MOST_BYTES)
        if hashlib.sha256(content).hexdigest() != record.files[SCORES]:
            raise ValueError("its checksum does not match")
        found = scores.from_csv(content)
        wrong = scores.disagreement(found, record.groups, record.nonfaces)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); {_again(record)}") from None
    except ValueError as error:
        wrong = str(error)
    if wrong:
        raise _damaged(path, wrong)
    return found


def _damaged(path: Path, why: object) -> RecordError:
    return RecordError(
        f"{path}: damaged ({why}); `repro score` of the same detector makes it again"
    )


def _again(record: DetectorRecord) -> str:
    return f"`repro score` of {record.origin} makes it again"
