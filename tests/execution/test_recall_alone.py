"""A study on aligned crops, without photographs without a face, from its file to its tables."""

import json
import shutil

import published_sets
import pytest
import scoring_here
from click.testing import CliRunner
from faults import studies
from published_sets import bfw

from repro.analysis import study_data
from repro.cli import main
from repro.records import detectors, records
from repro.reporting.tables import run_notes, study_json, tables

NAMES = [
    f"{group}/n{person}/{number}.jpg"
    for group in ("black_females", "white_males")
    for person in (1, 2)
    for number in (1, 2, 3)
]

MEAN = """
class Mean:
    reads = "windows"

    def scores(self, pictures):
        return pictures.mean(axis=(1, 2, 3)) - 128.0


mean = Mean()
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The study's file, and its results."""
    folder = tmp_path_factory.mktemp("alone")
    bfw(folder / "BFW", names=NAMES, nest="bfw-cropped-aligned")
    file = studies.toy(folder, arms="  - {name: even, resampling: {combine: none}}\n", keep=1)
    text = file.read_text(encoding="utf-8")
    text = text.replace(
        "{source: synthetic, per_group: 2, size: 64}", f"{{source: bfw, path: {folder}/BFW}}"
    )
    text = text.replace("{source: synthetic, photographs: 4, size: 64}", "none")
    file.write_text(text, encoding="utf-8")
    studies.run_here(file, folder / "results")
    return file, folder / "results"


def test_each_crop_is_one_window_and_nothing_else_is_scored(done):
    """Whatever its size."""
    (index,) = records.read_indexes(done[1])
    for record in records.read_study(index, done[1]).values():
        whole = records.read_record(record.key, done[1])
        scores = records.read_scores(whole, done[1])
        assert list(scores) == ["portraits"]
        assert scores["portraits"].windows.tolist() == [1] * 12
        assert list(whole.data) == ["train", "test"]
        assert whole.nonfaces is None
        assert {name for name in whole.metrics if "false" in name or "nonfaces" in name} == set()


def test_the_caption_and_a_note_say_that_recall_is_alone(done):
    """In the index, and beside every table of recall."""
    (index,) = records.read_indexes(done[1])
    outcomes = study_data.of_study(index, records.read_study(index, done[1]), done[1])

    assert index.data == "train synthetic, test BFW, no photographs without a face"
    (said,) = run_notes.of_recall_alone(outcomes)
    assert said.startswith("Recall alone: there are no photographs without a face")


@pytest.mark.parametrize("form", ["markdown", "json", "latex"])
def test_every_table_is_printed(done, form):
    """Without false positives, thresholds or areas."""
    told = CliRunner().invoke(main, ["table", "toy", "--results", str(done[1]), "--format", form])

    assert told.exit_code == 0, told.output
    assert "Recall alone" in told.output
    if form == "json":
        (study,) = json.loads(told.output)["studies"]
        (arm,) = study["arms"]
        assert {run["false_positives"] for run in arm["runs"]} == {None}


def test_withdrawn_portraits_are_in_the_index_and_in_a_table(tmp_path, done):
    """As the test set listed them when the study was planned; a set without any says nothing."""
    place = published_sets.fhibe(tmp_path, gone=("i2",))
    bfw_text = done[0].read_text(encoding="utf-8")
    file = tmp_path / "fhibe.yaml"
    file.write_text(
        bfw_text.replace(
            f"source: bfw, path: {done[0].parent}/BFW", f"source: fhibe, path: {place}"
        )
    )
    index = studies.plan(file, tmp_path / "results").index
    name = "data/raw/fhibe_downsampled/s2/i2/faces_crop_and_align_i2_s2.png"

    assert index.withdrawn == [name]
    assert "(version 20250716.u.gT5_rFTA, 1 of 4 portraits withdrawn)" in index.data
    outcomes = study_data.of_study(index, {}, None)
    assert tables.part(outcomes, "withdrawn").table["Portrait"].tolist() == [name]
    assert study_json.study(outcomes, "dehaan2020")["withdrawn"] == [name]
    (other,) = records.read_indexes(done[1])
    assert tables.part(study_data.of_study(other, {}, None), "withdrawn") is None


def test_clusters_are_the_persons_of_the_folders(done):
    """As BFW's reader says by itself."""
    (index,) = records.read_indexes(done[1])

    assert index.portraits.cluster == "person"


def test_a_plan_finds_all_that_was_run(done):
    """The same names, with digests of two parts of the data."""
    planned = studies.plan(*done)

    assert planned.missing == []
    assert planned.tasks[0].data.keys() == {"train", "test"}


CLAIM = """\
claims:
  - name: debiasing finds more faces
    quantity: recall
    read_at: {false_positive_rate: 0.1}
    contrast: {arm: rarest, less: even}
    expect: higher
    smallest_effect: {absolute: 1.0}
    primary: true
reference: even
"""


def test_a_plan_says_that_a_claim_at_a_false_positive_rate_cannot_be_answered(done):
    """No threshold can be set."""
    file, _ = done
    rarest = "  - {name: rarest, resampling: {alpha: 0.01}}\n"
    other = file.with_name("claiming.yaml")
    results = file.parent / "elsewhere"
    text = file.read_text(encoding="utf-8").replace("reference: even\n", rarest + CLAIM)
    other.write_text(text, encoding="utf-8")
    told = CliRunner().invoke(
        main, ["plan", str(other), "--results", str(results), "--no-calibration"]
    )

    assert told.exit_code == 0, told.output
    assert "there are no photographs without a face" in told.output


def test_a_detector_of_windows_has_the_whole_crop_in_its_record(done, tmp_path, monkeypatch):
    """Windows that were not used are not kept; scored again, it is found and is equal."""
    monkeypatch.chdir(tmp_path)
    results = shutil.copytree(done[1], tmp_path / "results")
    (tmp_path / "mean.py").write_text(MEAN, encoding="utf-8")
    score = ["score", str(done[0]), "--results", str(results), "--model", "mean.py:mean"]

    with scoring_here.here():
        first = CliRunner().invoke(main, score)
        again = CliRunner().invoke(main, [*score, "--check"])

    assert first.exit_code == 0, first.output
    (record,) = detectors.there(results)
    assert record.windows == {"read": "whole", "resize": "nearest"}
    assert detectors.read_scores(record, results)["portraits"].windows.tolist() == [1] * 12
    assert "all scores are as in its record" in again.output
