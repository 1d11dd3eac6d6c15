"""`repro preregister`: what a study declares, before its results are known."""

import json
import re
from dataclasses import asdict

import pytest
import yaml
from click.testing import CliRunner

from repro.cli import main
from repro.execution import planning
from repro.execution.executors import hardware
from repro.metrics import Count
from repro.records import preregistration, records
from repro.study import study
from repro.study.section import digest

STUDY = """name: toy
question: Does it?
base: {preset: dehaan2020, data: synthetic, epochs: 1}
arms:
  - name: none
    resampling: {combine: none}
  - name: half
    resampling: {alpha: 0.5}
reference: none
replicates: 3
select: {keep: 2, by: recall, split: test}
claims:
  - name: more equal
    quantity: variance
    read_at: {logit: 0}
    contrast: {arm: half, less: none}
    expect: lower
    smallest_effect: {absolute: 10.0}
    primary: true
profiles: {embedded: {}}
"""
FILE = "toy.preregistration.yaml"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a study of two arms and three seeds."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.yaml").write_text(STUDY)
    return tmp_path


def repro(*words, status=0):
    """What a command prints, on either stream."""
    done = CliRunner().invoke(main, words)
    assert done.exit_code == status, done.output
    return done.output


def tasks(folder, **options):
    """The runs of the study, as it is written now."""
    loaded = study.load(folder / "toy.yaml")
    here = hardware.computation(["cpu"])
    return planning.plan(loaded, folder / "results", computation=here, **options)


def put_records(folder, **options):
    """Records of all runs of the study, without a training; its index."""
    planned = tasks(folder, **options)
    for task in planned.tasks:
        groups = {"a": Count(10, 5 + task.seed), "b": Count(10, 7)}
        made = task.record(groups=groups, nonfaces=Count(10, 1), metrics={"val_accuracy": 0.9})
        records.write_record(made, folder / "results", {})
    records.write_index(planned.index, folder / "results")
    return planned.index


def table(form="markdown"):
    return repro("table", "toy", "--format", form)


def declared(text):
    """The sentences on what was declared before."""
    return re.findall(r"Declared .*", text)


def test_a_study_is_declared_before_any_result(folder):
    """The file holds what is fixed; the digest is that of all but date and program."""
    said = repro("preregister", "toy.yaml")
    content = yaml.safe_load((folder / FILE).read_text())
    fixed = {key: content[key] for key in ("study", "records", "declared")}

    assert said.splitlines() == [
        FILE,
        f"Digest {content['digest']}; no run of this study has a record",
    ]
    assert content["digest"] == digest(fixed)
    assert content["records"] == {"said": "no run of this study has a record", "exist": [], "of": 6}
    assert [arm["name"] for arm in content["declared"]["arms"]] == ["none", "half"]
    assert content["declared"]["claims"][0]["smallest_effect"] == {"absolute": 10.0}
    assert content["declared"]["seeds"] == {"first": 0, "replicates": 3}
    assert content["declared"]["stop"] == {"looks": [3], "level": 0.95, "rule": None}
    assert content["program"].startswith("repro ")
    assert content["date"].endswith("+00:00")


def test_tables_say_that_it_was_declared_before_any_result(folder):
    """In the notes, and as a field of JSON."""
    repro("preregister", "toy.yaml")
    put_records(folder)
    content = yaml.safe_load((folder / FILE).read_text())
    (line,) = declared(table())

    assert line.startswith(
        f"Declared before any result (preregistration of {content['date'][:10]}, digest "
        f"{content['digest'][:8]}). Nothing was changed later."
    )
    (of_study,) = json.loads(table("json"))["studies"]
    assert of_study["preregistration"] == {
        "date": content["date"],
        "digest": content["digest"],
        "known_runs": 0,
        "known": "no run of this study has a record",
        "changed": [],
    }


def test_records_that_exist_are_named(folder):
    """Whoever made them; seeds that nobody has seen are offered."""
    planned = tasks(folder)
    for task in planned.tasks[1:5]:
        failure = {"epoch": 1, "term": "loss", "reason": "it is nan"}
        records.write_record(task.record(failure=failure), folder / "results", {})
    said = repro("preregister", "toy.yaml")
    known = "4 of 6 runs have a record already: half seeds 0-1; none seeds 1-2"

    assert said.endswith(f"{known}; `seeds: {{first: 100}}` gives fresh ones\n")
    assert yaml.safe_load((folder / FILE).read_text())["records"]["said"] == known
    repro("preregister", "toy.yaml", "--set", "seeds.first=100", "--out", "fresh")
    fresh = yaml.safe_load((folder / "fresh" / FILE).read_text())
    assert fresh["records"]["exist"] == []


