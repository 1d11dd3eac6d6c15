"""Published means and variances, compared with a file of runs or groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.mean_files import GroupMeans, Table
from repro.analysis.audit.reading.run_files import Runs
from repro.stats import forensics
from repro.stats.forensics import DefinitionFit


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published table, compared with a file of runs or groups.

    Attributes:
        keys: Arms of the table that the other file has, with its names for them.
        kept: Number of best runs by pooled recall that are averaged; None for group means.
        of: Number of runs.
        means: Fits of the published means, best first.
        variances: Fits of the published variances, best first.
    """

    table: Table
    other: Runs | GroupMeans
    keys: Mapping[Key, Key]
    kept: int | None
    of: int
    means: Sequence[DefinitionFit]
    variances: Sequence[DefinitionFit]

    @property
    def fitting(self) -> int:
        """Published values that fit, under the best definition of each column."""
        return self.means[0].fitting + self.variances[0].fitting

    @property
    def about(self) -> str:
        """Both files."""
        return f"{self.table.title} and {self.other.title}"

    @property
    def selection(self) -> str:
        """The kept runs, in words; empty if all are kept."""
        if self.kept is None or self.kept >= self.of:
            return ""
        return f", of the best {self.kept} of {self.of} runs by pooled recall"

    def settled(self, readings: Sequence[DefinitionFit]) -> bool:
        """Whether the best definition fits most rows."""
        return 2 * readings[0].fitting > len(self.keys)


def compare(
    table: Table, other: Runs | GroupMeans, *, keep: int | None, reading_error: float
) -> Comparison:
    """Compare, with the number of kept runs that fits best; the largest of equals.

    Args:
        table: Printed means and variances.
        other: With at least one arm of the table.
        keep: Number of kept runs of an arm; None tries every number.
        reading_error: Largest error of group means, in percentage points.
    """
    theirs = {key.matched: key for key in other.keys}
    keys = {key: theirs[key.matched] for key in table.keys if key.matched in theirs}
    recall, variance = ([column[key] for key in keys] for column in (table.recall, table.variance))
    if isinstance(other, GroupMeans):
        values = [other.values(key, reading_error) for key in keys.values()]
        means = forensics.mean_fits(recall, values)
        return Comparison(
            table, other, keys, None, 1, means, forensics.variance_fits(variance, values)
        )
    most = max(other.arms[key].runs for key in keys.values())
    tried = []
    for kept in range(most, 0, -1) if keep is None else [min(keep, most)]:
        values = [other.values(key).best(kept) for key in keys.values()]
        means = forensics.mean_fits(recall, values)
        spreads = forensics.variance_fits(variance, values)
        tried.append(Comparison(table, other, keys, kept, most, means, spreads))
    return max(tried, key=lambda comparison: comparison.fitting)
