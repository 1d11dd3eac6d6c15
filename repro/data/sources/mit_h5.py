"""MIT's ``train_face.h5``: ``images`` uint8 (N, 64, 64, 3) and ``labels`` uint8 (N, 1), 1 = face.

The file that MIT's lab distributes stores its channels as BGR; portraits are read as RGB, so the
channel order is a declared field of the source and is converted here, once.
A file may be hostile: nothing outside it is read on its behalf, and its declared sizes must be in
proportion to the file and to the machine's memory before any data is read.
"""

import contextlib
import io
import math
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from repro.data.pictures import duplicates
from repro.data.pictures.collection import FACE, NO_FACE, Collection
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.duplicates import Look
from repro.data.pictures.images import Pixels, TrainingImages
from repro.data.pictures.picture_files import shown
from repro.data.pictures.picture_table import GROUP
from repro.data.pictures.raw_pictures import Picture, Raw
from repro.data.sources.source_registry import (
    RawOptions,
    Reader,
    prepares,
    reads,
    require_columns,
)
from repro.errors import DataError
from repro.study.data_spec import MitH5
from repro.system import file_digests, input_file, machine

MOST_EXPANSION = 100  # declared bytes per byte of the file; photographs compress 10 to 1 at most
SMALL = 2**26  # bytes; smaller data sets need not be in proportion
COPIES = 2  # of the images in memory while the channels are converted
FACES = {"face", "faces", "positive", "positives", "pos"}  # usual names of these folders
OTHERS = {"nonface", "nonfaces", "noface", "notface", "other", "others", "negative", "negatives"}
SOURCES = ("source_sha256", "source_phash")  # datasets: what images were cut from
PREPARED = ("sha256", "sources")  # attributes of files that this program prepared
# The exceptions of h5py for damaged files, by the place of the damage.
_DAMAGED = (OSError, RuntimeError, LookupError, ValueError, TypeError, ArithmeticError, MemoryError)


def read(path: Path, *, channels: Literal["bgr", "rgb"]) -> TrainingImages:
    """Read the whole file into memory.

    Args:
        path: The HDF5 file.
        channels: Order in which the file stores them.

    Raises:
        DataError: The file is missing, damaged, hostile, or of another layout.
    """
    with _opened(path, read=_in_memory) as (images, labels):
        pixels, found = images[:], _checked(path, labels[:])
        groups = _groups(path, images.parent, found)
    if channels == "bgr":
        pixels = pixels[..., ::-1]
    return TrainingImages(np.ascontiguousarray(pixels), np.asarray(found, bool), groups)


def labels(path: Path) -> tuple[int, ...]:
    """The labels alone: 1 = face.

    Raises:
        DataError: As for `read`.
    """
    with _opened(path) as (_, found):
        return _checked(path, found[:])


def groups(path: Path) -> tuple[str, ...] | None:
    """The group of each image, "" for non-faces and where it is unknown; None if there is none.

    Raises:
        DataError: As for `read`.
    """
    with _opened(path) as (images, labels):
        return _groups(path, images.parent, _checked(path, labels[:]))


def image(path: Path, row: int) -> Pixels:
    """One image, shape (64, 64, 3), of a file that stores BGR, as MIT's.

    Raises:
        DataError: As for `read`, or there is no such row.
    """
    with _opened(path) as (images, _):
        return np.ascontiguousarray(images[row][..., ::-1])


def require_prepared(path: Path) -> None:
    """Reject pictures and tables: training images are one file that `repro data prepare` writes.

    Raises:
        DataError: It is a folder or a CSV; names the command that makes a file from it.
    """
    if os.path.isdir(path):
        sources, what = _folders(path), "a folder"
    elif path.suffix.lower() == ".csv":
        sources, what = [f"csv:{path}"], "a table of pictures"
    else:
        return
    command = shlex.join(["repro", "data", "prepare", *sources, f"{path.stem or 'train'}.h5"])
    raise DataError(
        f"{path}: {what}, and training images are one HDF5 file; make it by `{command}` and give "
        f"data.train={path.stem or 'train'}.h5"
    )


def _folders(path: Path) -> list[str]:
    """Arguments for `repro data prepare`: the folders of faces and of others, as far as found."""
    inner = {re.sub("[^a-z]", "", f.name.lower()): f for f in sorted(path.iterdir()) if f.is_dir()}
    faces = [folder for name, folder in inner.items() if name in FACES]
    others = [folder for name, folder in inner.items() if name in OTHERS]
    return [f"faces:{(faces or [path])[0]}", f"nonfaces:{others[0] if others else 'FOLDER'}"]


def _in_memory(path: Path) -> io.BytesIO:
    """The whole file in one piece: what is parsed is what was digested, whoever writes to it."""
    _require_memory(path, "reading it takes", path.stat().st_size)
    return io.BytesIO(file_digests.read(path))


