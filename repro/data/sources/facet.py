"""FACET (Meta 2023): persons in pictures, by boxes around the whole person.

A picture may show several persons. A portrait here is the upper part of one person's box, because
a face anywhere in the picture would not be this person's. The ten Monk skin tones were told by
several annotators, whose votes are counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from repro.data.pictures import bands, picture_files, picture_table, regions
from repro.data.pictures.collection import FACE
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs
from repro.data.sources.source_registry import Reader, reads, require_columns
from repro.errors import DataError
from repro.study.data_spec import Facet

METADATA = Path("annotations") / "annotations.csv"
PERSON, PICTURE, BOX, VISIBLE = "person_id", "filename", "bounding_box", "visible_face"
TONES = range(1, 11)
VOTES = tuple(f"skin_tone_{tone}" for tone in TONES)
SKIN, TONE = "skin", "skin_tone"  # made of the votes: the band of the tone, and the tone
CHOICES = {  # columns that are made of columns of 0 and 1: how these begin
    "gender": "gender_presentation_",
    "age": "age_presentation_",
    "hair_color": "hair_color_",
    "hairtype": "hairtype_",
    "lighting": "lighting_",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """The persons that are portraits.

    Attributes:
        files: Relative name of the picture of each.
        names: Of the portraits: the picture and the person.
        groups: Of the portraits.
        boxes: Parts of the pictures.
        columns: Their cells, by column, and what is made of them.
        left_out: Number of persons that are left out, by reason.
    """

    files: list[str] = field(default_factory=list)
    names: dict[str, None] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    boxes: list[regions.Box] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def read(spec: Facet) -> _Found:
    """The portraits of a specification, without their pictures.

    Raises:
        DataError: The table, a column or a picture is missing, two pictures have one name, a box or
            a count is none, or a person is in two rows.
    """
    root = Path(spec.path)
    table = root / METADATA
    bands.require_increasing(spec.tone_bands, "tone_bands")
    columns = picture_table.wide(table, (PERSON, PICTURE, BOX, VISIBLE))
    require_columns(spec.groups, (SKIN, *CHOICES, *columns.cells), table)
    there = _pictures(root)
    mistakes = picture_table.Mistakes(table)
    names = picture_table.GroupNames(spec.groups)
    found = _Found(columns={name: [] for name in (*columns.cells, TONE, *CHOICES)})
    for place, line in enumerate(columns.lines):
        row = {name: cells[place] for name, cells in columns.cells.items()}
        with mistakes.gathered():
            _add(found, row, names, there, f"{table}:{line}", spec)
    mistakes.tell()
    if not found.names:
        raise DataError(f"{table}: no person with a visible face and a group")
    return found


def _pictures(root: Path) -> dict[str, str]:
    """The relative name of each picture by its file name, in whatever folder (``imgs_1``, ...)."""
    found: dict[str, str] = {}
    for name in picture_files.pictures(root):
        other = found.setdefault(Path(name).name, name)
        if other != name:
            raise DataError(f"{root}: {other} and {name} have one name; remove one")
    return found


def _add(
    found: _Found,
    row: Mapping[str, str],
    names: picture_table.GroupNames,
    there: Mapping[str, str],
    where: str,
    spec: Facet,
) -> None:
    """Note the portrait of a row, or why it is left out."""
    if not _count(row[VISIBLE], where, VISIBLE):
        found.left_out["whose face is not visible"] += 1
        return
    box = regions.part_of(regions.box_of(row[BOX], where), spec.part)
    if min(box.width, box.height) < spec.narrowest:
        found.left_out[f"whose part of the picture is below {spec.narrowest} pixels"] += 1
        return
    made = _made(row, where, spec)
    asked = {column: {**row, **made}[column] for column in spec.groups}
    if lacking := [column for column in spec.groups if not asked[column]]:
        found.left_out[f"without a value of {lacking[0]}"] += 1
        return
    file = there.get(row[PICTURE])
    if file is None:
        raise DataError(f"{where}: no picture {picture_files.shown(row[PICTURE])[:200]} in imgs_*/")
    name = f"{file}#{row[PERSON]}"
    picture_files.require_plain(name, where)
    if name in found.names:
        raise DataError(f"{where}: person {row[PERSON]} of {file} is in two rows; remove one")
    found.groups.append(names.of(asked, where))
    found.files.append(file)
    found.names[name] = None
    found.boxes.append(box)
    for column, cells in found.columns.items():
        cells.append({**row, **made}[column])


def _made(row: Mapping[str, str], where: str, spec: Facet) -> dict[str, str]:
    """What several columns of a row say together; "" where they say nothing."""
    votes = [_count(row[column], where, column) if column in row else 0 for column in VOTES]
    tone = tone_of(votes, spec.tone)
    words = {column: _word(row, start) for column, start in CHOICES.items()}
    if tone is None:
        return {**words, TONE: "", SKIN: ""}
    return {**words, TONE: f"{tone:.6g}", SKIN: bands.of_tone(tone, spec.tone_bands)}


def tone_of(votes: Sequence[int], by: str) -> float | None:
    """The skin tone of ten counts of votes; None if nobody voted.

    Args:
        votes: For the tones 1 to 10.
        by: ``mean`` of the votes; or ``mode``, the tone with most votes, and the mean of those
            tones if several have as many.
    """
    if not any(votes):
        return None
    if by == "mode":
        votes = [int(count == max(votes)) for count in votes]
    total = sum(tone * count for tone, count in zip(TONES, votes, strict=True))
    return total / sum(votes)


def _word(row: Mapping[str, str], start: str) -> str:
    """The end of the name of the only column that is 1; "" if none, ``na`` or several are."""
    chosen = [name for name, cell in row.items() if name.startswith(start) and cell in _YES]
    word = chosen[0].removeprefix(start) if len(chosen) == 1 else ""
    return "" if word == "na" else word


_YES = ("1", "1.0", "True", "true")
_NO = ("", "0", "0.0", "False", "false")


def _count(cell: str, where: str, column: str) -> int:
    if cell in _NO:
        return 0
    text = cell.removesuffix(".0")
    if cell in _YES or (text.isascii() and text.isdecimal() and len(text) < 4):
        return 1 if cell in _YES else int(text)
    raise DataError(f"{where}: {picture_files.shown(cell)[:50]!r} is no count for '{column}'")


@reads(Facet)
class FacetReader(Reader[Facet]):
    """FACET's persons as test portraits; those in one picture are a cluster."""

    kind = "facet"
    rank = 1
    label = FACE
    cluster = PICTURE
    tone = TONE

    def open(self, spec: Facet) -> Photographs:
        """The parts of the pictures with their groups."""
        found = read(spec)
        return regions.photographs(
            *(Path(spec.path), found.files),
            names=tuple(found.names),
            groups=found.groups,
            boxes=found.boxes,
        )

    def attributes(self, spec: Facet) -> Mapping[str, tuple[str, ...]]:
        """All columns, the tone from 1 (lightest) to 10, and words made of columns of 0 and 1."""
        return {name: tuple(cells) for name, cells in read(spec).columns.items()}

    def files(self, spec: Facet) -> NamedFiles:
        """The table, and the pictures of its portraits."""
        root = Path(spec.path)
        pictures = dict.fromkeys(read(spec).files)
        named = [(name, root / name) for name in pictures]
        return [(METADATA.as_posix(), root / METADATA), *named]

    def remarks(self, spec: Facet) -> tuple[str, ...]:
        """Who is left out, and what the portraits are."""
        return tuple(_remarks(spec, read(spec)))

    def fits(self, path: Path) -> bool:
        """Whether the table exists."""
        return (path / METADATA).exists()


def _remarks(spec: Facet, found: _Found) -> Iterator[str]:
    for reason, count in found.left_out.items():
        who, verb = ("person", "is") if count == 1 else ("persons", "are")
        yield f"{spec.path}: {count:,} {who} {reason} {verb} left out"
    yield (
        f"{spec.path}: boxes are of persons and not of faces, and the publisher may have blurred "
        "the faces: look at some before you conclude (repro data info --sheet)"
    )
