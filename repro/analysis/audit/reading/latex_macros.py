"""Macros that a LaTeX file defines for itself, and where they are used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from repro.analysis.audit.reading.latex_commands import KNOWN
from repro.analysis.audit.reading.markup import closing

MOST_MACROS = 200  # of a file
MOST_STEPS = 50  # of writing out one cell
MOST_LETTERS = 2_000
_DEFINITION = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand|DeclareRobustCommand|def)\*?\s*"
    r"(?:\{\s*\\([A-Za-z]+)\s*\}|\\([A-Za-z]+))\s*(?:\[(\d)\]|((?:#\d)+))?\s*(?=\{)"
)
_USE = re.compile(r"\\([A-Za-z]+)\*?(\s*)")


@dataclass(frozen=True, slots=True)
class Macros:
    """What macros print, and how many arguments they take, by name."""

    known: Mapping[str, tuple[int, str]]

    @classmethod
    def of(cls, text: str) -> "tuple[Macros, str]":
        """The macros that a file defines, and the file without them, its lines where they were."""
        known, rest, at = {}, [], 0
        for found in islice(_DEFINITION.finditer(text), MOST_MACROS):
            end = closing(text, found.end())
            body = text[found.end() + 1 : end]
            if found.start() < at or len(body) > MOST_LETTERS:
                continue
            known[found[1] or found[2]] = (int(found[3] or len(found[4] or "") // 2), body)
            lines = text.count("\n", found.start(), end)
            rest += [text[at : found.start()], "\n" * lines]
            at = end + 1
        return cls(known), "".join([*rest, text[at:]])

    def written_out(self, text: str) -> str:
        """A cell with what its macros print in their place."""
        for _ in range(MOST_STEPS if self.known else 0):
            found = next((f for f in _USE.finditer(text) if f[1] in self.known), None)
            if not found or len(text) > MOST_LETTERS:
                break
            count, body = self.known[found[1]]
            arguments, at = _arguments(text, found.end(), count)
            for number, argument in enumerate(arguments, start=1):
                body = body.replace(f"#{number}", argument)
            text = text[: found.start()] + body + text[at:]
        return text

    def unended(self, text: str) -> str | None:
        """The first of these macros that is left in a cell, because it leads to itself."""
        return next(
            (f"\\{found[1]}" for found in _USE.finditer(text) if found[1] in self.known), None
        )


def _arguments(text: str, at: int, count: int) -> tuple[list[str], int]:
    """Arguments in braces, and the position after them."""
    arguments: list[str] = []
    while len(arguments) < count and text[at : at + 1] == "{":
        end = closing(text, at)
        arguments.append(text[at + 1 : end])
        at = end + 1
    return arguments, at


def unknown_macro(text: str) -> str | None:
    """The first macro with an argument in a cell of which nobody says what it prints."""
    for found in _USE.finditer(text):
        if found[1] not in KNOWN and text[found.end() : found.end() + 1] == "{":
            return f"\\{found[1]}"
    return None
