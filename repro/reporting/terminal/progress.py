"""Progress of a study: bars on a terminal, plain lines in a pipe, or nothing. Writes to stderr."""

import contextlib
import time
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from repro.metrics import pooled_recall
from repro.records.records import Record
from repro.records.task import Task
from repro.system import screen

MINUTE, HOUR = 60, 3600  # seconds
QUIET_SECONDS = 60.0  # in a pipe, a line about running runs at most this often
SHOWN = 20  # concurrent runs; a cluster may have a thousand


def outcome(record: Record) -> str:
    """One run in a few words."""
    if record.failure is not None:
        f = record.failure
        return f"failed in epoch {f['epoch']}: {f['term']}: {f['reason']}"
    seconds = duration(record.provenance["seconds"])
    rate = record.provenance.get("images_per_second")  # records of earlier releases have none
    speed = "" if rate is None else f", {rate:,.0f} images/s"
    recall = 100 * pooled_recall(record.groups)
    false = 100 * record.metrics["false_positive_rate"]
    return f"recall {recall:.1f} %, false positives {false:.1f} %, {seconds}{speed}"


def duration(seconds: float) -> str:
    """Seconds for people: ``12 s``, ``4 min 10 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    minutes = round(seconds / MINUTE)
    return f"{minutes // 60:,} h {minutes % 60} min"


def staff(workers: int) -> str:
    """Their number: ``1 worker``, ``2 workers``."""
    return f"{workers} worker" + "s" * (workers != 1)


def size(count: float) -> str:
    """Bytes for people, two digits: ``0.45 GB``, ``1.3 GB``."""
    gigabytes = round(count / 1e9, 2)
    return f"{gigabytes:.2f} GB" if gigabytes < 1 else f"{gigabytes:.1f} GB"


class Watcher:
    """Is told what happens in a study, as `runner.Progress` has it, and warnings; says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Whatever happened, it is not held back."""

    def begin(self, *, total: int, done: int, workers: int) -> None:
        """See `runner.Progress`."""

    def started(self, task: Task) -> None:
        """See `runner.Progress`."""

    def epoch(self, task: Task, history: dict[str, float], *, images_per_second: float) -> None:
        """See `runner.Progress`."""

    def ended(self, task: Task, record: Record) -> None:
        """See `runner.Progress`."""

    def held(self, task: Task, holder: str) -> None:
        """See `runner.Progress`."""

    def remark(self, line: str) -> None:
        """See `runner.Progress`."""

    def warn(self, line: str) -> None:
        """Something is missing or wrong, though the study goes on."""


class Quiet(Watcher):
    """Says warnings alone."""

    def warn(self, line: str) -> None:
        """Say it."""
        click.echo(f"Warning: {line}", err=True)


class Lines(Quiet):
    """Plain lines, for pipes and logs."""

    def __init__(self) -> None:
        """Nothing is printed yet."""
        self.total = self.done = 0
        self.running: dict[str, str] = {}
        self.waiting: set[str] = set()
        self.spoken = time.monotonic()

    def begin(self, *, total: int, done: int, workers: int) -> None:
        """Say how much there is to do."""
        self.total, self.done = total, done
        self._say(f"{total} runs, {done} done before, {staff(workers)}")

    def started(self, task: Task) -> None:
        """Remember the run."""
        self.running[task.key] = task.title

    def epoch(self, task: Task, history: dict[str, float], *, images_per_second: float) -> None:
        """Now and then, say where the running runs are."""
        where = f"epoch {history['epoch']:.0f}/{task.configuration.epochs}"
        self.running[task.key] = f"{task.title}: {where}, {images_per_second:,.0f} images/s"
        if time.monotonic() - self.spoken > QUIET_SECONDS:
            told = list(self.running.values())[:SHOWN]
            if len(self.running) > SHOWN:
                told.append(f"and {len(self.running) - SHOWN:,} more")
            self._say(f"  running: {'; '.join(told)}")

    def ended(self, task: Task, record: Record) -> None:
        """Say what came out."""
        self.running.pop(task.key, None)
        self.done += 1
        self._say(f"[{self.done}/{self.total}] {task.title}: {outcome(record)}")

    def held(self, task: Task, holder: str) -> None:
        """Say once that somebody else is at it."""
        self.running.pop(task.key, None)
        if task.key not in self.waiting:
            self.waiting.add(task.key)
            self._say(f"{task.title}: {holder} is training it; waiting for it")

    def remark(self, line: str) -> None:
        """Say it."""
        self._say(line)

    def _say(self, line: str) -> None:
        self.spoken = time.monotonic()
        click.echo(line, err=True)


class Bars(Watcher):
    """A bar for the study and one for each running run, finished runs scrolling above."""

    def __init__(self) -> None:
        """Nothing is drawn yet."""
        self.rich = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self.study: TaskID | None = None
        self.bars: dict[str, TaskID] = {}
        self.waiting: set[str] = set()
        self.drawn = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.drawn.enter_context(screen.drawing())
        self.drawn.enter_context(self.rich)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bars of runs down; the study's stays, as a line that says how far it came."""
        with self.drawn:
            for bar in self.bars.values():
                self.rich.remove_task(bar)
            self.bars.clear()

    def begin(self, *, total: int, done: int, workers: int) -> None:
        """Draw the study's bar."""
        note = f"runs, {staff(workers)}"
        self.study = self.rich.add_task("study", total=total, completed=done, note=note)

    def started(self, task: Task) -> None:
        """Draw the run's bar, unless there are many."""
        self._remove(task)  # a run whose worker died starts again
        if len(self.bars) >= SHOWN:
            return
        epochs = task.configuration.epochs
        self.bars[task.key] = self.rich.add_task(task.title, total=epochs, note="epochs")

    def epoch(self, task: Task, history: dict[str, float], *, images_per_second: float) -> None:
        """Advance the run's bar."""
        if task.key not in self.bars:
            return
        doing = f"loss {history['train_loss']:.4g}, val {history['val_accuracy']:.3f}"
        if history["epoch"] == task.configuration.epochs:
            doing = "scanning the test photographs"
        note = f"epochs, {images_per_second:,.0f} images/s, {doing}"
        self.rich.update(self.bars[task.key], completed=history["epoch"], note=note)

    def ended(self, task: Task, record: Record) -> None:
        """Replace the run's bar by a line."""
        self._remove(task)
        assert self.study is not None
        self.rich.advance(self.study)
        self.remark(f"{task.title}: {outcome(record)}")

    def held(self, task: Task, holder: str) -> None:
        """Replace the run's bar by a line, once."""
        self._remove(task)
        if task.key not in self.waiting:
            self.waiting.add(task.key)
            self.remark(f"{task.title}: {holder} is training it; waiting for it")

    def remark(self, line: str) -> None:
        """Print it above the bars."""
        self.rich.console.print(line, markup=False, highlight=False)

    def warn(self, line: str) -> None:
        """Print it above the bars."""
        self.remark(f"Warning: {line}")

    def _remove(self, task: Task) -> None:
        bar = self.bars.pop(task.key, None)
        if bar is not None:
            self.rich.remove_task(bar)


