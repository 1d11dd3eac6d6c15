"""Build a document from chapters: the order and the content of a report's sections.

The answer comes first, then the verdict and the paper's table, then the other tables and figures,
then the provenance. Tables and figures are numbered throughout the document.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import pandas as pd

from repro import __version__
from repro.errors import ReproError
from repro.reporting import escaping
from repro.reporting.figures.illustration import Illustration
from repro.reporting.report import choices, evidence
from repro.reporting.report.document import (
    MOST_ROWS,
    Block,
    Commands,
    Counts,
    Document,
    Paragraph,
    Picture,
    ReportSection,
    Sheet,
    Study,
)
from repro.reporting.report.numbering import Numbers
from repro.reporting.report.study_chapter import Chapter
from repro.reporting.tables import answer, tables, tone_table
from repro.reporting.tables.cell import DASH
from repro.reporting.tables.table_part import Part
from repro.stats.disparity import DEFINITIONS

OVERVIEW, STANDING = "overview", "standing-deviations"
CLAIMS, TONE = "claims", "tone"  # figures that belong to sections of their own
_WORDS = ("reproduced", "not reproduced", "cannot tell")
_HEADINGS = {
    "gap_share": "Share of the gap closed",
    "placebos": "Arms less their placebos",
    "results": "Results, all columns",
    "groups": "Groups",
    "inequality": "Inequality between groups",
    "accuracy": "Accuracy of each group",
    "false_alarms": "At equal false-positive rates",
    "areas": "Area under the curve",
    "comparisons": "Comparisons with the reference",
    "specification": "Specification curve",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """Builds the sections of one chapter."""

    chapter: Chapter
    label: str  # of the study, unique in the report
    numbers: Numbers
    alone: bool  # whether it is the only chapter

    def study(self, verdict: Part | None) -> Study:
        """All sections, in the order of a report."""
        index = self.chapter.index
        heading = "Answer" if self.chapter.outcomes.claims else "Detectors of others"
        sections = [
            self.section("answer", heading, self.answer()),
            self.section("verdict", "Verdict", _message(self.chapter, verdict)),
            self.section("paper", "The paper's table", self.paper()),
            self.section("judgements", "All verdicts", self.judgements(verdict)),
            self.section("tone", "Skin tone", self.tone()),
            self.section("tables", "All tables", self.tables()),
            self.section("figures", "Figures", self.figures()),
            self.section("ledger", "Choices that the papers left open", self.ledger()),
            self.section("deviations", "Deviations", self.deviations()),
            self.section("provenance", "Provenance", self.provenance()),
            self.section("failures", "Runs without results", self.failures()),
            self.section("cost", "Computing time", self.cost()),
        ]
        return Study(
            name=self.label,
            question=index.question,
            anchor=self.chapter.anchor,
            sections=tuple(one for one in sections if one.blocks),
        )

    def section(self, name: str, title: str, blocks: Iterator[Block]) -> ReportSection:
        """A section; one without blocks is left out later."""
        anchor = f"{self.chapter.anchor}-{name}"
        first = "answer" if self.chapter.outcomes.claims else "verdict"
        return ReportSection(
            title=title, anchor=anchor, blocks=tuple(blocks), set_off=name == first
        )

    def answer(self) -> Iterator[Block]:
        """What the study says: its answer, its claims, and their figure."""
        outcomes = self.chapter.outcomes
        part, told = tables.part(outcomes, "claims"), answer.of_study(outcomes)
        if told.sentences:
            yield Paragraph(text=" ".join(told.sentences), strong=True)
        if told.comparison:
            yield Paragraph(text=told.comparison)
        if part is None:
            return
        for one in self.chapter.illustrations:
            if one.name == CLAIMS:
                yield self.picture(one)
        yield self.sheet(part, "Claims")

    def sheet(self, part: Part, heading: str, **linked: dict[str, str] | dict[int, str]) -> Sheet:
        """A table with the next number; of a long one the first rows, and a file with all."""
        cut = len(part.table) > MOST_ROWS
        file = f"tables/{self.prefix}{escaping.anchor(part.name)}.csv" if cut else ""
        return Sheet(
            part=_beginning(part, file) if cut else part,
            heading=heading,
            anchor=escaping.anchor(self.chapter.anchor, "table", part.name),
            number=self.numbers.table(part),
            whole=part if cut else None,
            file=file,
            **linked,  # type: ignore[arg-type]
        )

    @property
    def prefix(self) -> str:
        """What the names of the chapter's files begin with; nothing if it is the only one."""
        return "" if self.alone else f"{escaping.anchor(self.label)}-"

    def paper(self) -> Iterator[Block]:
        """The paper's two columns; each row leads to its runs."""
        name = self.chapter.outcomes.definition_name
        yield Paragraph(text=f"Recall and variance as {name} defines them: {DEFINITIONS[name]}.")
        (part,) = tables.parts(self.chapter.outcomes, style="paper")
        links = evidence.links(self.chapter)
        yield self.sheet(replace(part, name="paper"), "Recall and variance", links=links)

    def judgements(self, verdict: Part | None) -> Iterator[Block]:
        """Every verdict, if there are any."""
        if verdict is not None and len(verdict.table):
            yield self.sheet(verdict, "Judgements")

    def tone(self) -> Iterator[Block]:
        """How recall changes over the scale of skin tone; nothing without a scale."""
        part = tables.part(self.chapter.outcomes, "tone")
        if part is None:
            return
        told = tone_table.sentences(self.chapter.outcomes)
        for sentence in told:
            yield Paragraph(text=sentence, strong=True)
        for one in self.chapter.illustrations:
            if one.name == TONE:
                yield self.picture(one)
        rest = replace(part, remarks=part.remarks[len(told) :])
        links = evidence.links(self.chapter)
        yield self.sheet(rest, "Change of recall over the scale", links=links)

    def tables(self) -> Iterator[Block]:
        """Every table of the full style that has no section of its own, or why it has no rows."""
        for which in tables.PARTS:
            apart = which in ("claims", "tone", "verdict")
            part = None if apart else tables.part(self.chapter.outcomes, which)
            if part is not None and part.table.empty:
                yield Paragraph(text=" ".join(part.remarks))
            elif part is not None:
                yield self.sheet(part, _HEADINGS[which], links=evidence.links(self.chapter))

    def figures(self) -> Iterator[Block]:
        """Every illustration, or a note that there is none."""
        apart = (CLAIMS, TONE)
        shown = [one for one in self.chapter.illustrations if one.name not in apart]
        yield from map(self.picture, shown)
        if not shown:
            yield Paragraph(text="There is no figure: the study has no data for one.")

    def picture(self, one: Illustration) -> Picture:
        """A figure with the next number."""
        return Picture(
            illustration=one,
            anchor=escaping.anchor(self.chapter.anchor, "figure", one.name),
            number=self.numbers.figure(),
            file=f"figures/{self.prefix}{escaping.anchor(one.name)}.pdf",
        )

    def ledger(self) -> Iterator[Block]:
        """Every choice with its value, or a note that nothing is known."""
        part = choices.made(self.chapter)
        if part is None:
            yield Paragraph(text="No run has ended yet, so there is no value to show.")
        else:
            yield self.sheet(part, "Ledger")

    def deviations(self) -> Iterator[Block]:
        """The deviations from the sources: those of every study, then those of this one."""
        if self.alone:
            yield self.sheet(choices.standing(), "Standing deviations")
        else:
            yield Paragraph(
                text="The deviations of every study are at the end of this report.",
                link=STANDING,
            )
        part = choices.own(self.chapter)
        if part is None:
            yield Paragraph(text="This study has no further known deviations.")
        else:
            yield self.sheet(part, "Deviations of this study")

    def provenance(self) -> Iterator[Block]:
        """Commands, runs, data, machines."""
        yield Paragraph(text="These commands repeat the runs and the table:")
        yield Commands(
            label=f"Commands that repeat {self.label}", lines=evidence.commands(self.chapter)
        )
        if any(label.startswith("data.") for label in self.chapter.index.overrides):
            yield Paragraph(
                text="Replace each file of data.* by its path: only the file name is recorded. "
                "The digests below show whether the content is the same."
            )
        part = evidence.runs(self.chapter)
        yield self.sheet(part, "Runs", targets=evidence.first_rows(self.chapter))
        for heading, shared in (
            ("Data", evidence.data(self.chapter)),
            ("Machines", evidence.machines(self.chapter)),
        ):
            if shared is not None:
                yield self.sheet(shared, heading)

    def failures(self) -> Iterator[Block]:
        """Failed and collapsed runs, or a note that there are none."""
        part = evidence.failures(self.chapter)
        ended = len(self.chapter.ended)
        if part is not None:
            yield self.sheet(part, "Reasons")
        elif ended:
            yield Paragraph(text=f"None: {_each(ended)} that ended has results.")
        else:
            yield Paragraph(text="None, but no run has ended yet.")

    def cost(self) -> Iterator[Block]:
        """Computing time, or a note that it is unknown."""
        part = evidence.cost(self.chapter)
        if part is None:
            yield Paragraph(text="No record contains the duration of its run.")
        else:
            yield self.sheet(part, "Time")


