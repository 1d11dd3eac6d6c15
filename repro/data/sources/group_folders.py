"""A folder with a folder for each group, as the MIT lab bundles its crops: LF, LM, DF, DM.

Pictures are in a group's folder or its subfolders, as in ``group/person/1.jpg``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from repro.data.pictures import picture_files, square_crops
from repro.data.pictures.images import Photographs
from repro.data.pictures.picture_table import GROUP, PERSON
from repro.data.pictures.raw_pictures import Picture, Raw
from repro.data.sources.source_registry import RawOptions, Reader, prepares, reads, require_columns
from repro.errors import DataError
from repro.study.data_spec import GroupFolders, Groups


def read(path: Path) -> Photographs:
    """The unchanged pictures with their groups: the folders' names in lower case.

    Raises:
        DataError: There is no such folder, it or a group's folder has no picture, one is not in a
            group's folder, or two folders would be one group.
    """
    names = picture_files.pictures(path)
    alone = [name for name in names if "/" not in name]
    if alone:
        raise DataError(
            f"{path}: {alone[0]} is in no group; give each group a folder, as LF, LM, DF and DM"
        )
    folders = [name.split("/")[0] for name in names]
    _require_distinct(path, folders)
    _require_pictures(path, folders)
    return picture_files.photographs(path, names, tuple(map(_group, folders)))


def _group(folder: str) -> str:
    return folder.lower().replace(" ", "_")


def _require_distinct(path: Path, folders: Iterable[str]) -> None:
    known: dict[str, str] = {}
    for folder in folders:
        if (other := known.setdefault(_group(folder), folder)) != folder:
            raise DataError(
                f"{path}: the folders {other} and {folder} would be the same group, "
                f"{_group(folder)}; rename one, or put their pictures into one"
            )


def _require_pictures(path: Path, folders: Iterable[str]) -> None:
    """Reject a group that would be lost, because nothing in its folder is read."""
    every = {one.name for one in path.iterdir() if one.is_dir() and not one.name.startswith(".")}
    for empty in sorted(every - {*folders}):
        raise DataError(
            f"{picture_files.shown(path / empty)}: no picture in it, so that this group is empty; "
            "add its pictures, or remove the folder"
        )


def persons(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The folders of persons, ``group/person``, by the column ``person``; "" without such a folder.

    Args:
        names: Of pictures, relative to the folder of the groups: ``group/person/1.jpg``.

    Returns:
        Nothing if no picture is in a person's folder. The group is part of the value because one
        name may be of two persons in two groups.
    """
    parts = [name.split("/") for name in names]
    found = tuple("/".join(one[:2]) if len(one) > 2 else "" for one in parts)
    return {PERSON: found} if any(found) else {}


def read_crops(path: Path) -> Photographs:
    """The same pictures, each resized whole to 64 x 64, as the lab does.

    Raises:
        DataError: As for `read`.
    """
    found = read(path)
    return replace(found, read=lambda index: square_crops.resized(found.read(index)))


@prepares("groups")
def raw(path: Path, options: RawOptions) -> Raw:
    """The pictures as faces, the middle of each; the only column is the name of their folder."""
    require_columns(options.groups, (GROUP,), path)
    found = read(path)
    pictures = tuple(
        Picture(file, name, 1, group)
        for file, name, group in zip(found.files, found.names, found.groups, strict=True)
    )
    return Raw("groups", pictures, picture_files.left_out(path), picture_files.remarks(path))


@reads(Groups)
class GroupsReader(Reader[Groups]):
    """Test portraits of any size."""

    kind = "groups"
    rank = 3

    def open(self, spec: Groups) -> Photographs:
        """The unchanged pictures."""
        return read(Path(spec.path))

    def attributes(self, spec: Groups) -> Mapping[str, tuple[str, ...]]:
        """The folder in a group's folder as ``person``, if there is any: ``group/person``."""
        return persons(read(Path(spec.path)).names)

    def fits(self, path: Path) -> bool:
        """Whether there are at least two folders, and no picture beside them."""
        if not path.is_dir():
            return False
        names = picture_files.pictures(path)
        tops = {name.partition("/")[0] if "/" in name else "" for name in names}
        return len(tops) > 1 and "" not in tops


@reads(GroupFolders)
class GroupFoldersReader(Reader[GroupFolders]):
    """Face crops for the lab's metric."""

    def open(self, spec: GroupFolders) -> Photographs:
        """Crops of 64 x 64."""
        return read_crops(Path(spec.path))
