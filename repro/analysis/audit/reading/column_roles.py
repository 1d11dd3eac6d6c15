"""The header of a table and what its cells are -> the role of every column, or what to ask.

A role is declared, or the name of the column says it, or the column holds words. Nothing else is
tried: a column of numbers without a role is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

from repro.analysis.audit.reading import column_names as names
from repro.analysis.audit.reading.cell_text import has_value, is_number
from repro.analysis.audit.reading.column_names import Name
from repro.analysis.audit.reading.grid import Grid
from repro.analysis.audit.reading.published_table import ColumnReading, Role
from repro.study.merge import did_you_mean

ROLES: tuple[str, ...] = get_args(Role)
ARM_AND_RUN = "arm+run"
ONE_COLUMN: tuple[Role, ...] = (
    *("alpha", "run", "group", "overall", "worst", "best", "gap", "variance", "sd"),
)
HAVE_ERRORS = ("share", "margin", "overall", "worst", "best", "variance")
Place = TypeVar("Place")
Holds = Literal["numbers", "words", "nothing"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table with its role.

    Attributes:
        at: Place in the header, from 0.
        written: Its name in the header.
        role: None until it is asked for.
        name: What the name says.
        holds: Whether a cell is a number; else whether a cell has words.
        with_run: Whether the names of arms hold the number of the run.
        of: Of an error: place of the column whose error it is.
    """

    at: int
    written: str
    role: Role | None
    why: Literal["name", "declared", "words"]
    name: Name
    holds: Holds
    with_run: bool = False
    of: int | None = None

    @property
    def group(self) -> str:
        """The group of a share, as the header names it."""
        return self.name.group or self.written

    @property
    def reading(self) -> ColumnReading:
        """How it was read."""
        return ColumnReading(self.written, self.role or "ignored", self.why)


@dataclass(frozen=True, slots=True)
class Reading:
    """The columns of a table.

    Attributes:
        columns: In the order of the file.
        unknown: Columns of numbers that nothing says what they are.
        problems: Sentences on the header, with the column if it is one.
    """

    columns: tuple[Column, ...]
    unknown: tuple[str, ...]
    problems: tuple[tuple[str | None, str], ...]

    def of(self, role: Role) -> tuple[Column, ...]:
        """The columns of a role."""
        return tuple(column for column in self.columns if column.role == role)

    def one(self, role: Role) -> Column | None:
        """The one column of a role, if there is one."""
        return next(iter(self.of(role)), None)


def read_columns(grid: Grid, declared: Mapping[str, str]) -> Reading:
    """The role of every column.

    Args:
        grid: The table.
        declared: Roles by names of columns; names that the table does not have are left alone.
    """
    problems: list[tuple[str | None, str]] = []
    said = {names.phrase_of(name): role for name, role in declared.items()}
    together = names.groups_together(grid.header)
    named = [names.read_name(written, together) for written in grid.header]
    columns = [_first(grid, at, name, said, problems) for at, name in enumerate(named)]
    columns = _in_context(columns)
    columns = _arm(columns)
    _check_two_groups(columns, problems)
    long = any(column.role == "group" for column in columns)
    for role in (*ONE_COLUMN, *(("share", "n", "detected") if long else ())):
        columns = _one_of(columns, role, problems)
    columns = _margins(columns)
    columns = _errors(columns)
    _check_groups(columns, problems)
    unknown = tuple(column.written for column in columns if column.role is None)
    return Reading(tuple(columns), unknown, tuple(problems))


def holds(grid: Grid, at: int) -> Holds:
    """What the cells of a column are."""
    cells = [row.cells[at] for row in grid.rows]
    if any(is_number(cell) for cell in cells):
        return "numbers"
    return "words" if any(cell and not has_value(cell) for cell in cells) else "nothing"


def _first(
    grid: Grid,
    at: int,
    name: Name,
    said: Mapping[str, str],
    problems: list[tuple[str | None, str]],
) -> Column:
    """The column with the role that is declared or that its name says by itself."""
    written = grid.header[at]
    kind = holds(grid, at)
    declared = said.get(names.phrase_of(written))
    if declared is not None:
        role, with_run = ("arm", True) if declared == ARM_AND_RUN else (declared, False)
        if role not in ROLES:
            problems.append((written, unknown_role(role)))
            role = "ignored"
        return Column(at, written, role, "declared", name, kind, with_run)  # type: ignore[arg-type]
    role_named = name.role
    if role_named in ("worst", "best") and kind == "words":
        return Column(at, written, "ignored", "words", name, kind)  # the group's name
    if role_named == "group" and kind == "numbers" and name.phrase in names.ONLY_WORDS:
        role_named = None
    if role_named is None and name.phrase != names.COUNT_OR_OVERALL and kind != "numbers":
        found: Role = "label" if kind == "words" else "ignored"
        return Column(at, written, found, "words", name, kind)
    return Column(at, written, role_named, "name", name, kind)


def unknown_role(role: str) -> str:
    """What is wrong with a role that is none."""
    near = did_you_mean(role, ROLES) or "."
    return f"unknown role '{role}'{near} The roles are {', '.join(ROLES)}"


