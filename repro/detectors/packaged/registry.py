"""The detectors by name: what is installed, what a record says of them, and loading one."""

from collections.abc import Callable
from typing import Any, NamedTuple

from repro.detectors.base import Detector, DetectorError, Given
from repro.detectors.packaged import haar, hog, mtcnn
from repro.detectors.packaged.preparation import Preparation
from repro.study.section import digest


class Packaged(NamedTuple):
    """A detector of a package.

    Attributes:
        title: As tables and sentences name it.
        settings: Its releases and settings; raises a `DetectorError` if it cannot be used.
        make: Loads it, in the process that scores.
        threshold: Its usual one.
        weights: SHA-256 of each part of its weights.
    """

    title: str
    settings: Callable[[], dict[str, Any]]
    make: Callable[[Preparation], Detector]
    threshold: float
    weights: dict[str, str]


PACKAGED = {
    "haar": Packaged(haar.TITLE, haar.settings, haar.Haar, haar.THRESHOLD, haar.WEIGHTS),
    "hog": Packaged(hog.TITLE, hog.settings, hog.Hog, hog.THRESHOLD, hog.WEIGHTS),
    "mtcnn": Packaged(mtcnn.TITLE, mtcnn.settings, mtcnn.Mtcnn, mtcnn.THRESHOLD, mtcnn.WEIGHTS),
}
NAMES = tuple(PACKAGED)


def given(name: str, *, crops: bool = False) -> Given:
    """A detector as it is sent to the process that scores; no package is imported.

    Args:
        name: One of `NAMES`.
        crops: Whether the portraits are crops of a face.

    Raises:
        NotInstalled: A package is missing.
        DetectorError: There is no such detector, OpenCV is too new, or the weights are damaged.
    """
    one = _named(name)
    return Given(
        kind="package",
        name=one.title,
        origin=name,
        digest=digest(one.weights),
        reads="whole",
        threshold=one.threshold,
        settings={**one.settings(), **Preparation(crops=crops).settings},
    )


def load(sent: Given, context: object = None) -> Detector:
    """The detector, ready, in the process that scores.

    Args:
        sent: As `given` made it.
        context: Not used: the weights come with the package.

    Raises:
        DetectorError: It cannot be loaded, or is not what was sent.
    """
    one, crops = _named(sent.origin), sent.settings["crops"] == "all"
    if given(sent.origin, crops=crops) != sent:
        raise DetectorError(f"{sent.name}: its package changed since this began; score again")
    return one.make(Preparation(crops=crops))


def _named(name: str) -> Packaged:
    if name not in PACKAGED:
        raise DetectorError(f"{name}: no such detector; there are {', '.join(NAMES)}")
    return PACKAGED[name]
