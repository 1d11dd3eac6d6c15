"""All checks of all files, in order."""

from collections.abc import Callable, Iterator, Sequence

from repro.analysis.audit.checks import (
    copies,
    failed_runs,
    grimmer,
    group_sizes,
    overall,
    rounding,
    swapped_digits,
    units,
    variance_definition,
)
from repro.analysis.audit.checks import grim as grim_of_shares
from repro.analysis.audit.checks.comparison import Comparison, compare
from repro.analysis.audit.checks.definitions import definitions, lesser
from repro.analysis.audit.checks.finding import Finding, mean_words, variance_words
from repro.analysis.audit.checks.recall_counts import grim
from repro.analysis.audit.checks.trends import series_of, trend
from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.mean_files import GroupMeans, Table
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.audit.reading.run_files import Runs
from repro.analysis.audit.reading.sources import Source, same_arms
from repro.stats.disparity import DEFINITIONS
from repro.stats.forensics import Computed, GroupValues

Check = Callable[[PublishedTable], Iterator[Finding]]
OF_A_TABLE: tuple[Check, ...] = (
    units.findings,
    grim_of_shares.findings,
    grimmer.findings,
    overall.findings,
    variance_definition.findings,
    copies.findings,
    swapped_digits.findings,
    rounding.findings,
    rounding.decimals,
    group_sizes.findings,
    failed_runs.findings,
)


class Checks:
    """All checks of all files.

    Attributes:
        used: For each file of runs or groups, by title, the comparison whose definitions apply.
    """

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
        self.used: dict[str, Comparison] = {}

    def findings(self) -> Iterator[Finding]:
        """Each table by itself; then printed means, which tell the definitions of other files."""
        for printed in self.tables:
            for check in OF_A_TABLE:
                yield from check(printed)
        for table in (source for source in self.sources if isinstance(source, Table)):
            yield from self._of_table(table)
        for source in self.sources:
            if isinstance(source, GroupMeans):
                yield from self._of_trends(source)
        for source in self.sources:
            if isinstance(source, Runs):
                yield from self._of_trends(source)

    def _of_table(self, table: Table) -> Iterator[Finding]:
        others = [o for o in self.sources if not isinstance(o, Table) and o.path != table.path]
        akin = [other for other in others if same_arms(table, other)]
        runs = [self._compared(table, other) for other in akin if isinstance(other, Runs)]
        means = [self._compared(table, other) for other in akin if isinstance(other, GroupMeans)]
        best = [max(kind, key=lambda c: c.fitting) for kind in (runs, means) if kind]
        yield grim(table, best, self.images)
        for comparison in best:
            self.used.setdefault(comparison.other.title, comparison)
            yield from definitions(comparison)
        for comparison in (c for c in [*runs, *means] if c not in best):
            yield lesser(comparison)
        if not best:
            text = "No file with runs or groups of these arms was read with it."
            yield Finding("Definitions", table.title, "cannot tell", text)
        for series, title in series_of(table.keys, table.title):
            for what, column in (("variance", table.variance), ("recall", table.recall)):
                values = [Computed(float(column[key]), column[key].half) for key in series]
                shown = [str(column[key]) for key in series]
                yield trend(what, f"published {what}", title, series, values, shown)

    def _compared(self, table: Table, other: Runs | GroupMeans) -> Comparison:
        keep = self.keep or table.kept
        return compare(table, other, keep=keep, reading_error=self.reading_error)

    def _of_trends(self, source: Runs | GroupMeans) -> Iterator[Finding]:
        """Trends of computed values, under the definition of the published values if known."""
        used = self.used.get(source.title)
        mean, spread = DEFINITIONS["dehaan2020"], DEFINITIONS["dehaan2020"]
        if isinstance(source, GroupMeans):
            mean = DEFINITIONS["amini2019"]
        if used and used.settled(used.means):
            mean = used.means[0].definition
        if used and used.settled(used.variances):
            spread = used.variances[0].definition
        for series, title in series_of(source.keys, source.title):
            values = [self._kept_values(source, key, used) for key in series]
            variances = [value.variance(spread) for value in values]
            means = [estimate for value in values if (estimate := value.mean(mean))]
            for what, words, estimates in (
                ("variance", f"computed {variance_words(spread)}", variances),
                ("recall", f"computed {mean_words(mean)}", means),
            ):
                if len(estimates) == len(series):
                    shown = [f"{estimate.value:.2f}" for estimate in estimates]
                    yield trend(what, words, title, series, estimates, shown)

    def _kept_values(
        self, source: Runs | GroupMeans, key: Key, used: Comparison | None
    ) -> GroupValues:
        if isinstance(source, GroupMeans):
            return source.values(key, self.reading_error)
        kept = used.kept if used and used.kept else self.keep or source.most_runs
        return source.values(key).best(kept)
