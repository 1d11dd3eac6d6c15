"""Runs simulations in chunks that are saved as they end: an interrupted one goes on from there."""

import io
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repro.system import atomic_files
from simulations import source
from simulations.simulation import CHUNK, Columns, Simulation, simulate

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
        folder: Of the chunks; those that are there are not simulated again, if of the same code.
        processes: Number of processes; 1 is this one.
        report: Called with a line after each chunk.
    """
    chunks = [(cell, first) for first in range(0, studies, CHUNK) for cell in simulation.cells]
    _discard_outdated(folder, source.digest(simulation.measure.__module__))
    missing = [chunk for chunk in chunks if not _path(folder, chunk).exists()]
    for done, (chunk, columns) in enumerate(_simulated(simulation, missing, processes), start=1):
        _save(_path(folder, chunk), columns)
        report(f"{simulation.name}: {len(chunks) - len(missing) + done:,} of {len(chunks):,}")
    return {
        cell: _joined([_load(_path(folder, (cell, first))) for first in range(0, studies, CHUNK)])
        for cell in simulation.cells
    }


def _discard_outdated(folder: Path, code: str) -> None:
    """Remove chunks of other code; a note in the folder names the code of those that stay."""
    note = folder / "code"
    if folder.exists() and not (note.exists() and note.read_text() == code):
        shutil.rmtree(folder)
    atomic_files.put(note, code.encode())


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
