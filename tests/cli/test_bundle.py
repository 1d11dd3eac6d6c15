"""`repro bundle`, and the commands that read what it writes, in a room without the study."""

import json
import subprocess
import zipfile

import bundled_study
import checkers
import pytest
from bundled_study import METRIC, repro
from places import FILES, TESTS

from repro.reporting.figures import figure_registry

FORMS = ("markdown", "csv", "latex", "json", "html", "predictions")
MADE = {"markdown": "table.md", "csv": "table.csv", "latex": "table.tex", "json": "table.json"}
READING = {
    "table": ["table", "toy.zip", "--style", "full"],
    "figures": ["figures", "toy.zip", "--only", "recall", "--out", "figures"],
    "status": ["status", "toy.zip"],
    "show": ["show", "toy.zip/alpha-0.1/3"],
    "audit": ["audit", "toy.zip"],
}


@pytest.fixture(scope="module", autouse=True)
def _few_figures():
    """Reports take seconds for figures, which other tests look at."""
    few = {name: figure_registry.FIGURES[name] for name in ("recall",)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure_registry, "FIGURES", few)
        yield


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder of the study, the canary of its plug-ins, and what the folder's tables are."""
    place = tmp_path_factory.mktemp("bundle")
    folder, canary = bundled_study.write(place / "home", place / "canary"), place / "canary"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tables = {form: repro("table", "toy.yaml", "--format", form).stdout for form in FORMS}
        said = repro("bundle", "toy.yaml", folder / "toy.zip").stdout
    return folder, canary, tables, said


@pytest.fixture
def room(study, tmp_path, monkeypatch):
    """A folder with nothing but the bundle."""
    folder, canary, *_ = study
    (tmp_path / "toy.zip").write_bytes((folder / "toy.zip").read_bytes())
    monkeypatch.chdir(tmp_path)
    bundled_study.forget_plugins()
    canary.unlink(missing_ok=True)
    return tmp_path


@pytest.mark.parametrize("form", FORMS)
def test_a_bundle_gives_the_bytes_of_the_folders_table(form, study, room):
    """In every format, the values of the plug-in's metric included."""
    _, _, tables, _ = study

    assert repro("table", "toy.zip", "--format", form).stdout == tables[form]


@pytest.mark.parametrize("form", MADE)
def test_the_tables_in_a_bundle_are_those_that_the_command_prints(form, study):
    """As the sender saw them."""
    folder, _, tables, _ = study
    with zipfile.ZipFile(folder / "toy.zip") as archive:
        found = archive.read(f"tables/{MADE[form]}").decode()

    assert found == tables[form]
    assert METRIC.replace("_", " ").capitalize() in tables["markdown"]


def test_the_command_prints_size_runs_and_digest(study):
    """What the sender can state elsewhere."""
    folder, _, _, said = study
    size = (folder / "toy.zip").stat().st_size
    digest = subprocess.run(
        ["sha256sum", folder / "toy.zip"], capture_output=True, text=True, check=True
    ).stdout.split()[0]

    assert said == f"{folder / 'toy.zip'}: {size:,} bytes, 10 runs, SHA-256 {digest}\n"


def test_a_bundle_has_the_same_bytes_each_time(study, tmp_path, monkeypatch):
    """Also from another folder."""
    folder, *_ = study
    monkeypatch.chdir(bundled_study.moved(folder, tmp_path / "elsewhere"))
    repro("bundle", "toy.yaml", "again.zip")

    assert (tmp_path / "elsewhere" / "again.zip").read_bytes() == (folder / "toy.zip").read_bytes()


@pytest.mark.parametrize("command", READING)
def test_no_command_runs_the_code_of_a_bundle(command, study, room):
    """Its plug-ins say when they are run."""
    _, canary, *_ = study
    repro(*READING[command])

    assert not canary.exists()


def test_run_plugins_runs_them(study, room):
    """What they return is what was stored."""
    _, canary, tables, _ = study
    found = repro("table", "toy.zip", "--format", "csv", "--run-plugins")

    assert found.stdout == tables["csv"]
    assert canary.exists()


def test_a_report_is_made_of_a_bundle(room):
    """The page that the sender's bundle holds shows pictures more at most."""
    repro("report", "toy.zip", "--out", "report")
    page = (room / "report" / "report.html").read_text()

    assert "study/toy.yaml" in page
    assert "/home/somebody" not in page


