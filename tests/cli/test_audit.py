"""`repro audit` as a user meets it."""

import shlex

import pytest
from click.testing import CliRunner
from places import FILES, ROOT

from repro.cli import main

RUNS = FILES / "dehaan2020_sum_runs.csv"
TABLE_3 = """\
arm,alpha,recall,variance
no_debias,,92.39,46.20
max,0.1,91.78,36.39
max,0.05,90.76,32.33
max,0.01,90.52,22.00
max,0.001,85.22,22.42
"""
PRINT = ROOT / "studies" / "published" / "dehaan2020_table3.yaml"


@pytest.fixture
def folder(tmp_path):
    """The published runs and the table printed from them, side by side."""
    lines = [line for line in RUNS.read_text().splitlines(keepends=True) if ",basic," not in line]
    (tmp_path / "dehaan2020_sum_runs.csv").write_text("".join(lines))
    (tmp_path / "dehaan2020_table3.csv").write_text(TABLE_3)
    return tmp_path


def audit(*arguments):
    """The command's output; it must succeed."""
    done = CliRunner().invoke(main, ["audit", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_runs_give_the_printed_table(folder):
    """The paper's columns from the authors' own counts, the misprint set right."""
    text = audit(folder / "dehaan2020_sum_runs.csv", "--style", "paper", "--alone")

    assert "| no debias | 92.39 | 46.20 |" in text
    assert "| max, alpha = 0.001 | 85.22 | 22.43 |" in text


@pytest.mark.parametrize(
    "words",
    [
        "All 5 published recalls are possible for 3 runs of 1,270 portraits",
        "0 for 1, 0 for 2, 1 for 4, 4 for 5",
        "population variance (ddof 0) of run-averaged groups, in 4 of 5 rows",
        "Variance published 22.42, computed 22.43",
        "46.20, 36.39, 32.33, 22.00, 22.42 (3 of 4 steps down, 1 up)",
    ],
)
def test_the_table_alone_is_checked_against_the_runs_beside_it(folder, words):
    """One file named, the other with the same arms read along."""
    assert words in audit(folder / "dehaan2020_table3.csv", "--part", "findings")


def test_a_folder_is_audited_whole(folder):
    """Tables and statistics of the runs, findings on both."""
    text = audit(folder)

    for words in (
        "Misprint in the last digit",
        "Hedges' g",
        "new photographs",
        "Trend over log alpha",
    ):
        assert words in text


def test_runs_are_not_paired(folder):
    """Nobody knows whether run 1 of two arms shares anything."""
    text = audit(folder / "dehaan2020_sum_runs.csv", "--part", "comparisons")

    assert "intervals and p, t are Welch's" in text
    assert "sign flip" not in text


def test_three_runs_cannot_reach_a_small_p(folder):
    """Two arms of three can be dealt in 20 ways."""
    text = audit(folder / "dehaan2020_sum_runs.csv", "--part", "comparisons")

    assert (
        "No comparison has an adjusted p of .05 or less, and none can have one (permutation" in text
    )


def test_three_runs_cannot_tell_about_a_best_three_of_five(folder):
    """Print kept three of five; the three that are left say nothing of the selection."""
    text = audit(
        folder / "dehaan2020_sum_runs.csv",
        "--published",
        PRINT,
        "--margin",
        1,
        10,
        "--part",
        "verdict",
    )

    assert "3 runs with results; the best 3 of 5 need 5" in text


@pytest.mark.parametrize("form", ["latex", "html", "csv"])
def test_an_audit_has_every_format(folder, form):
    """For a paper, a browser, a spreadsheet."""
    assert "alpha" in audit(folder, "--format", form)


def test_the_same_file_gives_the_same_bytes(folder):
    """Nothing depends on time or chance."""
    assert audit(folder) == audit(folder)


DOMAINS = """\
Algorithm,A,C,P,S,Avg
ERM,84.1 +/- 0.4,80.2 +/- 0.6,97.1 +/- 0.3,79.0 +/- 1.0,85.1
GroupDRO,83.5 ± 0.9,79.1 ± 0.6,96.7 ± 0.3,78.3 ± 2.0,84.4
CORAL,X,X,X,X,X
"""
RUNS_OF_NAMES = """\
name,dark male,dark female,light male,light female,var,precision,recall,accuracy
train1_model0.pt,84.9,95.6,98.4,99.3,33.22,81.7,94.6,86.7
train1_model1.pt,85.8,97.0,97.2,99.3,27.95,85.9,94.8,89.6
train2_model0.pt,89.3,95.6,99.0,100.0,17.36,77.5,96.1,84.1
train2_model1.pt,90.3,97.8,99.0,99.7,13.99,80.6,96.7,86.7
"""


def test_what_is_asked_for_can_be_answered_with_the_command_that_is_told(tmp_path):
    """The message holds the whole command, which then works."""
    path = tmp_path / "table.csv"
    path.write_text(DOMAINS)
    asked = CliRunner().invoke(main, ["audit", str(path)])
    assert asked.exit_code == 1
    told = asked.output.split("If shares of groups: repro audit ")[1].split(";")[0]

    assert shlex.split(told) == [str(path), "--column", "A,C,P,S=share"]
    assert "shares of groups, 3 arms" in audit(*shlex.split(told))


def test_everything_can_be_said_by_options(tmp_path):
    """Roles, unit, runs, sizes of groups, the kept runs and the measure."""
    path = tmp_path / "runs.csv"
    path.write_text(RUNS_OF_NAMES)
    sizes = {"dark male": 318, "dark female": 271, "light male": 386, "light female": 295}
    text = audit(
        path,
        *("--column", "name=arm+run", "--column", "var,precision=ignored", "--unit", "percent"),
        *("--runs", "3", "--keep", "2", "--average", "mean", "--plus-minus", "sd"),
        *("--measure", "recall", "--part", "results"),
        *(word for name, n in sizes.items() for word in ("--group", f"{name}={n}")),
    )

    assert "published runs of 2 arms, 3 runs each" in text
    assert "| train1 model | 94.71 |" in text
    assert "2/3" in text


def test_a_yaml_beside_the_file_says_the_same(tmp_path):
    """Once for all who have the file."""
    (tmp_path / "runs.csv").write_text(RUNS_OF_NAMES)
    (tmp_path / "runs.yaml").write_text(
        "columns: {name: arm+run}\nreplicates: 3\nkeep: 2\n"
        "groups: {dark male: 318, dark female: 271, light male: 386, light female: 295}\n"
    )
    text = audit(tmp_path / "runs.csv", "--part", "results")

    assert "| train1 model | 94.71 |" in text


def test_our_own_table_is_read_back(folder, tmp_path):
    """As printed means, not as two groups."""
    table = audit(
        *(folder / "dehaan2020_sum_runs.csv", "--alone", "--style", "paper"),
        *("--format", "csv", "--part", "results"),
    )
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "table.csv").write_text(table)
    text = audit(tmp_path / "own" / "table.csv", "--part", "reading")

    assert "table.csv: published means, 5 arms." in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("arm,alpha,run,group,n,detected\nx,,1,a,10,11\n", ":2: column 'detected'"),
        ("arm,alpha,recall,variance\nx,,ninety,1\n", ":2: column 'recall'"),
    ],
)
def test_a_malformed_file_is_a_users_mistake(tmp_path, text, message):
    """File, row and column, exit status 1, no traceback."""
    path = tmp_path / "bad.csv"
    path.write_text(text)
    done = CliRunner().invoke(main, ["audit", str(path)])

    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert message in done.output


def test_a_missing_file_is_a_users_mistake(tmp_path):
    """Nothing to read is said in one line."""
    done = CliRunner().invoke(main, ["audit", str(tmp_path / "none.csv")])

    assert done.exit_code == 1
    assert "none.csv" in done.output
