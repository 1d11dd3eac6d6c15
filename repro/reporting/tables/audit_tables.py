"""An audit of published numbers, in any format: the answer, the reading, the checks, the runs."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from repro.analysis.audit import answer
from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.publication import Publication
from repro.analysis.outcomes import Outcomes
from repro.reporting.tables import number_format, output_formats, tables
from repro.reporting.tables.paper_options import laid_out, named
from repro.reporting.tables.presentation import Presentation
from repro.reporting.tables.table_part import Part
from repro.reporting.tables.terminal_table import Screen
from repro.system.printing import as_markdown

TITLE = "Audit of published numbers"
SETTLE = "What would settle it"
_WHY = {"name": "its name", "declared": "declared", "words": "no cell is a number"}


def text(
    publications: Sequence[Publication],
    presentation: Presentation,
    *,
    label: str,
    screen: Screen | None = None,
) -> str:
    """The answer of an audit, how its files were read, its checks, and the tables of the runs.

    Args:
        publications: At least one. Of several each has its own answer, and tables of the runs
            are left out unless one is asked for.
        presentation: Options of the output.
        label: Label of the tables in LaTeX.
        screen: As for `output_formats.text`.

    Raises:
        ReproError: There is no data for the requested table, or an option does not apply.
    """
    form, which = presentation.form, presentation.part
    if form == "json":
        outcomes = [one for each in publications for one in each.outcomes]
        return output_formats.as_json("audit", outcomes, presentation, audit=fields(publications))
    presentation.layout.check(form)
    if form in ("csv", "tsv") or which is not None:
        found = [*_together(publications), *_of_all_runs(publications, presentation)]
        chosen = tables.only(found, which or "findings")
        return output_formats.written(chosen, form, label=label, screen=screen)
    chapters = [
        output_formats.written(
            _parts(one, presentation, alone=len(publications) == 1),
            form,
            label=label if len(publications) == 1 else f"{label}-{place}",
            screen=screen,
            opening=_opening(one, presentation, alone=len(publications) == 1),
        )
        for place, one in enumerate(publications, start=1)
    ]
    if form == "markdown" and len(publications) > 1:
        return "\n\n".join(_headed(publications, chapters))
    return "\n\n".join(chapters)


def _parts(one: Publication, presentation: Presentation, *, alone: bool) -> list[Part]:
    found = [reading([one], in_words=True), checks([one], brief=presentation.form == "terminal")]
    return [*found, *(_of_all_runs([one], presentation) if alone else ())]


def _opening(one: Publication, presentation: Presentation, *, alone: bool) -> list[str]:
    """The sentences before the tables; Markdown has headings instead of titles."""
    titled = [] if alone or presentation.form == "markdown" else [f"{one.title}:"]
    return [*titled, *one.answer.sentences]


def _headed(publications: Sequence[Publication], chapters: Sequence[str]) -> Iterator[str]:
    """A page in Markdown: a heading for each publication."""
    yield f"# {TITLE}"
    for one, chapter in zip(publications, chapters, strict=True):
        yield f"## {as_markdown(one.title)}"
        if one.printed:
            yield as_markdown(f"{one.printed}.")
        yield chapter


def _together(publications: Sequence[Publication]) -> list[Part]:
    return [reading(publications), checks(publications)]


def _of_all_runs(publications: Sequence[Publication], presentation: Presentation) -> Iterator[Part]:
    if presentation.part in ("reading", "findings"):
        return
    for outcomes in chain.from_iterable(one.outcomes for one in publications):
        yield from of_runs(outcomes, presentation)


def of_runs(outcomes: Outcomes, presentation: Presentation) -> list[Part]:
    """The tables of audited runs."""
    layout, definition = presentation.layout, presentation.definition
    own = named(outcomes, layout)
    which = presentation.part
    if presentation.is_summary:
        made = [output_formats.summary(own, presentation)]
    elif which is None:
        made = tables.parts(own, style=presentation.style or "full", definition=definition)
    else:
        made = [part] if (part := tables.part(own, which, definition=definition)) else []
        output_formats.require_rows(own, made, presentation.form)
    return [laid_out(part, outcomes, layout) for part in made]


def reading(publications: Sequence[Publication], *, in_words: bool = False) -> Part:
    """Which files were read, how each of their columns was, and what is said of the numbers.

    Args:
        publications: At least one.
        in_words: Whether columns have sentences instead of rows.
    """
    rows, names = [], []
    for table in chain.from_iterable(() if in_words else one.tables for one in publications):
        for column in table.columns:
            names.append(table.title)
            rows.append({"Column": column.column, "Read as": column.role, "Why": _WHY[column.why]})
    told = [[*one.files, *(one.columns if in_words else ())] for one in publications]
    return Part(
        name="reading",
        title="How the files were read.",
        table=number_format.frame(rows, names, "File"),
        remarks=list(chain.from_iterable(told)),
        holds="words",
        keys=1,
    )


def checks(publications: Sequence[Publication], *, brief: bool = False) -> Part:
    """Every check with its result and what would settle it; of several, with their sources.

    Args:
        publications: At least one.
        brief: Whether what would settle it is part of the finding: for a narrow window.
    """
    alone = len(publications) == 1
    found = [(publication, one) for publication in publications for one in publication.checks]
    rows = [_row(one, {} if alone else {"Source": by.title}, brief) for by, one in found]
    return Part(
        name="findings",
        title="Checks of the published numbers.",
        table=number_format.frame(rows, [one.check for _, one in found], "Check"),
        holds="words",
        keys=1,
    )


def _row(one: Finding, source: dict[str, str], brief: bool) -> dict[str, str]:
    row = {**source, "About": one.about, "Result": one.result, "Finding": one.text}
    if one.settle and brief:
        row["Finding"] += f" To settle it: {one.settle}"
    elif one.settle:
        row[SETTLE] = one.settle
    return row


def fields(publications: Sequence[Publication]) -> dict[str, Any]:
    """The answer of an audit, the files that it read, and the findings of its checks."""
    said = answer.of([one for each in publications for one in each.findings])
    return {
        "answer": list(said.sentences),
        "counts": dict(said.counts),
        "sources": [sentence for one in publications for sentence in one.notes],
        "columns": {
            table.title: [
                {"column": one.column, "role": one.role, "why": one.why} for one in table.columns
            ]
            for each in publications
            for table in each.tables
        },
        "findings": [
            {
                "source": each.source,
                "check": one.check,
                "about": one.about,
                "result": one.result,
                "text": one.text,
                "settle": one.settle,
            }
            for each in publications
            for one in each.checks
        ],
        "publications": [
            {
                "source": each.source,
                "printed": each.printed,
                "files": list(dict.fromkeys(table.path.name for table in each.tables)),
                "reading": [*each.files, *each.columns],
                "answer": list(each.answer.sentences),
                "counts": dict(each.answer.counts),
            }
            for each in publications
        ],
    }
