import dataclasses
import errno
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from builders import configuration, study_index
from click.testing import CliRunner
from places import FILES, TESTS

from repro.cli import main
from repro.errors import RecordError, Unreadable
from repro.metrics import Count
from repro.records import records, sealed_json
from repro.records.numerics import NUMERICS
from repro.records.records import Computation, Record
from repro.system.atomic_files import CannotWrite

SCHEMA_1 = FILES / "schema1"

RECORD = Record(
    key="abc-seed0",
    seed=0,
    configuration={"model": "classifier"},
    data={"train": "x"},
    groups={"a": Count(4, 3)},
    nonfaces=Count(5, 1),
    metrics={"recall": 0.75},
    history=[{"epoch": 1.0}],
)
DATA = {"train": "a", "test": "b", "nonfaces": "c"}


def write(results, record=RECORD, files=None):
    return records.write_record(record, results, files or {})


def test_a_record_comes_back_as_it_was_written(tmp_path):
    """Reading undoes writing; the files beside it are named with their digests."""
    write(tmp_path, files={"scores.csv": b"x\n"})
    read = records.read_record(RECORD.key, tmp_path)

    assert dataclasses.replace(read, files={}) == RECORD
    assert read.files == {
        "scores.csv": "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac"
    }


def test_a_source_run_and_plug_ins_come_back(tmp_path):
    """In a schema of their own, so that earlier releases say which release is needed."""
    record = dataclasses.replace(RECORD, source="def-seed0", plugins={"rule mine": "0f"})
    file = write(tmp_path, record) / "record.json"

    assert dataclasses.replace(records.read_record(RECORD.key, tmp_path), files={}) == record
    assert records.source_of(RECORD.key, tmp_path) == "def-seed0"
    assert json.loads(file.read_text())["schema"] == sealed_json.WITH_SOURCE


def test_a_record_without_them_is_as_earlier_releases_read_it(tmp_path):
    """Neither their fields nor their schema."""
    content = json.loads((write(tmp_path) / "record.json").read_text())

    assert not {"source", "plugins"} & content.keys()
    assert content["schema"] == sealed_json.SCHEMA < sealed_json.WITH_SOURCE
    assert records.source_of(RECORD.key, tmp_path) == ""


@pytest.mark.parametrize(
    ("source", "why"),
    [("abc-seed0", "the run itself"), ("abc-seed1", "another seed"), ("../x-seed0", "source")],
)
def test_a_source_run_that_cannot_be_one_is_damage(tmp_path, source, why):
    """Whoever wrote it."""
    write(tmp_path, dataclasses.replace(RECORD, source=source))

    with pytest.raises(RecordError, match=why):
        records.read_record(RECORD.key, tmp_path)


def test_a_record_that_cannot_be_finished_leaves_nothing(tmp_path, monkeypatch):
    """Whole or not at all."""

    def fails(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "rename", fails)
    with pytest.raises(CannotWrite, match=r"abc-seed0: cannot be written, [\d,]+ bytes \(No space"):
        write(tmp_path)

    assert list((tmp_path / "runs").iterdir()) == []


def test_no_number_that_is_none_enters_a_record(tmp_path):
    """NaN is a failed run, never a record's metric."""
    with pytest.raises(ValueError, match="JSON compliant"):
        write(tmp_path, dataclasses.replace(RECORD, metrics={"recall": float("nan")}))

    assert not records.has_record(RECORD.key, tmp_path)


def test_the_first_of_two_equal_runs_stands(tmp_path):
    """A run that another process finished meanwhile is not written over."""
    write(tmp_path)
    write(tmp_path, dataclasses.replace(RECORD, provenance={"seconds": 9}))

    assert records.read_record(RECORD.key, tmp_path).provenance == {}


