"""A document -> one page of HTML that needs no other file: styles and figures stand in it."""

import base64
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from repro.reporting.figures.illustration import Illustration, encode
from repro.reporting.report.document import Block, Document, ReportSection, Sheet
from repro.reporting.tables import rendering

_DOTS = 96  # of a browser, an inch


def render(document: Document) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader("repro.reporting.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.j2").render(
        document=document, kind=_kind, turned=_turned, sheet=_sheet, source=_source, size=_size
    )


def _kind(block: Block) -> str:
    """By which the template knows a block."""
    return type(block).__name__.lower()


def _turned(section: ReportSection) -> bool:
    """Whether a table in it asks for a sheet of paper turned, in print."""
    parts = (block.part for block in section.blocks if isinstance(block, Sheet))
    return any(p.is_broad for p in parts)


def _sheet(sheet: Sheet, level: int) -> Markup:
    """A table; escaped where it is made."""
    text = rendering.html_section(
        sheet.part,
        anchor=sheet.anchor,
        level=level,
        heading=sheet.heading,
        number="" if sheet.number is None else f"Table {sheet.number}.",
        links=sheet.links,
        targets=sheet.targets,
    )
    return Markup(text)


def _source(illustration: Illustration) -> str:
    """The picture as an address that holds it: a document of its own, so that no ids clash."""
    if illustration.has_photographs:
        content, kind = encode(illustration, "webp"), "webp"
    else:
        content, kind = encode(illustration, "svg"), "svg+xml"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _size(illustration: Illustration) -> Mapping[str, int]:
    """Of the picture in the browser's dots, so that the page keeps its place."""
    width, height = illustration.figure.get_size_inches()
    return {"width": round(width * _DOTS), "height": round(height * _DOTS)}
