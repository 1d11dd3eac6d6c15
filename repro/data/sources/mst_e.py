"""MST-E (Google and TONL 2023): about 19 persons, each of one of the ten Monk skin tones.

A row of the table is a picture or a video of a person. Videos are left out. Tones 7 and 10 have one
person each, so that there tone and person cannot be told apart.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from repro.data.pictures import bands, picture_files, picture_formats, picture_table
from repro.data.pictures.collection import FACE
from repro.data.pictures.content_digest import NamedFiles
from repro.data.pictures.images import Photographs
from repro.data.sources.source_registry import Reader, reads
from repro.errors import DataError
from repro.study.data_spec import MstE

METADATA = "mst-e_image_details.csv"
SUBJECT, PICTURE, TONE, POSE = "subject_name", "image_ID", "MST", "pose"
SKIN = "skin"  # the band of the tone
VIDEO = "video"
VIDEOS = (".mp4", ".mov", ".avi", ".m4v", ".mkv", ".webm")
TONES = range(1, 11)


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows that are portraits.

    Attributes:
        names: Of the portraits.
        groups: Of the portraits.
        columns: Their cells, by column.
        left_out: Number of rows of other files, by what they are.
    """

    names: dict[str, None] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    left_out: Counter[str] = field(default_factory=Counter)


def root_of(path: Path) -> Path:
    """The folder of the table: the path itself, or ``mst-e_data`` in it."""
    inside = path / "mst-e_data"
    return path if (path / METADATA).exists() or not inside.is_dir() else inside


def read(spec: MstE) -> _Found:
    """The portraits of a specification, without their pictures.

    Raises:
        DataError: The table, a column or a picture is missing, a tone is not one of the ten, or a
            picture is in two rows.
    """
    root = root_of(Path(spec.path))
    table = root / METADATA
    bands.require_increasing(spec.tone_bands, "tone_bands")
    header = picture_table.header(table, _asked(spec))
    columns = picture_table.columns(table, (SUBJECT, PICTURE, TONE))
    lines = [line for line, _ in picture_table.read(table, (PICTURE,))]
    there = {name.lower(): name for name in picture_files.pictures(root)}
    mistakes = picture_table.Mistakes(table)
    names = picture_table.GroupNames(spec.groups)
    found = _Found()
    written = {column: header.written[place] for column, place in header.places.items()}
    for place, line in enumerate(lines):
        row = {name: cells[place] for name, cells in columns.items()}
        with mistakes.gathered():
            asked = {column: row[name] for column, name in written.items()}
            _add(found, row, asked, names, there, f"{table}:{line}", spec)
    mistakes.tell()
    if not found.names:
        raise DataError(f"{table}: no row of a picture below the header")
    return found


def _asked(spec: MstE) -> tuple[str, ...]:
    return (SUBJECT, PICTURE, TONE, *(column for column in spec.groups if column != SKIN))


def _add(
    found: _Found,
    row: Mapping[str, str],
    asked: Mapping[str, str],
    names: picture_table.GroupNames,
    there: Mapping[str, str],
    where: str,
    spec: MstE,
) -> None:
    """Note the portrait of a row, or what it is instead."""
    subject, picture = asked[SUBJECT], asked[PICTURE]
    suffix = Path(picture).suffix.lower()
    pose = next((cell for name, cell in row.items() if name.lower() == POSE), "")
    if suffix in VIDEOS or pose.lower() == VIDEO:
        found.left_out["a video"] += 1
        return
    if suffix not in picture_formats.suffixes():
        found.left_out[f"a file {suffix or 'without suffix'}, which is not read"] += 1
        return
    tone = _tone(asked[TONE], where)
    name = there.get(f"{subject}/{picture}".lower())
    if name is None:
        raise DataError(f"{where}: no picture {subject}/{picture} for this row"[:4096])
    if name in found.names:
        raise DataError(f"{where}: {name} is in two rows; remove one")
    group = names.of({**asked, SKIN: bands.of_tone(tone, spec.tone_bands)}, where)
    found.names[name] = None
    found.groups.append(group)
    for column, cell in row.items():
        found.columns[column].append(cell)


def _tone(cell: str, where: str) -> int:
    """A tone of the Monk scale, whole even if a spreadsheet wrote ``4.0``."""
    text = cell.removesuffix(".0")
    if not text.isascii() or not text.isdecimal() or len(text) > 2 or int(text) not in TONES:
        said = picture_files.shown(cell)[:50]
        raise DataError(f"{where}: {said!r} is no Monk skin tone; these are 1 to 10")
    return int(text)


@reads(MstE)
class MstEReader(Reader[MstE]):
    """MST-E as test portraits."""

    kind = "mst_e"
    rank = 1
    label = FACE
    cluster = SUBJECT
    tone = TONE

    def open(self, spec: MstE) -> Photographs:
        """The pictures with their groups."""
        found = read(spec)
        return picture_files.photographs(
            root_of(Path(spec.path)), tuple(found.names), tuple(found.groups)
        )

    def attributes(self, spec: MstE) -> Mapping[str, tuple[str, ...]]:
        """All columns of the table; a tone is 1, the lightest, to 10."""
        return {name: tuple(cells) for name, cells in read(spec).columns.items()}

    def files(self, spec: MstE) -> NamedFiles:
        """The table, and the pictures of its rows."""
        root = root_of(Path(spec.path))
        return [(METADATA, root / METADATA), *((name, root / name) for name in read(spec).names)]

    def remarks(self, spec: MstE) -> tuple[str, ...]:
        """What is left out, and tones of a single person."""
        return tuple(_remarks(spec, read(spec)))

    def fits(self, path: Path) -> bool:
        """Whether the table exists."""
        return (root_of(path) / METADATA).exists()


def _remarks(spec: MstE, found: _Found) -> Iterator[str]:
    for what, count in found.left_out.items():
        yield f"{spec.path}: rows left out because they name {what}: {count:,}"
    low = {name.lower(): cells for name, cells in found.columns.items()}
    persons: dict[int, set[str]] = {}
    for tone, person in zip(low[TONE.lower()], low[SUBJECT], strict=True):
        persons.setdefault(_tone(tone, spec.path), set()).add(person)
    alone = [str(tone) for tone in sorted(persons) if len(persons[tone]) == 1]
    if alone:
        *others, last = alone
        which = f"tones {', '.join(others)} and {last} have each" if others else f"tone {last} has"
        yield (
            f"{spec.path}: {which} one person alone: what is found there may be due to the person "
            "as well as to the tone"
        )
