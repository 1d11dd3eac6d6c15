"""Scores of a detector for a study's portraits and its photographs without a face.

A photograph is scored by its highest window, or as a whole, minus the detector's threshold: 0 or
more is a face, as in the scores of runs. Reads no records and writes none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from repro.data.pictures.images import Photographs, Pixels
from repro.detectors.base import Detector, DetectorError
from repro.metrics import says_face
from repro.records.scores import Scores
from repro.study.configuration import Reading
from repro.training.sliding_windows import windows_of

AT_ONCE = 256  # windows that a detector is given at a time
Floats = NDArray[np.float64]


def score(
    detector: Detector,
    sets: Mapping[str, Photographs],
    rule: Reading,
    *,
    threshold: float = 0.0,
    on_picture: Callable[[], object] = lambda: None,
) -> dict[str, Scores]:
    """Score every photograph of every set.

    Args:
        detector: Of windows or of whole pictures.
        sets: ``portraits`` and ``nonfaces``.
        rule: How the study's own networks read them; unused by a detector of whole pictures.
        threshold: Of the detector: a score of it or more is a face.
        on_picture: Called after each photograph.

    Returns:
        By set; the scores have the threshold subtracted.

    Raises:
        DetectorError: The detector returned something else than one number a picture, or no
            window fits into any photograph.
        PluginError: Code of the detector raised an error.
    """
    return {
        name: _scores(detector, photographs, rule, threshold, on_picture)
        for name, photographs in sets.items()
    }


def _scores(
    detector: Detector,
    photographs: Photographs,
    rule: Reading,
    threshold: float,
    on_picture: Callable[[], object],
) -> Scores:
    top, windows, positive = [], [], []
    for index in range(len(photographs)):
        values = _of_picture(detector, photographs.read(index), rule) - threshold
        top.append(float(values.max(initial=-np.inf)))
        windows.append(len(values))
        positive.append(int(says_face(values).sum()))
        on_picture()
    if windows and not any(windows):
        raise DetectorError(
            f"windows.smallest: {rule.smallest:g} of the width is more than the height of each of "
            f"the {len(windows):,} test photographs, such as {photographs.names[0]}, so that no "
            "window fits into one; choose a smaller share"
        )
    return Scores(
        photographs.names,
        photographs.groups,
        np.array(top, dtype=np.float64),
        np.array(windows, dtype=np.int64),
        np.array(positive, dtype=np.int64),
    )


def _of_picture(detector: Detector, pixels: Pixels, rule: Reading) -> Floats:
    """One number for each window of a picture, or one for all of it."""
    if detector.reads == "whole":
        return checked(detector.scores([pixels]), 1, detector)
    batches = [checked(detector.scores(one), len(one), detector) for one in _windows(pixels, rule)]
    return np.concatenate(batches) if batches else np.empty(0)


def _windows(pixels: Pixels, rule: Reading) -> Iterator[Pixels]:
    every = windows_of(pixels, rule)
    for start in range(0, len(every), AT_ONCE):
        yield every[start : start + AT_ONCE]


def checked(values: Floats | Sequence[float], count: int, detector: Detector) -> Floats:
    """The scores of so many pictures, shape (N,).

    Raises:
        DetectorError: They have another shape, or one is NaN or infinite; -inf is allowed for
            whole pictures, where it says that nothing was found.
    """
    try:
        found = np.asarray(values)
    except (TypeError, ValueError):
        raise _refuse(detector, f"it returned {type(values).__name__}", count) from None
    if found.dtype.kind not in "fiu" or found.shape not in ((count,), (count, 1)):
        raise _refuse(detector, f"it returned {found.dtype} of shape {found.shape}", count)
    found = found.astype(np.float64).reshape(count)
    bad = ~np.isfinite(found)
    if detector.reads == "whole":
        bad &= found != -np.inf
    if bad.any():
        said = "NaN" if np.isnan(found[bad][0]) else f"{found[bad][0]:+}"
        what = f"it returned {said} for {int(bad.sum()):,} of {count:,} pictures"
        raise _refuse(detector, what, count)
    return found


def _refuse(detector: Detector, what: str, count: int) -> DetectorError:
    shape = f"({count},) or ({count}, 1)"
    return DetectorError(
        f"{detector.name}: {what}: a finite number for each picture is expected, as an array of "
        f"numbers of shape {shape}"
    )
