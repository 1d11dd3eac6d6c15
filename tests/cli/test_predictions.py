"""Predictions as a user meets them: exported, and audited."""

import json
import math

import prediction_files
import pytest
import scored_study
from builders import study_index
from click.testing import CliRunner
from scored_study import ARMS, EACH, GROUPS, OTHERS, scores, scores_csv

from repro.cli import main
from repro.metrics import Count
from repro.records import records
from repro.records.portraits import Portraits
from repro.records.records import Record

PARTS = (
    *("results", "groups", "inequality", "accuracy", "false_alarms", "areas", "comparisons"),
    *("claims", "gap_share", "verdict", "curve"),
)
CLAIM = {
    "name": "resampling lowers the variance",
    "quantity": "variance",
    "read_at": {"logit": 0},
    "contrast": {"arm": "alpha = 0.01", "less": "No debias"},
    "expect": "lower",
    "smallest_effect": {"absolute": 2.0},
    "primary": True,
    "arms": ["alpha = 0.01", "No debias"],
}
PUBLISHED = {
    "source": "A. et al.",
    "printed": "Table 1",
    "definition": "amini2019",
    "replicates": 4,
    "keep": 2,
    "protocol": {
        "groups": dict.fromkeys(GROUPS, EACH),
        "configuration": {"epochs": 50},
    },
    "rows": [{"arm": "No debias", "recall": 88.1, "variance": 12.5}],
    "margin": {"recall": 1.0, "variance": 10.0},
}
RUNS_OF_ALL = 5  # one failed, one missing, and one of the first arm collapsed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A plain study."""
    results = tmp_path_factory.mktemp("plain")
    scored_study.write(results)
    return results


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A study of ten people in each group, two portraits of each; one is called as a formula."""
    results = tmp_path_factory.mktemp("people")
    names = [f"p{i}" for i in range(EACH * len(GROUPS))]
    who = {name: f"=s{i // 2}" for i, name in enumerate(names)}
    shown = Portraits(who, dict.fromkeys(names, math.nan))
    scored_study.write(results, shown, ("subject_id", ""))
    return results


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    """A study with everything: claims, a gap, published values, runs that failed or collapsed."""
    results = tmp_path_factory.mktemp("troubled")
    keys = {
        arm: [f"{place}-seed{seed}" for seed in range(RUNS_OF_ALL)]
        for place, arm in enumerate(ARMS)
    }
    for arm, alpha in zip(ARMS, (None, 0.1, 0.01), strict=True):
        for seed, key in enumerate(keys[arm][:-1]):
            write(results, arm, alpha, seed, key)
    index = study_index(
        keys,
        synthetic=False,
        select={"keep": 2, "by": "accuracy", "split": "validation"},
        published=PUBLISHED,
        claims=[CLAIM],
        gap_share={"ceilings": ["alpha = 0.01"], "arms": ["alpha = 0.1"], "reference": None},
        false_positive_rates=[0.05, 0.1],
        replicates=3,
    )
    records.write_index(index, results)
    return results


def write(results, arm, alpha, seed, key):
    """The record of a run; seed 3 of the last arm failed, of the first one it collapsed."""
    portraits, others = scores(arm, seed)
    if seed == 3 and arm == "No debias":
        portraits, others = portraits * 0 - 1, others * 0 - 1
    failed = seed == 3 and arm == "alpha = 0.01"
    found = (portraits >= 0).reshape(len(GROUPS), EACH).sum(axis=1)
    resampling = {"rule": "max" if alpha else "none", "alpha": alpha or 0.0}
    counted = {g: Count(EACH, int(n)) for g, n in zip(GROUPS, found, strict=True)}
    reason = {"epoch": 1, "term": "loss", "reason": "it became NaN"}
    record = Record(
        key=key,
        seed=seed,
        configuration={"resampling": resampling},
        data={},
        groups={} if failed else counted,
        nonfaces=None if failed else Count(OTHERS, int((others >= 0).sum())),
        metrics={} if failed else {"val_accuracy": 0.9 + (seed * 7 % 5) / 100},
        failure=reason if failed else None,
    )
    files = {} if failed else {"scores.csv": scores_csv(portraits, others)}
    records.write_record(record, results, files)


def run(*arguments):
    """Status and output of a command."""
    done = CliRunner().invoke(main, [*map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def exported(results):
    """The study's predictions in a file."""
    path = results / "toy.csv"
    if not path.exists():
        status, text, errors = run("table", "toy", "--results", results, "--format", "predictions")
        assert status == 0, errors
        path.write_text(text)
    return path


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("study", ["folder", "troubled", "people"])
def test_an_exported_study_gives_the_same_tables(study, part, request):
    """Byte for byte, or both say that there is none."""
    results = request.getfixturevalue(study)
    options = ["--format", "csv", "--part", part]
    ours = run("table", "toy", "--results", results, *options)
    theirs = run("audit", exported(results), *options)

    assert ours[:2] == theirs[:2]
    assert ours[2].replace("toy@embedded: ", "") == theirs[2].replace("toy@embedded: ", "")


