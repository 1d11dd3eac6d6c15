"""Any data set for looking at: pictures with names, labels and groups, whatever its layout.

What it is is guessed from the layout; a reader of its own kind then opens it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from repro.data import fairface, group_folders, labels_csv, mit_h5, picture_files, ppb, utkface
from repro.data.duplicates import Look
from repro.data.images import Photographs, Pixels
from repro.errors import DataError

KINDS = ("h5", "ppb", "fairface", "utkface", "csv", "groups", "folder")
GROUPS = {
    "ppb": ("bi.fitz", "gender"),
    "fairface": ("race", "gender"),
    "utkface": ("race", "gender"),
}
BANDS = (20, 40, 60)  # first years of ages, as in `datasets.UtkFace`
FACE, NO_FACE = "face", "no face"


@dataclass(frozen=True, slots=True)
class Collection:
    """Pictures of one place.

    Attributes:
        path: The place.
        kind: One of `KINDS`.
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


def guess(path: Path) -> str:
    """What kind of data set is there.

    Raises:
        DataError: There is nothing, or nothing that is known.
    """
    if path.is_file():
        kinds = {".h5": "h5", ".hdf5": "h5", ".csv": "csv"}
        if path.suffix.lower() in kinds:
            return kinds[path.suffix.lower()]
        raise DataError(f"{path}: is neither .h5 nor .csv; give one of these, or a folder")
    if (path / ppb.METADATA).exists():
        return "ppb"
    if any(fairface.table(path, part).exists() for part in ("val", "train")):
        return "fairface"
    names = picture_files.pictures(path)
    _, left_out = utkface.split(names)
    if len(left_out) < utkface.MOST_LEFT_OUT * len(names):
        return "utkface"
    tops = {name.partition("/")[0] if "/" in name else "" for name in names}
    return "groups" if len(tops) > 1 and "" not in tops else "folder"


def read(path: Path, *, kind: str | None, groups: tuple[str, ...]) -> Collection:
    """Open a data set; its pictures are not decoded yet, but for those of an HDF5 file.

    Args:
        path: A file or a folder.
        kind: One of `KINDS`, or None to guess.
        groups: Columns that make the groups; those that studies use by default, if none.

    Raises:
        DataError: There is nothing, it is damaged, or it is of another layout.
    """
    kind = guess(path) if kind is None else kind
    groups = groups or GROUPS.get(kind, ())
    return replace(_opened(path, kind, groups), remarks=_remarks(path, kind, groups))


def _opened(path: Path, kind: str, groups: tuple[str, ...]) -> Collection:
    match kind:
        case "h5":
            return _h5(path)
        case "csv":
            return _csv(path, groups)
        case "ppb":
            return _faces(path, kind, ppb.read(path, groups=groups))
        case "fairface":
            found = fairface.read(path, part=_part(path), groups=groups, categories="any")
            return _faces(path, kind, found)
        case "utkface":
            _, left_out = utkface.split(picture_files.pictures(path))
            found = utkface.read(path, groups=groups, age_bands=BANDS)
            return _faces(path, kind, found, left_out)
        case "groups":
            found = group_folders.read(path)
        case _:
            found = picture_files.read(path)
    labels = ("",) * len(found)
    return Collection(path, kind, found.names, labels, found.groups, found.read, files=found.files)


def _remarks(path: Path, kind: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    """What is left out or taken for granted."""
    match kind:
        case "h5":
            return ()
        case "csv":
            return labels_csv.remarks(path, groups=groups or None)
        case "ppb":
            return picture_files.remarks(path / ppb.PICTURES)
        case "fairface":
            part = _part(path)
            return (*picture_files.remarks(path / part), *fairface.unknown(path, part=part))
    return picture_files.remarks(path)


def _part(path: Path) -> str:
    """Of FairFace: the part that is looked at."""
    return "val" if fairface.table(path, "val").exists() else "train"


def _faces(path: Path, kind: str, found: Photographs, left_out: tuple[str, ...] = ()) -> Collection:
    return Collection(
        path,
        kind,
        found.names,
        (FACE,) * len(found),
        found.groups,
        found.read,
        left_out,
        files=found.files,
    )


def _h5(path: Path) -> Collection:
    """Its images by number; names and groups of files that this program prepared."""
    stored = mit_h5.read(path, channels="bgr")
    count = len(stored.images)
    names, groups = (mit_h5.texts(path, name) for name in ("names", "groups"))
    if len(names) != count:
        names = tuple(f"image {index}" for index in range(count))
    if len(groups) != count:
        groups = ("",) * count
    labels = tuple(np.where(stored.is_face, FACE, NO_FACE).tolist())
    read = stored.images.__getitem__
    sources = mit_h5.source_looks(path)
    return Collection(path, "h5", names, labels, groups, read, sources=sources)


def _csv(path: Path, groups: tuple[str, ...]) -> Collection:
    entries = labels_csv.entries(path, groups=groups or None)
    names = tuple(row.name for row in entries)
    shown = picture_files.photographs(path.parent, names, tuple(row.group for row in entries))
    labels = tuple(FACE if row.label else NO_FACE for row in entries)
    return Collection(path, "csv", names, labels, shown.groups, shown.read, files=shown.files)
