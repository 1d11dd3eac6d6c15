"""A folder with a folder of face crops for each group, as the MIT lab bundles them: LF, LM, DF, DM.

Each picture is resized whole to 64 x 64, as the lab does.
"""

from pathlib import Path

from repro.data import folder, framing
from repro.data.sets import Photographs
from repro.errors import DataError


def read(path: Path) -> Photographs:
    """The crops, 64 x 64, with their groups: the folders' names in lower case.

    Raises:
        DataError: There is no such folder, no picture in it, or one that is in no group's folder.
    """
    names = folder.pictures(path)
    alone = [name for name in names if "/" not in name]
    if alone:
        raise DataError(
            f"{path}: {alone[0]} is in no group; give each group a folder, as LF, LM, DF and DM"
        )
    files = tuple(path / name for name in names)
    groups = tuple(name.split("/")[0].lower().replace(" ", "_") for name in names)
    return Photographs(
        names, groups, lambda index: framing.resized(folder.read_picture(files[index])), files
    )
