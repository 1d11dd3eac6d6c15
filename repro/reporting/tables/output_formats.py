"""The text that a command prints for outcomes, in any format: for people or for programs."""

from collections.abc import Sequence
from typing import Any, Literal

from repro.analysis.outcomes import Outcomes
from repro.errors import ReproError
from repro.reporting.tables import (
    answer,
    csv_tsv,
    json_output,
    rendering,
    study_json,
    tables,
    terminal_summary,
    terminal_table,
)
from repro.reporting.tables.paper_options import laid_out, named
from repro.reporting.tables.presentation import Presentation
from repro.reporting.tables.table_part import Format, Part
from repro.reporting.tables.terminal_table import Screen


def text(
    outcomes: Outcomes,
    presentation: Presentation,
    *,
    screen: Screen | None = None,
    closing: Sequence[str] = (),
) -> str:
    """The text of one study.

    Args:
        outcomes: With scores if `presentation.needs_scores`.
        presentation: Options of the output.
        screen: The terminal; None for 100 columns without colours.
        closing: Lines printed at the end, on a terminal.

    Raises:
        ReproError: The outcomes have no data for the requested table, or the layout names an
            unknown arm or label.
    """
    form, layout = presentation.form, presentation.layout
    if form == "json":
        return as_json("table", [outcomes], presentation)
    layout.check(form)
    parts = _parts(named(outcomes, layout), presentation)
    shown = [laid_out(part, outcomes, layout) for part in parts]
    opening = answer.of_study(outcomes).told if presentation.answers else ()
    return written(
        shown, form, label=outcomes.label, screen=screen, opening=opening, closing=closing
    )


def as_json(
    kind: Literal["table", "audit"],
    outcomes: Sequence[Outcomes],
    presentation: Presentation,
    **content: Any,
) -> str:
    """Several studies as one JSON document, with further fields of the document."""
    layout = presentation.layout
    layout.check("json")
    for option, value in (("part", presentation.part), ("style", presentation.style)):
        if value is not None:
            raise ReproError(f"--{option} is for tables; json contains everything: leave it out")
    for one in outcomes:
        named(one, layout)
    studies = [
        study_json.study(one, _definition(one, presentation), arms=layout.arms) for one in outcomes
    ]
    return json_output.document(kind, **content, studies=studies)


def _parts(outcomes: Outcomes, presentation: Presentation) -> list[Part]:
    """The tables that a command shows: all of the style, a named one, or one for CSV and TSV."""
    name, which = _definition(outcomes, presentation), presentation.part
    style = presentation.shown_style or "full"
    if presentation.form in ("csv", "tsv") and style == "full":
        which = which or "results"
    if which is not None:
        found = tables.part(outcomes, which, definition=name)
        if found is None:
            raise ReproError(f"{outcomes.name}: there is no data for --part {which}")
        require_rows(outcomes, [found], presentation.form)
        return [found]
    if presentation.is_summary:
        return [summary(outcomes, presentation)]
    return tables.parts(outcomes, style=style, definition=name)


def require_rows(outcomes: Outcomes, parts: Sequence[Part], form: Format) -> None:
    """Refuse a table without rows where there is no place for the reason.

    Raises:
        ReproError: Names the table, with its remarks.
    """
    for part in parts:
        if form in ("csv", "tsv") and part.table.empty:
            why = " ".join(part.remarks)
            raise ReproError(f"{outcomes.name}: --part {part.name} has no rows. {why}")


def summary(outcomes: Outcomes, presentation: Presentation) -> Part:
    """The table that summarises a study on a terminal."""
    return terminal_summary.summary(outcomes, _definition(outcomes, presentation))


def _definition(outcomes: Outcomes, presentation: Presentation) -> str:
    return presentation.definition or outcomes.definition_name


def written(
    parts: Sequence[Part],
    form: Format,
    *,
    label: str,
    screen: Screen | None,
    opening: Sequence[str] = (),
    closing: Sequence[str] = (),
) -> str:
    """Tables in one format other than JSON; opening sentences are comments in LaTeX."""
    if form == "csv":
        return csv_tsv.text(parts, separator=",")
    if form == "tsv":
        return csv_tsv.text(parts, separator="\t")
    if form == "terminal":
        return terminal_table.text(parts, screen or Screen(), opening=opening, closing=closing)
    assert form != "json"
    assert form != "predictions"
    return rendering.render(parts, form=form, label=label, opening=opening)
