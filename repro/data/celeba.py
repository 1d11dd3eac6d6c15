"""CelebA: aligned pictures, or pictures as found with a box around the face.

The layout is torchvision's: a folder ``celeba`` with ``img_align_celeba/`` and the lists; pictures
as found lie in ``img_celeba/``. The folders of the distribution (``Anno``, ``Eval``, ``Img``) will
do as well. Lists are separated by spaces; all but the partition begin with their length, and all
but the partition and the identities have a line of headers.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from repro.data.raw import Box, Picture, Raw
from repro.errors import DataError

PLACES = ("celeba", ".", "Anno", "Eval", "Img")
PARTITION, BOXES = "list_eval_partition.txt", "list_bbox_celeba.txt"
ATTRIBUTES = "list_attr_celeba.txt"
ALIGNED, FOUND = "img_align_celeba", "img_celeba"
MOST_BYTES = 2**27  # of a list; the longest, of attributes, has 27,000,000


def read(path: Path, *, framing: Literal["box", "aligned"], part: Literal["train", "all"]) -> Raw:
    """The faces of a part, each with its square and CelebA's own word for its gender.

    Args:
        path: The folder that holds ``celeba``, or that folder.
        framing: Square around the box of a picture as found, or middle of an aligned picture.
        part: The training part of CelebA's partition, or all.

    Raises:
        DataError: A list or the pictures' folder is missing, or a list is of another form.
    """
    pictures = _find(path, FOUND if framing == "box" else ALIGNED)
    names = _part(_find(path, PARTITION), part)
    boxes = _boxes(_find(path, BOXES)) if framing == "box" else {}
    genders = _genders(path)
    kept, left_out = [], Counter[str]()
    for name in names:
        box = boxes.get(name)
        if framing == "box" and box is None:
            raise DataError(f"{_find(path, BOXES)}: no row for {name}; copy the list again")
        if box is not None and min(box[2:]) <= 0:
            left_out["box of no size"] += 1
        else:
            kept.append(Picture(pictures / name, name, 1, genders.get(name, ""), box))
    return Raw("celeba" if framing == "box" else "celeba-aligned", tuple(kept), left_out)


def _find(path: Path, name: str) -> Path:
    places = [path / place / name for place in PLACES]
    for place in places:
        if place.exists():
            return place
    raise DataError(
        f"{path}: there is no {name}, in it or in {', '.join(p for p in PLACES if p != '.')}; "
        "`repro data fetch celeba` says where to ask for it"
    )


def _part(table: Path, part: str) -> list[str]:
    """Names in the order of the list; 0 is for training."""
    rows = [(where, cells) for where, cells in _rows(table, 2)]
    names = [cells[0] for _, cells in rows if part == "all" or cells[1] == "0"]
    for where, (_, number) in rows:
        if number not in ("0", "1", "2"):
            raise DataError(f"{where}: {number!r} is no part; 0 trains, 1 validates, 2 tests")
    for name in names:
        if Path(name).name != name:
            raise DataError(f"{table}: {ascii(name)[:200]} is no name of a picture")
    return sorted(set(names))


def _boxes(table: Path) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    for where, (name, *cells) in _rows(table, 5, headed=True):
        try:
            left, top, width, height = (int(cell) for cell in cells)
        except ValueError:
            raise DataError(f"{where}: a box is four whole numbers, not {cells}") from None
        boxes[name] = (left, top, width, height)
    return boxes


def _genders(path: Path) -> dict[str, str]:
    """CelebA's attribute ``Male``, where its list is there."""
    try:
        table = _find(path, ATTRIBUTES)
    except DataError:
        return {}
    header = next(_lines(table, 1))[1].split()
    if "Male" not in header:
        raise DataError(f"{table}: no attribute Male in line 2; copy the list again")
    column = header.index("Male") + 1
    rows = _rows(table, len(header) + 1, headed=True)
    return {cells[0]: "male" if cells[column] == "1" else "female" for _, cells in rows}


def _rows(table: Path, columns: int, *, headed: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Place and cells of each row, after the length and the header of a headed list."""
    count = 0
    for number, line in _lines(table, 2 if headed else 0):
        cells = line.split()
        if not cells:
            continue
        count += 1
        if len(cells) != columns:
            raise DataError(f"{table}:{number}: {len(cells)} cells, not {columns}")
        yield f"{table}:{number}", cells
    if headed:
        said = next(_lines(table, 0), (1, ""))[1].strip()
        if said != str(count):
            raise DataError(f"{table}: {count:,} rows, but the first line says {said[:20]!r}")


def _lines(table: Path, start: int) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of each line from one on."""
    try:
        if not table.is_file() or table.stat().st_size > MOST_BYTES:
            raise DataError(f"{table}: is no ordinary file of a list; copy the list again")
        lines = table.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{table}: cannot be read as text in UTF-8 ({error})") from None
    if len(lines) <= start:
        raise DataError(f"{table}: {len(lines)} lines only; copy the list again")
    yield from enumerate(lines[start:], start + 1)