@contextlib.contextmanager
def _opened(
    path: Path, *, read: Callable[[Path], Path | io.BytesIO] = lambda path: path
) -> Iterator[tuple[h5py.Dataset, h5py.Dataset]]:
    """Images and labels of a valid layout; errors within are reported with the file."""
    try:
        require_prepared(path)
        with _file(path, read) as file:
            images, labels = (_dataset(path, file, name) for name in ("images", "labels"))
            _require_layout(path, images, labels)
            yield images, labels
    except _DAMAGED as error:
        raise _damaged(path, error) from None


def _file(path: Path, read: Callable[[Path], Path | io.BytesIO] = lambda path: path) -> h5py.File:
    """The file, open; h5py would wait for a pipe without end."""
    try:
        input_file.require(path)
    except FileNotFoundError:
        raise DataError(f"{path}: file not found; give the HDF5 file of training images") from None
    except input_file.NotAFile as error:
        raise DataError(f"{path}: {error.strerror} of training images in HDF5") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); make it readable") from None
    return h5py.File(read(path), "r")


def _checked(path: Path, labels: Any) -> tuple[int, ...]:
    labels = labels.reshape(-1)
    if not np.isin(labels, (0, 1)).all() or len(np.unique(labels)) < 2:
        raise DataError(f"{path}: labels must be 0 (non-face) and 1 (face), and both must occur")
    return tuple(labels.astype(int).tolist())


def _groups(path: Path, file: h5py.Group, labels: tuple[int, ...]) -> tuple[str, ...] | None:
    """The groups of faces, if the file has any; "" for non-faces, whatever the file says."""
    if "groups" not in file:
        return None
    dataset = _dataset(path, file, "groups")
    if dataset.dtype.kind != "S" or dataset.shape != (len(labels),):
        raise DataError(
            f"{path}: 'groups' must be {len(labels):,} strings of a fixed length, one for each "
            f"image, not {dataset.dtype} {dataset.shape}; write it again, or delete it"
        )
    found = tuple(
        _group(path, row, text) if label else ""
        for row, (text, label) in enumerate(zip(dataset[:], labels, strict=True))
    )
    return found if any(found) else None


def _group(path: Path, row: int, text: bytes) -> str:
    try:
        return sys.intern(shown(text.decode()))
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: the group of image {row} is not text in UTF-8 ({error.reason}); write "
            "'groups' again, or delete it"
        ) from None


def image_names(path: Path, count: int) -> tuple[str, ...]:
    """Names of all images; numbers if the file has none, or not one for each.

    Raises:
        DataError: The file is damaged or hostile.
    """
    try:
        with _file(path) as file:
            stored = _names(path, file) if "names" in file else ()
    except _DAMAGED as error:
        raise _damaged(path, error) from None
    return stored if len(stored) == count else tuple(f"image {index}" for index in range(count))


def _names(path: Path, file: h5py.File) -> tuple[str, ...]:
    dataset = _dataset(path, file, "names")
    if dataset.dtype.kind != "S" or dataset.ndim != 1:
        raise DataError(f"{path}: 'names' must be a list of strings, not {dataset.dtype}")
    return tuple(shown(text.decode(errors="replace")) for text in dataset[:])


def source_looks(path: Path) -> tuple[Look | None, ...]:
    """The looks of the source pictures of a prepared file's images.

    Returns:
        One per image, None if unknown; empty for a file that has none, like MIT's.

    Raises:
        DataError: The file is damaged or hostile, or these data have another layout.
    """
    try:
        with _file(path) as file:
            if not all(name in file for name in SOURCES):
                return ()
            digests, phashes = (_dataset(path, file, name) for name in SOURCES)
            count = file["images"].shape[0]
            kinds = (digests.dtype, digests.shape, phashes.dtype, phashes.shape)
            if kinds != (np.uint8, (count, 32), np.uint64, (count, duplicates.WORDS)):
                raise DataError(f"{path}: {' and '.join(SOURCES)} have another layout")
            return tuple(map(_look, digests[:], phashes[:]))
    except _DAMAGED as error:
        raise _damaged(path, error) from None


def _look(digest: Any, phash: Any) -> Look | None:
    """None for zeros, which represent an unknown picture."""
    return Look(digest.tobytes(), phash) if digest.any() else None


def remarks(path: Path) -> dict[str, str]:
    """The attributes of a file that are texts.

    Raises:
        DataError: The file is damaged.
    """
    try:
        with _file(path) as file:
            found = {name: file.attrs[name] for name in PREPARED if name in file.attrs}
            return {name: text for name, text in found.items() if isinstance(text, str)}
    except _DAMAGED as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    reason = str(error).encode("unicode_escape").decode()[:200]
    return DataError(
        f"{path}: damaged, truncated or not an HDF5 file ({reason}); copy or download it again"
    )


