"""ImageNet as photographs without a face: a folder of class folders, one random crop a picture.

Classes with people are left out by a list. People also stand in pictures of other classes, so what
is left is not free of faces, only poor in them.
"""

import zlib
from collections import Counter
from collections.abc import Container
from pathlib import Path

from repro.data.pictures import picture_files
from repro.data.pictures.raw_pictures import Picture, Raw
from repro.data.sources.source_registry import RawOptions, prepares
from repro.errors import DataError

PEOPLE = Path(__file__).with_name("imagenet_people.txt")


def read(path: Path, *, without: Container[str], seed: int) -> Raw:
    """The pictures of all classes that are not left out.

    Args:
        path: Folder of class folders.
        without: Names of class folders to leave out.
        seed: Of the crops' places; a picture's place hangs on its name and on nothing else.

    Raises:
        DataError: There is no such folder, no picture in it, none left, or one in no class.
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
    """A list of classes: one a line, what follows a # is a remark.

    Raises:
        DataError: The list cannot be read.
    """
    picture_files.require_file(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text in UTF-8 ({error})") from None
    return frozenset(line.partition("#")[0].strip() for line in lines) - {""}


@prepares("imagenet", catalogued="imagenet")
def raw(path: Path, options: RawOptions) -> Raw:
    """Photographs without the classes that are left out."""
    return read(path, without=options.without, seed=options.seed)
