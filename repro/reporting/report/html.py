"""Render a document as one self-contained HTML page: styles and figures are embedded."""

import base64
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from repro.reporting.figures.illustration import Illustration, encode
from repro.reporting.report.document import Block, Document, ReportSection, Sheet, Surroundings
from repro.reporting.tables import rendering

_DOTS = 96  # CSS pixels per inch


def render(document: Document, around: Surroundings | None = None) -> str:
    """The HTML page.

    Args:
        document: The report.
        around: Pages around it; None for a page that stands alone.
    """
    environment = Environment(
        loader=PackageLoader("repro.reporting.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.j2").render(
        document=document,
        around=around,
        kind=_kind,
        turned=_turned,
        sheet=_sheet,
        source=_source,
        size=_size,
    )


def _kind(block: Block) -> str:
    """The name by which the template identifies a block."""
    return type(block).__name__.lower()


def _turned(section: ReportSection) -> bool:
    """Whether one of its tables needs landscape paper in print."""
    parts = (block.part for block in section.blocks if isinstance(block, Sheet))
    return any(p.is_broad for p in parts)


def _sheet(sheet: Sheet, level: int) -> Markup:
    """A table as HTML; it is escaped where it is made."""
    text = rendering.html_section(
        sheet.part,
        anchor=sheet.anchor,
        level=level,
        heading=sheet.heading,
        number="" if sheet.number is None else f"Table {sheet.number}.",
        links=sheet.links,
        targets=sheet.targets,
    )
    if sheet.file:
        text += f'\n<p class="remark"><a href="{escape(sheet.file)}">All rows of the table</a></p>'
    return Markup(text)


def _source(illustration: Illustration) -> str:
    """The picture as a data URL: a separate document, so that ids cannot clash."""
    if illustration.has_photographs:
        content, kind = encode(illustration, "webp"), "webp"
    else:
        content, kind = encode(illustration, "svg"), "svg+xml"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _size(illustration: Illustration) -> Mapping[str, int]:
    """Size of the picture in CSS pixels, so that the page layout does not shift."""
    width, height = illustration.figure.get_size_inches()
    return {"width": round(width * _DOTS), "height": round(height * _DOTS)}
