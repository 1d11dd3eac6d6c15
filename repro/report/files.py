"""A report as files: ``report.html``, ``report.tex`` and its figures, each written whole."""

from collections.abc import Sequence
from pathlib import Path

from repro import writing
from repro.figures.illustration import encode
from repro.report import contents, html, latex
from repro.report.chapter import Chapter

PAGE, TYPESET = "report.html", "report.tex"


def build(chapters: Sequence[Chapter], folder: Path, *, title: str | None = None) -> list[Path]:
    """Write a report; the same records give the same bytes.

    Args:
        chapters: A study each, at least one.
        folder: Made if it is not there; files of the same names are replaced.
        title: Above everything; made of the studies' names if None.

    Returns:
        The files, the page first.

    Raises:
        ReproError: The folder cannot be written.
    """
    document = contents.document(chapters, title=title)
    written = [
        writing.put(folder / PAGE, html.render(document).encode()),
        writing.put(folder / TYPESET, latex.render(document).encode()),
    ]
    for file, illustration in contents.illustrations(document):
        written.append(writing.put(folder / file, encode(illustration, "pdf")))
    return written
