"""Columns that are aligned by blanks, as programs print them -> their lines.

Cells are two blanks or more apart. A table ends where a line has one cell alone; that line is the
caption of the next table.
"""

import re
from collections.abc import Iterator, Sequence

from repro.analysis.audit.reading.block import Block, Lines, are_plain
from repro.analysis.audit.reading.cell_text import is_number
from repro.analysis.audit.reading.problems import Problems

_GAP = re.compile(r"[ \u00a0]{2,}|\t+")
_DRAWN = frozenset("-=_─━═+ ")


def holds_one(text: str) -> bool:
    """Whether two lines in a row have as many cells, and the second one a number."""
    above = 0
    for line in text.splitlines():
        if _is_drawn(line):
            continue
        cells = _GAP.split(line.strip())
        if len(cells) > 1 and len(cells) - above in (0, 1) and any(map(is_number, cells)):
            return True
        above = len(cells) if len(cells) > 1 else 0
    return False


def read(text: str, problems: Problems) -> Iterator[Block]:
    """The tables of a file, each with the line above it as its caption."""
    caption, rows = "", Lines()
    for number, line in enumerate(text.splitlines(), start=1):
        cells = tuple(_GAP.split(line.strip()))
        if not line.strip() or _is_drawn(line):
            continue
        if len(cells) > 1:
            head = ("", *cells) if not rows and line[:2].isspace() else cells
            rows.append((number, head))
            continue
        if len(rows) > 1:
            yield from _block(caption, rows, problems)
        caption, rows = line.strip(" -=#*:\t"), Lines()
    if len(rows) > 1:
        yield from _block(caption, rows, problems)


def _is_drawn(line: str) -> bool:
    """Whether a line only separates others."""
    return len(line.strip()) > 2 and set(line) <= _DRAWN


def _block(caption: str, rows: Lines, problems: Problems) -> Iterator[Block]:
    (line, header), *body = rows
    if not header[0] and all(len(cells) < len(header) for _, cells in body):
        header = header[1:]  # the whole table is indented
    own = problems.apart()
    for number, cells in rows:
        are_plain(number, cells, own)
    _check_widths(header, body, own)
    yield Block(caption, [(line, header), *body], found=own.found)


def _check_widths(header: Sequence[str], body: Lines, problems: Problems) -> None:
    for line, cells in body:
        if len(cells) != len(header):
            problems.report(
                line,
                f"{len(cells)} cells two blanks apart, but the header has {len(header)} columns: "
                "write - where there is no result",
            )
