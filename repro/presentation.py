"""Outcomes -> the text that a command prints, in any format: tables for people, or for programs."""

from collections.abc import Sequence
from typing import Any, Literal

from repro import delimited, json_output, rendering, study_json, summary, tables, terminal
from repro.audit.inspection import Audit
from repro.errors import ReproError
from repro.layout import Layout, laid_out, named
from repro.outcomes import Outcomes
from repro.rendering import Format, Part
from repro.tables import Style
from repro.terminal import Screen

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
        outcomes: With scores where more than the paper's columns is asked for (`needs_scores`).
        form: Of the text.
        style: ``paper`` or ``full``; None as the format has it.
        definition: What E[A] and Var[A] are; None for the published source's.
        which: Only one table of the full style.
        layout: What a paper wants of a table.
        screen: The terminal that it is for; a plain one of 100 columns if None.
        closing: Lines at the end, on a terminal.

    Raises:
        ReproError: The outcomes have nothing for the named table, or the layout asks for what
            there is not.
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
            raise ReproError(f"--{option} is for tables; json has everything: leave it out")
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
    chosen = style_of(form, style)
    if chosen is None and which is None:
        return [summary.summary(outcomes, definition or tables.default_definition(outcomes))]
    return tables.shown(
        outcomes, form=form, style=chosen or "full", definition=definition, which=which
    )


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
            [summary.summary(own, definition or tables.default_definition(own))]
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
        return delimited.text(parts, separator=",")
    if form == "tsv":
        return delimited.text(parts, separator="\t")
    if form == "terminal":
        return terminal.text(parts, screen or Screen(), closing=closing)
    assert form != "json"
    return rendering.render(parts, form=form, label=label)
