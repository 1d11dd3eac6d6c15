"""Runs simulations in chunks that are saved as they end: an interrupted one goes on from there."""

import io
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repro.system import atomic_files
from simulations.simulation import CHUNK, PROBE, Columns, Simulation, simulate

START = "spawn"  # how a process begins: with nothing of the one that asks
Chunk = tuple[str, int]  # of a cell, by the number of its first study
Report = Callable[[str], None]


def run(
    simulation: Simulation,
    studies: int,
    folder: Path,
    *,
    processes: int = 1,
    report: Report = print,
) -> dict[str, dict[str, NDArray[Any]]]:
    """All studies of a simulation: columns of each cell, shape (studies,) each.

    Args:
        simulation: What is simulated.
        studies: Of each cell, a multiple of CHUNK.
        folder: Of the chunks; those that are there are not simulated again.
        processes: Number of processes; 1 is this one.
        report: Called with a line after each chunk.
    """
    chunks = [(cell, first) for first in range(0, studies, CHUNK) for cell in simulation.cells]
    for cell in simulation.cells:
        _discard_outdated(simulation, cell, folder)
    missing = [chunk for chunk in chunks if not _path(folder, chunk).exists()]
    for done, (chunk, columns) in enumerate(_simulated(simulation, missing, processes), start=1):
        _save(_path(folder, chunk), columns)
        report(f"{simulation.name}: {len(chunks) - len(missing) + done:,} of {len(chunks):,}")
    return {
        cell: _joined([_load(_path(folder, (cell, first))) for first in range(0, studies, CHUNK)])
        for cell in simulation.cells
    }


def _discard_outdated(simulation: Simulation, cell: str, folder: Path) -> None:
    """Remove a cell's chunks unless the code of now gives its first studies the same numbers."""
    first = _path(folder, (cell, 0))
    if not first.parent.exists() or (first.exists() and _agree(simulation, cell, _load(first))):
        return
    for path in first.parent.iterdir():
        path.unlink()


def _agree(simulation: Simulation, cell: str, saved: Columns) -> bool:
    now = simulate(simulation, cell, 0, PROBE)
    return saved.keys() == now.keys() and all(
        np.allclose(saved[name][:PROBE], now[name], rtol=1e-9, atol=1e-12, equal_nan=True)
        for name in now
    )


def _simulated(
    simulation: Simulation, chunks: Sequence[Chunk], processes: int
) -> Iterator[tuple[Chunk, Columns]]:
    """Each chunk as it ends; few are under way at a time, so that Ctrl-C loses little."""
    if processes == 1:
        yield from ((chunk, simulate(simulation, *chunk, CHUNK)) for chunk in chunks)
        return
    context, running = get_context(START), dict[Future[Any], Chunk]()
    with ProcessPoolExecutor(processes, context, initializer=_ignore_interrupts) as pool:
        try:
            for chunk in chunks:
                running[pool.submit(simulate, simulation, *chunk, CHUNK)] = chunk
                if len(running) > processes:
                    yield from _ended(running)
            while running:
                yield from _ended(running)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _ended(running: dict[Future[Any], Chunk]) -> Iterator[tuple[Chunk, Columns]]:
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        yield running.pop(future), future.result()


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal; the first one decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _path(folder: Path, chunk: Chunk) -> Path:
    cell, first = chunk
    return folder / re.sub(r"[^\w.-]+", "_", cell) / f"{first:06d}.npz"


def _save(path: Path, columns: Columns) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, **columns)
    atomic_files.put(path, content.getvalue())


def _load(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path) as saved:
        return dict(saved)


def _joined(parts: Sequence[Columns]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
