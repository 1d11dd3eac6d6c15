"""A file and what is said of it -> its tables, in one form whatever the file has.

All problems are collected. A column that nothing says what it is, a unit, and arms that repeat are
asked for, with the whole command that says it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from repro.analysis.audit.reading import column_names, reshaping
from repro.analysis.audit.reading.column_roles import ARM_AND_RUN, ROLES, Reading, read_columns
from repro.analysis.audit.reading.description import (
    Description,
    beside,
    command,
    merged,
    read_description,
)
from repro.analysis.audit.reading.grid import Grid, NotATable
from repro.analysis.audit.reading.grids import read_grids
from repro.analysis.audit.reading.printed_cells import Cells, all_above_one, needs_unit, unit_of
from repro.analysis.audit.reading.problems import Problems
from repro.analysis.audit.reading.published_table import PublishedTable, Row
from repro.analysis.audit.reading.run_checks import check_runs, of_run
from repro.analysis.audit.reading.table_rows import Line, gathered, read_lines
from repro.analysis.wording import joined
from repro.errors import StudyError

HOLDS_NUMBERS = frozenset(
    ("share", "margin", "detected", "overall", "worst", "best", "gap", "variance", "sd")
)
_OPTION = re.compile(r'(?<=: )--column "[^"]*"')


@dataclass(frozen=True, slots=True)
class TablesOfFile:
    """What one file holds, or what is wrong with it.

    Attributes:
        names: Columns of all its tables, also if there are problems.
        description: The file beside it, if there is one.
        notes: Sentences on what was filled in.
        foreign: Whether no table was found in it, or none with a column of shares or counts.
    """

    path: Path
    tables: tuple[PublishedTable, ...]
    problems: tuple[str, ...]
    names: frozenset[str] = frozenset()
    description: Path | None = None
    notes: tuple[str, ...] = ()
    foreign: bool = False


def read_tables(path: Path, said: Description) -> TablesOfFile:
    """The tables of one file; problems are collected, not raised.

    Args:
        path: Of a file of any format of `read_grids`.
        said: By options; the description beside the file, and what the file itself says, hold
            where it says nothing.
    """
    problems, described = Problems(path), beside(path)
    try:
        grids = read_grids(path)
        further = read_description(described) if described else Description()
    except NotATable as error:
        return TablesOfFile(path, (), error.problems, foreign=True)
    except StudyError as error:
        return TablesOfFile(path, (), tuple(str(problem) for problem in error.problems))
    reader = _Reader(path, said, further, problems)
    tables = tuple(
        table for grid in grids for table in reader.of_grid(grid, several=len(grids) > 1)
    )
    names = frozenset(name for grid in grids for name in grid.header)
    if described:
        groups = frozenset(group for table in tables for group in table.groups)
        _check_beside(described, further, names, groups, problems)
    notes = tuple(dict.fromkeys(reader.notes))
    return TablesOfFile(
        path,
        () if problems.found else tables,
        tuple(dict.fromkeys(problems.texts)),
        names,
        described,
        notes,
        foreign=not any(_is_known(grid) for grid in grids),
    )


def _check_beside(
    described: Path,
    said: Description,
    columns: frozenset[str],
    groups: frozenset[str],
    problems: Problems,
) -> None:
    """Refuse a column or group of the file beside the table that the table does not have."""
    known = {column_names.phrase_of(name) for name in columns}
    for name in said.columns:
        if column_names.phrase_of(name) not in known:
            problems.refuse(f"has no column '{name}', which {described.name} names")
    together = column_names.groups_together(columns)
    sized = {column_names.group_of(group, together) for group in groups}
    for name in said.groups if groups else ():
        if column_names.group_of(name, together) not in sized:
            problems.refuse(f"has no group '{name}', which {described.name} names")


def _is_known(grid: Grid) -> bool:
    """Whether a name in the header is of shares or counts."""
    return any(column_names.read_name(name).role in HOLDS_NUMBERS for name in grid.header)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the grids of one file.

    Attributes:
        said: By options.
        beside: By the file beside the table.
        notes: Takes the sentences on what was filled in, turned or set apart.
    """

    path: Path
    said: Description
    beside: Description
    problems: Problems
    notes: list[str] = field(default_factory=list)

    def of_grid(self, grid: Grid, *, several: bool) -> Iterator[PublishedTable]:
        """The parts of a grid; none if there are problems."""
        before = len(self.problems.found)
        try:
            description = merged([grid.description, self.beside.said, self.said.said])
        except ValueError as error:
            self.problems.refuse(str(error))
            return
        own, declared = reshaping.reshaped(grid, description.columns, self.problems)
        if len(self.problems.found) > before:
            return
        reading = read_columns(own, declared)
        self._check_header(own, reading, declared)
        if len(self.problems.found) > before:
            return
        grid, sizes = reshaping.without_sizes(own, reading)
        self.notes.extend(grid.notes)
        if sizes:
            description = merged([{"groups": sizes}, description.said])
        unit = unit_of(grid, reading, description)
        if unit is None and needs_unit(grid, reading):
            self._ask_unit(grid)
            return
        if self.said.unit == "fraction" and all_above_one(grid, reading):
            message = (
                "all shares are above 1, so they are no fractions as --unit says; if another "
                "file needs the option, say its unit in a YAML file beside it"
            )
            self.problems.report(grid.line, message)
        cells = Cells(grid, reading, unit, self.problems)
        lines = self._lines(cells)
        if len(self.problems.found) == before:
            caption = grid.caption if several else ""
            yield from _parts(self.path, caption, lines, reading, _completed(description, reading))

    def _check_header(self, grid: Grid, reading: Reading, declared: Mapping[str, str]) -> None:
        for column, message in reading.problems:
            whole = _OPTION.sub(lambda option: self._command(option[0]), message)
            self.problems.report(grid.line, whole, column)
        groups = reshaping.group_column(grid, declared)
        if reading.unknown:
            turned = groups if not {*_roles(reading)} & HOLDS_NUMBERS else None
            spreads = [c for c in reading.columns if c.role is None and c.name.spread]
            for spread in spreads:
                self.problems.report(grid.line, self._ask_spread(spread.written))
            rest = [name for name in reading.unknown if name not in [c.written for c in spreads]]
            if rest:
                self.problems.report(grid.line, self._ask_roles(rest, turned))
            return
        if reading.problems:
            return
        roles = _roles(reading)
        words = [column.written for column in reading.of("label") if column.holds == "words"]
        shares = [column.written for column in reading.of("share")]
        if "arm" not in roles and groups in words and len(shares) > 1:
            self.problems.report(grid.line, self._ask_turned(groups, shares))
        elif "arm" not in roles and words:
            asks = " or ".join(self._column(name, "arm") for name in words)
            self.problems.report(grid.line, f"no column names the arms. Say which does: {asks}")
        elif not roles & HOLDS_NUMBERS:
            message = "no column holds shares, counts or variances; the roles are "
            self.problems.report(grid.line, message + ", ".join(ROLES))
        elif roles & {"detected"} and "n" not in roles and not self._sizes_said:
            message = (
                "no column gives the number of portraits. Say which does: "
                f"{self._column('NAME', 'n')}; or give it for every group: "
                f"{self._command('--group NAME=N')}"
            )
            self.problems.report(grid.line, message)

    @property
    def _sizes_said(self) -> bool:
        return bool(self.said.groups or self.beside.groups)

    def _command(self, more: str) -> str:
        return command(self.path, self.said, more)

    def _column(self, name: str, role: str) -> str:
        """The command that declares a column."""
        return self._command(f'--column "{name}={role}"')

    def _ask_spread(self, name: str) -> str:
        """What to say of a standard deviation that may be one of two."""
        return (
            f"column '{name}' holds a standard deviation, and its name does not say of what. If "
            f"between the groups: {self._column(name, 'sd')}; if over runs, of the column before "
            f"it: {self._column(name, 'error')}; else: {self._column(name, 'ignored')}"
        )

    def _ask_turned(self, groups: str, shares: Sequence[str]) -> str:
        """What to say of a table whose rows are groups, so that its columns are arms."""
        rest = {name: role for name, role in self.said.columns.items() if name not in shares}
        said = self.said.model_copy(update={"columns": rest})
        turned = command(self.path, said, f'--column "{",".join(shares)}=arm"')
        return (
            f"column '{groups}' names groups, and no column names the arms. If the other columns "
            f"are arms: {turned}; if its rows are arms after all: {self._column(groups, 'arm')}"
        )

    def _ask_roles(self, unknown: Sequence[str], groups: str | None) -> str:
        """One message for all columns that nothing says what they are.

        Args:
            unknown: Their names.
            groups: The column of groups of a table without any column of shares.
        """
        names = ",".join(unknown)
        which, verb = ("column", "holds") if len(unknown) == 1 else ("columns", "hold")
        whose = "its name does" if len(unknown) == 1 else "their names do"
        quoted = joined([f"'{name}'" for name in unknown])
        shares = f"If shares of groups: {self._column(names, 'share')}; "
        if groups and len(unknown) > 1:
            shares = f"If arms, since '{groups}' names groups: {self._column(names, 'arm')}; "
        example = "arm" if groups and len(unknown) > 1 else "share"
        return (
            f"{which} {quoted} {verb} numbers, and {whose} not say of what. {shares}"
            f"if settings or other measures: {self._column(names, 'ignored')}. "
            f"All roles: {', '.join(ROLES)}. A file {self.path.with_suffix('.yaml').name} beside "
            f"the table can say the same: 'columns: {{{unknown[0]}: {example}}}'"
        )

    def _ask_unit(self, grid: Grid) -> None:
        message = (
            "no share is above 1, so they may be fractions, or small percentages. If fractions: "
            f"{self._command('--unit fraction')}; else {self._command('--unit percent')}"
        )
        self.problems.report(grid.line, message)

    def _lines(self, cells: Cells) -> list[Line]:
        """Rows with their labels; repeated arms and groups are reported."""
        before = len(self.problems.found)
        lines = read_lines(cells, self.path.stem)
        if len(self.problems.found) > before:
            return []
        labels = cells.reading.of("label")
        lines = _with_dividing_labels(lines)
        long = cells.reading.one("group") is not None
        if long:
            for at, column in enumerate(labels):
                if line := _changes_within_run(lines, at):
                    message = (
                        "changes within a run, so it cannot divide the table: "
                        f'--column "{column.written}=ignored" leaves it out'
                    )
                    self.problems.report(line, message, column.written)
        self._check_repeats(cells, lines)
        check_runs(lines, cells.reading, self.problems)
        return [*gathered(lines)] if long else lines

    def _check_repeats(self, cells: Cells, lines: Sequence[Line]) -> None:
        """Report lines of one arm, run and group."""
        arm, run, group = (cells.reading.one(role) for role in ("arm", "run", "group"))
        first: dict[object, Line] = {}
        repeated: dict[str, list[int]] = {}
        for line in lines:
            place = (line.place, *(line.row.groups if group else ()))
            known = first.setdefault(place, line)
            if known is line:
                continue
            if line.row.run is None:
                repeated.setdefault(line.row.arm.name, [known.row.line]).append(line.row.line)
            else:
                self._report_twice(line, known, (group or run or arm))
        if repeated:
            self._ask_runs(repeated, arm.written if arm else None)

    def _report_twice(self, line: Line, first: Line, column: Any) -> None:
        group = f"{next(iter(line.row.groups))} of " if column.role == "group" else ""
        message = f"{group}{of_run(line)} is already in line {first.row.line}"
        self.problems.report(line.row.line, message, column.written)

    def _ask_runs(self, repeated: dict[str, list[int]], arm: str | None) -> None:
        name, found = next(iter(repeated.items()))
        shown = [str(line) for line in found[:4]] + (["more"] if len(found) > 4 else [])
        others = len(repeated) - 1
        also = f" (and {others} other arm{'s' if others > 1 else ''} likewise)" if others else ""
        message = (
            f"{name} is already in line {found[0]}: it stands in lines {joined(shown)}{also}, and "
            "no column numbers the runs. If a column does: "
            f"{self._column('NAME', 'run')}; "
        )
        if arm is not None:
            message += (
                "if the lines of an arm are its runs, in this order: "
                f"{self._column(arm, ARM_AND_RUN)}; "
            )
        message += f"if a column of words divides the table: {self._column('NAME', 'label')}"
        self.problems.report(found[1], message, arm)