def _beginning(part: Part, file: str) -> Part:
    """The first rows of a long table, with a remark that says where the others are."""
    told = f"The first {MOST_ROWS:,} of {len(part.table):,} rows; all of them are in {file}."
    return replace(part, table=part.table.iloc[:MOST_ROWS], remarks=[told, *part.remarks])


def _each(ended: int) -> str:
    return f"each of the {ended} runs" if ended > 1 else "the one run"


def _message(chapter: Chapter, verdict: Part | None) -> Iterator[Block]:
    """The summary: the verdict, or why there is none; then runs and data."""
    found = _found(verdict)
    if found:
        yield Counts(of=found)
        published = chapter.outcomes.published
        assert published is not None
        yield Paragraph(
            text=f"The verdicts are on {published.printed} of {published.source}: recall and "
            "variance of each arm, the direction in which each arm differs from the reference, and "
            "the order of the arms."
        )
    else:
        yield Paragraph(text=_no_verdict(chapter, verdict), strong=True)
    yield Paragraph(text=f"{_runs(chapter)} Profile {chapter.index.profile}, {_data(chapter)}.")


def _found(verdict: Part | None) -> dict[str, int]:
    """The number of times that each verdict occurs; empty without verdicts."""
    if verdict is None or not len(verdict.table):
        return {}
    counts = Counter(verdict.table["Verdict"])
    return {word: counts[word] for word in _WORDS}


