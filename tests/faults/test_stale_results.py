"""A record is used for what it is the record of, and for nothing else; the plan says why."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import repro
from repro.data.synthetic import scenes
from repro.execution import planning, runner, staleness
from repro.execution.executors import hardware
from repro.metrics import Count
from repro.records import checkpoint_store, code_digests, records
from repro.records.numerics import NUMERICS, earlier_code
from repro.study import study
from repro.study.presets import PRESETS
from repro.study.section import digest
from repro.training import state_files
from repro.training.state_files import Checkpoint
from repro.training.trainer import State

PACKAGE = Path(repro.__file__).parent
TEXT = """\
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
arms:
  - {name: plain, resampling: {combine: none}}
  - {sweep: {resampling.alpha: [0.1, 0.01]}}
reference: plain
replicates: 3
select: {keep: 1, by: recall, split: test}
profiles: {embedded: {}}
"""


GROUPS = {"a": Count(4, 3)}


def planned(folder, text=TEXT, **options):
    """The plan of the study in this text."""
    file = folder / "toy.yaml"
    file.write_text(text)
    return planning.plan(
        study.load(file, **options), folder / "results", computation=hardware.computation(["cpu"])
    )


def run(plan):
    """Give every run of a plan a record, and the study its index, without training."""
    for task in plan.missing:
        record = task.record(groups=GROUPS, nonfaces=Count(4, 1), history=[])
        records.write_record(record, task.results, {})
    records.write_index(plan.index, plan.tasks[0].results)


def why(plan):
    """The reasons for what is to be trained, each once."""
    found = staleness.reasons(plan.missing, plan.index, plan.tasks[0].results)
    return set(found.values())


@pytest.fixture
def done(tmp_path):
    """A study that is done."""
    run(planned(tmp_path))
    return tmp_path


def test_a_study_that_is_done_wants_nothing(done):
    """Every run is there."""
    assert planned(done).missing == []


def test_a_run_that_was_never_done_is_new(tmp_path):
    """There is nothing to compare it with."""
    assert why(planned(tmp_path)) == {"new"}


def test_a_run_that_was_cut_off_goes_on(tmp_path):
    """Its plan says after which epoch."""
    task = planned(tmp_path).missing[0]
    state = state_files.pack(Checkpoint(State(1, {}, {}), 2.0), task.key)
    checkpoint_store.keep(state, task.key, task.results)

    assert why(planned(tmp_path)) == {"new", "continues after epoch 1"}


def test_a_damaged_record_is_done_again(done):
    """And nothing else is."""
    task = planned(done).tasks[0]
    (records.folder_of(task.key, task.results) / "record.json").write_text("{")
    plan = planned(done)

    assert [again.key for again in plan.missing] == [task.key]
    assert why(plan) == {"its record is damaged"}


EDITS = {
    "another order of keys": (
        TEXT.replace("  epochs: 2\n  batch_size: 16\n", "  batch_size: 16\n  epochs: 2\n"),
        0,
    ),
    "another layout": (TEXT.replace("{name: plain, ", "{  name:   plain,\n     "), 0),
    "a comment": (TEXT.replace("arms:", "# remark\narms:"), 0),
    "another question": (TEXT.replace("Does it?", "Does it, really?"), 0),
    "another name": (TEXT.replace("name: toy", "name: other"), 0),
    "an arm renamed": (TEXT.replace("plain", "uniform"), 0),
    "arms in another order": (TEXT.replace("[0.1, 0.01]", "[0.01, 0.1]"), 0),
    "an alpha more": (TEXT.replace("[0.1, 0.01]", "[0.1, 0.05, 0.01]"), 3),
    "an alpha less": (TEXT.replace("[0.1, 0.01]", "[0.1]"), 0),
    "a seed more": (TEXT.replace("replicates: 3", "replicates: 4"), 3),
    "a seed less": (TEXT.replace("replicates: 3", "replicates: 2"), 0),
    "another selection": (TEXT.replace("keep: 1", "keep: 2"), 0),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_a_study_trains_what_it_adds_and_no_more(done, edit, tally):
    """Seeds and results of the others stay; new runs are new."""
    text, added = EDITS[edit]
    plan = planned(done, text)
    tally.faults += 1

    assert len(plan.missing) == added
    assert why(plan) == ({"new"} if added else set())


def test_another_choice_is_named_with_both_values(done):
    """The arm is still called the same."""
    plan = planned(done, TEXT.replace("epochs: 2", "epochs: 3"))

    assert len(plan.missing) == len(plan.tasks)
    assert why(plan) == {"epochs: 2 -> 3"}


def test_a_study_that_is_run_again_says_what_it_does_not_use(done):
    """Before it trains anew what a person may think is done."""
    plan = planned(done, TEXT.replace("epochs: 2", "epochs: 3"))
    (line,) = runner._superseded(plan.index, done / "results")

    assert line.startswith("9 earlier runs were made with other choices, data, code or libraries")
    assert list(runner._superseded(planned(done).index, done / "results")) == []


def test_another_default_is_another_choice(done, monkeypatch, tally):
    """What the study file does not say counts as well."""
    changed = PRESETS["dehaan2020"] | {"learning_rate": 0.002}
    monkeypatch.setitem(PRESETS, "dehaan2020", changed)
    tally.faults += 1

    assert why(planned(done)) == {"learning_rate: 0.001 -> 0.002"}


def test_another_release_of_a_library_is_named(done, monkeypatch, tally):
    """Bits may change with it."""
    later = code_digests.libraries() | {"torch": "9.9.9"}
    before = code_digests.libraries()["torch"]
    monkeypatch.setattr(code_digests, "libraries", lambda: later)
    tally.faults += 1

    assert why(planned(done)) == {f"torch {before} -> 9.9.9"}


def test_code_that_computes_the_same_bits_trains_nothing_again(done, monkeypatch, tally):
    """Modules may be rewritten and renamed."""
    later = {"losses/renamed.py": "0"}
    monkeypatch.setattr(code_digests, "code", lambda: later)
    tally.faults += 1

    assert why(planned(done)) == set()


def test_other_numerics_train_everything_again(done, monkeypatch, tally):
    """The two numbers are named."""
    monkeypatch.setattr(hardware, "NUMERICS", NUMERICS + 1)
    tally.faults += 1

    assert why(planned(done)) == {f"numerics {NUMERICS} -> {NUMERICS + 1}"}


def test_another_generator_of_the_embedded_data_is_other_data(done, monkeypatch, tally):
    """It is what the data are made by."""
    monkeypatch.setattr(scenes, "VERSION", "0")
    tally.faults += 1

    assert why(planned(done)) == {
        "data.train: content changed; data.test: content changed; data.nonfaces: content changed"
    }


def test_one_byte_of_one_picture_is_other_data(tmp_path, tally):
    """The part is named, and only runs on it are done again."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "a.png").write_bytes(b"not looked at by a plan")
    changes = {"overrides": [f"data.nonfaces={pictures}"]}
    run(planned(tmp_path, **changes))
    before = len(planned(tmp_path, **changes).missing)
    (pictures / "a.png").write_bytes(b"not looked at by a plam")
    tally.faults += 1
    records_of_the_variant = planned(tmp_path, **changes)

    assert before == 0
    assert why(records_of_the_variant) == {"data.nonfaces: content changed"}


