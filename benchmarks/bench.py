"""What training costs against the frozen peer: interleaved rounds, medians, ratios of one run.

Each contender lives in its own process (or two, for two runs at once) and answers one request at a
time, so that both sides meet the same machine. Images are random bytes of the right shape: no
operation here takes another time for other values.

    python benchmarks/bench.py              everything, about 7 min on two cores
    python benchmarks/bench.py epoch encode only these
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

ROUNDS = 5
MFLOP_FACE, MFLOP_OTHER, MFLOP_ENCODE = 85.67, 41.02, 14.48  # nominal, counted by hand, per image
LATENTS = 100
LEARNING_RATE = 1e-6  # noise makes a network diverge at the usual 1e-3; a step costs the same
Request = Callable[[], float]


class Contender:
    """Processes that do the same work at the same time when asked."""

    def __init__(self, work: Callable[..., Iterator[float]], *arguments: Any, times: int) -> None:
        """Start `times` processes of a generator that yields a number for each request."""
        context = multiprocessing.get_context("spawn")
        self.connections: list[Connection] = []
        for _ in range(times):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, work, arguments), daemon=True)
            process.start()
            self.connections.append(ours)
        for connection in self.connections:
            connection.recv()

    def __call__(self) -> float:
        """The sum of the processes' numbers."""
        for connection in self.connections:
            connection.send(None)
        return sum(connection.recv() for connection in self.connections)

    def close(self) -> None:
        """End them."""
        for connection in self.connections:
            connection.close()


def _serve(connection: Connection, work: Callable[..., Iterator[float]], arguments: Any) -> None:
    values = work(*arguments)
    next(values)  # set up and warm
    connection.send(0.0)
    try:
        while True:
            connection.recv()
            connection.send(next(values))
    except EOFError:
        return


def rounds(contenders: dict[str, Contender]) -> dict[str, list[float]]:
    """Each contender once per round, in turn."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, contender in contenders.items():
            found[name].append(contender())
    for contender in contenders.values():
        contender.close()
    return found


def ratio(a: list[float], b: list[float]) -> float:
    """Median of the ratios round by round."""
    return statistics.median(x / y for x, y in zip(a, b, strict=True))


# What the processes do. Each first yields when it is warm, then a number per request.


def random_images(count: int) -> tuple[Any, Any]:
    """Half of them labelled faces."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    return images, np.arange(count) % 2 == 0


def peer_epoch(batch_size: int, count: int, threads: int) -> Iterator[float]:
    """Images per second of the peer's whole epoch."""
    import peer
    import torch

    torch.set_num_threads(threads)
    contender = peer.Peer(*random_images(count), batch_size=batch_size, learning_rate=LEARNING_RATE)
    contender.epoch()
    yield 0.0
    while True:
        began = time.perf_counter()
        trained = contender.epoch()
        yield trained / (time.perf_counter() - began)


def our_epoch(
    batch_size: int, count: int, changes: dict[str, Any], device: str = "cpu"
) -> Iterator[float]:
    """Images per second of our whole epoch: encode, weights, draw, training."""
    run = our_run(batch_size, count, changes, device)
    run._train(run._draw(2))
    yield 0.0
    while True:
        began = time.perf_counter()
        batches = run._draw(2)
        run._train(batches)
        run.totals.tolist()
        yield batches.size / (time.perf_counter() - began)


def our_run(batch_size: int, count: int, changes: dict[str, Any], device: str = "cpu") -> Any:
    """A run of the reproduction's preset on random images."""
    from repro import layers, training
    from repro.configuration import Configuration
    from repro.data.sets import TrainingImages
    from repro.presets import PRESETS

    training.prepare_process()
    choices = {"batch_size": batch_size, "learning_rate": LEARNING_RATE, **changes}
    choices["resampling"] = {"alpha": 0.01}
    configuration = Configuration.model_validate(layers.merge(PRESETS["dehaan2020"], choices))
    data = TrainingImages(*random_images(round(count / 0.8)))
    return training.Fit(configuration, 0, data, device=device)


