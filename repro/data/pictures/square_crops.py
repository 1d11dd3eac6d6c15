"""Squares of 64 x 64 pixels out of pictures of any size.

Geometry alone: which square of a picture is meant, and its pixels, resized bilinearly. A square is
never larger than the picture and never outside of it.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from repro.data.pictures.images import Pixels

SIDE = 64  # of what networks see


class Square(NamedTuple):
    """A part of a picture, in its pixels."""

    left: int
    top: int
    side: int


def centred(width: int, height: int) -> Square:
    """The largest square in the middle of a picture."""
    side = min(width, height)
    return Square((width - side) // 2, (height - side) // 2, side)


def around(box: tuple[int, int, int, int], width: int, height: int) -> Square:
    """The square about a box, as large as its longer side, moved and cut to fit the picture.

    Args:
        box: Left, top, width and height; all in pixels, the last two above zero.
        width: Of the picture.
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
    """A square of 64 pixels, all places alike; the whole shorter side of a smaller picture."""
    side = min(SIDE, width, height)
    left, top = (int(generator.integers(0, room - side + 1)) for room in (width, height))
    return Square(left, top, side)


def cut(pixels: Pixels, square: Square) -> Pixels:
    """A square of a picture, resized bilinearly to 64 x 64.

    Args:
        pixels: Shape (H, W, 3).
        square: Within the picture.

    Returns:
        Shape (64, 64, 3); the very pixels if the square has that size already.
    """
    left, top, side = square
    part = pixels[top : top + side, left : left + side]
    return part if side == SIDE else resized(part)


def resized(pixels: Pixels) -> Pixels:
    """A whole picture, whatever its shape, resized bilinearly to 64 x 64."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _within(value: int, most: int) -> int:
    return max(0, min(value, most))
