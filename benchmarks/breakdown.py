"""Where the time of one run goes, and how it grows; one process, one thread.

With --toy they do little: this tries out the script itself.

python benchmarks/breakdown.py step       milliseconds of a step by what is done
python benchmarks/breakdown.py batch      images per second by batch size
python benchmarks/breakdown.py latents    an epoch by number of latents
python benchmarks/breakdown.py images     an epoch by number of images
python benchmarks/breakdown.py windows    a portrait by number of windows
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import contenders
import numpy as np
import plain_environment


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        batch: Batch size where it does not vary.
        steps: Batch size and input of the decoder of the steps that are taken apart.
        epoch: Images of the epoch by step and by latents.
        by_batch: Images of the epoch by batch size.
        batches: Batch sizes.
        latents: Numbers of latents.
        images: Numbers of images.
        portraits: That are looked at, eight at most.
    """

    batch: int = 256
    steps: tuple[tuple[int, str], ...] = ((24, "all"), (256, "faces"))
    epoch: int = 5_120
    by_batch: int = 4_096
    batches: tuple[int, ...] = (24, 64, 256, 1024)
    latents: tuple[int, ...] = (10, 100, 1000)
    images: tuple[int, ...] = (2_560, 5_120, 10_240)
    portraits: int = 8


TOY = Size(
    16,
    ((24, "all"), (16, "faces")),
    32,
    32,
    batches=(16, 32),
    latents=(10,),
    images=(32,),
    portraits=1,
)


def median_seconds(work: Callable[[], Any], repeats: int = 5) -> float:
    """Of one call, warm."""
    work()
    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def step(size: Size) -> None:
    """Milliseconds of a step, half of its images faces: the paper's, and a larger one."""
    for batch_size, decoder_input in size.steps:
        for precision in ("fp32", "bf16"):
            _step(precision, batch_size, size.epoch, decoder_input)


def _step(precision: str, size: int, count: int, decoder_input: str) -> None:
    from repro.training.kernels import c_calls, c_library

    choices = {"decoder_input": decoder_input, "precision": precision}
    run = contenders.our_run(size, count, choices)
    batches = run.draw(1)
    run.train(batches)
    spent: dict[str, float] = defaultdict(float)
    load = c_library.load
    c_calls.load = c_library.load = lambda: _Timed(load(), spent)
    try:
        began = time.perf_counter()
        run.train(batches)
        whole = time.perf_counter() - began
    finally:
        c_calls.load = c_library.load = load
    spent["everything else"] = whole - sum(spent.values())
    what = f"{precision}, batch {size}, decoder on {decoder_input}"
    print(f"{what}: {1e3 * whole / len(batches):.1f} ms a step")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {name:20} {1e3 * seconds / len(batches):6.2f} ms {100 * seconds / whole:5.1f} %")


class _Timed:
    """A library of C functions; the seconds of each are added up."""

    def __init__(self, library: Any, spent: dict[str, float]) -> None:
        self._library, self._spent = library, spent

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self._library, name)

        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            result = function(*arguments)
            self._spent[name] += time.perf_counter() - began
            return result

        return timed


def epoch_seconds(batch_size: int, count: int, changes: dict[str, Any]) -> tuple[float, float]:
    """Of the weights and draw, and of the training, of one resampled epoch."""
    run = contenders.our_run(batch_size, count, changes)
    batches = run.draw(2)
    drawing = median_seconds(lambda: run.draw(2), 3)
    return drawing, median_seconds(lambda: run.train(batches), 3)


def batch(size: Size) -> None:
    """Images per second by batch size."""
    for each in size.batches:
        for which in ("all", "faces"):  # the paper decodes all
            _, training = epoch_seconds(each, size.by_batch, {"decoder_input": which})
            trained = size.by_batch // each * each
            print(f"batch {each:5}, decoder on {which:5}: {trained / training:6.0f} images/s")


def latents(size: Size) -> None:
    """Milliseconds of an epoch by number of latents."""
    for count in size.latents:
        drawing, training = epoch_seconds(size.batch, size.epoch, {"latent_dim": count})
        print(f"{count:5} latents: encode and weights {1e3 * drawing:6.0f} ms,", end=" ")
        print(f"training {1e3 * training:6.0f} ms")


def images(size: Size) -> None:
    """Milliseconds of an epoch by number of images."""
    for count in size.images:
        drawing, training = epoch_seconds(size.batch, count, {})
        print(f"{count:6} images: encode and weights {1e3 * drawing:6.0f} ms,", end=" ")
        print(f"training {1e3 * training:6.0f} ms")


def windows(size: Size) -> None:
    """Milliseconds of a portrait by number of windows."""
    from repro import models
    from repro.data.pictures.images import Photographs
    from repro.study.configuration import Windows
    from repro.training import evaluation, trainer

    trainer.prepare_process()
    network = models.build("dehaan2020", latent_dim=100, seed=0)
    pictures = contenders.portraits(size.portraits)
    names = tuple("abcdefgh"[: size.portraits])
    opened = Photographs(names, ("",) * len(names), pictures.__getitem__)
    for stride in (0.4, 0.2, 0.1):
        rule = Windows(sizes=5, smallest=0.5, stride=stride, resize="nearest")
        count = np.mean(evaluation.score(network, opened, rule).windows)
        seconds = median_seconds(lambda rule=rule: evaluation.score(network, opened, rule))
        milliseconds = 1e3 * seconds / len(names)
        print(f"stride {stride}: {count:5.0f} windows a portrait, {milliseconds:6.1f} ms")


BREAKDOWNS = {one.__name__: one for one in (step, batch, latents, images, windows)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Show one breakdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=list(BREAKDOWNS))
    parser.add_argument("--toy", action="store_true", help="do little: tries out the script itself")
    given = parser.parse_args(arguments)
    BREAKDOWNS[given.what](TOY if given.toy else Size())


if __name__ == "__main__":
    plain_environment.start_again()
    main()
