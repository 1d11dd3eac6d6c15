"""Detectors at equal false-positive rates: thresholds, recall curves and their areas.

A photograph is detected when its top logit lies above the threshold. Logits have shape (..., N):
leading axes are runs or bootstrap samples.
"""

import numpy as np

from repro.stats.intervals import Floats


def threshold(nonfaces: Floats, rate: float) -> Floats:
    """The lowest threshold at which at most `rate` of the photographs without a face are detected.

    Args:
        nonfaces: Top logits, shape (..., M).
        rate: In [0, 1); a photograph with exactly the threshold's logit is not detected.

    Returns:
        Shape (...): the logit of rank floor(rate * M) + 1 from above.
    """
    count = nonfaces.shape[-1]
    place = count - 1 - rank(rate, count)
    return np.asarray(np.partition(nonfaces, place, axis=-1)[..., place])


def rank(rate: float, count: int) -> int:
    """How many of `count` photographs without a face lie above the threshold: floor(rate * M)."""
    above = int(np.floor(rate * count + 1e-9))
    if not 0 <= above < count:
        raise ValueError(f"no threshold lets {rate} of {count} photographs through")
    return above


def detected(logits: Floats, threshold: Floats) -> Floats:
    """1 where a photograph lies above its run's threshold, else 0; shape (..., N)."""
    return (logits > np.asarray(threshold)[..., None]).astype(np.float64)


def curve(faces: Floats, nonfaces: Floats) -> tuple[Floats, Floats]:
    """ROC curve of one run: recall against false-positive rate, up to (1, 1).

    Args:
        faces: Top logits, shape (N,).
        nonfaces: Top logits, shape (M,).

    Returns:
        Rates 0, 1/M, ..., 1 and the recall at the lowest threshold of each.
    """
    falling = np.sort(nonfaces)[::-1]
    ranked = np.sort(faces)
    above = len(faces) - np.searchsorted(ranked, falling, side="right")
    return (
        np.arange(len(nonfaces) + 1) / len(nonfaces),
        np.append(above / len(faces), 1.0),
    )


def area(faces: Floats, nonfaces: Floats) -> float:
    """Area under the curve: P(face's logit > non-face's logit), ties count half (Mann-Whitney)."""
    ranked = np.sort(nonfaces)
    below = np.searchsorted(ranked, faces, side="left") + np.searchsorted(
        ranked, faces, side="right"
    )
    return float(below.mean() / (2 * len(nonfaces)))
