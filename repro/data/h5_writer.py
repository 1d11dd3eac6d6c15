"""Write an HDF5 file of training images like MIT's: ``images`` BGR and ``labels`` (N, 1).

It is written slice by slice, uncompressed and contiguous, so that it can be read quickly. It is
written beside its final path and then renamed: it is complete, or absent.
"""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from repro.data.pictures import duplicates
from repro.data.pictures.collection import FACE, Collection
from repro.data.pictures.duplicates import Look
from repro.data.pictures.images import Pixels
from repro.data.sources import mit_h5
from repro.errors import DataError
from repro.system import atomic_files

SLICE = 4096  # images copied at a time, 50 MB


class Pack:
    """A file that is being written; it is removed if the ``with`` ends before `finish`."""

    def __init__(self, out: Path, *, room: int) -> None:
        """Create the file.

        Args:
            out: Its path, where nothing may exist yet.
            room: Maximum number of images.

        Raises:
            DataError: As for `require_new`.
            CannotWrite: The disk is full, or the path cannot be written.
        """
        require_new(out)
        self.out, self.count = out, 0
        self._whole = hashlib.sha256()
        atomic_files.sweep(out)
        self._partial = _beside(out)
        with _told(out, room):
            out.parent.mkdir(parents=True, exist_ok=True)
            self._file = h5py.File(self._partial, "w-")
            self._file.create_dataset("images", (room, 64, 64, 3), np.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            self._file.close()
        atomic_files.discard(self._partial)

    def append(self, images: Pixels) -> None:
        """Write the next images.

        Args:
            images: Shape (n, 64, 64, 3), RGB.

        Raises:
            CannotWrite: The disk is full.
        """
        stored = np.ascontiguousarray(images[..., ::-1])
        with _told(self.out, len(self._file["images"])):
            self._file["images"][self.count : self.count + len(stored)] = stored
        self._whole.update(stored.data)
        self.count += len(stored)

    def finish(
        self,
        *,
        labels: Sequence[int],
        names: Sequence[str],
        groups: Sequence[str],
        looks: Sequence[Look | None],
        remarks: dict[str, Any],
    ) -> str:
        """Write the data about the images, and move the file to its final path.

        Args:
            labels: 1 with a face, 0 without; one per image.
            names: File names; one per image.
            groups: "" if unknown; one per image.
            looks: Looks of the source pictures, None if unknown; one per image.
            remarks: Attributes of the file; values other than text and numbers become JSON.

        Returns:
            SHA-256 over images and labels as stored, in hex.

        Raises:
            CannotWrite: The disk is full, or the path cannot be written.
        """
        column = np.asarray(labels, np.uint8).reshape(self.count, 1)
        self._whole.update(column.data)
        sha256 = self._whole.hexdigest()
        with _told(self.out, self.count):
            if len(self._file["images"]) > self.count:
                self._without_room_to_spare()
            self._file["labels"] = column
            for name, texts in {"names": names, "groups": groups}.items():
                self._file[name] = np.asarray([text.encode() for text in texts], np.bytes_)
            for name, content in zip(mit_h5.SOURCES, duplicates.stacked(looks), strict=True):
                self._file[name] = content
            for name, value in {"sha256": sha256, "channels": "bgr", **remarks}.items():
                plain = isinstance(value, str | int | float)
                self._file.attrs[name] = value if plain else json.dumps(value)
            self._file.close()
            _onto_disk(self._partial)
            os.replace(self._partial, self.out)
            _onto_disk(self.out.parent)
        return sha256

    def _without_room_to_spare(self) -> None:
        """Rewrite the file with space for only the images that it holds."""
        shorter = _beside(self.out)
        try:
            target = h5py.File(shorter, "w-")
            images = target.create_dataset("images", (self.count, 64, 64, 3), np.uint8)
            for start in range(0, self.count, SLICE):
                end = min(start + SLICE, self.count)
                images[start:end] = self._file["images"][start:end]
            self._file.close()
            os.replace(shorter, self._partial)
            self._file = target
        finally:
            atomic_files.discard(shorter)


def require_new(out: Path) -> None:
    """Reject a path that exists, or whose name is not that of an HDF5 file.

    Raises:
        DataError: The name is wrong, or the path exists.
    """
    if out.suffix.lower() not in (".h5", ".hdf5"):
        raise DataError(f"{out}: the last word is the file to write; give it a name ending in .h5")
    if os.path.lexists(out):
        raise DataError(f"{out}: exists already; remove it, or give another name")


def content(images: Collection) -> str:
    """SHA-256 over images and labels as `Pack` stores them, in hex."""
    whole = hashlib.sha256()
    for index in range(len(images.names)):
        whole.update(np.ascontiguousarray(images.read(index)[..., ::-1]).data)
    whole.update(bytes(label == FACE for label in images.labels))
    return whole.hexdigest()


def _beside(out: Path) -> Path:
    return out.with_name(f".{out.name}.{uuid.uuid4().hex[:12]}{atomic_files.PARTIAL}")


def _onto_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system that does not support it for folders
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _told(out: Path, images: int) -> Iterator[None]:
    """Report an error of the system or of HDF5 in one sentence."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:200]
        raise atomic_files.CannotWrite(
            f"{out}: cannot be written, {images * 64 * 64 * 3:,} bytes ({reason}); "
            "make room, or give another place"
        ) from None
