"""Ended runs are trained again and compared to the last bit."""

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import commands
import pytest
from builders import a_task, study_index
from faults import bad_records

from repro import api
from repro.execution import verification
from repro.execution.executors.inline import Inline
from repro.execution.verification import Comparison
from repro.metrics import Count
from repro.records import diff, records
from repro.records.records import Record
from repro.records.task import LOST

PACKAGE = Path(api.__file__).parent
STUDY = """\
name: toy
question: Does it?
base:
  preset: dehaan2020
  epochs: 2
  batch_size: 16
  data:
    train: {source: synthetic, faces: 30, nonfaces: 30}
    test: {source: synthetic, per_group: 2, size: 64}
    nonfaces: {source: synthetic, photographs: 4, size: 64}
arms: [{name: plain, resampling: {combine: none}}, {name: max}]
reference: plain
replicates: 1
select: {keep: 1, by: recall, split: test}
profiles: {embedded: {}}
"""
OLD = Record(
    key="a-seed0",
    seed=0,
    configuration={},
    data={"train": "x"},
    groups={"a": Count(4, 3)},
    metrics={"recall": 0.75},
    history=[{"epoch": 1.0, "train_loss": 2.0}, {"epoch": 2.0, "train_loss": 1.0}],
    files={"model.safetensors": "0"},
)


def repro(*arguments, cwd):
    """The command, as the package in the folder has it."""
    command = [sys.executable, "-m", "repro.cli", *map(str, arguments)]
    options = {"cwd": cwd, "preexec_fn": commands.on_one_core}
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small study that is done."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "toy.yaml").write_text(STUDY)
    done = api.run_study(folder / "toy.yaml", workers=1, results=folder / "results")
    assert len(done.runs) == 2
    return folder


def test_the_same_program_gives_the_same_bits(trained):
    """Both arms, and nothing in the results is touched."""
    before = {p: p.stat().st_mtime_ns for p in (trained / "results" / "runs").rglob("*")}
    done = repro("verify", "toy", "--runs", 2, cwd=trained)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "2 of 2 runs are bit-identical"
    assert {p: p.stat().st_mtime_ns for p in (trained / "results" / "runs").rglob("*")} == before


def test_a_difference_is_put_down_to_the_code_that_changed(trained, tmp_path):
    """One line of the losses, in a copy of the program; exit status 1."""
    shutil.copytree(PACKAGE, tmp_path / "repro")
    file = tmp_path / "repro" / "losses" / "formulas.py"
    old = "binary_cross_entropy_with_logits("
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, f"{old}1.5 * ", 1))
    done = repro("verify", "toy", "--results", trained / "results", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stdout.startswith("DIFFERENT  plain, seed 0: history from epoch 1 on (train_loss")
    assert done.stdout.splitlines()[0].endswith("Made differently: code: losses/formulas")
    assert done.stdout.splitlines()[-1] == "0 of 1 runs are bit-identical"


def test_a_study_that_never_ran_cannot_be_verified(tmp_path):
    """The sentence says what to do."""
    done = repro("verify", "toy", cwd=tmp_path)

    assert (done.returncode, "Run it first" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"metrics": {"recall": 0.7500000000000001}}, ["metrics"]),
        ({"groups": {"a": Count(4, 4)}}, ["groups"]),
        ({"files": {"model.safetensors": "1"}}, ["model.safetensors"]),
        ({"files": {}}, ["model.safetensors"]),
        (
            {"history": [OLD.history[0], {"epoch": 2.0, "train_loss": 1.5}]},
            ["history from epoch 2 on (train_loss)"],
        ),
        (
            {"failure": {"epoch": 2, "term": "kl", "reason": "inf"}, "history": OLD.history[:1]},
            ["outcome: finished -> failed in epoch 2 (kl)", "epochs: 2 -> 1"],
        ),
    ],
    ids=str,
)
def test_what_came_out_otherwise_is_named(changes, said):
    """One bit is enough."""
    assert diff.of_results(OLD, dataclasses.replace(OLD, **changes)) == said


