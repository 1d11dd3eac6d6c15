"""OpenCV's Haar cascade ``frontalface_alt2`` (Viola and Jones 2001; Lienhart et al. 2003).

A face is found where ``detectMultiScale`` returns a box. How surely is taken from
``detectMultiScale3``, which returns the sums of the last stage, but also windows that a late stage
refused: it ranks pictures and decides nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repro.data.pictures.images import Pixels
from repro.detectors.base import DetectorError, Reads
from repro.detectors.packaged import packages
from repro.detectors.packaged.preparation import Preparation

TITLE = "OpenCV's Haar cascade"
THRESHOLD = 0.0
FILE = "haarcascade_frontalface_alt2.xml"
SHA256 = "7b0c967d9abbdfbde025eb9c786947d151b6426040d07a8f9562ed8fd90724b4"
WEIGHTS = {FILE: SHA256}
STAGES, LAST = 20, 53.755569458007812  # stages; the sum that the last one asks for
SCALE, NEIGHBOURS, SMALLEST = 1.1, 3, 24


def settings() -> dict[str, Any]:
    """Releases and settings for a record; nothing is imported.

    Raises:
        DetectorError: OpenCV is missing or too new, or the cascade is damaged.
    """
    release = packages.opencv(of=TITLE)
    packages.require_whole(packages.folder("cv2", of=TITLE) / "data" / FILE, SHA256, of=TITLE)
    return {
        "opencv": release,
        "scale_factor": SCALE,
        "minimum_neighbours": NEIGHBOURS,
        "smallest_face": SMALLEST,
    }


class Haar:
    """The cascade, ready."""

    name = TITLE
    reads: Reads = "whole"

    def __init__(self, prepared: Preparation) -> None:
        """Load the cascade.

        Args:
            prepared: How pictures are prepared.

        Raises:
            DetectorError: OpenCV is missing or too new, or the cascade is damaged.
        """
        settings()
        self._cv2: Any = packages.opencv_module(of=TITLE)
        self._prepared = prepared
        path = str(packages.folder("cv2", of=TITLE) / "data" / FILE)
        self._cascade = self._cv2.CascadeClassifier(path)
        if self._cascade.empty():
            raise DetectorError(f"{path}: OpenCV reads no cascade from it")

    def scores(self, pictures: Pixels | Sequence[Pixels]) -> NDArray[np.float64]:
        """See `base.Detector`: by how much the best window passes the last stage, 0 or more.

        Where nothing is found it is -inf, so that no other threshold finds more.
        """
        return np.array([self._score(self._prepared(one)) for one in pictures], dtype=np.float64)

    def _score(self, pixels: Pixels) -> float:
        grey = self._cv2.cvtColor(pixels, self._cv2.COLOR_RGB2GRAY)
        asked = {"scaleFactor": SCALE, "minNeighbors": NEIGHBOURS, "minSize": (SMALLEST, SMALLEST)}
        if not len(self._cascade.detectMultiScale(grey, **asked)):
            return -np.inf
        _, stages, sums = self._cascade.detectMultiScale3(grey, outputRejectLevels=True, **asked)
        return excess(np.ravel(stages), np.ravel(sums))


def excess(stages: NDArray[Any], sums: NDArray[Any]) -> float:
    """By how much the best box passes the last stage; 0 if no box is said to pass it.

    Args:
        stages: Of each box, the stages that its best window passed; shape (B,).
        sums: Of each box, the sum of the stage that was computed last; shape (B,).
    """
    return max(0.0, float(np.max(sums[stages == STAGES], initial=LAST)) - LAST)