def test_a_changed_byte_is_named(tmp_path):
    """A record whose checksum does not fit is never used."""
    file = write(tmp_path) / "record.json"
    file.write_text(file.read_text().replace('"detected": 3', '"detected": 4'))

    with pytest.raises(RecordError, match=r"record.json: its checksum does not match"):
        records.read_record(RECORD.key, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged"),
        ("[]", "not a record of this program"),
        ("{}", "not a record of this program"),
        ('{"schema": 1}', "checksum"),
        ('{"schema": 99}', "written by a later release"),
    ],
)
def test_what_is_no_record_is_named(tmp_path, text, message):
    """Torn, foreign and old files are told apart."""
    file = write(tmp_path) / "record.json"
    file.write_text(text)

    with pytest.raises(RecordError, match=message):
        records.read_record(RECORD.key, tmp_path)


def key(arm=None, seed=0, data=DATA, source=None, plugins=None, **machine):
    plain = {
        "device": "cpu",
        "kernels": "torch",
        "threads": 1,
        "libraries": {},
        "code": {},
        "numerics": 1,
    }
    computation = Computation(**(plain | machine))
    return records.run_key(
        arm or configuration(),
        seed,
        data=data,
        computation=computation,
        source=source,
        plugins=plugins or {},
    )


def test_whatever_shapes_a_run_changes_its_name():
    """Configuration, seed, data, and what decides the last bits."""
    others = [
        key(configuration(epochs=3)),
        key(seed=1),
        key(data=DATA | {"test": "z"}),
        key(threads=2),
        key(device="cuda"),
        key(kernels="blocked"),
        key(libraries={"torch": "9"}),
        key(numerics=NUMERICS + 1),
        key(configuration(precision="bf16")),
        key(source="a"),
        key(source="b"),
        key(plugins={"rule mine": "a"}),
        key(plugins={"rule mine": "b"}),
    ]

    assert len({key(), *others}) == 1 + len(others)


def test_an_arms_name_in_another_arm_is_no_part_of_a_runs_name():
    """The digest of the source run counts for it."""
    named = [configuration(resampling={"rule": "placebo", "of": of}) for of in ("a", "b")]

    assert key(named[0], source="x") == key(named[1], source="x")


def test_names_do_not_depend_on_this_process():
    """The same run has the same name under another hash seed."""
    code = "import test_records; print(test_records.key())"
    here = [str(Path(__file__).parent), str(TESTS / "helpers")]
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(here)},
    )

    assert found.stdout.strip() == key()


INDEX = study_index({"x": [RECORD.key, "absent-seed1"]})


def test_an_index_finds_the_records_that_exist(tmp_path):
    """Tables need the results folder alone."""
    write(tmp_path)
    records.write_index(INDEX, tmp_path)
    (index,) = records.read_indexes(tmp_path)

    assert index == INDEX
    assert list(records.read_study(index, tmp_path)) == [RECORD.key]


def test_a_damaged_index_is_named(tmp_path):
    """As for records."""
    path = records.write_index(INDEX, tmp_path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"question": "!"}))

    with pytest.raises(RecordError, match="checksum"):
        records.read_indexes(tmp_path)


def test_records_of_the_first_schema_make_the_table_that_they_made_then(tmp_path):
    """Results of an earlier release stay readable, to the byte."""
    shutil.copytree(SCHEMA_1, tmp_path / "results")
    done = CliRunner().invoke(main, ["table", "--results", str(tmp_path / "results")])

    assert done.output == (SCHEMA_1 / "table.tex").read_text()


