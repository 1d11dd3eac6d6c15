"""Detectors at equal false-positive rates: thresholds, recall curves and their areas.

A photograph is detected when its top logit is at least the threshold. Logits have shape (..., N):
leading axes are runs or bootstrap samples. The threshold for a rate is the k-th largest logit of N
photographs without a face. The proportion of new photographs that it detects, the true rate, is
then distributed as Beta(k, N + 1 - k) whatever the distribution of the logits, if it is continuous
(Wilks 1941): k = floor(rate * (N + 1)) is the largest with an expected true rate of at most `rate`.
"""

from fractions import Fraction
from math import ceil

import numpy as np
from scipy import special

from repro.argument_checks import arrays
from repro.stats.intervals import LEVEL, Floats, Integers, Interval

WITHIN_TWO = 11  # smallest rank whose 95 % interval of the true rate lies within half and twice it


def rank(rate: float, count: int) -> int:
    """Rank of the threshold from the largest logit: k = floor(rate * (N + 1)), in exact arithmetic.

    Args:
        rate: Expected false-positive rate, in (0, 1), read as the decimal that it is written as.
        count: N, the number of photographs without a face.

    Raises:
        ValueError: The rate is out of range, or there are too few photographs for it.
    """
    found = int(_exact(rate) * (count + 1))
    if not found:
        raise ValueError(too_few(rate, count))
    return found


def too_few(rate: float, count: int) -> str:
    """Why so many photographs give no threshold for the rate, and how many would."""
    return (
        f"a false-positive rate of {100 * rate:g} % takes {needed(rate):,} photographs without a "
        f"face, and there are {count:,}; within a factor of 2 with 95 % confidence it takes "
        f"{needed(rate, WITHIN_TWO):,}"
    )


def _exact(rate: float) -> Fraction:
    if not 0 < rate < 1:
        raise ValueError(f"{rate} is no false-positive rate between 0 and 1")
    return Fraction(str(float(rate)))


def supports(rate: float, count: int) -> bool:
    """Whether so many photographs without a face give a threshold for the rate: k >= 1."""
    return count >= needed(rate)


def needed(rate: float, at_rank: int = 1) -> int:
    """The smallest number of photographs without a face for which the threshold has this rank.

    ceil(k / rate) - 1: 99 for 1 %; 1,099 for 1 % within a factor of 2 (k = `WITHIN_TWO`).
    """
    return ceil(at_rank / _exact(rate)) - 1


def threshold(nonfaces: Floats, rate: float) -> Floats:
    """The threshold for an expected false-positive rate: the logit of rank `rank` from above.

    Args:
        nonfaces: Top logits, shape (..., N).
        rate: In (0, 1).

    Returns:
        Shape (...): a photograph with exactly this logit is detected.

    Raises:
        ValueError: As for `rank`.
    """
    count = nonfaces.shape[-1]
    place = count - rank(rate, count)
    return np.asarray(np.partition(nonfaces, place, axis=-1)[..., place])


def detected(logits: Floats, threshold: Floats) -> Floats:
    """1 where a photograph's logit is at least its run's threshold, else 0; shape (..., N)."""
    return (logits >= np.asarray(threshold)[..., None]).astype(np.float64)


def ties(nonfaces: Floats, rate: float) -> Floats:
    """Photographs without a face that are detected beyond rank k, because they equal the k-th.

    With ties the true rate is larger than Beta(k, N + 1 - k) says.

    Args:
        nonfaces: Top logits, shape (..., N).
        rate: In (0, 1).

    Returns:
        Numbers, shape (...); 0 without ties.
    """
    found = detected(nonfaces, threshold(nonfaces, rate)).sum(axis=-1)
    return np.asarray(found - rank(rate, nonfaces.shape[-1]))


