"""FHIBE (Sony AI 2025): aligned faces, or the persons in its whole pictures.

The tables are large (0.5 GB of faces) because of keypoints and outlines, which are not read.
Pictures are withdrawn at any time: rows without a picture are left out, counted and named, and no
picture may be printed. A person has up to ten pictures.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from repro.data.pictures import bands, fhibe_answers, picture_files, picture_table, regions
from repro.data.pictures.collection import FACE
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs
from repro.data.sources.source_registry import Reader, reads, require_columns
from repro.errors import DataError
from repro.study.data_spec import Fhibe
from repro.system import csv_file

TABLES = {"faces": "fhibe_face_crop_align", "people": "fhibe_downsampled"}
SUBJECT, FILE, BOX, CONSENT = "subject_id", "filepath", "person_bbox", "consent"
FACE_BOX = "face_bbox"
TONE = "apparent_skin_color"
DERIVED = {"skin": TONE}  # column that is not in the table, and the one that it is made of
MOST = 5  # names per remark
_VERSION = re.compile(r"fhibe\.(\d{8}\.[\w.]+?)(?:_[a-z]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows of a table that are portraits.

    Attributes:
        rows: Positions in the table.
        names: Of the portraits.
        groups: Of the portraits.
        withdrawn: Names of those whose picture is not there.
        others: Numbers of those that are left out for another reason.
        columns: Those of the table.
    """

    columns: csv_file.Columns
    rows: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def of(self, column: str) -> list[str]:
        """The cells of the portraits."""
        cells = self.columns.cells[column]
        return [cells[row] for row in self.rows]


def root_of(path: Path) -> Path:
    """The unpacked folder, which holds ``data/``: the path itself or the only one in it."""
    if not (path / "data").is_dir() and path.is_dir():
        inside = [one for one in sorted(path.glob("fhibe*")) if (one / "data").is_dir()]
        if len(inside) == 1:
            return inside[0]
    return path


def table_of(root: Path, pictures: str) -> Path:
    """The path of a table in an unpacked folder."""
    name = TABLES[pictures]
    return root / "data" / "processed" / name / f"{name}.csv"


def version_of(root: Path) -> str:
    """The version in the folder's name, as ``20250716.u.gT5_rFTA``; "" if it has none."""
    for name in (root.name, root.resolve().name):
        if said := _VERSION.fullmatch(name):
            return said[1]
    return ""


def read(spec: Fhibe) -> _Found:
    """The portraits of a specification, without their pictures.

    Raises:
        DataError: A table or a column is missing, no picture is there, a row is twice in the table,
            or a value is not one of FHIBE's.
    """
    root = root_of(Path(spec.path))
    table = table_of(root, spec.pictures)
    bands.require_increasing(spec.age_bands, "age_bands")
    found = _Found(_columns(table, spec))
    mistakes = picture_table.Mistakes(table)
    names = picture_table.GroupNames(spec.groups)
    known: dict[str, int] = {}
    for row, line in enumerate(found.columns.lines):
        where = f"{table}:{line}"
        with mistakes.gathered():
            name = _name(found.columns, row, where, spec)
            if known.setdefault(name, line) != line:
                raise DataError(f"{where}: {name} is in two rows, first in {known[name]}")
            group = _unfit(found.columns, row, spec) or _group(found, row, where, spec)
            if not picture_files.is_picture(root / found.columns.cells[FILE][row]):
                found.withdrawn.append(name)
            elif isinstance(group, str):
                found.others[group] += 1
            else:
                found.rows.append(row)
                found.names.append(name)
                found.groups.append(names.of(group, where))
    mistakes.tell()
    if not found.rows:
        gone = f"{len(found.withdrawn):,} of {len(found.columns.lines):,} pictures are not there"
        raise DataError(f"{table}: no portrait to test on; {gone} (they begin at {root})")
    return found


def _columns(table: Path, spec: Fhibe) -> csv_file.Columns:
    if not table.is_file():
        raise DataError(
            f"{table}: file not found, so this is not a folder of FHIBE's with "
            f"data/processed/{TABLES[spec.pictures]}/; unpack fhibe.VERSION_downsampled_public.tar "
            "and give its folder"
        )
    boxes = (BOX,) if spec.pictures == "people" else ()
    found = picture_table.wide(table, (FILE, SUBJECT, *boxes))
    require_columns(spec.groups, (*DERIVED, *found.cells), table)
    return found


def _name(columns: csv_file.Columns, row: int, where: str, spec: Fhibe) -> str:
    """The name of a portrait: its file's, and in a whole picture the person's."""
    file, subject = columns.cells[FILE][row], columns.cells[SUBJECT][row]
    picture_files.require_plain(f"{file}{subject}", f"{where}: {file[:200]}")
    if not subject:
        raise DataError(f"{where}: no value in column '{SUBJECT}'")
    path = Path(file)
    if path.is_absolute() or ".." in path.parts or path.as_posix() != file or file == ".":
        raise DataError(f"{where}: {file[:200]!r} is no file in the unpacked folder")
    return f"{file}#{subject}" if spec.pictures == "people" else file


def _group(found: _Found, row: int, where: str, spec: Fhibe) -> dict[str, str] | str:
    """The word of each column that makes the group, or why the portrait has none."""
    values: dict[str, str] = {}
    for column in spec.groups:
        source = DERIVED.get(column, column)
        if source not in found.columns.cells:
            raise DataError(f"{where}: no column {source!r} to make {column!r} of")
        cell = found.columns.cells[source][row]
        if column == "age":
            words = _band(cell, where, spec)
        else:
            words = fhibe_answers.words(column, cell, where)
        if not words:
            return f"without a value of {column}"
        word = fhibe_answers.chosen(words, spec.several)
        if word is None:
            return f"with several values of {column}"
        values[column] = word
    return values


