"""Does this program run on a GPU as it should, and how fast?

First what must be right, several processes at a time: the GPU's tests, same seeds twice, killed and
resumed runs, a run of every rule and objective twice, a small study against the processor's, and
trained in stacks. Then speed, one measurement at a time: what no earlier run had time for (default
forms of a stack, whole studies stacked and singly, streams, compiled steps), then the most telling
first: single runs launched kernel by kernel and as CUDA graphs, many runs stacked as one network in
each form, runs beside each other in processes.
Rows appear as they are measured; what does not fit into the time is left out. The table, the rows
as JSON and the logs of the processes are written to a folder.

    bash benchmarks/gpu.sh                                      what to call: it sets the paths
    python benchmarks/gpu.py --minutes 8 --out results/gpu      the same
    python benchmarks/gpu.py --device cpu --toy                 tries out the script itself
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import plain_environment

HERE = Path(__file__).resolve().parent
CHECKS, CELLS = str(HERE / "gpu_checks.py"), str(HERE / "gpu_cells.py")
SECONDS_A_CELL = 60.0  # without a sign of life a measurement is given up
PATIENT = {"beside": 120.0, "compiled": 180.0, "study": 150.0}
PARTS = ("checks", "kernels", "speed")
FORMS = ("unfolded", "unfolded+norm", "direct+norm")  # of stacks, beside the default
COLUMNS = ("part", "what", "ok", "ms", "images_per_second", "minutes", "tflops", "note")
HEADS = ("part", "what", "ok", "ms", "images/s", "study, min", "TFLOP/s", "note")


class Table:
    """Rows, on the terminal and in files, each as soon as it is there."""

    def __init__(self, folder: Path) -> None:
        """Begin the files."""
        folder.mkdir(parents=True, exist_ok=True)
        self.markdown, self.json = folder / "table.md", folder / "rows.jsonl"
        self.failed = 0
        self.json.write_text("", encoding="utf-8")
        self.markdown.write_text("", encoding="utf-8")
        self._line("| " + " | ".join(HEADS) + " |")
        self._line("|" + "---|" * len(HEADS))

    def add(self, row: dict[str, Any]) -> None:
        """Show and keep a row."""
        self.failed += row.get("ok") is False or row["part"] == "failed"
        with self.json.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self._line("| " + " | ".join(_shown(row.get(name)) for name in COLUMNS) + " |")

    def _line(self, line: str) -> None:
        print(line, flush=True)
        with self.markdown.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    return f"{value:,}" if isinstance(value, int | float) else str(value).replace("|", "/")


class Job:
    """A process with its log; its rows are read while it runs."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, seconds: float) -> None:
        """Start it; it is ended after `seconds`."""
        self.name, self.log = name, folder / f"{name}.log"
        self.deadline = self.alive = time.monotonic()
        self.deadline += seconds
        self.done = 0  # cells
        self.timed_out = False
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command], stdout=log, stderr=subprocess.STDOUT
            )
        self._read = 0  # bytes

    def rows(self) -> Iterator[dict[str, Any]]:
        """What it has printed since."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            whole, end, _ = log.read().rpartition(b"\n")
        self._read += len(whole) + len(end)
        for line in whole.decode(errors="replace").splitlines():
            self.alive = time.monotonic()
            self.done += line.startswith("@done ")
            if line.startswith("@row "):
                yield json.loads(line.removeprefix("@row "))

    def ended(self, silence: float = 1e9) -> bool:
        """Whether it has ended, or was ended because it took or waited too long."""
        if self.process.poll() is not None:
            return True
        now = time.monotonic()
        self.timed_out = now > self.deadline or now - self.alive > silence
        if self.timed_out:
            self.process.kill()
            self.process.wait()
        return self.timed_out

    def last_words(self) -> str:
        """The last lines of its log, in one; first, whether its time was over."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = " / ".join(line.strip() for line in lines[-3:])[-300:]
        return f"out of time: {said}" if self.timed_out else said


