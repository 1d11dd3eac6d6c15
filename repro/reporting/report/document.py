"""The content of a report, before it is HTML or LaTeX: studies, sections and blocks.

Text is plain here; the two writers escape it. A name that something can be linked by is an anchor:
ASCII letters, digits, ``-`` and ``_``, unique in the document.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from repro.reporting.figures.illustration import Illustration
from repro.reporting.tables.table_part import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Sentences; strong ones carry the message of their section, a link leads to an anchor."""

    text: str
    strong: bool = False
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How often each word was the verdict."""

    of: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Lines for a shell; the label says what for, unlike any other in the document."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table in its place.

    Attributes:
        part: The table, its title and remarks.
        heading: A few words.
        anchor: Of its section.
        number: Of the table in the document; None where the part has no rows.
        links: For rows of these names, the anchor that they lead to.
        targets: For rows at these positions, the anchor that they are.
    """

    part: Part
    heading: str
    anchor: str
    number: int | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure in its place.

    Attributes:
        illustration: The figure and its words.
        anchor: Of its section.
        number: Of the figure in the document.
        file: Beside the LaTeX document, with forward slashes.
    """

    illustration: Illustration
    anchor: str
    number: int
    file: str


Block = Paragraph | Counts | Commands | Sheet | Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSection:
    """A heading and what stands under it; one that is set off is what to read first."""

    title: str
    anchor: str
    blocks: tuple[Block, ...]
    set_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """All that is said of one study."""

    name: str
    question: str
    anchor: str
    sections: tuple[ReportSection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report.

    Attributes:
        title: Above everything.
        origin: Where its numbers come from, in a sentence or two.
        overview: Of the studies, where there are several.
        studies: At least one.
        appendix: What all studies share, where there are several.
    """

    title: str
    origin: str
    overview: ReportSection | None
    studies: tuple[Study, ...]
    appendix: ReportSection | None
