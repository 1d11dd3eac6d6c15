"""Scores of the test photographs of a run, and the file that holds them, `scores.csv`.

A photograph is scored by its highest window, so that recall and false positives at any threshold
can be computed from the file later.
"""

import contextlib
import csv
import functools
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pydantic_core
from numpy.typing import NDArray

from repro.metrics import Count

HEADER = ["set", "photograph", "group", "top_logit", "windows", "positive"]
SETS = ("portraits", "nonfaces")
DIGITS = 9  # of a number of windows
_NO_MARKS = bytes(one for one in range(256) if one not in b',\n\r"')  # bytes of cells
_OF_NUMBERS = b"0123456789+-.eE,"


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of a set of N photographs.

    Attributes:
        names: Names of the photographs.
        groups: Group of each, "" if there is none.
        top_logit: Largest logit over the windows, shape (N,); -inf without windows.
        windows: Number of windows, shape (N,).
        positive: Number of windows with a logit of 0 or more, shape (N,).
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    top_logit: NDArray[np.float64]
    windows: NDArray[np.int64]
    positive: NDArray[np.int64]

    @property
    def detected(self) -> NDArray[np.bool_]:
        """Whether any window is positive."""
        return self.positive > 0


def to_csv(sets: Mapping[str, Scores]) -> bytes:
    """The file: a line for each photograph of each set, numbers in full precision."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(HEADER)
    for name, s in sets.items():
        columns = (s.names, s.groups, s.top_logit.tolist(), s.windows, s.positive)
        table.writerows((name, *row) for row in zip(*columns, strict=True))
    return file.getvalue().encode()


def from_csv(content: bytes) -> dict[str, Scores]:
    """The sets of a file, by name.

    Args:
        content: As written by `to_csv`.

    Returns:
        ``portraits`` and ``nonfaces``; a set without photographs is omitted.

    Raises:
        ValueError: Another header or set, a line with other cells, or a number out of its range.
    """
    try:
        sets, names, groups, *numbers = _columns(content)
    except csv.Error as error:
        raise ValueError(str(error)) from None
    return {
        name: _of_columns(*photographs, *(_picked(column, at) for column in numbers))
        for name, at, *photographs in _layout(tuple(sets), tuple(names), tuple(groups))
    }


class _Set(NamedTuple):
    """Photographs of one set: where they stand in a file, their names and groups."""

    name: str
    at: slice | list[int]
    names: tuple[str, ...]
    groups: tuple[str, ...]


@functools.lru_cache(maxsize=4)  # the runs of a study score the same photographs
def _layout(
    sets: tuple[str, ...], names: tuple[str, ...], groups: tuple[str, ...]
) -> tuple[_Set, ...]:
    """The sets of a file, from the first three cells of all its lines."""
    found = []
    for name in dict.fromkeys(sets):
        if name not in SETS:
            raise ValueError(f"{name[:100]!r} is no set of photographs")
        places = [place for place, one in enumerate(sets) if one == name]
        first, end = places[0], places[-1] + 1
        at = slice(first, end) if end - first == len(places) else places
        found.append(_Set(name, at, *(tuple(_picked(one, at)) for one in (names, groups))))
    return tuple(found)


def _picked(column: Sequence[str], at: slice | list[int]) -> Sequence[str]:
    return column[at] if isinstance(at, slice) else [column[place] for place in at]


def _columns(content: bytes) -> list[list[str]]:
    """The cells of each column, without the header."""
    width = len(HEADER)
    if not _is_plain(content):
        header, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
        _require_header(header)
        for row in rows:
            if len(row) != width:
                raise ValueError(f"{','.join(row)[:100]!r} is no line of scores")
        return [[row[k] for row in rows] for k in range(width)]
    cells = content.decode("utf-8").replace("\n", ",").split(",")[:-1]
    _require_header(cells[:width])
    return [cells[k::width] for k in range(width, 2 * width)]


def _require_header(cells: list[str]) -> None:
    if cells != HEADER:
        raise ValueError(f"its first line is not {','.join(HEADER)}")


def _is_plain(content: bytes) -> bool:
    """Whether no cell is quoted and every line has all, so that it may be cut at the commas."""
    line = b"," * (len(HEADER) - 1) + b"\n"
    return content.translate(None, _NO_MARKS) == line * content.count(b"\n")


def _of_columns(
    names: tuple[str, ...],
    groups: tuple[str, ...],
    logits: Sequence[str],
    windows: Sequence[str],
    positive: Sequence[str],
) -> Scores:
    found = Scores(
        names,
        groups,
        _logits(logits),
        _numbers(windows),
        _numbers(positive),
    )
    if (found.positive > found.windows).any():
        raise ValueError("more positive windows than windows")
    if not (found.top_logit < np.inf).all():
        raise ValueError("a top logit is NaN or infinite")
    return found


def _logits(cells: Sequence[str]) -> NDArray[np.float64]:
    """Their exact values; the JSON reader of pydantic takes a fifth of the time of `float`."""
    text = ",".join(cells)
    if text and not text.encode().translate(None, _OF_NUMBERS):
        with contextlib.suppress(ValueError, OverflowError):  # not of JSON: "1."
            return np.array(pydantic_core.from_json(f"[{text}]"), dtype=np.float64)
    return np.array([*map(float, cells)])


def _numbers(cells: Sequence[str]) -> NDArray[np.int64]:
    """Numbers of windows; few differ, so each is read once."""
    known = {text: _number(text) for text in set(cells)}
    if len(known) == 1:
        return np.full(len(cells), next(iter(known.values())), dtype=np.int64)
    return np.array([*map(known.__getitem__, cells)], dtype=np.int64)


def _number(text: str) -> int:
    if len(text) > DIGITS or not text.isdecimal():
        raise ValueError(f"{text[:100]!r} is no number of windows")
    return int(text)


def disagreement(
    found: Mapping[str, Scores], groups: Mapping[str, Count], nonfaces: Count | None
) -> str:
    """How scores differ from the counts of the record beside them; empty if they do not.

    Args:
        found: Sets by name.
        groups: Counts of the portraits' groups.
        nonfaces: Counts of the photographs without a face; None if there are none.
    """
    if any(((one.top_logit >= 0) != one.detected).any() for one in found.values()):
        return "a top logit of 0 or more has no positive window, or a lower one has"
    portraits, others = found.get("portraits"), found.get("nonfaces")
    counted = _counts(portraits) if portraits else {}
    if counted != groups:
        return f"it counts {_told(counted)}, and the record {_told(groups)}"
    of_others = Count(len(others.names), int(others.detected.sum())) if others else None
    if of_others != nonfaces:
        return f"it counts {of_others} without a face, and the record {nonfaces}"
    return ""


def _counts(portraits: Scores) -> dict[str, Count]:
    """As `metrics.group_counts`, in a tenth of its time."""
    names, places, sizes = _groups(portraits.groups)
    found = np.bincount(places[portraits.detected], minlength=len(names)).tolist()
    return {name: Count(n, k) for name, n, k in zip(names, sizes, found, strict=True)}


@functools.lru_cache(maxsize=4)
def _groups(groups: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.int64], list[int]]:
    """The names of the groups, the place among them of each photograph, and their sizes."""
    known = {name: place for place, name in enumerate(dict.fromkeys(groups))}
    places = np.array([known[name] for name in groups], dtype=np.int64)
    return tuple(known), places, np.bincount(places, minlength=len(known)).tolist()


def counts(found: Mapping[str, Scores]) -> tuple[dict[str, Count], Count | None]:
    """Detections in each group of portraits, and in the photographs without a face, if any."""
    others = found.get("nonfaces")
    of_others = Count(len(others.names), int(others.detected.sum())) if others else None
    return _counts(found["portraits"]), of_others


def _told(groups: Mapping[str, Count]) -> str:
    """The counts in a few words."""
    told = [f"{count.detected} of {count.n} {name[:40]!r}" for name, count in groups.items()]
    return ", ".join(told[:4]) + (" ..." if len(told) > 4 else "") or "nothing"
