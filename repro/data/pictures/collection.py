"""Any data set to look at: pictures with names, labels and groups, whatever its layout."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from repro.data.pictures.duplicates import Look
from repro.data.pictures.images import Pixels

FACE, NO_FACE = "face", "no face"


@dataclass(frozen=True, slots=True)
class Collection:
    """Pictures of one place.

    Attributes:
        path: The place.
        kind: Of its layout, as ``repro data info --as`` says it.
        names: One a picture.
        labels: ``face`` or ``no face``, or "" where the layout does not say; one a picture.
        groups: "" where it knows none; one a picture.
        read: Index -> pixels, shape (H, W, 3), RGB.
        left_out: Names of pictures that a study would not read, for what they lack.
        remarks: What else a person should know, a sentence each.
        files: Where each is; empty for an HDF5 file.
        sources: What the pictures are known by that the images of an HDF5 file were cut from, None
            where that is not known; empty if it keeps none.
    """

    path: Path
    kind: str
    names: tuple[str, ...]
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    read: Callable[[int], Pixels]
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    sources: tuple[Look | None, ...] = ()