def sgemm() -> Iterator[float]:
    """FLOP/s of a float32 product of 2,048 x 2,048, one thread, as torch multiplies it."""
    import torch

    torch.set_num_threads(1)
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    a @ b
    yield 0.0
    while True:
        began = time.perf_counter()
        for _ in range(3):
            a @ b
        yield 3 * 2 * 2048**3 / (time.perf_counter() - began)


def onednn_gemm() -> Iterator[float]:
    """The same in float32 by oneDNN, which uses the processor's longest vectors."""
    import torch

    from repro.kernels.linear import _product as multiply

    torch.set_num_threads(1)
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    multiply(a, b)
    yield 0.0
    while True:
        began = time.perf_counter()
        for _ in range(3):
            multiply(a, b)
        yield 3 * 2 * 2048**3 / (time.perf_counter() - began)


# Rows, sums and columns of each convolution as a product of matrices, and what an image multiplies.
SHAPES = {
    (65_536, 75, 12): 921_600,
    (65_536, 300, 24): 1_843_200,
    (16_384, 600, 48): 1_843_200,
    (4_096, 1_200, 72): 1_382_400,
    (256, 1_152, 1_000): 1_353_000,
}


def narrow_products() -> Iterator[float]:
    """Images per second if every layer were a bf16 product in its own narrow shape, and no more.

    Half of the images are faces and decoded; each layer forward, by its input and by its weights,
    the first not by its input; the faces encoded once.
    """
    import torch

    torch.set_num_threads(1)
    made = {
        shape: (
            torch.randn(shape[0], shape[1]).bfloat16(),
            torch.randn(shape[1], shape[2]).bfloat16(),
        )
        for shape in SHAPES
    }
    yield 0.0
    while True:
        seconds = 0.0
        for shape, (a, b) in made.items():
            a @ b
            began = time.perf_counter()
            for _ in range(3):
                a @ b
            per_product = (time.perf_counter() - began) / 3
            passes = (2 if shape[1] == 75 else 3) + 0.5 * 3 + 0.5
            products = shape[0] * shape[1] * shape[2]
            seconds += per_product * SHAPES[shape] * passes / products
        yield 1 / seconds


def peer_encode(count: int) -> Iterator[float]:
    """Faces per second, whole encoder, DataLoader."""
    import peer
    import torch

    torch.set_num_threads(1)
    images, is_face = random_images(count)
    crops, network = peer.Crops(images, is_face), peer.Network()
    peer.encode(network, crops)
    yield 0.0
    while True:
        began = time.perf_counter()
        peer.encode(network, crops)
        yield count / (time.perf_counter() - began)


def our_encode(count: int) -> Iterator[float]:
    """Faces per second, mean head."""
    import torch

    from repro import inference, models, training

    training.prepare_process()
    images = torch.from_numpy(random_images(count)[0])
    network = models.build("dehaan2020", latent_dim=LATENTS, seed=0)
    index = torch.arange(count)
    inference.latent_means(network, images, index)
    yield 0.0
    while True:
        began = time.perf_counter()
        inference.latent_means(network, images, index)
        yield count / (time.perf_counter() - began)


def latents() -> Any:
    """Of as many faces as the reproduction trains on."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(43_966, LATENTS)).astype(np.float32)


def weights(side: str) -> Iterator[float]:
    """Evaluations per second of all faces' weights."""
    import peer

    from repro import resampling

    found = latents()
    work = {
        "peer": lambda: peer.face_weights(found, alpha=0.01, bins=10),
        "ours": lambda: resampling.weights(
            found, combine="max", density="mass", alpha=0.01, bins=10
        ),
    }[side]
    yield from _per_second(work, 5)


def drawing(side: str) -> Iterator[float]:
    """Epochs per second of drawing all batches of 256."""
    import peer

    from repro import resampling

    share = np.random.default_rng(0).exponential(size=43_966)
    share /= share.sum()
    is_face = np.arange(87_931) < len(share)
    steps = len(is_face) // 256
    generator = np.random.default_rng(0)

    def peers() -> None:
        for _ in peer.draw_batches(share, 43_965, steps=steps, batch_size=256):
            pass

    def ours() -> None:
        resampling.weighted_batches(
            share,
            is_face,
            batch_size=256,
            replacement="with",
            balance="expected",
            generator=generator,
        )

    yield from _per_second({"peer": peers, "ours": ours}[side], 2 if side == "peer" else 20)