def _band(cell: str, where: str, spec: Fhibe) -> tuple[str, ...]:
    if not cell:
        return ()
    if not (cell.isascii() and cell.isdecimal() and len(cell) <= 3):
        said = picture_files.shown(cell)[:50]
        raise DataError(f"{where}: {said!r} is no age in whole years")
    return (bands.of_age(int(cell), spec.age_bands),)


def _unfit(columns: csv_file.Columns, row: int, spec: Fhibe) -> str:
    """Why a row is no portrait; "" if it is one."""
    consent = columns.cells.get(CONSENT)
    if consent is not None and consent[row].lower() not in ("", "true"):
        return "without consent"
    face = columns.cells.get(FACE_BOX) if spec.pictures == "people" else None
    return "without a face" if face is not None and face[row] in ("", "[]") else ""


@reads(Fhibe)
class FhibeReader(Reader[Fhibe]):
    """FHIBE as test portraits."""

    kind = "fhibe"
    rank = 1
    label = FACE
    cluster = SUBJECT
    tone = TONE
    may_be_shown = False

    def open(self, spec: Fhibe) -> Photographs:
        """The portraits with their groups."""
        found, root = read(spec), root_of(Path(spec.path))
        if spec.pictures == "faces":
            return picture_files.photographs(root, tuple(found.names), tuple(found.groups))
        table = table_of(root, spec.pictures)
        places = zip(found.rows, found.of(BOX), strict=True)
        boxes = [
            regions.box_of(cell, f"{table}:{found.columns.lines[row]}") for row, cell in places
        ]
        return regions.photographs(
            *(root, found.of(FILE)),
            names=found.names,
            groups=found.groups,
            boxes=[regions.part_of(box, "upper") for box in boxes],
        )

    def attributes(self, spec: Fhibe) -> Mapping[str, tuple[str, ...]]:
        """All short columns; skin colours as tones, 1 (darkest) to 6 (lightest); countries mended.

        A skin colour that is none of FHIBE's is told as unknown.
        """
        found = read(spec)
        told = {column: tuple(found.of(column)) for column in found.columns.cells}
        for column in fhibe_answers.SKINS:
            if column in told:
                tones = (fhibe_answers.tone_of(cell, spec.path) for cell in told[column])
                told[column] = tuple("" if one is None else str(one) for one in tones)
        if "location_country" in told:
            told["location_country"] = tuple(map(fhibe_answers.country, told["location_country"]))
        return told

    def are_crops(self, spec: Fhibe) -> bool:
        """The aligned faces are."""
        return spec.pictures == "faces"

    def files(self, spec: Fhibe) -> NamedFiles:
        """The table, and the pictures of its portraits."""
        found, root = read(spec), root_of(Path(spec.path))
        table = table_of(root, spec.pictures)
        pictures = dict.fromkeys(found.of(FILE))
        return [(table.name, table), *((name, root / name) for name in pictures)]

    def withdrawn(self, spec: Fhibe) -> tuple[str, ...]:
        """The portraits of the table whose picture is not there."""
        return tuple(read(spec).withdrawn)

    def edition(self, spec: Fhibe) -> str:
        """The version, and how many pictures were gone."""
        found = read(spec)
        gone, total = len(found.withdrawn), len(found.columns.lines)
        said = version_of(root_of(Path(spec.path))) or "unknown"
        return f"version {said}, {gone:,} of {total:,} portraits withdrawn"

    def remarks(self, spec: Fhibe) -> tuple[str, ...]:
        """The version; what was withdrawn; how many others are left out, and why."""
        return tuple(_remarks(spec, read(spec)))

    def fits(self, path: Path) -> bool:
        """Whether one of the tables exists."""
        return any(table_of(root_of(path), one).exists() for one in TABLES)


def _remarks(spec: Fhibe, found: _Found) -> Iterator[str]:
    root, total = root_of(Path(spec.path)), len(found.columns.lines)
    said = version_of(root)
    yield f"{spec.path}: FHIBE {f'of version {said}' if said else 'of an unknown version'}" + (
        "" if said else ", as the folder has another name than fhibe.VERSION_downsampled_public"
    )
    if found.withdrawn:
        shown = ", ".join(found.withdrawn[:MOST])
        more = ", ..." if len(found.withdrawn) > MOST else ""
        yield (
            f"{spec.path}: {len(found.withdrawn):,} of {total:,} portraits are left out, as their "
            f"picture is not there (withdrawn, or not unpacked): {shown}{more}"
        )
    for reason, count in found.others.items():
        yield f"{spec.path}: {count:,} of {total:,} portraits {reason} are left out"
    for column in spec.groups:
        if several := _with_several(found, column, spec):
            yield (
                f"{spec.path}: {several:,} portraits have several values of {column}; "
                f"their group is by {_CHOICES[spec.several]} (several: {spec.several})"
            )


_CHOICES = {"first": "the first one", "set": "all of them together", "drop": "none"}


def _with_several(found: _Found, column: str, spec: Fhibe) -> int:
    """How many of the portraits have several values in a column that makes groups."""
    if column in (*DERIVED, "age"):
        return 0
    cells = found.of(column)
    return sum(len(fhibe_answers.words(column, cell, spec.path)) > 1 for cell in cells)
