"""What no study needs can be removed, what an index names cannot."""

import dataclasses
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from builders import study_index
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from places import TESTS

from repro.cli import clean, main
from repro.errors import Busy, ReproError
from repro.execution import doctor
from repro.metrics import Count
from repro.records import cleaning, locks, records
from repro.records.records import Record
from repro.system import atomic_files

RECORD = Record(key="", seed=0, configuration={}, data={}, computation={"device": "cpu"})
GROUPS = {"a": Count(4, 3)}
FAILURE = {"epoch": 1, "term": "kl", "reason": "it is inf"}


def put_record(results, key, *, failure=None):
    groups = {} if failure else GROUPS
    seed = int(key.rpartition("-seed")[2])
    record = dataclasses.replace(RECORD, key=key, seed=seed, failure=failure, groups=groups)
    return records.write_record(record, results, {"notes.csv": b"x" * 100})


def put_checkpoint(results, key):
    atomic_files.put(results / "unfinished" / key / "epoch-000001.json", b"{}")
    (results / "unfinished" / key / "lock").touch()


@pytest.fixture
def results(tmp_path):
    """One of everything: a run that is wanted, one that is not, and what is left of others."""
    put_record(tmp_path, "new-seed0")
    put_record(tmp_path, "old-seed0")
    put_record(tmp_path, "bad-seed0")
    records.set_aside("bad-seed0", tmp_path)
    for key in ("new-seed0", "next-seed1", "old-seed1"):
        put_checkpoint(tmp_path, key)
    (tmp_path / "runs" / ".new-seed0.0.partial").mkdir()
    (tmp_path / "studies" / "toy").mkdir(parents=True)
    (tmp_path / "studies" / "toy" / ".embedded.json.0.partial").write_text("{")
    records.write_index(study_index({"x": ["new-seed0", "next-seed1"]}), tmp_path)
    return tmp_path


def places(found, results):
    return {(one.category, one.path.relative_to(results).as_posix()) for one in found}


ALL = {
    ("superseded", "runs/old-seed0"),
    ("aside", "aside/bad-seed0"),
    ("unfinished", "unfinished/new-seed0"),  # it has a record
    ("unfinished", "unfinished/old-seed1"),  # nobody wants it
    ("temporary", "runs/.new-seed0.0.partial"),
    ("temporary", "studies/toy/.embedded.json.0.partial"),
}


def everything(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}


def test_what_can_go_is_found_and_nothing_is_changed(results):
    """Each category; what a study goes on with is not among it."""
    before = everything(results)

    assert places(cleaning.find(results), results) == ALL
    assert everything(results) == before


def test_what_was_found_is_removed_and_nothing_else(results):
    """Afterwards there is nothing to remove, and the doctor finds nothing but what goes on."""
    before = everything(results)
    removed = cleaning.remove(results)
    gone = before - everything(results)

    assert places(removed, results) == ALL
    assert {path for path in gone if not path.is_relative_to("unfinished")} == {
        Path(place) for _, place in ALL if not place.startswith("unfinished")
    } | {Path("runs/old-seed0") / name for name in ("record.json", "notes.csv")} | {
        Path("aside/bad-seed0") / name for name in ("record.json", "notes.csv")
    }
    assert cleaning.find(results) == []
    kinds = {one.kind for one in doctor.examine(results)}
    assert kinds == {"finished", "study", "unfinished"}


def test_a_category_alone_is_removed_alone(results):
    """The others stay."""
    cleaning.remove(results, ["aside"])

    assert places(cleaning.find(results), results) == {one for one in ALL if one[0] != "aside"}


def test_the_command_line_knows_the_categories():
    """They stand there twice, because --help loads nothing heavy."""
    assert tuple(clean.CATEGORIES) == cleaning.CATEGORIES


KEYS = [f"{letter}-seed0" for letter in "abcdefgh"]
SETS = st.sets(st.sampled_from(KEYS))


@settings(max_examples=25, deadline=None)
@given(records_of=SETS, failed=SETS, damaged=SETS, unfinished=SETS, first=SETS, second=SETS)
def test_a_record_that_an_index_names_is_never_removed(
    records_of, failed, damaged, unfinished, first, second
):
    """Whatever lies in the folder and whichever studies share it; and the rest goes."""
    with tempfile.TemporaryDirectory() as folder:
        results, wanted = Path(folder), first | second
        for name, keys in (("one", first), ("two", second)):
            if keys:
                arms = {key: [key] for key in sorted(keys)}
                records.write_index(study_index(arms, name=name), results)
        for key in records_of:
            put_record(results, key, failure=FAILURE if key in failed else None)
            if key in damaged:
                (results / "runs" / key / "record.json").write_text("{")
        for key in unfinished:
            put_checkpoint(results, key)
        whole = {path: path.read_bytes() for path in results.glob("runs/*/*") if path.is_file()}
        cleaning.remove(results)

        kept = {path: path.read_bytes() for path in results.glob("runs/*/*") if path.is_file()}
        assert kept == {path: raw for path, raw in whole.items() if path.parent.name in wanted}
        goes_on = (unfinished & wanted) - (records_of - damaged)
        assert {path.name for path in results.glob("unfinished/*")} == goes_on