def test_every_bit_of_a_record_is_under_its_checksum(tmp_path):
    """Flipped one by one, none goes unnoticed."""
    file = write(tmp_path) / "record.json"
    whole = file.read_bytes()
    accepted = []
    for bit in range(8 * len(whole)):
        raw = bytearray(whole)
        raw[bit // 8] ^= 1 << bit % 8
        file.write_bytes(raw)
        try:
            records.read_record(RECORD.key, tmp_path)
        except RecordError:
            continue
        accepted.append(bit)

    assert accepted == []


def test_a_record_in_another_runs_place_is_named(tmp_path):
    """A copied folder is no evidence of the run that it is called after."""
    write(tmp_path).rename(tmp_path / "runs" / "other-seed0")

    with pytest.raises(RecordError, match="this is the record of abc-seed0"):
        records.read_record("other-seed0", tmp_path)


def test_a_run_is_damaged_when_a_file_beside_its_record_is_gone(tmp_path):
    """Tables and figures would miss it."""
    folder = write(tmp_path, files={"scores.csv": b"x"})
    before = records.state_of(RECORD.key, tmp_path)
    (folder / "scores.csv").unlink()

    assert (before, records.state_of(RECORD.key, tmp_path)) == ("finished", "damaged")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_a_record_that_cannot_be_read_is_not_taken_for_damaged(tmp_path, monkeypatch, number):
    """It may be whole: a finished run is not trained again for it."""
    write(tmp_path)

    def refused(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refused)

    with pytest.raises(Unreadable, match=r"record\.json: cannot be read"):
        records.state_of(RECORD.key, tmp_path)


def before_architectures(model):
    """The small configuration as records held it before it said whose network it is."""
    plain = configuration(
        model="classifier" if model == "classifier" else "dbvae",
        resampling={"rule": "none"},
    ).model_dump(mode="json")
    later = ("architecture", "latent_noise", "batch_norm", "indicator")
    resampling = {k: v for k, v in plain["resampling"].items() if k not in ("pixels", "channels")}
    kept = {key: value for key, value in plain.items() if key not in later}
    return plain, kept | {"model": model, "resampling": resampling}


@pytest.mark.parametrize("model", ["dehaan2020", "classifier"])
def test_a_record_of_before_says_what_was_no_choice_then(tmp_path, model):
    """Read now, it has the choices that came later, as the code then made them."""
    today, old = before_architectures(model)
    write(tmp_path, dataclasses.replace(RECORD, configuration=old))

    assert records.read_record(RECORD.key, tmp_path).configuration == today


def test_an_index_knows_its_seeds(tmp_path):
    """Those of its runs, from its first one; of an older index, which names none, from 0."""
    index = study_index({"x": ["k-seed7", "k-seed8"]}, first_seed=7)
    read = records.read_index(records.write_index(index, tmp_path))

    assert list(read.wanted()) == [("x", 7, "k-seed7"), ("x", 8, "k-seed8")]
    assert list(study_index({"x": ["k-seed0"]}).wanted()) == [("x", 0, "k-seed0")]


def long_record(seed, **changes):
    """A record with long curves, about 50 kB."""
    history = [{"epoch": float(epoch), "train_loss": 1 / (epoch + seed)} for epoch in range(1, 401)]
    plain = {"kl_per_latent": [seed / 7] * 100, "history": history, "provenance": {"threads": 1}}
    plain["metrics"] = RECORD.metrics | {"val_active_units": 100.0}
    return dataclasses.replace(RECORD, key=f"abc-seed{seed}", seed=seed, **plain | changes)


def held_by(results, runs):
    """Bytes that the records of a study hold in memory."""
    index = study_index({"x": [f"abc-seed{seed}" for seed in range(runs)]})
    tracemalloc.start()
    found = records.read_study(index, results)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == runs
    return held


def test_a_study_of_many_runs_holds_little_of_each(tmp_path):
    """Neither curves nor what other runs have as well: 2 kB a run, where a record takes 50."""
    for seed in range(120):
        write(tmp_path, long_record(seed))
    held_by(tmp_path, 1)  # what is loaded once

    assert held_by(tmp_path, 120) - held_by(tmp_path, 20) < 100 * 4_000


def test_a_brief_record_says_what_the_whole_one_says():
    """But its curves; numbers of other types stay what they are."""
    first = long_record(1, provenance={"threads": 1, "packages": {"numpy": "2.0"}})
    other = long_record(2, provenance={"threads": 1.0, "packages": {"numpy": "2.0"}})
    brief = other.brief(first.brief())

    assert brief.configuration is first.configuration
    assert brief.provenance["packages"] is first.provenance["packages"]
    assert repr(brief.provenance["threads"]) == "1.0"
    assert [*brief.kl_per_latent] == other.kl_per_latent
    for name in ("key", "seed", "groups", "nonfaces", "metrics", "provenance", "files"):
        assert getattr(brief, name) == getattr(other, name)
    assert not hasattr(brief, "history")
