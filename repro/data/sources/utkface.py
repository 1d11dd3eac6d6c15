"""UTKFace's folder: faces named ``[age]_[gender]_[race]_[date&time].jpg``.

A few of the published names lack a field. Such pictures are omitted and counted, as long as they
are too few to matter; a folder with many is not UTKFace, or is damaged. Race labels are not skin
types: they were guessed by a program and checked by annotators.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from repro.data.pictures import bands, picture_files
from repro.data.pictures.collection import FACE
from repro.data.pictures.images import Photographs
from repro.data.pictures.raw_pictures import Picture, Raw
from repro.data.sources.source_registry import RawOptions, Reader, prepares, reads
from repro.errors import DataError
from repro.study.data_spec import UtkFace

GENDERS = ("male", "female")
RACES = ("white", "black", "asian", "indian", "others")
MOST_LEFT_OUT = 0.01  # of the pictures; three of the published 23,708 have no race
# Some suffixes are published with typos: ``20170116232725357jpg.chip.jpg``, ``272.pg.chip.jpg``.
_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_\d+[^_/]*", re.ASCII)


class Labels(NamedTuple):
    """The labels in a file name."""

    age: int
    gender: str
    race: str


def labels(name: str) -> Labels | None:
    """The labels in a file's name; None if any is missing."""
    said = _NAME.fullmatch(Path(name).name)
    if said is None:
        return None
    return Labels(int(said[1]), GENDERS[int(said[2])], RACES[int(said[3])])


def split(names: tuple[str, ...]) -> tuple[dict[str, Labels], tuple[str, ...]]:
    """The names with all labels, with these labels, and the other names."""
    said = {name: labels(name) for name in names}
    told = {name: found for name, found in said.items() if found is not None}
    return told, tuple(name for name in names if name not in told)


def read(path: Path, *, groups: tuple[str, ...], age_bands: tuple[int, ...]) -> Photographs:
    """The faces with their groups.

    Args:
        path: Folder with the pictures, in it or in subfolders.
        groups: Which of race, gender and age make a group, in order.
        age_bands: First years of all bands but the youngest, increasing.

    Raises:
        DataError: There is no picture, too many names lack labels, or the bands do not increase.
    """
    bands.require_increasing(age_bands, "age_bands")
    if unknown := set(groups) - {*Labels._fields}:
        raise DataError(
            f"{path}: UTKFace has no {min(unknown)!r} to make groups of; its names say "
            f"{', '.join(Labels._fields)}"
        )
    told, left_out = split(picture_files.pictures(path))
    if len(left_out) >= MOST_LEFT_OUT * (len(told) + len(left_out)):
        raise DataError(
            f"{path}: {len(left_out):,} of {len(told) + len(left_out):,} names are not "
            f"age_gender_race_date.jpg, for example {left_out[0]}; remove them "
            "if they are not from UTKFace"
        )
    named = tuple(
        "_".join(_value(said, field, age_bands) for field in groups) for said in told.values()
    )
    return picture_files.photographs(path, tuple(told), named)


def _value(said: Labels, field: str, starts: tuple[int, ...]) -> str:
    if field == "age":
        return bands.of_age(said.age, starts)
    return said.gender if field == "gender" else said.race


@prepares("utkface", catalogued="utkface")
def raw(path: Path, options: RawOptions) -> Raw:
    """The middles of the faces whose names have all labels; ages are in the default bands."""
    default = UtkFace(path=str(path))
    found = read(path, groups=options.groups or default.groups, age_bands=default.age_bands)
    pictures = tuple(
        Picture(file, name, 1, group)
        for file, name, group in zip(found.files, found.names, found.groups, strict=True)
    )
    lacking = len(split(picture_files.pictures(path))[1])
    left_out = {"whose name lacks a label": lacking} if lacking else {}
    return Raw(
        "utkface",
        pictures,
        {**left_out, **picture_files.left_out(path)},
        picture_files.remarks(path),
    )


@reads(UtkFace)
class UtkFaceReader(Reader[UtkFace]):
    """The faces as test portraits; a name contains the moment of a picture, and so is unique."""

    kind = "utkface"
    rank = 2
    label = FACE
    unique_names = True

    def open(self, spec: UtkFace) -> Photographs:
        """The faces whose names have all labels, with their groups."""
        return read(Path(spec.path), groups=spec.groups, age_bands=spec.age_bands)

    def left_out(self, spec: UtkFace) -> tuple[tuple[str, ...], int]:
        """The names that lack a label."""
        names = picture_files.pictures(Path(spec.path))
        return split(names)[1], len(names)

    def attributes(self, spec: UtkFace) -> Mapping[str, tuple[str, ...]]:
        """Age in years, gender and race, of the names."""
        told, _ = split(picture_files.pictures(Path(spec.path)))
        said = told.values()
        return {field: tuple(str(getattr(one, field)) for one in said) for field in Labels._fields}

    def fits(self, path: Path) -> bool:
        """Whether nearly all names have UTKFace's labels."""
        if not path.is_dir():
            return False
        names = picture_files.pictures(path)
        return len(split(names)[1]) < MOST_LEFT_OUT * len(names)
