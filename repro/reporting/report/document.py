"""The content of a report, independent of HTML and LaTeX: studies, sections and blocks.

Text is plain here; the two writers escape it. An anchor is the target of a link: ASCII letters,
digits, ``-`` and ``_``, unique in the document.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from repro.reporting.figures.illustration import Illustration
from repro.reporting.tables.table_part import Part

MOST_ROWS = 1000  # of a table that a report prints; all rows of a longer one are in a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Sentences; strong ones carry the main message of a section; a link refers to an anchor."""

    text: str
    strong: bool = False
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The number of times that each verdict occurs."""

    of: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Shell commands; the label says what they do and is unique in the document."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table with its position in the document.

    Attributes:
        part: The table with its title and remarks.
        heading: A few words.
        anchor: Anchor of its section.
        number: Number of the table in the document; None if the part has no rows.
        links: For rows of these names, the anchor that they link to.
        targets: For rows at these positions, the anchor that they define.
        whole: The table with all rows, if the part has only the first `MOST_ROWS`.
        file: Path of the file with all rows, relative to the report, with forward slashes.
    """

    part: Part
    heading: str
    anchor: str
    number: int | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[int, str] = field(default_factory=dict)
    whole: Part | None = None
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure with its position in the document.

    Attributes:
        illustration: The figure and its texts.
        anchor: Anchor of its section.
        number: Number of the figure in the document.
        file: Its path relative to the LaTeX document, with forward slashes.
    """

    illustration: Illustration
    anchor: str
    number: int
    file: str


Block = Paragraph | Counts | Commands | Sheet | Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSection:
    """A heading and its blocks; a highlighted section should be read first."""

    title: str
    anchor: str
    blocks: tuple[Block, ...]
    set_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The part of a report about one study."""

    name: str
    question: str
    anchor: str
    sections: tuple[ReportSection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report.

    Attributes:
        title: Title of the document.
        origin: The origin of its numbers, in a sentence or two.
        overview: Overview of the studies, if there are several.
        studies: At least one.
        appendix: What all studies share, if there are several.
    """

    title: str
    origin: str
    overview: ReportSection | None
    studies: tuple[Study, ...]
    appendix: ReportSection | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLink:
    """A run in MLflow: its label, and its address, empty if it is not there."""

    label: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What leads from a report to the pages around it, where it is served with them.

    Attributes:
        home: Address of the list of studies.
        runs: Address of all runs in MLflow; empty if they are not there.
        state: How far the study is, in a sentence.
        arms: The runs of each arm.
        remark: What the page leaves out, in a sentence that ends with a command.
        command: That command.
    """

    home: str
    runs: str
    state: str
    arms: Mapping[str, tuple[RunLink, ...]]
    remark: str
    command: str
