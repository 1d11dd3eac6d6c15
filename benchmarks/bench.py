"""What training costs against the frozen peer: interleaved rounds, medians, ratios of one run.

Each contender lives in its own process (or two, for two runs at once) and answers one request at a
time, so that both sides meet the same machine. The paper's batch of 24 comes first.

    python benchmarks/bench.py              everything, 10 to 15 min on two cores
    python benchmarks/bench.py epoch parts  only these
    python benchmarks/bench.py --toy        seconds: tries out the script itself
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import contenders
import plain_environment
from contenders import Contender

MFLOP_FACE, MFLOP_OTHER, MFLOP_ENCODE = 85.67, 41.02, 14.48  # nominal, counted by hand, per image
PAPERS = 24  # the batch size of the paper


@dataclass(frozen=True)
class Epochs:
    """How many images of an epoch, and rounds, at a batch size."""

    images: int
    rounds: int = 5


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        rounds: Requests to each contender, but in epochs.
        threads: Of the peer's epoch; more than one crawl beside other work.
        epochs: By batch size.
        compared: Batch sizes at which other kernels and builds are measured.
        side: Of the square matrices.
        rows: Share of the rows of the narrow products.
        encoded: Faces that are encoded.
        faces: That have a weight: as many as the reproduction trains on.
        portraits: That are evaluated.
        outside: Images of the epoch whose overhead is measured.
        memory: Images of the run whose memory is measured.
        batch: Batch size of these two.
        study: Changes to the embedded study, of which one run of each arm is executed.
        executor: Where.
        shared: Changes to the embedded study whose runs share what they can, or do not.
        shared_rounds: Of these.
    """

    rounds: int = 5
    threads: int = 2
    epochs: Mapping[int, Epochs] = field(
        default_factory=lambda: {24: Epochs(1_920), 256: Epochs(3_840), 1024: Epochs(6_144, 3)}
    )
    compared: tuple[int, ...] = (24, 256)
    side: int = 2_048
    rows: float = 1.0
    encoded: int = 4_096
    faces: int = 43_966
    portraits: int = 12
    outside: int = 5_120
    memory: int = 20_480
    batch: int = 256
    study: Mapping[str, Any] = field(default_factory=lambda: {"replicates": 1})
    executor: Literal["local", "inline"] = "local"
    shared: Mapping[str, Any] = field(default_factory=lambda: {"replicates": 1, "epochs": 2})
    shared_rounds: int = 2


TINY = {
    **{"replicates": 1, "epochs": 1, "data.train.faces": 40, "data.train.nonfaces": 40},
    **{"data.test.per_group": 2, "data.test.size": 64, "data.nonfaces.photographs": 2},
    **{"data.nonfaces.size": 64, "batch_size": 16},
}
TOY = Size(
    **{"rounds": 1, "threads": 1, "epochs": {24: Epochs(24, 1), 8: Epochs(8, 1)}},
    **{"compared": (24,), "side": 64, "rows": 1 / 64, "encoded": 64, "faces": 600},
    **{
        "portraits": 1,
        "outside": 64,
        "memory": 64,
        "batch": 8,
        "study": TINY,
        "executor": "inline",
        "shared": TINY,
        "shared_rounds": 1,
    },
)


def rounds(number: int, asked: dict[str, Contender]) -> dict[str, list[float]]:
    """Each contender once per round, in turn."""
    found: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(number):
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
        """Print the processor and the head."""
        print(f"{contenders.this_machine()}\n")
        print("| what | measured | target | floor | |\n|---|---:|---:|---:|---|", flush=True)

    def row(
        self, what: str, measured: float, goal: tuple[float, float] | None, form: str = ".2f"
    ) -> None:
        """One figure, with its target and floor; a target below its floor is one to stay under."""
        values = [format(value, form) for value in (measured, *(goal or ()))]
        verdict = _verdict(measured, *goal) if goal else ""
        print(
            f"| {what} | {' | '.join(values + [''] * (3 - len(values)))} | {verdict} |", flush=True
        )


def _verdict(measured: float, target: float, floor: float) -> str:
    sign = 1 if target >= floor else -1
    if sign * measured >= sign * target:
        return "reached"
    return "floor" if sign * measured >= sign * floor else "missed"


def note(line: str) -> None:
    """What a ratio was made of, to stderr."""
    print(line, file=sys.stderr, flush=True)


