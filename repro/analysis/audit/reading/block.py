"""Lines of cells as a format gives them -> a grid: headers joined, names carried down, checked."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import category

from repro.analysis.audit.reading.cell_text import has_value, is_number, marks_of
from repro.analysis.audit.reading.grid import DecimalMark, Grid, GridRow
from repro.analysis.audit.reading.problems import Problems, quoted
from repro.analysis.wording import count, joined
from repro.system.printing import one_line

MOST_TABLES = 200  # of a file
MOST_ROWS = 20_000
MOST_COLUMNS = 200
MOST_LETTERS = 200  # of a cell
MOST_MARKED = 2_000  # letters of a cell with its marks of Markdown or LaTeX
MOST_HEADERS = 3  # lines
ONE_COLUMN = "has one column: a table has a name and a number at least"
_MEASURED = re.compile(r"\d+[.,]\d+ *(±|\+/-|\().*|([2-9]|\d{2,3})[.,]\d+", re.ASCII)
_SIGNED = re.compile(  # a mark, words, or a number before more of them
    r"\+|-|\+ ?/ ?-|[+-]{1,3} ?[^\W\d][\w .,/%&-]*|[+-]\d+(\.\d+)?%? [\[(\d].*"
)

Lines = list[tuple[int, tuple[str, ...]]]  # numbers of lines in the file, from 1, and their cells


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one table, the header first.

    Attributes:
        caption: What stands above it.
        lines: Numbers of lines in the file, from 1, and their cells.
        description: What the file says beside the table.
        headers: Lines of the header, if the format tells.
        spans_told: Whether a name that spans columns stands in each of them; else in the first.
        found: Problems of its cells.
    """

    caption: str
    lines: Sequence[tuple[int, tuple[str, ...]]]
    description: Mapping[str, object] = field(default_factory=dict)
    headers: int = 1
    spans_told: bool = False
    found: Sequence[tuple[int, str]] = ()

    @property
    def holds_numbers(self) -> bool:
        """Whether a column holds numbers, and nothing else but marks for no result."""
        body = [cells for _, cells in self.lines[_header_lines(self) :]] if self.lines else []
        return any(
            any(map(is_number, column)) and all(map(has_value, filter(None, column)))
            for column in itertools.zip_longest(*body, fillvalue="")
        )


def grid_of(
    path: Path, form: str, block: Block, mark: DecimalMark | None, problems: Problems
) -> Grid | None:
    """The grid of a block; None if there are problems, which are reported."""
    if block.found:
        problems.found += block.found
        return None
    before = len(problems.found)
    depth = _header_lines(block)
    heads, body = block.lines[:depth], block.lines[depth:]
    line = heads[-1][0]
    if max(len(cells) for _, cells in heads) > MOST_COLUMNS:
        problems.report(line, f"more than {MOST_COLUMNS} columns")
        return None
    header, body = _without_empty_columns(
        _joined([cells for _, cells in heads], spans_told=block.spans_told), body
    )
    _check_header(header, line, problems)
    if len(header) < 2:
        problems.report(line, ONE_COLUMN)
    rows = _rows(header, body, problems)
    if not body and not problems.found:
        problems.report(line, "a header and no rows")
    if len(problems.found) > before or not rows:
        return None
    header, unnamed = _with_names(header, rows)
    rows, notes = _carried_down(header, rows)
    return Grid(
        path=path,
        form=form,
        caption=_shown(block.caption),
        line=line,
        header=header,
        rows=rows,
        description=block.description,
        decimal_mark=mark,
        notes=(*unnamed, *notes),
    )


def decimal_mark(blocks: Iterable[Block], problems: Problems) -> DecimalMark | None:
    """The decimal mark of the numbers of a file; None if none has one, or if they have two."""
    seen: dict[DecimalMark, tuple[int, str]] = {}
    for block in blocks:
        for line, cells in block.lines:
            for cell in cells:
                for mark in marks_of([cell]) if len(cell) <= MOST_LETTERS else ():
                    seen.setdefault(mark, (line, cell))
    if len(seen) > 1:
        (first, one), (later, other) = sorted(seen.values())
        where = f", but {quoted(one)} in line {first}" if first != later else f" and {quoted(one)}"
        problems.report(later, f"{quoted(other)}{where}: write decimal points in all")
    return next(iter(seen)) if len(seen) == 1 else None


