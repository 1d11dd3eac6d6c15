"""Parts of pictures as photographs: a picture may show several persons, each in a box of its own.

A box is left, top, width and height in pixels of the upright picture. Boxes of a data set reach
over the edge of a picture now and then; what lies outside is cut off.
"""

import ast
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from repro.data.pictures import picture_files
from repro.data.pictures.images import Photographs, Pixels
from repro.errors import DataError

NAMES = ("x", "y", "width", "height")
MOST = 100_000  # of a number in a box, in pixels
Part = Literal["upper", "box"]


class Box(NamedTuple):
    """A part of a picture, in pixels."""

    left: float
    top: float
    width: float
    height: float


def box_of(text: str, where: str) -> Box:
    """The box that a cell holds.

    Args:
        text: ``[x, y, width, height]`` or a mapping with these names, in JSON or as Python literal.
        where: Position of the cell, for messages.

    Raises:
        DataError: It is no such box, or the box has no area.
    """
    found = literal(text)
    values = [found.get(name) for name in NAMES] if isinstance(found, dict) else found
    if not isinstance(values, list) or len(values) != len(NAMES) or not all(map(_is, values)):
        raise DataError(
            f"{where}: {picture_files.shown(text)[:80]} is no box; expected [x, y, width, height], "
            "or a mapping with these names"
        )
    box = Box(*map(float, values))
    if min(box.width, box.height) <= 0:
        raise DataError(f"{where}: the box {picture_files.shown(text)[:80]} has no area")
    return box


def _is(value: Any) -> bool:
    """Whether it is a number of pixels."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and -MOST <= value <= MOST


def literal(text: str) -> Any:
    """The value of a cell, in JSON or as a Python literal; None if it is neither. Runs nothing."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return None


def part_of(box: Box, part: Part) -> Box:
    """The part of a person's box in which the face is searched.

    ``upper`` is the square at its top, as wide as the box; a box that is wider than high is taken
    whole, and so is every box with ``box``.
    """
    return box._replace(height=min(box.height, box.width)) if part == "upper" else box


def photographs(
    root: Path,
    files: Sequence[str],
    *,
    names: Sequence[str],
    groups: Sequence[str],
    boxes: Sequence[Box],
) -> Photographs:
    """The parts of pictures, each with its group; opens no file yet.

    Args:
        root: Folder of the pictures.
        files: Relative name of the picture of each part; several parts may share one.
        names: Of the parts, each once.
        groups: Of the parts.
        boxes: Of the parts; what is outside a picture is cut off when it is read.
    """
    paths = tuple(root / file for file in files)

    def read(index: int) -> Pixels:
        return cut(picture_files.read_picture(paths[index]), boxes[index], names[index])

    return Photographs(tuple(names), tuple(groups), read, paths)


def cut(pixels: Pixels, box: Box, name: str) -> Pixels:
    """The pixels of a box, its sides rounded to whole pixels.

    Args:
        pixels: Of the picture, shape (H, W, 3).
        box: Of a part.
        name: Of the part, for messages.

    Raises:
        DataError: Less than a pixel of the box is inside the picture.
    """
    height, width, _ = pixels.shape
    left, right = _inside(box.left, box.width, width)
    top, bottom = _inside(box.top, box.height, height)
    if left >= right or top >= bottom:
        raise DataError(
            f"{picture_files.shown(name)}: its box {tuple(box)} is outside the picture of "
            f"{width} x {height} pixels; the boxes may be of pictures of another size"
        )
    return pixels[top:bottom, left:right]


def _inside(start: float, length: float, most: int) -> tuple[int, int]:
    return max(0, round(start)), min(most, round(start + length))
