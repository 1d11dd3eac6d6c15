"""Bookkeeping of large studies: seconds and peak memory of plan, status and tables.

A plan of 10,000 runs, and 5,000 records of two shapes, few arms of many seeds and many arms of few;
with --large 20,000 records of two shapes, their report, figures and MLflow's pages as well.
Records are made up and as large as real ones: eight epochs, 100 latents, logits of 600 portraits
and of 200 photographs without a face that arms and seeds move. Each command is a process of its
own, as a user starts it.

    python benchmarks/scale.py                          3 rounds, about 10 min with making the runs
    python benchmarks/scale.py --rounds 1 --runs 500    tries out the script itself
    python benchmarks/scale.py --large --keep FOLDER    20,000 records, once each, about 30 min

Records that are in FOLDER already are not made again, nor is a command measured again whose row is
in FOLDER/measured.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from repro.execution import planning
from repro.execution.executors import hardware
from repro.metrics import Count
from repro.records import records, scores
from repro.records.scores import Scores
from repro.records.task import Task
from repro.study import study

STUDY = """\
name: {name}
question: Does the bookkeeping keep up?
base: {{preset: dehaan2020, epochs: 8, batch_size: 256}}
arms:
  - {{name: plain, resampling: {{combine: none}}}}
  - {{sweep: {{resampling.alpha: [{alphas}]}}}}
reference: plain
replicates: {replicates}
select: {{keep: 3, by: recall, split: test}}
profiles: {{embedded: {{}}}}
"""
GROUPS = ("darker_female", "darker_male", "lighter_female", "lighter_male")
EACH, OTHERS, EPOCHS, LATENTS = 150, 200, 8, 100
LOGGED = ("train_loss", "train_classification", "train_kl", "train_reconstruction")
LOGGED += ("train_accuracy", "val_accuracy", "ess", "ess_share", "largest_weight")
WATCH = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
work = used.ru_utime + used.ru_stime
print(json.dumps([time.perf_counter() - began, work, used.ru_maxrss / 1e3]))
sys.exit(done.returncode)
"""  # a process of its own, because one that is forked inherits the peak of what forked it
LARGE = ((5, 4_000), (1_000, 20))  # arms and seeds
RUNS, FEW = 5_000, 5  # of the tables, half of the plan's; seeds or arms of the narrow side
LIMITS = {"plan": "5 s", "table": "10 s, 500 MB"}
LIMITS_OF_LARGE = {
    "report": "120 s, 1 GB",
    "table (Markdown, full)": "20 s, 600 MB",
    "sync, first": "60 s, 1 GB",
    "sync, nothing to do": "60 s, 1 GB",
}