def test_tables_say_which_results_were_known(folder):
    """Also those of a study that had been run when it was declared."""
    index = put_records(folder)
    repro("preregister", "toy.yaml")
    (line,) = declared(table())

    assert "Declared when results were known (preregistration of" in line
    assert "6 of 6 runs have a record already: none seeds 0-2; half seeds 0-2." in line
    assert records.read_index(records.index_path(index, folder / "results")).preregistration


def test_a_run_that_was_computed_elsewhere_is_known_as_well(folder):
    """Its key has another device, its result says the same."""
    task = tasks(folder).tasks[0]
    there = task.record(failure={"epoch": 1, "term": "loss", "reason": "it is nan"})
    gpu = records.Record(**{**asdict(there), "key": "0123abcd-seed0"})
    records.write_record(gpu, folder / "results", {})

    assert "1 of 6 runs has a record already: none seeds 0;" in repro("preregister", "toy.yaml")


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("absolute: 10.0", "absolute: 5.0", "the claim 'more equal' (smallest effect)"),
        (
            "expect: lower\n    smallest_effect: {absolute: 10.0}",
            "expect: higher\n    smallest_effect: {ratio: 1.5}",
            "the claim 'more equal' (expected direction, smallest effect)",
        ),
        (
            "name: more equal",
            "name: fairer",
            "the claim 'more equal' (left out); the claim 'fairer' (added)",
        ),
        ("keep: 2", "keep: 1", "selection"),
        ("replicates: 3", "replicates: 4", "seeds; stop"),
        ("profiles:", "stop: {every: 3, at_most: 6}\nprofiles:", "stop"),
        ("alpha: 0.5", "alpha: 0.25", "the arm 'half' (resampling.alpha)"),
        (
            "reference:",
            "  - {name: third, resampling: {alpha: 0.3}}\nreference:",
            "the arm 'third' (added)",
        ),
        (
            "reference:",
            "  - {name: third, resampling: {alpha: 0.3}}\ngap_share: {ceilings: [third]}\n"
            "reference:",
            "share of a gap; the arm 'third' (added)",
        ),
    ],
)
def test_what_is_changed_later_is_named(folder, old, new, changed):
    """The key of the study, of the claim, or of the arm."""
    repro("preregister", "toy.yaml")
    (folder / "toy.yaml").write_text(STUDY.replace(old, new))
    put_records(folder)
    (line,) = declared(table())

    assert re.search(r"Changed later: (.*?)\.( |$)", line.replace("0.", "0,"))[1] == changed


def test_a_study_that_was_not_preregistered_says_nothing(folder):
    """No sentence, and null in JSON."""
    put_records(folder)

    assert not declared(table())
    assert json.loads(table("json"))["studies"][0]["preregistration"] is None


def test_a_preregistration_is_not_replaced(folder):
    """Neither the file nor what tables read."""
    repro("preregister", "toy.yaml")
    before = (folder / FILE).read_bytes()

    assert f"{FILE} exists already and is not replaced" in repro(
        "preregister", "toy.yaml", status=1
    )
    assert "this study is preregistered already" in repro(
        "preregister", "toy.yaml", "--out", "elsewhere", status=1
    )
    assert (folder / FILE).read_bytes() == before
    assert not (folder / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"no json", b"cut", b"changed"])
def test_a_damaged_preregistration_is_told_in_one_sentence(folder, content):
    """By whatever plans the study, and by `repro doctor`."""
    repro("preregister", "toy.yaml")
    path = preregistration.path_of("toy", "embedded", folder / "results")
    whole = path.read_bytes()
    damaged = {b"cut": whole[:-9], b"changed": whole.replace(b"10.0", b"99.0")}
    path.write_bytes(damaged.get(content, content))
    said = repro("plan", "toy.yaml", "--no-calibration", status=1)

    assert said.startswith(f"Error: {path.relative_to(folder)}: this preregistration was changed")
    assert said.count("\n") == 1
    assert "preregistered/toy/embedded.json" in repro("doctor", status=1)
