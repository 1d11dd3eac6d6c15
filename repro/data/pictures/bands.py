"""Names of groups by a number: bands of years, or of the tones of a scale."""

import itertools
from collections.abc import Sequence

from repro.errors import DataError


def require_increasing(bands: Sequence[int], name: str) -> None:
    """Reject first values of bands that do not increase.

    Raises:
        DataError: Names the setting.
    """
    if any(a >= b for a, b in itertools.pairwise(bands)):
        raise DataError(f"{name} {list(bands)} must increase; give each start once")


def of_age(age: int, bands: Sequence[int]) -> str:
    """The name of the band that contains an age: ``age_0_19``, ``age_20_39``, ``age_60_up``.

    Args:
        age: In whole years.
        bands: First years of all bands but the youngest, increasing.
    """
    first = max((start for start in bands if start <= age), default=0)
    last = min((start for start in bands if start > age), default=None)
    return f"age_{first}_{'up' if last is None else last - 1}"


def of_tone(tone: float, bands: Sequence[int]) -> str:
    """The name of the band of a Monk skin tone: ``mst_1_to_5``, ``mst_6_to_10``.

    Args:
        tone: From 1, the lightest, to 10; not whole if it is a mean of votes.
        bands: First tones of all bands but the lightest, increasing; a band reaches up to the next
            one, so that 5.5 is in ``mst_1_to_5`` where the next band begins at 6.
    """
    first = max((start for start in bands if start <= tone), default=1)
    last = min((start for start in bands if start > tone), default=11)
    return f"mst_{first}_to_{last - 1}"
