"""What every source hands on: training images, and photographs to be scanned by windows.

Pixels are uint8, RGB, height before width, whatever order a source stores them in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """Crops with labels.

    Attributes:
        images: Shape (N, 64, 64, 3), RGB.
        is_face: Boolean, shape (N,).
    """

    images: Pixels
    is_face: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Photographs:
    """Whole pictures of any size, or crops of 64 x 64.

    Attributes:
        names: One per photograph, unique; a file's name where there is a file.
        groups: The group of each photograph, "" where the source knows none.
        read: Index -> pixels, shape (H, W, 3), RGB.
        files: Where each is; empty where they were drawn.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    read: Callable[[int], Pixels]
    files: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


class Material(NamedTuple):
    """All that runs of a study work on.

    Attributes:
        images: To train on.
        photographs: ``portraits``, ``nonfaces``, and ``crops`` where there are any.
    """

    images: TrainingImages
    photographs: dict[str, Photographs]
