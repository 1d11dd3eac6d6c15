"""What the detectors of packages share: each gives one score to a whole picture."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from repro.data.pictures.images import Pixels
from repro.detectors.base import Reads
from repro.detectors.packaged.preparation import Preparation


class OfWholePictures(ABC):
    """A `base.Detector` that prepares each picture and scores it."""

    name: str
    reads: Reads = "whole"

    def __init__(self, prepared: Preparation) -> None:
        """Remember how pictures are prepared.

        Args:
            prepared: How pictures are prepared.
        """
        self._prepared = prepared

    def scores(self, pictures: Pixels | Sequence[Pixels]) -> NDArray[np.float64]:
        """See `base.Detector`: a score for each picture; -inf where nothing is found."""
        return np.array([self.score(self._prepared(one)) for one in pictures], dtype=np.float64)

    @abstractmethod
    def score(self, pixels: Pixels) -> float:
        """The score of a prepared picture, shape (H, W, 3), RGB; -inf if nothing is found."""
