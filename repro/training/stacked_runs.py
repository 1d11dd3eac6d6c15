"""Many runs of one shape from end to end, trained as one network; see `batched`.

The events of each run are those of `single_run`. All networks of a stack are encoded, validated and
scored by torch's operators on every device, so that the name of its kernels says all.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from repro.data.pictures import content_digest
from repro.data.pictures.images import Material
from repro.errors import ReproError
from repro.records.events import CheckpointMade, EpochEnded, RunEnded, WorkerEvent
from repro.records.task import Files, Task
from repro.training import run_guards, run_results, state_files, trainer
from repro.training.batched import BatchedFit, Member
from repro.training.kernels import c_library, cuda_library
from repro.training.run_clock import Clock
from repro.training.state_files import Checkpoint
from repro.training.trainer import Epoch

APART = 20  # times what it took to make the checkpoints of all runs, at least, between two of them


def execute(
    tasks: Sequence[Task],
    load: Callable[[Task], Material],
    begun: Sequence[Files],
    *,
    size: int,
) -> Iterator[WorkerEvent]:
    """Train runs as one network, and evaluate them.

    Args:
        tasks: Runs of one shape, on one device, with the same training images; not more than size.
        load: Returns the data of a run.
        begun: Files of the checkpoint from which each run continues; empty: from the first epoch.
        size: Number of networks that are trained; copies of the first run fill up what is missing.

    Yields:
        Of each run what `single_run.execute` yields; a run that fails ends before the others.

    Raises:
        ReproError: An error in data or device, runs that cannot be stacked, or this program differs
            from that of the study.
        MemoryError: Not enough memory.
    """
    with run_guards.memory_errors(), c_library.using("torch"):
        trainer.prepare_process()
        _require_own_kernels(tasks[0].device)
        for task in tasks:
            yield run_guards.started(task)
        materials = [run_guards.planned(task, partial(load, task)) for task in tasks]
        contents = {task.key: one.contents for task, one in zip(tasks, materials, strict=True)}
        for event in _train_and_evaluate(tasks, materials, begun, size):
            if isinstance(event, RunEnded):
                content_digest.require_unchanged(contents[event.key])
            yield event


def _require_own_kernels(device: str) -> None:
    """Refuse a GPU for which our kernels cannot be compiled: torch's would round otherwise."""
    if device.startswith("cuda") and not cuda_library.available():
        raise ReproError(
            f"a stack on {device} computes with kernels that NVRTC compiles, a library of torch's "
            "packages for CUDA, and it cannot be loaded: install torch for CUDA again, or train "
            "singly (--stack 1)"
        )


def _train_and_evaluate(
    tasks: Sequence[Task], materials: Sequence[Material], begun: Sequence[Files], size: int
) -> Iterator[WorkerEvent]:
    """The events of `execute` from the first epoch on."""
    yield from _Stack(tasks, materials, begun, size).events()


class _Stack:
    """Runs that are trained together: their tasks, data, clocks, and what was told of each."""

    def __init__(
        self,
        tasks: Sequence[Task],
        materials: Sequence[Material],
        begun: Sequence[Files],
        size: int,
    ) -> None:
        """Initialise the networks, or restore them."""
        images = materials[0].images
        for task in tasks:
            trainer.require_enough(task.configuration, images)
        checkpoints = [state_files.unpack(files) for files in begun]
        images_per_epoch = trainer.images_per_epoch(tasks[0].configuration, images)
        self.tasks, self.materials = tasks, materials
        self.clocks = [Clock(images_per_epoch) for _ in tasks]
        self.fit = BatchedFit(
            [Member(one.configuration, one.seed, one.catalogue(), one.source) for one in tasks],
            images,
            size=size,
            device=tasks[0].device,
            resume=[one.state if one else None for one in checkpoints],
        )
        for clock, fit, checkpoint in zip(self.clocks, self.fit.members, checkpoints, strict=True):
            if checkpoint and fit.history:
                clock.resume(checkpoint.state.epoch, checkpoint.seconds)
        self.failed: set[int] = set()  # positions of runs whose failure was told
        self.kept = [len(member.history) for member in self.fit.members]  # epochs in a checkpoint

    def events(self) -> Iterator[WorkerEvent]:
        """Of all runs; the failures among them as soon as they are known."""
        apart = self.tasks[0].checkpoint_seconds
        due = time.monotonic() + apart
        for epochs in self.fit.epochs():
            yield from self._epochs_ended(epochs)
            yield from self._failures()
            if self.fit.goes_on and (begin := time.monotonic()) >= due:
                yield from self._checkpoints()
                end = time.monotonic()
                due = end + max(apart, APART * (end - begin))
        for number, task in enumerate(self.tasks):
            if number not in self.failed:
                fit, material = self.fit.members[number], self.materials[number]
                yield run_results.ended(task, fit, material, self._measured(number))

    def _epochs_ended(self, epochs: Mapping[int, Epoch]) -> Iterator[EpochEnded]:
        """Of the runs that were trained; the others' clocks stand still."""
        for number in set(range(len(self.tasks))) - epochs.keys():
            self.clocks[number].idle()
        rates = {number: self.clocks[number].epoch() for number in epochs}
        for number, history in epochs.items():
            task, rate = self.tasks[number], rates[number]
            yield EpochEnded(task.key, task.title, task.configuration.epochs, history, rate)

    def _failures(self) -> Iterator[RunEnded]:
        for number, failure in self.fit.failures.items():
            if number not in self.failed:
                self.failed.add(number)
                yield run_results.failed(self.tasks[number], failure, self._measured(number))

    def _checkpoints(self) -> Iterator[CheckpointMade]:
        """One of each run that has gone on since its last one."""
        for number in self.fit.remaining():
            task, epochs = self.tasks[number], len(self.fit.members[number].history)
            if epochs > self.kept[number]:
                checkpoint = Checkpoint(self.fit.state(number), self.clocks[number].seconds)
                files = state_files.pack(checkpoint, task.key)
                yield CheckpointMade(task.key, task.title, files)
                self.kept[number] = epochs

    def _measured(self, number: int) -> run_results.Measured:
        task, clock = self.tasks[number], self.clocks[number]
        return partial(run_results.measured, task, clock, together=len(self.tasks))
