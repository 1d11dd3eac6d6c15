"""Tables that stand otherwise than they are read: turned, with two columns of groups, with sizes.

Nothing is turned or joined unless it is declared; a row of sizes is told by its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from repro.analysis.audit.reading import column_names
from repro.analysis.audit.reading.cell_text import NotANumber, read_cell
from repro.analysis.audit.reading.column_roles import Reading, holds
from repro.analysis.audit.reading.grid import Grid, GridRow
from repro.analysis.audit.reading.problems import Problems
from repro.analysis.wording import joined

Roles = dict[str, str]  # by names of columns
SIZE_ROWS = {*column_names.NAMES["n"], "images", "n images", "number of images", "faces"}


def reshaped(grid: Grid, declared: Mapping[str, str], problems: Problems) -> tuple[Grid, Roles]:
    """The table with a column that names the group at most, and with an arm a row.

    Args:
        grid: As it stands in the file.
        declared: Roles by names of columns.
        problems: Takes what is wrong with a table that is to be turned.

    Returns:
        The table and the roles of its columns, both as they were if nothing is to be changed.
    """
    grid, roles = _with_joined_groups(grid, _of_header(grid, declared))
    arms = [name for name in _declared(grid, roles, "arm") if _is_of_numbers(grid, name)]
    return _turned(grid, roles, arms, problems) if len(arms) > 1 else (grid, roles)


def group_column(grid: Grid, roles: Mapping[str, str]) -> str | None:
    """The column of words that names the group of each row, if one does."""
    words = [name for name in grid.header if not _is_of_numbers(grid, name)]
    said = [name for name in words if roles.get(name) == "group"]
    named = [name for name in words if column_names.read_name(name).role == "group"]
    known = [name for name in words if all(map(_is_group, _cells(grid, name)))]
    free = [name for name in [*named, *known] if name not in roles]
    return next(iter([*said, *free]), None)


def _is_group(cell: str) -> bool:
    return column_names.is_group(cell) or column_names.read_name(cell).role == "overall"


def _of_header(grid: Grid, declared: Mapping[str, str]) -> Roles:
    """The declared roles, under the names of columns as the header writes them."""
    written = {column_names.phrase_of(name): name for name in grid.header}
    return {
        written.get(column_names.phrase_of(name), name): role for name, role in declared.items()
    }


def _declared(grid: Grid, roles: Roles, role: str) -> list[str]:
    return [name for name in grid.header if roles.get(name) == role]


def _cells(grid: Grid, name: str) -> list[str]:
    at = grid.header.index(name)
    return [row.cells[at] for row in grid.rows]


def _is_of_numbers(grid: Grid, name: str) -> bool:
    return holds(grid, grid.header.index(name)) == "numbers"


def _with_joined_groups(grid: Grid, roles: Roles) -> tuple[Grid, Roles]:
    """The table; of several declared columns of groups one is made: race and gender."""
    own = _declared(grid, roles, "group")
    if len(own) < 2:
        return grid, roles
    at = [grid.header.index(name) for name in own]

    def one(cells: Sequence[str]) -> tuple[str, ...]:
        name = " ".join(filter(None, (cells[place] for place in at)))
        rest = (name if place == at[0] else cell for place, cell in enumerate(cells))
        return tuple(cell for place, cell in enumerate(rest) if place not in at[1:])

    header = one(grid.header)
    rows = tuple(GridRow(row.line, one(row.cells)) for row in grid.rows)
    left = {name: role for name, role in roles.items() if name not in own}
    return replace(grid, header=header, rows=rows), {**left, header[at[0]]: "group"}


def _turned(
    grid: Grid, roles: Roles, arms: Sequence[str], problems: Problems
) -> tuple[Grid, Roles]:
    """The table with a row for each column of an arm, and a column for each of its rows."""
    words = [name for name in grid.header if not _is_of_numbers(grid, name)]
    key = group_column(grid, roles) or (words[0] if len(words) == 1 else None)
    if key is None:
        message = f"columns {joined(arms)} are arms, but no column names the groups: NAME=group"
        problems.report(grid.line, message)
        return grid, roles
    groups = _cells(grid, key)
    for place, group in enumerate(groups):
        if not group or group in groups[:place]:
            message = "stands in two rows: " if group else "is empty: "
            message += "each row must name another group where the columns are arms"
            problems.report(grid.rows[place].line, message, group or key)
    sizes = [name for name in grid.header if _role(name, roles) == "n"]
    for name in grid.header:
        if _is_of_numbers(grid, name) and name not in (*arms, *sizes) and name not in roles:
            message = f'is no arm: --column "{name}=arm" or --column "{name}=ignored"'
            problems.report(grid.line, message, name)
    named = [*(("n", name) for name in sizes[:1]), *((name, name) for name in arms)]
    rows = [
        GridRow(line, (arm, *_cells(grid, name)))
        for line, (arm, name) in enumerate(named, start=grid.line + 1)
    ]
    shares = [group for group in groups if column_names.read_name(group).role is None]
    note = (
        f"turned, as {joined(arms)} are arms: each row of the file is a group here, each column "
        "an arm, and lines are counted after turning."
    )
    header, notes = ("arm", *groups), (*grid.notes, note)
    new = replace(grid, header=header, rows=tuple(rows), notes=notes)
    return new, dict.fromkeys(shares, "share")


def _role(name: str, roles: Roles) -> str | None:
    return roles.get(name) or column_names.read_name(name).role


def without_sizes(grid: Grid, reading: Reading) -> tuple[Grid, dict[str, int]]:
    """The table without a row `n` of whole numbers, and the portraits of each group in it."""
    arm, groups = reading.one("arm"), [*reading.of("share"), *reading.of("margin")]
    if arm is None or reading.one("group"):
        return grid, {}
    for row in grid.rows:
        if column_names.phrase_of(row.cells[arm.at].strip("#")) in SIZE_ROWS:
            counts = {column.group: _count(grid, row.cells[column.at]) for column in groups}
            sizes = {group: n for group, n in counts.items() if n}
            if groups and len(sizes) == len(groups) and len(grid.rows) > 1:
                rest = tuple(other for other in grid.rows if other is not row)
                own = [column.group for column in reading.of("share")]
                told = joined([f"{group} {sizes[group]}" for group in own])
                note = f"line {row.line} gives the portraits of each group: {told}."
                notes = (*grid.notes, note)
                return replace(grid, rows=rest, notes=notes), {group: sizes[group] for group in own}
    return grid, {}


def _count(grid: Grid, cell: str) -> int | None:
    """A whole number of portraits; None if the cell holds none."""
    try:
        value = read_cell(cell, grid.decimal_mark).value
    except NotANumber:
        return None
    return int(value) if value and value > 0 and value == value.to_integral_value() else None
