"""Widths of table columns whose sentences have to be broken into lines. Pure."""

import re
from collections.abc import Callable, Sequence
from typing import Literal

BREAK = "\u200b"  # invisible; marks where a long word may be broken
_SHORT = 10  # columns up to this share of the total are short
_STEPS = 60  # of the bisection
_LONG, _SOLID = 12, 30  # letters from which on a word may be broken: after signs, anywhere
_PIECE = 10  # letters between two breaks of a word without signs


def widths(
    columns: Sequence[Sequence[str]], total: float, *, measure: Callable[[str], float] = len
) -> list[float]:
    """Widths that add up to the total, or to less if the texts need less.

    Long columns get more, though less than in proportion, so that the table is short; none is
    narrower than its longest word or wider than its longest text, and short ones stay unbroken
    where there is space.

    Args:
        columns: The texts of each column, including its header.
        total: The total width, in the unit of `measure`.
        measure: Gives the width of a text on one line.
    """
    least = [max(measure(word) for text in column for word in _words(text)) for column in columns]
    most = [max(map(measure, column)) for column in columns]
    if sum(most) <= total:
        return most
    if sum(least) >= total:
        return [one * total / sum(least) for one in least]
    easy = [max(a, min(b, total / _SHORT)) for a, b in zip(least, most, strict=True)]
    if sum(easy) < total:
        least = easy
    # Minimises the sum of the cubed heights for the given total, then clips to the bounds.
    wish = [sum(measure(text) ** 3 for text in column) ** 0.25 or 1.0 for column in columns]
    low, high = 0.0, 2 * total
    for _ in range(_STEPS):
        factor = (low + high) / 2
        found = _bounded(wish, factor, least, most)
        low, high = (factor, high) if sum(found) <= total else (low, factor)
    return _bounded(wish, low, least, most)


def _bounded(
    wish: Sequence[float], factor: float, least: Sequence[float], most: Sequence[float]
) -> list[float]:
    return [min(max(factor * w, a), b) for w, a, b in zip(wish, least, most, strict=True)]


def _words(text: str) -> list[str]:
    return re.split(rf"[\s{BREAK}]+|(?<=\w-)", text)


def breakable(text: str, *, at: Literal["signs", "letters"] = "signs") -> str:
    """The text with break marks in its long words.

    Args:
        text: Any text.
        at: ``signs`` breaks after signs, and within long parts without any; ``letters`` only there.
    """
    if at == "letters":
        return re.sub(rf"\w{{{_SOLID},}}", lambda found: BREAK.join(_pieces(found[0])), text)
    return re.sub(rf"\S{{{_LONG},}}", _broken, text)


def _broken(word: re.Match[str]) -> str:
    parts = re.split(r"(?<=[._/=:,;)\]])(?=\w)", word[0])
    return BREAK.join(piece for part in parts for piece in _pieces(part))


def _pieces(part: str) -> list[str]:
    if len(part) < _SOLID:
        return [part]
    return [part[at : at + _PIECE] for at in range(0, len(part), _PIECE)]
