"""A table as somebody published it, in one form whatever its file.

Every reader makes `PublishedTable`, every check reads it. A number keeps its text, because
the decimals are evidence. Shares (recall, accuracy, error rates) are in percent, variances in
percent squared, whatever the file has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.description import Description
from repro.stats.forensics import Printed

Role = Literal[
    "arm",  # names the row: method, model, system
    "alpha",  # the smoothing factor of the arm
    "run",  # seed, replicate, trial
    "group",  # names the group of the row (a row a run and group)
    "n",  # portraits of the group (or of the row)
    "detected",  # how many of them are right
    "share",  # of a group: of the row's, or, without a column `group`, of the column's own group
    "margin",  # of a group that holds others of the table: female, of darker and lighter female
    "overall",  # avg, mean, all, total: of all groups, pooled or their mean
    "worst",  # the lowest (of errors the highest) of the groups
    "best",
    "gap",  # best less worst
    "variance",  # between the groups
    "sd",  # between the groups
    "error",  # what ± is, of the column before it or of the one that its name begins with
    "label",  # words that divide the table: dataset, metric, split
    "ignored",  # settings, and measures that no check reads
]
State = Literal["number", "missing", "failed", "bound"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One printed number, at its place.

    Attributes:
        line: Of the file, from 1.
        column: As written in the header.
        text: As printed.
        state: `missing` for an empty cell, `-` or `X` where a table has no result; `failed` where a
            run has none (nan, failed); `bound` for `<0.1`.
        value: None unless a number; in percent, or in percent squared.
        error: What follows ±, in the same unit; None if nothing does.
    """

    line: int
    column: str
    text: str
    state: State
    value: Printed | None = None
    error: Printed | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What a row says of one group.

    Attributes:
        cell: The printed share; None where only counts are given.
        detected: Portraits that are right; None if not given, or if the run failed.
        n: Portraits of the group; None if neither the file nor its description says.
        failed: Whether the run has no number here because it failed.
    """

    cell: Cell | None
    detected: int | None = None
    n: int | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What is printed of an arm, or of one run of it.

    Attributes:
        line: Of the file; of a file with a row a run and group, the first of the run.
        run: None where the row is over all runs.
        groups: Shares by group, in the order of the file.
        margins: Of groups that hold others, as female holds darker and lighter female.
        n: Portraits of the whole row, where a table with a column a group says them.
        overall, worst, best, gap, variance, sd: Printed aggregates over the groups, if any.
    """

    line: int
    arm: Key
    run: str | None
    groups: Mapping[str, Share]
    margins: Mapping[str, Cell] = field(default_factory=dict)
    n: int | None = None
    overall: Cell | None = None
    worst: Cell | None = None
    best: Cell | None = None
    gap: Cell | None = None
    variance: Cell | None = None
    sd: Cell | None = None

    @property
    def failed(self) -> bool:
        """Whether this is a run without any number."""
        if self.groups:
            return all(share.failed for share in self.groups.values())
        printed = (self.overall, self.worst, self.best, self.gap, self.variance, self.sd)
        return self.run is not None and all(cell is None or cell.value is None for cell in printed)


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """How a column was read, and why.

    Attributes:
        why: `name` (it is on the list of names), `declared`, or `words` (no cell is a number).
    """

    column: str
    role: Role
    why: Literal["name", "declared", "words"]


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """All rows of a file, or of one part of it.

    Attributes:
        part: Values of the label columns that divide the file; empty for an undivided one.
        description: What stands beside the numbers: runs, sizes, what ± is.
        groups: Names, in the order of the file; empty for a table of means and variances alone.
        columns: How each was read.
        means: Rows that are means of the others of the part, as a row `mean` below four systems;
            they are not among the rows.
    """

    path: Path
    part: str
    description: Description
    groups: tuple[str, ...]
    rows: tuple[Row, ...]
    columns: tuple[ColumnReading, ...] = field(default=())
    means: tuple[Row, ...] = field(default=())

    @property
    def title(self) -> str:
        """File name, and part if divided."""
        return f"{self.path.name} ({self.part})" if self.part else self.path.name

    @property
    def keys(self) -> list[Key]:
        """Arms, in the order of the file."""
        return list(dict.fromkeys(row.arm for row in self.rows))

    @property
    def single_runs(self) -> bool:
        """Whether each row is one run."""
        return any(row.run is not None for row in self.rows)

    @property
    def by_arm(self) -> dict[Key, list[Row]]:
        """The rows of each arm, in one pass: for checks that go through all arms."""
        found: dict[Key, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.arm, []).append(row)
        return found

    def runs_of(self, arm: Key) -> list[Row]:
        """The rows of an arm."""
        return [row for row in self.rows if row.arm == arm]

    def sizes(self, row: Row) -> dict[str, int] | None:
        """Portraits of each group in a row; None unless all are known."""
        found = {
            group: share.n if share.n is not None else self.description.groups.get(group)
            for group, share in row.groups.items()
        }
        known = {group: n for group, n in found.items() if n is not None}
        return known if found and len(known) == len(found) else None
