"""Render a document as LaTeX that plain TeX compiles, without floats: order is the document's.

Needs latex-base and latex-recommended, no extra fonts, and the figures' files beside it.
"""

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from repro.reporting import escaping
from repro.reporting.figures.illustration import Illustration
from repro.reporting.report import latex_tables
from repro.reporting.report.document import (
    Block,
    Counts,
    Document,
    Paragraph,
    Picture,
    ReportSection,
    Sheet,
)
from repro.reporting.tables import column_widths

_POINTS = 72.27  # per inch
_TALLEST = 0.76 * latex_tables.HEIGHT  # maximum height of a figure
_SPARE = 0.7 * latex_tables.HEIGHT  # maximum space required before a page break
_HEADING = 45.0


class _Typeset(str):
    """Text that is already LaTeX."""

    __slots__ = ()


def render(document: Document) -> str:
    """The text of a ``.tex`` file."""
    environment = Environment(
        loader=PackageLoader("repro.reporting.report"),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<!",
        comment_end_string="!>",
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        finalize=_escaped,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["typeset"] = _Typeset
    return environment.get_template("report.tex.j2").render(
        document=document,
        kind=_kind,
        heading=_heading,
        command=_command,
        table=_table,
        size=_size,
        room=_room,
        on_ground=_on_ground,
    )


def _escaped(value: Any) -> str:
    """Any value as LaTeX; values that are LaTeX already are kept."""
    return value if isinstance(value, _Typeset) else _Typeset(latex_tables.text(str(value)))


def _kind(block: Block) -> str:
    """The name by which the template identifies a block."""
    return type(block).__name__.lower()


def _heading(plain: str) -> _Typeset:
    """A heading for the text, and a plain one for PDF bookmarks."""
    typeset = latex_tables.text(plain)
    simple = "".join(one if one.isascii() else "?" for one in plain)
    return _Typeset(f"\\texorpdfstring{{{typeset}}}{{{escaping.latex(simple)}}}")


def _command(line: str) -> _Typeset:
    """A shell command as LaTeX."""
    return _Typeset(escaping.typed(column_widths.breakable(line)))


def _table(sheet: Sheet) -> _Typeset:
    return _Typeset(latex_tables.table(sheet))


def _size(illustration: Illustration) -> _Typeset:
    """Width and height that fit the page, in proportion."""
    wide, tall = (float(inches) * _POINTS for inches in illustration.figure.get_size_inches())
    scale = min(1.0, latex_tables.WIDTH / wide, _TALLEST / tall)
    return _Typeset(f"width={scale * wide:.1f}pt,height={scale * tall:.1f}pt")


def _room(one: ReportSection | Block) -> _Typeset:
    """The space that must be left on a page for it to begin there, in points."""
    return _Typeset(f"{_wanted(one):.0f}pt")


def _wanted(one: ReportSection | Block) -> float:
    if isinstance(one, ReportSection):
        return min(_HEADING + sum(map(_wanted, _beginning(one))), _SPARE + _HEADING)
    if isinstance(one, Sheet):
        return latex_tables.height(latex_tables.panels(one)[0]) if len(one.part.table) else 0.0
    if isinstance(one, Picture):
        tall = float(one.illustration.figure.get_size_inches()[1]) * _POINTS
        return min(tall, _TALLEST) + 3 * latex_tables.LINE
    return 3 * latex_tables.LINE


def _on_ground(section: ReportSection) -> int:
    """How many of the first blocks stand on a grey ground: sentences, because it has no page break.

    A figure and a table on it, which together may be longer than a page, would run off the paper.
    """
    if not section.set_off:
        return 0
    return sum(
        1 for _ in takewhile(lambda one: isinstance(one, Paragraph | Counts), section.blocks)
    )


def _beginning(section: ReportSection) -> Iterator[Block]:
    """The blocks kept together with a heading: its first sentences and the block after them."""
    for block in section.blocks:
        yield block
        if not isinstance(block, Paragraph):
            return
