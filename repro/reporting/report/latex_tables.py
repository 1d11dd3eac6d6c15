"""Fit tables to a page in LaTeX: columns in stacked panels, sentences broken into lines.

Widths are estimated from the letters, in points at the tables' font size; numbers are never shrunk.
Long tables run over several pages, with the header repeated on each.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from repro.reporting.report.document import Sheet
from repro.reporting.tables import column_widths, latex_table
from repro.reporting.tables.cell import DASH
from repro.reporting.tables.table_part import Part, by_column

WIDTH = 455.0  # of the text, 160 mm
HEIGHT = 660.0  # of the text, about
LINE = 10.0  # between two lines of a table
GAP = 8.0  # between two columns
_HEADS = (16, 10)  # minimum letters per line of a header; fewer if it saves a panel
_LONG = 0.7  # share of a page; longer tables may begin at the bottom of one
_NAMES = 120.0  # maximum width of the first column
_LETTER = 4.25  # width of a digit, and of most letters
_NARROW = dict.fromkeys("iljtfrI.,:;'|!()[] ", 2.9)
_BROAD = dict.fromkeys("mwMWGOQDH@%&+=<>±—−→×≥≤", 7.0) | dict.fromkeys("ABCEFKNPRSTUVXYZ", 6.0)
_LETTERS = _NARROW | _BROAD

Column = list[str]  # its header, in lines, and its cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Some columns of a table, beside the row names.

    Attributes:
        form: Column specification for LaTeX.
        head: The header as a line of LaTeX.
        rows: Lines of LaTeX.
        columns: Number of columns, row names included.
        lines: Approximate number of lines on paper.
    """

    form: str
    head: str
    rows: tuple[str, ...]
    columns: int
    lines: int


def width(text: str) -> float:
    """Estimated width of a text on one line."""
    return sum(
        0.0 if letter == column_widths.BREAK else _LETTERS.get(letter, _LETTER) for letter in text
    )


def text(plain: str) -> str:
    """The text as LaTeX in which long words can be broken."""
    return latex_table.text(column_widths.breakable(plain))


def table(sheet: Sheet) -> str:
    """A numbered table with rows, in as many panels as necessary."""
    first, *others = panels(sheet)
    caption = f"\\textbf{{{latex_table.text(sheet.heading)}.}} {text(sheet.part.title)}"
    lines = latex_table.long_table(
        first.form,
        first.head,
        first.rows,
        caption=f"\\caption{{{caption}}}\\label{{{sheet.anchor}}}\\\\",
        again=[f"\\multicolumn{{{first.columns}}}{{@{{}}l}}{{Table \\thetable, continued}}\\\\"],
    )
    for panel in others:
        lines += [
            f"\\room{{{height(panel):.0f}pt}}\\setlength{{\\LTpre}}{{2pt}}",
            *latex_table.long_table(panel.form, panel.head, panel.rows),
        ]
    return "\n".join(lines)


def height(panel: Panel) -> float:
    """Approximate height of a panel with caption; of a long one, the height to begin it."""
    tall = LINE * (panel.lines + 5)
    return tall if tall <= _LONG * HEIGHT else 0.2 * HEIGHT


def panels(sheet: Sheet) -> list[Panel]:
    """The columns of a table, in as few panels as fit the page."""
    first, *others = [list(map(column_widths.breakable, one)) for one in by_column(sheet.part)]
    names = _names(first[1:], sheet.links, sheet.targets)
    if sheet.part.holds == "words":
        return [_of_words([first, *others], names)]
    natural = max(map(width, first))
    wide = min(natural, _NAMES)
    keys, others = others[: sheet.part.keys], others[sheet.part.keys :]
    form = ("l" if natural <= _NAMES else _left(wide)) + "l" * len(keys)
    room = WIDTH - wide - GAP - sum(_width(column) + GAP for column in keys)
    found = [_split([_wrapped(one, letters) for one in others], room) for letters in _HEADS]
    rows = _Names([first[0], *names], keys)
    return [_of_numbers(sheet.part, rows, form, panel, room) for panel in min(found, key=len)]


@dataclass(frozen=True, slots=True)
class _Names:
    """The columns that identify a row, repeated in each panel: the first column and the keys."""

    first: Column
    keys: Sequence[Column]


