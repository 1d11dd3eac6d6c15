"""A results folder is looked at, named piece by piece, and left as it is."""

import dataclasses
import fcntl
import shutil
import sqlite3

import numpy as np
import pytest
import safetensors.numpy
from builders import study_index
from click.testing import CliRunner
from places import FILES

from repro.cli import main
from repro.errors import ReproError
from repro.execution import doctor
from repro.metrics import Count
from repro.records import records
from repro.records.mlflow import sqlite_store
from repro.records.records import Record

KEYS = ["a-seed0", "a-seed1"]
RECORD = Record(
    key=KEYS[0],
    seed=0,
    configuration={},
    data={},
    computation={"device": "cpu"},
    groups={"a": Count(1, 1)},
)
SCORES = b"set,photograph,group,top_logit,windows,positive\nportraits,p,a,0.5,3,1\n"
TENSORS = safetensors.numpy.save({"x": np.zeros(1)})
FAILURE = {"epoch": 1, "term": "kl", "reason": "it is inf"}


@pytest.fixture
def results(tmp_path):
    """A finished and a failed run of one study."""
    failed = dataclasses.replace(RECORD, key=KEYS[1], seed=1, failure=FAILURE, groups={})
    records.write_record(RECORD, tmp_path, {"scores.csv": SCORES, "model.safetensors": TENSORS})
    records.write_record(failed, tmp_path, {})
    records.write_index(study_index({"x": KEYS}), tmp_path)
    return tmp_path


def run(results, *parts):
    return results.joinpath("runs", KEYS[0], *parts)


def index(results):
    return results / "studies" / "toy" / "embedded.json"


def found(results):
    """Kind and place of everything that is not whole."""
    every = doctor.examine(results)
    return {(one.kind, one.path) for one in every if one.kind not in doctor.WHOLE}


def test_a_whole_folder_is_counted(results):
    """Nothing to mend, exit status 0."""
    done = CliRunner().invoke(main, ["doctor", "--results", str(results)])

    assert done.output == "1 finished and 1 failed runs of 1 studies are complete\n"
    assert done.exit_code == 0


RUN, INDEX = f"runs/{KEYS[0]}", "studies/toy/embedded.json"
CASES = {
    "torn record": (lambda r: run(r, "record.json").write_text("{"), ("damaged", RUN)),
    "empty record": (lambda r: run(r, "record.json").write_text(""), ("damaged", RUN)),
    "scores changed": (lambda r: run(r, "scores.csv").write_text("z"), ("damaged", RUN)),
    "scores gone": (lambda r: run(r, "scores.csv").unlink(), ("damaged", RUN)),
    "model cut": (lambda r: run(r, "model.safetensors").write_bytes(b""), ("damaged", RUN)),
    "no record": (lambda r: run(r, "record.json").unlink(), ("foreign", RUN)),
    "a copy": (
        lambda r: shutil.copytree(run(r), r / "runs" / "b-seed0"),
        ("damaged", "runs/b-seed0"),
    ),
    "a file of somebody's": (
        lambda r: (r / "runs" / "notes.txt").write_text("x"),
        ("foreign", "runs/notes.txt"),
    ),
    "a later release": (
        lambda r: run(r, "record.json").write_text('{"schema": 99}'),
        ("later release", RUN),
    ),
    "half a run": (
        lambda r: (r / "runs" / ".a-seed0.0.partial").mkdir(),
        ("left over", "runs/.a-seed0.0.partial"),
    ),
    "half an index": (
        lambda r: (r / "studies" / "toy" / ".embedded.json.0.partial").write_text("{"),
        ("left over", "studies/toy/.embedded.json.0.partial"),
    ),
    "torn index": (lambda r: index(r).write_text("{"), ("damaged", INDEX)),
    "foreign index": (lambda r: index(r).write_text("[]"), ("damaged", INDEX)),
    "later index": (lambda r: index(r).write_text('{"schema": 99}'), ("later release", INDEX)),
    "unwanted": (lambda r: index(r).unlink(), ("unwanted", RUN)),
    "unfinished": (
        lambda r: (r / "unfinished" / "c-seed0").mkdir(parents=True),
        ("unfinished", "unfinished/c-seed0"),
    ),
    "checkpoints of a run that has its record": (
        lambda r: (r / "unfinished" / KEYS[0]).mkdir(parents=True),
        ("left over", f"unfinished/{KEYS[0]}"),
    ),
    "set aside": (
        lambda r: (r / "aside" / "a-seed0").mkdir(parents=True),
        ("aside", "aside/a-seed0"),
    ),
    "a file in the way": (
        lambda r: (r / "unfinished").mkdir() or (r / "unfinished" / "x").write_text(""),
        ("foreign", "unfinished/x"),
    ),
    "broken mirror": (
        lambda r: (r / "mlflow").mkdir() or (r / "mlflow" / "mlflow.db").write_text("no database"),
        ("mirror", "mlflow/mlflow.db"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_whole_is_named(results, case):
    """Its kind and its place; what to do stands beside it."""
    spoil, expected = CASES[case]
    spoil(results)

    assert expected in found(results)
    assert all(one.text for one in doctor.examine(results) if one.kind not in doctor.WHOLE)


def test_a_run_that_somebody_trains_is_told_from_one_that_was_cut_off(results):
    """The lock says it, not its file."""
    folder = results / "unfinished" / "c-seed0"
    folder.mkdir(parents=True)
    (folder / "lock").write_text("process 7 on a machine")
    before = found(results)
    with (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        during = found(results)

    assert ("unfinished", "unfinished/c-seed0") in before
    assert ("running", "unfinished/c-seed0") in during


def test_a_record_of_the_first_schema_is_whole_and_said_to_be_old():
    """Tables read it."""
    schema_1 = FILES / "schema1"

    assert ("old schema", "runs/34bf34227cf8-seed0") in found(schema_1)


def test_half_written_runs_of_the_mirror_are_counted(results):
    """As MLflow's database says it."""
    database = sqlite_store.database(results)
    database.parent.mkdir()
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE runs (status TEXT, lifecycle_stage TEXT)")
        connection.execute("INSERT INTO runs VALUES ('RUNNING', 'active')")
    connection.close()

    assert ("mirror", "mlflow/mlflow.db") in found(results)


def test_what_has_to_be_mended_makes_the_exit_status(results):
    """A damaged record does; nothing in the folder changes."""
    run(results, "record.json").write_text("{")
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    done = CliRunner().invoke(main, ["doctor", "--results", str(results)])

    assert done.exit_code == 1
    assert f"damaged       {RUN}: " in done.output
    assert "`repro run` of its study sets it aside and trains it again" in done.output
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before


def test_a_change_that_only_a_full_look_finds_has_to_be_moved_away_by_hand(results):
    """Other commands look at names alone until they need the content."""
    run(results, "scores.csv").write_text("z")
    (line,) = [str(one) for one in doctor.examine(results) if one.kind == "damaged"]

    assert line.endswith(doctor.MOVE)


def test_a_folder_that_is_not_there_is_a_users_mistake(tmp_path):
    """It is named."""
    with pytest.raises(ReproError, match="none: folder not found"):
        doctor.examine(tmp_path / "none")
