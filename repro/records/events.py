"""What happens to a study and its runs: one form from the worker to the progress bar.

A worker makes the events of its run. Executors pass them on as they are, and say what became of a
worker. The scheduler keeps what there is to keep, passes on what a person wants to know, and says
what became of a run. Whatever shows progress is called with one event after the other.
"""

from collections.abc import Callable
from dataclasses import dataclass

from repro.records.records import Record
from repro.records.task import Files


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened to a run.

    Attributes:
        key: Of its record.
        title: For people: the arm and the seed.
    """

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class RunStarted(RunEvent):
    """From a worker: it has the run, and has built its network.

    Attributes:
        epochs: To train.
        network_bytes: Of all tensors of the network.
    """

    epochs: int
    network_bytes: int


@dataclass(frozen=True, slots=True)
class EpochEnded(RunEvent):
    """From a worker: an epoch is over.

    Attributes:
        epochs: To train.
        history: The epoch's numbers by name; ``epoch`` counts from 1.
        images_per_second: Training images in that epoch. Beside the history and not in it, because
            equal runs have equal histories.
    """

    epochs: int
    history: dict[str, float]
    images_per_second: float


@dataclass(frozen=True, slots=True)
class CheckpointMade(RunEvent):
    """From a worker: a state from which the run can go on.

    Attributes:
        files: Content by name.
    """

    files: Files


@dataclass(frozen=True, slots=True)
class RunEnded(RunEvent):
    """From a worker, its last event: what the run leaves.

    Attributes:
        record: Of what came out, or of why the run failed.
        files: Those beside the record, content by name.
    """

    record: Record
    files: Files


@dataclass(frozen=True, slots=True)
class WorkerDied(RunEvent):
    """From an executor: the worker is no more, for a reason that may be the run's.

    Attributes:
        how: It ended.
    """

    how: str


@dataclass(frozen=True, slots=True)
class MachineLost(RunEvent):
    """From an executor: the worker is no more, and its run is not to blame."""


@dataclass(frozen=True, slots=True)
class RunHeld(RunEvent):
    """From the scheduler: another process is training the run; it is taken up again later.

    Attributes:
        holder: That process.
    """

    holder: str


@dataclass(frozen=True, slots=True)
class RunRecorded(RunEvent):
    """From the scheduler: the run has a record on the disk.

    Attributes:
        record: As it stands there.
    """

    record: Record


@dataclass(frozen=True, slots=True)
class StudyStarted:
    """From the runner: the study begins.

    Attributes:
        total: Runs that it wants.
        done: Those that have a record already.
        workers: Runs at a time.
    """

    total: int
    done: int
    workers: int


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence that a person should know."""

    text: str


@dataclass(frozen=True, slots=True)
class StudyWarning:
    """Something is missing or wrong, though the study goes on."""

    text: str


WorkerEvent = RunStarted | EpochEnded | CheckpointMade | RunEnded | WorkerDied | MachineLost
ScheduleEvent = RunStarted | EpochEnded | RunHeld | RunRecorded
Event = StudyStarted | ScheduleEvent | Remark | StudyWarning
OnEvent = Callable[[Event], None]
