"""Paths -> the files that were read, and the findings.

Files in the folder of a named one are also read if they have the same arms. All problems of the
files are reported at once, by line and column.
"""

import functools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repro.analysis.audit import prediction_file, predictions
from repro.analysis.audit.checks import scored_pictures
from repro.analysis.audit.checks.checklist import Checks
from repro.analysis.audit.checks.finding import Finding
from repro.analysis.audit.publication import Publication, by_source
from repro.analysis.audit.reading import column_names
from repro.analysis.audit.reading.description import YAMLS, Description, merged
from repro.analysis.audit.reading.published_table import PublishedTable
from repro.analysis.audit.reading.run_files import Runs, outcomes_of
from repro.analysis.audit.reading.sources import kind_of, same_arms, sources_of
from repro.analysis.audit.reading.tables import TablesOfFile, read_tables
from repro.analysis.outcomes import Outcomes
from repro.analysis.wording import count, joined
from repro.errors import DataError
from repro.study import study_files

COMPARED = 0.03  # percentage points: figures of vector drawings are read off as well as this
MOST_PROBLEMS = 20  # listed in one message
Note = tuple[Path, str]  # a file, and a sentence on it
SEPARATED = (".csv", ".tsv")  # of a folder; a named file may be of any other format, too


@dataclass(frozen=True, slots=True)
class Audit:
    """Files, outcomes and findings of an audit.

    Attributes:
        publications: At least one, in the order of their first files.
    """

    publications: tuple[Publication, ...]

    @property
    def outcomes(self) -> tuple[Outcomes, ...]:
        """Of files with runs, one for each part."""
        return tuple(one for each in self.publications for one in each.outcomes)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """In the order of the files."""
        return tuple(one for each in self.publications for one in each.findings)

    @property
    def sources(self) -> tuple[str, ...]:
        """Which files were read, and why."""
        return tuple(one for each in self.publications for one in each.notes)

    @property
    def tables(self) -> tuple[PublishedTable, ...]:
        """What was read, and how each column was."""
        return tuple(one for each in self.publications for one in each.tables)