def _dataset(path: Path, file: h5py.Group, name: str) -> h5py.Dataset:
    """A dataset whose values are in this file, and whose number of values is reasonable."""
    link = file.get(name, getlink=True)
    if link is not None and not isinstance(link, h5py.HardLink):
        raise DataError(f"{path}: '{name}' is a link to another file; copy its data into this one")
    found = file.get(name)
    if not isinstance(found, h5py.Dataset):
        there = ", ".join(ascii(key)[1:-1] for key in file)[:200] or "nothing"
        raise DataError(f"{path}: there is no dataset '{name}'; the file holds {there}")
    if found.external is not None or found.is_virtual:
        raise DataError(f"{path}: '{name}' takes its values from other files; copy them into it")
    _require_proportion(path, name, found)
    return found


def _require_proportion(path: Path, name: str, dataset: h5py.Dataset) -> None:
    """Check that the data to read, and each chunk to unpack, have a reasonable size."""
    shapes = [shape for shape in (dataset.shape, dataset.chunks) if shape]
    values = max((math.prod(shape) for shape in shapes), default=1)
    declared = values * dataset.dtype.itemsize
    if declared > max(SMALL, MOST_EXPANSION * path.stat().st_size):
        raise DataError(
            f"{path}: '{name}' declares {declared:,} bytes, more than {MOST_EXPANSION} times "
            "what the file has; store it with less compression"
        )
    _require_memory(path, f"'{name}' takes", COPIES * declared)


def _require_memory(path: Path, what: str, needed: int) -> None:
    """Reject what does not fit into the memory of this machine."""
    memory = machine.total_memory()
    if memory is not None and needed > memory:
        raise DataError(
            f"{path}: {what} {needed:,} bytes of memory, and this machine has {memory:,}; leave "
            "images out"
        )


def _require_layout(path: Path, images: h5py.Dataset, labels: h5py.Dataset) -> None:
    if images.ndim != 4 or images.shape[1:] != (64, 64, 3) or images.dtype != np.uint8:
        raise DataError(
            f"{path}: images must be uint8 (N, 64, 64, 3), not {images.dtype} {images.shape}"
        )
    if labels.shape not in {(len(images), 1), (len(images),)}:
        raise DataError(f"{path}: labels must be ({len(images)}, 1), not {labels.shape}")
    if labels.dtype.kind not in "buif":
        raise DataError(f"{path}: labels must be numbers, not {labels.dtype}")


@reads(MitH5)
class MitH5Reader(Reader[MitH5]):
    """Training images."""

    kind = "h5"

    def open(self, spec: MitH5) -> TrainingImages:
        """The whole file."""
        return read(Path(spec.path), channels=spec.channels)

    def labels(self, spec: MitH5) -> NDArray[np.bool_]:
        """The labels alone."""
        return np.asarray(labels(Path(spec.path)), bool)

    def training_groups(self, spec: MitH5) -> tuple[str, ...] | None:
        """The groups alone."""
        return groups(Path(spec.path))

    def files(self, spec: MitH5) -> NamedFiles:
        """The file, without its name."""
        require_prepared(Path(spec.path))
        return [("", Path(spec.path))]

    def remarks(self, spec: MitH5) -> tuple[str, ...]:
        """None: all of it is read."""
        return ()

    def fits(self, path: Path) -> bool:
        """Whether it has the suffix of an HDF5 file."""
        return path.is_file() and path.suffix.lower() in (".h5", ".hdf5")

    def look(self, path: Path, groups: tuple[str, ...]) -> Collection:
        """Its images by number; by name and with groups if this program prepared the file."""
        stored = read(path, channels="bgr")
        count = len(stored.images)
        return Collection(
            *(path, self.kind, image_names(path, count)),
            tuple(np.where(stored.is_face, FACE, NO_FACE).tolist()),
            stored.groups or ("",) * count,
            stored.images.__getitem__,
            sources=source_looks(path),
        )


@prepares("mit_h5", terms="those of the sources of that file")
def raw(path: Path, options: RawOptions) -> Raw:
    """Images that are already cropped, with the groups that the file has."""
    found, kept = labels(path), groups(path)
    require_columns(options.groups, () if kept is None else (GROUP,), path)
    names = image_names(path, len(found))
    looks = source_looks(path) or (None,) * len(found)
    of_each = kept or ("",) * len(found)
    pictures = (
        Picture(path, name, label, group, stored=partial(image, path, row), look=look)
        for row, (name, label, group, look) in enumerate(
            zip(names, found, of_each, looks, strict=True)
        )
    )
    return Raw("mit_h5", tuple(pictures))