def test_nothing_of_the_sender_is_shown(study):
    """No path of the machine or of a person in any file, also not in the study's own text."""
    folder, *_ = study
    with zipfile.ZipFile(folder / "toy.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    private = [b"/home/", b"/mnt/", str(folder.parent.parent).encode()]
    canary = str(study[1]).encode()  # which the plug-ins show themselves
    shown = [
        name
        for name, content in members.items()
        if any(one in content.replace(canary, b"") for one in private)
    ]

    assert shown == []
    assert b"train: train.h5" in members["study/toy.yaml"]


def test_a_changed_record_is_named(room):
    """One digit of one number, in the record and so in its digest."""

    def change(members):
        name = "results/runs/0.1-seed0/record.json"
        members[name] = members[name].replace(b'"n": 20', b'"n": 21', 1)

    bundled_study.with_member(room / "toy.zip", room / "bad.zip", change)
    said = repro("table", "bad.zip", status=1).stderr

    assert said == (
        "Error: bad.zip: results/runs/0.1-seed0/record.json was changed: its SHA-256 is not the "
        "one that is listed; ask the sender for it again\n"
    )


def test_scores_without_a_stored_value_are_told(room):
    """Whoever forges scores and every digest gets no value of a metric that he did not run."""

    def change(members):
        stored = json.loads(members["metrics.json"])
        stored[0]["values"][0]["inputs"] = "0" * 64
        members["metrics.json"] = json.dumps(stored).encode()
        bundled_study.described(members)

    bundled_study.with_member(room / "toy.zip", room / "bad.zip", change)
    said = repro("table", "bad.zip", "--style", "full", status=1).stderr

    assert "the bundle has no value for these scores" in said


def test_an_audit_says_whether_the_tables_are_those_of_the_records(room):
    """Edited tables in place of the printed ones, under right digests."""

    def change(members):
        members["tables/table.md"] += b"All claims hold.\n"
        bundled_study.described(members)

    bundled_study.with_member(room / "toy.zip", room / "bad.zip", change)
    right, wrong = repro("audit", "toy.zip").stderr, repro("audit", "bad.zip").stderr

    assert "toy.zip: its tables are those that its records give" in right
    assert "bad.zip: tables/table.md: not what this release makes of the records" in wrong


def test_a_run_of_a_bundle_is_shown(room):
    """By arm and seed, and by its key."""
    by_arm = repro("show", "toy.zip/no-debias/1").stdout
    by_key = repro("show", "toy.zip/None-seed1").stdout

    assert by_arm == by_key
    assert "finished" in by_arm


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bundle", "toy.yaml", "toy.tar"], "a bundle is a .zip file"),
        (["bundle", "toy.zip", "other.zip"], "this is a bundle already"),
        (["show", "toy.zip"], "Write toy.zip/ARM/SEED, or toy.zip/KEY"),
        (["show", "toy.zip/wrong"], "toy.zip/ARM/SEED, for example toy.zip/No-debias/0"),
        (["show", "toy.zip/0.1"], "\n  toy.zip/0.1-seed0  toy.zip/alpha-0.1/0\n"),
        (["show", "toy.zip/no-debias/x"], "no-debias/x: write toy.zip/ARM/SEED"),
        (["show", "toy.zip/wrong/0"], "toy.zip: there is no arm 'wrong'; there is: No-debias"),
        (["show", "toy.zip/no-debias/9"], "toy.zip: No debias has the seeds 0 to 2"),
        (["show", "toy.zip/detector-x"], "toy.zip: 0 detectors begin with 'detector-x'"),
        (["table", "none.zip"], "none.zip: file not found"),
        (["table", "toy.zip", "--profile", "paper"], "toy.zip holds one variant: leave out"),
    ],
)
def test_a_wrong_word_is_told(words, said, room):
    """What it is, and what to write."""
    assert said in repro(*words, status=1).stderr


def test_a_study_that_was_changed_is_not_bundled(study, tmp_path, monkeypatch):
    """The bundle would hold another question than was run."""
    folder = bundled_study.moved(study[0], tmp_path / "elsewhere")
    text = (folder / "toy.yaml").read_text().replace("Does it?", "Does it not?")
    (folder / "toy.yaml").write_text(text)
    monkeypatch.chdir(folder)

    said = repro("bundle", "toy.yaml", "changed.zip", status=1).stderr

    assert "a bundle would hold another study than was run" in said


def _validated(*crates):
    """What the community's validator says."""
    python, program = checkers.FOLDER / "python", TESTS / "helpers" / "crate_check.py"
    command = [python, program, "cache", FILES / "ro_crate", *crates]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@checkers.needs("rocrate-validator")
def test_a_bundle_is_a_workflow_run_crate(room):
    """All that the profile requires is there; without a profile's entity it is not."""

    def change(members):
        crate = json.loads(members["ro-crate-metadata.json"])
        crate["@graph"] = [one for one in crate["@graph"] if "/wfrun/" not in one["@id"]]
        members["ro-crate-metadata.json"] = json.dumps(crate).encode()

    bundled_study.with_member(room / "toy.zip", room / "bad.zip", change)
    right, *wrong = _validated("toy.zip", "bad.zip")

    assert right == "checked toy.zip"
    assert len(wrong) > 1
