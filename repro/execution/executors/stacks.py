"""Processes on this machine that train many runs as one network: a stack, one in each process.

Runs are collected until there are as many as a stack has, or no more of their kind wait; then a
free process gets them. A stack of fewer runs is filled up with copies, so that the bits of a run
do not depend on who the others are.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Self

from repro.execution.executors import hardware
from repro.execution.executors.process_pool import Died, Pool, Shared, Worker
from repro.records.events import RunEnded, RunStarted, WorkerDied, WorkerEvent
from repro.records.task import Files, Task
from repro.study import stacking
from repro.system import machine, stalls
from repro.system.child_process import Answer, Say

TOGETHER = 2  # processes of a run that may end before it gets a stack of its own

Kind = tuple[str, ...]  # equal for runs that one stack can train
Request = tuple[int, list[Task], list[Files], Mapping[str, Shared]]  # paths by key of the run


class Stacks:
    """An executor: a pool of processes, of which each trains a stack."""

    def __init__(self, slots: Sequence[str], size: int, *, stall: float = stalls.LIMIT) -> None:
        """Nothing is started yet.

        Args:
            slots: The device of each process; see `machine`.
            size: Networks of a stack.
            stall: Seconds after which a worker that does nothing is ended.
        """
        self._pool, self._size = Pool(_prepare, slots, stall=stall), size
        self._collected: dict[Kind, dict[str, tuple[Task, Files]]] = {}  # by kind, by key
        self._kinds: dict[str, Kind] = {}  # of runs, by key
        self._begun: set[str] = set()  # keys of runs that a process has begun
        self._deaths: Counter[str] = Counter()  # of processes that had begun a run, by its key
        self._scoring: set[Worker] = set()  # processes of which a run has results, and others not
        self.workers, self.computation = len(slots), hardware.computation(slots, stack=size)

    def __enter__(self) -> Self:
        """Each run that is submitted keeps a file open, its lock."""
        machine.allow_many_files()
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        self._collected.clear()
        self._pool.end()

    def warm(self, runs: int) -> None:
        """See `Executor`: processes start, and load torch."""
        self._pool.warm(-(-runs // self._size))

    def room(self) -> bool:
        """See `Executor`: as many stacks are collected at a time as there are free processes."""
        return self._pool.room > 0

    def choose(self, tasks: Sequence[Task]) -> int | None:
        """See `Executor`: one for a stack that is being collected, or the first of another kind.

        None if it would be of one kind more than there are free processes.
        """
        for place, task in enumerate(tasks):
            if self._kind(task) in self._collected:
                return place
        return 0 if len(self._collected) < self._pool.room else None

    def submit(self, task: Task, begun: Files) -> None:
        """See `Executor`."""
        kind = self._kind(task)
        stack = self._collected.setdefault(kind, {})
        stack[task.key] = task, begun
        if len(stack) == self._size or self._is_alone(task):
            self._start(kind)

    def _kind(self, task: Task) -> Kind:
        if task.key not in self._kinds:
            shape = stacking.shape(task.configuration)
            self._kinds[task.key] = shape, task.data["train"]
        kind = self._kinds[task.key]
        return (*kind, task.key) if self._is_alone(task) else kind

    def _is_alone(self, task: Task) -> bool:
        """Whether the run takes no other with it if it is the one that kills its process."""
        return self._deaths[task.key] >= TOGETHER

    def _start(self, kind: Kind) -> None:
        """Give a process what is collected of this kind."""
        stack = self._collected.pop(kind).values()
        tasks, begun = [task for task, _ in stack], [files for _, files in stack]
        shared = {task.key: self._pool.shared(task) for task in tasks}

        def request(device: str) -> Request:
            return self._size, [replace(task, device=device) for task in tasks], begun, shared

        self._pool.give(tasks, request)

    def events(self) -> Iterator[WorkerEvent]:
        """See `Executor`."""
        if not self._scoring:  # else runs that start from its runs may be about to come
            for kind in [*self._collected]:
                self._start(kind)
        for worker, event in self._pool.heard():
            if isinstance(event, Died):
                yield from self._died(worker, event.how)
                continue
            if isinstance(event, RunStarted):
                self._begun.add(event.key)
            elif isinstance(event, RunEnded):
                self._ended(worker, event)
            yield event

    def _ended(self, worker: Worker, event: RunEnded) -> None:
        worker.tasks = [task for task in worker.tasks if task.key != event.key]
        if not worker.tasks:
            self._scoring.discard(worker)
        elif event.record.finished:  # a run that fails ends long before the others
            self._scoring.add(worker)

    def _died(self, worker: Worker, how: str) -> Iterator[WorkerDied]:
        """That the worker has died, for each of its runs that had not ended."""
        self._scoring.discard(worker)
        others = len(worker.tasks) - 1
        for place, task in enumerate(worker.tasks):
            if task.key in self._begun:
                self._deaths[task.key] += 1
                self._begun.discard(task.key)
            yield WorkerDied(task.key, task.title, how, others=others, is_told=place > 0)


def _prepare() -> Answer:
    """In the worker: how a stack is executed, on data that are read once for many."""
    from repro.data import sources
    from repro.training import stacked_runs  # loads torch, here alone

    material = sources.keeper()

    def execute(request: Request | None, say: Say) -> RunEnded | None:
        if request is None:  # all that was asked for is loaded
            return None
        size, tasks, begun, shared = request
        running = len(tasks)
        events = stacked_runs.execute(
            tasks,
            lambda task: material(task.configuration.data, shared[task.key], lambda: say(None)),
            begun,
            size=size,
        )
        for event in events:
            if isinstance(event, RunEnded):
                running -= 1
                if not running:  # the answer to the request
                    return event
            say(event)
        raise AssertionError("a run has no end")

    return execute
