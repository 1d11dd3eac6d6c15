"""What one publication prints, and what an audit found in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repro.analysis.audit.answer import Answer, of, ordered
from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.outcomes import Outcomes
from repro.analysis.wording import count, joined

SPREADS = {
    "sd": "the standard deviation",
    "sem": "the standard error",
    "ci95_t": "half a 95 % interval by Student's t",
    "ci95_normal": "half a normal 95 % interval",
}


@dataclass(frozen=True, slots=True)
class Publication:
    """The tables of one publication, or of files that name none.

    Attributes:
        source: Who published them; empty if no file says.
        outcomes: Of files with runs.
        findings: In the order of the files and checks.
        notes: Which files were read, why and how.
    """

    source: str
    tables: tuple[PublishedTable, ...]
    outcomes: tuple[Outcomes, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The source; without one the names of the files, of predictions that of their outcomes."""
        names = [one.path.name for one in self.tables] or [one.name for one in self.outcomes]
        return self.source or joined(list(dict.fromkeys(names)))

    @property
    def printed(self) -> str:
        """Where the numbers are printed, of all tables."""
        places = dict.fromkeys(table.description.printed for table in self.tables)
        return "; ".join(filter(None, places))

    @property
    def answer(self) -> Answer:
        """What the audit says."""
        return of(self.findings)

    @property
    def checks(self) -> list[Finding]:
        """The findings as a reviewer reads them."""
        return ordered(self.findings)

    @property
    def files(self) -> list[str]:
        """Which files were read, and what is said of their numbers, in sentences."""
        return [*self.notes, *dict.fromkeys(filter(None, map(said_of, self.tables)))]

    @property
    def columns(self) -> list[str]:
        """How each column was read, a sentence for each table."""
        return [columns_in_words(table) for table in self.tables if table.columns]


def by_source(tables: Sequence[PublishedTable]) -> dict[str, list[PublishedTable]]:
    """The tables of each source, in the order of the first one of each.

    Tables that name none belong to the only source that others name.
    """
    named = [table.description.source for table in tables if table.description.source]
    only = named[0] if len(set(named)) == 1 else ""
    found: dict[str, list[PublishedTable]] = {}
    for table in tables:
        found.setdefault(table.description.source or only, []).append(table)
    return found


def columns_in_words(table: PublishedTable) -> str:
    """How every column was read: its role, and its name where that is another word."""
    roles: dict[str, list[str]] = {}
    for column in table.columns:
        name = f"{column.column} (declared)" if column.why == "declared" else column.column
        roles.setdefault(column.role, []).append(name)
    order = sorted(roles, key=lambda role: role in ("label", "ignored"))
    told = [role if roles[role] == [role] else f"{role} {joined(roles[role])}" for role in order]
    return f"{table.title}: columns read as {'; '.join(told)}."


def said_of(table: PublishedTable) -> str:
    """What stands beside the numbers of a table, in sentences; empty if nothing does."""
    told = "; ".join(_said(table))
    note = table.description.note
    return f"{table.path.name}: {told}. {note}".strip() if told or note else ""


def _said(table: PublishedTable) -> Iterator[str]:
    said = table.description
    if said.printed:
        yield said.printed
    if said.transcribed:
        yield f"as transcribed from {said.transcribed}"
    if said.keep and said.replicates and said.keep < said.replicates:
        yield f"best {said.keep} of {count(said.replicates, 'run')}"
    elif said.averaged:
        yield count(said.averaged, "run")
    if said.average == "median":
        yield "medians over the runs"
    if said.spread:
        yield f"± is {SPREADS[said.spread]}"
    if said.reading_error:
        yield f"groups read off to {said.reading_error:g} points"
    if said.groups:
        sizes = [f"{group.replace('_', ' ')} {n:,}" for group, n in said.groups.items()]
        yield f"n: {joined(sizes)}"
    if said.images:
        yield f"{count(said.images, 'portrait')} in all"
