"""What printed numbers can be, worked out apart from the program: exact, and slow where simple."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from printed_tables.tables import OVERALL, VARIANCE, Design, Row

FLOAT_ERROR = Fraction(1, 10**9)  # of numbers that a program wrote with all their digits

Interval = tuple[Fraction, Fraction]


def interval(text: str) -> Interval:
    """All numbers that round to a text, up or down, both ends included."""
    decimals = len(text.partition(".")[2]) if "e" not in text else 12
    half = max(Fraction(1, 2 * 10**decimals), FLOAT_ERROR)
    return Fraction(text) - half, Fraction(text) + half


def share_interval(text: str, unit: str) -> Interval:
    """Of a share, as a fraction."""
    scale = 100 if unit == "percent" else 1
    low, high = interval(text)
    return low / scale, high / scale


def is_share(text: str, trials: int, unit: str) -> bool:
    """Whether some whole number of trials prints so (GRIM)."""
    low, high = share_interval(text, unit)
    return any(0 <= k <= trials for k in range(ceil(low * trials), floor(high * trials) + 1))


def overall_fits(design: Design, row: Row, groups: Sequence[str], kind: str) -> bool:
    """Whether a row's overall can be that of its groups."""
    weights = design.sizes if kind == "pooled" else (1,) * len(groups)
    total = sum(weights)
    pairs = [share_interval(row.texts[name], design.unit) for name in groups]
    low, high = (
        sum((w * pair[end] for w, pair in zip(weights, pairs, strict=True)), Fraction(0)) / total
        for end in (0, 1)
    )
    printed = share_interval(row.texts[OVERALL], design.unit)
    return printed[0] <= high and low <= printed[1]


def variance_fits(design: Design, row: Row, groups: Sequence[str], ddof: int) -> bool:
    """Whether a row's variance can be that of its groups; true if in doubt.

    With errors of at most h, Var changes by at most (2 sum |d| h + K h^2) / (K - ddof).
    """
    pairs = [share_interval(row.texts[name], design.unit) for name in groups]
    middles, half = [(low + high) / 2 for low, high in pairs], (pairs[0][1] - pairs[0][0]) / 2
    k, mean = len(middles), sum(middles, Fraction(0)) / len(middles)
    away = [abs(one - mean) for one in middles]
    value = sum((one**2 for one in away), Fraction(0)) / (k - ddof)
    error = (2 * half * sum(away, Fraction(0)) + k * half**2) / (k - ddof)
    scale = 10_000 if design.unit == "percent" else 1
    low, high = interval(row.texts[VARIANCE])
    return low / scale <= value + error and value - error <= high / scale


def can_be_sd(mean: str, sd: str, n: int, runs: int, unit: str) -> bool:
    """Whether counts of n in so many runs can have this mean and sd (GRIMMER); true if in doubt.

    The squares of whole numbers with sum S have a sum of the parity of S.
    """
    low, high = share_interval(mean, unit)
    least, most = (max(Fraction(0), end * n) ** 2 for end in share_interval(sd, unit))
    for total in range(ceil(low * n * runs), floor(high * n * runs) + 1):
        first = ceil((runs - 1) * least + Fraction(total**2, runs))
        last = floor((runs - 1) * most + Fraction(total**2, runs))
        if any(squares % 2 == total % 2 for squares in range(first, last + 1)):
            return True
    return False
