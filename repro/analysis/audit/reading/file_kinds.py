"""A CSV file -> which of four kinds it is, and what it holds.

The header decides the kind: counts or accuracies of every run and group, published means with
variances, or run-averaged accuracies of groups. A column that is missing or does not belong to the
kind is a problem; a header of no kind is not reported here.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from repro.analysis.audit.reading.csv_sheet import (
    ACCURACIES,
    ARM,
    MEANS,
    PER_RUN,
    VARIANCES,
    Sheet,
    fill,
)
from repro.analysis.audit.reading.mean_files import GroupMeans, Table, read_group_means, read_table
from repro.analysis.audit.reading.run_files import Runs, read_runs
from repro.analysis.wording import count

Kind = Literal["counts", "accuracies", "published means", "group means"]
Source = Runs | Table | GroupMeans
KINDS = (
    "arm,alpha,run,group,n,detected",
    "arm,alpha,run,group,n,accuracy_percent (or accuracy_fraction)",
    "arm,alpha,recall,variance",
    "arm,alpha and a column for each group",
)


@dataclass(frozen=True, slots=True)
class File:
    """One file that was read: its content, or its problems.

    Attributes:
        kind: None if the header fits no kind.
    """

    path: Path
    kind: Kind | None
    sources: tuple[Source, ...]
    problems: tuple[str, ...]

    def note(self, why: str = "") -> str:
        """A sentence: the file, its kind, and why it was read."""
        assert self.kind is not None
        arms = len({key for source in self.sources for key in source.keys})
        what = {
            "counts": "counts of every run",
            "accuracies": "accuracies of every run",
            "published means": "published means",
            "group means": "run-averaged accuracies of groups",
        }[self.kind]
        return f"{self.path.name}{why}: {what}, {count(arms, 'arm')}."


def read_file(path: Path) -> File:
    """Read one file; problems are collected, not raised.

    Args:
        path: Of a CSV file; if it cannot be read, that is one of the problems.
    """
    sheet = Sheet(path)
    header = fill(sheet)
    kind = _kind(frozenset(header)) if header else None
    if kind is None or not _check_header(sheet, header, kind):
        return File(path, kind, (), sheet.problems)
    readers: dict[Kind, Callable[[Sheet], Iterable[Source]]] = {
        "counts": read_runs,
        "accuracies": read_runs,
        "published means": read_table,
        "group means": read_group_means,
    }
    sources = tuple(readers[kind](sheet))
    return File(path, kind, () if sheet.found else sources, sheet.problems)


def same_arms(one: Source, other: Source) -> bool:
    """Whether two files are about the same arms of the same study.

    The arms of one must be a subset of the other's, at least two unless both have only one; if both
    file names begin with an author and a year, these must agree.
    """
    mine, theirs = ({key.matched for key in source.keys} for source in (one, other))
    common = mine & theirs
    within = common in (mine, theirs) and (len(common) > 1 or mine == theirs)
    authors = {a for a in (_author(one.path), _author(other.path)) if a}
    return within and len(authors) < 2


def _author(path: Path) -> str:
    """First word of a file name if it is like dehaan2020, else empty."""
    found = re.match(r"[^\W\d_]+\d{4}[a-z]?(?![^\W_])", path.stem.lower())
    return found.group() if found else ""


def _kind(columns: frozenset[str]) -> Kind | None:
    """The kind of a header, complete or not."""
    per_run = columns & PER_RUN
    if columns & VARIANCES or (columns & MEANS and not per_run):
        return "published means"
    if "detected" in columns:
        return "counts"
    if len(per_run) > 1 or (per_run and columns & ACCURACIES):
        return "accuracies"
    if "arm" in columns and len(columns - {*ARM, "overall"} - ACCURACIES) > 1:
        return "group means"
    return None


def _check_header(sheet: Sheet, columns: Sequence[str], kind: Kind) -> bool:
    """Report problems of the header; return whether rows can be read."""
    before = len(sheet.found)
    for column in dict.fromkeys(columns):
        if columns.count(column) > 1:
            sheet.report(1, "is twice in the header", column)
        if not column:
            sheet.report(1, "has no name in the header", column)
    names = frozenset(columns)
    for choices, text in _wanted(kind):
        present = sorted(names & choices)
        if not present:
            sheet.report(1, f"is missing; a file of {kind} has {_header_of(kind)}", text)
        if len(present) > 1:
            sheet.report(
                1, f"means the same as column '{sheet.written[present[0]]}': keep one", present[1]
            )
    _check_names(sheet, names, kind)
    if not sheet.found and not sheet.rows:
        sheet.report(1, "a header and no rows")
    return len(sheet.found) == before


def _wanted(kind: Kind) -> list[tuple[frozenset[str], str]]:
    """The alternative columns that a kind needs, with the name to report if missing."""
    single = [(frozenset({name}), name) for name in ("arm", "run", "group", "n")]
    if kind == "counts":
        return [*single, (frozenset({"detected"}), "detected")]
    if kind == "accuracies":
        return [*single, (ACCURACIES, "accuracy_percent")]
    if kind == "published means":
        return [single[0], (MEANS | ACCURACIES, "recall"), (VARIANCES, "variance")]
    return [single[0]]


def _header_of(kind: Kind) -> str:
    return KINDS[("counts", "accuracies", "published means", "group means").index(kind)]


def _check_names(sheet: Sheet, names: frozenset[str], kind: Kind) -> None:
    """Report columns that do not belong to a kind."""
    if kind == "published means":
        for column in sheet.written:
            if column and column not in MEANS | ACCURACIES | VARIANCES | {*ARM}:
                sheet.report(1, f"is unknown; a file of {kind} has {_header_of(kind)}", column)
        return
    if kind == "accuracies" and "accuracy" in names:
        message = "has no unit: name it accuracy_percent or accuracy_fraction"
        sheet.report(1, message, "accuracy")
    unused = ACCURACIES if kind in ("counts", "group means") else frozenset()
    unused |= MEANS if kind in ("counts", "accuracies") else frozenset()
    for column in sheet.written:
        if column in unused | ({"overall"} if kind in ("counts", "accuracies") else set()):
            sheet.report(1, f"does not belong in a file of {kind}: remove it", column)
