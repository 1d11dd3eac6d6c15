"""An arm's name and alpha in a row -> the arm's key, and its name in tables.

Keys of different files match if word and alpha are equal; a missing alpha counts
as infinite.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from repro.analysis.audit.reading.csv_sheet import Row, Sheet


@dataclass(frozen=True, slots=True)
class Key:
    """An arm as named in a file.

    Attributes:
        word: Name, with spaces for underscores.
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
        return f"{self.word}, {self.step}" if self.resamples else self.word

    @property
    def matched(self) -> tuple[str, float]:
        """Equal for the same arm in another file."""
        return self.word, self.alpha if self.alpha is not None else math.inf


def read_key(sheet: Sheet, row: Row) -> Key | None:
    """The row's arm.

    Args:
        sheet: Collects the problems of the cells.
        row: With a column `arm`, and optionally `alpha`.

    Returns:
        None if a cell is wrong.
    """
    word = " ".join(row.cells["arm"].replace("_", " ").split())
    if not word:
        sheet.report(row.line, "is empty", "arm")
    if "alpha" not in row.cells:
        return Key(word, None) if word else None
    alpha: Decimal | float | None = math.inf
    if row.cells["alpha"]:
        alpha = sheet.number(row, "alpha", most=1e9)
    return Key(word, float(alpha)) if word and alpha is not None else None
