"""Read a user's CSV into lines and cells, however a spreadsheet saved it.

Separators are commas, or semicolons or tabs if the first line has these and no comma, or declares
one (``sep=;``). Text is UTF-8, with or without a byte order mark, or UTF-16 with one. Blanks around
cells, blank rows and empty columns at the right are dropped. A file may be hostile: no more of it
is read than a limit.
"""

import csv
import functools
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from repro.system import file_digests, input_file

if TYPE_CHECKING:
    import _csv

SHORT = 2_000  # characters of a cell that `columns` keeps
LONGEST = 2**24  # characters of a cell, and bytes of a line, that `columns` reads
SEPARATORS = ",;\t"
_SAID = re.compile(r"sep=(.) *(\r\n|\r|\n)", re.IGNORECASE)  # Excel's own first line
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


_FORMULA = re.compile(r"[\s']*[=+\-@＝＋－＠\t\r]")


def as_text(cell: str) -> str:
    """A cell of text that no spreadsheet computes: what begins like a formula gets a ``'``."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def as_meant(cell: str) -> str:
    """The text of a cell that `as_text` may have written."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


class NotCsv(ValueError):
    """A file is not a valid CSV; the text says why.

    Attributes:
        line: Line number, from 1; 0 for the whole file.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        """A problem of the whole file, or of a line."""
        super().__init__(message)
        self.line = line


def read(path: Path, *, most_bytes: int) -> Iterator[tuple[int, list[str]]]:
    """Line number, from 1, and cells of each line that is not blank; the header comes first.

    Args:
        path: The file.
        most_bytes: The limit.

    Yields:
        Every line has at least as many cells as the header; cells beyond the header only if they
        are not empty.

    Raises:
        NotCsv: It is not a regular file, too large, not text, or not a CSV.
    """
    text = read_text(path, most_bytes=most_bytes)
    separator, start = declared(text)
    width = 0
    for line, cells in split(text, separator or separator_of(text), start):
        if not width:
            while not cells[-1]:
                cells.pop()
            width = len(cells)
        while len(cells) > width and not cells[-1]:
            cells.pop()
        yield line, cells


@dataclass(frozen=True, slots=True)
class Columns:
    """The short columns of a table; one list of cells a column, one cell a row.

    Attributes:
        cells: By the name in the header.
        lines: Line number of each row, from 1.
        long: Names of the columns that were left out because a cell is long.
    """

    cells: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    long: tuple[str, ...]


def columns(path: Path) -> Columns:
    """The columns of a CSV that may be larger than memory; those with a long cell are left out.

    The text is UTF-8 with or without a byte order mark, separated by commas. It is read line by
    line, and kept for the next call as long as its content is the same.

    Args:
        path: The file; a cell may have up to `LONGEST` characters.

    Raises:
        NotCsv: It is not a regular file, not text or not a CSV, a row has too few or too many
            cells, or a name occurs twice in the header.
    """
    try:
        digest = file_digests.sha256(path)
        found = _columns(path, digest)
        file_digests.noted(path, digest)
    except (input_file.NotAFile, input_file.TooLarge) as error:
        raise NotCsv(str(error.strerror)) from None
    except OSError as error:
        raise NotCsv(f"cannot be read: {error.strerror}") from None
    return found


@functools.lru_cache(maxsize=2)
def _columns(path: Path, digest: bytes) -> Columns:
    """The columns of the content with this digest."""
    before = csv.field_size_limit(LONGEST)
    try:
        with file_digests.as_read() as seen:
            found = _gathered(csv.reader(_text(path), strict=True))
    finally:
        csv.field_size_limit(before)
    if [one.sha256 for one in seen] != [digest]:
        raise NotCsv("changed while it was read; run the command again")
    return found


def _gathered(reader: "_csv.Reader") -> Columns:
    """The short columns of all rows below the header."""
    rows = _rows(reader)
    line, header = next(rows, (1, []))
    if not header:
        raise NotCsv("is empty; the first line names the columns")
    if twice := [name for name in header if header.count(name) > 1]:
        raise NotCsv(f"more than one column {twice[0]!r}; keep one", line)
    kept: dict[int, list[str]] = {place: [] for place, name in enumerate(header) if name}
    lines = []
    for line, row in rows:
        if len(row) != len(header):
            what = f"{len(row)} cells, but the header has {len(header)} columns"
            raise NotCsv(what, line)
        lines.append(line)
        for place in [place for place in kept if len(row[place]) > SHORT]:
            del kept[place]
        for place, cells in kept.items():
            cells.append(row[place])
    long = (name for place, name in enumerate(header) if name and place not in kept)
    return Columns({header[place]: kept[place] for place in kept}, lines, tuple(long))


def _rows(reader: "_csv.Reader") -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each row that is not blank."""
    line = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise NotCsv(f"is not CSV: {error}", line) from None
    except UnicodeDecodeError:
        raise NotCsv("is not UTF-8: unpack the published table again", line) from None


def _text(path: Path) -> Iterator[str]:
    """The lines as text, without a byte order mark."""
    for number, line in enumerate(file_digests.lines(path, longest=LONGEST)):
        yield line.decode("utf-8" if number else "utf-8-sig")


def declared(text: str) -> tuple[str | None, int]:
    """The separator that Excel's own first line says (``sep=;``), and the first line after it."""
    said = _SAID.match(text)
    return (said[1] if said and said[1] in SEPARATORS else None), 2 if said else 1


def split(text: str, separator: str, start: int = 1) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each line from `start` on that is not blank.

    Raises:
        NotCsv: Its quotes do not close, or a cell is too long.
    """
    lines = io.StringIO(text, newline="")
    first = line = start
    for _ in range(start - 1):
        lines.readline()
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield line, stripped
            line = first + reader.line_num
    except csv.Error as error:
        raise NotCsv(f"is not CSV: {error}", line) from None


def separator_of(text: str) -> str:
    """A comma, unless the first line that is not blank contains only another separator."""
    body = text[said.end() :] if (said := _SAID.match(text)) else text
    header = next((line for line in io.StringIO(body, newline=None) if line.strip(" \r\n,;\t")), "")
    return next((mark for mark in SEPARATORS if mark in header), ",")


def read_text(path: Path, *, most_bytes: int) -> str:
    """The whole text of a file.

    Raises:
        NotCsv: It is not a regular file, too large, or not text.
    """
    try:
        content = file_digests.read(path, most_bytes=most_bytes + 1)
    except input_file.NotAFile as error:
        raise NotCsv(str(error.strerror)) from None
    except OSError as error:
        raise NotCsv(f"cannot be read: {error.strerror}") from None
    if len(content) > most_bytes:
        raise NotCsv(f"more than {most_bytes:,} bytes: leave rows out")
    try:
        return decoded(content)
    except UnicodeDecodeError as error:
        raise NotCsv(
            "is not UTF-8: save it as CSV in UTF-8 (in Excel: 'CSV UTF-8')",
            content.count(b"\n", 0, error.start) + 1,
        ) from None


def decoded(content: bytes, errors: str = "strict") -> str:
    """The text of a file, without a byte order mark; `errors` as for `bytes.decode`.

    Raises:
        UnicodeDecodeError: It is neither UTF-8 nor UTF-16 with a byte order mark.
    """
    return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig", errors)