def audit(
    paths: Sequence[Path],
    *,
    alone: bool = False,
    said: Description | None = None,
    images: int | None = None,
    keep: int | None = None,
    reference: str | None = None,
    reading_error: float | None = None,
    scores: str | None = None,
    threshold: float | None = None,
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
        scores: What the scores of predictions are: ``logit``, ``probability`` or ``other``; None
            if their file says so.
        threshold: Score from which on a picture is called a face; None: that of the scores' kind.

    Raises:
        DataError: A file cannot be read or is malformed, or an option does not apply to the files.
    """
    _check_options(images=images, keep=keep, reading_error=reading_error)
    said = _with(said or Description(), keep=keep, images=images, reading_error=reading_error)
    header = {"scores": scores, "threshold": threshold, "keep": keep, "reference": reference}
    predicted, rest = predictions.read_all(paths, said.columns, header)
    scored = tuple(map(_of_predictions, predicted))
    if scored and not rest:
        return Audit(scored)
    files, notes = _read_all(rest, said, alone=alone)
    _check_names(files, said)
    tables = [table for file in files for table in file.tables]
    if reference is not None and not any(
        isinstance(s, Runs) for t in tables for s in sources_of(t)
    ):
        names = joined([file.path.name for file in files])
        raise DataError(f"reference needs single runs, and {names} gives none: leave it out")
    checked = functools.partial(
        _checked,
        images=images,
        keep=keep,
        reference=reference,
        reading_error=COMPARED if reading_error is None else reading_error,
    )
    found = [checked(source, own) for source, own in by_source(tables).items()]
    return Audit((*_with_notes(found, notes), *scored))


def _of_predictions(read: predictions.Predictions) -> Publication:
    """What a file of predictions says."""
    return Publication(
        source="",
        tables=(),
        outcomes=(read.outcomes,),
        findings=tuple(scored_pictures.findings(read.outcomes)),
        notes=read.notes,
    )


def _checked(
    source: str,
    tables: Sequence[PublishedTable],
    *,
    images: int | None,
    keep: int | None,
    reference: str | None,
    reading_error: float,
) -> Publication:
    """The outcomes and findings of one publication, without notes."""
    sources = [one for table in tables for one in sources_of(table)]
    runs = [one for one in sources if isinstance(one, Runs)]
    checks = Checks(sources, tables=tables, images=images, keep=keep, reading_error=reading_error)
    return Publication(
        source=source,
        tables=tuple(tables),
        outcomes=tuple(outcomes_of(one, keep=keep, reference=reference) for one in runs),
        findings=tuple(checks.findings()),
    )


def _with_notes(found: Sequence[Publication], notes: Sequence[Note]) -> Iterator[Publication]:
    """The publications, each with the notes on its files; the first with those on no table."""
    names = [{table.path for table in one.tables} for one in found]
    for place, one in enumerate(found):
        others = set().union(*(names[:place] + names[place + 1 :]))
        own = (path in names[place] or (place == 0 and path not in others) for path, _ in notes)
        yield replace(
            one, notes=tuple(text for (_, text), is_own in zip(notes, own, strict=True) if is_own)
        )


def _with(said: Description, **options: float | None) -> Description:
    """The description with these options, where they are given."""
    try:
        return merged([said.said, {key: one for key, one in options.items() if one is not None}])
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
    together = column_names.groups_together(columns)
    sized = {column_names.group_of(group, together) for group in groups}
    for group in said.groups if groups else ():
        if column_names.group_of(group, together) not in sized:
            listed = joined([f"'{name}'" for name in sorted(groups)])
            raise DataError(f"no file has a group '{group}'; the groups are {listed}")


# Which files are read


def _read_all(
    paths: Sequence[Path], said: Description, *, alone: bool
) -> tuple[list[TablesOfFile], list[Note]]:
    """The named files, others with the same arms, and notes on them."""
    files: dict[Path, TablesOfFile] = {}
    notes: list[Note] = []
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
    """The resolved path, also for a symlink loop; the path itself where the folder is gone."""
    try:
        return Path(os.path.realpath(path))
    except OSError:  # a relative path, and the current folder was deleted
        return path


def _listed(problems: Sequence[str]) -> str:
    more = len(problems) - MOST_PROBLEMS
    lines = [*problems[:MOST_PROBLEMS], *([f"... and {more} more"] if more > 0 else [])]
    return "\n".join(lines)


def _notes(file: TablesOfFile, why: str = "") -> list[Note]:
    """Sentences on the file: its kind, why it was read, and what was filled in."""
    arms = len({key for table in file.tables for key in table.keys})
    by = f"; {file.description.name} says more" if file.description else ""
    what = f"{kind_of(file.tables[0])}, {count(arms, 'arm')}{by}"
    return [(file.path, told) for told in (f"{file.path.name}{why}: {what}.", *file.notes)]


def _folder(
    path: Path, said: Description, notes: list[Note], problems: list[str]
) -> list[TablesOfFile]:
    """Its files that hold tables; the others are an error only if there is none."""
    files = [read_tables(file, said) for file in _separated_files(path)]
    known = [file for file in files if not file.foreign]
    if not files:
        problems.append(f"{path}: holds no CSV file")
    if known:
        strangers = [file for file in files if file.foreign]
        notes += [(file.path, f"{file.path.name}: left out, {_why(file)}.") for file in strangers]
        return list(_read_once(known, notes))
    return files


def _read_once(known: Sequence[TablesOfFile], notes: list[Note]) -> Iterator[TablesOfFile]:
    """The files but those whose numbers another one has, under other names of arms."""
    names = {file.path.stem: file.path for file in known}
    for file in known:
        whole = names.get(file.tables[0].description.part_of) if file.tables else None
        if whole is not None:
            notes.append((whole, f"{file.path.name}: left out, {whole.name} has its numbers."))
        else:
            yield file


def _why(stranger: TablesOfFile) -> str:
    said = stranger.problems[0].removeprefix(str(stranger.path))
    return re.sub(r"^:(\d+:)? ", "", said).split(". ")[0]


def _separated_files(folder: Path) -> list[Path]:
    """Files of separated text, and of published values, whose rows are in YAML."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [
        path
        for path in files
        if (path.suffix.lower() in SEPARATED and not prediction_file.is_one(path, {}))
        or (path.suffix.lower() in YAMLS and study_files.has_key(path, "rows"))
    ]


def _companions(
    single: Sequence[TablesOfFile],
    said: Description,
    files: Mapping[Path, TablesOfFile],
    notes: list[Note],
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
            notes.append((path, f"{path.name}: in the same folder, left out: {_why(file)}."))
    return found


def _akin(one: TablesOfFile, other: TablesOfFile) -> bool:
    return any(same_arms(a, b) for a in one.tables for b in other.tables)