class Together(Watcher):
    """Several that are told the same; whoever made them enters and leaves them."""

    def __init__(self, *watchers: Watcher) -> None:
        """In the order in which they are told."""
        self.watchers = watchers

    def begin(self, *, total: int, done: int, workers: int) -> None:
        """Tell each, as all below."""
        for watcher in self.watchers:
            watcher.begin(total=total, done=done, workers=workers)

    def started(self, task: Task) -> None:
        """See `runner.Progress`."""
        for watcher in self.watchers:
            watcher.started(task)

    def epoch(self, task: Task, history: dict[str, float], *, images_per_second: float) -> None:
        """See `runner.Progress`."""
        for watcher in self.watchers:
            watcher.epoch(task, history, images_per_second=images_per_second)

    def ended(self, task: Task, record: Record) -> None:
        """See `runner.Progress`."""
        for watcher in self.watchers:
            watcher.ended(task, record)

    def held(self, task: Task, holder: str) -> None:
        """See `runner.Progress`."""
        for watcher in self.watchers:
            watcher.held(task, holder)

    def remark(self, line: str) -> None:
        """See `runner.Progress`."""
        for watcher in self.watchers:
            watcher.remark(line)

    def warn(self, line: str) -> None:
        """See `Watcher`."""
        for watcher in self.watchers:
            watcher.warn(line)


def on_this_terminal() -> Lines | Bars:
    """Bars if somebody is watching, lines if not."""
    return Bars() if screen.can_draw() else Lines()