def per_second(found: dict[str, list[float]]) -> str:
    """Medians, for notes."""
    return ", ".join(f"{name} {statistics.median(v):,.4g}" for name, v in found.items())


FACES, ALL = {"decoder_input": "faces"}, {"decoder_input": "all"}
FAST = {"decoder_input": "faces", "precision": "bf16"}
LABELS = {"all": "decoder on all", "faces": "decoder on faces", "bf16": "fast (bf16)"}
Goal = tuple[float, float] | None
GOALS: dict[int, dict[str, Goal]] = {  # target and floor of an epoch
    24: {"all": (2.3, 2.0), "faces": None, "bf16": None},
    256: {"all": (1.9, 1.5), "faces": (2.5, 1.9), "bf16": (6, 3.7)},
    1024: {"all": (1.9, 1.5), "faces": (3.0, 2.3), "bf16": (8, 5.0)},
}


def bench_epoch(table: Table, size: Size) -> None:
    """Whole epochs against the peer, other kernels and builds, and the rooflines."""
    for batch, epochs in size.epochs.items():
        work = {
            "peer": (contenders.peer_epoch, (batch, epochs.images, size.threads), 1),
            **_ours(batch, epochs.images, alone=batch != PAPERS),
            "oneDNN gemm": (contenders.onednn_gemm, (size.side,), 1),
        }
        if batch in size.compared:
            for kernels in contenders.other_kernels():
                given = (batch, epochs.images, ALL, kernels)
                work[f"all, {kernels}"] = (contenders.our_epoch, given, 2)
        if batch != PAPERS:
            work["sgemm"] = (contenders.sgemm, (size.side,), 1)
            work["bf16 floor"] = (contenders.narrow_products, (size.rows,), 1)
        asked = {
            name: Contender(*(one, *given), times=times)
            for name, (one, given, times) in work.items()
        }
        found = rounds(epochs.rounds, asked)
        note(f"batch {batch}: {per_second(found)}")
        _epoch_rows(table, batch, found)


def _ours(batch: int, images: int, *, alone: bool) -> dict[str, Any]:
    """Our epochs, two runs at once; one alone for the rooflines, of each kind that they need."""
    epoch, kinds = contenders.our_epoch, {"all": ALL, "faces": FACES, "bf16": FAST}
    found = {name: (epoch, (batch, images, kind), 2) for name, kind in kinds.items()}
    for name in ("faces", "bf16") if alone else ("all",):
        found[f"{name} alone"] = (epoch, (batch, images, kinds[name]), 1)
    return found


def _epoch_rows(table: Table, batch: int, found: dict[str, list[float]]) -> None:
    for name, goal in GOALS.get(batch, GOALS[256]).items():
        what = f"whole epoch, {LABELS[name]}, batch {batch}, two runs at once, over the peer"
        table.row(what, ratio(found[name], found["peer"]), goal)
    _rows_of_kernels(table, batch, found)
    if batch == PAPERS:
        rate = [1e6 * (MFLOP_FACE + MFLOP_ENCODE / 2) * one for one in found["all alone"]]
        what = f"useful FLOP/s over oneDNN's product, decoder on all, batch {batch}, one run"
        table.row(what, ratio(rate, found["oneDNN gemm"]), None)
        return
    useful = 1e6 * ((MFLOP_FACE + MFLOP_OTHER) / 2 + MFLOP_ENCODE / 2)
    rate = [useful * images for images in found["faces alone"]]
    what = f"useful FLOP/s over sgemm, decoder on faces, batch {batch}, one run"
    table.row(what, ratio(rate, found["sgemm"]), (0.50, 0.38))
    table.row(f"{what} by oneDNN", ratio(rate, found["oneDNN gemm"]), (0.50, 0.38))
    what = f"the same, fast, over its shape-aware bf16 floor, batch {batch}"
    table.row(what, ratio(found["bf16 alone"], found["bf16 floor"]), (0.50, 0.30))


