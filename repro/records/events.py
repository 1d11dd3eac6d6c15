"""Events of a study and its runs: one format from the worker to the progress bar.

A worker creates the events of its run. Executors forward them unchanged, and report lost workers.
The scheduler stores results, forwards what a user should see, and reports the outcome of each run.
A progress display receives one event after the other.
"""

from collections.abc import Callable
from dataclasses import dataclass

from repro.records.records import Record
from repro.records.task import Files


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event of a run.

    Attributes:
        key: Key of its record.
        title: Name for people: the arm and the seed.
    """

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class RunStarted(RunEvent):
    """From a worker: it received the run and built its network.

    Attributes:
        epochs: Number of epochs to train.
        network_bytes: Size of all tensors of the network.
    """

    epochs: int
    network_bytes: int


@dataclass(frozen=True, slots=True)
class EpochEnded(RunEvent):
    """From a worker: an epoch ended.

    Attributes:
        epochs: Number of epochs to train.
        history: The epoch's numbers by name; ``epoch`` counts from 1.
        images_per_second: Training speed in that epoch. It is not in the history, because equal
            runs have equal histories.
    """

    epochs: int
    history: dict[str, float]
    images_per_second: float


@dataclass(frozen=True, slots=True)
class CheckpointMade(RunEvent):
    """From a worker: a state from which the run can continue.

    Attributes:
        files: Content by file name.
    """

    files: Files


@dataclass(frozen=True, slots=True)
class RunEnded(RunEvent):
    """From a worker, its last event: the results of the run.

    Attributes:
        record: Record of the results, or of why the run failed.
        files: The files beside the record, content by name.
    """

    record: Record
    files: Files


@dataclass(frozen=True, slots=True)
class WorkerDied(RunEvent):
    """From an executor: the worker died, possibly because of the run.

    Attributes:
        how: How it ended.
        others: Number of other runs that the same worker had.
        is_told: Whether the event of another run has told of the same worker.
    """

    how: str
    others: int = 0
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class MachineLost(RunEvent):
    """From an executor: the worker died, and its run is not the cause."""


@dataclass(frozen=True, slots=True)
class RunHeld(RunEvent):
    """From the scheduler: another process is training the run; it is tried again later.

    Attributes:
        holder: The other process.
    """

    holder: str


@dataclass(frozen=True, slots=True)
class RunRecorded(RunEvent):
    """From the scheduler: the run has a record on disk.

    Attributes:
        record: The record on disk.
    """

    record: Record


@dataclass(frozen=True, slots=True)
class StudyStarted:
    """From the runner: the study begins.

    Attributes:
        total: Number of runs in the study.
        done: Number of runs that already have a record.
        workers: Number of concurrent runs.
    """

    total: int
    done: int
    workers: int


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence for the user."""

    text: str


@dataclass(frozen=True, slots=True)
class StudyWarning:
    """Something is missing or wrong, but the study continues."""

    text: str


WorkerEvent = RunStarted | EpochEnded | CheckpointMade | RunEnded | WorkerDied | MachineLost
ScheduleEvent = RunStarted | EpochEnded | RunHeld | RunRecorded | Remark
Event = StudyStarted | ScheduleEvent | StudyWarning
OnEvent = Callable[[Event], None]
