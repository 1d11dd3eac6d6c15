"""Where the GPU's benchmarks measure, for how long, and what a row of their table holds."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from repro.training.step import GraphCapture

RUNS, EPOCHS, IMAGES = 25, 60, 87_931  # the reproduction's Table 3: five arms of five runs
MFLOP = 85.67  # of an image in a step

Rows = Iterator[dict[str, Any]]


class Place:
    """Where to measure, and how much: on the CPU the script itself is tried out."""

    def __init__(self, device: str, *, toy: bool) -> None:
        """Set by the arguments of the process."""
        self.device, self.toy = device, toy
        self.on_gpu = device != "cpu"
        self.images = 96 if toy else 24_000
        self.seconds = 0.01 if toy else 0.8  # of a measurement of steps, about

    def wait(self) -> None:
        """For the device."""
        if self.on_gpu:
            torch.cuda.synchronize()

    def milliseconds(self, work: Callable[[], object], *, graph: bool = True) -> float:
        """Of a call among many; of the replay of a CUDA graph, where there are any."""
        work()
        if graph and self.on_gpu:
            capture = GraphCapture()
            capture.warm_up(work)
            work = capture.record(work)
        self.wait()
        calls, began = 0, time.perf_counter()
        while not calls or time.perf_counter() - began < self.seconds / 8:
            for _ in range(1 if self.toy else 4):
                work()
                calls += 1
            self.wait()
        return 1000 * (time.perf_counter() - began) / calls

    def steps(self, train: Callable[[int], object]) -> float:
        """Milliseconds of a step of training, which takes a number of steps."""
        train(2 if self.toy else 10)  # warm, and captured
        self.wait()
        few = 1 if self.toy else 10
        began = time.perf_counter()
        train(few)
        self.wait()
        estimate = (time.perf_counter() - began) / few
        count = max(2 if self.toy else 10, min(2000, round(self.seconds / estimate)))
        began = time.perf_counter()
        train(count)
        self.wait()
        return 1000 * (time.perf_counter() - began) / count


def row(what: str, milliseconds: float, images: int, note: str = "") -> dict[str, Any]:
    """A row of training: the whole study's minutes follow from its rate."""
    rate = 1000 * images / milliseconds
    return {
        "what": what,
        "ms": round(milliseconds, 4),
        "images_per_second": round(rate),
        "minutes": round(RUNS * EPOCHS * IMAGES / rate / 60, 2),
        "tflops": round(rate * MFLOP / 1e6, 2),
        "note": note,
    }
