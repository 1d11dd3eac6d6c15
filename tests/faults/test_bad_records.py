"""Results that somebody else made are input: what is wrong in them is named, and nothing happens.

Nothing outside the results folder is read into it, linked, written or removed.
"""

import contextlib
import json
import os
import shutil

import numpy as np
import pytest
import safetensors.numpy
from click.testing import CliRunner

from faults import bad_records, studies
from faults.bad_records import INDEXES, KINDS, RECORDS, SCORES
from repro.cli import main
from repro.errors import RecordError
from repro.execution import doctor
from repro.records import checkpoint_store, locks, preregistration, records
from repro.records.records import EPOCH_WEIGHTS, RECORD, WEIGHTS
from repro.system.atomic_files import CannotWrite

INDEX = "studies/toy/embedded.json"
PLAIN = (
    ["doctor"],
    ["status"],
    ["table", "toy"],
    ["table", "toy", "--format", "markdown"],
    ["table", "toy", "--format", "json"],
    ["show", "toy/rarest/0"],
    ["plan", "toy.yaml", "--no-calibration"],
    ["clean"],
)
SLOW = (
    ["report", "toy"],
    ["figures", "toy"],
    ["sync"],
    ["verify", "toy"],
    ["clean", "--yes"],
)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with a study that is done, and a secret beside its results."""
    place = tmp_path_factory.mktemp("forged")
    studies.toy(place)
    (place / "secret").write_text("my key")
    with studies.canned():
        studies.run_here(place / "toy.yaml", place / "results")
    return place


@pytest.fixture
def place(done, tmp_path, monkeypatch):
    """A copy of it, in which commands run."""
    here = tmp_path / "here"
    shutil.copytree(done, here, symlinks=True)
    monkeypatch.chdir(here)
    return here


def a_run(place):
    """The folder of a run that has weights: of the second arm, whose seed is 0."""
    index = records.read_index(place / "results" / INDEX)
    return place / "results" / "runs" / index.arms[1].keys[0]


def forge(place, kind, name):
    """Forge one file; its path."""
    run = a_run(place)
    if kind == "record":
        bad_records.forged(run / RECORD, RECORDS[name])
    elif kind == "index":
        bad_records.forged(place / "results" / INDEX, INDEXES[name])
    elif kind == "scores":
        bad_records.with_file(run, "scores.csv", SCORES[name])
    elif kind == "deep":
        (run / RECORD).write_bytes(bad_records.DEEP)
    else:
        KINDS[name](run / RECORD if kind == "record file" else place / "results" / INDEX)
    return place / "results" / INDEX if kind in ("index", "index file") else run


FORGED = [
    *(("record", name) for name in RECORDS),
    *(("index", name) for name in INDEXES),
    *(("scores", name) for name in SCORES),
    *(("record file", name) for name in KINDS),
    *(("index file", name) for name in KINDS),
    ("deep", "record"),
]


@contextlib.contextmanager
def forging(place, kind, name):
    """Within, one file is forged; gives its path below the results."""
    kept = (a_run(place), (place / "results" / INDEX).parent)
    for folder in kept:
        shutil.copytree(folder, place / "kept" / folder.name)
    yield forge(place, kind, name).relative_to(place / "results").as_posix()
    for folder in kept:
        shutil.rmtree(folder)
        (place / "kept" / folder.name).rename(folder)


@pytest.mark.parametrize("kind", dict.fromkeys(kind for kind, _ in FORGED))
def test_doctor_names_what_is_forged_and_why(place, tally, kind):
    """It is damaged, and no table is made of it; nothing is said of the other runs."""
    missed = []
    for name in (name for of_kind, name in FORGED if of_kind == kind):
        with forging(place, kind, name) as path:
            found = doctor.examine(place / "results")
        tally.bad_inputs += 1
        named = [one for one in found if one.kind not in doctor.WHOLE]
        if [(one.kind, one.path) for one in named] != [("damaged", path)] or not named[0].text:
            missed.append((name, named))
    tally.wrong += len(missed)

    assert missed == []


def outside(place):
    """Everything beside the results, and what it holds."""
    paths = [path for path in place.rglob("*") if not path.is_relative_to(place / "results")]
    around = [*place.parent.iterdir()]
    made = ("report", ".cache")  # by commands that are told to
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in [*paths, *around]
        if not set(made) & set(path.relative_to(place.parent).parts)
    }


FEW = FORGED[::9] + [one for one in FORGED if "path" in one[1] or "file of" in one[1]]


def ended_badly(place, forged, commands):
    """What went wrong when commands met a forged file: none but a sentence is right."""
    shutil.copytree(place, copy := place.parent / f"{forged[0]} {forged[1]}"[:60] / "here")
    os.chdir(copy)
    forge(copy, *forged)
    before = outside(copy)
    for command in commands:
        asked = CliRunner().invoke(main, command)
        if not isinstance(asked.exception, SystemExit | None) or asked.exit_code not in (0, 1):
            yield forged, command, repr(asked.exception)
    if outside(copy) != before:
        yield forged, "something outside was changed"


def test_every_command_ends_in_a_sentence(place, tally, draws):
    """Whatever was forged: exit status 0 or 1, no traceback, nothing written outside."""
    tried = draws(FORGED, FEW, kind=lambda one: one[0])
    bad = [one for forged in tried for one in ended_badly(place, forged, PLAIN)]
    tally.bad_inputs += len(tried)
    tally.wrong += len(bad)

    assert bad == []


def test_reports_figures_pages_and_verification_end_in_a_sentence(place, tally, draws):
    """As above; a part of the forged files, because these commands take longer."""
    tried = draws(FORGED[::12], 1)
    bad = [one for forged in tried for one in ended_badly(place, forged, SLOW)]
    tally.bad_inputs += len(tried)
    tally.wrong += len(bad)

    assert bad == []


def test_runs_of_an_arm_with_other_groups_are_told(place, tally):
    """They saw the same pictures: a sentence names both runs, with and without scores."""
    run = a_run(place)
    bad_records.forged(run / RECORD, RECORDS["group of another name"])
    with_scores = CliRunner().invoke(main, ["table", "toy"])
    bad_records.forged(run / RECORD, lambda content: content["files"].pop("scores.csv"))
    without_scores = CliRunner().invoke(main, ["table", "toy"])

    tally.bad_inputs += 2
    for told in (with_scores, without_scores):
        assert told.exit_code == 1
        assert isinstance(told.exception, SystemExit)
        assert run.name in told.output
        assert "its groups are not those of" in told.output


def test_doctor_says_what_is_wrong_with_an_index_without_signs_before_it(place):
    """`studies/toy/embedded.json: damaged (...)`."""
    bad_records.forged(place / "results" / INDEX, INDEXES["no arms"])
    assert f"{INDEX}: damaged (arms: " in CliRunner().invoke(main, ["doctor"]).output


def test_no_file_of_the_user_is_linked_into_the_pages(place, tally):
    """Named by a forged record, or behind a link in place of a file: neither is linked."""
    run = a_run(place)
    bad_records.forged(run / RECORD, RECORDS["file of the folder above"])
    refused = CliRunner().invoke(main, ["sync"])
    bad_records.forged(run / RECORD, lambda content: content["files"].popitem())
    (run / "scores.csv").unlink()
    (run / "scores.csv").symlink_to(place / "secret")
    CliRunner().invoke(main, ["sync"])
    tally.bad_inputs += 2
    artifacts = place / "results" / "mlflow" / "artifacts"
    shown = [path for path in artifacts.rglob("*") if path.is_symlink()]
    shown += [path for path in artifacts.rglob("*") if path.samefile(place / "secret")]

    assert refused.exit_code == 1
    assert "no such file" in refused.output or "damaged" in refused.output
    assert shown == []


def test_a_lock_behind_a_link_empties_no_file(place, tally):
    """The signature of the process that holds a lock would be written into it."""
    lock = (place / "results" / INDEX).with_suffix(".lock")
    lock.unlink()
    lock.symlink_to(place / "secret")
    index = records.read_index(place / "results" / INDEX)
    tally.bad_inputs += 1

    with (
        pytest.raises(CannotWrite, match="it is a link"),
        locks.of_study(index, place / "results"),
    ):
        pass
    assert (place / "secret").read_text() == "my key"


def test_a_lock_that_is_a_pipe_holds_nobody_up(place, tally):
    """It is no lock."""
    folder = place / "results" / "unfinished" / "a-seed0"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "lock")
    tally.bad_inputs += 1

    assert locks.holder_of(folder / "lock") is None
    with pytest.raises(CannotWrite), locks.of_folder(folder, patience=0):
        pass


def test_a_run_or_study_behind_a_link_is_not_read(place, tally):
    """A folder that leads elsewhere would be written there."""
    run, study = a_run(place), place / "results" / "studies" / "toy"
    for folder in (run, study):
        folder.rename(place / folder.name)
        folder.symlink_to(place / folder.name)
    tally.bad_inputs += 2

    before = outside(place)
    ran = CliRunner().invoke(main, ["run", "toy.yaml"])

    with pytest.raises(RecordError, match="its folder is a link"):
        records.read_record(run.name, place / "results")
    with pytest.raises(RecordError, match="its folder is a link"):
        records.read_index(study / "embedded.json")
    assert (ran.exit_code, "its folder is a link" in ran.output) == (1, True)
    assert outside(place) == before


SOUND = np.full(24, 1 / 24)
WEIGHTS_OF = {
    "no tensors": b"x" * 100,
    "another name": safetensors.numpy.save({"weights": SOUND}),
    "other numbers": safetensors.numpy.save({"face_weights": SOUND.astype(np.float32)}),
    "another shape": safetensors.numpy.save({"face_weights": SOUND[None]}),
    "none": safetensors.numpy.save({"face_weights": SOUND[:0]}),
    "NaN": safetensors.numpy.save({"face_weights": np.append(SOUND[1:], np.nan)}),
    "below 0": safetensors.numpy.save({"face_weights": np.append(SOUND * 2, [-1.0])}),
    "another sum": safetensors.numpy.save({"face_weights": SOUND * 2}),
}


@pytest.mark.parametrize("name", WEIGHTS_OF)
def test_forged_weights_are_named(place, tally, name):
    """Under the right digest."""
    run = a_run(place)
    bad_records.with_file(run, WEIGHTS, WEIGHTS_OF[name])
    record = records.read_record(run.name, place / "results")
    tally.bad_inputs += 1

    with pytest.raises(RecordError, match=WEIGHTS):
        records.read_weights(record, place / "results")


EPOCHS_OF = {
    "no tensors": b"x" * 100,
    "another name": safetensors.numpy.save({"face_weights": SOUND}),
    "epoch 0": safetensors.numpy.save({"epoch_0000": SOUND}),
    "other numbers": safetensors.numpy.save({"epoch_0002": SOUND.astype(np.float32)}),
    "NaN": safetensors.numpy.save({"epoch_0002": np.append(SOUND[1:], np.nan)}),
    "another sum in one": safetensors.numpy.save({"epoch_0001": SOUND, "epoch_0002": SOUND * 2}),
}


@pytest.mark.parametrize("name", EPOCHS_OF)
def test_forged_weights_of_epochs_are_named(place, tally, name):
    """By whoever reads them, and by doctor, before a placebo deals them."""
    run = a_run(place)
    bad_records.with_file(run, EPOCH_WEIGHTS, EPOCHS_OF[name])
    record = records.read_record(run.name, place / "results")
    tally.bad_inputs += 1

    with pytest.raises(RecordError, match=EPOCH_WEIGHTS):
        records.read_epoch_weights(record, place / "results")


def test_weights_of_another_number_of_faces_are_named(place, tally):
    """A figure would show the wrong faces."""
    run = a_run(place)
    record = records.read_record(run.name, place / "results")
    tally.bad_inputs += 1

    with pytest.raises(RecordError, match="24 weights, and 25 training faces"):
        records.read_weights(record, place / "results", faces=25)


CHECKPOINTS = {
    "a list": lambda content: content.update(rest=[]),
    "an epoch more": lambda content: content.update(epoch=2),
    "no history": lambda content: content["rest"].pop("history"),
    "history as text": lambda content: content["rest"].update(history="x"),
    "seconds as text": lambda content: content.update(seconds="1"),
    "another run": lambda content: content.update(key="b-seed0"),
    "a digest of nothing": lambda content: content.update(tensors="0" * 64),
    "a later schema": lambda content: content.update(schema=2),
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_forged_checkpoint_is_not_used(tmp_path, tally, name):
    """The run begins again."""
    content = {
        "schema": 1,
        "key": "a-seed0",
        "epoch": 1,
        "seconds": 1.0,
        "tensors": bad_records.sha256(b"x"),
        "rest": {"history": [{"epoch": 1.0}]},
    }
    folder = checkpoint_store.folder_of("a-seed0", tmp_path)
    folder.mkdir(parents=True)
    (folder / "epoch-000001.safetensors").write_bytes(b"x")
    (folder / "epoch-000001.json").write_bytes(bad_records.sealed(content))
    used = checkpoint_store.latest("a-seed0", tmp_path)
    CHECKPOINTS[name](content)
    (folder / "epoch-000001.json").write_bytes(bad_records.sealed(content))
    tally.bad_inputs += 1

    assert used
    assert checkpoint_store.latest("a-seed0", tmp_path) == {}


DECLARED = {
    "nothing declared": lambda content: content.update(declared={}),
    "a date that is none": lambda content: content.update(date="soon"),
    "arms as text": lambda content: content["declared"].update(arms="x"),
    "records as a list": lambda content: content.update(records=[]),
    "another question under the old digest": lambda content: content["declared"].update(
        question="Is it otherwise?"
    ),
}


@pytest.mark.parametrize("name", DECLARED)
def test_a_forged_preregistration_is_named(place, tally, name):
    """By tables and by doctor; it does not count as declared."""
    declared = CliRunner().invoke(main, ["preregister", "toy.yaml"])
    path = preregistration.path_of("toy", "embedded", place / "results")
    sound = CliRunner().invoke(main, ["doctor"])
    bad_records.forged(path, DECLARED[name])
    found = doctor.examine(place / "results")
    tally.bad_inputs += 1

    assert (declared.exit_code, sound.exit_code) == (0, 0)
    assert ("damaged", "preregistered/toy/embedded.json") in {(one.kind, one.path) for one in found}


def test_a_sound_study_is_whole(place):
    """The forged ones differ from it in one place each."""
    assert not doctor.needs_mending(doctor.examine(place / "results"))
    content = json.loads((a_run(place) / RECORD).read_bytes())
    assert (
        bad_records.sealed({k: v for k, v in content.items() if k != "checksum"})
        == (a_run(place) / RECORD).read_bytes()
    )
