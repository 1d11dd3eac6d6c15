"""Progress of a study: bars on a terminal, plain lines in a pipe, or nothing. Writes to stderr."""

import contextlib
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from repro.metrics import pooled_recall
from repro.records.events import (
    EpochEnded,
    Event,
    Remark,
    RunHeld,
    RunRecorded,
    RunStarted,
    StudyStarted,
    StudyWarning,
)
from repro.records.records import Record
from repro.system import screen
from repro.system.printing import one_line, printable, say

MINUTE, HOUR = 60, 3600  # seconds
QUIET_SECONDS = 60.0  # in a pipe, minimum interval between lines about running runs
SHOWN = 20  # maximum number of bars; a cluster may run a thousand


def outcome(record: Record) -> str:
    """The result of one run in a few words."""
    if record.failure is not None:
        f = record.failure
        return f"failed in epoch {f['epoch']}: {f['term']}: {f['reason']}"
    seconds = duration(record.provenance["seconds"])
    rate = record.provenance.get("images_per_second")  # missing in records of earlier releases
    speed = "" if rate is None else f", {rate:,.0f} images/s"
    shares = f"recall {100 * pooled_recall(record.groups):.1f} %"
    if "false_positive_rate" in record.metrics:  # not without photographs without a face
        shares += f", false positives {100 * record.metrics['false_positive_rate']:.1f} %"
    return f"{shares}, {seconds}{speed}"


def duration(seconds: float) -> str:
    """Seconds as text: ``12 s``, ``4 min 10 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    minutes = round(seconds / MINUTE)
    return f"{minutes // 60:,} h {minutes % 60} min"


def staff(workers: int) -> str:
    """The number of workers: ``1 worker``, ``2 workers``."""
    return f"{workers} worker" + "s" * (workers != 1)


def size(count: float) -> str:
    """Bytes as text, two digits: ``0.45 GB``, ``1.3 GB``."""
    gigabytes = round(count / 1e9, 2)
    return f"{gigabytes:.2f} GB" if gigabytes < 1 else f"{gigabytes:.1f} GB"


def beginning(event: StudyStarted) -> str:
    """The amount of work, in one line."""
    return f"{event.total} runs, {event.done} done before, {staff(event.workers)}"


def waiting(event: RunHeld) -> str:
    """That another process is training a run, in one line."""
    return f"{event.title}: {event.holder} is training it; waiting for it"


def doing(event: EpochEnded) -> str:
    """The worker's current state, shown beside a run's bar."""
    history = event.history
    now = f"loss {history['train_loss']:.4g}, val {history['val_accuracy']:.3f}"
    if history["epoch"] == event.epochs:
        now = "scanning the test photographs"
    return f"epochs, {event.images_per_second:,.0f} images/s, {now}"


class Display:
    """Shows the events of a study while its context is open; this one shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Never suppress an exception."""

    def on_event(self, event: Event) -> None:
        """Show an event."""

    def remark(self, text: str) -> None:
        """Show a sentence."""
        self.on_event(Remark(text))

    def warn(self, text: str) -> None:
        """Show a warning."""
        self.on_event(StudyWarning(text))


class Quiet(Display):
    """Shows only warnings."""

    def on_event(self, event: Event) -> None:
        """Print a warning."""
        if isinstance(event, StudyWarning):
            say(f"Warning: {event.text}", err=True)


class Lines(Quiet):
    """Plain lines, for pipes and logs."""

    def __init__(self) -> None:
        """Create a display that has printed nothing yet."""
        self.total = self.done = 0
        self.running: dict[str, str] = {}
        self.waiting: set[str] = set()
        self.spoken = time.monotonic()

    def on_event(self, event: Event) -> None:
        """Print runs that ended, and from time to time the progress of running runs."""
        match event:
            case StudyStarted():
                self.total, self.done = event.total, event.done
                self._print(beginning(event))
            case RunStarted():
                self.running[event.key] = event.title
            case EpochEnded():
                where = f"epoch {event.history['epoch']:.0f}/{event.epochs}"
                rate = f"{event.images_per_second:,.0f} images/s"
                self.running[event.key] = f"{event.title}: {where}, {rate}"
                self._print_running()
            case RunRecorded():
                self.running.pop(event.key, None)
                self.done += 1
                self._print(f"[{self.done}/{self.total}] {event.title}: {outcome(event.record)}")
            case RunHeld():
                self.running.pop(event.key, None)
                if event.key not in self.waiting:
                    self.waiting.add(event.key)
                    self._print(waiting(event))
            case Remark():
                self._print(event.text)
            case StudyWarning():
                super().on_event(event)

    def _print_running(self) -> None:
        """Print the progress of running runs, unless something was printed recently."""
        if time.monotonic() - self.spoken > QUIET_SECONDS:
            shown = list(self.running.values())[:SHOWN]
            if len(self.running) > SHOWN:
                shown.append(f"and {len(self.running) - SHOWN:,} more")
            self._print(f"  running: {'; '.join(shown)}")

    def _print(self, line: str) -> None:
        self.spoken = time.monotonic()
        say(line, err=True)


class Bars(Display):
    """A bar for the study and one for each running run; finished runs scroll above."""

    def __init__(self) -> None:
        """Create the display; nothing is drawn yet."""
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
        """Remove the bars of runs; the study's bar stays as a line that shows its progress."""
        with self.drawn:
            for bar in self.bars.values():
                self.rich.remove_task(bar)
            self.bars.clear()

    def on_event(self, event: Event) -> None:
        """Update the bars; print a line above them for a run that ended, and for messages."""
        match event:
            case StudyStarted():
                self._begin(event)
            case RunStarted():
                self._remove(event.key)  # a run whose worker died starts again
                if len(self.bars) < SHOWN:
                    bar = self.rich.add_task(
                        one_line(event.title), total=event.epochs, note="epochs"
                    )
                    self.bars[event.key] = bar
            case EpochEnded() if event.key in self.bars:
                done, note = event.history["epoch"], doing(event)
                self.rich.update(self.bars[event.key], completed=done, note=note)
            case RunRecorded():
                self._remove(event.key)
                assert self.study is not None
                self.rich.advance(self.study)
                self._print(f"{event.title}: {outcome(event.record)}")
            case RunHeld():
                self._remove(event.key)
                if event.key not in self.waiting:
                    self.waiting.add(event.key)
                    self._print(waiting(event))
            case Remark():
                self._print(event.text)
            case StudyWarning():
                self._print(f"Warning: {event.text}")

    def _begin(self, event: StudyStarted) -> None:
        """The study's bar; one that goes on after a look has the same."""
        note = f"runs, {staff(event.workers)}"
        if self.study is None:
            self.study = self.rich.add_task("study", total=event.total, note=note)
        self.rich.update(self.study, total=event.total, completed=event.done, note=note)

    def _print(self, line: str) -> None:
        """Print a line above the bars."""
        self.rich.console.print(printable(line), markup=False, highlight=False)

    def _remove(self, key: str) -> None:
        bar = self.bars.pop(key, None)
        if bar is not None:
            self.rich.remove_task(bar)


class Together(Display):
    """Forwards to several displays; their creator opens and closes them."""

    def __init__(self, *displays: Display) -> None:
        """Keep the displays in the order in which they are called."""
        self.displays = displays

    def on_event(self, event: Event) -> None:
        """Forward the event to each display."""
        for display in self.displays:
            display.on_event(event)


def on_this_terminal() -> Lines | Bars:
    """Bars if standard error is a terminal, else lines."""
    return Bars() if screen.can_draw() else Lines()
