"""Where the time of one run goes, and how it grows; one process, one thread.

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
from collections.abc import Callable
from typing import Any

import bench
import numpy as np


def median_seconds(work: Callable[[], Any], repeats: int = 5) -> float:
    """Of one call, warm."""
    work()
    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def step(precision: str) -> None:
    """Milliseconds of a step of 256 images, half of them faces, decoder on faces."""
    from repro.kernels import blocked

    run = bench.our_run(256, 5_120, {"decoder_input": "faces", "precision": precision})
    batches = run._draw(1)
    run._train(batches)
    spent: dict[str, float] = defaultdict(float)
    call = blocked._call

    def timed(name: str, *arguments: Any) -> None:
        began = time.perf_counter()
        call(name, *arguments)
        spent[name] += time.perf_counter() - began

    blocked._call = timed
    began = time.perf_counter()
    run._train(batches)
    whole = time.perf_counter() - began
    blocked._call = call
    spent["everything else"] = whole - sum(spent.values())
    print(f"{precision}, {1e3 * whole / len(batches):.1f} ms a step")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {name:20} {1e3 * seconds / len(batches):6.2f} ms {100 * seconds / whole:5.1f} %")


def epoch_seconds(batch_size: int, count: int, changes: dict[str, Any]) -> tuple[float, float]:
    """Of the weights and draw, and of the training, of one resampled epoch."""
    run = bench.our_run(batch_size, count, changes)
    batches = run._draw(2)
    drawing = median_seconds(lambda: run._draw(2), 3)
    return drawing, median_seconds(lambda: run._train(batches), 3)


def batch() -> None:
    """Images per second by batch size."""
    for size in (24, 64, 256, 1024):
        for which in ("faces", "all"):
            _, training = epoch_seconds(size, 4_096, {"decoder_input": which})
            trained = 4_096 // size * size
            print(f"batch {size:5}, decoder on {which:5}: {trained / training:6.0f} images/s")


def latents() -> None:
    """Milliseconds of an epoch of 5,120 images by number of latents."""
    for count in (10, 100, 1000):
        drawing, training = epoch_seconds(256, 5_120, {"latent_dim": count})
        print(f"{count:5} latents: encode and weights {1e3 * drawing:6.0f} ms,", end=" ")
        print(f"training {1e3 * training:6.0f} ms")


def images() -> None:
    """Milliseconds of an epoch by number of images."""
    for count in (2_560, 5_120, 10_240):
        drawing, training = epoch_seconds(256, count, {})
        print(f"{count:6} images: encode and weights {1e3 * drawing:6.0f} ms,", end=" ")
        print(f"training {1e3 * training:6.0f} ms")


def windows() -> None:
    """Milliseconds of a portrait by number of windows."""
    from repro import evaluation, models, training
    from repro.configuration import Windows
    from repro.data.sets import Photographs

    training.prepare_process()
    network = models.build("dehaan2020", latent_dim=100, seed=0)
    pictures = bench.portraits(8)
    opened = Photographs(tuple("abcdefgh"), ("",) * 8, pictures.__getitem__)
    for stride in (0.4, 0.2, 0.1):
        rule = Windows(sizes=5, smallest=0.5, stride=stride, resize="nearest")
        count = np.mean(evaluation.score(network, opened, rule).windows)
        seconds = median_seconds(lambda rule=rule: evaluation.score(network, opened, rule)) / 8
        print(f"stride {stride}: {count:5.0f} windows a portrait, {1e3 * seconds:6.1f} ms")


def main() -> None:
    """Show one breakdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["step", "batch", "latents", "images", "windows"])
    what = parser.parse_args().what
    if what == "step":
        step("fp32")
        step("bf16")
    else:
        {"batch": batch, "latents": latents, "images": images, "windows": windows}[what]()


if __name__ == "__main__":
    main()