def _shown(caption: str) -> str:
    """A caption that is safe to show, at most as long as a cell."""
    plain = one_line(" ".join(caption.split()))
    return plain if len(plain) <= MOST_LETTERS else f"{plain[: MOST_LETTERS - 1]}…"


# The header


def _header_lines(block: Block) -> int:
    """How many lines name the columns.

    More than one if names of the first span columns, and the next lines hold words alone.
    """
    lines, depth = block.lines, block.headers
    while depth < min(MOST_HEADERS, len(lines) - 1):
        names = _joined([cells for _, cells in lines[:depth]], spans_told=block.spans_told)
        below = lines[depth][1]
        if not any(below):
            break
        if _holds_results(below) or not (_is_open(names) or _names_index(names, below, depth)):
            break
        depth += 1
    return depth


def _holds_results(cells: Sequence[str]) -> bool:
    """Whether a line has numbers, or marks for no result alone after its name."""
    rest = [cell for cell in cells[1:] if cell]
    return any(map(is_number, cells)) or (bool(rest) and all(map(has_value, rest)))


def _names_index(names: Sequence[str], below: Sequence[str], depth: int) -> bool:
    """Whether a line only names the first columns, as pandas writes below two header rows."""
    named = [name for name, cell in zip(names, below, strict=False) if cell]
    return depth > 1 and bool(named) and not any(named)


def _is_open(names: Sequence[str]) -> bool:
    """Whether columns still lack a name of their own: after the first named one, or two alike."""
    named = list(names)
    while named and not named[0]:
        named.pop(0)
    return "" in named or len(set(named)) < len(named)


def _joined(heads: Sequence[Sequence[str]], *, spans_told: bool) -> tuple[str, ...]:
    """One name a column: what spans it, then its own."""
    width = max(map(len, heads))
    padded = [[*cells, *[""] * (width - len(cells))] for cells in heads]
    for upper, lower in () if spans_told else itertools.pairwise(padded):
        for at in range(1, width):
            if not upper[at] and upper[at - 1] and lower[at] and lower[at - 1]:
                upper[at] = upper[at - 1]
    names = []
    for parts in zip(*padded, strict=True):
        own = [part for part, after in zip(parts, [*parts[1:], None], strict=True) if part != after]
        names.append(" ".join(filter(None, own)))
    return tuple(names)


def _check_header(header: Sequence[str], line: int, problems: Problems) -> None:
    named = False
    for at, name in enumerate(header):
        named = named or bool(name)
        if not name and named:
            problems.report(line, f"column {at + 1} has no name in the header")
        elif name and header.index(name) < at:
            problems.report(line, "is twice in the header", name)
    if not named:
        problems.report(line, "the header names no column")
    elif sum(map(_is_measured, header)) > (len(header) - 1) / 2:
        number = next(filter(_is_measured, header))
        problems.report(
            line, f"{number!r} is a number, not the name of a column: write a line of names above"
        )


def _is_measured(name: str) -> bool:
    """Whether a name is a number with something after ±, or with decimals and more than one."""
    return bool(_MEASURED.fullmatch(name))


def _without_empty_columns(
    header: tuple[str, ...], lines: Sequence[tuple[int, tuple[str, ...]]]
) -> tuple[tuple[str, ...], Sequence[tuple[int, tuple[str, ...]]]]:
    """Without columns in which nothing at all is written."""
    kept = [
        at
        for at, name in enumerate(header)
        if name or any(any(cells[at : at + 1]) for _, cells in lines)
    ]
    if len(kept) == len(header):
        return header, lines
    beyond = len(header)
    return tuple(header[at] for at in kept), [
        (line, (*(cells[at] for at in kept if at < len(cells)), *cells[beyond:]))
        for line, cells in lines
    ]


