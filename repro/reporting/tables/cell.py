"""A table cell: its text, and the numbers that the text was made from.

Output for people uses the text; output for programs uses the numbers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from repro.stats.intervals import NOWHERE, Interval

DASH = "—"
Unit = Literal["percent", "percent_squared", "points", ""]
Spread = Literal["interval", "half", "error", "sd", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number with the unit and the format in which tables print it.

    Attributes:
        value: NaN if undefined.
        unit: ``percent``, ``percent_squared``, ``points`` (a difference of percents) or none.
        decimals: Number of decimals printed.
        signed: Whether a plus sign is printed.
        interval: Its 95 % interval; `NOWHERE` if there is none.
        sd: Standard deviation of the runs' own values (ddof 1); NaN if unknown.
        error: Standard error of the mean over the runs; NaN if unknown.
        shows: What is printed after it: the interval in brackets, or ± half of the interval, the
            standard error or the standard deviation.
        better: 1 if more is better, -1 if less is, 0 if neither.
        before: Text before it, such as the name of a group.
        after: Text after it, such as a p-value.
    """

    value: float
    unit: Unit = "percent"
    decimals: int = 2
    signed: bool = False
    interval: Interval = NOWHERE
    sd: float = math.nan
    error: float = math.nan
    shows: Spread = "interval"
    better: int = 0
    before: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """The text of a cell; a dash for NaN."""
        return " ".join(one for one in self.pieces if one)

    @property
    def pieces(self) -> tuple[str, str, str, str]:
        """The text before, the number, its uncertainty, and the text after."""
        if math.isnan(self.value):
            return self.before, DASH, "", ""
        told = f"{self.value:+.{self.decimals}f}" if self.signed else self._fixed(self.value)
        return self.before, told, self._sureness, self.after

    @property
    def _sureness(self) -> str:
        low, high = self.interval
        if self.shows == "interval" and not math.isnan(low):
            return f"[{self._fixed(low)}, {self._fixed(high)}]"
        if self.shows == "half" and not math.isnan(low):
            return f"± {self._fixed((high - low) / 2)}"
        if self.shows == "error":
            return f"± {DASH if math.isnan(self.error) else self._fixed(self.error)}"
        if self.shows == "sd" and not math.isnan(self.sd):
            return f"± {self._fixed(self.sd)}"
        return ""

    def _fixed(self, value: float) -> str:
        return f"{value:.{self.decimals}f}"

    @property
    def columns(self) -> dict[str, float]:
        """Its numbers, by the suffix of their column's name in a file."""
        found = {"": self.value}
        if self.shows == "none":
            return found
        if not math.isnan(self.interval.low):
            found |= {"low": self.interval.low, "high": self.interval.high}
        if self.shows == "error":
            found["standard_error"] = self.error
        if not math.isnan(self.sd):
            found["sd"] = self.sd
        return found


class Cell(str):
    """A string that compares by its text, and keeps its numbers.

    Attributes:
        number: The number that it shows, if it shows exactly one.
        columns: Values that a file has instead of the text, by the suffix of the column's name.
        bold: Whether it is the best of its column.
    """

    number: Number | None
    columns: Mapping[str, float | str]
    bold: bool

    def __new__(
        cls,
        text: str,
        columns: Mapping[str, float | str] | None = None,
        *,
        number: Number | None = None,
        bold: bool = False,
    ) -> Self:
        """A text, with the values that files have instead."""
        self = super().__new__(cls, text)
        self.number, self.columns, self.bold = number, columns or {}, bold
        return self

    @classmethod
    def of(cls, number: Number, *, bold: bool = False) -> Self:
        """The cell of one number; the text before the number becomes a separate column."""
        columns: dict[str, float | str] = {"": number.before} if number.before else {}
        return cls(number.text, columns, number=number, bold=bold)
