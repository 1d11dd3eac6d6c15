"""Lines of a table with the roles of its columns -> rows of arms and runs.

A table is *long* if a column names the group of each line: the lines of an arm and run make one
row. Else each line is a row, with a column for each group.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from repro.analysis.audit.reading import arm_keys, column_names
from repro.analysis.audit.reading.arm_keys import Key
from repro.analysis.audit.reading.column_roles import Column, margins_among
from repro.analysis.audit.reading.grid import GridRow
from repro.analysis.audit.reading.printed_cells import MOST_ALPHA, Cells
from repro.analysis.audit.reading.published_table import Cell, Row, Share

WHOLE = "all"  # the group of a line that names none
INFINITE = ("inf", "infinity", "∞")
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file.

    Attributes:
        labels: Its words in the columns that may divide the table.
        row: What it says; of a long table, of one group.
    """

    labels: Labels
    row: Row

    @property
    def place(self) -> tuple[Labels, Key, str | None]:
        """Equal for lines of one arm and run."""
        return self.labels, self.row.arm, self.row.run


def read_lines(cells: Cells, arm_without_column: str) -> list[Line]:
    """Every line of the file; those with a problem are left out.

    Args:
        cells: Of the table; collects the problems.
        arm_without_column: Name of the one arm of a table that has no column for it.
    """
    named = _named(cells, arm_without_column)
    return [line for row in cells.grid.rows if (line := _line(cells, row, named))]


def _named(cells: Cells, arm_without_column: str) -> dict[int, tuple[Key, str | None]]:
    """Arm and run of each line, by its number; those with a problem are left out."""
    reading = cells.reading
    arm, alpha, run = (reading.one(role) for role in ("arm", "alpha", "run"))
    runs_of = _runs_of_names(cells, arm) if arm and arm.with_run else {}
    found: dict[int, tuple[Key, str | None]] = {}
    for row in cells.grid.rows:
        text = row.cells[arm.at] if arm else arm_without_column
        name, of_name = runs_of.get(row.line, (text, None))
        word, of = arm_keys.word_of(name), row.cells[run.at] if run else of_name
        if not word and arm:
            cells.problems.report(row.line, "is empty", arm.written)
        if run and not of:
            cells.problems.report(row.line, "is empty", run.written)
        smoothing = _alpha(cells, row, alpha)
        if word and (of or not run) and (alpha is None or smoothing is not None):
            found[row.line] = Key(word, smoothing), of
    return found if alpha else _with_alphas(found)


def _alpha(cells: Cells, row: GridRow, alpha: Column | None) -> float | None:
    if alpha is None:
        return None
    said = cells.parsed(row, alpha)
    if said is None or said.state == "missing" or row.cells[alpha.at].lower() in INFINITE:
        return None if said is None else math.inf
    value = cells.number(row, alpha, MOST_ALPHA)
    return None if value is None else float(value)


def _with_alphas(
    found: dict[int, tuple[Key, str | None]],
) -> dict[int, tuple[Key, str | None]]:
    """The same, with the alphas that names give; an arm without one then does not resample."""
    keys = {line: arm_keys.with_alpha(key.word) for line, (key, _) in found.items()}
    if not any(keys.values()):
        return found
    return {
        line: (keys[line] or replace(key, alpha=math.inf), run)
        for line, (key, run) in found.items()
    }


def _runs_of_names(cells: Cells, arm: Column) -> dict[int, tuple[str, str | None]]:
    """Arm and run of each line, from names that hold both.

    Lines of one name are numbered if names repeat; else the last number in a name is its run.
    """
    texts = {row.line: row.cells[arm.at] for row in cells.grid.rows}
    if len(set(texts.values())) < len(texts):
        seen: Counter[tuple[str, ...]] = Counter()
        found: dict[int, tuple[str, str | None]] = {}
        labels = cells.reading.of("label")
        groups = cells.reading.of("group")
        for row in cells.grid.rows:
            text = texts[row.line]
            place = (text, *(row.cells[column.at] for column in (*labels, *groups)))
            seen[place] += 1
            found[row.line] = text, str(seen[place])
        return found
    split = {line: arm_keys.without_run(text) for line, text in texts.items()}
    for line, one in split.items():
        if one is None:
            cells.problems.report(line, f"'{texts[line]}' holds no number of a run", arm.written)
    return {line: one for line, one in split.items() if one is not None}


