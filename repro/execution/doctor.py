"""Check of a results folder: what is complete, what is not, and what to do.

Nothing is changed. All files are read completely, also those stored with the records.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from repro.analysis.wording import count
from repro.errors import LaterRelease, RecordError, ReproError
from repro.records import (
    checkpoint_store,
    detectors,
    locks,
    portraits,
    preregistration,
    records,
    study_origin,
)
from repro.records.mlflow import sqlite_store
from repro.records.records import RECORD, StudyIndex
from repro.system.atomic_files import PARTIAL

Kind = Literal[
    "finished", "failed", "study", "detector", "old schema", "damaged", "foreign", "later release",
    "no source", "changed", "unwanted", "unfinished", "running", "left over", "aside", "mirror",
]  # fmt: skip
WHOLE = ("finished", "failed", "study", "detector")  # only counted; the other kinds are listed
TO_MEND = ("damaged", "foreign", "later release", "mirror")
INTACT = ("finished", "failed", "old schema")  # kinds of runs
TRAINS_SOURCE = "`repro run` of its study trains that one again, and `repro verify` needs it"
CHECKED = {records.SCORES, records.WEIGHTS, records.EPOCH_WEIGHTS, records.MODEL}  # by content
RUN_AGAIN = "`repro run` of its study sets it aside and trains it again"
SCORE_AGAIN = (
    "`repro score` of the same detector makes it again, `repro score STUDY --remove KEY` takes it "
    "out of its study"
)
MOVE = "move the run's folder away, and `repro run` of its study trains it again"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The state of one item in a results folder.

    Attributes:
        kind: Its state.
        path: Relative to the results folder.
        text: The problem and what to do; empty if there is none.
    """

    kind: Kind
    path: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.kind:13} {self.path}: {self.text}"


def examine(results: Path) -> list[Diagnosis]:
    """Check everything in a results folder.

    Raises:
        ReproError: There is no such folder.
    """
    if not results.is_dir():
        raise ReproError(f"{results}: folder not found; run a study first")
    indexes: list[StudyIndex] = []
    studies = [*_studies(results, indexes)]
    wanted = {key for index in indexes for _, _, key in index.wanted()}
    all_are_known = all(one.kind not in ("damaged", "later release") for one in studies)
    return [
        *studies,
        *_runs(results, wanted, all_are_known=all_are_known),
        *_preregistered(results),
        *_portraits(results, indexes),
        *_detectors(results, indexes, all_are_known=all_are_known),
        *_unfinished(results),
        *_aside(results),
        *_mirror(results),
    ]


def needs_mending(findings: list[Diagnosis]) -> bool:
    """Whether anything needs repair."""
    return any(finding.kind in TO_MEND for finding in findings)


def summary(findings: list[Diagnosis]) -> str:
    """Counts of complete items, and one line for each other item."""
    counts = Counter(finding.kind for finding in findings)
    whole = (
        f"{counts['finished']} finished and {counts['failed']} failed runs of "
        f"{counts['study']} studies are complete"
    )
    if counts["detector"]:
        whole += f", and {count(counts['detector'], 'detector')} trained elsewhere"
    listed = [str(finding) for finding in findings if finding.kind not in WHOLE]
    return "\n".join([whole, *listed])


def _studies(results: Path, indexes: list[StudyIndex]) -> Iterator[Diagnosis]:
    """Check the indexes; add those that are whole to `indexes`."""
    for path in sorted((results / "studies").glob("*/*")):
        place = path.relative_to(results).as_posix()
        if path.name.endswith(PARTIAL):
            yield _left_over(place)
        elif path.suffix == ".json":
            try:
                index = records.read_index(path)
            except LaterRelease as error:
                yield Diagnosis("later release", place, _said(error, path))
            except RecordError as error:
                again = "the next `repro run` of the study writes it again"
                yield Diagnosis("damaged", place, f"{_said(error, path)}; {again}")
            else:
                indexes.append(index)
                yield Diagnosis("study", place)
                if told := study_origin.change(index, results):
                    yield Diagnosis("changed", place, told)
        elif path.suffix != ".lock":
            yield Diagnosis("foreign", place, "not a file of this program; move it away")


def _portraits(results: Path, indexes: list[StudyIndex]) -> Iterator[Diagnosis]:
    """Check what indexes say of portraits; a file that none names is no mistake."""
    for index in dict.fromkeys(one.portraits for one in indexes if one.portraits):
        path = portraits.path_of(index.sha256, results)
        try:
            portraits.read(index, results)
        except RecordError as error:
            yield Diagnosis("damaged", path.relative_to(results).as_posix(), _said(error, path))
    for path in sorted((results / portraits.FOLDER).glob("*")):
        if path.name.endswith(PARTIAL):
            yield _left_over(path.relative_to(results).as_posix())


def _preregistered(results: Path) -> Iterator[Diagnosis]:
    """Check what was declared before; those that are whole are not counted."""
    for path in sorted((results / "preregistered").glob("*/*")):
        place = path.relative_to(results).as_posix()
        if path.name.endswith(PARTIAL):
            yield _left_over(place)
            continue
        try:
            preregistration.read(path.parent.name, path.stem, results)
        except RecordError as error:
            yield Diagnosis("damaged", place, _said(error, path))


