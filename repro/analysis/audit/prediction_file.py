"""A file with a score for every picture -> arrays, checked; the line of every problem.

A row is a picture in a run of an arm. Which column is what follows from names that people use, or
is declared; a file is one of predictions if it has a column of pictures and one of scores, or a
column y_true.
"""

import csv
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from repro.analysis.audit import prediction_columns, prediction_header, prediction_text
from repro.analysis.audit.prediction_columns import Columns, PredictionRole
from repro.analysis.audit.prediction_header import Header
from repro.analysis.audit.prediction_text import PredictionText, line_of, where
from repro.analysis.wording import count
from repro.errors import DataError
from repro.stats.intervals import Floats, Integers
from repro.system import csv_file
from repro.system.printing import one_line

FACES = frozenset({"1", "1.0", "true", "yes", "face", "faces", "positive", "portraits"})
OTHERS = frozenset(
    (
        *("0", "0.0", "-1", "-1.0", "false", "no", "no face", "nonface", "nonfaces", "non-face"),
        *("negative", "background"),
    )
)
FAILED = frozenset(["", "nan", "NaN", "NAN", "NA", "N/A", "null", "None", "failed", "X", "x", "-"])
MOST_RUNS = 10_000  # of all arms
MOST_ARMS = 200
MOST_GROUPS = 200
MOST_LETTERS = 500  # of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRun:
    """One run: its arm, and its name in the file."""

    arm: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictionFile:
    """Every score of a file; R runs of P faces and M other pictures.

    Attributes:
        runs: In the order of the file.
        faces: Scores as written, shape (R, P); NaN in all of a run that failed.
        others: Likewise of the pictures without a face, shape (R, M).
        group: Place in `groups` of each face, shape (P,).
        groups: Names, in the order of the file.
        faceless: Groups of other pictures that no face has.
        cluster: Name of each face's cluster, P of them; None without such a column.
    """

    path: Path
    header: Header
    columns: Columns
    runs: tuple[PredictionRun, ...]
    faces: Floats
    others: Floats
    group: Integers
    groups: tuple[str, ...]
    faceless: tuple[str, ...]
    cluster: tuple[str, ...] | None = None


def is_one(path: Path, declared: Mapping[str, str]) -> bool:
    """Whether the first line of columns is one of predictions; False if it cannot be read."""
    try:
        text = prediction_text.beginning(path)
    except (OSError, ValueError, csv.Error):
        return False
    return prediction_columns.are_predictions(text.header, declared)


def read(
    path: Path, *, declared: Mapping[str, str], header: Mapping[str, object]
) -> PredictionFile:
    """Read a file of predictions.

    Args:
        path: Of the file.
        declared: Roles of columns, by name; before those that the names have.
        header: Values that take the place of the file's own.

    Raises:
        DataError: The first problem, with its line.
    """
    text = prediction_text.read(path)
    columns = prediction_columns.of_header(text.header, declared, f"{path}:{text.first - 1}")
    said = prediction_header.read(path, text.remarks)
    told = said.model_dump(mode="json") | dict(header)
    frame = prediction_text.frame(text, columns)
    return _arranged(text, columns, prediction_header.checked(str(path), told), frame)


def _scores(text: PredictionText, columns: Columns, frame: pd.DataFrame) -> Floats:
    """The numbers, exact; NaN where a run failed."""
    found = []
    for row, cell in enumerate(frame["score"].tolist()):
        try:
            found.append(float(cell))
        except ValueError:
            if (bare := cell.strip()) not in FAILED:
                comma = ": write a decimal point, not a comma" if "," in bare else ""
                raise DataError(
                    f"{where(text, row)}: column '{one_line(columns.name('score'))}': "
                    f"'{one_line(bare[:50])}' is not a number{comma}"
                ) from None
            found.append(np.nan)
    return np.array(found, dtype=np.float64)


def _arranged(
    text: PredictionText, columns: Columns, header: Header, frame: pd.DataFrame
) -> PredictionFile:
    """The scores by run and picture."""
    scores = _scores(text, columns, frame)
    _refuse_infinite(text, columns, scores)
    is_face = _labels(text, columns, frame)
    run_of, runs = _runs(text, frame, len(scores))
    picture_of, pictures = _pictures(text, frame, is_face)
    table = _table(text, scores, run_of, picture_of, (len(runs), len(pictures)), runs, pictures)
    first = np.flatnonzero(~pd.Series(picture_of).duplicated().to_numpy()).astype(np.int64)
    faces = is_face[first]
    if not faces.any():
        raise DataError(f"{text.path}: no picture shows a face (label 1): recall needs some")
    group, groups = _group(text, columns, frame, is_face, picture_of, first, pictures)
    cluster = _cluster(text, columns, frame, is_face, picture_of, first, pictures)
    return PredictionFile(
        path=text.path,
        header=header,
        columns=columns,
        runs=runs,
        faces=table[:, faces],
        others=table[:, ~faces],
        group=group[faces],
        groups=groups,
        faceless=_faceless(frame, is_face, groups),
        cluster=None if cluster is None else tuple(itertools.compress(cluster, faces)),
    )


