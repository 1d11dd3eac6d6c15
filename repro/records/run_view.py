"""The view of one run in a results folder, whatever its state.

A damaged record is read as far as possible, and reported as damaged.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from repro.errors import ReproError
from repro.records import checkpoint_store, locks, records, sealed_json
from repro.records import record as run_record
from repro.records.records import RECORD, Record, StudyIndex
from repro.system import regular_file

State = Literal["finished", "failed", "damaged", "running", "unfinished", "not begun"]


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a study that refers to a run."""

    study: str  # NAME@ID
    arm: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """What a results folder holds of a run.

    Attributes:
        key: Its name.
        state: State of the run.
        said: Details of its state; empty if there are none.
        places: Every arm and seed that refers to this run.
        record: Its record, if one can be read; of a damaged one, the readable fields.
        history: Per epoch; of an unfinished run, up to its last checkpoint.
        files: Bytes of every file, by its path below the results folder.
    """

    key: str
    state: State
    said: str
    places: Sequence[Place]
    record: Record | None
    history: Sequence[Mapping[str, float]] = field(default_factory=list)
    files: Mapping[str, int] = field(default_factory=dict)


def view(key: str, results: Path, indexes: Sequence[StudyIndex]) -> RunView:
    """Read a run; changes nothing.

    Args:
        key: Key of the run.
        results: The results folder.
        indexes: Indexes of all studies in the folder.
    """
    state, said, record = _state(key, results)
    return RunView(
        key=key,
        state=state,
        said=said,
        places=[
            Place(index.address, arm, seed)
            for index in indexes
            for arm, seed, of_study in index.wanted()
            if of_study == key
        ],
        record=record,
        history=record.history if record else _kept_history(key, results),
        files=_files(key, results),
    )


def keys(results: Path, indexes: Sequence[StudyIndex]) -> list[str]:
    """Every run that has files, is in progress, or is named by a study."""
    there = [
        path.name
        for folder in ("runs", "unfinished")
        for path in (results / folder).glob("[!.]*")
        if path.is_dir()
    ]
    return sorted({*there, *(key for index in indexes for _, _, key in index.wanted())})


def _state(key: str, results: Path) -> tuple[State, str, Record | None]:
    if not records.has_record(key, results):
        return *_state_without_record(key, results), None
    try:
        record = records.read_record(key, results)
        for name in record.files:
            records.read_file(record, results, name)
    except ReproError as error:
        return "damaged", str(error), _as_far_as_it_can_be_read(key, results)
    if record.failure is None:
        return "finished", "", record
    failure = record.failure
    return "failed", f"epoch {failure['epoch']}: {failure['term']}: {failure['reason']}", record


def _state_without_record(key: str, results: Path) -> tuple[State, str]:
    folder = checkpoint_store.folder_of(key, results)
    epochs = checkpoint_store.epochs_kept(key, results)
    kept = f"{epochs} epochs are kept" if epochs else "no epoch is kept"
    if holder := locks.holder_of(folder / "lock"):
        return "running", f"{holder} is training it; {kept}"
    if folder.is_dir():
        return "unfinished", f"{kept}; `repro run` of its study continues"
    return "not begun", "`repro run` of its study trains it"


def _as_far_as_it_can_be_read(key: str, results: Path) -> Record | None:
    """Of a record whose checksum or files are wrong; None if its fields are."""
    path = records.folder_of(key, results) / RECORD
    try:
        content = json.loads(regular_file.read(path, at_most=sealed_json.MOST_BYTES))
        known = {each.name: content[each.name] for each in fields(Record) if each.name in content}
        return run_record.parse(json.dumps(known).encode())
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _kept_history(key: str, results: Path) -> list[dict[str, float]]:
    """The history of the last intact checkpoint; empty if there is none."""
    for name, content in checkpoint_store.latest(key, results).items():
        if name.endswith(checkpoint_store.REST):
            history: list[dict[str, float]] = json.loads(content)["rest"]["history"]
            return history
    return []


def _files(key: str, results: Path) -> dict[str, int]:
    folders = [records.folder_of(key, results), checkpoint_store.folder_of(key, results)]
    paths = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    return {
        path.relative_to(results).as_posix(): path.stat().st_size
        for path in paths
        if regular_file.is_there(path) and path.name != "lock"
    }
