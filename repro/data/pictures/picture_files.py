"""Folders of photographs, and the only reader of picture files.

A file may be damaged or hostile: only regular files of a few formats are opened, and their declared
sizes are limited before a pixel is unpacked. Errors name the file.
"""

import io
import struct
import unicodedata
import warnings
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from repro.data.pictures import picture_formats
from repro.data.pictures.images import Photographs, Pixels
from repro.errors import DataError
from repro.system import file_digests

LONGEST_SIDE = 12_000  # larger files are mistakes or attacks
SHORTEST_SIDE = 16  # smaller files have no space for windows
MOST_PIXELS = 2**26
MOST_BYTES = 2**29
ELONGATED = 20  # ratio of sides that no photograph has
_WIDE = ("I", "F", "I;32", "I;32B")  # 32 bits: the value of white is not defined
_TURNS = {  # by orientation, from 2 on
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The exceptions of Pillow for damaged files, by the place of the damage.
_DAMAGED = (
    *(OSError, RuntimeError, LookupError, ValueError, TypeError, ArithmeticError, SyntaxError),
    *(MemoryError, AttributeError, struct.error, zlib.error, Image.DecompressionBombError),
)


def read(path: Path) -> Photographs:
    """All pictures in a folder and its subfolders, by relative name, without groups.

    Raises:
        DataError: There is no such folder, it has no picture, or one is not a regular file.
    """
    names = pictures(path)
    return photographs(path, names, ("",) * len(names))


def pictures(path: Path) -> tuple[str, ...]:
    """Relative names of all pictures in a folder and its subfolders, in order.

    Raises:
        DataError: As for `read`.
    """
    files = _files_called_pictures(path)
    for file in files:
        if not file.is_file():
            raise DataError(f"{shown(file)}: a broken link, a pipe or a device; remove it")
        require_plain(str(file.relative_to(path)), str(file))
    if not files:
        expected = ", ".join(sorted(picture_formats.suffixes()))
        there = counted(left_out(path))
        raise DataError(
            f"{path}: no picture in it{there and f', but {there}'}; expected {expected}"
        )
    return tuple(sorted(str(file.relative_to(path)) for file in files))


def left_out(path: Path) -> Counter[str]:
    """Visible files in a folder and its subfolders that are not read as pictures, by suffix."""
    others = Counter(
        file.suffix.lower() or "without suffix"
        for file in path.rglob("*")
        if not file.name.startswith(".") and not _is_called_picture(file) and file.is_file()
    )
    return Counter(dict(sorted(others.items(), key=lambda item: (-item[1], item[0]))))


def remarks(path: Path) -> tuple[str, ...]:
    """Such as ``17 files, 15 pictures read, 2 not: 1 .heic, 1 .gif``; empty if all are read."""
    others = left_out(path)
    if not others:
        return ()
    read, total = len(_files_called_pictures(path)), others.total()
    files = f"{total + read:,} files, {read:,} pictures read"
    return (f"{shown(path)}: {files}, {total:,} not: {counted(others)}",)


def counted(others: Mapping[str, int]) -> str:
    """Such as ``3 .heic (to read them: pip install pillow-heif), 1 .gif``; "" if empty."""
    parts = []
    for suffix, count in others.items():
        how = picture_formats.advice(suffix)
        parts.append(f"{count:,} {shown(suffix)}{how and f' (to read them: {how})'}")
    return ", ".join(parts)


def photographs(path: Path, names: tuple[str, ...], groups: tuple[str, ...]) -> Photographs:
    """Pictures of a folder, by relative name, each with its group; opens no file yet."""
    files = tuple(path / name for name in names)
    return Photographs(names, groups, lambda index: read_picture(files[index]), files)


def is_picture(file: Path) -> bool:
    """Whether the name is a picture's and not hidden, and the file is a regular one."""
    return _is_called_picture(file) and file.is_file()


def read_picture(file: Path) -> Pixels:
    """A picture as 8-bit RGB, rotated by its EXIF orientation; transparency is dropped.

    Raises:
        DataError: The file is missing, damaged, not a picture, or of unreasonable size.
    """
    require_file(file)
    try:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise DataError(f"{shown(file)}: {size:,} bytes are too many for a picture")
        content = io.BytesIO(file_digests.read(file, most_bytes=MOST_BYTES))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata
            with Image.open(content, formats=picture_formats.allowed(file)) as image:
                _require_size(file, *image.size)
                return _rgb(file, _turned(image))
    except _DAMAGED as error:
        unknown = isinstance(error, UnidentifiedImageError)  # the error only repeats the name
        known = ", ".join(picture_formats.allowed(file))
        reason = f"it is in none of {known}" if unknown else shown(error)[:200]
        todo = picture_formats.advice(file.suffix.lower()) or "replace it"
        raise DataError(f"{shown(file)}: the picture cannot be read ({reason}); {todo}") from None


def duplicates(files: Iterable[Path], among: Iterable[Path]) -> list[tuple[Path, Path]]:
    """Pairs of files, one from each list, with the same bytes.

    Args:
        files: For example test portraits.
        among: Files that must not repeat any of them, for example photographs without a face.

    Raises:
        DataError: A file cannot be read.
    """
    known = defaultdict(list)
    for file in files:
        known[sha256(file)].append(file)
    return [(file, other) for other in among for file in known.get(sha256(other), [])]


def sha256(file: Path) -> bytes:
    """SHA-256 of a regular file; kept as long as the file does not change.

    Raises:
        DataError: The file is missing, not regular, or cannot be read.
    """
    require_file(file)
    try:
        return file_digests.sha256(file)
    except OSError as error:
        raise DataError(f"{shown(file)}: cannot be read ({error.strerror})") from None


def require_file(file: Path) -> None:
    """Reject anything but a regular file: reading a pipe or a device may never end.

    Raises:
        DataError: The file is missing or not regular.
    """
    try:
        ordinary = file.is_file()
    except OSError as error:
        raise DataError(f"{shown(file)}: cannot be read ({error.strerror})") from None
    if not ordinary:
        what = "file not found, or it is a folder, a pipe or a device"
        raise DataError(f"{shown(file)}: {what}; give a file")


def require_plain(name: str, where: str) -> None:
    """Reject names that tables, terminals or UTF-8 files cannot contain.

    Raises:
        DataError: The name contains control characters or bytes that are not UTF-8.
    """
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise DataError(f"{shown(where)}: the name has invisible characters; rename it")


def shown(what: object) -> str:
    """The text on one line, with escapes for invisible characters."""
    text = str(what)
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _files_called_pictures(path: Path) -> list[Path]:
    """All paths in a folder and its subfolders with a picture's suffix, except folders."""
    try:
        if path.is_dir():
            return [f for f in path.rglob("*") if _is_called_picture(f) and not f.is_dir()]
    except OSError as error:
        raise DataError(f"{shown(path)}: cannot be read ({error.strerror})") from None
    raise DataError(f"{shown(path)}: folder not found; give a folder of photographs")


def _is_called_picture(file: Path) -> bool:
    return file.suffix.lower() in picture_formats.suffixes() and not file.name.startswith(".")


def _require_size(file: Path, width: int, height: int) -> None:
    shortest, longest = sorted((width, height))
    size = f"{shown(file)}: {width} x {height} pixels"
    if longest > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise DataError(f"{size} is too large")
    if shortest < SHORTEST_SIDE or longest > ELONGATED * shortest:
        raise DataError(f"{size} is too small, or too narrow, to look for faces in")


def _turned(image: Image.Image) -> Image.Image:
    """The picture upright; other metadata is not read."""
    image.load()  # for some formats this rotates it already
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def _rgb(file: Path, image: Image.Image) -> Pixels:
    if image.mode in _WIDE:
        raise DataError(f"{shown(file)}: pixels of 32 bits; save the picture with 8 or 16 bits")
    if image.mode.startswith("I;16"):  # Pillow would clip all but the darkest 256 values
        grey = np.asarray(image).astype(np.uint16) >> 8
        return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    if image.mode == "P":
        image = image.convert("RGBA")
    return np.asarray(image.convert("RGB"))
