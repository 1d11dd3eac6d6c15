"""Standard input, output and error, as a command of Unix treats them.

A terminal may be closed, a pipe's reader may have ended, a disk may be full. Standard error never
stops the program: what it cannot take is dropped. Standard output is what the user asked for: if
nobody reads it any more, the program ends without a word, otherwise with a sentence.
"""

import contextlib
import errno
import io
import os
import sys
import traceback
import warnings
from types import TracebackType
from typing import TextIO

from repro.errors import ReproError
from repro.system import printing

BROKEN_PIPE = 128 + 13  # exit status of a program that SIGPIPE ended


class CannotPrint(ReproError):
    """Standard output cannot be written."""


class ReaderGone(SystemExit):
    """Nobody reads standard output any more: the program ends, and has nothing to say."""


class _Output(io.FileIO):
    """Standard output; once it has failed, what is left in buffers is dropped."""

    failed = False

    def write(self, content: "bytes | memoryview", /) -> int:  # type: ignore[override]
        """Write as much as is taken now."""
        if self.failed:
            return len(content)
        try:
            return int(super().write(content) or 0)
        except OSError as error:
            self.failed = True
            if error.errno == errno.EPIPE:
                raise ReaderGone(BROKEN_PIPE) from None
            why = error.strerror or error
            raise CannotPrint(f"standard output cannot be written ({why})") from None


class _Error(io.FileIO):
    """Standard error; what it cannot take is dropped."""

    def write(self, content: "bytes | memoryview", /) -> int:  # type: ignore[override]
        """Write as much as is taken now."""
        try:
            return int(super().write(content) or 0)
        except OSError:
            return len(content)


def prepare() -> None:
    """Make the standard streams of this process safe; other streams in their place stay."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        _open_if_closed(number, mode)
    if sys.stdout is None or sys.stdout is sys.__stdout__:
        sys.stdout = _replaced(sys.stdout, _Output(1, "w", closefd=False))
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = _replaced(sys.stderr, _Error(2, "w", closefd=False))
        sys.excepthook = _say_traceback
        if any(option.startswith("error") for option in sys.warnoptions):
            warnings.simplefilter("default")  # warnings of libraries are not for users to mend


def end() -> None:
    """Write what is still in a buffer of standard output; raises as writing does."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _open_if_closed(number: int, mode: int) -> None:
    """Occupy the descriptor: the next file that is opened would be printed into.

    Standard output is opened for reading, so that writing it fails as it does when it is closed.
    """
    try:
        os.fstat(number)
    except OSError:
        with contextlib.suppress(OSError):
            taken = os.open(os.devnull, mode)
            if taken != number:
                os.dup2(taken, number)
                os.close(taken)


def _replaced(stream: TextIO | None, raw: io.FileIO) -> TextIO:
    """A text stream with the same encoding above another file."""
    if isinstance(stream, io.TextIOWrapper):
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding if stream is not None else "utf-8",
        errors=printing.PLAIN_LETTERS,
        line_buffering=raw.isatty() or raw.fileno() == 2,
        write_through=raw.fileno() == 2,
    )


def _say_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """A defect of this program, without control characters and secrets."""
    printing.say("".join(traceback.format_exception(kind, error, trace)).rstrip("\n"), err=True)
