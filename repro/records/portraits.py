"""Who is shown on each test portrait, and how dark: what a study knows beside the groups.

``results/portraits/SHA256.csv`` holds it, one file for all studies on the same columns of the same
portraits, so that tables need no data. A file is never changed: its name is its digest.
"""

import csv
import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from repro.errors import RecordError
from repro.records import sealed_json
from repro.records.records import ADVICE
from repro.records.study_index import PortraitsIndex
from repro.system import atomic_files, regular_file

FOLDER = "portraits"
HEADER = ["test", "photograph", "cluster", "tone"]
MOST_BYTES = 64 << 20
MOST_TEXT = 1000  # characters of a cell


@dataclass(frozen=True, slots=True)
class Portraits:
    """The portraits of one test set, by the name of the photograph.

    Attributes:
        cluster: Who is shown; empty texts if no column says so.
        tone: A number on a scale of skin tone; NaN where it is unknown.
    """

    cluster: Mapping[str, str]
    tone: Mapping[str, float]


ByTest = Mapping[str, Portraits]  # by the digest of the content of `data.test`


def to_csv(tests: ByTest) -> bytes:
    """The file: a line for each portrait; a tone in full precision, empty where it is unknown."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(HEADER)
    for test, found in sorted(tests.items()):
        for name, cluster in found.cluster.items():
            tone = found.tone[name]
            table.writerow((test, name, cluster, "" if math.isnan(tone) else repr(float(tone))))
    return file.getvalue().encode()


def from_csv(content: bytes) -> dict[str, Portraits]:
    """The inverse of `to_csv`.

    Raises:
        ValueError: Another header, a line with other cells, a tone that is no finite number, or a
            portrait in two lines.
    """
    try:
        header, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    if header != HEADER:
        raise ValueError(f"its first line is not {','.join(HEADER)}")
    clusters: dict[str, dict[str, str]] = {}
    tones: dict[str, dict[str, float]] = {}
    for row in rows:
        if len(row) != len(HEADER) or max(map(len, row)) > MOST_TEXT:
            raise ValueError(f"{','.join(row)[:100]!r} is no line of portraits")
        test, name, cluster, tone = row
        if name in clusters.setdefault(test, {}):
            raise ValueError(f"{name[:100]!r} is in two lines")
        clusters[test][name] = cluster
        tones.setdefault(test, {})[name] = _tone(tone)
    return {test: Portraits(clusters[test], tones[test]) for test in clusters}


def _tone(text: str) -> float:
    value = float(text) if text else math.nan
    if text and not math.isfinite(value):
        raise ValueError(f"{text[:100]!r} is no tone")
    return value


def path_of(sha256: str, results: Path) -> Path:
    """The file with this digest, whether it exists or not."""
    return results / FOLDER / f"{sha256}.csv"


def write(content: bytes, results: Path) -> None:
    """Write what `to_csv` made, unless it is there already.

    Raises:
        CannotWrite: The disk is full, or the path cannot be written.
    """
    path = path_of(hashlib.sha256(content).hexdigest(), results)
    try:
        whole = regular_file.read(path, at_most=MOST_BYTES) == content
    except (OSError, regular_file.NotPlain):
        whole = False
    if not whole:
        atomic_files.put(path, content, advice=ADVICE)


def read(index: PortraitsIndex, results: Path) -> dict[str, Portraits]:
    """The portraits of a study, by the digest of the content of `data.test`.

    Raises:
        RecordError: The file is missing or damaged.
    """
    path = path_of(index.sha256, results)
    again = "`repro run` of the study writes it again"
    try:
        content = regular_file.read(path, at_most=MOST_BYTES)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); {again}") from None
    except regular_file.NotPlain as error:
        raise sealed_json.damaged(path, error) from None
    if hashlib.sha256(content).hexdigest() != index.sha256:
        raise RecordError(f"{path}: its checksum does not match; {again}")
    try:
        return from_csv(content)
    except ValueError as error:
        raise sealed_json.damaged(path, error) from None
