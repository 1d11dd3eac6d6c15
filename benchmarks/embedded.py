"""A whole study from the command to its prompt, by two versions of this program in turn.

The versions are two source trees, each with the environment that it is run in (`.venv`, or this
Python). They take turns, so that a slow minute of the machine meets both; every pass begins with
an empty folder of results. All records must be the same: names, numbers, scores, weights, networks.

    git worktree add ../before COMMIT && make -C ../before install
    python benchmarks/embedded.py --before ../before --after .              5 rounds, about 30 min
    python benchmarks/embedded.py --before ../before --after . --short     2 epochs, about 10 min
    python benchmarks/embedded.py --before . --after . --toy --rounds 1     tries out the script

With --keep FOLDER a round that is in FOLDER/rounds.json is not measured again.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scale import WATCH, Measured

ROUNDS = 5
SHORT = ("epochs=2", "replicates=3")
TOY = (
    *("epochs=1", "replicates=1", "batch_size=16", "data.train.faces=30", "data.train.nonfaces=30"),
    *("data.test.per_group=1", "data.test.size=64"),
    *("data.nonfaces.photographs=2", "data.nonfaces.size=64"),
)
NOT_COMPARED = ("provenance", "checksum")  # times, and the digest over them
Rounds = list[dict[str, Measured]]


def study(tree: Path, results: Path, changes: Sequence[str], *, name: str) -> Measured:
    """What it takes to run a study in an empty folder, all its processes together.

    Args:
        tree: A version of this program.
        results: The folder.
        changes: Of the study, KEY=VALUE.
        name: Of the study.

    Raises:
        CalledProcessError: The command failed.
    """
    own = tree / ".venv" / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    line = [python, "-m", "repro.cli", "run", str(tree / "studies" / f"{name}.yaml"), "--quiet"]
    line += ["--results", str(results), *(word for one in changes for word in ("--set", one))]
    place = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *line], capture_output=True, text=True, env=place, cwd=tree
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, line, done.stdout, done.stderr)
    return Measured(*json.loads(done.stdout))


def recorded(results: Path) -> dict[str, Any]:
    """What may not differ of each run's record, by its name: files by their digests, numbers."""
    found = {}
    for file in sorted(results.glob("runs/*/record.json")):
        record = json.loads(file.read_text())
        record["computation"].pop("code", None)  # digests of source files
        found[file.parent.name] = {k: v for k, v in record.items() if k not in NOT_COMPARED}
    return found


def require_same(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """End if the records of both versions are not the same."""
    differing = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    if differing or not before:
        named = min(differing, default="")
        raise SystemExit(f"{len(differing)} of {len(before)} records differ, such as {named}")


def measure(
    trees: Mapping[str, Path], rounds: Rounds, count: int, changes: Sequence[str], *, name: str
) -> Iterator[dict[str, Measured]]:
    """The rounds that are missing; the order within a round alternates.

    Args:
        trees: The versions, ``before`` and ``after``.
        rounds: Those that are measured already.
        count: Wanted.
        changes: Of the study.
        name: Of the study.
    """
    for number in range(len(rounds), count):
        measured: dict[str, Measured] = {}
        records = {}
        with tempfile.TemporaryDirectory(prefix="repro-embedded-") as folder:
            for which in sorted(trees, reverse=number % 2 == 0):
                results = Path(folder) / which
                measured[which] = study(trees[which], results, changes, name=name)
                records[which] = recorded(results)
        require_same(records["before"], records["after"])
        yield measured


def processor() -> str:
    """Its name, and how many of it this process may use."""
    from repro.system import machine

    return f"{machine.cores()} cores of {machine.processor_name()}"


def show(rounds: Rounds) -> None:
    """A table of seconds: a row for each round, the medians below."""
    print("| round | before, s | after, s | ratio | before, processor s | after | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    rows = []
    for number, one in enumerate(rounds, start=1):
        rows.append(_row(one["before"], one["after"]))
        print(f"| {number} | {_shown(rows[-1])} |")
    medians = [statistics.median(column) for column in zip(*rows, strict=True)]
    print(f"| median | {_shown(medians)} |")
    peaks = {w: max(one[w].megabytes for one in rounds) for w in ("before", "after")}
    print(f"\nLargest process: {peaks['before']:.0f} MB before, {peaks['after']:.0f} MB after.")


def _row(before: Measured, after: Measured) -> list[float]:
    wall = [before.seconds, after.seconds, after.seconds / before.seconds]
    return [*wall, before.work, after.work, after.work / before.work]


def _shown(row: Sequence[float]) -> str:
    return " | ".join(f"{one:.{2 if place % 3 == 2 else 1}f}" for place, one in enumerate(row))


def kept_in(folder: Path | None) -> Rounds:
    """The rounds of an earlier call."""
    file = folder / "rounds.json" if folder else None
    if file is None or not file.exists():
        return []
    told = json.loads(file.read_text())
    return [{which: Measured(*numbers) for which, numbers in one.items()} for one in told]


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--before", type=Path, required=True, help="a source tree")
    parser.add_argument("--after", type=Path, required=True, help="another one")
    parser.add_argument("--study", default="alpha_sweep", help="the name of a shipped study")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes")
    parser.add_argument("--short", action="store_true", help=", ".join(SHORT))
    parser.add_argument("--toy", action="store_true", help="says nothing about speed")
    parser.add_argument("--keep", type=Path, help="a folder for the rounds that are measured")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    asked = options(arguments)
    trees = {"before": asked.before.resolve(), "after": asked.after.resolve()}
    changes = [*(TOY if asked.toy else SHORT if asked.short else ()), *asked.changes]
    rounds = kept_in(asked.keep)
    if not asked.toy:  # compile the kernels, and read the libraries from the disk
        for which, tree in trees.items():
            with tempfile.TemporaryDirectory(prefix=f"repro-{which}-") as folder:
                study(tree, Path(folder), TOY, name=asked.study)
    print(f"{' '.join([asked.study, *changes])}, {processor()}\n", flush=True)
    for measured in measure(trees, rounds, asked.rounds, changes, name=asked.study):
        rounds.append(measured)
        print(f"round {len(rounds)}", file=sys.stderr, flush=True)
        if asked.keep:
            asked.keep.mkdir(parents=True, exist_ok=True)
            (asked.keep / "rounds.json").write_text(json.dumps(rounds))
    show(rounds)


if __name__ == "__main__":
    main()
