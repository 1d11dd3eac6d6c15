"""Scores of the test photographs of a run, and the file that holds them, `scores.csv`.

A photograph is scored by its highest window, so that recall and false positives at any threshold
can be computed from the file later.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEADER = ["set", "photograph", "group", "top_logit", "windows", "positive"]


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
    _, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    sets: dict[str, list[list[str]]] = {}
    for row in rows:
        sets.setdefault(row[0], []).append(row)
    return {name: _of_rows(of_set) for name, of_set in sets.items()}


def _of_rows(rows: list[list[str]]) -> Scores:
    _, names, groups, logits, windows, positive = zip(*rows, strict=True)
    return Scores(
        names,
        groups,
        np.array([*map(float, logits)]),
        np.array([*map(int, windows)], dtype=np.int64),
        np.array([*map(int, positive)], dtype=np.int64),
    )
