"""Scores of the test photographs of a run, and the file that holds them, `scores.csv`.

A photograph is scored by its highest window, so that recall and false positives at any threshold
can be computed from the file later.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

HEADER = ["set", "photograph", "group", "top_logit", "windows", "positive"]
_NO_MARKS = bytes(one for one in range(256) if one not in b',\n\r"')  # bytes of cells


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
        ValueError: A line has too few cells, or a cell that is not a number.
    """
    sets, *columns = _columns(content)
    found = {}
    for name in dict.fromkeys(sets):
        own = [one == name for one in sets]
        found[name] = _of_columns(*([*compress(column, own)] for column in columns))
    return found


def _columns(content: bytes) -> list[list[str]]:
    """The cells of each column, without the header."""
    width = len(HEADER)
    if not _is_plain(content):
        _, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
        for row in rows:
            if len(row) != width:
                raise ValueError(f"{','.join(row)[:100]!r} is no line of scores")
        return [[row[k] for row in rows] for k in range(width)]
    cells = content.decode("utf-8").replace("\n", ",").split(",")[width:-1]
    return [cells[k::width] for k in range(width)]


def _is_plain(content: bytes) -> bool:
    """Whether no cell is quoted and every line has all, so that it may be cut at the commas."""
    line = b"," * (len(HEADER) - 1) + b"\n"
    return content.translate(None, _NO_MARKS) == line * content.count(b"\n")


def _of_columns(
    names: list[str],
    groups: list[str],
    logits: list[str],
    windows: list[str],
    positive: list[str],
) -> Scores:
    return Scores(
        tuple(names),
        tuple(groups),
        np.array([*map(float, logits)]),
        _counts(windows),
        _counts(positive),
    )


def _counts(cells: list[str]) -> NDArray[np.int64]:
    """Whole numbers; few differ, so each is read once."""
    known = {text: int(text) for text in set(cells)}
    return np.array([known[text] for text in cells], dtype=np.int64)