def matched_threshold(nonfaces: Floats, counts: Integers) -> Floats:
    """The threshold at which a run detects so many photographs: between two logits.

    The midpoint of the k-th and the (k + 1)-th largest logit. Against a run that detects k of the
    photographs at its own threshold, the k-th largest alone would be too high on average, and the
    recall at it too low.

    Args:
        nonfaces: Top logits, shape (..., N).
        counts: k of each run, 1 to N - 1, shape (...).

    Returns:
        Shape (...). If both logits are equal, more than k photographs are detected: `excess`.

    Raises:
        ValueError: A count is out of range, so that there is no midpoint.
    """
    count = nonfaces.shape[-1]
    if np.any((counts < 1) | (counts >= count)):
        raise ValueError(f"counts must be from 1 to {count - 1}, not {np.ravel(counts).tolist()}")
    falling = -np.sort(-nonfaces, axis=-1)
    places = np.asarray(counts)[..., None]
    high, low = (np.take_along_axis(falling, places - back, axis=-1)[..., 0] for back in (1, 0))
    return midpoint(high, low)


def midpoint(high: Floats, low: Floats) -> Floats:
    """A threshold that detects the higher logit and not the lower one, unless they are equal.

    Between neighbouring floating-point numbers, where there is no midpoint, it is the higher one.
    """
    middle = low + (high - low) / 2
    return np.where(middle > low, middle, high)


def excess(nonfaces: Floats, counts: Integers) -> Integers:
    """Photographs beyond k that `matched_threshold` detects because of ties, shape (...)."""
    found = detected(nonfaces, matched_threshold(nonfaces, counts)).sum(axis=-1)
    return np.asarray(found - counts, dtype=np.int64)


def expected_rate(at_rank: int, count: int) -> float:
    """Expected true rate of the threshold of rank k among N photographs: k / (N + 1)."""
    _check_rank(at_rank, count)
    return at_rank / (count + 1)


def rate_interval(at_rank: int, count: int, *, level: float = LEVEL) -> Interval:
    """Interval that contains the true rate of the threshold of rank k with probability `level`.

    Central quantiles of Beta(k, N + 1 - k): [0.31, 3.57] % for the third largest of 200.

    Args:
        at_rank: k, 1 to N.
        count: N.
        level: In (0, 1).

    Raises:
        ValueError: The rank or the level is out of range.
    """
    arrays.level(level)
    _check_rank(at_rank, count)
    tail = (1 - level) / 2
    low, high = special.betaincinv(at_rank, count + 1 - at_rank, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _check_rank(at_rank: int, count: int) -> None:
    if not 1 <= at_rank <= count:
        raise ValueError(f"no photograph of {count} has rank {at_rank}")


def curve(faces: Floats, nonfaces: Floats) -> tuple[Floats, Floats]:
    """ROC curve of one run: recall against the expected false-positive rate, from (0, 0) to (1, 1).

    Args:
        faces: Top logits, shape (N,).
        nonfaces: Top logits, shape (M,).

    Returns:
        Rates k / (M + 1) for k = 0 to M + 1, and the recall at the threshold of rank k: 0 for
        k = 0, where nothing is detected, and 1 for k = M + 1, where everything is.
    """
    falling = np.sort(nonfaces)[::-1]
    found = len(faces) - np.searchsorted(np.sort(faces), falling, side="left")
    steps = len(nonfaces) + 1
    return np.arange(steps + 1) / steps, np.concatenate([[0.0], found / len(faces), [1.0]])


def placements(scores: Floats, others: Floats) -> Floats:
    """Share of the others below each score, ties count half, shape (N,)."""
    ranked = np.sort(others)
    sides = (np.searchsorted(ranked, scores, side=side) for side in ("left", "right"))
    return np.asarray(sum(sides) / (2 * len(others)))


def area(faces: Floats, nonfaces: Floats) -> float:
    """Area under the curve: P(face's logit > non-face's logit), ties count half (Mann-Whitney)."""
    return float(placements(faces, nonfaces).mean())