def _faceless(
    frame: pd.DataFrame, is_face: NDArray[np.bool_], groups: Sequence[str]
) -> tuple[str, ...]:
    """Groups of pictures without a face that no face has."""
    if "group" not in frame:
        return ()
    found = (str(one).strip() for one in frame["group"][~is_face].unique())
    named = dict.fromkeys(csv_file.as_meant(one) for one in found if one)
    return tuple(one for one in named if one not in groups)


def _refuse_infinite(text: PredictionText, columns: Columns, scores: Floats) -> None:
    above = np.flatnonzero(scores == np.inf)
    if len(above):
        raise DataError(
            f"{where(text, int(above[0]))}: column "
            f"'{one_line(columns.name('score'))}': a score is finite, or -inf where nothing was "
            "found in a picture"
        )


def _labels(text: PredictionText, columns: Columns, frame: pd.DataFrame) -> NDArray[np.bool_]:
    cells = frame["label"].cat
    known = [str(one).strip().lower() for one in cells.categories]
    values = np.array([one in FACES for one in known], dtype=np.bool_)
    strange = [place for place, one in enumerate(known) if one not in FACES | OTHERS]
    if strange:
        row = int(np.flatnonzero(np.isin(cells.codes, strange))[0])
        cell = one_line(str(cells.categories[strange[0]])[:50])
        raise DataError(
            f"{where(text, row)}: column '{one_line(columns.name('label'))}': '{cell}' "
            "is neither 1 (a face) nor 0 (none)"
        )
    return np.asarray(values[cells.codes])