def _with_names(
    header: tuple[str, ...], rows: Sequence[GridRow]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names for columns at the left that have none, and what they are called."""
    names, notes = list(header), []
    for at, name in enumerate(header):
        if name:
            continue
        numbers = any(is_number(row.cells[at]) for row in rows)
        stem = "index" if numbers else "name"
        free = (f"{stem} {number}" if number > 1 else stem for number in itertools.count(1))
        names[at] = next(one for one in free if one not in names)
        notes.append(f"column {at + 1} has no name: it is called '{names[at]}' here.")
    return tuple(names), tuple(notes)


# The rows


def _rows(
    header: Sequence[str], lines: Sequence[tuple[int, tuple[str, ...]]], problems: Problems
) -> tuple[GridRow, ...]:
    """Rows as wide as the header; others are reported."""
    rows = []
    width = len(header)
    for line, cells in lines:
        while len(cells) > width and not cells[-1]:
            cells = cells[:-1]
        if len(cells) == width:
            rows.append(GridRow(line, cells))
        else:
            problems.report(
                line, f"{count(len(cells), 'cell')}, but the header has {count(width, 'column')}"
            )
        if len(rows) > MOST_ROWS:
            problems.report(line, f"more than {MOST_ROWS:,} rows: leave some out")
            break
    return tuple(rows)


def _carried_down(
    header: Sequence[str], rows: tuple[GridRow, ...]
) -> tuple[tuple[GridRow, ...], tuple[str, ...]]:
    """The rows with names that are printed once for several rows, and what was filled in."""
    names = _name_columns(rows, len(header))
    filled: dict[int, list[int]] = {}
    found, above = [], [""] * names
    for row in rows:
        cells = list(row.cells)
        for at in range(names):
            if cells[at]:
                above[at:] = [cells[at], *[""] * (names - at - 1)]
            elif above[at] and _tells_rows_apart(cells[at + 1 :]):
                cells[at] = above[at]
                filled.setdefault(at, []).append(row.line)
        found.append(GridRow(row.line, tuple(cells)))
    notes = [_note(header[at], lines) for at, lines in sorted(filled.items())]
    return tuple(found), tuple(notes)


def _name_columns(rows: Sequence[GridRow], width: int) -> int:
    """How many columns at the left hold words alone, the first row among them."""
    for at in range(width):
        cells = [row.cells[at] for row in rows]
        if not cells[0] or any(map(is_number, cells)) or (at and all(map(has_value, cells))):
            return at
    return width


def _tells_rows_apart(cells: Sequence[str]) -> bool:
    """Whether a row without a name has another one, or the number of a run, before its values."""
    first = next(filter(None, cells), "")
    return not is_number(first) or first.isdecimal()


def _note(column: str, lines: Sequence[int]) -> str:
    numbers = [str(line) for line in lines[:3]]
    more = [f"{len(lines) - 3} more"] if len(lines) > 3 else []
    noun = "line" if len(lines) == 1 else "lines"
    where = f"{noun} {joined([*numbers, *more])}"
    return f"column '{column}' is empty in {where}: the name above was taken."


# Cells that are safe to show


def cells_within(line: int, cells: Sequence[str], problems: Problems) -> bool:
    """Whether cells are short enough to take their marks away; else reported."""
    longest = max(map(len, cells), default=0)
    if longest > MOST_MARKED:
        problems.report(
            line, f"a cell of {longest:,} characters: write {MOST_MARKED:,} at most with its marks"
        )
    return longest <= MOST_MARKED


def are_plain(line: int, cells: Sequence[str], problems: Problems) -> bool:
    """Whether cells are safe to show in tables and to open in other programs; else reported."""
    for cell in cells:
        if len(cell) > MOST_LETTERS:
            problem = f"a cell of {len(cell):,} characters: write {MOST_LETTERS} at most"
        elif not cell.isprintable() and any(map(_hides, cell)):
            problem = f"{quoted(cell)} has invisible characters: remove them"
        elif cell.startswith(("=", "@", "+", "-")) and not _is_signed(cell):
            problem = f"{quoted(cell)} begins like a spreadsheet formula: write it differently"
        else:
            continue
        problems.report(line, problem)
        return False
    return True


def _is_signed(cell: str) -> bool:
    """Whether a cell that begins with a sign is a number, a name, or a mark for no result."""
    return is_number(cell) or has_value(cell) or bool(_SIGNED.fullmatch(cell))


def _hides(letter: str) -> bool:
    return not letter.isprintable() and category(letter) != "Zs"
