"""Which study file results belong to: two files of a name, and a file that was edited after it ran.

No number is printed under a file that says something else without a word, and nobody's runs are
called superfluous while an index names them.
"""

import json
import shutil

import pytest
from click.testing import CliRunner

from faults import bad_records, studies
from repro.cli import main
from repro.errors import ReproError
from repro.execution import doctor
from repro.records import records, study_origin
from repro.study import study

INDEX = "studies/toy/embedded.json"
EDITS = {  # of the file, which then says something else
    "an arm": ("{name: even, ", "{name: level, "),
    "a choice": ("epochs: 3", "epochs: 4"),
    "the question": ("Does it survive?", "Does it live?"),
    "replicates": ("replicates: 2", "replicates: 3"),
    "the profile": ("embedded: {}", "embedded: {replicates: 3}"),
}
SAME = {  # of the file, which says the same
    "a comment": ("name: toy", "# mine\nname: toy"),
    "another layout": ("profiles: {embedded: {}}", "profiles:\n  embedded: {}"),
    "another profile": ("{embedded: {}}", "{embedded: {}, paper: {epochs: 9}}"),
    "what to expect": ("name: toy", "name: toy\nexpected: a minute"),
    "resources": ("name: toy", "name: toy\nresources: {cpus: 2}"),
}
TELL = (["table", "toy.yaml"], ["table", "toy"], ["table"], ["status"])


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with a study that is done."""
    place = tmp_path_factory.mktemp("which")
    studies.toy(place)
    with studies.canned():
        studies.run_here(place / "toy.yaml", place / "results")
    return place


@pytest.fixture
def place(done, tmp_path, monkeypatch):
    """A copy of it, in which commands run."""
    here = tmp_path / "here"
    shutil.copytree(done, here)
    monkeypatch.chdir(here)
    return here


def edit(path, change, to=None):
    """Write a file with a change, to another path if one is given."""
    text = path.read_text()
    old, new = change
    reference = text.replace("reference: even", "reference: level") if "level" in new else text
    assert old in text
    (to or path).write_text(reference.replace(old, new))


def said(command):
    """What a command says on standard error."""
    asked = CliRunner().invoke(main, command)
    assert asked.exit_code == 0, asked.output
    return asked.stderr


@pytest.mark.parametrize("name", EDITS)
def test_a_file_that_was_edited_since_is_told(place, tally, name):
    """By every command that shows what was run; by doctor as well."""
    quiet = [said(command) for command in TELL]
    edit(place / "toy.yaml", EDITS[name])
    told = [said(command) for command in TELL]
    tally.bad_inputs += 1
    kinds = {one.kind for one in doctor.examine(place / "results")}

    assert not any("was changed" in text for text in quiet)
    assert all("toy.yaml was changed after toy@embedded was run" in text for text in told)
    assert "changed" in kinds


def test_plan_tells_a_file_that_was_edited(place):
    """Beside the runs that it would train."""
    edit(place / "toy.yaml", EDITS["a choice"])

    assert "the study file was changed after the last run" in said(
        ["plan", "toy.yaml", "--no-calibration"]
    )


@pytest.mark.parametrize("name", SAME)
def test_a_file_that_says_the_same_is_no_other(place, name):
    """Whatever its layout; and so is a copy of it at another place, or one that was moved."""
    edit(place / "toy.yaml", SAME[name])
    shutil.copy(place / "toy.yaml", place / "copy.yaml")

    assert not any("was changed" in said(command) for command in TELL)
    assert said(["table", "copy.yaml"]) == ""
    study_origin.require_own(study.load(place / "copy.yaml"), place / "results")


def test_a_file_that_is_gone_is_no_change(place):
    """Tables can be made without the file."""
    (place / "toy.yaml").unlink()

    assert said(["table", "toy"]) == ""


def test_another_file_of_the_same_name_is_refused(place, tally):
    """By run, plan and preregister: nothing is written, and all runs stay needed."""
    edit(place / "toy.yaml", EDITS["a choice"], to=place / "other.yaml")
    before = (place / "results" / INDEX).read_bytes()
    for command in ("run", "plan", "preregister"):
        asked = CliRunner().invoke(main, [command, "other.yaml"])
        tally.bad_inputs += 1
        assert asked.exit_code == 1
        assert "the results of toy belong to" in asked.output
        assert "toy.yaml, which other.yaml would replace" in asked.output.replace("\n", " ")

    assert (place / "results" / INDEX).read_bytes() == before
    assert not any(one.kind == "unwanted" for one in doctor.examine(place / "results"))


def test_a_file_that_takes_the_place_of_a_moved_one_is_not_refused(place):
    """Moved and edited: the old one no longer claims the name."""
    edit(place / "toy.yaml", EDITS["a choice"], to=place / "other.yaml")
    (place / "toy.yaml").unlink()
    study_origin.require_own(study.load(place / "other.yaml"), place / "results")

    (place / "toy.yaml").write_text((place / "other.yaml").read_text().replace("toy", "mine"))
    study_origin.require_own(study.load(place / "other.yaml"), place / "results")


def test_another_profile_of_the_same_name_is_another_file_too(place):
    """Its table would stand among the variants of the first one."""
    text = (place / "toy.yaml").read_text().replace("embedded: {}", "paper: {}")
    (place / "other.yaml").write_text(text)

    with pytest.raises(ReproError, match="belong to"):
        study_origin.require_own(study.load(place / "other.yaml"), place / "results")


def test_an_index_of_an_earlier_release_says_nothing(place):
    """It does not know its file: it is read, and no file is another one."""
    index = place / "results" / INDEX

    def earlier(content):
        del content["file"], content["file_digest"]

    bad_records.forged(index, earlier)
    edit(place / "toy.yaml", EDITS["a choice"])

    assert said(["table", "toy.yaml"]) == ""
    assert not doctor.needs_mending(doctor.examine(place / "results"))


def test_an_index_names_its_file_without_folders_above_the_project(place):
    """Results can be passed on; the name alone of a study that ships."""
    index = json.loads((place / "results" / INDEX).read_bytes())
    shipped = study_origin.study_files.find_name("alpha_sweep").path

    assert index["file"] == "./toy.yaml"
    assert study_origin.written(shipped, place / "results") == "alpha_sweep"


def test_no_run_is_superfluous_while_an_index_cannot_be_read(place, tally):
    """It may name them all."""
    (place / "results" / INDEX).write_text("{")
    tally.bad_inputs += 1
    kinds = [one.kind for one in doctor.examine(place / "results")]

    assert "damaged" in kinds
    assert "unwanted" not in kinds


def test_the_runs_of_an_edited_study_come_back_with_its_file(place):
    """The index of the old file is not needed for it: names of runs hang on choices alone."""
    before = records.read_index(place / "results" / INDEX)
    text = (place / "toy.yaml").read_text()
    edit(place / "toy.yaml", EDITS["a choice"])
    with studies.canned():
        studies.run_here(place / "toy.yaml", place / "results")
    (place / "toy.yaml").write_text(text)
    with studies.canned():
        watcher = studies.run_here(place / "toy.yaml", place / "results")

    assert watcher.begun == []
    assert records.read_index(place / "results" / INDEX) == before
