"""Write a report, each file atomically: HTML, LaTeX, ``verdict.json``, long tables, figures."""

from collections.abc import Sequence
from pathlib import Path

from repro.reporting.figures.illustration import encode
from repro.reporting.report import html, latex, report_sections
from repro.reporting.report.study_chapter import Chapter
from repro.reporting.tables import csv_tsv, json_output, study_json
from repro.system import atomic_files
from repro.system.printing import printable

PAGE, TYPESET, VERDICT = "report.html", "report.tex", "verdict.json"


def build(chapters: Sequence[Chapter], folder: Path, *, title: str | None = None) -> list[Path]:
    """Write a report; the same records give the same bytes.

    Args:
        chapters: One per study, at least one.
        folder: Created if missing; files of the same names are replaced.
        title: Title of the report; made from the studies' names if None.

    Returns:
        The written files, the HTML page first.

    Raises:
        ReproError: The folder cannot be written.
    """
    document = report_sections.document(chapters, title=title)
    written = [
        atomic_files.put(folder / PAGE, printable(html.render(document)).encode()),
        atomic_files.put(folder / TYPESET, printable(latex.render(document)).encode()),
    ]
    written.append(atomic_files.put(folder / VERDICT, _verdict(chapters).encode()))
    for file, part in report_sections.whole_tables(document):
        rows = csv_tsv.text([part], separator=",")
        written.append(atomic_files.put(folder / file, f"{rows}\n".encode()))
    for file, illustration in report_sections.illustrations(document):
        written.append(atomic_files.put(folder / file, encode(illustration, "pdf")))
    return written


def _verdict(chapters: Sequence[Chapter]) -> str:
    """Answers, claims and verdicts of the studies, for programs."""
    return json_output.document(
        "verdict", studies=[study_json.conclusions(one.outcomes) for one in chapters]
    )
