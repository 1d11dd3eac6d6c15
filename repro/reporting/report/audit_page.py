"""The report page of an audit: the answer, how the files were read, the checks, figures, runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from repro import __version__
from repro.analysis.audit.publication import Publication
from repro.analysis.wording import joined
from repro.reporting import escaping
from repro.reporting.figures import audited_table
from repro.reporting.figures.illustration import Illustration, without_users_settings
from repro.reporting.report import html
from repro.reporting.report.document import (
    Block,
    Counts,
    Document,
    Paragraph,
    Picture,
    ReportSection,
    Sheet,
    Study,
)
from repro.reporting.report.numbering import Numbers
from repro.reporting.tables import audit_tables
from repro.reporting.tables.presentation import Presentation
from repro.reporting.tables.table_part import Part

OVERVIEW = "overview"


def page(publications: Sequence[Publication], presentation: Presentation) -> str:
    """One self-contained HTML page.

    Args:
        publications: At least one; each is a chapter.
        presentation: Options of the tables of runs.
    """
    return html.render(document(publications, presentation))


def document(publications: Sequence[Publication], presentation: Presentation) -> Document:
    """The content of the page."""
    numbers, alone = Numbers(), len(publications) == 1
    anchors = [f"source-{place}" for place, _ in enumerate(publications, start=1)]
    overview = None if alone else _overview(publications, anchors, numbers)
    chapters = [
        _Chapter(one, anchor, presentation, numbers, alone).study()
        for one, anchor in zip(publications, anchors, strict=True)
    ]
    files = {table.path.name: None for one in publications for table in one.tables}
    return Document(
        title=audit_tables.TITLE,
        origin=f"Made by repro {__version__} only from {joined([*files])}.",
        overview=overview,
        studies=tuple(chapters),
        appendix=None,
    )


def _overview(
    publications: Sequence[Publication], anchors: Sequence[str], numbers: Numbers
) -> ReportSection:
    """The publications with their answers; names link to the chapters."""
    titles = [one.title for one in publications]
    rows = [{"Printed in": one.printed, "Answer": one.answer.text} for one in publications]
    table = pd.DataFrame(rows, index=pd.Index(titles, name="Source"))
    part = Part(name=OVERVIEW, title="The audited publications.", table=table, holds="words")
    sheet = Sheet(
        part=part,
        heading="All publications",
        anchor=f"{OVERVIEW}-table",
        number=numbers.table(part),
        links=dict(zip(titles, anchors, strict=True)),
    )
    return ReportSection(title="Overview", anchor=OVERVIEW, blocks=(sheet,))


@dataclass(frozen=True, slots=True)
class _Chapter:
    """Builds the sections of one publication."""

    publication: Publication
    anchor: str
    presentation: Presentation
    numbers: Numbers
    alone: bool

    def study(self) -> Study:
        """All sections that have something, the answer first."""
        sections = [
            self.section("answer", "Answer", self.answer(), set_off=True),
            self.section("reading", "How the files were read", self.reading()),
            self.section("checks", "Checks", self.checks()),
            self.section("figures", "Figures", self.figures()),
            self.section("runs", "Tables of the runs", self.runs()),
        ]
        return Study(
            name=self.publication.title,
            question=self.publication.printed or "What do these numbers say?",
            anchor=self.anchor,
            sections=tuple(one for one in sections if one.blocks),
        )

    def section(
        self, name: str, title: str, blocks: Iterator[Block], *, set_off: bool = False
    ) -> ReportSection:
        """A section; one without blocks is left out later."""
        return ReportSection(
            title=title, anchor=f"{self.anchor}-{name}", blocks=tuple(blocks), set_off=set_off
        )

    def answer(self) -> Iterator[Block]:
        """Three sentences, and how many checks gave which result."""
        said = self.publication.answer
        for sentence in said.sentences:
            yield Paragraph(text=sentence, strong=True)
        if said.counts:
            yield Counts(of={str(word): number for word, number in said.counts.items()})

    def reading(self) -> Iterator[Block]:
        """Every column with its role, and what is said of each file."""
        part = audit_tables.reading([self.publication])
        yield self.sheet(replace(part, title="How each column was read, and why."), "Columns")

    def checks(self) -> Iterator[Block]:
        """All checks in one table."""
        yield self.sheet(audit_tables.checks([self.publication]), "All checks")

    def figures(self) -> Iterator[Block]:
        """The figures of every table that has some."""
        with without_users_settings():
            drawn = [
                one for table in self.publication.tables for one in audited_table.figures(table)
            ]
        for one in drawn:
            yield self.picture(one)

    def runs(self) -> Iterator[Block]:
        """The tables of every file with runs, if this is the only publication."""
        if not self.alone:
            return
        for place, outcomes in enumerate(self.publication.outcomes, start=1):
            for part in audit_tables.of_runs(outcomes, self.presentation):
                yield self.sheet(part, part.title.partition(":")[0], str(place))

    def sheet(self, part: Part, heading: str, *further: str) -> Sheet:
        """A table with the next number."""
        return Sheet(
            part=part,
            heading=heading,
            anchor=escaping.anchor(self.anchor, "table", part.name, *further),
            number=self.numbers.table(part),
        )

    def picture(self, one: Illustration) -> Picture:
        """A figure with the next number."""
        return Picture(
            illustration=one,
            anchor=escaping.anchor(self.anchor, "figure", one.name),
            number=self.numbers.figure(),
            file="",
        )