def _no_verdict(chapter: Chapter, verdict: Part | None) -> str:
    if verdict is not None:
        return " ".join(verdict.remarks)
    if chapter.index.published:
        return (
            "No verdict: the study's index was written by a version that did not store the "
            "protocol of the published values. Run the study again; its records are kept."
        )
    return "No verdict: the study has no published values to compare with."


def _data(chapter: Chapter) -> str:
    changed = chapter.index.overrides
    return f"{chapter.index.data}; changed: {', '.join(changed)}" if changed else chapter.index.data


def _runs(chapter: Chapter) -> str:
    """The number of runs that ended, by state."""
    ended = len(chapter.ended)
    failed = sum(not record.finished for record in chapter.ended)
    collapsed = sum(len(arm.collapsed) for arm in chapter.outcomes.arms)
    told = f"{ended} of {chapter.wanted} runs ended, {failed or 'none'} of them failed"
    return f"{told}, {collapsed} collapsed." if collapsed else f"{told}."


def document(chapters: Sequence[Chapter], *, title: str | None = None) -> Document:
    """The whole report.

    Args:
        chapters: At least one.
        title: Title of the report; made from the studies' names if None.

    Raises:
        ReproError: A study occurs twice.
    """
    for anchor, count in Counter(one.anchor for one in chapters).items():
        if count > 1:
            raise ReproError(f"{anchor}: a report shows a study once; name another, or variants")
    verdicts = [tables.part(one.outcomes, "verdict") for one in chapters]
    numbers, labels, alone = Numbers(), _labels(chapters), len(chapters) == 1
    overview = None if alone else _overview(chapters, verdicts, labels, numbers)
    studies = [
        _Maker(chapter=one, label=label, numbers=numbers, alone=alone).study(verdict)
        for one, label, verdict in zip(chapters, labels, verdicts, strict=True)
    ]
    return Document(
        title=title or _title(chapters),
        origin=_origin(chapters),
        overview=overview,
        studies=tuple(studies),
        appendix=None if alone else _appendix(numbers),
    )


