"""All checks of all files, in order."""

from collections.abc import Callable, Iterator, Sequence

from repro.analysis.audit.checks import (
    chance,
    copies,
    extremes,
    failed_runs,
    grimmer,
    group_differences,
    group_sizes,
    mean_rows,
    order,
    overall,
    rounding,
    swapped_digits,
    trends,
    units,
    variance_definition,
)
from repro.analysis.audit.checks import grim as grim_of_shares
from repro.analysis.audit.checks.comparison import Comparison, compare
from repro.analysis.audit.checks.definitions import definitions, lesser
from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.checks.recall_counts import grim
from repro.analysis.audit.reading.mean_files import GroupMeans, Table
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.audit.reading.run_files import Runs
from repro.analysis.audit.reading.sources import Source, same_arms

LATER = "The other checks of this table are made once its units are clear."
Check = Callable[[PublishedTable], Iterator[Finding]]
OF_A_TABLE: tuple[Check, ...] = (
    units.findings,
    grim_of_shares.findings,
    grimmer.findings,
    overall.findings,
    extremes.findings,
    mean_rows.findings,
    variance_definition.findings,
    copies.findings,
    swapped_digits.findings,
    rounding.findings,
    rounding.decimals,
    group_sizes.findings,
    chance.findings,
    group_differences.findings,
    trends.findings,
    order.findings,
    failed_runs.findings,
)


def _of_one(printed: PublishedTable) -> Iterator[Finding]:
    """The findings of one table; of wrong units alone, which the other checks would only echo."""
    unit = list(units.findings(printed))
    if any(one.result in ("contradicts", "impossible") for one in unit):
        yield from unit
        yield Finding("Units", printed.title, "cannot tell", LATER, "the unit of these shares")
        yield from failed_runs.findings(printed)
        return
    for check in OF_A_TABLE:
        yield from check(printed)


class Checks:
    """All checks of all files."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        tables: Sequence[PublishedTable] = (),
        images: int | None,
        keep: int | None,
        reading_error: float,
    ) -> None:
        """Store the files and options.

        Args:
            sources: Of all files that were read, for the checks across files.
            tables: Of all files that were read, for the checks of `OF_A_TABLE`.
            images: Portraits in a run, for GRIM; None takes that of the files, else that of PPB.
            keep: Runs of an arm that were kept; None tries every number when published means
                are compared with runs, and keeps all otherwise.
            reading_error: Largest error of group means, in percentage points.
        """
        self.sources, self.tables = sources, tables
        self.images, self.keep = images, keep
        self.reading_error = reading_error

    def findings(self) -> Iterator[Finding]:
        """Each table by itself; then printed means against the runs or groups of other files."""
        for printed in self.tables:
            yield from _of_one(printed)
        for table in (source for source in self.sources if isinstance(source, Table)):
            yield from self._of_table(table)

    def _of_table(self, table: Table) -> Iterator[Finding]:
        others = [other for other in self.sources if not isinstance(other, Table)]
        akin = [o for o in others if o.path != table.path and same_arms(table, o)]
        runs = [self._compared(table, other) for other in akin if isinstance(other, Runs)]
        means = [self._compared(table, other) for other in akin if isinstance(other, GroupMeans)]
        best = [max(kind, key=lambda c: c.fitting) for kind in (runs, means) if kind]
        yield grim(table, best, self.images)
        for comparison in best:
            yield from definitions(comparison)
        for comparison in (c for c in [*runs, *means] if c not in best):
            yield lesser(comparison)
        if not best and all(other.path != table.path for other in others):
            text = "No file with runs or groups of these arms was read with it."
            settle = "the runs or groups of these arms, in a file beside this one"
            yield Finding("Definitions", table.title, "cannot tell", text, settle)

    def _compared(self, table: Table, other: Runs | GroupMeans) -> Comparison:
        keep = self.keep or table.kept
        return compare(table, other, keep=keep, reading_error=self.reading_error)