def _line(cells: Cells, row: GridRow, named: dict[int, tuple[Key, str | None]]) -> Line | None:
    if row.line not in named:
        return None
    key, run = named[row.line]
    labels = tuple(row.cells[column.at] for column in cells.reading.of("label"))
    before = len(cells.problems.found)
    of_group = cells.reading.one("group")
    detected = [column for column in cells.reading.of("detected") if not column.name.group]
    if of_group or detected:
        found = _of_one_group(cells, row, key, run, of_group)
    else:
        found = _of_all_groups(cells, row, key, run)
    return None if len(cells.problems.found) > before else Line(labels, found)


def _of_one_group(
    cells: Cells, row: GridRow, key: Key, run: str | None, of_group: Column | None
) -> Row:
    """A line of a long table."""
    reading = cells.reading
    group = row.cells[of_group.at] if of_group else WHOLE
    if of_group and not group:
        cells.problems.report(row.line, "is empty", of_group.written)
    share, n, detected = (reading.one(role) for role in ("share", "n", "detected"))
    cell = cells.cell(row, share) if share else None
    found = _share(
        cells,
        row,
        cell,
        size=cells.count(row, n) if n else None,
        right=cells.count(row, detected) if detected else None,
        run=run,
        columns=(n, detected),
    )
    return Row(row.line, key, run, {group: found})


def _share(
    cells: Cells,
    row: GridRow,
    cell: Cell | None,
    *,
    size: int | None,
    right: int | None,
    run: str | None,
    columns: tuple[Column | None, Column | None],
) -> Share:
    """A share; it failed if nothing is said of a run, or if the cell says so."""
    n, detected = columns
    none = right is None and (cell is None or cell.value is None)
    says = cell is not None and cell.state == "failed"
    if n and cells.is_without(row, n) and not none:
        problem = "gives no number of portraits, but there is a share of them"
        cells.problems.report(row.line, problem, n.written)
    if n and size == 0 and not none:
        cells.problems.report(row.line, "is 0: recall needs at least one portrait", n.written)
    if detected and size is not None and right is not None and right > size:
        problem = f"{right} is more than n = {size}"
        cells.problems.report(row.line, problem, detected.written)
    return Share(cell, right, size or None, failed=none and (says or run is not None))


def _of_all_groups(cells: Cells, row: GridRow, key: Key, run: str | None) -> Row:
    """A line of a wide table."""
    reading = cells.reading
    sizes = {column.group: column for column in reading.of("n") if column.name.group}
    rights = {column.group: column for column in reading.of("detected")}
    shares = {column.group: column for column in reading.of("share")}
    groups = {}
    for group in dict.fromkeys([*shares, *rights]):
        share, n, detected = shares.get(group), sizes.get(group), rights.get(group)
        size = cells.count(row, n) if n else share.name.n if share else None
        groups[group] = _share(
            cells,
            row,
            cells.cell(row, share) if share else None,
            size=size,
            right=cells.count(row, detected) if detected else None,
            run=run,
            columns=(n, detected),
        )
    margins = {column.group: cells.cell(row, column) for column in reading.of("margin")}
    whole = next((column for column in reading.of("n") if not column.name.group), None)
    printed = {
        role: cells.cell(row, column)
        for role in ("overall", "worst", "best", "gap", "variance", "sd")
        if (column := reading.one(role))
    }
    return Row(
        row.line,
        key,
        run,
        groups,
        margins={group: cell for group, cell in margins.items() if cell is not None},
        n=cells.count(row, whole) if whole else None,
        **printed,
    )


def gathered(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines of a long table by arm and run, in the order of their first lines."""
    places: dict[tuple[Labels, Key, str | None], list[Row]] = {}
    for line in lines:
        places.setdefault(line.place, []).append(line.row)
    for (labels, _, _), rows in places.items():
        groups = {group: share for row in rows for group, share in row.groups.items()}
        yield Line(labels, _with_aggregates(replace(rows[0], groups=groups)))


def _with_aggregates(row: Row) -> Row:
    """The row; a group that is named as all groups, or that holds others, is none of them."""
    words = {group: column_names.group_words(group) for group in row.groups}
    margins = margins_among(words)
    wholes = [g for g in row.groups if column_names.read_name(g).role == "overall"]
    if len(row.groups) < 3 or len(wholes) > 1:
        wholes = []
    whole = row.groups[wholes[0]].cell if wholes else None
    return replace(
        row,
        groups={g: s for g, s in row.groups.items() if g not in {*margins, *wholes}},
        margins={g: s.cell for g, s in row.groups.items() if g in margins and s.cell},
        overall=whole,
    )
