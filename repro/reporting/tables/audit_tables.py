"""An audit of published numbers, in any format: its findings, and tables of the audited runs."""

from collections.abc import Sequence
from typing import Any

from repro.analysis.audit.inspection import Audit
from repro.analysis.study_data import Outcomes
from repro.reporting.tables import number_format, output_formats, tables
from repro.reporting.tables.paper_options import laid_out, named
from repro.reporting.tables.presentation import Presentation
from repro.reporting.tables.table_part import Part
from repro.reporting.tables.terminal_table import Screen


def text(
    audit: Audit,
    outcomes: Sequence[Outcomes],
    presentation: Presentation,
    *,
    label: str,
    screen: Screen | None = None,
) -> str:
    """The findings in somebody's files, and the tables of their runs.

    Args:
        audit: Audit of the files.
        outcomes: Results of their runs.
        presentation: Options of the output.
        label: Label of the tables in LaTeX.
        screen: As for `output_formats.text`.
    """
    form, layout, which = presentation.form, presentation.layout, presentation.part
    if form == "json":
        return output_formats.as_json("audit", outcomes, presentation, audit=_fields(audit))
    layout.check(form)
    if form in ("csv", "tsv"):
        which = which or "findings"
    style, definition = presentation.style or "full", presentation.definition
    found = [_part(audit)]
    for one in outcomes:
        own = named(one, layout)
        made = (
            [output_formats.summary(own, presentation)]
            if presentation.is_summary
            else tables.parts(own, style=style, definition=definition)
        )
        found += [laid_out(part, one, layout) for part in made]
    return output_formats.written(tables.only(found, which), form, label=label, screen=screen)


def _part(audit: Audit) -> Part:
    """The findings of an audit."""
    rows = [
        {"About": one.about, "Result": one.result, "Finding": one.text} for one in audit.findings
    ]
    return Part(
        name="findings",
        title="Findings of the audit.",
        table=number_format.frame(rows, [one.check for one in audit.findings], "Check"),
        remarks=audit.sources,
        holds="words",
        keys=1,
    )


def _fields(audit: Audit) -> dict[str, Any]:
    """The files that an audit read, and the findings of its checks."""
    return {
        "sources": list(audit.sources),
        "findings": [
            {"check": one.check, "about": one.about, "result": one.result, "text": one.text}
            for one in audit.findings
        ],
    }
