"""Logs the events of a study to a file, with times, in addition to the terminal's output."""

import datetime
import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from repro.errors import ReproError
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
from repro.reporting.terminal.progress import Display, beginning, outcome, waiting
from repro.system.atomic_files import CannotWrite
from repro.system.printing import printable


class Log(Display):
    """Appends to a file; each line begins with the local time in ISO 8601.

    Each line is one write, so that several studies may share a file. If the log can no longer be
    written, as on a full disk, there is one warning and the study continues.
    """

    def __init__(self, path: Path, *, warn: Callable[[str], None]) -> None:
        """Open the file, creating its folder if necessary.

        Args:
            path: Path of the file.
            warn: Called with a sentence if the file cannot be written later.

        Raises:
            CannotWrite: The file cannot be opened.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = open(path, "ab", buffering=0, opener=_without_waiting)  # noqa: SIM115 - closed on leaving
        except OSError as error:
            raise CannotWrite(
                f"{path}: the log cannot be written ({error.strerror}); pass --log with another "
                "file, or leave it out"
            ) from None
        self.path, self.tell_user, self.is_open = path, warn, True
        self.total = self.done = 0
        self.waiting: set[str] = set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Log how the study ended, and close the file."""
        self._write(f"{_end(error)}: {self.done} of {self.total} runs have a record")
        self.file.close()

    def on_event(self, event: Event) -> None:
        """Write a line; for a run that another process trains, only once."""
        match event:
            case StudyStarted():
                self.total, self.done = event.total, event.done
                self._write(beginning(event))
            case RunStarted():
                self._write(f"{event.title}: started ({event.key})")
            case EpochEnded():
                history = event.history
                self._write(
                    f"{event.title}: epoch {history['epoch']:.0f}/{event.epochs}, "
                    f"loss {history['train_loss']:.4g}, "
                    f"validation accuracy {history['val_accuracy']:.3f}, "
                    f"{event.images_per_second:,.0f} images/s"
                )
            case RunRecorded():
                self.done += 1
                self._write(f"[{self.done}/{self.total}] {event.title}: {outcome(event.record)}")
            case RunHeld() if event.key not in self.waiting:
                self.waiting.add(event.key)
                self._write(waiting(event))
            case Remark():
                self._write(event.text)
            case StudyWarning():
                self._write(f"Warning: {event.text}")

    def _write(self, text: str) -> None:
        if not self.is_open:
            return
        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        lines = [f"{now} {line}\n" for line in printable(text).split("\n")]
        try:
            if self.file.write("".join(lines).encode()) is None:
                raise BlockingIOError(errno.EAGAIN, "its reader does not read")
        except OSError as error:
            self.is_open = False
            self.tell_user(
                f"{self.path}: the log cannot be written any more ({error.strerror}); the study "
                "continues without it"
            )


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe without a reader is an error, and a full one is never waited for."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY, 0o666)


def _end(error: BaseException | None) -> str:
    if error is None:
        return "ended"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    text = str(error) if isinstance(error, ReproError) else f"{type(error).__name__}: {error}"
    return f"Error: {text}\nended by this error"