def _of_numbers(part: Part, rows: _Names, form: str, panel: Sequence[Column], room: float) -> Panel:
    forms = ["r" if _width(column) <= room else _left(room) for column in panel]
    keys = [latex_table.text(column[0]) for column in rows.keys]
    heads = [latex_table.text(rows.first[0]), *keys, *(_stacked(one[0]) for one in panel)]
    columns, lines = len(heads), _rows(rows.first[1:], [*rows.keys, *panel])
    above = part.above
    if all(cell == DASH for column in panel for cell in column[1:][above:]):
        part, lines = replace(part, below=0), lines[:above]  # this panel says nothing of them
    return Panel(
        form=f"@{{}}{form}{''.join(forms)}@{{}}",
        head=latex_table.row(heads),
        rows=(*lines[:above], *latex_table.below(part, columns), *lines[above:]),
        columns=columns,
        lines=len(rows.first) - 1,
    )


def _of_words(found: list[Column], names: list[str]) -> Panel:
    wide = column_widths.widths(found, WIDTH - GAP * (len(found) - 1), measure=width)
    forms = [
        "l" if one >= max(map(width, column)) else _left(one)
        for one, column in zip(wide, found, strict=True)
    ]
    rows = _rows(names, found[1:])
    if set(forms) != {"l"}:
        rows = [*(f"{row}\\addlinespace[2pt]" for row in rows[:-1]), *rows[-1:]]
    return Panel(
        form=f"@{{}}{''.join(forms)}@{{}}",
        head=latex_table.row([latex_table.text(column[0]) for column in found]),
        rows=tuple(rows),
        columns=len(found),
        lines=sum(
            max(1 + int(width(cell) / one) for cell, one in zip(row, wide, strict=True))
            for row in zip(*found, strict=True)
        ),
    )


def _split(others: Sequence[Column], room: float) -> list[list[Column]]:
    """The columns in the minimum number of panels of this width, filled evenly."""
    full = _filled(others, room)
    even = sum(_width(column) + GAP for column in others) / len(full)
    tried = (even * (1 + step / 10) for step in range(10))
    alike = (_filled(others, one) for one in tried if one < room)
    return next((one for one in alike if len(one) == len(full)), full)


def _filled(others: Sequence[Column], room: float) -> list[list[Column]]:
    """The columns in panels of this width, each as full as possible."""
    found: list[list[Column]] = [[]]
    left = room
    for column in others:
        wide = _width(column) + GAP
        if wide > left and found[-1]:
            found.append([])
            left = room
        found[-1].append(column)
        left -= wide
    return found


def _width(column: Column) -> float:
    return max(width(line) for cell in column for line in cell.split("\n"))


def _wrapped(column: Column, letters: int) -> Column:
    """The column, its header broken into lines about as long as its cells or this many letters."""
    longest = max([letters, *map(len, column[1:])])
    lines = textwrap.wrap(column[0], longest, break_long_words=False)
    return ["\n".join(lines), *column[1:]]


def _stacked(head: str) -> str:
    """The header of a column of numbers."""
    lines = [latex_table.text(line) for line in head.split("\n")]
    if len(lines) == 1:
        return lines[0]
    stacked = "\\\\".join(lines)
    return f"\\begin{{tabular}}[b]{{@{{}}r@{{}}}}{stacked}\\end{{tabular}}"


def _left(points: float) -> str:
    """The specification of a left-aligned column with line breaks."""
    return f">{{\\raggedright\\arraybackslash}}p{{{points:.1f}pt}}"


def _names(names: Sequence[str], links: Mapping[str, str], targets: Mapping[int, str]) -> list[str]:
    """The first column, with its links and anchors."""
    found = []
    for position, name in enumerate(names):
        cell = latex_table.text(name)
        plain = name.replace(column_widths.BREAK, "")
        if plain in links:
            cell = f"\\hyperref[{links[plain]}]{{{cell}}}"
        if position in targets:
            cell = f"\\phantomsection\\label{{{targets[position]}}}{cell}"
        found.append(cell)
    return found


def _rows(names: Sequence[str], others: Sequence[Column]) -> list[str]:
    cells = zip(*(column[1:] for column in others), strict=True)
    return [
        latex_table.row([name, *map(latex_table.text, row)])
        for name, row in zip(names, cells, strict=True)
    ]