def _runs(
    text: PredictionText, frame: pd.DataFrame, rows: int
) -> tuple[Integers, tuple[PredictionRun, ...]]:
    """Place of each row's run, and the runs in the order of the file."""
    arms, of_arm = _column(text.path, frame, "arm", rows, text.path.stem)
    names, of_run = _column(text.path, frame, "run", rows, "1")
    width = len(names)
    run_of, first = _by_first(of_arm * width + of_run)
    for what, found_many, most in (("runs", len(first), MOST_RUNS), ("arms", len(arms), MOST_ARMS)):
        if found_many > most:
            raise DataError(f"{text.path}: {found_many:,} {what}; {most:,} at most: split the file")
    found = [PredictionRun(arm=arms[code // width], name=names[code % width]) for code in first]
    empty = next((at for at, one in enumerate(found) if not one.arm or not one.name), None)
    if empty is not None:
        row = int(np.flatnonzero(run_of == empty)[0])
        raise DataError(f"{where(text, row)}: the arm or the run is empty")
    return run_of, tuple(found)


def _pictures(
    text: PredictionText, frame: pd.DataFrame, is_face: NDArray[np.bool_]
) -> tuple[Integers, list[str]]:
    """Place of each row's picture, and names; a face and another picture may share a name."""
    names, codes = _column(text.path, frame, "image", len(is_face), "")
    picture_of, first = _by_first(codes * 2 + is_face)
    found = [names[code // 2] for code in first]
    if "" in found:
        row = int(np.flatnonzero(picture_of == found.index(""))[0])
        raise DataError(f"{where(text, row)}: the picture has no name")
    return picture_of, found


def _by_first(codes: Integers) -> tuple[Integers, list[int]]:
    """Each code's place among the codes in the order in which they occur, and these."""
    places, known = pd.factorize(codes)
    return np.asarray(places, dtype=np.int64), [int(one) for one in known]


def _column(
    path: Path, frame: pd.DataFrame, role: str, rows: int, absent: str
) -> tuple[list[str], Integers]:
    """The different texts of a column, and each row's place among them."""
    if role not in frame:
        return [absent], np.zeros(rows, dtype=np.int64)
    column = frame[role].cat
    texts = [csv_file.as_meant(str(one).strip()) for one in column.categories]
    if long := next((one for one in texts if len(one) > MOST_LETTERS), None):
        raise DataError(
            f"{path}: the {role} '{one_line(long[:50])}...' has {len(long):,} letters: write "
            f"{MOST_LETTERS} at most"
        )
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    of_category = np.array([places[text] for text in texts], dtype=np.int64)
    return list(places), of_category[column.codes.to_numpy()]


def _table(
    text: PredictionText,
    scores: Floats,
    run_of: Integers,
    picture_of: Integers,
    shape: tuple[int, int],
    runs: Sequence[PredictionRun],
    pictures: Sequence[str],
) -> Floats:
    """The score of each picture in each run; every run scores every picture once."""
    cells = run_of * shape[1] + picture_of
    _refuse_duplicates(text, cells, shape[0] * shape[1], runs, pictures)
    found = np.full(shape[0] * shape[1], np.nan)
    seen = np.zeros(found.shape, dtype=np.bool_)
    found[cells], seen[cells] = scores, True
    table, lacking = found.reshape(shape), ~seen.reshape(shape)
    for place in np.flatnonzero(lacking.any(axis=1))[:1]:
        missing = np.flatnonzero(lacking[place])
        row = int(np.flatnonzero(picture_of == missing[0])[0])
        raise DataError(
            f"{text.path}: {_of(runs[place])} has no row for {count(len(missing), 'picture')}, "
            f"such as '{one_line(pictures[missing[0]])}' of line {line_of(text, row)}: every run "
            "scores every picture (-inf where nothing was found in one)"
        )
    without = np.isnan(table)
    for place in np.flatnonzero(without.any(axis=1) & ~without.all(axis=1))[:1]:
        row = int(np.flatnonzero((run_of == place) & np.isnan(scores))[0])
        raise DataError(
            f"{where(text, row)}: {_of(runs[place])} has a score of some pictures and "
            f"none of {count(int(without[place].sum()), 'picture')}: write -inf where nothing was "
            "found in a picture; of a run that failed leave all scores empty"
        )
    return table


def _refuse_duplicates(
    text: PredictionText,
    cells: Integers,
    most: int,
    runs: Sequence[PredictionRun],
    pictures: Sequence[str],
) -> None:
    if np.bincount(cells, minlength=most).max() < 2:
        return
    row = int(np.flatnonzero(pd.Series(cells).duplicated())[0])
    before = int(np.flatnonzero(cells == cells[row])[0])
    run, picture = divmod(int(cells[row]), len(pictures))
    raise DataError(
        f"{where(text, row)}: {_of(runs[run])} has '{one_line(pictures[picture])}' in "
        f"line {line_of(text, before)} already; if a column divides the rows, say so: "
        '--column "NAME=arm" or "NAME=run"'
    )


def _of(run: PredictionRun) -> str:
    return f"run {one_line(run.name)} of {one_line(run.arm)}"


def _group(
    text: PredictionText,
    columns: Columns,
    frame: pd.DataFrame,
    is_face: NDArray[np.bool_],
    picture_of: Integers,
    first: Integers,
    pictures: Sequence[str],
) -> tuple[Integers, tuple[str, ...]]:
    """Each picture's group, and the names of those of faces, in the order of the file."""
    names, codes = _column(text.path, frame, "group", len(is_face), "all")
    _refuse_two(text, "group", is_face, (names, codes), picture_of, first, pictures)
    _refuse_empty(text, columns, "group", is_face, (names, codes))
    places, known = _by_first(codes[first][is_face[first]])
    if len(known) > MOST_GROUPS:
        raise DataError(
            f"{text.path}: {len(known):,} groups; {MOST_GROUPS} at most: is the column "
            f"'{one_line(columns.name('group'))}' the group?"
        )
    group = np.full(len(first), -1, dtype=np.int64)
    group[is_face[first]] = places
    return group, tuple(names[code] for code in known)


def _cluster(
    text: PredictionText,
    columns: Columns,
    frame: pd.DataFrame,
    is_face: NDArray[np.bool_],
    picture_of: Integers,
    first: Integers,
    pictures: Sequence[str],
) -> list[str] | None:
    """Name of each picture's cluster; None without a column of them."""
    if "cluster" not in frame:
        return None
    names, codes = _column(text.path, frame, "cluster", len(is_face), "")
    _refuse_two(text, "cluster", is_face, (names, codes), picture_of, first, pictures)
    _refuse_empty(text, columns, "cluster", is_face, (names, codes))
    return [names[code] for code in codes[first]]


def _refuse_two(
    text: PredictionText,
    role: str,
    is_face: NDArray[np.bool_],
    column: tuple[list[str], Integers],
    picture_of: Integers,
    first: Integers,
    pictures: Sequence[str],
) -> None:
    """Reject a face that is of two groups, or of two clusters."""
    names, codes = column
    other = np.flatnonzero(is_face & (codes != codes[first][picture_of]))
    if len(other):
        row = int(other[0])
        before = int(first[picture_of[row]])
        raise DataError(
            f"{where(text, row)}: '{one_line(pictures[picture_of[row]])}' is of {role} "
            f"'{one_line(names[codes[row]])}', and in line {line_of(text, before)} of "
            f"'{one_line(names[codes[before]])}'"
        )


def _refuse_empty(
    text: PredictionText,
    columns: Columns,
    role: PredictionRole,
    is_face: NDArray[np.bool_],
    column: tuple[list[str], Integers],
) -> None:
    """Reject a face of no group, or of no cluster."""
    names, codes = column
    if "" in {names[code] for code in np.unique(codes[is_face])}:
        row = int(np.flatnonzero(is_face & (codes == names.index("")))[0])
        raise DataError(
            f"{where(text, row)}: column '{one_line(columns.name(role))}' is empty for a face"
        )
