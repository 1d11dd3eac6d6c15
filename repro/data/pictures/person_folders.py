"""Published face crops in a folder for each group, and in it a folder for each person.

The groups have fixed names, so that the folder that holds them is found in an archive however deep
it was packed, and a folder beside them is not taken for a group.
"""

from collections.abc import Mapping
from pathlib import Path

from repro.data.pictures import picture_files
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs
from repro.errors import DataError

DEPTH = 5  # of the folder of the groups in an archive
MOST_FOLDERS = 64  # in a folder on the way to it


def root_of(path: Path, groups: Mapping[str, str]) -> Path | None:
    """The folder that holds the groups' folders, at or below a path; None if there is none.

    Args:
        path: A folder.
        groups: Names of the groups' folders.

    Raises:
        DataError: There are two such folders, of which nobody says which is meant.
    """
    level = [path]
    for _ in range(DEPTH + 1):
        found = [one for one in level if _has(one, groups)]
        if len(found) > 1:
            names = " and ".join(str(one.relative_to(path)) for one in found[:2])
            raise DataError(f"{path}: {names} both hold the groups; give the path of one of them")
        if found:
            return found[0]
        level = [below for one in level for below in _folders(one)][:MOST_FOLDERS]
    return None


def fits(root: Path | None, groups: Mapping[str, str]) -> bool:
    """Whether a folder holds several groups' folders, and each of them folders of persons."""
    there = [root / name for name in groups if (root / name).is_dir()] if root else []
    return len(there) > 1 and all(any(one.is_dir() for one in each.iterdir()) for each in there)


def _has(folder: Path, groups: Mapping[str, str]) -> bool:
    return any((folder / name).is_dir() for name in groups)


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder; none if there are many, which are not of an archive's nesting."""
    try:
        found = sorted(one for one in folder.iterdir() if one.is_dir() and one.name[0] != ".")
    except OSError:
        return []
    return found if len(found) <= MOST_FOLDERS else []


def names(root: Path, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Relative names of all pictures in persons' folders: ``group/person/0001.jpg``.

    Raises:
        DataError: A group's folder has no picture, or a picture is in no person's folder.
    """
    found: list[str] = []
    for folder in groups:
        if (root / folder).is_dir():
            found += (f"{folder}/{name}" for name in picture_files.pictures(root / folder))
    for name in found:
        if name.count("/") != 2:
            raise DataError(
                f"{root}: {picture_files.shown(name)} is not in the folder of a person "
                "(group/person/picture); unpack the archive again"
            )
    return tuple(found)


def photographs(root: Path, groups: Mapping[str, str]) -> Photographs:
    """The pictures with their groups.

    Args:
        root: The folder that holds the groups' folders.
        groups: The group's name, by its folder.

    Raises:
        DataError: As for `names`.
    """
    found = names(root, groups)
    return picture_files.photographs(
        root, found, tuple(groups[name.partition("/")[0]] for name in found)
    )


def persons(found: tuple[str, ...]) -> tuple[str, ...]:
    """The person of each picture as ``group/person``: one identifier may occur in two groups."""
    return tuple(name.rpartition("/")[0] for name in found)


def files(root: Path, groups: Mapping[str, str]) -> NamedFiles:
    """The pictures, by relative name; nothing else that lies beside them."""
    return [(name, root / name) for name in names(root, groups)]


def remarks(path: Path, root: Path, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Groups whose folders are not there, and files in the others that are not read."""
    missing = [name for name in groups if not (root / name).is_dir()]
    there = [root / name for name in groups if name not in missing]
    lines = [line for folder in there for line in picture_files.remarks(folder)]
    if missing:
        lines.insert(0, f"{path}: without the folders of the groups {', '.join(missing)}")
    return tuple(lines)