def write_study(folder: Path, *, arms: int, replicates: int) -> Path:
    """A study file: one arm without resampling, the others a sweep over alpha."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"scale_{arms}x{replicates}"
    alphas = ", ".join(f"{0.001 * (place + 1):.6f}" for place in range(arms - 1))
    file = folder / f"{name}.yaml"
    file.write_text(STUDY.format(name=name, alphas=alphas, replicates=replicates))
    return file


def write_runs(file: Path, results: Path) -> None:
    """A record with scores for every run of the study."""
    plan = planning.plan(study.load(file), results, computation=hardware.computation(["cpu"]))
    generator = np.random.default_rng(0)
    shared = generator.normal(size=len(GROUPS) * EACH), generator.normal(size=OTHERS)
    places = {arm.name: place for place, arm in enumerate(plan.index.arms)}
    for task in plan.missing:
        share = places[task.arm] / len(places)
        portraits, others = (
            level + 0.6 * own + generator.normal(scale=0.7, size=len(own))
            for level, own in zip((1.5 + 0.1 * share, -1.0), shared, strict=True)
        )
        portraits += generator.normal(scale=0.2)
        _write_run(task, results, generator, portraits, others)
    records.write_index(plan.index, results)


def _write_run(
    task: Task,
    results: Path,
    generator: np.random.Generator,
    portraits: np.ndarray,
    others: np.ndarray,
) -> None:
    found = (portraits >= 0).reshape(len(GROUPS), EACH).sum(axis=1)
    history = [
        {"epoch": float(epoch)} | {name: float(generator.random()) for name in LOGGED}
        for epoch in range(1, EPOCHS + 1)
    ]
    record = task.record(
        groups={name: Count(EACH, int(n)) for name, n in zip(GROUPS, found, strict=True)},
        nonfaces=Count(OTHERS, int((others >= 0).sum())),
        metrics={
            "recall": float(found.sum() / len(portraits)),
            "false_positive_rate": float((others >= 0).mean()),
            "val_accuracy": float(generator.uniform(0.9, 0.99)),
            "val_active_units": float(LATENTS),
            "training_images": 2000.0,
        },
        kl_per_latent=generator.random(LATENTS).tolist(),
        history=history,
        provenance={"commit": None, "threads": 1, "seconds": 10.0},
    )
    records.write_record(record, results, {records.SCORES: scores_csv(portraits, others)})


def scores_csv(portraits: np.ndarray, others: np.ndarray) -> bytes:
    """A run's file of scores, from the top logit of each photograph."""
    groups = [GROUPS[place // EACH] for place in range(len(portraits))]
    return scores.to_csv(
        {
            "portraits": _scores("portrait", groups, portraits),
            "nonfaces": _scores("scene", [""] * len(others), others),
        }
    )


def _scores(name: str, groups: Sequence[str], logits: np.ndarray) -> Scores:
    names = tuple(f"{name}_{place:05d}" for place in range(len(logits)))
    windows = np.full(len(logits), 27)
    return Scores(names, tuple(groups), logits, windows, (logits >= 0).astype(np.int64))


class Measured(NamedTuple):
    """What a command took: seconds on the clock and of the processor, and its peak memory."""

    seconds: float
    work: float
    megabytes: float


def measure(*command: str | Path) -> Measured:
    """A `repro` command that must succeed, in a process of its own."""
    line = [sys.executable, "-m", "repro.cli", *map(str, command)]
    done = subprocess.run([sys.executable, "-c", WATCH, *line], capture_output=True, text=True)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, line, done.stdout, done.stderr)
    return Measured(*json.loads(done.stdout))


def commands(file: Path, results: Path) -> dict[str, list[str | Path]]:
    """What is measured over a study with all its records."""
    of_study: list[str | Path] = [file, "--results", results]
    return {
        "plan, nothing missing": ["plan", *of_study, "--no-calibration"],
        "status": ["status", "--results", results],
        "table (LaTeX, the paper's style)": ["table", *of_study],
        "table (LaTeX, full)": ["table", *of_study, "--style", "full"],
        "table (Markdown, full)": ["table", *of_study, "--format", "markdown"],
        "table (HTML, full)": ["table", *of_study, "--format", "html"],
        "table (CSV, the paper's style)": ["table", *of_study, "--format", "csv"],
    }


def large_commands(file: Path, results: Path) -> dict[str, list[str | Path]]:
    """What is measured besides, over a large study."""
    of_study: list[str | Path] = [file, "--results", results]
    return {
        "table (terminal, summary)": ["table", *of_study, "--format", "terminal"],
        "table (JSON)": ["table", *of_study, "--format", "json"],
        "figures": ["figures", *of_study, "--out", results.with_name(f"{results.name}-figures")],
        "report": ["report", *of_study, "--out", results.with_name(f"{results.name}-report")],
        "sync, first": ["sync", *of_study],
        "sync, nothing to do": ["sync", *of_study],
        "doctor": ["doctor", "--results", results],
    }


def measure_large(folder: Path, shapes: Sequence[tuple[int, int]]) -> None:
    """A row for each command over each large study, once; what is in the folder is kept."""
    kept = folder / "measured.json"
    rows: dict[str, list[float]] = json.loads(kept.read_text()) if kept.exists() else {}
    for arms, replicates in shapes:
        file = write_study(folder, arms=arms, replicates=replicates)
        results = folder / file.stem
        if not (results / "studies").exists():
            write_runs(file, results)
        for what, command in (commands(file, results) | large_commands(file, results)).items():
            name = f"{arms:,} x {replicates:,}, {what}"
            if name not in rows:
                rows[name] = list(measure(*command))
                kept.write_text(json.dumps(rows, indent=1))
            seconds, work, megabytes = rows[name]
            limit = LIMITS_OF_LARGE.get(what, "")
            print(
                f"| {name} | {seconds:.1f} | {work:.1f} | {megabytes:.0f} | {limit} |", flush=True
            )


def _row(what: str, command: Sequence[str | Path], rounds: int) -> None:
    """Print medians of the rounds, and the limit."""
    found = [measure(*command) for _ in range(rounds)]
    seconds, work, megabytes = (statistics.median(one) for one in zip(*found, strict=True))
    limit = LIMITS.get(str(command[0]), "")
    print(f"| {what} | {seconds:.1f} | {work:.1f} | {megabytes:.0f} | {limit} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--large", action="store_true", help="20,000 records, all commands")
    parser.add_argument("--keep", type=Path, help="folder for the records of --large")
    given = parser.parse_args(arguments)
    if given.large:
        print("| what | seconds | of the processor | MB | limit |\n|---|---:|---:|---:|---|")
        with tempfile.TemporaryDirectory(prefix="repro-scale-") as made:
            measure_large(given.keep or Path(made), LARGE)
        return
    print(f"| what (medians of {given.rounds}) | seconds | of the processor | MB | limit |")
    print("|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory(prefix="repro-scale-") as made:
        folder, many = Path(made), given.runs // FEW
        for arms, replicates in ((FEW, 2 * many), (many, 2 * FEW)):
            file = write_study(folder, arms=arms, replicates=replicates)
            command = ["plan", file, "--results", folder / "none", "--no-calibration"]
            _row(f"{arms} x {replicates:,}, plan, nothing done", command, given.rounds)
        for arms, replicates in ((FEW, many), (many, FEW)):
            file = write_study(folder, arms=arms, replicates=replicates)
            write_runs(file, folder / file.stem)
            for what, command in commands(file, folder / file.stem).items():
                _row(f"{arms} x {replicates:,}, {what}", command, given.rounds)


if __name__ == "__main__":
    main()
