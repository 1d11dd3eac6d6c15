"""Tables in LaTeX: tabular and its kin -> their lines.

The rows above the first rule are the header. A row of one cell that spans several columns divides
a table in two. Macros that the file defines are written out.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from repro.analysis.audit.reading import own_notes
from repro.analysis.audit.reading.block import (
    MOST_COLUMNS,
    MOST_TABLES,
    Block,
    are_plain,
    cells_within,
)
from repro.analysis.audit.reading.cell_text import has_value, is_number
from repro.analysis.audit.reading.latex_captions import Captions
from repro.analysis.audit.reading.latex_macros import Macros, unknown_macro
from repro.analysis.audit.reading.markup import after_arguments, from_latex
from repro.analysis.audit.reading.problems import Problems

_KINDS = (
    r"(?:tabular\*?|tabularx|tabulary|longtable\*?|supertabular|xltabular|array|tblr|longtblr|"
    r"talltblr|NiceTabular\*?)"
)
_EDGE = re.compile(rf"\\(begin|end)\s*\{{{_KINDS}\}}")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
_PART = re.compile(
    r"(?P<row>\\\\\*?(?:[ \t]*\[[^\]\n]{0,20}\])?|\\tabularnewline\b)"
    rf"|\\(?P<edge>begin|end)\s*\{{{_KINDS}\}}"
    r"|\\[A-Za-z]+|\\.|(?P<brace>[{}])|(?P<cell>&)",
    re.DOTALL,
)
_RULE = re.compile(
    r"\s*\\(?P<name>toprule|midrule|bottomrule|hline|Xhline|cline|cmidrule|cdashline|hdashline|"
    r"addlinespace|specialrule|rowcolor|rowstyle|noalign|caption|label|endfirsthead|endhead|"
    r"endfoot|endlastfoot|centering|small|footnotesize|scriptsize|tiny|arrayrulecolor|morecmidrules)"
    r"\b\*?"
)
_RULE_ARGUMENTS = {
    **dict.fromkeys(("Xhline", "cline", "cmidrule", "cdashline", "rowcolor", "rowstyle"), 1),
    **dict.fromkeys(("noalign", "caption", "label", "arrayrulecolor"), 1),
    "specialrule": 3,
}
_ENDS_HEADER = frozenset({"midrule", "hline", "Xhline", "specialrule", "hdashline"})
_SPAN = re.compile(r"\s*\\multicolumn\s*\{\s*(\d{1,4})\s*\}")


@dataclass(slots=True)
class _Row:
    """Cells as written, with the columns that each spans."""

    line: int
    cells: list[tuple[str, int]]

    @property
    def width(self) -> int:
        return sum(span for _, span in self.cells)


@dataclass(slots=True)
class _Rows:
    """The rows of a table; those of a header are known when a rule follows."""

    header: list[_Row] = field(default_factory=list)
    body: list[_Row] = field(default_factory=list)
    ruled: bool = False

    def meet(self, command: str) -> None:
        """Take note of a command that stands before a row."""
        if command in ("endfirsthead", "endhead"):
            self.header = self.header or self.body
            self.body, self.ruled = [], True
        elif command in ("endfoot", "endlastfoot"):
            self.body = []
        elif command in _ENDS_HEADER and self.body and not self.ruled:
            self.header, self.body, self.ruled = self.body, [], True


def holds_one(text: str) -> bool:
    """Whether the text has a table in LaTeX, or rows of one."""
    return bool(_EDGE.search(text)) or any(
        line.rstrip().endswith("\\\\") and "&" in line.replace("\\&", "")
        for line in text.splitlines()
    )


def read(text: str, problems: Problems) -> Iterator[Block]:
    """The tables of a file; rows without an environment are one table."""
    if not holds_one(text):
        return
    bare = "\n".join(_COMMENT.sub(r"\1", line) for line in text.split("\n"))
    macros, bare = Macros.of(bare)
    starts = [0, *(found.end() for found in re.finditer("\n", bare))]
    places = list(islice(_places(bare), MOST_TABLES + 1)) or [(0, 0, len(bare))]
    if len(places) > MOST_TABLES:
        problems.refuse(f"more than {MOST_TABLES} tables: leave some out")
        return
    captions = Captions.of(bare)
    for begin, start, end in places:
        rows = _rows(bare, start, end, starts)
        said = own_notes.said_in(captions.below(end))
        for block in _blocks(rows, captions.of_table(begin, end), macros, problems):
            yield replace(block, description=said)


def _places(text: str) -> Iterator[tuple[int, int, int]]:
    """Where each outer table begins, and where its content begins and ends."""
    depth, begin = 0, 0
    for found in _EDGE.finditer(text):
        depth += 1 if found[1] == "begin" else -1
        if found[1] == "begin" and depth == 1:
            begin, two = found.start(), re.search(r"tabular[*xy]|tabulary", found.group())
            start = after_arguments(text, found.end(), 2 if two else 1)
        elif depth == 0:
            yield begin, start, found.start()
        depth = max(depth, 0)
    if depth:
        yield begin, start, len(text)


def _rows(text: str, start: int, end: int, starts: Sequence[int]) -> _Rows:
    """The rows between two places, without rules and the repeated headers of a long table."""
    rows, depth = _Rows(), 0
    cells, at = list[str](), start
    for found in _PART.finditer(text, start, end):
        if found["brace"] or found["edge"]:
            depth += 1 if found["brace"] == "{" or found["edge"] == "begin" else -1
        elif depth > 0:
            continue
        elif found["cell"]:
            cells.append(text[at : found.start()])
            at = found.end()
        elif found["row"]:
            _end_row(rows, [*cells, text[at : found.start()]], at, found.start(), text, starts)
            cells, at = [], found.end()
    _end_row(rows, [*cells, text[at:end]], at, end, text, starts)
    return rows


def _end_row(
    rows: _Rows, cells: list[str], at: int, end: int, text: str, starts: Sequence[int]
) -> None:
    """Add a row, unless nothing but rules stands in it."""
    first = 0
    while found := _RULE.match(cells[0], first):
        rows.meet(found["name"])
        count = _RULE_ARGUMENTS.get(found["name"], 0)
        first = _after_rule(cells[0], found.end(), count)
    cells[0] = cells[0][first:]
    if any(cell.strip() for cell in cells):
        line = bisect_right(starts, at + _blanks(text, at, end))
        rows.body.append(_Row(line, [_spanned(cell) for cell in cells]))


def _blanks(text: str, at: int, end: int) -> int:
    """How far the first letter of the last cell is."""
    found = re.compile(r"\s*").match(text, at, end)
    return found.end() - at if found and found.end() < end else 0


def _after_rule(text: str, at: int, count: int) -> int:
    """After the arguments of a rule; those in round brackets say where it is cut."""
    found = re.compile(r"\s*\([^)]*\)").match(text, at)
    return after_arguments(text, found.end() if found else at, count)


def _spanned(cell: str) -> tuple[str, int]:
    """A cell, and how many columns it spans."""
    found = _SPAN.match(cell)
    return (cell, max(1, int(found[1]))) if found else (cell, 1)


def _blocks(rows: _Rows, caption: str, macros: Macros, problems: Problems) -> Iterator[Block]:
    """One table, or several with the same header where a row divides it."""
    own = problems.apart()
    header = [_written(row, macros, own, in_header=True) for row in rows.header]
    depth = _depth(header)
    body = [_written(row, macros, own) for row in rows.body]
    if own.found:
        yield replace(_block(caption, header[:depth], [*header[depth:], *body]), found=own.found)
        return
    lines, section = [*header[depth:]], caption
    for row, written in zip(rows.body, body, strict=True):
        name = _divides(row, written, has_header=depth > 0)
        if name is None:
            lines.append(written)
            continue
        if lines:
            yield _block(section, header[:depth], lines)
        lines, section = [], f"{caption}: {name}" if caption else name
    if lines or header:
        yield _block(section, header[:depth], lines)


def _depth(header: Sequence[tuple[int, tuple[str, ...]]]) -> int:
    """How many rows above the first rule name columns: those before a row of numbers."""
    depth = 0
    for _, cells in header:
        if depth and sum(map(is_number, cells)) > len(cells) / 2:
            break
        depth += 1
    return depth


def _written(
    row: _Row, macros: Macros, problems: Problems, *, in_header: bool = False
) -> tuple[int, tuple[str, ...]]:
    """The texts that a row prints, one a column; what cannot be told is reported."""
    cells: list[str] = []
    if row.width > MOST_COLUMNS:
        problems.report(row.line, f"more than {MOST_COLUMNS} columns")
        return row.line, ()
    if not cells_within(row.line, [cell for cell, _ in row.cells], problems):
        return row.line, ()
    for cell, span in row.cells:
        source = macros.written_out(cell)
        if unknown := macros.unended(source) or unknown_macro(source):
            problems.report(
                row.line,
                f"what {unknown} prints is not known: write it out, or add its \\newcommand",
            )
        text = from_latex(source)
        repeated = in_header or span == 1 or has_value(text)
        if span > 1 and is_number(text) and not in_header:
            problems.report(row.line, f"{text!r} spans {span} columns: give each its own number")
        cells += [text] * span if repeated else [text, *[""] * (span - 1)]
    are_plain(row.line, cells, problems)
    return row.line, tuple(cells)


def _divides(row: _Row, written: tuple[int, tuple[str, ...]], *, has_header: bool) -> str | None:
    """The words of a row that has one cell over several columns, and nothing else."""
    texts = [
        (text, span) for text, (_, span) in zip(_firsts(row, written[1]), row.cells, strict=True)
    ]
    filled = [(text, span) for text, span in texts if text]
    if len(filled) != 1 or row.width < 2 or not (has_header or texts[0][0]):
        return None
    text, span = filled[0]
    return text if (span > 1 or len(row.cells) == 1) and not has_value(text) else None


def _firsts(row: _Row, texts: Sequence[str]) -> Iterator[str]:
    """The text of each cell, from those of the columns."""
    at = 0
    for _, span in row.cells:
        yield texts[at] if at < len(texts) else ""
        at += span


def _block(
    caption: str,
    header: Sequence[tuple[int, tuple[str, ...]]],
    lines: Sequence[tuple[int, tuple[str, ...]]],
) -> Block:
    return Block(caption, [*header, *lines], headers=max(1, len(header)), spans_told=True)
