"""What the processes of the benchmarks do: our side, the frozen peer's, and the processor's limits.

Each function here is one contender's work: it first yields when it is warm, then a number for each
request. Images are random bytes of the right shape: no operation here takes another time for other
values.
"""

import contextlib
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

LATENTS = 100
LEARNING_RATE = 1e-6  # noise makes a network diverge at the usual 1e-3; a step costs the same
START = "spawn"  # how a process begins: with nothing of the one that asks


def this_machine() -> str:
    """The processor, by its name and family, its cores, and the libraries that compute."""
    from importlib.metadata import version

    from repro.execution.executors import hardware
    from repro.system import machine

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    told = dict(map(str.strip, line.split(":", 1)) for line in lines if ":" in line)
    family = ", ".join(f"{key} {told[key]}" for key in ("cpu family", "model") if key in told)
    kernels = hardware.kernels_on("cpu", None)
    return (
        f"{machine.processor_name()} ({family or 'family not known'}), "
        f"{len(hardware.slots('cpu'))} cores, torch {version('torch')}. {kernels}"
    )


class Contender:
    """Processes that do the same work at the same time when asked."""

    def __init__(self, work: Callable[..., Iterator[float]], *arguments: Any, times: int) -> None:
        """Start `times` processes of a generator that yields a number for each request."""
        context = multiprocessing.get_context(START)
        self.connections: list[Connection] = []
        for _ in range(times):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, work, arguments), daemon=True)
            process.start()
            theirs.close()  # so that a process that ends is noticed
            self.connections.append(ours)
        for connection in self.connections:
            _answer(connection)

    def __call__(self) -> float:
        """The sum of the processes' numbers."""
        for connection in self.connections:
            connection.send(None)
        return sum(map(_answer, self.connections))

    def close(self) -> None:
        """End them."""
        for connection in self.connections:
            connection.close()


def _answer(connection: Connection) -> float:
    """The next number of a process; an error if it ended, its own is printed above."""
    try:
        return float(connection.recv())
    except EOFError:
        raise RuntimeError("a process of the benchmark ended with an error") from None


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
    batch_size: int, count: int, changes: dict[str, Any], kernels: str | None = None
) -> Iterator[float]:
    """Images per second of our whole epoch: encode, weights, draw, training.

    Args:
        batch_size: Of a step.
        count: Images of an epoch.
        changes: Of the reproduction's choices.
        kernels: ``torch`` for its operators, or a build of the blocked ones; None: the default.
    """
    with computed_by(kernels):
        yield from _epochs(batch_size, count, changes)


def computed_by(kernels: str | None) -> contextlib.AbstractContextManager[None]:
    """Within, networks are computed by these kernels; see `our_epoch`."""
    from repro.training.kernels import c_library

    if kernels is None:
        return contextlib.nullcontext()
    return c_library.using("torch") if kernels == "torch" else c_library.using_build(kernels)


def other_kernels() -> tuple[str, ...]:
    """What else computes networks here than the default: slower builds, and torch's operators."""
    from repro.training.kernels import c_library

    if c_library.load() is None:
        return ()
    return (*c_library.builds()[1:], "torch")


def build() -> str:
    """The default build of the blocked kernels."""
    from repro.training.kernels import c_library

    return str(c_library.build())


def _epochs(batch_size: int, count: int, changes: dict[str, Any]) -> Iterator[float]:
    run = our_run(batch_size, count, changes)
    run.train(run.draw(2))
    yield 0.0
    while True:
        began = time.perf_counter()
        batches = run.draw(2)
        run.train(batches)
        run.step.totals.tolist()  # waits for the device
        yield batches.size / (time.perf_counter() - began)


def our_run(batch_size: int, count: int, changes: dict[str, Any], device: str = "cpu") -> Any:
    """A run of the reproduction's preset on random images."""
    from repro.data.pictures.images import TrainingImages
    from repro.study import merge
    from repro.study.configuration import Configuration
    from repro.study.presets import PRESETS
    from repro.training import trainer

    trainer.prepare_process()
    choices = {"batch_size": batch_size, "learning_rate": LEARNING_RATE, **changes}
    choices["resampling"] = {"alpha": 0.01}
    configuration = Configuration.model_validate(merge.merge(PRESETS["dehaan2020"], choices))
    data = TrainingImages(*random_images(round(count / 0.8)))
    return trainer.Fit(configuration, 0, data, device=device)


