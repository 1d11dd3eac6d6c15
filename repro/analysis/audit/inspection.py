"""Paths -> the files that were read, and the findings.

Files in the folder of a named one are also read if they have the same arms. All problems of the
files are reported at once, by line and column.
"""

import itertools
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.analysis.audit.checks.checklist import Checks
from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.reading.file_kinds import KINDS, File, read_file, same_arms
from repro.analysis.audit.reading.run_files import Runs, outcomes_of
from repro.analysis.study_data import Outcomes
from repro.analysis.wording import joined
from repro.errors import DataError

MOST_PROBLEMS = 20  # listed in one message


@dataclass(frozen=True, slots=True)
class Audit:
    """Files, outcomes and findings of an audit.

    Attributes:
        outcomes: Of files with runs, one for each value of an extra column.
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
    """Read published values and check them.

    Args:
        paths: CSV files, or folders of them.
        alone: Whether to read only the named files, not others with the same arms.
        images: Portraits in a run, for GRIM; None takes the group sizes of a file with runs if
            there is one, else the 1,270 of the Pilot Parliaments Benchmark.
        keep: Runs of an arm that were kept; None keeps all in tables, and tries every number when
            published means are compared with runs.
        reference: Arm that the others are compared with; None: the first without resampling.
        reading_error: Largest error of group means read off a figure, in percentage points.

    Raises:
        DataError: A file cannot be read or is malformed, or an option does not apply to the files.
    """
    _check_options(images=images, keep=keep, reading_error=reading_error)
    files, notes = _read_all(paths, alone=alone)
    sources = [source for file in files for source in file.sources]
    runs = [source for source in sources if isinstance(source, Runs)]
    if not runs and (keep is not None or reference is not None):
        raise DataError(
            f"{'keep' if keep is not None else 'reference'} needs single runs, and "
            f"{joined([file.path.name for file in files])} gives none: leave it out"
        )
    outcomes = tuple(outcomes_of(source, keep=keep, reference=reference) for source in runs)
    checks = Checks(sources, images=images, keep=keep, reading_error=reading_error)
    return Audit(outcomes, tuple(checks.findings()), tuple(notes))


def _check_options(*, images: int | None, keep: int | None, reading_error: float) -> None:
    for name, value in (("images", images), ("keep", keep)):
        if value is not None and value < 1:
            raise DataError(f"{name} is {value}: it must be at least 1")
    if not 0 <= reading_error < math.inf:
        raise DataError(f"reading_error is {reading_error}: it must be a number of at least 0")


# Which files are read


def _read_all(paths: Sequence[Path], *, alone: bool) -> tuple[list[File], list[str]]:
    """The named files, others with the same arms, and notes on them."""
    files: dict[Path, File] = {}
    notes: list[str] = []
    problems: list[str] = []
    single: list[File] = []
    for path in paths:
        found = _folder(path, notes, problems) if path.is_dir() else [_named(path)]
        fresh = [file for file in found if _place(file.path) not in files]
        files.update({_place(file.path): file for file in fresh})
        problems += [problem for file in fresh for problem in file.problems]
        notes += [file.note() for file in fresh if not file.problems]
        single += [] if path.is_dir() else fresh
    if not files and not problems:
        raise DataError("no file was named: name a CSV file or a folder of them")
    if problems:
        raise DataError(_listed(problems))
    if not alone:
        files.update({_place(file.path): file for file in _companions(single, files, notes)})
    return list(files.values()), notes


def _place(path: Path) -> Path:
    """The resolved path, also for a symlink loop."""
    return Path(os.path.realpath(path))


def _listed(problems: Sequence[str]) -> str:
    more = len(problems) - MOST_PROBLEMS
    lines = [*problems[:MOST_PROBLEMS], *([f"... and {more} more"] if more > 0 else [])]
    return "\n".join(lines)


def _folder(path: Path, notes: list[str], problems: list[str]) -> list[File]:
    """Its files of a known kind; other files are an error only if there is none."""
    files = [read_file(file) for file in _csv_files(path)]
    known = [file for file in files if file.kind]
    strangers = [file for file in files if not file.kind]
    if not files:
        problems.append(f"{path}: holds no CSV file")
    if known:
        notes += [f"{file.path.name}: left out, {_why(file)}." for file in strangers]
        return known
    return [_with_kinds(file) for file in strangers]


def _why(stranger: File) -> str:
    if not stranger.problems:
        return "unknown format"
    said = stranger.problems[0].removeprefix(str(stranger.path))
    return re.sub(r"^:(\d+:)? ", "", said).split(":")[0]


def _csv_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() == ".csv" and p.is_file())


def _named(path: Path) -> File:
    return _with_kinds(read_file(path))


def _with_kinds(file: File) -> File:
    """The file; if its kind is unknown, with a problem that lists the known kinds."""
    if file.kind or file.problems:
        return file
    message = f"{file.path}:1: unknown format; the columns may be {'; '.join(KINDS)}"
    return File(file.path, None, (), (message,))


def _companions(single: Sequence[File], files: Mapping[Path, File], notes: list[str]) -> list[File]:
    """Other files in the folders of the named ones that have the same arms."""
    found: list[File] = []
    folders = dict.fromkeys(file.path.parent for file in single)
    for path in (path for folder in folders for path in _csv_files(folder)):
        if _place(path) in files or _place(path) in {_place(file.path) for file in found}:
            continue
        file = read_file(path)
        of = [
            one.path.name for one in single if one.path.parent == path.parent and _akin(one, file)
        ]
        if of:
            found.append(file)
            verb = "have" if len(of) > 1 else "has"
            why = f", also read because {' and '.join(of)} {verb} the same arms"
            notes.append(file.note(why))
        elif file.kind and file.problems:
            notes.append(f"{path.name}: in the same folder, but malformed: left out.")
    return found


def _akin(one: File, other: File) -> bool:
    return any(same_arms(a, b) for a, b in itertools.product(one.sources, other.sources))
