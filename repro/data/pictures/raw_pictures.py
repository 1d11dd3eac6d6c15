"""Raw pictures, and the square of each from which training images are made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from repro.data.pictures import duplicates, picture_files, square_crops
from repro.data.pictures.duplicates import Look
from repro.data.pictures.images import Pixels
from repro.errors import DataError

Box = tuple[int, int, int, int]  # left, top, width, height, in pixels
BEYOND = 0.1  # share of its own side by which a box may exceed the picture


class BoxOutside(DataError):
    """A box is not within its picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to crop to 64 x 64.

    Attributes:
        file: Path of the file.
        name: Name of the file, relative to its source.
        label: 1 with a face, 0 without.
        group: "" if unknown.
        box: The square is placed around it, if there is one.
        dice: Seeds of a random position of the square; without `box` and `dice` it is the middle.
        stored: Reads the square, if the source stores it already.
        look: Look of the picture that a stored square was cut from, if the file has it.
    """

    file: Path
    name: str
    label: int
    group: str = ""
    box: Box | None = None
    dice: tuple[int, int] | None = None
    stored: Callable[[], Pixels] | None = None
    look: Look | None = None

    def crop(self) -> tuple[Pixels, Look | None]:
        """The square, shape (64, 64, 3), RGB, and the look of the whole picture.

        Raises:
            DataError: The file is missing, damaged, not a picture, or of unreasonable size.
            BoxOutside: The box exceeds the picture.
        """
        if self.stored is not None:
            return self.stored(), self.look
        pixels = picture_files.read_picture(self.file)
        height, width = pixels.shape[:2]
        if self.box is not None:
            _require_within(self.box, width, height, self.file)
            square = square_crops.around(self.box, width, height)
        elif self.dice is not None:
            square = square_crops.anywhere(np.random.default_rng(self.dice), width, height)
        else:
            square = square_crops.centred(width, height)
        look = Look(picture_files.sha256(self.file), duplicates.phash(pixels))
        return square_crops.cut(pixels, square), look


def _require_within(box: Box, width: int, height: int, file: Path) -> None:
    left, top, wide, high = box
    beyond = (
        max(-left, left + wide - width) / wide,
        max(-top, top + high - height) / high,
    )
    if max(beyond) > BEYOND:
        raise BoxOutside(
            f"{picture_files.shown(file)}: the box at ({left}, {top}), {wide} x {high} pixels, "
            f"reaches beyond the picture of {width} x {height}"
        )


@dataclass(frozen=True, slots=True)
class Raw:
    """A source of training images.

    Attributes:
        kind: As on the command line, such as ``celeba``.
        pictures: In the order of their names.
        left_out: Number of omitted pictures, by reason.
        remarks: Further remarks for the user, a sentence each.
    """

    kind: str
    pictures: tuple[Picture, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