class Gpu:
    """The whole of it, within its time."""

    def __init__(self, given: argparse.Namespace, logs: Path) -> None:
        """Nothing is started."""
        self.device, self.toy, self.logs = given.device, given.toy, logs
        self.words = ["toy"] if given.toy else []
        self.table = Table(given.out)
        self.ends = time.monotonic() + 60 * given.minutes

    def left(self) -> float:
        """Seconds."""
        return max(0.0, self.ends - time.monotonic())

    def checks(self) -> None:
        """Correctness, several processes at a time."""
        names = "gpu", "cpu", "stack", "methods"
        gpus, cpus, stacks, methods = (str(self.logs / f"study-{one}") for one in names)
        tests = ["tests/training/test_gpu.py", "tests/training/test_batched.py"]
        tests.append("tests/training/kernels/test_direct.py")
        options = ["-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default"]
        limit = min(180.0, 0.4 * self.left())
        jobs = {
            "tests": ["-m", "pytest", *options, *tests],
            "bits": [CHECKS, "bits", self.device, *self.words],
            "gpu": [CHECKS, "kill", self.device, gpus, *self.words],
            "cpu": [CHECKS, "study", "cpu", cpus, *self.words],
            "stack": [CHECKS, "stack", self.device, stacks, *self.words],
            "methods": [CHECKS, "methods", self.device, methods, *self.words],
        }
        ended = self._together(jobs, limit)
        self._told("tests", ended["tests"])
        compared = {
            "compare": [CHECKS, "compare", cpus, gpus, "CPU and GPU"],
            "compare-stack": [CHECKS, "compare", gpus, stacks, "singly and stacked"],
        }
        self._together(compared, 30.0)

    def kernels(self) -> None:
        """The tests of this package's own CUDA kernels alone."""
        files = "kernels/test_direct.py", "test_batched.py", "test_gpu.py"
        tests = [f"tests/training/{file}" for file in files]
        options = ["-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default"]
        chosen = ["-k", "direct" if self.device == "cpu" else "direct and not cpu"]
        command = ["-m", "pytest", *options, *chosen, *tests]
        ended = self._together({"tests": command}, min(90.0, 0.3 * self.left()))
        self._told("tests of CUDA kernels", ended["tests"])

    def _together(self, commands: dict[str, list[str]], limit: float) -> dict[str, Job]:
        jobs = {name: Job(name, command, self.logs, limit) for name, command in commands.items()}
        waiting = list(jobs.values())
        while waiting:
            time.sleep(0.1)
            for job in list(waiting):
                over = job.ended()
                for row in job.rows():
                    self.table.add(row)
                if over:
                    waiting.remove(job)
                    self._told_if_broken(job)
        return jobs

    def _told(self, what: str, job: Job) -> None:
        ok = job.process.returncode == 0
        self.table.add({"part": "checks", "what": what, "ok": ok, "note": job.last_words()})

    def _told_if_broken(self, job: Job) -> None:
        if job.process.returncode and job.name != "tests":
            self.table.add({"part": "failed", "what": job.name, "note": job.last_words()})

    def speed(self, cells: list[dict[str, Any]]) -> None:
        """Measure cell by cell; a process that breaks is followed by one for the cells after."""
        while cells and self.left() > 15:
            command = [CELLS, self.device, "toy" if self.toy else "real", json.dumps(cells)]
            job = Job("speed", command, self.logs, self.left() - 3)
            while not job.ended(PATIENT.get(self._next(cells, job), SECONDS_A_CELL)):
                time.sleep(0.1)
                for row in job.rows():
                    self.table.add(row)
            for row in job.rows():
                self.table.add(row)
            self._told_if_broken(job)
            cells = cells[job.done + bool(job.process.returncode) :]
        for cell in cells:
            print(f"left out for lack of time: {cell}", flush=True)

    @staticmethod
    def _next(cells: list[dict[str, Any]], job: Job) -> str:
        return str(cells[min(job.done, len(cells) - 1)]["cell"])


PRECISIONS = ("fp32", "bf16")


def _of(cell: str, size: int, batch: int, precision: str, **more: Any) -> dict[str, Any]:
    who = "runs" if cell == "streams" else "members"
    return {"cell": cell, who: size, "batch": batch, "precision": precision, **more}


def _single(batch: int, *captured: bool) -> list[dict[str, Any]]:
    own = {"cell": "single", "batch": batch}
    return [own | {"precision": p, "captured": one} for p in PRECISIONS for one in captured]


