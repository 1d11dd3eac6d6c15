"""Files with counts or accuracies of every run and group -> runs by arm, and their outcomes.

An extra column divides a file into parts. Refused are a run without all groups of its arm, a group
of varying size, and a duplicate run and group. Recalls are fractions; published accuracies percent.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repro.analysis.audit.reading.arm_keys import Key, read_key
from repro.analysis.audit.reading.csv_sheet import (
    ACCURACIES,
    ARM,
    PER_RUN,
    Row,
    Sheet,
    refuse_fractions,
)
from repro.analysis.study_data import Arm, Outcomes
from repro.analysis.wording import count
from repro.errors import DataError
from repro.stats.forensics import GroupValues, Printed
from repro.stats.intervals import Floats

MOST_ARMS = 50  # of all parts; statistics take a minute for this number
MOST_RUNS = 100  # of an arm; memory grows with them


@dataclass(frozen=True, slots=True)
class Cell:
    """A number and its line."""

    line: int
    number: Printed


@dataclass(frozen=True, slots=True)
class Runs:
    """Every run and group of some arms.

    Attributes:
        part: Values of the extra columns in this part; empty for an undivided file.
        errors: Largest rounding error of each recall, by arm.
        rounded: Published accuracies with their n; empty for counts.
    """

    path: Path
    part: str
    arms: Mapping[Key, Arm]
    errors: Mapping[Key, Floats]
    rounded: Sequence[tuple[Cell, int]]

    @property
    def keys(self) -> list[Key]:
        """Arms, in the order of the file."""
        return list(self.arms)

    @property
    def title(self) -> str:
        """File name, and part if divided."""
        return f"{self.path.name} ({self.part})" if self.part else self.path.name

    @property
    def most_runs(self) -> int:
        """The largest number of runs of an arm."""
        return max(arm.runs for arm in self.arms.values())

    def values(self, key: Key) -> GroupValues:
        """The recalls of an arm for `forensics`."""
        arm = self.arms[key]
        return GroupValues(arm.recall, self.errors[key], arm.sizes)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One run and group.

    Attributes:
        part: Values of the extra columns.
        share: Recall.
        error: Its largest rounding error.
        cell: The published accuracy; None for a count.
    """

    line: int
    part: tuple[str, ...]
    key: Key
    run: str
    group: str
    n: int
    share: float
    error: float
    cell: Cell | None

    @property
    def place(self) -> tuple[tuple[str, ...], Key, str, str]:
        """Key that must be unique among the rows."""
        return self.part, self.key, self.run, self.group


def read_runs(sheet: Sheet) -> Iterator[Runs]:
    """Read the parts of a file with counts or accuracies of every run and group.

    Args:
        sheet: With a complete header; collects the problems of its rows.

    Returns:
        One for each value of the extra columns; none if there are problems.
    """
    accuracy = next((name for name in sorted(ACCURACIES) if name in sheet.written), None)
    further = [c for c in sheet.written if c not in {*ARM, *PER_RUN, "detected", accuracy}]
    entries = [e for row in sheet.rows if (e := _entry(sheet, row, accuracy, further))]
    if accuracy == "accuracy_percent":
        cells = [entry.cell.number for entry in entries if entry.cell]
        refuse_fractions(sheet, accuracy, cells, "name it accuracy_fraction")
    _check_parts(sheet, entries, further)
    _check_amount(sheet, entries)
    complete = not sheet.found  # otherwise runs with a refused row would be reported, too
    _check_places(sheet, entries)
    if complete:
        _check_runs(sheet, entries)
    if sheet.found:
        return
    parts = dict.fromkeys(entry.part for entry in entries)
    for part in parts:
        name = ", ".join(value or "none" for value in part) if len(parts) > 1 else ""
        yield _part(sheet.path, name, [entry for entry in entries if entry.part == part])