def sgemm(side: int) -> Iterator[float]:
    """FLOP/s of a float32 product of `side` x `side`, one thread, as torch multiplies it."""
    import torch

    torch.set_num_threads(1)
    a, b = torch.randn(side, side), torch.randn(side, side)
    a @ b
    yield 0.0
    while True:
        began = time.perf_counter()
        for _ in range(3):
            a @ b
        yield 3 * 2 * side**3 / (time.perf_counter() - began)


def onednn_gemm(side: int) -> Iterator[float]:
    """The same in float32 by oneDNN, which uses the processor's longest vectors."""
    import torch

    from repro.training.kernels.linear import product as multiply

    torch.set_num_threads(1)
    a, b = torch.randn(side, side), torch.randn(side, side)
    multiply(a, b)
    yield 0.0
    while True:
        began = time.perf_counter()
        for _ in range(3):
            multiply(a, b)
        yield 3 * 2 * side**3 / (time.perf_counter() - began)


# Rows, sums and columns of each convolution as a product of matrices, and what an image multiplies.
SHAPES = {
    (65_536, 75, 12): 921_600,
    (65_536, 300, 24): 1_843_200,
    (16_384, 600, 48): 1_843_200,
    (4_096, 1_200, 72): 1_382_400,
    (256, 1_152, 1_000): 1_353_000,
}


def narrow_products(share: float) -> Iterator[float]:
    """Images per second if every layer were a bf16 product in its own narrow shape, and no more.

    Half of the images are faces and decoded; each layer forward, by its input and by its weights,
    the first not by its input; the faces encoded once. Products have this share of their rows.
    """
    import torch

    torch.set_num_threads(1)
    made = {
        shape: (
            torch.randn(round(shape[0] * share), shape[1]).bfloat16(),
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
            products = len(a) * shape[1] * shape[2]
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

    from repro import models
    from repro.training import inference, trainer

    trainer.prepare_process()
    images = torch.from_numpy(random_images(count)[0])
    network = models.build("dehaan2020", latent_dim=LATENTS, seed=0)
    index = torch.arange(count)
    inference.latent_means(network, images, index)
    yield 0.0
    while True:
        began = time.perf_counter()
        inference.latent_means(network, images, index)
        yield count / (time.perf_counter() - began)


def latents(faces: int) -> Any:
    """Of so many faces."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(faces, LATENTS)).astype(np.float32)


def weights(side: str, faces: int) -> Iterator[float]:
    """Evaluations per second of all faces' weights."""
    import peer

    from repro import resampling

    found = latents(faces)
    work = {
        "peer": lambda: peer.face_weights(found, alpha=0.01, bins=10),
        "ours": lambda: resampling.weights(
            found, combine="max", density="mass", alpha=0.01, bins=10
        ),
    }[side]
    yield from _per_second(work, 5)


def drawing(side: str, faces: int) -> Iterator[float]:
    """Epochs per second of drawing all batches of 256, of as many faces as other images."""
    import peer

    from repro import resampling

    share = np.random.default_rng(0).exponential(size=faces)
    share /= share.sum()
    is_face = np.arange(2 * faces) < faces
    steps = len(is_face) // 256
    generator = np.random.default_rng(0)

    def peers() -> None:
        for _ in peer.draw_batches(share, faces, steps=steps, batch_size=256):
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
    from repro import models
    from repro.data.pictures.images import Photographs
    from repro.study.configuration import Windows
    from repro.training import evaluation, trainer

    trainer.prepare_process()
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
    from repro.training import inference

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
    run.train(run.draw(2))
    yield 0.0
    while True:
        spent[0], began = 0.0, time.perf_counter()
        run.train(run.draw(2))
        whole = time.perf_counter() - began
        yield (whole - spent[0]) / whole


def memory(batch_size: int, count: int, changes: dict[str, Any]) -> Iterator[float]:
    """Peak bytes of a run beyond the process with its libraries, the data and their index."""
    import torch

    from repro.training import inference, trainer  # noqa: F401 - what a worker has loaded

    images, is_face = random_images(round(count / 0.8))
    torch.randn(2, 2) @ torch.randn(2, 2)
    del images, is_face
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    run = our_run(batch_size, count, changes)
    for epoch in (1, 2):
        batches = run.draw(epoch)
        run.train(batches)
        run.ended(run.step.totals, batches.size)
    yield 0.0
    while True:
        yield resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
