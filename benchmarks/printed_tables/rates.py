"""How often the audit finds and names planted errors, and accuses honest tables.

Each table goes the way of a user's: it is written as a file, in any shape, and audited.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from printed_tables.designs import any_design
from printed_tables.errors import Planted, plant
from printed_tables.files import Look, any_look, secretive, write
from printed_tables.tables import PrintedTable, draw
from repro.analysis.audit.inspection import audit
from repro.errors import DataError

HONEST = "honest"
ACCUSING = ("impossible", "contradicts")
REFUSED = "refused"  # the file was not read
EVIDENCE = {  # what else counts as found
    "copied run": (*ACCUSING, "more than chance"),  # equal runs may be honest ties
    "percent for fraction": (*ACCUSING, REFUSED),  # what is in no unit cannot be read
}
UNIT = re.compile("percent|fraction")
FOUND, ACCUSED = 0.95, 0.02  # promised: of detectable errors at least, of honest tables at most


@dataclass
class Rate:
    """What became of the tables of one kind.

    Attributes:
        found: Detectable ones that were accused of something (of the honest ones, all).
        named: Those whose finding names the kind and the place.
        missed: Numbers of the tables that were not named (honest: that were accused).
    """

    kind: str
    tables: int = 0
    detectable: int = 0
    found: int = 0
    named: int = 0
    missed: list[int] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        if self.kind == HONEST:
            return self.found <= ACCUSED * self.tables
        return self.named >= FOUND * self.detectable

    def cells(self) -> list[str]:
        """Its row in a Markdown table."""
        if self.kind == HONEST:
            share = f"{100 * self.found / self.tables:.1f} % accused"
            return [self.kind, str(self.tables), "", str(self.found), "", share]
        share = f"{100 * self.named / max(1, self.detectable):.1f} %"
        numbers = (self.tables, self.detectable, self.found, self.named)
        return [self.kind, *map(str, numbers), share]


@dataclass(frozen=True)
class Said:
    """What the audit said: result, title, and all words of each finding."""

    findings: tuple[tuple[str, str, str], ...]

    def accuses(self, results: Sequence[str] = ACCUSING) -> bool:
        """Whether something is said to be impossible or contradicted."""
        return any(result in results for result, _, _ in self.findings)

    def names(self, planted: Planted) -> bool:
        """Whether one finding names the error and its place."""
        results = EVIDENCE.get(planted.kind, ACCUSING)
        return any(
            result in results
            and title.startswith(planted.checks)
            and all(_plain(word) in _plain(words) for word in planted.words)
            for result, title, words in self.findings
        )


def _plain(words: str) -> str:
    return re.sub(r"[\s_]+", " ", words.lower())


def rate(kind: str, tables: Sequence[int]) -> Rate:
    """Audit tables of a kind, or honest ones, each by its number."""
    found = Rate(kind)
    for number in tables:
        found.tables += 1
        if kind == HONEST:
            accused = said_of_honest(number).accuses((*ACCUSING, REFUSED))
            found.found += accused
            found.missed += [number] if accused else []
        else:
            _count(found, number)
    return found


def _count(found: Rate, number: int) -> None:
    planted, said = said_of_planted(found.kind, number)
    if planted.detectable:
        named = said.names(planted)
        found.detectable += 1
        found.found += said.accuses(EVIDENCE.get(found.kind, ACCUSING))
        found.named += named
        found.missed += [] if named else [number]


def planted_table(kind: str, number: int) -> tuple[Planted, Look]:
    """A table with an error, and how it is written."""
    generator = np.random.default_rng([11, number])
    planted = plant(kind, generator)
    return planted, any_look(planted.twin.design, generator)


def honest_table(number: int) -> tuple[PrintedTable, Look]:
    """An honest table, and how it is written."""
    generator = np.random.default_rng([12, number])
    design = any_design(generator)
    table, look = draw(design, generator), any_look(design, generator)
    return table, secretive(look, generator)


def said_of_planted(kind: str, number: int) -> tuple[Planted, Said]:
    """A table with an error, and what the audit says of it."""
    planted, look = planted_table(kind, number)
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(planted.table, Path(folder), look)]
        if planted.with_runs:
            paths.append(write_runs(planted.table, Path(folder)))
        return planted, said_of(paths)


def said_of_honest(number: int) -> Said:
    """What the audit says of an honest table."""
    table, look = honest_table(number)
    with tempfile.TemporaryDirectory() as folder:
        return said_of([write(table, Path(folder), look)])


def said_of(paths: Sequence[Path]) -> Said:
    """What the audit says of these files."""
    try:
        findings = audit(paths, alone=True).findings
    except DataError as error:
        return Said(((REFUSED, "Units" if UNIT.search(str(error)) else "Reading", str(error)),))
    return Said(tuple((f.result, f.check, f"{f.about} {f.text}") for f in findings))


def write_runs(table: PrintedTable, folder: Path) -> Path:
    """The counts of all runs, as their authors might publish them."""
    path = folder / "runs.csv"
    lines = ["arm,run,group,n,detected"]
    for arm, runs in enumerate(table.counts):
        for run, counts in enumerate(runs):
            for group, n, k in zip(table.groups, table.design.sizes, counts, strict=True):
                lines.append(f"{table.arm_name(arm)},{run + 1},{group},{n},{k}")
    path.write_text("\n".join(lines) + "\n")
    return path
