"""CelebA: aligned pictures, or original pictures with a box around the face.

Two layouts are in use, and both are recognised. torchvision's: a folder ``celeba`` with
``img_align_celeba/``, original pictures in ``img_celeba/``, and lists ``list_*.txt``, separated by
blanks; the folders of the distribution (``Anno``, ``Eval``, ``Img``) work too. Kaggle's: lists
``list_*.csv``, separated by commas, and the pictures one folder deeper, in
``img_align_celeba/img_align_celeba/``.
Lists with blanks begin with their length and a header line, except the partition and the
identities, which have neither; lists with commas begin with a header line.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from repro.data.pictures import picture_files, picture_table
from repro.data.pictures.raw_pictures import Box, Picture, Raw
from repro.data.sources.source_registry import RawOptions, prepares, require_columns
from repro.errors import DataError
from repro.system import input_file

PLACES = ("celeba", ".", "Anno", "Eval", "Img")
PARTITION, BOXES, ATTRIBUTES = "list_eval_partition", "list_bbox_celeba", "list_attr_celeba"
SUFFIXES = (".txt", ".csv")
GENDER = "Male"  # the attribute that makes the groups by default
ALIGNED, FOUND = "img_align_celeba", "img_celeba"
MOST_BYTES = 2**27  # of a list; the longest one, of attributes, has 27,000,000


class _List(NamedTuple):
    """The content of a list file.

    Attributes:
        table: Path of the file.
        header: Names of the columns after the first; empty for a list without a header line.
        rows: Position and cells of each row.
    """

    table: Path
    header: list[str]
    rows: list[tuple[str, list[str]]]


def read(
    path: Path,
    *,
    framing: Literal["box", "aligned"],
    part: Literal["train", "all"],
    groups: tuple[str, ...] = (),
) -> Raw:
    """The faces of a part, each with its square and its group.

    Args:
        path: The folder that contains ``celeba``, or that folder.
        framing: Square around the box of an original picture, or middle of an aligned picture.
        part: The training part of CelebA's partition, or all.
        groups: Attributes that make the groups: ``smiling_male``, ``not_smiling_female``; if none,
            gender, where the list of attributes exists.

    Raises:
        DataError: Lists or the pictures' folder are missing, a list has another format, or CelebA
            has no such attribute.
    """
    needed = (FOUND, PARTITION, BOXES) if framing == "box" else (ALIGNED, PARTITION)
    pictures, partition, *more = _required(path, needed)
    boxes = _boxes(_read(more[0])) if framing == "box" else {}
    named = _groups(path, groups)
    kept, left_out = [], Counter[str]()
    for name in _part(_read(partition), part):
        box = boxes.get(name)
        if framing == "box" and box is None:
            raise DataError(f"{more[0]}: no row for {name}; copy the list again")
        if box is not None and min(box[2:]) <= 0:
            left_out["empty box"] += 1
        else:
            if groups and name not in named:
                raise DataError(f"{_attributes(path)}: no row for {name}; copy the list again")
            kept.append(Picture(pictures / name, name, 1, named.get(name, ""), box))
    return Raw("celeba" if framing == "box" else "celeba-aligned", tuple(kept), left_out)


def _required(path: Path, needed: tuple[str, ...]) -> list[Path]:
    """The path of each name; the error lists all missing names."""
    places = {name: _found(path, name) for name in needed}
    missing = [name for name, place in places.items() if place is None]
    if not missing:
        return [place for place in places.values() if place is not None]
    said = [f"{n}/" if n in (FOUND, ALIGNED) else f"{n}.txt or .csv" for n in missing]
    hint = "`repro data fetch celeba` says where to ask for it"
    if FOUND in missing and _found(path, ALIGNED) is not None:
        hint = (
            f"there are aligned pictures, in {ALIGNED}/: use celeba-aligned:DIR for them (boxes "
            "are of the pictures as found)"
        )
    raise DataError(
        f"{path}: there is no {' and no '.join(said)}, in it or in "
        f"{', '.join(p for p in PLACES if p != '.')}; {hint}"
    )


def _found(path: Path, name: str) -> Path | None:
    """The path of a list or folder of pictures in any layout; None if there is none."""
    for place in (path / place / name for place in PLACES):
        if name in (FOUND, ALIGNED):
            for folder in (place / name, place):
                if folder.is_dir():
                    return folder
        for suffix in SUFFIXES:
            if place.with_name(name + suffix).exists():
                return place.with_name(name + suffix)
    return None


def _part(listed: _List, part: str) -> list[str]:
    """Names of the part's pictures in order; 0 is for training."""
    names = []
    for where, cells in _of_width(listed, 2):
        name, number = cells
        if number not in ("0", "1", "2"):
            raise DataError(
                f"{where}: {number!r} is not a part; 0 is training, 1 validation, 2 test"
            )
        if Path(name).name != name:
            raise DataError(f"{where}: {ascii(name)[:200]} is not a file name of a picture")
        if part == "all" or number == "0":
            names.append(name)
    return sorted(set(names))


