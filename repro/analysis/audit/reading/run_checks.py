"""Whether the runs of a table are complete: all groups, of one size, and not too many.

Problems are reported by line and column.
"""

from collections.abc import Sequence

from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.column_roles import Reading
from repro.analysis.audit.reading.problems import Problems
from repro.analysis.audit.reading.table_rows import Labels, Line

MOST_ARMS = 50  # of all parts; statistics take a minute for this number
MOST_RUNS = 100  # of an arm; memory grows with them


def check_runs(lines: Sequence[Line], reading: Reading, problems: Problems) -> None:
    """Report what statistics of runs cannot take.

    Args:
        lines: Of the file, those of a long table not gathered yet.
        reading: Of its columns.
        problems: Are added.
    """
    _check_amount(lines, reading, problems)
    group = reading.one("group")
    if group is None:
        return
    _check_sizes(lines, reading, problems)
    if len(problems.found) == 0:
        _check_groups(lines, group.written, problems)


def of_run(line: Line) -> str:
    """A run in words."""
    labels = f" ({', '.join(line.labels)})" if any(line.labels) else ""
    run = f"run {line.row.run} of " if line.row.run is not None else ""
    return f"{run}{line.row.arm.name}{labels}"


def _check_amount(lines: Sequence[Line], reading: Reading, problems: Problems) -> None:
    """Report more arms or runs than statistics can process."""
    runs: dict[tuple[Labels, Key], set[str]] = {}
    arm, run = reading.one("arm"), reading.one("run")
    for line in lines:
        if line.row.run is None:
            continue
        of_arm = runs.setdefault((line.labels, line.row.arm), set())
        of_arm.add(line.row.run)
        if len(runs) > MOST_ARMS:
            message = f"more than {MOST_ARMS} arms: leave some out"
            problems.report(line.row.line, message, arm.written if arm else None)
            return
        if len(of_arm) > MOST_RUNS:
            message = f"more than {MOST_RUNS} runs of {line.row.arm.name}: leave some out"
            problems.report(line.row.line, message, (run or arm or reading.columns[0]).written)
            return


def _check_sizes(lines: Sequence[Line], reading: Reading, problems: Problems) -> None:
    """Report groups whose size changes within an arm."""
    n = reading.one("n")
    first: dict[tuple[Labels, Key, str], tuple[int, int]] = {}
    for line in lines:
        for group, share in line.row.groups.items():
            if share.n is None or n is None:
                continue
            place = (line.labels, line.row.arm, group)
            known, at = first.setdefault(place, (share.n, line.row.line))
            if known != share.n:
                message = (
                    f"{share.n}, but {group} of {line.row.arm.name} has {known} portraits in "
                    f"line {at}"
                )
                problems.report(line.row.line, message, n.written)


def _check_groups(lines: Sequence[Line], column: str, problems: Problems) -> None:
    """Report runs without all groups of their arm."""
    groups: dict[tuple[Labels, Key], dict[str, None]] = {}
    runs: dict[tuple[Labels, Key, str | None], dict[str, Line]] = {}
    for line in lines:
        for group in line.row.groups:
            groups.setdefault((line.labels, line.row.arm), {})[group] = None
            runs.setdefault(line.place, {})[group] = line
    for (labels, arm, _), found in runs.items():
        lacking = [name for name in groups[labels, arm] if name not in found]
        if lacking:
            first = next(iter(found.values()))
            message = f"{of_run(first)} lacks {' and '.join(lacking)}"
            problems.report(first.row.line, message, column)