def _roles(reading: Reading) -> set[str | None]:
    return {column.role for column in reading.columns}


def _with_dividing_labels(lines: Sequence[Line]) -> list[Line]:
    """The lines; without labels that would make a part of every row, if no arm needs them."""
    runs = {(line.row.arm, line.row.run) for line in lines}
    parts = {line.labels for line in lines}
    rows = {line.place for line in lines}
    if len(runs) == len(rows) == len(parts) > 1:
        return [replace(line, labels=()) for line in lines]
    return list(lines)


def _changes_within_run(lines: Sequence[Line], at: int) -> int | None:
    """The first line in which a label is another than before in its run, else None."""
    if len({(line.row.arm, line.row.run, tuple(line.row.groups)) for line in lines}) < len(lines):
        return None
    first: dict[object, str] = {}
    for line in lines:
        if (
            line.labels
            and first.setdefault((line.row.arm, line.row.run), line.labels[at]) != (line.labels[at])
        ):
            return line.row.line
    return None


def _completed(description: Description, reading: Reading) -> Description:
    """The description with what the header says, where nothing else says it."""
    said: dict[str, Any] = {}
    measures = {column.name.measure for column in reading.columns if column.name.measure}
    spreads = {column.name.spread for column in reading.of("error")}
    if measures == {"error"}:
        said["measure"] = "error"
    if len(spreads) == 1 and (spread := spreads.pop()) is not None:
        said["spread"] = spread
    return merged([said, description.said])


