"""How shares were shortened."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal

import pytest

from repro.stats.forensics import Printed
from repro.stats.rounding_modes import shortening

COUNTS = [(k, 318) for k in range(3, 318, 7)]


def shown(counts, rounding, last="0.01"):
    """Shares in percent, as printed."""
    values = [(Decimal(100 * k) / n, n) for k, n in counts]
    return [(Printed(value.quantize(Decimal(last), rounding)), n) for value, n in values]


@pytest.mark.parametrize(
    ("decimal", "mode"),
    [(ROUND_HALF_UP, "nearest"), (ROUND_DOWN, "truncated"), (ROUND_UP, "ceiling")],
)
def test_the_mode_is_the_one_that_gives_all(decimal, mode):
    """The two others give about half of the cells."""
    found = shortening(shown(COUNTS, decimal))

    assert [one for one in found.possible if found.all(one)] == [mode]
    assert found.chance == 0.5 ** len(COUNTS)


@pytest.mark.parametrize(
    ("decimal", "up", "even"), [(ROUND_HALF_UP, 8, 4), (ROUND_HALF_EVEN, 4, 8)]
)
def test_ties_tell_half_up_from_half_even(decimal, up, even):
    """Eighths with two decimals: 12.5 % is exact, 0.125 of a percent is a tie."""
    found = shortening(shown([(k, 800) for k in range(1, 16, 2)], decimal))

    assert (found.ties, found.up, found.even) == (8, up, even)


def test_many_portraits_tell_nothing():
    """Of 10,000 every print is a share."""
    assert shortening(shown([(5001, 10_000)], ROUND_DOWN)).cells == 0
