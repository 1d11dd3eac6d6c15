"""A cell of a table: its text, and the numbers that the text was made from.

Whoever writes for people takes the text; whoever writes for programs takes the numbers.
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
    """A number as tables print it, in the unit in which they print it.

    Attributes:
        value: NaN where it is not defined.
        unit: ``percent``, ``percent_squared``, ``points`` (a difference of percents) or none.
        decimals: With which it is printed.
        signed: Whether a plus is printed.
        interval: Its 95 % interval; nowhere without one.
        sd: Standard deviation of the runs' own values (ddof 1); NaN without one.
        error: Standard error of the mean over the runs; NaN without one.
        shows: What stands behind it: the interval in brackets, or after ± half of the interval,
            the standard error or the standard deviation.
        better: 1 where more is better, -1 where less is, 0 where neither.
        before: Text in front of it, such as the name of a group.
        after: Text behind it, such as a p-value.
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
        """As a cell has it; a dash for NaN."""
        return " ".join(one for one in self.pieces if one)

    @property
    def pieces(self) -> tuple[str, str, str, str]:
        """What stands in front, the number, how sure it is, what stands behind."""
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
        """Its numbers by the end of the column's name that they have in a file."""
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
    """Text that is equal to any other of the same letters, and keeps its numbers.

    Attributes:
        number: The one number that it says, if it says one.
        columns: What a file has instead of the text, by the end of the column's name.
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
        """A text with what files have in its place."""
        self = super().__new__(cls, text)
        self.number, self.columns, self.bold = number, columns or {}, bold
        return self

    @classmethod
    def of(cls, number: Number, *, bold: bool = False) -> Self:
        """The cell of one number, with the text in front of it as a column of its own."""
        columns: dict[str, float | str] = {"": number.before} if number.before else {}
        return cls(number.text, columns, number=number, bold=bold)