def _parts(
    path: Path,
    caption: str,
    lines: Sequence[Line],
    reading: Reading,
    description: Description,
) -> Iterator[PublishedTable]:
    """One table for each value of the labels that vary."""
    width = len(lines[0].labels) if lines else 0
    varying = [at for at in range(width) if len({line.labels[at] for line in lines}) > 1]
    keys = [tuple(line.labels[at] for at in varying) for line in lines]
    for key in dict.fromkeys(keys):
        every = [line.row for line, own in zip(lines, keys, strict=True) if own == key]
        means = tuple(row for row in every if _is_mean(row)) if len(every) > 2 else ()
        rows = tuple(row for row in every if row not in means)
        groups = tuple(dict.fromkeys(group for row in rows for group in row.groups))
        words = [caption, *(value or "none" for value in key)]
        yield PublishedTable(
            path=path,
            part=", ".join(word for word in words if word),
            description=_of_groups(description, groups),
            groups=groups,
            rows=rows,
            columns=tuple(column.reading for column in reading.columns),
            means=means,
        )


def _is_mean(row: Row) -> bool:
    """Whether a row is called the mean of others."""
    return row.run is None and column_names.phrase_of(row.arm.name) in column_names.MEAN_ROWS


def _of_groups(description: Description, groups: Sequence[str]) -> Description:
    """The description, with its group sizes under the names that the table has."""
    if not description.groups or not groups:
        return description
    together = column_names.groups_together(groups)
    sizes = {column_names.group_of(name, together): n for name, n in description.groups.items()}
    own = {group: column_names.group_of(group, together) for group in groups}
    found = {group: sizes[words] for group, words in own.items() if words in sizes}
    return description.model_copy(update={"groups": found})
