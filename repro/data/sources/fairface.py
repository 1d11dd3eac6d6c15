"""FairFace's folder: ``fairface_label_val.csv`` beside ``val/``, and the same for ``train``.

Its columns are file, age, gender, race and service_test. Race labels are not skin types: they
record how annotators perceived a person, and each kind of label has its own errors.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from repro.data.pictures import content_digest, picture_files, picture_table
from repro.data.pictures.collection import FACE, Collection
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs
from repro.data.pictures.raw_pictures import Picture, Raw
from repro.data.sources.source_registry import RawOptions, Reader, prepares, reads
from repro.errors import DataError
from repro.study.data_spec import FairFace

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "age": (
        *("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69"),
        "more than 70",
    ),
    "gender": ("Male", "Female"),
    "race": (
        *("White", "Black", "Indian", "East Asian", "Southeast Asian", "Middle Eastern"),
        "Latino_Hispanic",
    ),
}
# How spreadsheets rewrite 3-9 and 10-19: 9-Mar, Mar-09, 03-Sep, 2009-03-01, 3/9/2026.
_DATE = re.compile(
    r"\d{1,4}-[a-z]{3}|[a-z]{3}-\d{1,4}|\d{1,4}([-/.])\d{1,2}\1\d{1,4}", re.ASCII | re.IGNORECASE
)
MOST = 5  # values per message
PARTS = ("val", "train")


def table(path: Path, part: str) -> Path:
    """The path of the labels of a part."""
    return path / f"fairface_label_{part}.csv"


def read(
    path: Path,
    *,
    part: str,
    groups: tuple[str, ...],
    categories: Literal["known", "any"] = "known",
) -> Photographs:
    """The faces of a part with their groups.

    Args:
        path: Folder that contains the labels and the parts' folders.
        part: ``val`` or ``train``.
        groups: Columns whose values, joined, form a face's group: ``east_asian_female``.
        categories: Whether values of these columns must be among `CATEGORIES`.

    Raises:
        DataError: A file or a column is missing, a row has no picture or no group, a picture has no
            row, or an age, gender or race is not one of FairFace's.
    """
    labels = table(path, part)
    if categories == "known":
        for problem in unknown(path, part=part, columns=groups):
            raise DataError(problem)
    found: dict[str, str] = {}
    mistakes = picture_table.Mistakes(labels)
    names = picture_table.GroupNames(groups)
    for line, row in picture_table.read(labels, ("file", *groups)):
        name, where = row["file"], f"{labels}:{line}"
        with mistakes.gathered():
            group = names.of(row, where)
            picture_table.picture(name, where, path)
            if not name.startswith(f"{part}/"):
                raise DataError(f"{where}: {name} is not in {part}/; give each part its own table")
            if name in found:
                raise DataError(f"{where}: {name} is in two rows; remove one")
            found[name] = group
    mistakes.tell()
    if not found:
        raise DataError(f"{labels}: no row below the header")
    strays = [name for name in picture_files.pictures(path / part) if f"{part}/{name}" not in found]
    if strays:
        raise DataError(
            f"{labels}: no row for {strays[0]}, which is one of {len(strays):,} such pictures; "
            f"complete the table, or take them out of {part}/"
        )
    return picture_files.photographs(path, tuple(found), tuple(found.values()))


def unknown(
    path: Path, *, part: str, columns: tuple[str, ...] = tuple(CATEGORIES)
) -> tuple[str, ...]:
    """Values in the table that FairFace does not have, a sentence for each column.

    Args:
        path: Folder that contains the labels.
        part: ``val`` or ``train``.
        columns: Columns to check; others than age, gender and race may contain anything.

    Raises:
        DataError: There is no table, or it is not a CSV.
    """
    labels = table(path, part)
    asked = tuple(column for column in columns if column in CATEGORIES)
    known = {c: {_plain(value) for value in CATEGORIES[c]} for c in asked}
    counts: dict[str, Counter[str]] = {column: Counter() for column in asked}
    lines: dict[str, int] = {}  # line of the first such row, by column
    for line, row in picture_table.read(labels, ("file",), asked):
        for column in asked:
            if column in row and _plain(row[column]) not in known[column]:
                lines.setdefault(column, line)
                counts[column][row[column]] += 1
    return tuple(_sentence(labels, c, line, counts[c]) for c, line in lines.items())


def _plain(value: str) -> str:
    return value.strip().lower().replace(" ", "_")


def _sentence(labels: Path, column: str, line: int, counts: Counter[str]) -> str:
    values = ", ".join(
        f"{picture_files.shown(v)[:50]} ({n:,})" for v, n in counts.most_common(MOST)
    )
    more = ", ..." if len(counts) > MOST else ""
    advice = "correct the table"
    if column == "age" and any(map(_DATE.fullmatch, counts)):
        advice = (
            "a spreadsheet turned ages into dates (9-Mar of 3-9, 19-Oct of 10-19); unpack the "
            "published table again and do not save it from a spreadsheet"
        )
    rest = f"{counts.total():,} rows hold {values}{more}"
    return (
        f"{labels}:{line}: {rest} as {column}, which FairFace does not have; it "
        f"has {', '.join(CATEGORIES[column])}. {advice[0].upper()}{advice[1:]}"
    )


@prepares("fairface", catalogued="fairface")
def raw(path: Path, options: RawOptions) -> Raw:
    """The middles of the faces of ``train``, or of both parts."""
    groups = options.groups or FairFace(path=str(path)).groups
    parts = ("train",) if options.part == "train" else sorted(PARTS)
    read_parts = [read(path, part=part, groups=groups) for part in parts]
    pictures = tuple(
        Picture(file, name, 1, group)
        for found in read_parts
        for file, name, group in zip(found.files, found.names, found.groups, strict=True)
    )
    remarks = [remark for part in parts for remark in picture_files.remarks(path / part)]
    return Raw("fairface", pictures, remarks=tuple(remarks))


@reads(FairFace)
class FairFaceReader(Reader[FairFace]):
    """A part of FairFace as test portraits."""

    kind = "fairface"
    rank = 1
    label = FACE

    def open(self, spec: FairFace) -> Photographs:
        """The faces of the part with their groups."""
        return read(Path(spec.path), part=spec.part, groups=spec.groups)

    def files(self, spec: FairFace) -> NamedFiles:
        """The labels of the part, without their file name, and its pictures."""
        root = Path(spec.path)
        return [("", table(root, spec.part)), *content_digest.tree(root / spec.part)]

    def remarks(self, spec: FairFace) -> tuple[str, ...]:
        """Remarks about the part's folder."""
        return picture_files.remarks(Path(spec.path) / spec.part)

    def attributes(self, spec: FairFace) -> Mapping[str, tuple[str, ...]]:
        """All columns of the part's table."""
        return picture_table.columns(table(Path(spec.path), spec.part), ("file",))

    def fits(self, path: Path) -> bool:
        """Whether the labels of a part exist."""
        return any(table(path, part).exists() for part in PARTS)

    def look(self, path: Path, groups: tuple[str, ...]) -> Collection:
        """The first part that exists; values that FairFace does not have are reported."""
        part = "val" if table(path, "val").exists() else "train"
        spec = self.specification(path, groups, part=part)
        found = read(path, part=part, groups=spec.groups, categories="any")
        return self.collection(path, found, (*self.remarks(spec), *unknown(path, part=part)))
