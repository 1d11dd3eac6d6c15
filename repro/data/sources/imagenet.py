"""ImageNet as photographs without a face: a folder of class folders, one random crop per picture.

Classes with people are excluded by a list. People also occur in pictures of other classes, so the
remaining pictures contain few faces, but not none.
"""

import zlib
from collections import Counter
from collections.abc import Container
from pathlib import Path

from repro.data.pictures import picture_files
from repro.data.pictures.raw_pictures import Picture, Raw
from repro.data.sources.source_registry import RawOptions, prepares
from repro.errors import DataError
from repro.system import input_file

PEOPLE = Path(__file__).with_name("imagenet_people.txt")
MOST_BYTES = 2**24  # of a list of class folders; there are 22,000 at most


def read(path: Path, *, without: Container[str], seed: int) -> Raw:
    """The pictures of all classes that are not excluded.

    Args:
        path: Folder of class folders.
        without: Names of class folders to exclude.
        seed: Seed of the crops' positions; a picture's position depends only on it and its name.

    Raises:
        DataError: There is no such folder, it has no picture, none is left, or one is in no class.
    """
    kept, left_out = [], Counter[str]()
    for name in picture_files.pictures(path):
        kind, _, rest = name.partition("/")
        if not rest:
            raise DataError(f"{path}: {name} is in no class folder; for a flat folder use nonfaces")
        if kind in without:
            left_out[kind] += 1
        else:
            dice = (seed, zlib.crc32(name.encode()))
            kept.append(Picture(path / name, name, 0, dice=dice))
    if not kept:
        raise DataError(f"{path}: all classes are left out")
    said = {"in classes left out by list": left_out.total()} if left_out else {}
    return Raw(
        "imagenet",
        tuple(kept),
        {**said, **picture_files.left_out(path)},
        picture_files.remarks(path),
    )


def names(path: Path) -> frozenset[str]:
    """A list of classes: one per line; text after a # is a comment.

    Raises:
        DataError: The list cannot be read.
    """
    try:
        lines = input_file.read_text(path, most_bytes=MOST_BYTES).splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: cannot be read as text in UTF-8 ({error})") from None
    return frozenset(line.partition("#")[0].strip() for line in lines) - {""}


@prepares("imagenet", catalogued="imagenet")
def raw(path: Path, options: RawOptions) -> Raw:
    """Photographs without the excluded classes."""
    return read(path, without=options.without, seed=options.seed)
