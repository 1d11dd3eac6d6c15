"""Crop squares of 64 x 64 pixels from pictures of any size.

Geometry only: which square of a picture to use, and its pixels, resized bilinearly. A square is
never larger than the picture and never outside it.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from repro.data.pictures.images import Pixels

SIDE = 64  # input size of the networks


class Square(NamedTuple):
    """A part of a picture, in pixels."""

    left: int
    top: int
    side: int


def centred(width: int, height: int) -> Square:
    """The largest square in the middle of a picture."""
    side = min(width, height)
    return Square((width - side) // 2, (height - side) // 2, side)


def around(box: tuple[int, int, int, int], width: int, height: int) -> Square:
    """The square around a box, as large as its longer side, moved and cut to fit the picture.

    box: Left, top, width and height in pixels; the last two are positive.
        width: Width of the picture.
        height: Height of the picture.
        height: Of the picture.
    """
    left, top, wide, high = box
    side = min(max(wide, high), width, height)
    return Square(
        _within(left + (wide - side) // 2, width - side),
        _within(top + (high - side) // 2, height - side),
        side,
    )


def anywhere(generator: np.random.Generator, width: int, height: int) -> Square:
    """A uniformly random square of 64 pixels; of a smaller picture, of its whole shorter side."""
    side = min(SIDE, width, height)
    left, top = (int(generator.integers(0, room - side + 1)) for room in (width, height))
    return Square(left, top, side)


def cut(pixels: Pixels, square: Square) -> Pixels:
    """A square of a picture, resized bilinearly to 64 x 64.

    Args:
        pixels: Shape (H, W, 3).
        square: A square within the picture.

    Returns:
        Shape (64, 64, 3); the unchanged pixels if the square has that size already.
    """
    left, top, side = square
    part = pixels[top : top + side, left : left + side]
    return part if side == SIDE else resized(part)


def resized(pixels: Pixels) -> Pixels:
    """A whole picture of any shape, resized bilinearly to 64 x 64."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _within(value: int, most: int) -> int:
    return max(0, min(value, most))
