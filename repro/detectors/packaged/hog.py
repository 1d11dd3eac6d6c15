"""dlib's face detector: histograms of oriented gradients, five linear filters (King 2015).

Its filters are compiled into the package, so they are compared after it is loaded.
"""

from typing import Any

import numpy as np

from repro.data.pictures.images import Pixels
from repro.detectors.base import DetectorError
from repro.detectors.packaged import packages
from repro.detectors.packaged.preparation import Preparation
from repro.detectors.packaged.whole_pictures import OfWholePictures

TITLE = "dlib's HOG"
THRESHOLD = 0.0
SHA256 = "f3f7aa833fb4a14a46fc48689f45b98d85ef72d6dfaf8bdc012b7d3c522a5426"
WEIGHTS = {"get_frontal_face_detector": SHA256}
UPSAMPLED = 0  # times that a picture is doubled first
FROM = -1.0  # boxes from this score on rank pictures; 0 is dlib's threshold


def settings() -> dict[str, Any]:
    """Releases and settings for a record; nothing is imported.

    Raises:
        NotInstalled: dlib is missing.
    """
    packages.folder("dlib", of=TITLE)
    return {
        "dlib": packages.release("dlib-bin", "dlib"),
        "upsampled": UPSAMPLED,
        "scores_from": FROM,
    }


class Hog(OfWholePictures):
    """The detector, ready."""

    name = TITLE

    def __init__(self, prepared: Preparation) -> None:
        """Load the detector.

        Args:
            prepared: How pictures are prepared.

        Raises:
            DetectorError: dlib is missing or cannot be imported, or its filters are others.
        """
        super().__init__(prepared)
        settings()
        try:
            import dlib
        except Exception as error:  # of a compiled library: ImportError, or anything else
            raise DetectorError(f"{TITLE}: dlib cannot be imported ({error})") from error
        self._detector: Any = dlib.get_frontal_face_detector()
        packages.require_same(self._detector.__getstate__()[0], SHA256, "dlib", of=TITLE)

    def score(self, pixels: Pixels) -> float:
        """The score of the best box of -1 or more; or -inf."""
        _, scores, _ = self._detector.run(pixels, UPSAMPLED, FROM)
        return max(scores, default=-np.inf)