def test_an_exported_study_of_people_keeps_who_is_shown(people):
    """In a last column under the study's own name of it; the notes of both are the same."""
    lines = exported(people).read_text().splitlines()
    head = next(line for line in lines if not line.startswith("#"))
    told = [
        [
            line
            for line in run(*command, "--format", "markdown")[1].splitlines()
            if "clusters" in line
        ]
        for command in (
            ("table", "toy", "--results", people, "--part", "groups"),
            ("audit", exported(people), "--part", "groups"),
        )
    ]

    assert '# cluster: "subject_id"' in lines
    assert head.endswith(",windows,positive,cluster")
    assert told[0] == told[1]
    assert "over 40 clusters (subject_id) of 80 portraits" in told[0][0]


def test_every_part_of_the_troubled_study_has_numbers(troubled):
    """Else the test above would compare nothing; training settings refuse the verdict."""
    for part in PARTS:
        status, text, errors = run(
            "table", "toy", "--results", troubled, "--format", "csv", "--part", part
        )
        assert status == (part == "verdict"), errors
        assert ("epochs is None, not 50" in errors) if part == "verdict" else text.count("\n")


def test_what_predictions_do_not_say_is_not_there(troubled):
    """The settings of training, which a specification curve is made of."""
    path = exported(troubled)
    _, text, errors = run("audit", path, "--part", "specification", "--format", "csv")

    assert (text, errors) == ("", "Error: there is no data for --part specification\n")


def test_the_whole_page_of_an_exported_study_is_the_same(folder):
    """Titles and remarks, too, after the findings."""
    _, ours, _ = run("table", "toy", "--results", folder, "--format", "markdown")
    _, theirs, _ = run("audit", exported(folder), "--format", "markdown")

    assert theirs.endswith(ours)


def test_the_json_of_an_exported_study_is_the_same(folder):
    """All but the digest of the records, which are not there."""
    _, ours, _ = run("table", "toy", "--results", folder, "--format", "json")
    _, theirs, _ = run("audit", exported(folder), "--format", "json")
    one, other = (json.loads(text)["studies"][0] for text in (ours, theirs))

    assert {key for key in one if one[key] != other[key]} == {"records"}


def test_an_export_has_a_row_a_photograph_and_run(troubled):
    """Also of a run that failed, and none of one that has not run."""
    lines = exported(troubled).read_text().splitlines()
    rows = [line for line in lines if not line.startswith("#")]

    assert rows[0] == "arm,run,image,group,label,score,windows,positive"
    assert len(rows) == 1 + len(ARMS) * (RUNS_OF_ALL - 1) * (len(GROUPS) * EACH + OTHERS)
    assert sum(",,," in row for row in rows) == len(GROUPS) * EACH + OTHERS


@pytest.mark.parametrize("option", [["--part", "groups"], ["--style", "full"], ["--decimals", "1"]])
def test_predictions_take_no_options_of_tables(folder, option):
    """They have every score."""
    status, _, errors = run("table", "toy", "--results", folder, "--format", "predictions", *option)

    assert (status, errors) == (
        1,
        f"Error: {option[0]} is for tables; predictions has every score: leave it out\n",
    )


def test_a_detector_of_anybody_is_audited(tmp_path):
    """The options say what the file does not."""
    path = tmp_path / "mine.csv"
    rows = prediction_files.arm("net", [[0.9, 0.2, 0.8, 0.7]] * 2, [[0.1, 0.6]] * 2)
    path.write_text(prediction_files.text(rows))
    status, text, errors = run("audit", path, "--scores", "probability", "--part", "false_alarms")

    assert status == 0, errors
    assert "| net | probability 0.5 | 50.00" in text


def test_a_folder_of_predictions_and_tables_is_read_whole(tmp_path):
    """Each by the reader of its kind."""
    rows = prediction_files.arm("net", [[0.9, 0.2, 0.8, 0.7]], [[0.1, 0.6]])
    (tmp_path / "net.csv").write_text(prediction_files.text(rows, remarks=["scores: probability"]))
    (tmp_path / "means.csv").write_text("arm,alpha,recall,variance\nx,,92.1,4.2\ny,,93.0,5.1\n")
    status, text, errors = run("audit", tmp_path, "--part", "reading")

    assert status == 0, errors
    assert "net.csv: predictions, 1 arm, 1 run, 4 faces in 2 groups" in text
    assert "means.csv: published means" in text


def test_predictions_have_an_answer(tmp_path):
    """Groups that differ, and a run that failed, in the first lines."""
    faces = [[3.0, -3.0] * 20, [3.0, -3.0] * 20, [float("nan")] * 40]
    others = [[-1.0] * 5, [-1.0] * 5, [float("nan")] * 5]
    path = tmp_path / "net.csv"
    rows = prediction_files.arm("net", faces, others)
    path.write_text(prediction_files.text(rows, remarks=["scores: logit"]))
    status, text, errors = run("audit", path)

    assert status == 0, errors
    assert text.startswith("1 difference is more than chance gives (Groups differ).")
    assert "2 of 3 runs have results: 1 failed." in text
    assert "| why 1 run gave no result |" in text
