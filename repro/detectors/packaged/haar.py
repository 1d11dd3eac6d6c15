"""OpenCV's Haar cascade ``frontalface_alt2`` (Viola and Jones 2001; Lienhart et al. 2003).

The score is the number of windows that agree on the best face. The sums of its stages, which OpenCV
returns as ``levelWeights``, are not used: with them it also returns windows that a stage refused.
"""

from typing import Any

import numpy as np

from repro.data.pictures.images import Pixels
from repro.detectors.base import DetectorError
from repro.detectors.packaged import packages
from repro.detectors.packaged.preparation import Preparation
from repro.detectors.packaged.whole_pictures import OfWholePictures

TITLE = "OpenCV's Haar cascade"
FILE = "haarcascade_frontalface_alt2.xml"
SHA256 = "7b0c967d9abbdfbde025eb9c786947d151b6426040d07a8f9562ed8fd90724b4"
WEIGHTS = {FILE: SHA256}
SCALE, NEIGHBOURS, SMALLEST = 1.1, 3, 24
THRESHOLD = float(NEIGHBOURS)  # a face has more windows


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


class Haar(OfWholePictures):
    """The cascade, ready."""

    name = TITLE

    def __init__(self, prepared: Preparation) -> None:
        """Load the cascade.

        Args:
            prepared: How pictures are prepared.

        Raises:
            DetectorError: OpenCV is missing or too new, or the cascade is damaged.
        """
        super().__init__(prepared)
        settings()
        self._cv2: Any = packages.opencv_module(of=TITLE)
        path = str(packages.folder("cv2", of=TITLE) / "data" / FILE)
        self._cascade = self._cv2.CascadeClassifier(path)
        if self._cascade.empty():
            raise DetectorError(f"{path}: OpenCV reads no cascade from it")

    def score(self, pixels: Pixels) -> float:
        """How many windows agree on the best face, 4 or more; or -inf."""
        grey = self._cv2.cvtColor(pixels, self._cv2.COLOR_RGB2GRAY)
        _, windows = self._cascade.detectMultiScale2(
            grey, scaleFactor=SCALE, minNeighbors=NEIGHBOURS, minSize=(SMALLEST, SMALLEST)
        )
        return float(max(windows, default=-np.inf))
