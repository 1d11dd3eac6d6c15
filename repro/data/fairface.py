"""FairFace's folder: ``fairface_label_val.csv`` beside ``val/``, and the same for ``train``.

Its columns are file, age, gender, race and service_test. Race labels are no skin types: they say
what annotators took a person for, and either kind of label has its own errors.
"""

from pathlib import Path

from repro.data import folder, rows
from repro.data.sets import Photographs
from repro.errors import DataError


def table(path: Path, part: str) -> Path:
    """Where the labels of a part are."""
    return path / f"fairface_label_{part}.csv"


def read(path: Path, *, part: str, groups: tuple[str, ...]) -> Photographs:
    """The faces of a part with their groups.

    Args:
        path: Folder that holds the labels and the parts' folders.
        part: ``val`` or ``train``.
        groups: Columns whose values, joined, name a face's group: ``east_asian_female``.

    Raises:
        DataError: A file or a column is missing, a row has no picture or no group, or a picture
            has no row.
    """
    labels = table(path, part)
    found: dict[str, str] = {}
    for line, row in rows.read(labels, ("file", *groups)):
        name, where = row["file"], f"{labels}:{line}"
        group = rows.group(row, where, groups)
        rows.picture(name, where, path)
        if not name.startswith(f"{part}/"):
            raise DataError(f"{where}: {name} is not in {part}/; give each part its own table")
        if name in found:
            raise DataError(f"{where}: {name} stands in two rows; remove one")
        found[name] = group
    if not found:
        raise DataError(f"{labels}: no row below the header")
    strays = [name for name in folder.pictures(path / part) if f"{part}/{name}" not in found]
    if strays:
        raise DataError(
            f"{labels}: no row for {strays[0]}, which is one of {len(strays):,} such pictures; "
            f"complete the table, or take them out of {part}/"
        )
    return folder.photographs(path, tuple(found), tuple(found.values()))