def _entry(sheet: Sheet, row: Row, accuracy: str | None, further: Sequence[str]) -> _Entry | None:
    """The row, or None if it has a problem."""
    key = read_key(sheet, row)
    for column in ("run", "group"):
        if not row.cells[column]:
            sheet.report(row.line, "is empty", column)
    n = sheet.whole(row, "n")
    if n == 0:
        sheet.report(row.line, "is 0: recall needs at least one portrait", "n")
    share = _counted(sheet, row, n) if accuracy is None else _rounded(sheet, row, accuracy)
    run, group = row.cells["run"], row.cells["group"]
    if key is None or not run or not group or not n or share is None:
        return None
    part = tuple(row.cells[column] for column in further)
    if isinstance(share, float):
        return _Entry(row.line, part, key, run, group, n, share, 0.0, None)
    cell = Cell(row.line, share)
    recall, error = float(share) / 100, share.half / 100
    return _Entry(row.line, part, key, run, group, n, recall, error, cell)


def _counted(sheet: Sheet, row: Row, n: int | None) -> float | None:
    detected = sheet.whole(row, "detected")
    if detected is None or not n:
        return None
    if detected > n:
        sheet.report(row.line, f"{detected} is more than n = {n}", "detected")
        return None
    return detected / n


def _rounded(sheet: Sheet, row: Row, column: str) -> Printed | None:
    fraction = column == "accuracy_fraction"
    value = sheet.number(row, column, most=1 if fraction else 100)
    return None if value is None else Printed(value.scaleb(2) if fraction else value)


def _check_parts(sheet: Sheet, entries: Sequence[_Entry], further: Sequence[str]) -> None:
    """Report extra columns that change within a run."""
    if len({entry.place[1:] for entry in entries}) < len(entries):
        return
    for at, column in enumerate(further):
        first: dict[tuple[Key, str], str] = {}
        for entry in entries:
            value = entry.part[at]
            if first.setdefault((entry.key, entry.run), value) != value:
                message = "changes within a run, so it cannot divide the file: remove the column"
                sheet.report(entry.line, message, column)
                break


def _check_amount(sheet: Sheet, entries: Sequence[_Entry]) -> None:
    """Report more arms or runs than statistics can process."""
    runs: dict[tuple[object, ...], set[str]] = {}
    for entry in entries:
        of_arm = runs.setdefault((entry.part, entry.key), set())
        of_arm.add(entry.run)
        if len(runs) > MOST_ARMS:
            sheet.report(entry.line, f"more than {MOST_ARMS} arms: leave some out", "arm")
            return
        if len(of_arm) > MOST_RUNS:
            message = f"more than {MOST_RUNS} runs of {entry.key.name}: leave some out"
            sheet.report(entry.line, message, "run")
            return


def _check_places(sheet: Sheet, entries: Sequence[_Entry]) -> None:
    """Report duplicate rows, and groups whose size changes within an arm."""
    seen: dict[tuple[object, ...], _Entry] = {}
    sizes: dict[tuple[object, ...], _Entry] = {}
    for entry in entries:
        what = f"{entry.group} of {_of(entry)}"
        if (first := seen.setdefault(entry.place, entry)) is not entry:
            sheet.report(entry.line, f"{what} is already in line {first.line}", "group")
            continue
        known = sizes.setdefault((entry.part, entry.key, entry.group), entry)
        if known.n != entry.n:
            message = f"{entry.n}, but {entry.group} of {entry.key.name} has {known.n} portraits in"
            sheet.report(entry.line, f"{message} line {known.line}", "n")


def _of(entry: _Entry) -> str:
    part = f" ({', '.join(entry.part)})" if any(entry.part) else ""
    return f"run {entry.run} of {entry.key.name}{part}"