def _per_second(work: Callable[[], Any], repeats: int) -> Iterator[float]:
    work()
    yield 0.0
    while True:
        began = time.perf_counter()
        for _ in range(repeats):
            work()
        yield repeats / (time.perf_counter() - began)


def portraits(count: int) -> list[Any]:
    """Random pictures of about PPB's windows: 58, 85 or 117 each."""
    generator = np.random.default_rng(0)
    heights = (256, 320, 384)
    return [
        generator.integers(0, 256, (heights[i % 3], 256, 3), dtype=np.uint8) for i in range(count)
    ]


def peer_evaluation(count: int) -> Iterator[float]:
    """Portraits per second, one after the other."""
    import peer
    import torch

    torch.set_num_threads(1)
    network, pictures = peer.Network(), portraits(count)
    yield from _per_second(lambda: [peer.top_logit(network, p) for p in pictures], 1)


def our_evaluation(count: int) -> Iterator[float]:
    """Portraits per second, windows of many together."""
    from repro import evaluation, models, training
    from repro.configuration import Windows
    from repro.data.sets import Photographs

    training.prepare_process()
    network = models.build("dehaan2020", latent_dim=LATENTS, seed=0)
    pictures = portraits(count)
    names = tuple(str(i) for i in range(count))
    opened = Photographs(names, ("",) * count, pictures.__getitem__)
    rule = Windows(sizes=5, smallest=0.5, stride=0.2, resize="nearest")
    yield from _per_second(lambda: evaluation.score(network, opened, rule), 1)


def outside(batch_size: int, count: int) -> Iterator[float]:
    """Share of an epoch that is not forward, backward, optimiser or encoding.

    Gathering a batch happens inside an update and counts as outside.
    """
    from repro import inference

    run = our_run(batch_size, count, {"decoder_input": "faces"})
    spent = [0.0]

    def timed(function: Callable[..., Any], sign: int = 1) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            began = time.perf_counter()
            result = function(*arguments, **named)
            spent[0] += sign * (time.perf_counter() - began)
            return result

        return call

    run.update.kernels.gather = timed(run.update.kernels.gather, -1)
    run.update = timed(run.update)
    inference.latent_means = timed(inference.latent_means)
    run._train(run._draw(2))
    yield 0.0
    while True:
        spent[0], began = 0.0, time.perf_counter()
        run._train(run._draw(2))
        whole = time.perf_counter() - began
        yield (whole - spent[0]) / whole


def memory(batch_size: int, count: int, changes: dict[str, Any]) -> Iterator[float]:
    """Peak bytes of a run beyond the process with its libraries, the data and their index."""
    import torch

    from repro import inference, training  # noqa: F401 - what a worker has loaded

    images, is_face = random_images(round(count / 0.8))
    torch.randn(2, 2) @ torch.randn(2, 2)
    del images, is_face
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    run = our_run(batch_size, count, changes)
    for epoch in (1, 2):
        run.epoch(epoch)
    yield 0.0
    while True:
        yield resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before


# The table.


class Table:
    """Rows of measured, target and floor."""

    def __init__(self) -> None:
        """Print the head."""
        print("| what | measured | target | floor | |\n|---|---:|---:|---:|---|", flush=True)

    def row(self, what: str, measured: float, target: float, floor: float, form: str) -> None:
        """One figure; a target below its floor is one to stay under."""
        reached = (
            (lambda limit: measured >= limit)
            if target >= floor
            else (lambda limit: measured <= limit)
        )
        verdict = "reached" if reached(target) else "floor" if reached(floor) else "missed"
        values = " | ".join(format(value, form) for value in (measured, target, floor))
        print(f"| {what} | {values} | {verdict} |", flush=True)


def note(line: str) -> None:
    """What a ratio was made of, to stderr."""
    print(line, file=sys.stderr, flush=True)


def per_second(found: dict[str, list[float]]) -> str:
    """Medians, for notes."""
    return ", ".join(f"{name} {statistics.median(v):,.4g}" for name, v in found.items())


FACES, ALL = {"decoder_input": "faces"}, {"decoder_input": "all"}
FAST = {"decoder_input": "faces", "precision": "bf16"}
IMAGES = {256: 5_120, 1024: 8_192}


