"""Numbers that somebody else published -> outcomes for our tables, and findings about them.

Four kinds of CSV file are told apart by their headers: counts or accuracies of every run and group,
printed means with variances, and run-averaged accuracies of groups. Printed numbers are kept as
digits, because the number of decimals is evidence. Files are only read. Everything wrong with them
is reported at once, by line and column.
"""

import csv
import io
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np

from repro.errors import DataError
from repro.outcomes import Arm, Outcomes
from repro.stats import forensics
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.forensics import Change, Estimate, GroupValues, Printed, Reading
from repro.stats.intervals import Floats, Integers

Result = Literal["fits", "contradicts", "cannot tell"]
Kind = Literal["counts", "accuracies", "printed means", "group means"]

PPB = {"darker_male": 318, "darker_female": 271, "lighter_male": 386, "lighter_female": 295}
PPB_NAME = "the Pilot Parliaments Benchmark"
MOST_PROBLEMS = 20  # that one message lists
MOST_DECIMALS = 25
MOST_PORTRAITS = 10**9
CHANCE = 0.05  # above it, fitting by accident is no evidence
KINDS = (
    "arm,alpha,run,group,n,detected",
    "arm,alpha,run,group,n,accuracy_percent (or accuracy_fraction)",
    "arm,alpha,recall,variance",
    "arm,alpha and a column for each group",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to.

    Attributes:
        check: Short title.
        about: File, and arm where it is about one.
        result: Of the check.
        text: One or two sentences with the numbers.
    """

    check: str
    about: str
    result: Result
    text: str


@dataclass(frozen=True, slots=True)
class Audit:
    """All that was read and found.

    Attributes:
        outcomes: Of files with single runs, a further column's values apart.
        findings: In the order of the files.
        sources: Which files were read, and why.
    """

    outcomes: tuple[Outcomes, ...]
    findings: tuple[Finding, ...]
    sources: tuple[str, ...]


def audit(
    paths: Sequence[Path],
    *,
    alone: bool = False,
    images: int | None = None,
    keep: int | None = None,
    reference: str | None = None,
    reading_error: float = 0.03,
) -> Audit:
    """Read published numbers and check what can be checked of them.

    Args:
        paths: CSV files, or folders of them.
        alone: Whether files beside the named ones are left unread, even if their arms are the same.
        images: Portraits in a run, for GRIM; None takes the sizes of the groups where a file with
            single runs gives them, and the 1,270 of the Pilot Parliaments Benchmark elsewhere.
        keep: Runs of an arm that were kept; None takes all for tables, and tries every number where
            printed means are compared with runs.
        reference: Arm that the others are compared with; None takes the first without resampling.
        reading_error: How far group means read off a drawing may be wrong, in percent points.

    Raises:
        DataError: A file cannot be read or is malformed, or an option does not suit the files.
    """
    _check_options(images=images, keep=keep, reading_error=reading_error)
    files, notes = _read_all(paths, alone=alone)
    sources = [source for file in files for source in file.sources]
    runs = [source for source in sources if isinstance(source, _Runs)]
    if not runs and (keep is not None or reference is not None):
        raise DataError(
            f"{'keep' if keep is not None else 'reference'} speaks of single runs, and "
            f"{_and([file.path.name for file in files])} gives none: leave it out"
        )
    outcomes = tuple(_outcomes(source, keep=keep, reference=reference) for source in runs)
    checks = _Checks(sources, images=images, keep=keep, reading_error=reading_error)
    return Audit(outcomes, tuple(checks.findings()), tuple(notes))


def _check_options(*, images: int | None, keep: int | None, reading_error: float) -> None:
    for name, value in (("images", images), ("keep", keep)):
        if value is not None and value < 1:
            raise DataError(f"{name} is {value}: it must be at least 1")
    if not 0 <= reading_error < math.inf:
        raise DataError(f"reading_error is {reading_error}: it must be a number of at least 0")


# What a file holds


@dataclass(frozen=True, slots=True)
class _Key:
    """An arm as files name it.

    Attributes:
        word: With spaces for underscores.
        alpha: Infinite where the cell is empty, None where there is no such column.
    """

    word: str
    alpha: float | None

    @property
    def resamples(self) -> bool:
        """Whether a smoothing is given."""
        return self.alpha is not None and math.isfinite(self.alpha)

    @property
    def step(self) -> str:
        """Name within a series over alpha."""
        if self.alpha is None or not self.resamples:
            return self.word
        return f"alpha = {np.format_float_positional(self.alpha, trim='-')}"

    @property
    def name(self) -> str:
        """By which tables call it."""
        return f"{self.word}, {self.step}" if self.resamples else self.word

    @property
    def matched(self) -> tuple[str, float]:
        """What is the same for the same arm of another file."""
        return self.word, self.alpha if self.alpha is not None else math.inf


@dataclass(frozen=True, slots=True)
class _Runs:
    """Every run and group of some arms.

    Attributes:
        part: Values of the further columns that this part of the file has, if it has several.
        errors: How far each recall may be off by rounding, by arm.
        rounded: Printed accuracies with their n; empty for counts.
    """

    path: Path
    part: str
    arms: Mapping[_Key, Arm]
    errors: Mapping[_Key, Floats]
    rounded: Sequence[tuple["_Cell", int]]

    @property
    def keys(self) -> list[_Key]:
        """Arms, in the order of the file."""
        return list(self.arms)

    @property
    def title(self) -> str:
        """File, and part of it."""
        return f"{self.path.name} ({self.part})" if self.part else self.path.name

    @property
    def most_runs(self) -> int:
        """The largest number of runs of an arm."""
        return max(arm.runs for arm in self.arms.values())

    def values(self, key: _Key) -> GroupValues:
        """What statistics take."""
        arm = self.arms[key]
        return GroupValues(arm.recall, self.errors[key], arm.sizes)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A number and where it stands."""

    line: int
    number: Printed


@dataclass(frozen=True, slots=True)
class _Table:
    """Printed means and variances of some arms."""

    path: Path
    recall: Mapping[_Key, Printed]
    variance: Mapping[_Key, Printed]

    @property
    def keys(self) -> list[_Key]:
        """Arms, in the order of the file."""
        return list(self.recall)

    @property
    def title(self) -> str:
        """File."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class _GroupMeans:
    """Run-averaged accuracies of groups.

    Attributes:
        groups: Names, shape (K,).
        shown: Percent, K of each arm.
        overall: Percent, of all portraits or groups; empty without such a column.
    """

    path: Path
    groups: tuple[str, ...]
    shown: Mapping[_Key, tuple[Printed, ...]]
    overall: Mapping[_Key, Printed]

    @property
    def keys(self) -> list[_Key]:
        """Arms, in the order of the file."""
        return list(self.shown)

    @property
    def title(self) -> str:
        """File."""
        return self.path.name

    @property
    def sizes(self) -> Integers | None:
        """Portraits of each group, where the names are exactly those of PPB."""
        names = [re.sub(r"[ _-]+", "_", name.lower()) for name in self.groups]
        if sorted(names) != sorted(PPB):
            return None
        return np.array([PPB[name] for name in names], dtype=np.int64)

    def values(self, key: _Key, reading_error: float) -> GroupValues:
        """What statistics take; the error is at least that of rounding."""
        shown = self.shown[key]
        recall = np.array([[float(number) / 100 for number in shown]])
        error = np.array([[max(number.half, reading_error) / 100 for number in shown]])
        return GroupValues(recall, error, self.sizes)


_Source = _Runs | _Table | _GroupMeans


@dataclass(frozen=True, slots=True)
class _File:
    """One file, read: what it holds, or what is wrong with it.

    Attributes:
        kind: None where the header is of no known kind.
    """

    path: Path
    kind: Kind | None
    sources: tuple[_Source, ...]
    problems: tuple[str, ...]

    def note(self, why: str = "") -> str:
        """That it was read, as what, and why."""
        assert self.kind is not None
        arms = len({key for source in self.sources for key in source.keys})
        what = {
            "counts": "counts of every run",
            "accuracies": "accuracies of every run",
            "printed means": "printed means",
            "group means": "run-averaged accuracies of groups",
        }[self.kind]
        return f"{self.path.name}{why}: {what}, {_count(arms, 'arm')}."


# Which files are read


def _read_all(paths: Sequence[Path], *, alone: bool) -> tuple[list[_File], list[str]]:
    """The files, those beside them that have the same arms, and what is to be said of them."""
    files: dict[Path, _File] = {}
    notes: list[str] = []
    problems: list[str] = []
    single: list[_File] = []
    for path in paths:
        found = _folder(path, notes, problems) if path.is_dir() else [_named(path)]
        fresh = [file for file in found if file.path.resolve() not in files]
        files.update({file.path.resolve(): file for file in fresh})
        problems += [problem for file in fresh for problem in file.problems]
        notes += [file.note() for file in fresh if not file.problems]
        single += [] if path.is_dir() else fresh
    if not files and not problems:
        raise DataError("no file was named: name a CSV file or a folder of them")
    if problems:
        raise DataError(_listed(problems))
    if not alone:
        files.update({file.path.resolve(): file for file in _companions(single, files, notes)})
    return list(files.values()), notes


def _listed(problems: Sequence[str]) -> str:
    more = len(problems) - MOST_PROBLEMS
    lines = [*problems[:MOST_PROBLEMS], *([f"... and {more} more"] if more > 0 else [])]
    return "\n".join(lines)


def _folder(path: Path, notes: list[str], problems: list[str]) -> list[_File]:
    """Its files of a known kind; others are an error only where there is none."""
    files = [_read(file) for file in _csv_files(path)]
    known = [file for file in files if file.kind]
    strangers = [file for file in files if not file.kind]
    if not files:
        problems.append(f"{path}: holds no CSV file")
    if known:
        notes += [f"{file.path.name}: left out, {_why(file)}." for file in strangers]
        return known
    return [_with_kinds(file) for file in strangers]


def _why(stranger: _File) -> str:
    said = [problem.removeprefix(f"{stranger.path}: ") for problem in stranger.problems]
    return said[0].split(":")[0] if said else "of no known kind"


def _csv_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() == ".csv" and p.is_file())


def _named(path: Path) -> _File:
    return _with_kinds(_read(path))


def _with_kinds(file: _File) -> _File:
    """With what would have been known, where the header is not."""
    if file.kind or file.problems:
        return file
    message = f"{file.path}:1: of no known kind; the columns may be {'; '.join(KINDS)}"
    return _File(file.path, None, (), (message,))


def _companions(
    single: Sequence[_File], files: Mapping[Path, _File], notes: list[str]
) -> list[_File]:
    """Files beside the named ones that have the same arms."""
    found: list[_File] = []
    folders = dict.fromkeys(file.path.parent for file in single)
    for path in (path for folder in folders for path in _csv_files(folder)):
        if path.resolve() in files or path.resolve() in {file.path.resolve() for file in found}:
            continue
        file = _read(path)
        of = [
            one.path.name for one in single if one.path.parent == path.parent and _akin(one, file)
        ]
        if of:
            found.append(file)
            verb = "have" if len(of) > 1 else "has"
            why = f", read along because {' and '.join(of)} {verb} the same arms"
            notes.append(file.note(why))
        elif file.kind and file.problems:
            notes.append(f"{path.name}: stands beside, but is malformed and was left out.")
    return found


def _akin(one: _File, other: _File) -> bool:
    return any(_same_arms(a, b) for a, b in itertools.product(one.sources, other.sources))


def _same_arms(one: _Source, other: _Source) -> bool:
    """Whether two files speak of the same arms of the same study.

    All arms of one must be arms of the other, at least two unless neither has more; and where both
    file names begin with an author and a year, these must agree.
    """
    mine, theirs = ({key.matched for key in source.keys} for source in (one, other))
    common = mine & theirs
    within = common in (mine, theirs) and (len(common) > 1 or mine == theirs)
    authors = {a for a in (_author(one.path), _author(other.path)) if a}
    return within and len(authors) < 2


def _author(path: Path) -> str:
    """First word of a file name if it is like dehaan2020, else nothing."""
    found = re.match(r"[^\W\d_]+\d{4}[a-z]?(?![^\W_])", path.stem.lower())
    return found.group() if found else ""


# How a file is read

UNITS = {
    "percent": "percent",
    "%": "percent",
    "percent squared": "percent",
    "%^2": "percent",
    "%²": "percent",
    "fraction": "fraction",
    "fraction squared": "fraction",
}
ARM = ("arm", "alpha")
MEANS = frozenset(
    f"{word}{unit}"
    for word in ("recall", "mean_accuracy")
    for unit in ("", "_percent", "_fraction")
)
ACCURACIES = frozenset({"accuracy", "accuracy_percent", "accuracy_fraction"})
VARIANCES = frozenset({"variance", "variance_percent", "variance_fraction"})
PER_RUN = frozenset({"run", "group", "n"})
KNOWN = frozenset({*ARM, *PER_RUN, "detected", "overall"}) | MEANS | ACCURACIES | VARIANCES
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells of a line by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class _Sheet:
    """A file's rows, and what is wrong with them so far.

    Attributes:
        written: Each column as the header has it.
        found: Problems with their lines.
    """

    path: Path
    written: dict[str, str] = field(default_factory=dict)
    rows: list[_Row] = field(default_factory=list)
    found: list[tuple[int, str]] = field(default_factory=list)

    @property
    def problems(self) -> tuple[str, ...]:
        """By line; those of the whole file first."""
        return tuple(text for _, text in sorted(self.found, key=lambda problem: problem[0]))

    def refuse(self, message: str) -> None:
        """Note a problem of the whole file."""
        self.found.append((0, f"{self.path}: {message}"))

    def report(self, line: int, message: str, column: str | None = None) -> None:
        """Note a problem by line, and by column where it is one cell's."""
        where = "" if column is None else f" column '{self.written.get(column, column)}':"
        self.found.append((line, f"{self.path}:{line}:{where} {message}"))

    def number(self, row: _Row, column: str, *, most: float) -> Decimal | None:
        """A cell's number, in [0, most]."""
        text = row.cells[column]
        if not text:
            problem = "is empty"
        elif not NUMBER.fullmatch(text):
            problem = f"{_quoted(text)} is no number"
        elif (value := Decimal(text)) < 0:
            problem = f"{_short(text)} is negative"
        elif value > most:
            problem = f"{_short(text)} is more than {most:.10g}"
        elif Printed(value).decimals > MOST_DECIMALS:
            problem = f"{_short(text)} has more than {MOST_DECIMALS} decimals"
        else:
            return value
        self.report(row.line, problem, column)
        return None

    def whole(self, row: _Row, column: str) -> int | None:
        """A cell's count, 0 or more."""
        text = row.cells[column]
        if NUMBER.fullmatch(text) and not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
            self.report(row.line, f"{_short(text)} is no whole number", column)
            return None
        value = self.number(row, column, most=MOST_PORTRAITS)
        return None if value is None else int(value)

    def key(self, row: _Row) -> _Key | None:
        """The row's arm."""
        word = " ".join(row.cells["arm"].replace("_", " ").split())
        if not word:
            self.report(row.line, "is empty", "arm")
        if "alpha" not in row.cells:
            return _Key(word, None) if word else None
        alpha: Decimal | float | None = math.inf
        if row.cells["alpha"]:
            alpha = self.number(row, "alpha", most=1e9)
        return _Key(word, float(alpha)) if word and alpha is not None else None


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _quoted(text: str) -> str:
    return repr(_short(text))


def _canonical(name: str) -> str:
    """A column's name with its unit in words; names of groups stay as they are."""
    low = " ".join(name.lower().replace("_", " ").split())
    found = re.fullmatch(r"(accuracy|mean accuracy|recall|variance) *[(\[]?([^)\]]*)[)\]]?", low)
    if found and found.group(2).strip() in UNITS:
        return f"{found.group(1).replace(' ', '_')}_{UNITS[found.group(2).strip()]}"
    joined = low.replace(" ", "_")
    return joined if joined in KNOWN else name.strip()


def _read(path: Path) -> _File:
    """One file, whatever is wrong with it."""
    sheet = _Sheet(path)
    header = _fill(sheet)
    kind = _kind(frozenset(header)) if header else None
    if kind is None or not _check_header(sheet, header, kind):
        return _File(path, kind, (), sheet.problems)
    readers: dict[Kind, Callable[[_Sheet], Iterable[_Source]]] = {
        "counts": _runs,
        "accuracies": _runs,
        "printed means": _table,
        "group means": _group_means,
    }
    sources = tuple(readers[kind](sheet))
    return _File(path, kind, () if sheet.found else sources, sheet.problems)


def _fill(sheet: _Sheet) -> list[str]:
    """Read the lines into the sheet; returns the header's columns, none where nothing is read."""
    try:
        text = sheet.path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        sheet.refuse(f"cannot be read: {error.strerror}")
        return []
    except UnicodeDecodeError as error:
        sheet.refuse(f"is not UTF-8 (byte {error.start + 1}): save it as CSV in UTF-8")
        return []
    lines = _lines(sheet, text)
    _, header = next(lines, (0, []))
    if not header:
        if not sheet.found:
            sheet.refuse("is empty: the first line names the columns")
        return []
    if len(header) == 1 and (other := re.search("[;\t]", header[0])):
        sheet.report(1, f"a single column: separate columns by commas, not {other.group()!r}")
        return []
    columns = [_canonical(name) for name in header]
    sheet.written = dict(zip(columns, header, strict=True))
    for line, cells in lines:
        if len(cells) == len(columns):
            sheet.rows.append(_Row(line, dict(zip(columns, cells, strict=True))))
        else:
            columns_are = _count(len(columns), "column")
            sheet.report(line, f"{_count(len(cells), 'cell')}, but the header has {columns_are}")
    return columns


def _lines(sheet: _Sheet, text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every line that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield start, stripped
            start = reader.line_num + 1
    except csv.Error as error:
        sheet.report(start, f"is no CSV: {error}")


def _kind(columns: frozenset[str]) -> Kind | None:
    """What a header announces, be it complete or not."""
    per_run = columns & PER_RUN
    if columns & VARIANCES or (columns & MEANS and not per_run):
        return "printed means"
    if "detected" in columns:
        return "counts"
    if len(per_run) > 1 or (per_run and columns & ACCURACIES):
        return "accuracies"
    if "arm" in columns and len(columns - {*ARM, "overall"} - ACCURACIES) > 1:
        return "group means"
    return None


def _check_header(sheet: _Sheet, columns: Sequence[str], kind: Kind) -> bool:
    """Report what is wrong with the header; whether rows can be read under it."""
    before = len(sheet.found)
    for column in dict.fromkeys(columns):
        if columns.count(column) > 1:
            sheet.report(1, "stands twice in the header", column)
        if not column:
            sheet.report(1, "has no name in the header", column)
    names = frozenset(columns)
    for choices, text in _wanted(kind):
        present = sorted(names & choices)
        if not present:
            sheet.report(1, f"is missing; a file of {kind} has {_header_of(kind)}", text)
        if len(present) > 1:
            sheet.report(
                1, f"says the same as column '{sheet.written[present[0]]}': keep one", present[1]
            )
    _check_names(sheet, names, kind)
    if not sheet.found and not sheet.rows:
        sheet.report(1, "a header and no rows")
    return len(sheet.found) == before


def _wanted(kind: Kind) -> list[tuple[frozenset[str], str]]:
    """Of which columns a kind needs one each, and how a missing one is called."""
    single = [(frozenset({name}), name) for name in ("arm", "run", "group", "n")]
    if kind == "counts":
        return [*single, (frozenset({"detected"}), "detected")]
    if kind == "accuracies":
        return [*single, (ACCURACIES, "accuracy_percent")]
    if kind == "printed means":
        return [single[0], (MEANS | ACCURACIES, "recall"), (VARIANCES, "variance")]
    return [single[0]]


def _header_of(kind: Kind) -> str:
    return KINDS[("counts", "accuracies", "printed means", "group means").index(kind)]


def _check_names(sheet: _Sheet, names: frozenset[str], kind: Kind) -> None:
    """Report columns that a kind has no use for."""
    if kind == "printed means":
        for column in sheet.written:
            if column and column not in MEANS | ACCURACIES | VARIANCES | {*ARM}:
                sheet.report(1, f"is unknown; a file of {kind} has {_header_of(kind)}", column)
        return
    if kind == "accuracies" and "accuracy" in names:
        message = "says no unit: name it accuracy_percent or accuracy_fraction"
        sheet.report(1, message, "accuracy")
    unused = ACCURACIES if kind in ("counts", "group means") else frozenset()
    unused |= MEANS if kind in ("counts", "accuracies") else frozenset()
    for column in sheet.written:
        if column in unused | ({"overall"} if kind in ("counts", "accuracies") else set()):
            sheet.report(1, f"has no place in a file of {kind}: remove it", column)


# Files with every run


@dataclass(frozen=True, slots=True)
class _Entry:
    """One run and group.

    Attributes:
        part: Values of the further columns.
        share: Recall.
        error: How far it may be off by rounding.
        cell: The printed accuracy; None for a count.
    """

    line: int
    part: tuple[str, ...]
    key: _Key
    run: str
    group: str
    n: int
    share: float
    error: float
    cell: _Cell | None

    @property
    def place(self) -> tuple[tuple[str, ...], _Key, str, str]:
        """What only one row may say."""
        return self.part, self.key, self.run, self.group


def _runs(sheet: _Sheet) -> Iterator[_Runs]:
    """The parts of a file with counts or accuracies; none where something is wrong."""
    accuracy = next((name for name in sorted(ACCURACIES) if name in sheet.written), None)
    further = [c for c in sheet.written if c not in {*ARM, *PER_RUN, "detected", accuracy}]
    entries = [e for row in sheet.rows if (e := _entry(sheet, row, accuracy, further))]
    if accuracy == "accuracy_percent":
        cells = [entry.cell.number for entry in entries if entry.cell]
        _refuse_fractions(sheet, accuracy, cells, "name it accuracy_fraction")
    _check_parts(sheet, entries, further)
    complete = not sheet.found  # a run whose row was refused would lack it
    _check_places(sheet, entries)
    if complete:
        _check_runs(sheet, entries)
    if sheet.found:
        return
    parts = dict.fromkeys(entry.part for entry in entries)
    for part in parts:
        name = ", ".join(value or "none" for value in part) if len(parts) > 1 else ""
        yield _part(sheet.path, name, [entry for entry in entries if entry.part == part])


def _entry(sheet: _Sheet, row: _Row, accuracy: str | None, further: Sequence[str]) -> _Entry | None:
    """The row, or None where something is wrong with it."""
    key = sheet.key(row)
    for column in ("run", "group"):
        if not row.cells[column]:
            sheet.report(row.line, "is empty", column)
    n = sheet.whole(row, "n")
    if n == 0:
        sheet.report(row.line, "is 0: of no portraits there is no recall", "n")
    share = _counted(sheet, row, n) if accuracy is None else _rounded(sheet, row, accuracy)
    run, group = row.cells["run"], row.cells["group"]
    if key is None or not run or not group or not n or share is None:
        return None
    part = tuple(row.cells[column] for column in further)
    if isinstance(share, float):
        return _Entry(row.line, part, key, run, group, n, share, 0.0, None)
    cell = _Cell(row.line, share)
    recall, error = float(share) / 100, share.half / 100
    return _Entry(row.line, part, key, run, group, n, recall, error, cell)


def _counted(sheet: _Sheet, row: _Row, n: int | None) -> float | None:
    detected = sheet.whole(row, "detected")
    if detected is None or not n:
        return None
    if detected > n:
        sheet.report(row.line, f"{detected} is more than n = {n}", "detected")
        return None
    return detected / n


def _rounded(sheet: _Sheet, row: _Row, column: str) -> Printed | None:
    fraction = column == "accuracy_fraction"
    value = sheet.number(row, column, most=1 if fraction else 100)
    return None if value is None else Printed(value.scaleb(2) if fraction else value)


def _refuse_fractions(sheet: _Sheet, column: str, cells: Sequence[Printed], advice: str) -> None:
    """Percentages of which none is above 1 are fractions under a wrong name."""
    if cells and all(cell.value <= 1 for cell in cells):
        message = f"no value is above 1, so they seem to be fractions, not percent: {advice}"
        sheet.report(1, message, column)


def _check_parts(sheet: _Sheet, entries: Sequence[_Entry], further: Sequence[str]) -> None:
    """A further column parts whole runs from each other; it may not change within one."""
    if len({entry.place[1:] for entry in entries}) < len(entries):
        return
    for at, column in enumerate(further):
        first: dict[tuple[_Key, str], str] = {}
        for entry in entries:
            value = entry.part[at]
            if first.setdefault((entry.key, entry.run), value) != value:
                message = "changes within a run, so it cannot part the file: remove the column"
                sheet.report(entry.line, message, column)
                break


def _check_places(sheet: _Sheet, entries: Sequence[_Entry]) -> None:
    """Each run and group has one row, and each group one size within an arm."""
    seen: dict[tuple[object, ...], _Entry] = {}
    sizes: dict[tuple[object, ...], _Entry] = {}
    for entry in entries:
        what = f"{entry.group} of {_of(entry)}"
        if (first := seen.setdefault(entry.place, entry)) is not entry:
            sheet.report(entry.line, f"{what} stands in line {first.line} already", "group")
            continue
        known = sizes.setdefault((entry.part, entry.key, entry.group), entry)
        if known.n != entry.n:
            message = f"{entry.n}, but {entry.group} of {entry.key.name} has {known.n} portraits in"
            sheet.report(entry.line, f"{message} line {known.line}", "n")


def _of(entry: _Entry) -> str:
    part = f" ({', '.join(entry.part)})" if any(entry.part) else ""
    return f"run {entry.run} of {entry.key.name}{part}"


def _check_runs(sheet: _Sheet, entries: Sequence[_Entry]) -> None:
    """Each run of an arm has all groups of the arm."""
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
            message = f"{_of(first)} has no other group than {first.group}: at least two are needed"
            sheet.report(first.line, message, "group")


def _part(path: Path, name: str, entries: Sequence[_Entry]) -> _Runs:
    """One part of a file, checked before."""
    arms, errors = {}, {}
    for key in dict.fromkeys(entry.key for entry in entries):
        own = [entry for entry in entries if entry.key == key]
        arms[key], errors[key] = _arm(key, own)
    rounded = [(entry.cell, entry.n) for entry in entries if entry.cell]
    return _Runs(path, name, arms, errors, rounded)


def _arm(key: _Key, entries: Sequence[_Entry]) -> tuple[Arm, Floats]:
    """An arm, and how far its recalls may be off."""
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
        # Whole counts are summed before they are divided, so that equal runs stay equal.
        selector=np.round(recall * sizes, 6).sum(axis=1) / sizes.sum(),
    )
    return arm, error


def _outcomes(source: _Runs, *, keep: int | None, reference: str | None) -> Outcomes:
    """The arms of a file's part, for tables."""
    names = [key.name for key in source.keys]
    most = source.most_runs
    if keep is not None and keep > most:
        raise DataError(
            f"{source.path}: keep is {keep}, but no arm has more than {_count(most, 'run')}: "
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
        caption=f"{source.title}: published runs of {_count(len(names), 'arm')}, "
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


def _runs_of(source: _Runs) -> str:
    fewest = min(arm.runs for arm in source.arms.values())
    most = source.most_runs
    return f"{_count(most, 'run')} each" if fewest == most else f"{fewest} to {most} runs each"


# Files with one row for each arm


def _once(sheet: _Sheet) -> Iterator[tuple[_Key | None, _Row]]:
    """The rows with their arms; None where the arm is wrong or stands above already."""
    lines: dict[_Key, int] = {}
    for row in sheet.rows:
        key = sheet.key(row)
        if key is not None and lines.setdefault(key, row.line) != row.line:
            sheet.report(row.line, f"{key.name} stands in line {lines[key]} already", "arm")
            key = None
        yield key, row


def _table(sheet: _Sheet) -> Iterator[_Table]:
    """Printed means; nothing where something is wrong."""
    mean = next(name for name in sheet.written if name in MEANS | ACCURACIES)
    spread = next(name for name in sheet.written if name in VARIANCES)
    recalls, variances = {}, {}
    for key, row in _once(sheet):
        recall, variance = (
            _in_percent(sheet, row, column, power) for column, power in ((mean, 1), (spread, 2))
        )
        if key is not None and recall is not None and variance is not None:
            recalls[key], variances[key] = recall, variance
    if not mean.endswith(("_percent", "_fraction")):
        advice = f"name the columns {mean}_fraction and variance_fraction, or {mean}_percent"
        _refuse_fractions(sheet, mean, list(recalls.values()), advice)
    if not sheet.found:
        yield _Table(sheet.path, recalls, variances)


def _in_percent(sheet: _Sheet, row: _Row, column: str, power: int) -> Printed | None:
    """A cell in percent, or percent squared where the power is 2."""
    fraction = column.endswith("_fraction")
    # Two groups at 0 and 100 % have the largest variance that there is: 5,000 with ddof 1.
    most = 100 if power == 1 else 5000
    value = sheet.number(row, column, most=most / 100**power if fraction else most)
    return None if value is None else Printed(value.scaleb(2 * power) if fraction else value)


def _group_means(sheet: _Sheet) -> Iterator[_GroupMeans]:
    """Run-averaged group accuracies; nothing where something is wrong."""
    groups = tuple(name for name in sheet.written if name not in {*ARM, "overall"})
    shown: dict[_Key, tuple[Printed, ...]] = {}
    overall: dict[_Key, Printed] = {}
    for key, row in _once(sheet):
        cells = [_in_percent(sheet, row, name, 1) for name in groups]
        numbers = tuple(cell for cell in cells if cell is not None)
        total = _in_percent(sheet, row, "overall", 1) if "overall" in sheet.written else None
        if key is not None and len(numbers) == len(groups):
            shown[key] = numbers
            overall.update({key: total} if total is not None else {})
    every = [number for numbers in shown.values() for number in numbers]
    _refuse_fractions(sheet, groups[0], every, "write percent")
    if not sheet.found:
        yield _GroupMeans(sheet.path, groups, shown, overall)


# What is found


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


MEAN_WORDS = {"pooled": "recall pooled over portraits", "groups": "mean over groups"}


def _mean_words(definition: Definition) -> str:
    return MEAN_WORDS[definition.mean]


def _variance_words(definition: Definition) -> str:
    return str(definition).split("; ")[1]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A printed table against a file that says more.

    Attributes:
        keys: Arms of the table that the other has, with the other's name for them.
        kept: Best runs by pooled recall that were taken; None for group means.
        of: Runs that there were.
        means: Readings of the printed means, best first.
        variances: Readings of the printed variances, best first.
    """

    table: _Table
    other: _Runs | _GroupMeans
    keys: Mapping[_Key, _Key]
    kept: int | None
    of: int
    means: Sequence[Reading]
    variances: Sequence[Reading]

    @property
    def fitting(self) -> int:
        """Printed numbers that fit, under the best reading of each column."""
        return self.means[0].fitting + self.variances[0].fitting

    @property
    def about(self) -> str:
        """Both files."""
        return f"{self.table.title} and {self.other.title}"

    @property
    def selection(self) -> str:
        """Of which runs, where not of all."""
        if self.kept is None or self.kept >= self.of:
            return ""
        return f", of the best {self.kept} of {self.of} runs by pooled recall"

    def settled(self, readings: Sequence[Reading]) -> bool:
        """Whether a reading fits most rows."""
        return 2 * readings[0].fitting > len(self.keys)


class _Checks:
    """All checks of all files."""

    def __init__(
        self,
        sources: Sequence[_Source],
        *,
        images: int | None,
        keep: int | None,
        reading_error: float,
    ) -> None:
        self.sources, self.images, self.keep = sources, images, keep
        self.reading_error = reading_error
        self.used: dict[str, _Comparison] = {}  # by title of the file that says more

    def findings(self) -> Iterator[Finding]:
        """Of tables first, because they tell how the other files are read."""
        for table in (source for source in self.sources if isinstance(source, _Table)):
            yield from self._of_table(table)
        for source in self.sources:
            if isinstance(source, _GroupMeans):
                yield from _overall(source, self.reading_error)
                yield from self._of_trends(source)
        for source in self.sources:
            if isinstance(source, _Runs):
                yield from _whole(source)
                yield from self._of_trends(source)

    def _of_table(self, table: _Table) -> Iterator[Finding]:
        akin = [o for o in self.sources if not isinstance(o, _Table) and _same_arms(table, o)]
        runs = [self._compare(table, other) for other in akin if isinstance(other, _Runs)]
        means = [self._compare(table, other) for other in akin if isinstance(other, _GroupMeans)]
        best = [max(kind, key=lambda c: c.fitting) for kind in (runs, means) if kind]
        yield _grim(table, best, self.images)
        yield from _decimals(table)
        for comparison in best:
            self.used.setdefault(comparison.other.title, comparison)
            yield from _definitions(comparison)
        for comparison in (c for c in [*runs, *means] if c not in best):
            yield _lesser(comparison)
        if not best:
            text = "No file with single runs or groups of these arms was read beside it."
            yield Finding("Definitions", table.title, "cannot tell", text)
        for series, title in _series(table.keys, table.title):
            for what, column in (("variance", table.variance), ("recall", table.recall)):
                values = [Estimate(float(column[key]), column[key].half) for key in series]
                shown = [str(column[key]) for key in series]
                yield _trend(what, f"printed {what}", title, series, values, shown)

    def _compare(self, table: _Table, other: _Runs | _GroupMeans) -> _Comparison:
        """Under the number of kept runs that fits best; the larger one of equals."""
        theirs = {key.matched: key for key in other.keys}
        keys = {key: theirs[key.matched] for key in table.keys if key.matched in theirs}
        recall, variance = (
            [column[key] for key in keys] for column in (table.recall, table.variance)
        )
        if isinstance(other, _GroupMeans):
            values = [other.values(key, self.reading_error) for key in keys.values()]
            means = forensics.mean_readings(recall, values)
            return _Comparison(
                table, other, keys, None, 1, means, forensics.variance_readings(variance, values)
            )
        most = max(other.arms[key].runs for key in keys.values())
        tried = []
        for kept in range(most, 0, -1) if self.keep is None else [min(self.keep, most)]:
            values = [other.values(key).best(kept) for key in keys.values()]
            means = forensics.mean_readings(recall, values)
            spreads = forensics.variance_readings(variance, values)
            tried.append(_Comparison(table, other, keys, kept, most, means, spreads))
        return max(tried, key=lambda comparison: comparison.fitting)

    def _of_trends(self, source: _Runs | _GroupMeans) -> Iterator[Finding]:
        """Of computed numbers, under the definition that print was found to use, if any."""
        used = self.used.get(source.title)
        mean, spread = DEFINITIONS["dehaan2020"], DEFINITIONS["dehaan2020"]
        if isinstance(source, _GroupMeans):
            mean = DEFINITIONS["amini2019"]
        if used and used.settled(used.means):
            mean = used.means[0].definition
        if used and used.settled(used.variances):
            spread = used.variances[0].definition
        for series, title in _series(source.keys, source.title):
            values = [self._kept_values(source, key, used) for key in series]
            variances = [value.variance(spread) for value in values]
            means = [estimate for value in values if (estimate := value.mean(mean))]
            for what, words, estimates in (
                ("variance", f"computed {_variance_words(spread)}", variances),
                ("recall", f"computed {_mean_words(mean)}", means),
            ):
                if len(estimates) == len(series):
                    shown = [f"{estimate.value:.2f}" for estimate in estimates]
                    yield _trend(what, words, title, series, estimates, shown)

    def _kept_values(
        self, source: _Runs | _GroupMeans, key: _Key, used: _Comparison | None
    ) -> GroupValues:
        if isinstance(source, _GroupMeans):
            return source.values(key, self.reading_error)
        kept = used.kept if used and used.kept else self.keep or source.most_runs
        return source.values(key).best(kept)


def _lesser(comparison: _Comparison) -> Finding:
    """Of a file that another one was preferred to."""
    text = (
        f"It has the same arms, but at most {comparison.fitting} of "
        f"{2 * len(comparison.keys)} printed numbers come from it; another one fits better."
    )
    return Finding("Origin of the printed numbers", comparison.about, "contradicts", text)


# GRIM and decimals


def _portraits(best: Sequence[_Comparison], images: int | None) -> tuple[int, str]:
    """How many portraits a run has, and how that is known."""
    if images is not None:
        return images, ""
    for comparison in best:
        if isinstance(comparison.other, _Runs):
            arms = comparison.other.arms.values()
            totals = {int(arm.sizes.sum()) for arm in arms}
            if len(totals) == 1:
                return totals.pop(), f" (as in {comparison.other.title})"
    return sum(PPB.values()), f" ({PPB_NAME})"


def _grim(table: _Table, best: Sequence[_Comparison], images: int | None) -> Finding:
    """Whether some number of runs can have given the printed recalls."""
    portraits, known = _portraits(best, images)
    tried = forensics.grim(list(table.recall.values()), images=portraits)
    found = next((one for one in tried if one.all and one.chance <= CHANCE), None)
    rows = len(table.keys)
    if found:
        printed = f"All {rows} printed recalls are" if rows > 1 else "The printed recall is"
        text = (
            f"{printed} what {_count(found.runs, 'run')} of {_count(portraits, 'portrait')}{known} "
            f"can give when pooled; arbitrary numbers would be with a chance of "
            f"{_percent(found.chance)}. {_other_runs(tried, found, rows)}"
        )
        return Finding("GRIM", table.title, "fits", text)
    groups = any(c.settled(c.means) and c.means[0].definition.mean == "groups" for c in best)
    text = (
        f"No number of runs of {_count(portraits, 'portrait')}{known}, pooled, gives every printed "
        f"recall, except where arbitrary numbers would fit as well. "
        f"{_other_runs(tried, None, rows)} GRIM says nothing of means over groups"
    )
    text += ", which these are." if groups else ", which these may be."
    return Finding("GRIM", table.title, "cannot tell", text)


def _other_runs(tried: Sequence[forensics.Grim], found: forensics.Grim | None, rows: int) -> str:
    """How the other numbers of runs fare, in words."""
    short = [one for one in tried if not one.all]
    every = [one for one in tried if one.all and one is not found]
    some = ", ".join(f"{sum(one.fitting)} for {one.runs}" for one in short)
    said = [f"rows of {rows} that fit other numbers of runs: {some}"] if some else []
    if every:
        chances = _and([_percent(one.chance) for one in every])
        runs = _and([str(one.runs) for one in every])
        said.append(f"{runs} runs fit all, as arbitrary numbers would with a chance of {chances}")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.995 else "100 %"


def _decimals(table: _Table) -> Iterator[Finding]:
    """Cells that are printed shorter than the rest of their column."""
    shorter = []
    for what, column in (("recall", table.recall), ("variance", table.variance)):
        cells = list(column.items())
        for place in forensics.shorter_cells([number for _, number in cells]):
            key, number = cells[place]
            shorter.append(f"{what} {number} of {key.name}")
    if shorter:
        text = (
            f"Printed with fewer decimals than the rest: {'; '.join(shorter)}. They are taken as "
            "rounded to what is printed; perhaps a zero at the end was dropped."
        )
        yield Finding("Decimals", table.title, "cannot tell", text)
    else:
        counts = [max(n.decimals for n in c.values()) for c in (table.recall, table.variance)]
        text = (
            f"Every recall has {_count(counts[0], 'decimal')}, every variance "
            f"{_count(counts[1], 'decimal')}."
        )
        yield Finding("Decimals", table.title, "fits", text)


def _whole(source: _Runs) -> Iterator[Finding]:
    """Whether printed accuracies are whole portraits of their groups."""
    if not source.rounded:
        return
    numbers = [cell.number for cell, _ in source.rounded]
    sizes = [n for _, n in source.rounded]
    wrong = [
        f"{cell.number} % of {n} in line {cell.line}"
        for cell, n in source.rounded
        if not forensics.whole_counts(cell.number, n)
    ]
    chance = forensics.chance_of_counts(numbers, sizes)
    fits = (
        f"{len(numbers) - len(wrong)} of {len(numbers)} accuracies are whole numbers of portraits"
    )
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        text = f"{fits}; not {'; '.join(wrong[:5])}{more}."
        yield Finding("GRIM", source.title, "contradicts", text)
        return
    text = f"{fits}; arbitrary numbers would be with a chance of {_percent(chance)}."
    yield Finding("GRIM", source.title, "fits" if chance <= CHANCE else "cannot tell", text)


# Definitions


def _definitions(comparison: _Comparison) -> Iterator[Finding]:
    """Which mean and which variance were printed, and the rows that are not those."""
    yield _definition(comparison, comparison.means, "mean", _mean_words)
    yield _definition(comparison, comparison.variances, "variance", _variance_words)
    for at, key in enumerate(comparison.keys):
        yield from _row(comparison, at, key)


def _definition(
    comparison: _Comparison,
    readings: Sequence[Reading],
    what: str,
    words: Callable[[Definition], str],
) -> Finding:
    check, rows = f"Definition of the {what}", len(comparison.keys)
    best = [reading for reading in readings if reading.rank == readings[0].rank]
    rest = [reading for reading in readings if reading.rank != readings[0].rank]
    known = _known(comparison, what)
    if not comparison.settled(readings):
        numbers = "; ".join(_against(comparison, readings[0], at, what) for at in range(rows))
        fits = _and([f"{words(r.definition)} {r.fitting}" for r in readings])
        text = f"No reading gives most of the {_count(rows, 'row')} ({fits}){known}. {numbers}."
        return Finding(check, comparison.about, "contradicts", text)
    if len(best) > 1:
        fits = _and([words(reading.definition) for reading in best])
        text = f"{fits} give the same {best[0].fitting} of {_count(rows, 'row')}{known}."
        return Finding(check, comparison.about, "cannot tell", text[0].upper() + text[1:])
    others = _and([f"{words(reading.definition)} {reading.fitting}" for reading in rest])
    text = (
        f"The printed {what} is the {words(best[0].definition).removeprefix('the ')}"
        f"{comparison.selection}, in {best[0].fitting} of {_count(rows, 'row')}{known}."
    )
    text += f" Otherwise: {others}." if rest else ""
    return Finding(check, comparison.about, "fits", text)


def _known(comparison: _Comparison, what: str) -> str:
    """What was assumed of the sizes of groups, and which rows have no counterpart."""
    other, said = comparison.other, []
    if isinstance(other, _GroupMeans) and what == "mean":
        said.append(_sizes_words(other))
    lone = len(comparison.table.keys) - len(comparison.keys)
    if lone:
        said.append(f"{_count(lone, 'printed row')} not among them")
    return f" ({'; '.join(said)})" if said else ""


def _sizes_words(other: _GroupMeans) -> str:
    if other.sizes is None:
        return "sizes of the groups unknown, so pooling is not tried"
    return f"groups of {_and([str(n) for n in other.sizes])} portraits as in {PPB_NAME}"


def _row(comparison: _Comparison, at: int, key: _Key) -> Iterator[Finding]:
    """What is wrong with one row, under readings that fit most others."""
    wrong, texts = [], []
    for what, readings in (("recall", comparison.means), ("variance", comparison.variances)):
        if comparison.settled(readings) and readings[0].matches[at] != "fits":
            wrong.append(readings[0].matches[at])
            texts.append(_against(comparison, readings[0], at, what, name=False))
    if not wrong:
        return
    about = f"{comparison.about}: {key.name}"
    text = "; ".join(texts)
    text = text[0].upper() + text[1:]
    if "differs" in wrong:
        yield Finding("Contradiction", about, "contradicts", f"{text}.")
    else:
        text += ": one unit of the last digit, a slip of rounding or copying"
        yield Finding("Misprint in the last digit", about, "contradicts", f"{text}.")


def _against(
    comparison: _Comparison, reading: Reading, at: int, what: str, *, name: bool = True
) -> str:
    """Printed against computed, with as many digits as tell them apart."""
    key = list(comparison.keys)[at]
    table, estimate = comparison.table, reading.computed[at]
    printed = table.variance[key] if what == "variance" else table.recall[key]
    whose = f"{key.name}: " if name else f"{what} "
    digits = printed.decimals
    error = f" ± {estimate.error:.{max(digits, 2)}f}" if estimate.error else ""
    return f"{whose}printed {printed}, computed {estimate.value:.{digits}f}{error}"


# Overall accuracy and trends


def _overall(source: _GroupMeans, reading_error: float) -> Iterator[Finding]:
    """Whether a drawing's overall accuracy is pooled or the mean over groups."""
    if not source.overall:
        return
    numbers = list(source.overall.values())
    values = [source.values(key, reading_error) for key in source.overall]
    widened = [
        GroupValues(v.recall, v.error + max(n.half, reading_error) / 100, v.sizes)
        for n, v in zip(numbers, values, strict=True)
    ]
    readings = forensics.mean_readings(numbers, widened)
    rows, known = _count(len(numbers), "row"), _sizes_words(source)
    best = [reading for reading in readings if reading.rank == readings[0].rank]
    fits = "; ".join(f"{_mean_words(r.definition)} {r.fitting}" for r in readings)
    if 2 * best[0].fitting <= len(numbers):
        result: Result = "contradicts"
        text = f"Neither reading gives most of the {rows} of 'overall': {fits} ({known})."
    elif len(best) > 1 or len(readings) == 1:
        result = "cannot tell"
        text = f"Rows of 'overall' that fit, of {len(numbers)}: {fits} ({known})."
    else:
        result = "fits"
        text = (
            f"'overall' is the {_mean_words(best[0].definition)} in {best[0].fitting} of {rows} "
            f"({known}); {_mean_words(readings[1].definition)} fits {readings[1].fitting}."
        )
    yield Finding("Overall accuracy", source.title, result, text)


def _series(keys: Sequence[_Key], title: str) -> Iterator[tuple[list[_Key], str]]:
    """Arms of one word from the largest alpha to the smallest, after the one without resampling."""
    plain = [key for key in keys if key.alpha == math.inf]
    words = dict.fromkeys(key.word for key in keys if key.resamples)
    for word in words:
        own = [key for key in keys if key.word == word and key.resamples]
        series = sorted(own, key=lambda key: -key.matched[1])
        series = [*(plain if len(plain) == 1 else []), *series]
        if len(series) > 2:
            yield series, f"{title}: {word}" if len(words) > 1 else title


def _trend(
    what: str,
    words: str,
    about: str,
    series: Sequence[_Key],
    values: Sequence[Estimate],
    shown: Sequence[str],
) -> Finding:
    """Whether the variance falls, or the recall goes one way, at every step as alpha falls."""
    steps = forensics.changes(values)
    ways = ["falls"] if what == "variance" else ["falls", "rises"]
    way = min(ways, key=lambda way: sum(step.step != way for step in steps))
    breaks = [at for at, step in enumerate(steps) if step.step != way]
    doubtful = [at for at, step in enumerate(steps) if not step.certain]
    check = "Variance falls as alpha falls"
    if what == "recall":
        check = "Recall goes one way as alpha falls"
    if not breaks:
        text = f"The {words} {way} at every step: {', '.join(shown)}."
        if doubtful:
            text += f" In doubt: {_steps(steps, doubtful, series, shown)}."
    else:
        text = (
            f"The {words} {way} at {len(steps) - len(breaks)} of {len(steps)} steps, but "
            f"{_steps(steps, breaks, series, shown)}."
        )
    certain = [at for at in breaks if at not in doubtful]
    result: Result = "contradicts" if certain else "cannot tell" if doubtful else "fits"
    return Finding(check, about, result, text)


def _steps(
    steps: Sequence[Change], places: Sequence[int], series: Sequence[_Key], shown: Sequence[str]
) -> str:
    """Steps by their ends."""
    words = {"falls": "falls", "rises": "rises", "level": "stays"}
    return "; ".join(
        f"{words[steps[at].step]} from {shown[at]} ({series[at].step}) to {shown[at + 1]} "
        f"({series[at + 1].step})" + ("" if steps[at].certain else ", which is within their error")
        for at in places
    )
