"""Outcomes -> the text that a command prints, in any format: tables for people, or for programs."""

from collections.abc import Sequence
from typing import Any, Literal

from repro.analysis.audit.inspection import Audit
from repro.analysis.study_data import Outcomes
from repro.errors import ReproError
from repro.reporting.tables import (
    csv_tsv,
    json_output,
    rendering,
    study_json,
    tables,
    terminal_summary,
    terminal_table,
)
from repro.reporting.tables.paper_options import Layout, laid_out, named
from repro.reporting.tables.rendering import Format, Part
from repro.reporting.tables.tables import Style
from repro.reporting.tables.terminal_table import Screen

PLAIN = Layout()


def text(
    outcomes: Outcomes,
    *,
    form: Format,
    style: Style | None = None,
    definition: str | None = None,
    which: str | None = None,
    layout: Layout = PLAIN,
    screen: Screen | None = None,
    closing: Sequence[str] = (),
) -> str:
    """One study.

    Args:
        outcomes: With scores if more than the paper's columns is needed (`needs_scores`).
        form: Of the text.
        style: ``paper`` or ``full``; None for the default of the format.
        definition: Name of the definition of E[A] and Var[A]; None for the published source's.
        which: Name of the one table of the full style to show; None for all.
        layout: Options of the table's layout.
        screen: The terminal; one of 100 columns without colours if None.
        closing: Lines at the end, on a terminal.

    Raises:
        ReproError: The outcomes have no data for the named table, or the layout names an unknown
            arm or label.
    """
    if form == "json":
        return as_json(
            "table", [outcomes], style=style, definition=definition, which=which, layout=layout
        )
    layout.check(form)
    shown = [
        laid_out(part, outcomes, layout)
        for part in _parts(named(outcomes, layout), form, style, definition, which)
    ]
    return _written(shown, form, label=outcomes.label, screen=screen, closing=closing)


def as_json(
    kind: Literal["table", "audit"],
    outcomes: Sequence[Outcomes],
    *,
    style: Style | None,
    definition: str | None,
    which: str | None,
    layout: Layout = PLAIN,
    **content: Any,
) -> str:
    """Some studies as one JSON document; arguments as of `text`."""
    layout.check("json")
    for option, value in (("part", which), ("style", style)):
        if value is not None:
            raise ReproError(f"--{option} is for tables; json contains everything: leave it out")
    for one in outcomes:
        named(one, layout)
    studies = [
        study_json.study(one, definition or tables.default_definition(one), arms=layout.arms)
        for one in outcomes
    ]
    return json_output.document(kind, **content, studies=studies)


def needs_scores(form: Format, style: Style | None, which: str | None) -> bool:
    """Whether the logits of photographs have to be read."""
    return which is not None or form == "json" or style_of(form, style) != "paper"


def style_of(form: Format, style: Style | None) -> Style | None:
    """The style of a format where none is asked for; None is the summary of a terminal."""
    if style is not None or form == "terminal":
        return style
    return "full" if form in ("markdown", "html") else "paper"


def _parts(
    outcomes: Outcomes,
    form: Format,
    style: Style | None,
    definition: str | None,
    which: str | None,
) -> list[Part]:
    """The tables that a command shows: all of the style, a named one, or one for CSV and TSV."""
    name = definition or tables.default_definition(outcomes)
    chosen = style_of(form, style)
    if form in ("csv", "tsv") and chosen == "full":
        which = which or "results"
    if which is not None:
        found = tables.part(outcomes, which, definition=name)
        if found is None:
            raise ReproError(f"{outcomes.name}: there is no data for --part {which}")
        return [found]
    if chosen is None:
        return [terminal_summary.summary(outcomes, name)]
    return tables.parts(outcomes, style=chosen, definition=name)


def audited(
    audit: Audit,
    outcomes: Sequence[Outcomes],
    *,
    form: Format,
    style: Style | None = None,
    definition: str | None = None,
    which: str | None = None,
    layout: Layout = PLAIN,
    label: str,
    screen: Screen | None = None,
) -> str:
    """What was found in somebody's files and the tables of their runs; arguments as of `text`."""
    if form == "json":
        return as_json(
            "audit",
            outcomes,
            style=style,
            definition=definition,
            which=which,
            layout=layout,
            audit=study_json.findings(audit),
        )
    layout.check(form)
    if form in ("csv", "tsv"):
        which = which or "findings"
    short = form == "terminal" and style is None and which is None
    found = [tables.findings(audit)]
    for one in outcomes:
        own = named(one, layout)
        made = (
            [terminal_summary.summary(own, definition or tables.default_definition(own))]
            if short
            else tables.parts(own, style=style or "full", definition=definition)
        )
        found += [laid_out(part, one, layout) for part in made]
    return _written(tables.only(found, which), form, label=label, screen=screen)


def _written(
    parts: Sequence[Part],
    form: Format,
    *,
    label: str,
    screen: Screen | None,
    closing: Sequence[str] = (),
) -> str:
    if form == "csv":
        return csv_tsv.text(parts, separator=",")
    if form == "tsv":
        return csv_tsv.text(parts, separator="\t")
    if form == "terminal":
        return terminal_table.text(parts, screen or Screen(), closing=closing)
    assert form != "json"
    return rendering.render(parts, form=form, label=label)
