"""Paths -> the files that were read, and the findings.

Files in the folder of a named one are also read if they have the same arms. All problems of the
files are reported at once, by line and column.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.analysis.audit.checks.checklist import Checks
from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.reading import column_names
from repro.analysis.audit.reading.description import Description, merged
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.audit.reading.run_files import Runs, outcomes_of
from repro.analysis.audit.reading.sources import kind_of, same_arms, sources_of
from repro.analysis.audit.reading.tables import TablesOfFile, read_tables
from repro.analysis.study_data import Outcomes
from repro.analysis.wording import count, joined
from repro.errors import DataError

COMPARED = 0.03  # percentage points: figures of vector drawings are read off as well as this
MOST_PROBLEMS = 20  # listed in one message
SEPARATED = (".csv", ".tsv")  # of a folder; a named file may be of any other format, too


@dataclass(frozen=True, slots=True)
class Audit:
    """Files, outcomes and findings of an audit.

    Attributes:
        outcomes: Of files with runs, one for each part.
        findings: In the order of the files.
        sources: Which files were read, and why.
        tables: What was read, and how each column was.
    """

    outcomes: tuple[Outcomes, ...]
    findings: tuple[Finding, ...]
    sources: tuple[str, ...]
    tables: tuple[PublishedTable, ...]


def audit(
    paths: Sequence[Path],
    *,
    alone: bool = False,
    said: Description | None = None,
    images: int | None = None,
    keep: int | None = None,
    reference: str | None = None,
    reading_error: float | None = None,
) -> Audit:
    """Read published values and check them.

    Args:
        paths: Files with tables, or folders of CSV files.
        alone: Whether to read only the named files, not others with the same arms.
        said: What is said beside the numbers, and the roles of columns; it holds before what the
            files say.
        images: Portraits in a run, for GRIM; None takes the group sizes of a file with runs if
            there is one, else the 1,270 of the Pilot Parliaments Benchmark.
        keep: Best runs of an arm behind a published mean; None keeps all in tables, and tries
            every number when published means are compared with runs.
        reference: Arm that the others are compared with; None: the first without resampling.
        reading_error: Largest error of shares read off a figure, in percentage points; None takes
            what the files say, and 0.03 where printed means are compared with those of groups.

    Raises:
        DataError: A file cannot be read or is malformed, or an option does not apply to the files.
    """
    _check_options(images=images, keep=keep, reading_error=reading_error)
    said = _with_options(said or Description(), keep=keep, reading_error=reading_error)
    files, notes = _read_all(paths, said, alone=alone)
    _check_names(files, said)
    tables = [table for file in files for table in file.tables]
    sources = [source for table in tables for source in sources_of(table)]
    runs = [source for source in sources if isinstance(source, Runs)]
    if not runs and reference is not None:
        names = joined([file.path.name for file in files])
        raise DataError(f"reference needs single runs, and {names} gives none: leave it out")
    error = COMPARED if reading_error is None else reading_error
    outcomes = tuple(outcomes_of(source, keep=keep, reference=reference) for source in runs)
    checks = Checks(sources, tables=tables, images=images, keep=keep, reading_error=error)
    return Audit(outcomes, tuple(checks.findings()), tuple(notes), tuple(tables))


def _with_options(
    said: Description, *, keep: int | None, reading_error: float | None
) -> Description:
    options = {"keep": keep, "reading_error": reading_error}
    try:
        given = {key: value for key, value in options.items() if value is not None}
        return merged([said.said, given])
    except ValueError as error:
        raise DataError(str(error)) from None


def _check_options(*, images: int | None, keep: int | None, reading_error: float | None) -> None:
    for name, value in (("images", images), ("keep", keep)):
        if value is not None and value < 1:
            raise DataError(f"{name} is {value}: it must be at least 1")
    if reading_error is not None and not 0 <= reading_error < 100:
        raise DataError(f"reading_error is {reading_error}: it must be a number from 0 to 100")


def _check_names(files: Sequence[TablesOfFile], said: Description) -> None:
    """Refuse a declared column or group that no file has."""
    columns = {name for file in files for name in file.names}
    known = {column_names.phrase_of(name) for name in columns}
    for column in said.columns:
        if column_names.phrase_of(column) not in known:
            listed = joined([f"'{name}'" for name in sorted(columns)])
            raise DataError(f"no file has a column '{column}'; the columns are {listed}")
    tables = [table for file in files for table in file.tables]
    groups = {group for table in tables for group in table.groups}
    sized = {column_names.group_of(group) for group in groups}
    for group in said.groups if groups else ():
        if column_names.group_of(group) not in sized:
            listed = joined([f"'{name}'" for name in sorted(groups)])
            raise DataError(f"no file has a group '{group}'; the groups are {listed}")


# Which files are read


def _read_all(
    paths: Sequence[Path], said: Description, *, alone: bool
) -> tuple[list[TablesOfFile], list[str]]:
    """The named files, others with the same arms, and notes on them."""
    files: dict[Path, TablesOfFile] = {}
    notes: list[str] = []
    problems: list[str] = []
    single: list[TablesOfFile] = []
    for path in paths:
        found = _folder(path, said, notes, problems) if path.is_dir() else [read_tables(path, said)]
        fresh = [file for file in found if _place(file.path) not in files]
        files.update({_place(file.path): file for file in fresh})
        problems += [problem for file in fresh for problem in file.problems]
        notes += [note for file in fresh if not file.problems for note in _notes(file)]
        single += [] if path.is_dir() else fresh
    if not files and not problems:
        raise DataError("no file was named: name a file with a table, or a folder of CSV files")
    if problems:
        raise DataError(_listed(problems))
    if not alone:
        beside = _companions(single, said, files, notes)
        files.update({_place(file.path): file for file in beside})
    return list(files.values()), notes


def _place(path: Path) -> Path:
    """The resolved path, also for a symlink loop."""
    return Path(os.path.realpath(path))


def _listed(problems: Sequence[str]) -> str:
    more = len(problems) - MOST_PROBLEMS
    lines = [*problems[:MOST_PROBLEMS], *([f"... and {more} more"] if more > 0 else [])]
    return "\n".join(lines)


def _notes(file: TablesOfFile, why: str = "") -> list[str]:
    """Sentences on the file: its kind, why it was read, and what was filled in."""
    arms = len({key for table in file.tables for key in table.keys})
    by = f"; {file.description.name} says more" if file.description else ""
    what = f"{kind_of(file.tables[0])}, {count(arms, 'arm')}{by}"
    return [f"{file.path.name}{why}: {what}.", *file.notes]


def _folder(
    path: Path, said: Description, notes: list[str], problems: list[str]
) -> list[TablesOfFile]:
    """Its files that hold tables; the others are an error only if there is none."""
    files = [read_tables(file, said) for file in _separated_files(path)]
    known = [file for file in files if not file.foreign]
    if not files:
        problems.append(f"{path}: holds no CSV file")
    if known:
        notes += [f"{file.path.name}: left out, {_why(file)}." for file in files if file.foreign]
        return known
    return files


def _why(stranger: TablesOfFile) -> str:
    said = stranger.problems[0].removeprefix(str(stranger.path))
    return re.sub(r"^:(\d+:)? ", "", said).split(". ")[0]


def _separated_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SEPARATED and p.is_file())


def _companions(
    single: Sequence[TablesOfFile],
    said: Description,
    files: Mapping[Path, TablesOfFile],
    notes: list[str],
) -> list[TablesOfFile]:
    """Other files in the folders of the named ones that have the same arms.

    Of the options only the roles of columns hold for them: the rest is said of the named files.
    """
    found: list[TablesOfFile] = []
    roles = Description(columns=said.columns) if said.columns else Description()
    folders = dict.fromkeys(file.path.parent for file in single)
    for path in (path for folder in folders for path in _separated_files(folder)):
        if _place(path) in files or _place(path) in {_place(file.path) for file in found}:
            continue
        file = read_tables(path, roles)
        of = [
            one.path.name for one in single if one.path.parent == path.parent and _akin(one, file)
        ]
        if of:
            found.append(file)
            verb = "have" if len(of) > 1 else "has"
            why = f", also read because {' and '.join(of)} {verb} the same arms"
            notes += _notes(file, why)
        elif file.problems and not file.foreign:
            notes.append(f"{path.name}: in the same folder, left out: {_why(file)}.")
    return found


def _akin(one: TablesOfFile, other: TablesOfFile) -> bool:
    return any(same_arms(a, b) for a in one.tables for b in other.tables)
