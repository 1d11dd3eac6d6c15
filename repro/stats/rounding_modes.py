"""How printed shares were shortened: rounded to the nearest, truncated, or rounded up.

Only shares of so few portraits that a print has one count at most tell: N < 100 * 10^d. A share
above the middle between two prints is cut to the lower and rounded to the higher one. Rounding half
up and half to even differ on ties alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from repro.stats.forensics import BELOW, Printed, Rounding
from repro.stats.grim import whole_counts

MODES: tuple[Rounding, ...] = tuple(BELOW)


@dataclass(frozen=True, slots=True)
class Shortening:
    """How a column of shares was shortened.

    Attributes:
        cells: Shares that have one count at most.
        possible: How many of them each way of shortening can give.
        up, even: Of the exact ties how many were rounded up, and how many to an even last digit.
        ties: Exact ties.
    """

    cells: int
    possible: dict[Rounding, int]
    up: int
    even: int
    ties: int

    @property
    def chance(self) -> float:
        """Probability that all cells look cut the same way if each was rounded to the nearest."""
        return 0.5**self.cells

    def all(self, rounding: Rounding) -> bool:
        """Whether it can give every cell."""
        return self.cells > 0 and self.possible[rounding] == self.cells


def shortening(shares: Sequence[tuple[Printed, int]]) -> Shortening:
    """Count what each way of shortening can give.

    Args:
        shares: In percent, each with its N.
    """
    telling = [(share, n) for share, n in shares if n < 100 * 10**share.decimals]
    possible = {
        mode: sum(bool(whole_counts(share, n, mode)) for share, n in telling) for mode in MODES
    }
    ties = [tie for share, n in telling if (tie := _tie(share, n)) is not None]
    up, even = (sum(tie[at] for tie in ties) for at in range(2))
    return Shortening(len(telling), possible, up, even, len(ties))


def _tie(share: Printed, n: int) -> tuple[bool, bool] | None:
    """Of an exact tie, whether it was rounded up, and whether its last digit is even."""
    low, high = share.interval()
    for count in whole_counts(share, n):
        exact = Fraction(100 * count, n)
        if exact in (low, high):
            return exact == low, int(share.value * 10**share.decimals) % 2 == 0
    return None