def _runs(results: Path, wanted: set[str], *, all_are_known: bool) -> Iterator[Diagnosis]:
    """Check the records; those that no study wants are named only if every index was read."""
    kinds, sources = dict[str, str](), dict[str, str]()
    for path in sorted((results / "runs").glob("*")):
        place = path.relative_to(results).as_posix()
        if path.name.endswith(PARTIAL):
            yield _left_over(place)
        elif not path.is_dir() or not (path / RECORD).exists():
            yield Diagnosis("foreign", place, "no record in it; move it away")
        else:
            finding, sources[path.name] = _run(path, place, results)
            kinds[path.name] = finding.kind
            yield finding
            if finding.kind in INTACT and all_are_known and path.name not in wanted:
                yield Diagnosis("unwanted", place, "no study needs it; it may be removed")
    for key, source in sources.items():
        if source and kinds.get(source) not in INTACT:
            what = kinds.get(source, "missing")
            text = f"complete, but its source run {source} is {what}; {TRAINS_SOURCE}"
            yield Diagnosis("no source", f"runs/{key}", text)


def _run(path: Path, place: str, results: Path) -> tuple[Diagnosis, str]:
    """What is found of a run, and the key of its source run if it has one."""
    try:
        record = records.read_record(path.name, results)
        for name in record.files.keys() - CHECKED:
            records.read_file(record, results, name)
        records.read_scores(record, results)
        records.read_weights(record, results)
        records.read_epoch_weights(record, results)
        records.require_tensors(record, results)
    except LaterRelease as error:
        return Diagnosis("later release", place, _said(error, path)), ""
    except RecordError as error:
        told = RUN_AGAIN if _is_seen(path.name, results) else MOVE
        return Diagnosis("damaged", place, f"{_said(error, path)}; {told}"), ""
    if not record.computation:
        text = "complete; tables read it, `repro run` trains it again"
        return Diagnosis("old schema", place, text), record.source
    return Diagnosis("finished" if record.finished else "failed", place), record.source


def _detectors(
    results: Path, indexes: list[StudyIndex], *, all_are_known: bool
) -> Iterator[Diagnosis]:
    """Check the records of detectors, and that each one that a study wants is there.

    Those that no study wants are named only if every index was read.
    """
    wanted = {key for index in indexes for key in index.detectors}
    folder, seen = results / detectors.FOLDER, set()
    for path in sorted(folder.glob("*")):
        place = path.relative_to(results).as_posix()
        if path.name.endswith(PARTIAL):
            yield _left_over(place)
            continue
        seen.add(path.name)
        try:
            detectors.read_scores(detectors.read(path.name, results), results)
        except LaterRelease as error:
            yield Diagnosis("later release", place, _said(error, path))
        except RecordError as error:
            yield Diagnosis("damaged", place, f"{_said(error, path)}; {SCORE_AGAIN}")
        else:
            yield Diagnosis("detector", place)
            if all_are_known and path.name not in wanted:
                yield Diagnosis("unwanted", place, "no study needs it; it may be removed")
    for key in sorted(wanted - seen):
        yield Diagnosis("damaged", f"{detectors.FOLDER}/{key}", f"missing; {SCORE_AGAIN}")


def _is_seen(key: str, results: Path) -> bool:
    """Whether every command sees that a run is damaged, also those that read no file beside it."""
    try:
        return records.state_of(key, results) == "damaged"
    except RecordError:  # it cannot be read
        return False


def _unfinished(results: Path) -> Iterator[Diagnosis]:
    for path in sorted((results / "unfinished").glob("*")):
        place = path.relative_to(results).as_posix()
        if path.name.endswith(PARTIAL):
            yield _left_over(place)
        elif not path.is_dir():
            yield Diagnosis("foreign", place, "not a file of this program; move it away")
        elif holder := locks.holder_of(path / "lock"):
            yield Diagnosis("running", place, f"{holder} is training it")
        elif checkpoint_store.are_left_over(path.name, results):
            text = "its run has a record; `repro run` of its study or `repro clean` removes it"
            yield Diagnosis("left over", place, text)
        else:
            epochs = checkpoint_store.epochs_kept(path.name, results)
            yield Diagnosis(
                "unfinished", place, f"{epochs} epochs are kept; `repro run` of its study continues"
            )


def _aside(results: Path) -> Iterator[Diagnosis]:
    for path in sorted((results / "aside").glob("*")):
        place = path.relative_to(results).as_posix()
        yield Diagnosis("aside", place, "was replaced; no table reads it, it may be removed")


def _mirror(results: Path) -> Iterator[Diagnosis]:
    path = sqlite_store.database(results)
    if not path.exists():
        return
    place = path.relative_to(results.resolve()).as_posix()
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            query = "SELECT count(*) FROM runs WHERE status = 'RUNNING' AND lifecycle_stage = ?"
            (running,) = database.execute(query, ["active"]).fetchone()
    except sqlite3.Error as error:
        yield Diagnosis("mirror", place, f"{error}; `repro sync` builds a new one")
        return
    if verdict != "ok":
        yield Diagnosis("mirror", place, f"{verdict}; `repro sync` builds a new one")
    elif running:
        text = (
            f"{running} runs are partly written; `repro sync` completes them, if no study runs now"
        )
        yield Diagnosis("mirror", place, text)


def _left_over(place: str) -> Diagnosis:
    text = "partly written by a killed process, never read; it may be removed"
    return Diagnosis("left over", place, text)


def _said(error: RecordError, path: Path) -> str:
    """Only the reason of an error, without path and advice."""
    return str(error).removeprefix(f"{path}").lstrip("/: ").partition("; ")[0]
