"""How many finished runs a second a study can take in, and what an executor costs a run.

Runs that train nothing leave records as large as real ones (eight epochs, 600 portraits, 200 other
photographs). First without any worker: what one process makes of their messages, record by record,
and MLflow behind it. Then through the workers of each executor.

    python benchmarks/throughput.py                    10,000 runs, then 400 through each executor
    python benchmarks/throughput.py --runs 500         tries out the script itself
"""

import argparse
import contextlib
import functools
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scale

from repro.data import sources
from repro.data.pictures.images import Material, TrainingImages
from repro.execution import runner
from repro.execution.executors import hardware, local, ray
from repro.execution.executors.executor_options import Place
from repro.execution.executors.local import Local
from repro.metrics import Count
from repro.records import records
from repro.records.events import EpochEnded, Event, RunEnded, RunRecorded, RunStarted
from repro.records.mlflow import mirror_process
from repro.records.task import Task
from repro.study import study
from repro.study.resources import PLAIN

AHEAD = 64  # runs that the simulated workers have at a time
TOGETHER = 16  # of them end before anybody looks, as those of a busy cluster do
NETWORK = 1 << 16  # bytes, in the place of a network of ten megabytes: disks are not measured here


@functools.cache
def _outcome() -> tuple[dict[str, Any], bytes]:
    """Counts, shares and scores of the same photographs."""
    generator = np.random.default_rng(0)
    sizes = len(scale.GROUPS) * scale.EACH, scale.OTHERS
    portraits, others = (generator.normal(size=size) for size in sizes)
    found = (portraits >= 0).reshape(len(scale.GROUPS), scale.EACH).sum(axis=1)
    false_alarms = Count(scale.OTHERS, int((others >= 0).sum()))
    counts = {
        "groups": {
            name: Count(scale.EACH, int(n)) for name, n in zip(scale.GROUPS, found, strict=True)
        },
        "nonfaces": false_alarms,
        "metrics": {
            "recall": float((portraits >= 0).mean()),
            "false_positive_rate": false_alarms.share,
            "val_accuracy": 0.95,
            "val_active_units": 100.0,
            "training_images": 2000.0,
        },
    }
    return counts, scale.scores_csv(portraits, others)


def events(task: Task, *_: Any) -> Iterator[RunStarted | EpochEnded | RunEnded]:
    """As `single_run.execute`, of a run that trains nothing."""
    yield RunStarted(task.key, task.title, scale.EPOCHS, NETWORK)
    history = []
    for number in range(1, scale.EPOCHS + 1):
        value = (task.seed % 97 + number) / 100
        history.append({"epoch": float(number)} | dict.fromkeys(scale.LOGGED, value))
        yield EpochEnded(task.key, task.title, scale.EPOCHS, history[-1], 1000.0)
    counts, scores = _outcome()
    record = task.record(
        **counts,
        kl_per_latent=[0.5] * scale.LATENTS,
        history=history,
        provenance={"commit": None, "threads": 1, "seconds": 1.0},
    )
    files = {records.SCORES: scores, records.MODEL: bytes(NETWORK)}
    yield RunEnded(task.key, task.title, record, files)


class Nowhere:
    """An executor without workers: every event is there at once."""

    workers = AHEAD

    def __init__(self) -> None:
        """Nothing has been submitted."""
        self.computation = hardware.computation(["cpu"])
        self._runs: deque[Task] = deque()

    def __enter__(self) -> "Nowhere":
        return self

    def __exit__(self, *_: object) -> None:
        """Forget what has not ended."""
        self._runs.clear()

    def room(self) -> bool:
        """See `Executor`."""
        return len(self._runs) < AHEAD

    def choose(self, _: Sequence[Task]) -> int:
        """See `Executor`: the first."""
        return 0

    def submit(self, task: Task, begun: dict[str, bytes]) -> None:
        """See `Executor`."""
        self._runs.append(task)

    def events(self) -> Iterator[RunStarted | EpochEnded | RunEnded]:
        """See `Executor`."""
        for task in [self._runs.popleft() for _ in range(min(TOGETHER, len(self._runs)))]:
            yield from events(task)