def _stacks(size: int, batch: int, *forms: str) -> list[dict[str, Any]]:
    return [_of("stacked", size, batch, p, form=form) for p in PRECISIONS for form in forms]


def _beside(batches: Sequence[int], counts: Sequence[int]) -> dict[str, Any]:
    settings = [(batch, p, True) for p in PRECISIONS for batch in batches]
    return {"cell": "beside", "settings": settings, "counts": counts}


def cells_of(*, toy: bool) -> list[dict[str, Any]]:
    """What to measure of speed: first what never was, then the most telling first."""
    members, few, counts = (2, 2, [1, 2]) if toy else (25, 5, [1, 2, 4, 8])
    small, middle, large = (4, 8, 16) if toy else (24, 256, 1024)
    batches = (small,) if toy else (small, middle)
    studies = [{"cell": "study", "stack": one} for one in (members, None)]
    more = [f"data.train.{kind}={8_000}" for kind in ("faces", "nonfaces")]
    compiled = [_of("compiled", members, small, p, form="unfolded") for p in PRECISIONS]
    unmeasured = [
        {"cell": "limits"},
        *_stacks(members, small, "default"),
        *studies,
        *_stacks(members, middle, "default"),
        *(_of("streams", runs, small, "fp32") for runs in (few, members)),
        *([] if toy else [*compiled, _beside((large,), counts)]),
    ]
    first = [
        *_stacks(members, small, *FORMS),
        *(_of("layers", members, small, p) for p in PRECISIONS),
        *_stacks(members, small, "best+norm"),
        *(_of("profile", members, small, p, form="default") for p in PRECISIONS),
        *_single(small, False, True),
        {"cell": "parts", "members": members},
        *_stacks(1, small, "default"),
        *_stacks(few, small, "default"),
        *(_of("layers", members, middle, p) for p in PRECISIONS),
        *_stacks(members, middle, "best+norm"),
        *_single(middle, True),
        _beside(batches, counts),
    ]
    then = [
        *_single(large, True),
        *_stacks(members, large, "default"),
        *_stacks(few, middle, "default"),
        {"cell": "single_contiguous", "batch": small, "precision": "fp32"},
        {"cell": "epoch_overhead"},
        {"cell": "study", "stack": members, "changes": more},
        *(_of("pieces", members, small, p) for p in PRECISIONS),
        _of("profile", 1, small, "fp32", form="default"),
        _of("stacked", members, small, "fp32", form="default", captured=False),
        *_single(middle, False),
        *_single(large, False),
    ]
    return unmeasured + first + then


def about(device: str) -> dict[str, Any]:
    """Which device, which releases."""
    import numpy
    import torch

    from repro.training.kernels import devices

    name = devices.name(device)
    note = f"torch {torch.__version__}, numpy {numpy.__version__}, {os.cpu_count()} cores"
    return {"part": "device", "what": name, "note": note}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, a row when it is measured."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--out", type=Path, default=Path("results/gpu"))
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--cells", help="measure these cells of gpu_cells.py, as JSON")
    parser.add_argument("--toy", action="store_true", help="sizes that say nothing about speed")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="repro-gpu-") as folder:
        logs = Path(folder)
        whole = Gpu(given, logs)
        whole.table.add(about(given.device))
        try:
            if "checks" in given.only:
                whole.checks()
            elif "kernels" in given.only:
                whole.kernels()
            if "speed" in given.only:
                whole.speed(json.loads(given.cells) if given.cells else cells_of(toy=given.toy))
        finally:
            _keep_logs(logs, given.out)
    if whole.table.failed:
        sys.exit(f"{whole.table.failed} checks or measurements failed; see {given.out}/log.txt")


def _keep_logs(logs: Path, out: Path) -> None:
    """The ends of all logs in one file."""
    with (out / "log.txt").open("w", encoding="utf-8") as whole:
        for log in sorted(logs.glob("*.log")):
            text = log.read_text(encoding="utf-8", errors="replace")
            whole.write(f"===== {log.name}\n{text[-500_000:]}\n")


if __name__ == "__main__":
    plain_environment.start_again()
    main()