def test_the_nearest_record_explains(done, monkeypatch):
    """Of several that might have done, the one with the fewest differences."""
    for task in planned(done).tasks:
        worse = dataclasses.replace(task, key=f"{'f' * 32}-seed{task.seed}", data={})
        if not records.has_record(worse.key, worse.results):
            records.write_record(worse.record(groups=GROUPS), worse.results, {})
    later = code_digests.libraries() | {"numpy": "9"}
    monkeypatch.setattr(code_digests, "libraries", lambda: later)

    assert {reason.partition(" ")[0] for reason in why(planned(done))} == {"numpy"}


def test_records_of_the_first_schema_are_not_taken_for_ours(done):
    """They did not say which code made them."""
    for task in planned(done).tasks:
        shutil.rmtree(records.folder_of(task.key, task.results))
        old = dataclasses.replace(task, key=f"{'0' * 12}-seed{task.seed}")
        shutil.rmtree(records.folder_of(old.key, old.results), ignore_errors=True)
        record = dataclasses.replace(old.record(groups=GROUPS), computation={})
        records.write_record(record, old.results, {})

    assert "its record has schema 1, which does not hold code and libraries" in why(planned(done))


@pytest.mark.parametrize(
    ("file", "old", "new", "missing"),
    [
        ("losses/formulas.py", "def classification(", "# a remark\ndef classification(", 0),
        ("records/numerics.py", "\nNUMERICS = ", "\nNUMERICS = 1 + ", 9),
    ],
    ids=["a comment", "numerics"],
)
def test_the_command_line_plans_by_the_numerics(done, file, old, new, missing, tmp_path, tally):
    """A copy of the program with one line changed, as a developer would change it."""
    shutil.copytree(PACKAGE, tmp_path / "copy" / "repro")
    path = tmp_path / "copy" / "repro" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    command = ["plan", done / "toy.yaml", "--no-calibration", "--results", done / "results"]
    said = subprocess.run(
        [sys.executable, "-m", "repro.cli", *map(str, command)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path / "copy",
    ).stdout
    tally.faults += 1

    assert said.count(f": numerics {NUMERICS} -> {NUMERICS + 1}") == missing
    assert said.splitlines()[-1].endswith(f"{missing} to run")


def with_code(task, code):
    """The record that a release left whose names of runs hold this digest of its code."""
    plain = {**task.computation.identity(), "code": dict(code)}
    del plain["numerics"]
    name = records.key_of(
        digest(
            {
                "configuration": task.configuration.identity(),
                "data": task.data,
                "computation": plain,
            }
        ),
        task.seed,
    )
    return dataclasses.replace(task.record(groups=GROUPS), key=name, computation=plain)


@pytest.fixture
def upgraded(tmp_path, monkeypatch):
    """Records of schema 2 in a folder, by the code that made them; the plan of today."""

    def of(code):
        with monkeypatch.context() as before:
            before.setattr(records, "SCHEMA", 2)
            for task in planned(tmp_path).tasks:
                record = with_code(task, code)
                path = records.write_record(record, task.results, {}) / records.RECORD
                assert json.loads(path.read_bytes())["schema"] == 2
        return planned(tmp_path)

    return of


@pytest.mark.parametrize("earlier", earlier_code(), ids=lambda one: one.commit)
def test_records_of_an_earlier_release_with_the_same_bits_are_used(upgraded, earlier, tally):
    """Who upgrades trains nothing again, and the plan says why."""
    plan = upgraded(earlier.code)
    tally.faults += 1

    assert plan.missing == []
    assert set(staleness.earlier(plan.tasks).values()) == {
        "the record of an earlier release, whose code computes the same bits (numerics 1)"
    }
    assert [key for _, _, key in plan.index.wanted()] == [task.key for task in in_order(plan)]


def in_order(plan):
    """The runs of a plan, arm by arm."""
    names = [arm.name for arm in plan.index.arms]
    return sorted(plan.tasks, key=lambda task: (names.index(task.arm), task.seed))


def test_records_of_code_that_nobody_knows_are_not_used(upgraded, tally):
    """Their bits may be others."""
    plan = upgraded({"losses.py": "0"})
    tally.faults += 1

    assert why(plan) == {f"numerics: not known for the code that made it -> {NUMERICS}"}


def test_records_of_earlier_releases_are_not_used_with_other_numerics(
    upgraded, monkeypatch, tmp_path, tally
):
    """The number was raised since."""
    upgraded(earlier_code()[0].code)
    monkeypatch.setattr(hardware, "NUMERICS", NUMERICS + 1)
    tally.faults += 1

    assert why(planned(tmp_path)) == {f"numerics {NUMERICS} -> {NUMERICS + 1}"}


def test_a_record_under_its_own_name_comes_first(upgraded, tmp_path):
    """Of two that could be used."""
    plan = upgraded(earlier_code()[0].code)
    for task in plan.tasks:
        own = dataclasses.replace(task, key=staleness._own_name(task))
        records.write_record(own.record(), own.results, {})

    assert staleness.earlier(planned(tmp_path).tasks) == {}


def test_a_damaged_record_of_an_earlier_release_is_not_used(upgraded, tmp_path, tally):
    """The run is trained under its own name."""
    plan = upgraded(earlier_code()[0].code)
    damaged = plan.tasks[0]
    (records.folder_of(damaged.key, damaged.results) / "record.json").write_text("{")
    tally.faults += 1

    assert [task.key for task in planned(tmp_path).missing] == [staleness._own_name(damaged)]
