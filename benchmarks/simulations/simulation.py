"""What a simulation is: cells, a way to draw one study, and what is measured in it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

STUDIES = 20_000  # of each cell
CHUNK = 400  # studies that are simulated and saved together; the tests run as many
PROBE = 20  # first studies of a cell; a stored result is current if they come out the same

Columns = Mapping[str, NDArray[Any]]  # of each study, shape (S,); NaN: the study does not count


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean of a column over the studies of a cell.

    Attributes:
        n: Number of studies that count.
        mean: NaN without any.
        sd: Standard deviation between studies (ddof 0).
    """

    n: int
    mean: float
    sd: float

    @property
    def error(self) -> float:
        """Monte Carlo standard error of the mean."""
        return self.sd / float(np.sqrt(self.n)) if self.n else float("nan")


Means = Mapping[str, Mapping[str, Mean]]  # of each cell and column


@dataclass(frozen=True, slots=True)
class Promise:
    """Bounds of a column's expected value that the documentation relies on.

    Attributes:
        cell: Name of the cell.
        column: Name of the column.
        low: Smallest value.
        high: Largest value.
    """

    cell: str
    column: str
    low: float = float("-inf")
    high: float = float("inf")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of docs/statistics.md: head, and rows of as many cells."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Many studies of each cell, and what the program says of them.

    Attributes:
        name: Of its file of results; with the cell's name it seeds the studies.
        title: Heading in docs/statistics.md.
        text: Model and question, above the tables.
        cells: Parameters of each cell, by its name.
        draw: One study, from the parameters and a generator.
        measure: Columns of numbers, from the parameters and a list of studies.
        tables: From the means.
        promises: What must hold.
        tested: Cells of which the tests simulate CHUNK studies.
    """

    name: str
    title: str
    text: str
    cells: Mapping[str, Any]
    draw: Callable[[Any, Generator], Any]
    measure: Callable[[Any, list[Any]], Columns]
    tables: Callable[[Means], Iterator[Table]]
    promises: Sequence[Promise] = ()
    tested: Sequence[str] = ()


def simulate(simulation: Simulation, cell: str, first: int, count: int) -> dict[str, NDArray[Any]]:
    """Columns of the studies `first` to `first + count - 1` of a cell, shape (count,) each."""
    parameters = simulation.cells[cell]
    studies = [
        simulation.draw(parameters, generator(simulation.name, cell, index))
        for index in range(first, first + count)
    ]
    found = simulation.measure(parameters, studies)
    return {name: np.asarray(column, dtype=np.float64) for name, column in found.items()}


def generator(simulation: str, cell: str, index: int) -> Generator:
    """The random numbers of one study: the same whoever simulates it, and when."""
    digest = hashlib.sha256(f"{simulation}/{cell}".encode()).digest()
    seed = np.random.SeedSequence(int.from_bytes(digest[:16]), spawn_key=(index,))
    return np.random.Generator(np.random.PCG64(seed))


def averaged(columns: Columns) -> dict[str, Mean]:
    """The mean of each column over the studies that count."""
    found = {}
    for name, column in columns.items():
        known = column[~np.isnan(column)]
        n = len(known)
        found[name] = Mean(
            n, float(known.mean()) if n else float("nan"), float(known.std()) if n else float("nan")
        )
    return found


def covers(low: NDArray[Any], high: NDArray[Any], truth: float) -> NDArray[np.float64]:
    """1 where an interval holds the truth, 0 where it does not or is undefined."""
    return ((low <= truth) & (truth <= high)).astype(np.float64)


def where(condition: NDArray[Any], values: NDArray[Any]) -> NDArray[np.float64]:
    """The values of some studies; the others do not count."""
    return np.where(condition, values, np.nan)
