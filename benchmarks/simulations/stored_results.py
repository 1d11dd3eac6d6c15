"""The results that the repository holds: a small JSON file for each simulation."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy

import repro
from repro.system import atomic_files
from simulations.simulation import CHUNK, PROBE, Columns, Mean, Means, Simulation, averaged

FOLDER = Path(__file__).parent / "results"
DIGITS = 10  # significant digits of a stored number
FIRST = (PROBE, CHUNK)  # numbers of first studies whose means are stored
SAME = 1e-6  # relative difference below which two numbers are the same on any machine


def path(simulation: Simulation, folder: Path = FOLDER) -> Path:
    """Of a simulation's results."""
    return folder / f"{simulation.name}.json"


def write(simulation: Simulation, studies: Mapping[str, Columns], folder: Path = FOLDER) -> None:
    """Store the means of all studies, and of the first ones, by which other code is noticed."""
    cells = {cell: _stored(columns) for cell, columns in studies.items()}
    versions = {"repro": repro.__version__, "numpy": np.__version__, "scipy": scipy.__version__}
    count = max(len(column) for columns in studies.values() for column in columns.values())
    head = {"simulation": simulation.name, "studies": count, "versions": versions}
    atomic_files.put(path(simulation, folder), _json(head, cells).encode())


def _stored(columns: Columns) -> dict[str, list[float | None]]:
    """n, mean and standard deviation of each column, and its means over the first studies."""
    means = averaged(columns)
    firsts = [_first(columns, count) for count in FIRST]
    return {
        name: [
            one.n,
            _rounded(one.mean),
            _rounded(one.sd),
            *(_rounded(first[name]) for first in firsts),
        ]
        for name, one in means.items()
    }


def _first(columns: Columns, count: int) -> dict[str, float]:
    """The mean of each column over the first studies."""
    found = averaged({name: column[:count] for name, column in columns.items()})
    return {name: one.mean for name, one in found.items()}


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else float(f"{value:.{DIGITS}g}")


def _json(head: Mapping[str, Any], cells: Mapping[str, Mapping[str, Sequence[Any]]]) -> str:
    """JSON with a line for each column, so that a change shows which numbers changed."""
    parts = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    told = []
    for cell, columns in cells.items():
        lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in columns.items())
        told.append(f" {json.dumps(cell)}: {{\n" + ",\n".join(lines) + "\n }")
    parts.append(f'"columns": {json.dumps(["n", "mean", "sd", *map(str, FIRST)])}')
    return "{" + ",\n".join([*parts, '"cells": {\n' + ",\n".join(told) + "\n}"]) + "}\n"


def read(simulation: Simulation, folder: Path = FOLDER) -> dict[str, Any]:
    """The file's content."""
    content: dict[str, Any] = json.loads(path(simulation, folder).read_text(encoding="utf-8"))
    return content


def means(simulation: Simulation, folder: Path = FOLDER) -> Means:
    """The stored mean of each cell and column."""
    return {
        cell: {name: Mean(n, _nan(mean), _nan(sd)) for name, (n, mean, sd, *_) in columns.items()}
        for cell, columns in read(simulation, folder)["cells"].items()
    }


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


def outdated(
    simulation: Simulation, cell: str, studies: Columns, folder: Path = FOLDER
) -> list[str]:
    """Columns of a cell that the code of now computes otherwise than the stored result.

    Args:
        simulation: Whose result is stored.
        cell: Name of the cell.
        studies: Columns of its first studies by the code of now, as many as one of FIRST.
        folder: Of the results.
    """
    count = max(map(len, studies.values()))
    now, place = _first(studies, count), 3 + FIRST.index(count)
    stored = read(simulation, folder)["cells"].get(cell, {})
    return [
        name
        for name in sorted(now.keys() | stored.keys())
        if name not in now or name not in stored or not _same(now[name], stored[name][place])
    ]


def _same(now: float, stored: float | None) -> bool:
    return bool(np.isclose(now, _nan(stored), rtol=SAME, atol=1e-9, equal_nan=True))