@pytest.mark.parametrize("spoil", ["{", '{"schema": 99}'], ids=["torn", "of a later release"])
def test_an_index_that_cannot_be_read_keeps_everything(results, spoil):
    """What it names is not known; what no index decides can still go."""
    (results / "studies" / "toy" / "embedded.json").write_text(spoil)
    before = everything(results)
    with pytest.raises(ReproError, match="nothing is removed"):
        cleaning.remove(results)
    assert everything(results) - {Path("lock")} == before

    cleaning.remove(results, ["aside", "temporary"])
    assert not (results / "aside" / "bad-seed0").exists()


def test_what_is_not_of_this_program_stays(results):
    """Somebody's notes, a copy under a name of his own, a record of a later release."""
    (results / "runs" / "notes.txt").write_text("mine")
    shutil.copytree(results / "runs" / "old-seed0", results / "runs" / "my copy")
    later = results / "runs" / "later-seed0"
    later.mkdir()
    (later / "record.json").write_text('{"schema": 99}')
    cleaning.remove(results)

    assert {"notes.txt", "my copy", "later-seed0"} < set(os.listdir(results / "runs"))


HOLDING = """
import sys
from pathlib import Path
from builders import study_index
from repro.execution import runner
with runner.alone_at(study_index({"x": ["new-seed0"]}), Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_nothing_is_removed_while_a_study_runs(results):
    """Not by one byte, and the process that runs it is named; afterwards it can be."""
    before = everything(results)
    command = [sys.executable, "-c", HOLDING, str(results)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TESTS / "helpers"
    ) as running:
        running.stdout.readline()
        with pytest.raises(Busy, match=f"process {running.pid} on .* nothing is removed"):
            cleaning.remove(results)
        done = CliRunner().invoke(main, ["clean", "--yes", "--results", str(results)])
        running.stdin.close()
    new = everything(results) - before

    assert done.exit_code == 3
    assert {path.name for path in new} == {"lock", "embedded.lock"}
    assert places(cleaning.remove(results), results) == ALL


def test_no_study_begins_while_the_folder_is_cleaned(results):
    """A run that was superseded a moment ago could be the one that it asks for."""
    from repro.execution import runner

    with (
        locks.of_results(results, alone=True),
        pytest.raises(Busy, match="is cleaning"),
        runner.alone_at(study_index({"x": ["old-seed0"]}), results),
    ):
        pass


def test_checkpoints_of_a_run_that_is_being_trained_are_not_found(results):
    """Its lock says so, whoever holds it."""
    with (results / "unfinished" / "old-seed1" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = places(cleaning.find(results), results)

    assert found == ALL - {("unfinished", "unfinished/old-seed1")}


def test_without_locks_nothing_is_removed(results, monkeypatch):
    """A running study could not be seen."""

    def no_locks(*_):
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    before = everything(results)
    with pytest.raises(ReproError, match="no locks"):
        cleaning.remove(results)

    assert everything(results) == before


def test_what_a_killed_cleaning_leaves_is_no_half_record(results, monkeypatch):
    """It is gone from its place at once; the next cleaning removes the rest."""
    monkeypatch.setattr(atomic_files, "discard", lambda _: None)  # killed before each removal
    cleaning.remove(results)
    assert not (results / "runs" / "old-seed0").exists()
    assert {one.kind for one in doctor.examine(results)} >= {"left over"}
    assert not doctor.needs_mending(doctor.examine(results))

    monkeypatch.undo()
    cleaning.remove(results)
    assert cleaning.find(results) == []


def test_the_command_lists_bytes_and_removes_only_when_told(results):
    """Bytes that MLflow's pages hold as well are said to stay."""
    os.link(results / "runs" / "old-seed0" / "notes.csv", results / "artifact")
    before = everything(results)
    listed = CliRunner().invoke(main, ["clean", "--results", str(results), "--only", "superseded"])
    size = sum(path.stat().st_size for path in (results / "runs" / "old-seed0").iterdir())

    assert listed.exit_code == 0
    assert listed.output.splitlines() == [
        "superseded: records of runs that no study names any more",
        f"  runs/old-seed0  {size:,} bytes",
        f"Would remove 1 of these, {size:,} bytes. 100 of these bytes are in MLflow's pages as "
        "well, which do not change: `repro sync` puts the pages of removed runs into MLflow's "
        "trash. Nothing is removed yet; --yes removes it.",
    ]
    assert everything(results) == before

    done = CliRunner().invoke(main, ["clean", "--results", str(results), "--yes"])
    again = CliRunner().invoke(main, ["clean", "--results", str(results)])
    assert f"Removed {len(ALL)} of these" in done.output
    assert again.output == "Nothing to remove.\n"