def bench_epoch(table: Table) -> None:
    """Whole epochs against the peer with two threads, and the rooflines."""
    goals = {
        256: {"faces": (2.5, 1.9), "all": (1.9, 1.5), "bf16": (6, 3.7)},
        1024: {"faces": (3.0, 2.3), "all": (1.9, 1.5), "bf16": (8, 5.0)},
    }
    for size, count in IMAGES.items():
        found = rounds(
            {
                "peer": Contender(peer_epoch, size, count, 2, times=1),
                "faces": Contender(our_epoch, size, count, FACES, times=2),
                "all": Contender(our_epoch, size, count, ALL, times=2),
                "bf16": Contender(our_epoch, size, count, FAST, times=2),
                "faces alone": Contender(our_epoch, size, count, FACES, times=1),
                "sgemm": Contender(sgemm, times=1),
                "bf16 alone": Contender(our_epoch, size, count, FAST, times=1),
                "bf16 floor": Contender(narrow_products, times=1),
                "oneDNN gemm": Contender(onednn_gemm, times=1),
            }
        )
        note(f"batch {size}: {per_second(found)}")
        for name, (target, floor) in goals[size].items():
            label = {"faces": "decoder on faces", "all": "decoder on all"}.get(name, "fast (bf16)")
            what = f"whole epoch, {label}, batch {size}, two runs at once, over the peer"
            table.row(what, ratio(found[name], found["peer"]), target, floor, ".2f")
        useful = 1e6 * ((MFLOP_FACE + MFLOP_OTHER) / 2 + MFLOP_ENCODE / 2)
        rate = [useful * images for images in found["faces alone"]]
        what = f"useful FLOP/s over sgemm, default, batch {size}, one run"
        table.row(what, ratio(rate, found["sgemm"]), 0.50, 0.38, ".2f")
        by_onednn = ratio(rate, found["oneDNN gemm"])
        table.row(f"{what} by oneDNN", by_onednn, 0.50, 0.38, ".2f")
        what = f"the same, fast, over its shape-aware bf16 floor, batch {size}"
        table.row(what, ratio(found["bf16 alone"], found["bf16 floor"]), 0.50, 0.30, ".2f")


def bench_parts(table: Table) -> None:
    """Encoding, weights, drawing, evaluation."""
    pairs = {
        "encode, 1 thread, over the peer's": (peer_encode, our_encode, (4096,), 2.4, 2.0),
        "weights over the numpy loop": (weights, weights, None, 3.5, 2.5),
        "drawing an epoch over np.random.choice": (drawing, drawing, None, 30, 15),
        "evaluation of portraits, 1 thread, over one by one": (
            *(peer_evaluation, our_evaluation, (24,)),
            *(5, 3),
        ),
    }
    for what, (peers, ours, arguments, target, floor) in pairs.items():
        found = rounds(
            {
                "peer": Contender(peers, *(arguments or ("peer",)), times=1),
                "ours": Contender(ours, *(arguments or ("ours",)), times=1),
            }
        )
        note(f"{what}: {per_second(found)} per second")
        table.row(what, ratio(found["ours"], found["peer"]), target, floor, ".2f")


def bench_rest(table: Table) -> None:
    """Overhead, memory, two runs at once."""
    share = statistics.median(rounds({"": Contender(outside, 256, 10_240, times=1)})[""])
    what = "time outside forward, backward, step, encode, %"
    table.row(what, 100 * share, 2, 4, ".1f")
    peak = Contender(memory, 256, 20_480, ALL, times=1)()
    what = "peak memory beyond data and weights, batch 256, decoder on all, GB"
    table.row(what, peak / 1e9, 0.6, 1, ".2f")


BENCHES = {"epoch": bench_epoch, "parts": bench_parts, "rest": bench_rest}


def main() -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="|".join(BENCHES), help="default: all")
    names = parser.parse_args().names or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        parser.error(f"there is no benchmark {unknown[0]}")
    os.environ.pop("OMP_NUM_THREADS", None)  # the peer takes two threads
    table = Table()
    for name in names:
        BENCHES[name](table)


if __name__ == "__main__":
    main()