def _boxes(listed: _List) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    for where, (name, *cells) in _of_width(listed, 5):
        try:
            left, top, width, height = (int(cell) for cell in cells)
        except ValueError:
            raise DataError(f"{where}: a box is four whole numbers, not {cells}") from None
        boxes[name] = (left, top, width, height)
    return boxes


def _groups(path: Path, asked: tuple[str, ...]) -> dict[str, str]:
    """The group of each picture by attributes; by gender, if its list exists, where none is asked.

    Values of attributes other than ``Male`` are ``smiling`` and ``not_smiling``.
    """
    table = _found(path, ATTRIBUTES)
    if table is None and not asked:
        return {}
    listed = _read(_attributes(path))
    columns = asked or (GENDER,)
    require_columns(columns, listed.header, listed.table)
    names = picture_table.GroupNames(columns)
    places = [(name, 1 + listed.header.index(name)) for name in columns]
    return {
        cells[0]: names.of({name: _word(name, cells[at], where) for name, at in places}, where)
        for where, cells in _of_width(listed, len(listed.header) + 1)
    }


def _attributes(path: Path) -> Path:
    """The list of attributes, which must exist."""
    return _required(path, (ATTRIBUTES,))[0]


def _word(attribute: str, cell: str, where: str) -> str:
    """What a cell says of a face."""
    if cell not in ("1", "-1", "0"):
        said = picture_files.shown(cell)[:50]
        raise DataError(f"{where}: {said!r} is no value of {attribute}; 1 is yes, and -1 is no")
    yes, no = ("male", "female") if attribute == GENDER else (attribute, f"not {attribute}")
    return yes if cell == "1" else no


def _of_width(listed: _List, columns: int) -> Iterator[tuple[str, list[str]]]:
    for where, cells in listed.rows:
        if len(cells) != columns:
            raise DataError(f"{where}: {len(cells)} cells, not {columns}")
        yield where, cells


def _read(table: Path) -> _List:
    """A list in either format; its first line has commas, a length, or neither."""
    lines = _lines(table)
    if not lines:
        raise DataError(f"{table}: is empty; copy the list again")
    first = lines[0][1]
    if "," in first:
        parted = [(where, _cells(line)) for where, line in lines]
        headed = "." not in parted[0][1][0]  # otherwise it is the name of a picture
        return _List(table, parted[0][1][1:] if headed else [], parted[headed:])
    rows = [(where, line.split()) for where, line in lines]
    if len(rows[0][1]) > 1:
        return _List(table, [], rows)
    if len(rows) < 3:
        raise DataError(f"{table}: {len(rows)} lines only; copy the list again")
    said, header, body = rows[0][1][0], rows[1][1], rows[2:]
    if said != str(len(body)):
        raise DataError(f"{table}: {len(body):,} rows, but the first line says {said[:20]!r}")
    # The header of the attributes does not name the first column; that of the boxes does.
    return _List(table, header if len(header) < len(body[0][1]) else header[1:], body)


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(",")]


def _lines(table: Path) -> list[tuple[str, str]]:
    """Position and text of each line that is not blank."""
    try:
        text = input_file.read_text(table, most_bytes=MOST_BYTES, encoding="utf-8-sig")
        lines = text.splitlines()
    except (input_file.NotAFile, input_file.TooLarge) as error:
        raise DataError(f"{table}: {error.strerror}; copy the list again") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{table}: cannot be read as text in UTF-8 ({error})") from None
    return [(f"{table}:{n}", line) for n, line in enumerate(lines, 1) if line.strip(" \t,")]


@prepares("celeba", catalogued="celeba")
def as_found(path: Path, options: RawOptions) -> Raw:
    """Squares around the boxes of original pictures."""
    return read(path, framing="box", part=options.part, groups=options.groups)


@prepares("celeba-aligned", catalogued="celeba")
def aligned(path: Path, options: RawOptions) -> Raw:
    """The middles of aligned pictures."""
    return read(path, framing="aligned", part=options.part, groups=options.groups)
