"""Numbers whose row fits again if two of their digits are exchanged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.checks.printed_shares import is_number, place, runs_behind, size_of
from repro.analysis.audit.checks.row_aggregates import (
    Aggregates,
    Ddof,
    Overall,
    aggregates_of,
    overall_reading,
    variance_reading,
)
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.wording import joined
from repro.stats import grim
from repro.stats.forensics import Printed, Rounding
from repro.stats.misprints import exchanges
from repro.stats.rounding_modes import MODES, shortening

MOST_NAMED = 3  # exchanges of which one may be the cause
SETTLE = "the number in the authors' own files"


@dataclass(frozen=True, slots=True)
class Constraints:
    """What the numbers of a row must meet.

    Attributes:
        overall: The reading of the table's overall values; None if they are not judged.
        ddof: Of the table's variances; None if they are not judged.
        rounding: How the shares were shortened.
    """

    overall: Overall | None
    ddof: Ddof | None
    rounding: Rounding

    def met(self, row: Aggregates, trials: dict[str, int], shares: dict[str, Printed]) -> bool:
        """Whether a row with these shares and portraits meets all."""
        return self.together(row) and all(
            bool(grim.whole_counts(shares[group], n, self.rounding)) for group, n in trials.items()
        )

    def together(self, row: Aggregates) -> bool:
        """Whether its overall value and its variance are those of its groups."""
        overall = self.overall is None or row.overall is None or row.overall_fits(self.overall)
        return overall and (
            self.ddof is None or row.between is None or row.variance_fits(self.ddof)
        )


@dataclass(frozen=True, slots=True)
class _Printed:
    """A row, its printed shares, and the portraits over all runs of the groups where known."""

    row: Aggregates
    shares: dict[str, Printed]
    trials: dict[str, int]


def findings(table: PublishedTable) -> Iterator[Finding]:
    """Rows that contradict themselves, and the exchanges of digits that mend all at once."""
    if table.description.reading_error or table.description.average == "median":
        return
    rows = [row for row in aggregates_of(table) if row.overall is not None or row.between]
    if not rows:
        return
    printed = [_Printed(row, _shares(row), _trials(table, row)) for row in rows]
    constraints = _constraints(printed)
    wrong = [one for one in printed if not constraints.met(one.row, one.trials, one.shares)]
    if 2 * len(wrong) > max(len(rows), 2):
        return
    for one in wrong:
        mended = list(_mended(one, constraints))
        if 0 < len(mended) <= MOST_NAMED:
            yield _finding(table, one.row, mended)


def _constraints(printed: Sequence[_Printed]) -> Constraints:
    overall = [one.row for one in printed if one.row.overall is not None]
    between = [one.row for one in printed if one.row.between is not None]
    sized = [(one.shares[group], trials) for one in printed for group, trials in one.trials.items()]
    found = shortening(sized)
    return Constraints(
        overall_reading(overall) if overall else None,
        variance_reading(between) if between else None,
        next((mode for mode in MODES if found.all(mode)), "nearest"),
    )


def _trials(table: PublishedTable, row: Aggregates) -> dict[str, int]:
    """Portraits over all runs, of the groups where they are known."""
    runs = runs_behind(table, row.row)
    sizes = {group: size_of(table, share, group) for group, share in row.row.groups.items()}
    shares = _shares(row)
    return {} if runs is None else {g: n * runs for g, n in sizes.items() if n and g in shares}


def _shares(row: Aggregates) -> dict[str, Printed]:
    """The shares that are printed as such."""
    return {
        group: share.cell.value
        for group, share in row.row.groups.items()
        if share.detected is None
        and share.cell is not None
        and share.cell.value is not None
        and is_number(share.cell)
    }


def _mended(printed: _Printed, constraints: Constraints) -> Iterator[tuple[str, Printed, Printed]]:
    """Column, printed and exchanged number, of each exchange that meets every constraint."""
    row, shares, trials = printed.row, printed.shares, printed.trials
    for group, share in shares.items():
        for other in exchanges(share):
            if other.value > 100:
                continue
            changed = row.with_share(group, other.interval())
            if constraints.met(changed, trials, {**shares, group: other}):
                yield group, share, other
    if row.overall is not None:
        for other in exchanges(row.overall):
            if constraints.met(replace(row, overall=other), trials, shares):
                yield "the overall value", row.overall, other
    cell = row.row.variance
    if cell is not None and cell.value is not None and is_number(cell):
        for other in exchanges(cell.value):
            if constraints.met(replace(row, between=other.interval()), trials, shares):
                yield cell.column, cell.value, other


def _finding(
    table: PublishedTable, row: Aggregates, mended: Sequence[tuple[str, Printed, Printed]]
) -> Finding:
    about = f"{table.title}: {row.row.arm.name}"
    named = [f"{other} for {printed} in {column}" for column, printed, other in mended]
    if len(mended) == 1:
        text = (
            f"{place(row.row)}: {named[0]} would mend all that contradicts in this row, and no "
            "other exchange of two neighbouring digits would: the likely cause."
        )
    else:
        text = (
            f"{place(row.row)}: each of {joined(named)} would mend all that contradicts in this "
            "row: one exchange of two neighbouring digits is the likely cause."
        )
    return Finding("Swapped digits", about, "contradicts", text, SETTLE)
