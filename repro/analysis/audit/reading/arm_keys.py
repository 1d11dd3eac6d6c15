"""An arm's name and alpha in a row -> the arm's key, and its name in tables.

Keys of different files match if word and alpha are equal; a missing alpha counts
as infinite.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

_ALPHA = re.compile(r"(.*?),? ?(?:alpha|α) ?= ?(\d*\.?\d+(?:e[+-]?\d{1,3})?)", re.ASCII | re.I)
_NUMBER = re.compile(r"(.*?)[ _.-]*(\d{1,9})(?!.*\d)(.*)", re.ASCII)
_FILE_TYPE = re.compile(r"\.[A-Za-z]{1,5}\d?$")


@dataclass(frozen=True, slots=True)
class Key:
    """An arm as named in a file.

    Attributes:
        word: Name, with spaces for underscores; empty if only alpha names it.
        alpha: Infinite if the cell is empty, None if there is no such column.
    """

    word: str
    alpha: float | None

    @property
    def resamples(self) -> bool:
        """Whether the arm resamples: alpha is finite."""
        return self.alpha is not None and math.isfinite(self.alpha)

    @property
    def step(self) -> str:
        """Name within a series over alpha."""
        if self.alpha is None or not self.resamples:
            return self.word
        return f"alpha = {np.format_float_positional(self.alpha, trim='-')}"

    @property
    def name(self) -> str:
        """Name in tables."""
        return f"{self.word}, {self.step}" if self.resamples and self.word else self.step

    @property
    def matched(self) -> tuple[str, float]:
        """Equal for the same arm in another file."""
        return self.word, self.alpha if self.alpha is not None else math.inf


def word_of(text: str) -> str:
    """An arm's name with spaces for underscores."""
    return " ".join(text.replace("_", " ").split())


def with_alpha(word: str) -> Key | None:
    """The key of a name that gives alpha, as our own tables do; None if it does not."""
    found = _ALPHA.fullmatch(word)
    return Key(found[1].strip(), float(found[2])) if found else None


def without_run(name: str) -> tuple[str, str] | None:
    """A name without the last number in it, and that number; None without a number.

    The ending of a file's name goes with it: `train1_model0.pt` is run 0 of `train1_model`.
    """
    found = _NUMBER.fullmatch(_FILE_TYPE.sub("", name))
    return (f"{found[1]}{found[3]}", found[2]) if found else None
