"""Runs without results: they stay in the denominator, and are told."""

from collections.abc import Iterator, Sequence

from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.reading.published_table import PublishedTable, Row
from repro.analysis.wording import count, joined


def findings(table: PublishedTable) -> Iterator[Finding]:
    """Arms of which a run has no number, or fewer runs are in the file than were made."""
    if not table.single_runs:
        return
    texts = [text for key, rows in table.by_arm.items() if (text := _of_arm(table, key.name, rows))]
    if texts:
        yield Finding(
            "Failed runs",
            table.title,
            "cannot tell",
            f"{'; '.join(texts)}. Means are over the runs with numbers.",
            "the numbers of these runs, or why they have none",
        )


def _of_arm(table: PublishedTable, name: str, rows: Sequence[Row]) -> str:
    """What an arm lacks; empty if nothing."""
    lost = [row for row in rows if _is_lost(row)]
    made = max(len(rows), table.description.averaged or 0)  # or the kept ones
    if not lost and made == len(rows):
        return ""
    text = f"{made - len(lost) - (made - len(rows))} of {count(made, 'run')} of {name} have numbers"
    where = [f"run {row.run} in line {row.line}" for row in lost]
    if made > len(rows):
        where.append(f"{made - len(rows)} not in the file")
    return f"{text} (without: {joined(where)})"


def _is_lost(row: Row) -> bool:
    """Whether a run has no number, or not of every group."""
    shares = row.groups.values()
    return row.failed or any(share.failed for share in shares)
