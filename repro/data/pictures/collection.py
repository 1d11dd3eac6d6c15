"""Any data set for inspection: pictures with names, labels and groups, in any layout."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from repro.data.pictures.duplicates import Look
from repro.data.pictures.images import Pixels

FACE, NO_FACE = "face", "no face"


@dataclass(frozen=True, slots=True)
class Collection:
    """Pictures of one data set.

    Attributes:
        path: Path of the data set.
        kind: Name of its layout, as for ``repro data info --as``.
        names: One per picture.
        labels: ``face``, ``no face``, or "" if the layout does not say; one per picture.
        groups: "" if unknown; one per picture.
        read: Index -> pixels, shape (H, W, 3), RGB.
        left_out: Names of pictures that a study would not read, because data are missing.
        remarks: Further remarks for the user, a sentence each.
        files: Path of each; empty for an HDF5 file.
        may_be_shown: Whether a contact sheet may show them.
        sources: Looks of the source pictures of the images of an HDF5 file, None if unknown; empty
            if it has none.
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
    may_be_shown: bool = True
