"""How a picture is handed to a detector that was made for faces with surroundings.

A crop that a face fills is padded by half of its size on every side, its border repeated, and
enlarged: detectors want to see some context, and dlib's no face smaller than 80 pixels. A picture
larger than any detector needs is made smaller.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from repro.data.pictures.images import Pixels

CROP = 100  # pixels: a picture whose longer side is at most this is a crop, whatever its source
FACE = 160  # pixels to which the longer side of a crop is enlarged, before padding
LONGEST = 1024  # pixels of a prepared picture


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is done to every picture.

    Attributes:
        crops: Whether all pictures are crops of a face; else only those of at most `CROP` pixels.
    """

    crops: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """For a record."""
        return {
            "crops": "all" if self.crops else f"of at most {CROP} pixels",
            "crops_enlarged_to": FACE,
            "crops_padded_by": "half, border repeated",
            "longest_side": LONGEST,
        }

    def __call__(self, pixels: Pixels) -> Pixels:
        """A picture, prepared.

        Args:
            pixels: RGB, shape (H, W, 3).

        Returns:
            RGB, shape (H', W', 3), in memory of its own order.
        """
        longer = max(pixels.shape[:2])
        if self.crops or longer <= CROP:
            return _scaled(_padded(_scaled(pixels, max(1.0, FACE / longer))), 1.0)
        return _scaled(pixels, 1.0)


def _scaled(pixels: Pixels, factor: float) -> Pixels:
    """Resized bilinearly by a factor, or by less if it would be larger than `LONGEST`."""
    height, width = pixels.shape[:2]
    factor = min(factor, LONGEST / max(height, width))
    if factor == 1.0:
        return np.ascontiguousarray(pixels)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def _padded(pixels: Pixels) -> Pixels:
    high, wide = (side // 2 for side in pixels.shape[:2])
    return np.pad(pixels, ((high, high), (wide, wide), (0, 0)), mode="edge")
