"""Pictures as they are handed out, and the square of each that training images are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from repro.data.pictures import duplicates, picture_files, square_crops
from repro.data.pictures.duplicates import Look
from repro.data.pictures.images import Pixels
from repro.errors import DataError

Box = tuple[int, int, int, int]  # left, top, width, height, in pixels
BEYOND = 0.1  # of its own side that a box may reach beyond the picture


class BoxOutside(DataError):
    """A box does not lie in its picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to be cut to 64 x 64.

    Attributes:
        file: Where it is.
        name: Of the file, relative to its source.
        label: 1 with a face, 0 without.
        group: "" where the source knows none.
        box: The square goes around it, if there is one.
        dice: Seeds of the square's place, if it may be anywhere; the middle, with neither.
        stored: Reads its square, where the source has it cut already.
        look: Of the picture that such an image was cut from, where the file keeps it.
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
        """Its square, shape (64, 64, 3), RGB, and what the whole picture is known by.

        Raises:
            DataError: The file is missing, damaged, no picture, or of unreasonable size.
            BoxOutside: The box reaches beyond the picture.
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
        kind: As on the command line: ``celeba``.
        pictures: In the order of their names.
        left_out: Number of pictures that are not among them, by reason.
        remarks: What else a person should know, a sentence each.
    """

    kind: str
    pictures: tuple[Picture, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
