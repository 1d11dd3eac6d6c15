"""A folder of photographs, and the one way in which picture files are read."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from repro.data.sets import Photographs, Pixels
from repro.errors import DataError

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
LONGEST_SIDE = 12_000  # beyond this a file is a mistake or an attack


def read(path: Path) -> Photographs:
    """All pictures in a folder and below it, by relative name, without groups.

    Raises:
        DataError: There is no such folder, or no picture in it.
    """
    if not path.is_dir():
        raise DataError(f"{path}: there is no such folder; give a folder of photographs")
    names = [str(file.relative_to(path)) for file in path.rglob("*") if is_picture(file)]
    if not names:
        raise DataError(f"{path}: no picture in it; expected {', '.join(sorted(SUFFIXES))}")
    names.sort()
    return Photographs(
        tuple(names), ("",) * len(names), lambda index: read_picture(path / names[index])
    )


def is_picture(file: Path) -> bool:
    """Whether the name is a picture's and not hidden."""
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()


def read_picture(file: Path) -> Pixels:
    """A picture as RGB, turned as its camera says.

    Raises:
        DataError: The file is missing, damaged, no picture, or unreasonably large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                if max(image.size) > LONGEST_SIDE:
                    raise DataError(
                        f"{file}: {image.size[0]} x {image.size[1]} pixels is too large"
                    )
                return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such picture") from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise DataError(f"{file}: the picture cannot be read ({error}); replace it") from None
