"""The problems of one file, collected by line so that they can be reported at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

MOST = 1_000  # kept of one file


@dataclass(slots=True)
class Problems:
    """What is wrong with a file.

    Attributes:
        found: Lines, 0 for the whole file, and messages.
    """

    path: Path
    found: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, message: str) -> None:
        """Note a problem of the whole file."""
        self.found.append((0, f"{self.path}: {message}"))

    def refuse_all(self, messages: Iterable[str]) -> None:
        """Note problems whose messages name the file and the place already."""
        self.found += [(0, message) for message in messages]

    def report(self, line: int, message: str, column: str | None = None) -> None:
        """Note a problem by line, and by column if it concerns one cell."""
        if len(self.found) < MOST:
            where = "" if column is None else f" column '{column}':"
            self.found.append((line, f"{self.path}:{line}:{where} {message}"))

    def apart(self) -> "Problems":
        """An empty collection for one part of the file, to be joined with this or dropped."""
        return Problems(self.path)

    @property
    def texts(self) -> tuple[str, ...]:
        """Sorted by line; those of the whole file first."""
        return tuple(text for _, text in sorted(self.found, key=lambda problem: problem[0]))


def short(text: str) -> str:
    """A text of a file for a message, at most 40 characters."""
    return text if len(text) <= 40 else f"{text[:37]}..."


def quoted(text: str) -> str:
    """The same, with quotation marks and without invisible characters."""
    return repr(short(text))
