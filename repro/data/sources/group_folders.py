"""A folder with a folder for each group, as the MIT lab bundles its crops: LF, LM, DF, DM.

Pictures are in a group's folder or its subfolders, as in ``group/person/1.jpg``.
"""

from dataclasses import replace
from pathlib import Path

from repro.data.pictures import picture_files, square_crops
from repro.data.pictures.images import Photographs
from repro.data.sources.source_registry import Reader, reads
from repro.errors import DataError
from repro.study.data_spec import GroupFolders, Groups


def read(path: Path) -> Photographs:
    """The unchanged pictures with their groups: the folders' names in lower case.

    Raises:
        DataError: There is no such folder, it has no picture, or one is not in a group's folder.
    """
    names = picture_files.pictures(path)
    alone = [name for name in names if "/" not in name]
    if alone:
        raise DataError(
            f"{path}: {alone[0]} is in no group; give each group a folder, as LF, LM, DF and DM"
        )
    groups = tuple(name.split("/")[0].lower().replace(" ", "_") for name in names)
    return picture_files.photographs(path, names, groups)


def read_crops(path: Path) -> Photographs:
    """The same pictures, each resized whole to 64 x 64, as the lab does.

    Raises:
        DataError: As for `read`.
    """
    found = read(path)
    return replace(found, read=lambda index: square_crops.resized(found.read(index)))


@reads(Groups)
class GroupsReader(Reader[Groups]):
    """Test portraits of any size."""

    kind = "groups"
    rank = 3

    def open(self, spec: Groups) -> Photographs:
        """The unchanged pictures."""
        return read(Path(spec.path))

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
