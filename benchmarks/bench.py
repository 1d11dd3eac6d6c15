"""What training costs against the frozen peer: interleaved rounds, medians, ratios of one run.

Each contender lives in its own process (or two, for two runs at once) and answers one request at a
time, so that both sides meet the same machine.

    python benchmarks/bench.py              everything, about 7 min on two cores
    python benchmarks/bench.py epoch parts  only these
    python benchmarks/bench.py --toy        seconds: tries out the script itself
"""

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import contenders
from contenders import Contender

MFLOP_FACE, MFLOP_OTHER, MFLOP_ENCODE = 85.67, 41.02, 14.48  # nominal, counted by hand, per image


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        rounds: Requests to each contender.
        threads: Of the peer's epoch; more than one crawl beside other work.
        batches: Batch sizes of the epochs.
        images: Of an epoch, and at least eight batches.
        side: Of the square matrices.
        rows: Share of the rows of the narrow products.
        encoded: Faces that are encoded.
        faces: That have a weight: as many as the reproduction trains on.
        portraits: That are evaluated.
        outside: Images of the epoch whose overhead is measured.
        memory: Images of the run whose memory is measured.
        batch: Batch size of these two.
    """

    rounds: int = 5
    threads: int = 2
    batches: tuple[int, ...] = (256, 1024)
    images: int = 5_120
    side: int = 2_048
    rows: float = 1.0
    encoded: int = 4_096
    faces: int = 43_966
    portraits: int = 24
    outside: int = 10_240
    memory: int = 20_480
    batch: int = 256


TOY = Size(
    **{"rounds": 1, "threads": 1, "batches": (8,), "images": 8, "side": 64, "rows": 1 / 64},
    **{"encoded": 64, "faces": 600, "portraits": 1, "outside": 64, "memory": 64, "batch": 8},
)


def rounds(size: Size, asked: dict[str, Contender]) -> dict[str, list[float]]:
    """Each contender once per round, in turn."""
    found: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(size.rounds):
        for name, contender in asked.items():
            found[name].append(contender())
    for contender in asked.values():
        contender.close()
    return found


def ratio(a: list[float], b: list[float]) -> float:
    """Median of the ratios round by round."""
    return statistics.median(x / y for x, y in zip(a, b, strict=True))


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
GOALS = {
    256: {"faces": (2.5, 1.9), "all": (1.9, 1.5), "bf16": (6, 3.7)},
    1024: {"faces": (3.0, 2.3), "all": (1.9, 1.5), "bf16": (8, 5.0)},
}  # target and floor of an epoch, by batch size; those of 256 for every other


def bench_epoch(table: Table, size: Size) -> None:
    """Whole epochs against the peer, and the rooflines."""
    epoch = contenders.our_epoch
    for batch in size.batches:
        count = max(size.images, 8 * batch)
        found = rounds(
            size,
            {
                "peer": Contender(contenders.peer_epoch, batch, count, size.threads, times=1),
                "faces": Contender(epoch, batch, count, FACES, times=2),
                "all": Contender(epoch, batch, count, ALL, times=2),
                "bf16": Contender(epoch, batch, count, FAST, times=2),
                "faces alone": Contender(epoch, batch, count, FACES, times=1),
                "sgemm": Contender(contenders.sgemm, size.side, times=1),
                "bf16 alone": Contender(epoch, batch, count, FAST, times=1),
                "bf16 floor": Contender(contenders.narrow_products, size.rows, times=1),
                "oneDNN gemm": Contender(contenders.onednn_gemm, size.side, times=1),
            },
        )
        note(f"batch {batch}: {per_second(found)}")
        _epoch_rows(table, batch, found)


def _epoch_rows(table: Table, batch: int, found: dict[str, list[float]]) -> None:
    for name, (target, floor) in GOALS.get(batch, GOALS[256]).items():
        label = {"faces": "decoder on faces", "all": "decoder on all"}.get(name, "fast (bf16)")
        what = f"whole epoch, {label}, batch {batch}, two runs at once, over the peer"
        table.row(what, ratio(found[name], found["peer"]), target, floor, ".2f")
    useful = 1e6 * ((MFLOP_FACE + MFLOP_OTHER) / 2 + MFLOP_ENCODE / 2)
    rate = [useful * images for images in found["faces alone"]]
    what = f"useful FLOP/s over sgemm, default, batch {batch}, one run"
    table.row(what, ratio(rate, found["sgemm"]), 0.50, 0.38, ".2f")
    table.row(f"{what} by oneDNN", ratio(rate, found["oneDNN gemm"]), 0.50, 0.38, ".2f")
    what = f"the same, fast, over its shape-aware bf16 floor, batch {batch}"
    table.row(what, ratio(found["bf16 alone"], found["bf16 floor"]), 0.50, 0.30, ".2f")


def bench_parts(table: Table, size: Size) -> None:
    """Encoding, weights, drawing, evaluation."""
    encode = (contenders.peer_encode, size.encoded), (contenders.our_encode, size.encoded)
    evaluate = (
        (contenders.peer_evaluation, size.portraits),
        (contenders.our_evaluation, size.portraits),
    )
    weigh, draw = (
        ((work, "peer", size.faces), (work, "ours", size.faces))
        for work in (contenders.weights, contenders.drawing)
    )
    for what, (peers, ours), target, floor in (
        ("encode, 1 thread, over the peer's", encode, 2.4, 2.0),
        ("weights over the numpy loop", weigh, 3.5, 2.5),
        ("drawing an epoch over np.random.choice", draw, 30, 15),
        ("evaluation of portraits, 1 thread, over one by one", evaluate, 5, 3),
    ):
        asked = {"peer": Contender(*peers, times=1), "ours": Contender(*ours, times=1)}
        found = rounds(size, asked)
        note(f"{what}: {per_second(found)} per second")
        table.row(what, ratio(found["ours"], found["peer"]), target, floor, ".2f")


def bench_rest(table: Table, size: Size) -> None:
    """Overhead and memory."""
    overhead = Contender(contenders.outside, size.batch, size.outside, times=1)
    share = statistics.median(rounds(size, {"": overhead})[""])
    what = "time outside forward, backward, step, encode, %"
    table.row(what, 100 * share, 2, 4, ".1f")
    run = Contender(contenders.memory, size.batch, size.memory, ALL, times=1)
    peak = run()
    run.close()
    what = f"peak memory beyond data and weights, batch {size.batch}, decoder on all, GB"
    table.row(what, peak / 1e9, 0.6, 1, ".2f")


BENCHES = {"epoch": bench_epoch, "parts": bench_parts, "rest": bench_rest}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="|".join(BENCHES), help="default: all")
    parser.add_argument("--toy", action="store_true", help="do little: tries out the script itself")
    given = parser.parse_args(arguments)
    names = given.names or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        parser.error(f"there is no benchmark {unknown[0]}")
    if not given.toy:
        os.environ.pop("OMP_NUM_THREADS", None)  # the peer takes two threads
    table = Table()
    for name in names:
        BENCHES[name](table, TOY if given.toy else Size())


if __name__ == "__main__":
    main()