COMPUTATION = {
    "device": "cpu",
    "kernels": "torch",
    "threads": 1,
    "libraries": {"torch": "1"},
    "code": {"a/b.py": "0", "c.py": "0"},
    "numerics": 1,
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"threads": 2}, ["threads 1 -> 2"]),
        ({"device": "cuda"}, ["device cpu -> cuda"]),
        ({"libraries": {"torch": "2"}}, ["torch 1 -> 2"]),
        ({"numerics": 2}, ["numerics 1 -> 2"]),
        ({"code": {"a/b.py": "1", "d.py": "0"}}, []),
    ],
    ids=str,
)
def test_how_it_was_made_otherwise_is_named(changes, said):
    """Threads, device, libraries, numerics; code is named apart, as bits need not hang on it."""
    assert diff.of_computation(COMPUTATION, COMPUTATION | changes) == said


def test_modules_that_say_something_else_are_named():
    """Those that are gone and those that are new, too."""
    later = COMPUTATION | {"code": {"a/b.py": "1", "d.py": "0"}}

    assert diff.of_code(COMPUTATION, later) == ["code: a/b, c, d"]


def test_the_environment_is_compared_as_far_as_both_sides_note_it():
    """Records of earlier releases say less."""
    old, new = {"processor": "A", "python": "3"}, {"processor": "B", "python": "3", "compiler": "c"}

    assert diff.of_environment(old, new) == ["processor: A -> B"]


def test_other_data_are_named_by_their_part():
    """The content's digest differs."""
    assert diff.of_data({"train": "0", "test": "1"}, {"train": "0", "test": "2"}) == [
        "data.test: content changed"
    ]


def test_a_difference_without_a_cause_is_our_own_defect():
    """Nothing is put down to chance."""
    line = str(Comparison(title="x, seed 0", differences=["metrics"]))

    assert line.endswith(
        "metrics. Made differently: nothing recorded differs, so the run is not deterministic here"
    )


def test_runs_are_dealt_over_the_arms_and_lost_ones_left_out(tmp_path):
    """One of each arm before a second of any; a dead worker proves nothing."""
    keys = {"a": ["a-seed0", "a-seed1"], "b": ["b-seed0", "b-seed1"]}
    for arm, of_arm in keys.items():
        for seed, key in enumerate(of_arm):
            lost = {"epoch": 1, "term": LOST, "reason": "killed"} if key == "b-seed0" else None
            task = a_task(tmp_path, key=key, arm=arm, seed=seed)
            groups = {} if lost else {"a": Count(4, 3)}
            records.write_record(task.record(failure=lost, groups=groups), tmp_path, {})
    chosen = verification._chosen(study_index(keys), tmp_path)

    assert [(arm, record.seed) for arm, record in chosen] == [("a", 0), ("a", 1), ("b", 1)]


def _again(folder, *, runs=9):
    """What is said of the runs of a bundle; one process does it all."""
    (index,) = records.read_indexes(folder / "results")
    with Inline("cpu") as executor:
        found = verification.verify(
            index, folder / "results", runs=runs, executor=executor, is_bundle=True
        )
        return [str(one) for one in found]


def test_runs_of_a_bundle_that_cannot_be_trained_here_are_left_out(trained, tmp_path):
    """Those of its code, and those whose data are not here; the others are trained."""
    folder = Path(shutil.copytree(trained, tmp_path / "copy"))
    (index,) = records.read_indexes(folder / "results")
    _, own = [key for _, _, key in index.wanted()]
    bad_records.forged(
        records.folder_of(own, folder / "results") / "record.json",
        bad_records.at("plugins", to={"rule mine": "0" * 32}),
    )

    assert _again(folder) == [
        "left out   max, seed 0: it uses code of the bundle (rule mine), which is not run: read "
        "it, then pass --run-plugins",
        "same       plain, seed 0",
    ]


def test_runs_of_a_bundle_without_their_data_are_left_out(trained, tmp_path):
    """A path that leads nowhere, and another content."""
    folder = Path(shutil.copytree(trained, tmp_path / "copy"))
    (index,) = records.read_indexes(folder / "results")
    first, second = [
        records.folder_of(key, folder / "results") / "record.json" for _, _, key in index.wanted()
    ]
    gone = {"source": "mit_h5", "path": "nowhere.h5", "channels": "bgr"}
    bad_records.forged(first, bad_records.at("configuration", "data", "train", to=gone))
    bad_records.forged(second, bad_records.at("data", "test", to="0" * 32))
    said = sorted(_again(folder))

    assert said[0] == "left out   max, seed 0: its data are not here: other content in test"
    assert said[1].startswith("left out   plain, seed 0: its data are not here: nowhere.h5")
    assert len(said) == 2