def _rows_of_kernels(table: Table, batch: int, found: dict[str, list[float]]) -> None:
    """Each slower build and torch's operators against the default and against the peer."""
    default = f"blocks for {contenders.build()}"
    for name in (one for one in found if one.startswith("all, ")):
        kernels = name.partition(", ")[2]
        title = "torch's operators" if kernels == "torch" else f"blocks for {kernels}"
        what = f"the same, decoder on all, batch {batch}, {title}"
        table.row(f"{what}, over the peer", ratio(found[name], found["peer"]), None)
        table.row(f"{default} over {title}, batch {batch}", ratio(found["all"], found[name]), None)


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
    for what, (peers, ours), goal in (
        ("encode, 1 thread, over the peer's", encode, (2.4, 2.0)),
        ("weights over the numpy loop", weigh, (3.5, 2.5)),
        ("drawing an epoch over np.random.choice", draw, (30, 15)),
        ("evaluation of portraits, 1 thread, over one by one", evaluate, (5, 3)),
    ):
        asked = {"peer": Contender(*peers, times=1), "ours": Contender(*ours, times=1)}
        found = rounds(size.rounds, asked)
        note(f"{what}: {per_second(found)} per second")
        table.row(what, ratio(found["ours"], found["peer"]), goal)


def bench_rest(table: Table, size: Size) -> None:
    """Overhead and memory."""
    overhead = Contender(contenders.outside, size.batch, size.outside, times=1)
    share = statistics.median(rounds(size.rounds, {"": overhead})[""])
    what = "time outside forward, backward, step, encode, %"
    table.row(what, 100 * share, (2, 4), ".1f")
    run = Contender(contenders.memory, size.batch, size.memory, ALL, times=1)
    peak = run()
    run.close()
    what = f"peak memory beyond data and weights, batch {size.batch}, decoder on all, GB"
    table.row(what, peak / 1e9, (0.6, 1))


def bench_study(table: Table, size: Size) -> None:
    """One run of each arm of the embedded study, and what `repro plan` says before."""
    import repro
    from repro.execution import planning, study_costs
    from repro.execution.executors import hardware
    from repro.study import study, study_files

    found = study_files.find("alpha_sweep").path
    resolved = study.load(found, overrides=[f"{key}={value}" for key, value in size.study.items()])
    slots = hardware.slots("cpu")
    with tempfile.TemporaryDirectory() as results:
        computation = hardware.computation(slots)
        planned = planning.plan(resolved, Path(results), computation=computation)
        began = time.perf_counter()
        costs = study_costs.costs(
            resolved, planned.missing, slots=slots, kernels=computation.kernels
        )
        planning_took, began = time.perf_counter() - began, time.perf_counter()
        options = {"overrides": size.study, "results": results, "executor": size.executor}
        repro.run_study(found, progress=False, **options)
        took = time.perf_counter() - began
    runs = len(planned.missing)
    note(f"embedded study, {runs} runs: predicted {costs.missing.seconds:.1f} s, took {took:.1f} s")
    table.row(f"embedded study, {runs} runs, {len(slots)} at once, s", took, None, ".1f")
    table.row("the same over the prediction of `repro plan`", took / costs.missing.seconds, None)
    table.row("what `repro plan` takes to measure and predict, s", planning_took, None, ".1f")
    here = costs.paper.here
    table.row("prediction: the paper's study here, h", here.seconds / 3600, None, ".1f")
    table.row("prediction: evaluation in it, %", 100 * here.evaluation, None, ".1f")


def bench_sharing(table: Table, size: Size) -> None:
    """A short embedded study whose runs share what they can, over the same whose runs do not.

    No target: 0.76 is that of the whole study over the version before, which had slower steps as
    well; `embedded.py` measures that.
    """
    import sharing

    from repro.study import study_files

    changes = [f"{key}={value}" for key, value in size.shared.items()]
    found = sharing.measured(study_files.find("alpha_sweep").path, changes, size.shared_rounds)
    for name, took in found.items():
        shown = ", ".join(f"{one.seconds:.1f} ({one.work:.1f})" for one in took)
        note(f"short embedded study, {name}, s (of the processors): {shown}")
    for other in (name for name in found if name != "shared"):
        what = f"short embedded study, runs that share over {other}"
        for unit, more in (("seconds", ""), ("work", ", processor time")):
            shared, not_shared = (
                [getattr(one, unit) for one in found[name]] for name in ("shared", other)
            )
            table.row(f"{what}{more}", ratio(shared, not_shared), None)


BENCHES = {
    "epoch": bench_epoch,
    "parts": bench_parts,
    "rest": bench_rest,
    "sharing": bench_sharing,
    "study": bench_study,
}


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
    plain_environment.start_again()
    main()
