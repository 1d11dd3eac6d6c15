"""A ZIP file whose bytes are the same each time, and a ZIP file of somebody else, read safely.

Reading trusts nothing: names, kinds, counts and sizes are checked before a byte is unpacked, and
what is unpacked is counted, so that a small file cannot fill a disk.
"""

import hashlib
import io
import os
import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from repro.bundles.refused import BadBundle
from repro.system import input_file
from repro.system.printing import one_line

MOMENT = (1980, 1, 1, 0, 0, 0)  # of every member: the first that the format knows
MODE = 0o100644 << 16  # a regular file
MOST_MEMBERS = 400_000
MOST_BYTES = 64 << 30  # of all members, unpacked
MOST_PARTS = 12  # folders of a name
MOST_LETTERS = 400  # of a name
RATIO, PLAIN_BYTES = 40, 256 << 20  # unpacked to packed bytes beyond which a file is a bomb
PIECE = 1 << 20
DENSE = (".safetensors",)  # files that would not become smaller
ENCRYPTED = 0x1  # flag of a member
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PART = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|]+")
_CORRUPT = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def write(path: Path, files: Mapping[str, Path], first: Sequence[str] = ()) -> None:
    """Write a ZIP file: fixed times and modes, members in the order of their names.

    Args:
        path: Of the new file.
        files: The file that has the content, by name.
        first: Names that come before all others.
    """
    order = [*first, *sorted(files.keys() - set(first))]
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
        for name in order:
            info = zipfile.ZipInfo(name, MOMENT)
            info.external_attr, info.create_system = MODE, 3
            info.file_size = files[name].stat().st_size
            dense = files[name].suffix in DENSE
            info.compress_type = zipfile.ZIP_STORED if dense else zipfile.ZIP_DEFLATED
            with files[name].open("rb") as content, archive.open(info, "w") as member:
                shutil.copyfileobj(content, member, PIECE)


class Archive:
    """A ZIP file of somebody else, whose members' names and sizes are sound."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        """Check the list of members.

        Raises:
            BadBundle: It is no ZIP file, or a member cannot be one of a bundle.
        """
        self.path = path
        try:
            self._zip = zipfile.ZipFile(stream)
        except _CORRUPT as error:
            raise BadBundle(path, f"this is no whole ZIP file ({_said(error)})") from None
        size = os.fstat(stream.fileno()).st_size
        self.members = self._checked(self._zip.infolist(), size)

    def _checked(self, listed: Sequence[zipfile.ZipInfo], size: int) -> dict[str, zipfile.ZipInfo]:
        if len(listed) > MOST_MEMBERS:
            raise BadBundle(self.path, f"{len(listed):,} members, more than {MOST_MEMBERS:,}")
        found: dict[str, zipfile.ZipInfo] = {}
        folded: set[str] = set()
        for info in listed:
            name = one_line(info.filename)
            if wrong := _wrong(info):
                raise BadBundle(self.path, f"{name[:80]!r}: {wrong}")
            if info.is_dir():
                continue
            fold = unicodedata.normalize("NFC", info.filename).casefold()
            if fold in folded:
                raise BadBundle(self.path, f"{name[:80]!r}: this name is there twice")
            folded.add(fold)
            found[info.filename] = info
        total = sum(info.file_size for info in found.values())
        if total > MOST_BYTES or total > PLAIN_BYTES + RATIO * size:
            raise BadBundle(
                self.path, f"{size:,} bytes would become {total:,}, which no bundle of results does"
            )
        return found

    def read(self, name: str, *, most_bytes: int) -> bytes:
        """The whole content of a member.

        Raises:
            BadBundle: It is missing, larger, or damaged.
        """
        stream = io.BytesIO()
        self._copy(name, stream.write, most_bytes)
        return stream.getvalue()

    def unpack(self, name: str, into: Path) -> str:
        """Write a member as a new file below a folder; the SHA-256 of its content.

        Raises:
            BadBundle: It is damaged, or its file cannot be written.
        """
        path = into.joinpath(*PurePosixPath(name).parts)
        digest = hashlib.sha256()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb") as file:

                def put(piece: bytes) -> None:
                    digest.update(piece)
                    file.write(piece)

                self._copy(name, put, MOST_BYTES)
        except OSError as error:
            raise BadBundle(self.path, f"{name}: cannot be unpacked ({error.strerror})") from None
        return digest.hexdigest()

    def digest(self, name: str) -> str:
        """The SHA-256 of a member; raises as `read` does."""
        digest = hashlib.sha256()
        self._copy(name, digest.update, MOST_BYTES)
        return digest.hexdigest()

    def _copy(self, name: str, put: Callable[[bytes], object], most_bytes: int) -> None:
        info = self.members.get(name)
        if info is None:
            raise BadBundle(self.path, f"{name} is not in it")
        if info.file_size > most_bytes:
            size = f"{info.file_size:,} bytes, more than {most_bytes:,}"
            raise BadBundle(self.path, f"{name}: {size}")
        try:
            with self._zip.open(info) as stream:
                left = info.file_size
                while piece := stream.read(PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise zipfile.BadZipFile("it is longer than it says")
                    put(piece)
        except _CORRUPT as error:
            raise BadBundle(self.path, f"{name}: damaged ({_said(error)})") from None


def opened(path: Path) -> BinaryIO:
    """A file of somebody, open for reading.

    Raises:
        BadBundle: It is missing, no regular file, or cannot be read.
    """
    try:
        return input_file.opened(path)
    except FileNotFoundError:
        raise BadBundle(path, "file not found") from None
    except OSError as error:
        raise BadBundle(path, f"cannot be read ({error.strerror})") from None


def _wrong(info: zipfile.ZipInfo) -> str:
    """Why a member cannot be one of a bundle; empty if it can."""
    name, kind = info.filename, stat.S_IFMT(info.external_attr >> 16)
    parts = name.rstrip("/").split("/")
    if len(name) > MOST_LETTERS or len(parts) > MOST_PARTS:
        return "its name is longer than any of a bundle"
    if any(part in ("", ".", "..") or not _PART.fullmatch(part) for part in parts):
        return "its name leads out of the bundle, or cannot be one of a file"
    if one_line(name) != name:
        return "its name has invisible characters"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (kind == stat.S_IFDIR) > info.is_dir():
        return "it is a link or a device, and only files are unpacked"
    if info.flag_bits & ENCRYPTED:
        return "it is encrypted"
    if info.compress_type not in METHODS:
        return "it is compressed in a way that no bundle is"
    if info.is_dir() and info.file_size:
        return "it is a folder with content"
    return ""


def _said(error: Exception) -> str:
    return one_line(str(error))[:200] or type(error).__name__