def _in_context(columns: Sequence[Column]) -> list[Column]:
    """The columns; a name that means one thing or another means what the others leave."""
    roles = {column.role for column in columns}
    long = "group" in roles or "detected" in roles
    wide = any(c.role == "share" for c in columns if not c.name.bare)
    measured = any(c.role == "share" and c.name.measure for c in columns)
    recall = any(c.role == "overall" and c.name.phrase.endswith("recall") for c in columns)
    found = []
    for column in columns:
        bare = column.role == "overall" and column.name.bare and column.why == "name"
        if column.why == "name" and column.name.phrase == names.COUNT_OR_OVERALL:
            found.append(replace(column, role="n" if long else "overall" if wide else None))
        elif bare and "group" in roles and not wide:
            found.append(replace(column, role="share"))
        elif bare and wide and not measured and not recall and _is_accuracy(column):
            found.append(replace(column, role=None))  # it may count pictures of no group
        elif column.role == "group" and column.why == "name" and wide:
            found.append(replace(column, role="label"))
        else:
            found.append(column)
    return found


def _is_accuracy(column: Column) -> bool:
    return column.name.phrase in ("accuracy", "acc")


def _arm(columns: Sequence[Column]) -> list[Column]:
    """The columns with one arm, the first on the list of names; the others are labels."""
    arms = [column for column in columns if column.role == "arm"]
    declared = [column for column in arms if column.why == "declared"]
    if not arms or len(declared) > 1:
        return list(columns)
    arm = declared[0] if declared else min(arms, key=lambda column: names.rank(column.name))
    return [
        replace(column, role="label") if column.role == "arm" and column is not arm else column
        for column in columns
    ]


def _one_of(
    columns: Sequence[Column], role: Role, problems: list[tuple[str | None, str]]
) -> list[Column]:
    """The columns with one of a role, the first on the list of names; the others are ignored."""
    own = [column for column in columns if column.role == role]
    declared = [column for column in own if column.why == "declared"]
    if len(own) < 2:
        return list(columns)
    if len(declared) == 1:
        best = declared
    else:
        least = min(names.rank(column.name) for column in own) if not declared else 0
        best = declared or [column for column in own if names.rank(column.name) == least]
    if len(best) > 1:
        message = (
            f"means the same as column '{best[0].written}': "
            f'say which is not read, --column "{best[1].written}=ignored"'
        )
        problems.append((best[1].written, message))
    return [
        replace(column, role="ignored") if column in own and column is not best[0] else column
        for column in columns
    ]


def _check_two_groups(columns: Sequence[Column], problems: list[tuple[str | None, str]]) -> None:
    """Note two columns of groups of two kinds, as race and gender, if none is declared."""
    own = [column for column in columns if column.role == "group"]
    if any(column.why == "declared" for column in own) or len(own) < 2:
        return
    if all(column.name.phrase in names.ONLY_WORDS for column in own):
        both = ",".join(column.written for column in own)
        second = own[1].written
        message = (
            f"names groups, and so does column '{own[0].written}'. If a group is both, as "
            f'female of one race: --column "{both}=group"; if it divides the table: '
            f'--column "{second}=label"; if only it names the groups: --column "{second}=group"'
        )
        problems.append((second, message))


def _margins(columns: Sequence[Column]) -> list[Column]:
    """The columns; a group that holds two others of the table or more is a margin."""
    words = {column.at: names.group_words(column.group) for column in _of_groups(columns)}
    held = margins_among(words)
    return [
        replace(column, role="margin") if column.at in held and column.why == "name" else column
        for column in columns
    ]


def margins_among(words: Mapping[Place, frozenset[str]]) -> set[Place]:
    """The groups that hold two others or more: their words are part of the others' words.

    Args:
        words: Of each group, see `column_names.group_words`.
    """
    return {
        place for place, own in words.items() if sum(own < other for other in words.values()) > 1
    }


def _of_groups(columns: Sequence[Column]) -> list[Column]:
    """The columns that are shares of a group each; none if a column names the row's group."""
    if any(column.role == "group" for column in columns):
        return []
    return [column for column in columns if column.role == "share"]


def _errors(columns: Sequence[Column]) -> list[Column]:
    """The columns; each error with the column that it is of."""
    found = []
    for column in columns:
        if column.role != "error":
            found.append(column)
            continue
        if column.name.of:
            of = next((c for c in columns if _is_of(column.name.of, c)), None)
        else:
            before = (c for c in columns[: column.at] if c.holds == "numbers")
            of = next((c for c in reversed([*before]) if c.role not in ("error", "alpha")), None)
            if _may_be_between_groups(column, of, columns):
                found.append(replace(column, role=None))
                continue
        if of is not None and of.role in HAVE_ERRORS:
            found.append(replace(column, of=of.at))
        else:
            found.append(replace(column, role="ignored"))
    return found


def _may_be_between_groups(column: Column, of: Column | None, columns: Sequence[Column]) -> bool:
    """Whether `std` after the average of groups may be theirs, or that of the average."""
    groups = sum(one.role == "share" for one in columns)
    after = of is not None and of.role == "overall"
    return column.why == "name" and column.name.spread == "sd" and after and groups > 1


def _is_of(phrase: str, column: Column) -> bool:
    """Whether a phrase names the column, with or without its measure."""
    if column.role not in HAVE_ERRORS:
        return False
    own = (column.name.phrase, names.phrase_of(column.group))
    of = names.read_name(phrase, frozenset({names.phrase_of(column.group)}))
    return phrase in own or bool(of.group and names.phrase_of(of.group) in own)


def _check_groups(columns: Sequence[Column], problems: list[tuple[str | None, str]]) -> None:
    """Note two columns of one group."""
    seen: dict[frozenset[str], Column] = {}
    for column in _of_groups(columns):
        first = seen.setdefault(names.group_words(column.group), column)
        if first is not column:
            message = (
                f"names the same group as column '{first.written}': "
                f'say which is not read, --column "{column.written}=ignored"'
            )
            problems.append((column.written, message))