def _prepare() -> Callable[..., Any]:
    """In a local worker: runs that train nothing."""

    def answer(request: Any, say: Callable[[Any], None]) -> Any:
        *before, last = events(request[0])
        for event in before:
            say(event)
        return last

    return answer


def _work(task: Task, *_: Any) -> Iterator[ray.Piece]:
    """In a worker of Ray: the same, in pieces."""
    from ray import get_runtime_context

    yield get_runtime_context().get_node_id()
    first, *rest = events(task)
    yield [first]
    yield list(rest)


def _material(_: Any) -> Material:
    """Data for nobody."""
    return Material(
        TrainingImages(np.empty((0, 64, 64, 3), np.uint8), np.empty(0, np.bool_)), {}, {}
    )


class Watch:
    """Notes when runs end, and how large this process and its child are."""

    def __init__(self, mirror: Any = None) -> None:
        """Nothing has ended."""
        self.ended_at: list[float] = []
        self.memory: list[tuple[int, float, float]] = []
        self.mirror = mirror

    def on_event(self, event: Event) -> None:
        """Note the time of an end, and now and then the memory."""
        if not isinstance(event, RunRecorded):
            return
        self.ended_at.append(time.perf_counter())
        if len(self.ended_at) % 1000 == 0:
            self.memory.append((len(self.ended_at), _resident("self"), self._of_child()))

    def _of_child(self) -> float:
        writer = self.mirror and self.mirror._writer
        return _resident(writer.process.pid) if writer else 0.0


def _resident(process: Any) -> float:
    """Megabytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def drive(folder: Path, runs: int, *, mirrored: bool) -> None:
    """Runs a second through `dispatch`, records and, if so, MLflow; memory on the way."""
    file = scale.write_study(folder, arms=5, replicates=max(runs // 5, 3))
    results = folder / f"results-{mirrored}"
    nothing = contextlib.nullcontext(None)
    scribe = mirror_process.Scribe(results, warn=print) if mirrored else nothing
    with scribe as mirror, Nowhere() as where:
        watch = Watch(mirror)
        loaded, begin = study.load(file), time.perf_counter()
        with open(os.devnull, "w") as null, contextlib.redirect_stderr(null):
            runner.run(loaded, results, executor=where, on_event=watch.on_event, mirror=mirror)
        whole = time.perf_counter() - begin
    ended = watch.ended_at
    print(
        f"| driver and records{', and MLflow' if mirrored else ''} | {len(ended):,} | "
        f"{len(ended) / (ended[-1] - begin):.0f} | {len(ended) / whole:.0f} |"
    )
    for count, ours, childs in watch.memory:
        print(f"    after {count:,} runs: {ours:.0f} MB here, {childs:.0f} MB in MLflow's process")


def through(name: str, executor: Any, folder: Path, runs: int) -> None:
    """Start-up, and seconds that a run costs in an executor's workers."""
    file = scale.write_study(folder, arms=5, replicates=runs // 5)
    begin = time.perf_counter()
    with executor as where:
        up = time.perf_counter()
        watch = Watch()
        runner.run(study.load(file), folder / name, executor=where, on_event=watch.on_event)
    ended = np.array(watch.ended_at)
    half = len(ended) // 2
    rate = (len(ended) - 1 - half) / (ended[-1] - ended[half])
    print(
        f"| {name} | {up - begin:.2f} | {ended[0] - begin:.2f} | {1000 / rate:.1f} | {rate:.0f} |"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--through", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="repro-throughput-") as made:
        print("| what | runs | runs a second, until the last record | until all is shown |")
        print("|---|---:|---:|---:|")
        for mirrored in (False, True):
            drive(Path(made), given.runs, mirrored=mirrored)
        import throughput  # under a name by which workers find it, too

        local._prepare, ray._work = throughput._prepare, throughput._work
        sources.material = throughput._material
        print("\n| executor | start-up, s | first run, s | ms a run | runs a second |")
        print("|---|---:|---:|---:|---:|")
        for number in range(given.rounds):
            folder = Path(made) / str(number)
            through("local", Local(["cpu", "cpu"]), folder, given.through)
            place = Place(executor="ray", workers=2)
            through("ray", ray.Ray(place, PLAIN, remark=print), folder, given.through)


if __name__ == "__main__":
    main()
