"""User errors.

The text says what is wrong, where, and what to do.
The command line prints them without a traceback and exits with status 1.
Defects of this program are other exceptions and keep their traceback.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class ReproError(Exception):
    """A user error; its text is the whole message."""


class DataError(ReproError):
    """A data set is missing, damaged, or its shape differs from what its source declares."""


class RecordError(ReproError):
    """A record on disk is damaged, not of this program, or of another schema."""


class LaterRelease(RecordError):
    """A record on disk is of a schema that this release does not know."""


class Unreadable(RecordError):
    """A record on disk may be complete, but the system cannot read it."""


class Busy(ReproError):
    """Another process is running this study."""


class RunFailed(Exception):
    """A run failed; the study continues and counts the run as failed.

    Attributes:
        epoch: Epoch in which it ended, counted from 1.
        term: What became NaN or infinite: a term of the objective, or ``resampling weights``.
        reason: One sentence for the table.
    """

    def __init__(self, *, epoch: int, term: str, reason: str) -> None:
        """Build the message from epoch, term and reason."""
        super().__init__(f"epoch {epoch}: {term}: {reason}")
        self.epoch, self.term, self.reason = epoch, term, reason


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One error in a study file or on the command line.

    Attributes:
        source: File name, or the option with the error.
        line: Line in the file, counted from 1; 0 outside files.
        column: Column in the line, counted from 1; 0 outside files.
        message: What is wrong and what to do.
    """

    source: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        position = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.source}{position}: {self.message}"


class StudyError(ReproError):
    """Everything that is wrong with a study, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Order the problems by position, each once."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
