"""What a study saves because its runs share: a part of `bench.py`.

A study is run in three ways in turn, each time into an empty folder. All records must be the same.
"""

import functools
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import embedded

from repro.execution.executors import hardware, local
from repro.records.events import RunEnded, WorkerEvent
from repro.records.task import Files, Task


class Separate(local.Local):
    """As `Local`, but runs share neither drawn data nor the first epoch of those that begin alike.

    No process starts before the study is planned.
    """

    def __init__(self, slots: Sequence[str], *, process_each: bool) -> None:
        """Nothing is started yet.

        Args:
            slots: See `Local`.
            process_each: Whether each run has a process of its own; else one has many in turn.
        """
        super().__init__(slots)
        self._process_each = process_each

    def warm(self, _: int) -> None:
        """See `Executor`: a process starts with its first run."""

    def choose(self, _: Sequence[Task]) -> int:
        """See `Executor`: the first."""
        return 0

    def submit(self, task: Task, begun: Files) -> None:
        """See `Executor`: no shared data, and the run trains its first epoch."""
        alone = replace(task, shares_epochs=False)
        self._pool.give([alone], lambda device: (replace(alone, device=device), begun, {}))

    def events(self) -> Iterator[WorkerEvent]:
        """See `Executor`."""
        for event in super().events():
            if isinstance(event, RunEnded) and self._process_each:
                worker = self._pool.idle.pop()
                worker.stop()
                worker.join()
                self._pool._free.append(worker.device)
            yield event


WAYS: Mapping[str, Callable[[Sequence[str]], local.Local]] = {
    "a process for each run": functools.partial(Separate, process_each=True),
    "nothing shared": functools.partial(Separate, process_each=False),
    "shared": local.Local,
}


class Took(NamedTuple):
    """Seconds of a study: on the clock, and of the processors in all its processes."""

    seconds: float
    work: float


def measured(file: Path, changes: Sequence[str], rounds: int) -> dict[str, list[Took]]:
    """What a study takes in each way.

    Args:
        file: The study.
        changes: Of it, KEY=VALUE.
        rounds: The order alternates.

    Raises:
        SystemExit: Records differ.
    """
    found: dict[str, list[Took]] = {name: [] for name in WAYS}
    for number in range(rounds):
        records: dict[str, dict[str, Any]] = {}
        for name in sorted(WAYS, reverse=number % 2 == 1):
            with tempfile.TemporaryDirectory(prefix="repro-sharing-") as folder:
                found[name].append(_one(file, changes, Path(folder), WAYS[name]))
                records[name] = embedded.recorded(Path(folder))
        for name in WAYS:
            embedded.require_same(records[name], records["shared"])
    return found


def _one(
    file: Path, changes: Sequence[str], results: Path, way: Callable[[Sequence[str]], local.Local]
) -> Took:
    from repro.execution import runner
    from repro.study import study

    began, worked = time.perf_counter(), _worked()
    resolved = study.load(file, overrides=changes)
    with way(hardware.slots("cpu")) as executor:
        executor.warm(len(resolved.arms) * resolved.replicates)
        runner.run(resolved, results, executor=executor, on_event=lambda _: None)
    return Took(time.perf_counter() - began, _worked() - worked)


def _worked() -> float:
    """Seconds of the processors in this process and in those of its own that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
