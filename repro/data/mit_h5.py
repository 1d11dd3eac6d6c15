"""MIT's ``train_face.h5``: ``images`` uint8 (N, 64, 64, 3) and ``labels`` uint8 (N, 1), 1 = face.

The file that MIT's lab distributes stores its channels as BGR; portraits are read as RGB, so the
order is a declared field of the source and is undone here, once.
"""

from pathlib import Path
from typing import Literal

import h5py
import numpy as np

from repro.data.sets import TrainingImages
from repro.errors import DataError


def read(path: Path, *, channels: Literal["bgr", "rgb"]) -> TrainingImages:
    """Read the whole file into memory.

    Args:
        path: The HDF5 file.
        channels: Order in which the file stores them.

    Raises:
        DataError: The file is missing, damaged, or of another layout.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; give the HDF5 file of training images")
    try:
        with h5py.File(path, "r") as file:
            _require_layout(path, file)
            images, labels = file["images"][:], file["labels"][:]
    except OSError as error:
        raise DataError(
            f"{path}: damaged, truncated or no HDF5 file ({error}); copy or download it again"
        ) from None
    labels = labels.reshape(-1)
    if not np.isin(labels, (0, 1)).all() or len(np.unique(labels)) < 2:
        raise DataError(f"{path}: labels must be 0 (non-face) and 1 (face), and both must occur")
    if channels == "bgr":
        images = images[..., ::-1]
    return TrainingImages(np.ascontiguousarray(images), labels.astype(bool))


def _require_layout(path: Path, file: h5py.File) -> None:
    for name in ("images", "labels"):
        if not isinstance(file.get(name), h5py.Dataset):
            found = ", ".join(file) or "nothing"
            raise DataError(f"{path}: there is no dataset '{name}'; the file holds {found}")
    images, labels = file["images"], file["labels"]
    if images.ndim != 4 or images.shape[1:] != (64, 64, 3) or images.dtype != np.uint8:
        raise DataError(
            f"{path}: images must be uint8 (N, 64, 64, 3), not {images.dtype} {images.shape}"
        )
    if labels.shape not in {(len(images), 1), (len(images),)}:
        raise DataError(f"{path}: labels must be ({len(images)}, 1), not {labels.shape}")
