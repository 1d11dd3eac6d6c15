"""The results that the repository holds: a small JSON file for each simulation."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy

import repro
from repro.system import atomic_files
from simulations.simulation import PROBE, Columns, Mean, Means, Simulation, averaged, simulate

FOLDER = Path(__file__).parent / "results"
DIGITS = 10  # significant digits of a stored number
SAME = 1e-6  # relative difference below which two numbers are the same on any machine


def path(simulation: Simulation, folder: Path = FOLDER) -> Path:
    """Of a simulation's results."""
    return folder / f"{simulation.name}.json"


def write(simulation: Simulation, studies: Mapping[str, Columns], folder: Path = FOLDER) -> None:
    """Store the means of all studies, and of the first PROBE, by which a reader knows the code."""
    cells = {cell: _stored(columns) for cell, columns in studies.items()}
    versions = {"repro": repro.__version__, "numpy": np.__version__, "scipy": scipy.__version__}
    count = max(len(column) for columns in studies.values() for column in columns.values())
    head = {"simulation": simulation.name, "studies": count, "versions": versions}
    atomic_files.put(path(simulation, folder), _json(head, cells).encode())


def _stored(columns: Columns) -> dict[str, list[float | None]]:
    """n, mean, standard deviation, and the mean of the first PROBE studies, of each column."""
    means = averaged(columns)
    first = averaged({name: column[:PROBE] for name, column in columns.items()})
    return {
        name: [one.n, _rounded(one.mean), _rounded(one.sd), _rounded(first[name].mean)]
        for name, one in means.items()
    }


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else float(f"{value:.{DIGITS}g}")


def _json(head: Mapping[str, Any], cells: Mapping[str, Mapping[str, Sequence[Any]]]) -> str:
    """JSON with a line for each column, so that a change shows which numbers changed."""
    parts = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    told = []
    for cell, columns in cells.items():
        lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in columns.items())
        told.append(f" {json.dumps(cell)}: {{\n" + ",\n".join(lines) + "\n }")
    parts.append('"columns": ["n", "mean", "sd", "first"]')
    return "{" + ",\n".join([*parts, '"cells": {\n' + ",\n".join(told) + "\n}"]) + "}\n"


def read(simulation: Simulation, folder: Path = FOLDER) -> dict[str, Any]:
    """The file's content."""
    content: dict[str, Any] = json.loads(path(simulation, folder).read_text(encoding="utf-8"))
    return content


def means(simulation: Simulation, folder: Path = FOLDER) -> Means:
    """The stored mean of each cell and column."""
    return {
        cell: {name: Mean(n, _nan(mean), _nan(sd)) for name, (n, mean, sd, _) in columns.items()}
        for cell, columns in read(simulation, folder)["cells"].items()
    }


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


def outdated(simulation: Simulation, cell: str, folder: Path = FOLDER) -> list[str]:
    """Columns of a cell that the code of now computes otherwise than the stored result."""
    now = averaged(simulate(simulation, cell, 0, PROBE))
    stored = read(simulation, folder)["cells"].get(cell, {})
    return [
        name
        for name in sorted(now.keys() | stored.keys())
        if name not in now
        or name not in stored
        or not np.isclose(
            now[name].mean, _nan(stored[name][3]), rtol=SAME, atol=1e-9, equal_nan=True
        )
    ]
