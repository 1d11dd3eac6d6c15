"""What becomes of a run that depends on another one, by the record of its source run.

It gets the files that it needs of a finished one; it fails with a failed one; it is done again when
a source run that had failed is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from repro.analysis import wording
from repro.errors import LaterRelease, RecordError, ReproError, Unreadable
from repro.records import records
from repro.records.records import EPOCH_WEIGHTS, MODEL, WEIGHTS, BriefRecord, Record, State
from repro.records.task import OF_SOURCE, Files, Source, Task
from repro.study import methods

NEEDED = (MODEL, WEIGHTS, EPOCH_WEIGHTS)  # files beside a record, where they are
RunState = State | Literal["outdated"]  # outdated: it failed with a source run that has not failed


def states_of(tasks: Sequence[Task]) -> dict[str, RunState]:
    """State of each run, by key; `tasks` hold their source runs as well."""
    by_key = {task.key: task for task in tasks}
    found: dict[str, RunState] = {}

    def state(task: Task) -> RunState:
        if task.key not in found:
            found[task.key] = _state(task, state(by_key[task.awaits]) if task.awaits else None)
        return found[task.key]

    for task in tasks:
        state(task)
    return found


def _state(task: Task, of_source: RunState | None) -> RunState:
    state = records.state_of(task.key, task.results)
    if state == "failed" and of_source not in (None, "failed"):
        failure = records.read_record(task.key, task.results).failure
        if failure is not None and failure["term"] == OF_SOURCE:
            return "outdated"
    return state


def why_again(task: Task, results: Path) -> str:
    """Why a run with an intact record is done again; empty if its record is not intact."""
    if records.state_of(task.key, results) != "failed":
        return ""
    return "its source run had failed, and has not any more"


def record_of_dependent(task: Task) -> Record | None:
    """The record of a run whose source run failed: failed; None if it can run.

    Args:
        task: Any run; the source run has ended.

    Raises:
        RecordError: The record of its source run is missing or damaged.
    """
    if task.source is None or task.awaits is None:
        return None
    failure = _record(task.source, task).failure
    if failure is None:
        return None
    cause = f"{failure['term']}: {failure['reason']}"
    failed = {
        "epoch": 1,
        "term": OF_SOURCE,
        "reason": f"{task.source.arm}, seed {task.seed} failed ({cause})",
    }
    return task.record(failure=failed, provenance={"commit": task.commit})


def with_files(task: Task) -> Task:
    """The run with the files of its source run, as its worker needs it.

    Args:
        task: Any run; its source run has finished.

    Raises:
        RecordError: The record of its source run is missing or damaged.
    """
    if task.source is None or task.awaits is None:
        return task
    record = _record(task.source, task)
    return replace(task, source=replace(task.source, files=files_of(record, task.results)))


def files_of(record: BriefRecord, results: Path) -> Files:
    """What a run that depends on this one needs, verified.

    Raises:
        RecordError: A file is missing or not the one written with the record.
    """
    found = ((name, records.read_file(record, results, name)) for name in NEEDED)
    return {name: content for name, content in found if content is not None}


def damaged_sources(missing: Sequence[Task], states: Mapping[str, RunState]) -> Iterator[str]:
    """Keys of finished source runs of these runs whose files are damaged, each once."""
    seen: set[str] = set()
    for task in missing:
        if task.source is None or task.source.key in seen:
            continue
        seen.add(task.source.key)
        if states[task.source.key] == "finished" and _is_damaged(task):
            yield task.source.key


def _is_damaged(task: Task) -> bool:
    try:
        with_files(task)
    except (LaterRelease, Unreadable):
        raise
    except RecordError:
        return True
    return False


def require_all_weights(missing: Sequence[Task], states: Mapping[str, RunState]) -> None:
    """Refuse to begin where a run needs weights of epochs that its source run did not keep.

    Raises:
        ReproError: As `without_weights`.
    """
    if told := without_weights(missing, states):
        raise ReproError(told)


def without_weights(missing: Sequence[Task], states: Mapping[str, RunState]) -> str:
    """What to do about source runs that earlier releases made; empty if there are none.

    Args:
        missing: Runs to execute.
        states: Of all runs of the study, by key.
    """
    keys: dict[str, Path] = {}
    for task in missing:
        if task.source is None or not methods.replays(task.configuration):
            continue
        if states[task.source.key] == "finished":
            kept = _record(task.source, task).files
            if WEIGHTS in kept and EPOCH_WEIGHTS not in kept:
                keys[task.source.key] = records.folder_of(task.source.key, task.results)
    if not keys:
        return ""
    return (
        f"{wording.count(len(keys), 'source run')} of an earlier release kept the weights of the "
        "last resampled epoch only, and a placebo deals those of every epoch: move "
        f"{', '.join(map(str, keys.values()))} out of the results folder, and the next `repro run` "
        "trains them again"
    )


def _record(source: Source, task: Task) -> Record:
    try:
        return records.read_record(source.key, task.results)
    except (LaterRelease, Unreadable):
        raise
    except RecordError as error:
        raise RecordError(
            f"{task.title} starts from {source.arm}, seed {task.seed}: {error}"
        ) from None
