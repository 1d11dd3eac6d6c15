"""Numbers and lists in words, for messages about files and for findings."""

from collections.abc import Sequence


def count(number: int, what: str) -> str:
    """A number with its noun: 1 run, 2 runs; the plural adds an s."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def joined(words: Sequence[str], last: str = "and") -> str:
    """Words as a list in a sentence: a, b and c; empty without words."""
    if len(words) < 2:
        return "".join(words)
    return f" {last} ".join([", ".join(words[:-1]), words[-1]])