def _title(chapters: Sequence[Chapter]) -> str:
    if len(chapters) == 1:
        return f"Reproduction report: {chapters[0].index.name}"
    return f"Reproduction report: {len(chapters)} studies"


def _origin(chapters: Sequence[Chapter]) -> str:
    """The records and days that the numbers come from; the same for the same records."""
    keys = {record.key for one in chapters for record in one.ended}
    days = sorted(
        str(record.provenance["started"])[:10]
        for record in chain.from_iterable(one.ended for one in chapters)
        if "started" in record.provenance
    )
    when = ""
    if days:
        when = f" of {days[0]}" if days[0] == days[-1] else f" of {days[0]} to {days[-1]}"
    runs = "one run" if len(keys) == 1 else f"{len(keys)} runs"
    return f"Made by repro {__version__} only from the records of {runs}{when}."


def _overview(
    chapters: Sequence[Chapter],
    verdicts: Sequence[Part | None],
    labels: Sequence[str],
    numbers: Numbers,
) -> ReportSection:
    """The studies of the report with their verdicts in short; names link to the chapters."""
    answered = any(one.outcomes.claims for one in chapters)
    rows = [
        {
            "Question": one.index.question,
            **(
                {"Answer": " ".join(answer.of_study(one.outcomes).sentences) or DASH}
                if answered
                else {}
            ),
            "Verdict": _in_short(one, verdict),
            "Runs": _runs(one),
        }
        for one, verdict in zip(chapters, verdicts, strict=True)
    ]
    table = pd.DataFrame(rows, index=pd.Index(labels, name="Study"))
    part = Part(name=OVERVIEW, title="The studies of this report.", table=table, holds="words")
    sheet = Sheet(
        part=part,
        heading="All studies",
        anchor=f"{OVERVIEW}-table",
        number=numbers.table(part),
        links={label: one.anchor for label, one in zip(labels, chapters, strict=True)},
    )
    return ReportSection(title="Overview", anchor=OVERVIEW, blocks=(sheet,))


def _labels(chapters: Sequence[Chapter]) -> list[str]:
    """Names of the studies, with the variant if a study has two."""
    names = Counter(one.index.name for one in chapters)
    return [
        one.index.name if names[one.index.name] == 1 else f"{one.index.name}@{one.index.variant}"
        for one in chapters
    ]


def _in_short(chapter: Chapter, verdict: Part | None) -> str:
    found = _found(verdict)
    if found:
        return ", ".join(f"{count} {word}" for word, count in found.items())
    return _no_verdict(chapter, verdict)


def _appendix(numbers: Numbers) -> ReportSection:
    part = choices.standing()
    sheet = Sheet(
        part=part,
        heading="All standing deviations",
        anchor=f"{STANDING}-table",
        number=numbers.table(part),
    )
    return ReportSection(title="Standing deviations", anchor=STANDING, blocks=(sheet,))


def whole_tables(found: Document) -> Iterator[tuple[str, Part]]:
    """The file and all rows of every table of which the report prints the first rows."""
    for study in found.studies:
        for section in study.sections:
            for block in section.blocks:
                if isinstance(block, Sheet) and block.whole is not None:
                    yield block.file, block.whole


def illustrations(found: Document) -> Iterator[tuple[str, Illustration]]:
    """The file and the figure of every illustration."""
    for study in found.studies:
        for section in study.sections:
            for block in section.blocks:
                if isinstance(block, Picture):
                    yield block.file, block.illustration


def _answer(one: Chapter) -> str:
    """The answer without its comparison: a cell of a table."""
    return " ".join(answer.of_study(one.outcomes).sentences) or DASH
