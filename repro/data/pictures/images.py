"""What sources return: training images, and photographs that are scanned with windows.

Pixels are uint8, RGB, height before width, in whatever order a source stores them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from repro.system.file_digests import Contents

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """Crops with labels.

    Attributes:
        images: Shape (N, 64, 64, 3), RGB.
        is_face: Boolean, shape (N,).
        groups: The group of each image, "" for non-faces and where it is unknown; None if the
            source has no groups.
    """

    images: Pixels
    is_face: NDArray[np.bool_]
    groups: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Photographs:
    """Whole pictures of any size, or crops of 64 x 64.

    Attributes:
        names: One per photograph, unique; the file's name if there is a file.
        groups: The group of each photograph, "" if unknown.
        read: Index -> pixels, shape (H, W, 3), RGB.
        files: Path of each; empty if they are synthetic.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    read: Callable[[int], Pixels]
    files: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


class Material(NamedTuple):
    """All data that the runs of a study use.

    Attributes:
        images: Images to train on.
        photographs: ``portraits``, and ``nonfaces`` and ``crops`` if there are any.
        contents: What each part of the data held when it was read, by role.
    """

    images: TrainingImages
    photographs: dict[str, Photographs]
    contents: Mapping[str, Contents]
