"""Runs beside each other on one device, each in a process of its own; a part of `gpu_cells.py`."""

import contextlib
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

import contenders
import gpu_cells
from gpu_place import Place, row

from repro.training import trainer


def rates(
    place: Place, settings: Sequence[tuple[int, str, bool]], counts: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """A row for each setting (batch, precision, captured) and number of processes at once."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(_started(place)) for _ in range(max(counts))]
        for setting in settings:
            _ask(connections, setting)
            for count in counts:
                rate = sum(_ask(connections[:count], None))
                batch, precision, captured = setting
                how = "graph" if captured else "eager"
                what = f"{count} processes, {how}, batch {batch}, {precision}"
                yield row(what, 1000 * count * batch / rate, count * batch)


def _ask(connections: Sequence[Connection], question: object) -> list[float]:
    for connection in connections:
        connection.send(question)
    return [connection.recv() for connection in connections]


def _started(place: Place) -> Connection:
    """A process that is closed with its connection."""
    context = multiprocessing.get_context(contenders.START)
    ours, theirs = context.Pipe()
    arguments = (theirs, place.device, place.toy)
    context.Process(target=_serve, args=arguments, daemon=True).start()
    theirs.close()
    return ours


def _serve(connection: Connection, device: str, toy: bool) -> None:
    """Build a run when given a setting; train for a while when given none."""
    trainer.prepare_process()
    place = Place(device, toy=toy)
    train: Any = None
    with contextlib.suppress(EOFError):
        while True:
            setting = connection.recv()
            if setting is not None:
                train = _trainer(place, *setting)
                connection.send(0.0)
            else:
                connection.send(_rate(place, train))


def _trainer(place: Place, batch: int, precision: str, captured: bool) -> Any:
    """A function that trains a few steps, warm, and the number of their images."""
    run = gpu_cells.a_run(place, batch, precision, captured=captured)
    batches = gpu_cells.repeated(run.draw(1), 2 if place.toy else 20)

    def train() -> int:
        run.train(batches)
        place.wait()
        return int(batches.size)

    train()
    return train


def _rate(place: Place, train: Any) -> float:
    """Images per second."""
    images, began = 0, time.perf_counter()
    while not images or time.perf_counter() - began < place.seconds:
        images += train()
    return images / (time.perf_counter() - began)
