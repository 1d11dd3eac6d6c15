"""`repro plan`: what a study cannot tell is said before it is trained."""

import pytest
from click.testing import CliRunner
from data_layouts import put, write_h5, write_ppb

from repro.cli import main

STUDY = """name: toy
question: Does it?
base: {preset: dehaan2020, epochs: 1, batch_size: 4}
arms:
  - name: none
    resampling: {combine: none}
  - name: half
    resampling: {alpha: 0.5}
reference: none
replicates: 5
select: {keep: 3, by: recall, split: test}
false_positive_rates: [0.1]
published: {source: paper, margin: {recall: 0.9, variance: 12.0}}
profiles:
  real: {data: {train: train.h5, test: ppb, nonfaces: others}}
  synthetic: {data: synthetic}
"""
PAPER = """source: Somebody (2020)
printed: Table 1
definition: dehaan2020
replicates: 5
keep: 3
protocol: {groups: {a: 10}, configuration: {}}
rows:
  - {arm: none, recall: 92.0, variance: 46.0}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A study that answers a paper, with real pictures beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "paper.yaml").write_text(PAPER)
    (tmp_path / "toy.yaml").write_text(STUDY)
    write_h5(tmp_path / "train.h5")
    write_ppb(tmp_path / "ppb")
    put(tmp_path / "others" / "a.png", 1)
    return tmp_path


def plan(*words):
    """Lines of the plan."""
    done = CliRunner().invoke(main, ["plan", "toy.yaml", "--no-calibration", *words])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_a_study_that_answers_a_paper_is_told_what_its_verdict_can_tell(folder):
    """Three assumed spreads, recall and variance each, before the count of runs."""
    lines = plan()

    assert lines[10] == (
        "Verdict on Somebody (2020), Table 1, with assumed standard deviations between runs:"
    )
    assert [line.split(" ")[3] for line in lines[11:17]] == ["recall", "variance"] * 3
    assert "deviation of 0.5 points, then with the margin of 0.9 points and 5 runs" in lines[11]
    assert lines[17:] == ["10 runs: 0 have a record, 10 to run"]


def test_nothing_is_told_of_a_verdict_that_cannot_be_given(folder):
    """Synthetic data are compared with no paper."""
    assert plan("--profile", "synthetic")[10:] == ["10 runs: 0 have a record, 10 to run"]


def test_a_rate_that_the_photographs_cannot_support_is_told(folder):
    """Eight photographs set no threshold at 10 %: it takes nine."""
    few = ("--profile", "synthetic", "--set")

    assert plan(*few, "data.nonfaces.photographs=8")[10] == (
        "false_positive_rates: a false-positive rate of 10 % takes 9 photographs without a face, "
        "and there are 8; within a factor of 2 with 95 % confidence it takes 109"
    )
    assert len(plan(*few, "data.nonfaces.photographs=9")) == 11


def test_fresh_seeds_are_other_runs(folder):
    """`seeds: {first: 100}` plans seeds 100 to 104, with keys of their own."""
    runs = plan("--profile", "synthetic", "--set", "seeds.first=100")[:10]

    assert [line.split("seed ")[1] for line in runs] == [f"{100 + k // 2}: new" for k in range(10)]
    assert runs[0].split()[2].endswith("-seed100")


CLAIM = """claims:
  - name: somebody gains
    quantity: group_recall
    group: nobody
    read_at: {false_positive_rate: 0.001}
    contrast: {arm: half, less: none}
    expect: higher
    smallest_effect: {absolute: 10.0}
    primary: true
profiles:"""


def test_what_keeps_a_claim_from_an_answer_is_said_before_training(folder):
    """Groups of the test portraits, and photographs for its false-positive rate."""
    (folder / "toy.yaml").write_text(STUDY.replace("profiles:", CLAIM))
    for profile, groups, there in (
        ("synthetic", "darker_female, darker_male, lighter_female, lighter_male", "200"),
        ("real", "darker_male, lighter_female", "1"),
    ):
        lines = plan("--profile", profile)
        warned = [line for line in lines if line.startswith("Warning: claim 'somebody gains'")]
        assert len(warned) == 2
        assert warned[0].endswith(f"no group is called 'nobody'; the groups are {groups}.")
        assert f"takes 999 photographs without a face, and there are {there};" in warned[1]