def _check_runs(sheet: Sheet, entries: Sequence[_Entry]) -> None:
    """Report runs without all groups of their arm."""
    groups: dict[tuple[object, ...], dict[str, None]] = {}
    runs: dict[tuple[object, ...], dict[str, _Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.part, entry.key), {})[entry.group] = None
        runs.setdefault((entry.part, entry.key, entry.run), {})[entry.group] = entry
    for found in runs.values():
        first = next(iter(found.values()))
        lacking = [name for name in groups[first.part, first.key] if name not in found]
        if lacking:
            message = f"{_of(first)} lacks {' and '.join(lacking)}"
            sheet.report(first.line, message, "group")
        elif len(found) == 1:
            message = f"{_of(first)} has only the group {first.group}: at least two are needed"
            sheet.report(first.line, message, "group")


def _part(path: Path, name: str, entries: Sequence[_Entry]) -> Runs:
    """One part of a checked file."""
    arms, errors = {}, {}
    for key in dict.fromkeys(entry.key for entry in entries):
        own = [entry for entry in entries if entry.key == key]
        arms[key], errors[key] = _arm(key, own)
    rounded = [(entry.cell, entry.n) for entry in entries if entry.cell]
    return Runs(path, name, arms, errors, rounded)


def _arm(key: Key, entries: Sequence[_Entry]) -> tuple[Arm, Floats]:
    """An arm, and the rounding errors of its recalls."""
    runs = list(dict.fromkeys(entry.run for entry in entries))
    groups = tuple(dict.fromkeys(entry.group for entry in entries))
    at = {(entry.run, entry.group): entry for entry in entries}
    sizes = np.array([at[runs[0], group].n for group in groups], dtype=np.int64)
    recall = np.array([[at[run, group].share for group in groups] for run in runs])
    error = np.array([[at[run, group].error for group in groups] for run in runs])
    numbers = [int(run) if re.fullmatch(r"\d{1,9}", run, re.ASCII) else -1 for run in runs]
    usable = min(numbers) >= 0 and len(set(numbers)) == len(runs)
    arm = Arm(
        name=key.name,
        alpha=key.alpha,
        wanted=len(runs),
        seeds=tuple(numbers if usable else range(1, len(runs) + 1)),
        groups=groups,
        sizes=sizes,
        recall=recall,
        # Counts are summed before the division, so equal runs stay equal.
        selector=np.round(recall * sizes, 6).sum(axis=1) / sizes.sum(),
    )
    return arm, error


def outcomes_of(source: Runs, *, keep: int | None, reference: str | None) -> Outcomes:
    """The arms of a part of a file, for tables.

    Args:
        source: The part.
        keep: Number of kept runs of an arm; None keeps all.
        reference: Arm that the others are compared with; None: the first without resampling.

    Raises:
        DataError: `keep` is more than the number of runs, or the arm is unknown.
    """
    names = [key.name for key in source.keys]
    most = source.most_runs
    if keep is not None and keep > most:
        raise DataError(
            f"{source.path}: keep is {keep}, but no arm has more than {count(most, 'run')}: "
            f"keep at most {most}"
        )
    asked = None if reference is None else " ".join(reference.replace("_", " ").split())
    if asked is not None and asked not in names:
        known = "; ".join(names)
        raise DataError(f"{source.path}: unknown arm '{reference}'; the arms are: {known}")
    plain = [key.name for key in source.keys if key.alpha == math.inf]
    stem = source.path.stem
    return Outcomes(
        name=f"{stem}, {source.part}" if source.part else stem,
        caption=f"{source.title}: published runs of {count(len(names), 'arm')}, "
        f"{_runs_of(source)}.",
        arms=tuple(source.arms.values()),
        reference=asked or (plain or names)[0],
        keep=most if keep is None else keep,
        by="recall",
        split="test",
        paired=False,
        rates=(),
        metrics=("recall", "variance"),
        test="permutation",
        synthetic=False,
        label="-".join([stem, *re.findall(r"\w+", source.part)]),
    )


def _runs_of(source: Runs) -> str:
    fewest = min(arm.runs for arm in source.arms.values())
    most = source.most_runs
    return f"{count(most, 'run')} each" if fewest == most else f"{fewest} to {most} runs each"
