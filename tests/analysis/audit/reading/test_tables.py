"""Files as people publish them: what every column is, and what is asked."""

import shlex

import pytest

from repro.analysis.audit.reading.description import Description
from repro.analysis.audit.reading.tables import read_tables

PER_RUN = """\
dataset,method,seed,acc_worst_group,acc_mean,acc_balanced_group,eo_gap,hp_lr,backbone,epochs
celeba,erm,0,0.4388,0.9595,0.8193,0.5611,0.0015,resnet50,5
celeba,erm,1,0.4333,0.9587,0.8225,0.5600,0.0015,resnet50,5
waterbirds,erm,0,0.4166,0.9610,0.8158,0.5600,0.0015,resnet50,5
"""
GROUPS = """\
arm,run,darker_male,darker_female,lighter_male,lighter_female
erm,0,84.9,95.6,98.4,99.3
erm,1,85.8,97.0,97.2,99.3
dbvae,0,89.3,95.6,99.0,100.0
"""
RUN_FILES = """\
name,dark male,dark female,light male,light female,var,precision,recall,accuracy
runs_a/train1_model0.pt,84.9,95.6,98.4,99.3,33.22,81.7,94.6,86.7
runs_a/train1_model1.pt,85.8,97.0,97.2,99.3,27.95,85.9,94.8,89.6
runs_a/train2_model0.pt,89.3,95.6,99.0,100.0,17.36,77.5,96.1,84.1
"""
DOMAINS = """\
Algorithm,A,C,P,S,Avg
ERM,84.1 +/- 0.4,80.2 +/- 0.6,97.1 +/- 0.3,79.0 +/- 1.0,85.1
CORAL,X,X,X,X,X
"""
SUBPOPULATIONS = """\
arm,Avg,Worst,AvgPrec,WorstPrec,AvgF1,WorstF1,Adjusted,Balanced,AUROC,ECE
ERM,94.0,67.6,85.0,71.3,88.4,80.4,87.7,93.2,98.1,4.5
"""
TWO_HEADERS = """\
,,Overall (%),,,,,Per-class (%),,,,
Technique,Metric,Mean,Max,Min,MaxDiff,STDEV,Mean,Max,Min,MaxDiff,STDEV
S-Base,SPSF,1.5,1.6,1.4,0.1,<0.1,3.2,3.4,3.0,0.5,0.1
,BA,7.4,7.8,7.1,0.7,0.2,8.8,9.8,7.4,2.4,0.7
"""
COMPANIES = """\
company,all,female,male,darker,lighter,darker_female,darker_male,lighter_female,lighter_male
Microsoft,6.3,10.7,2.6,12.9,0.7,20.8,6.0,1.7,0.0
"""
FAILED = """\
arm,run,group,n,detected
erm,0,dark,318,270
erm,0,light,386,380
erm,1,dark,318,{0}
erm,1,light,386,{0}
"""


@pytest.fixture
def read(tmp_path):
    """Reads a text as a file, with what is said of it."""

    def of(text, name="table.csv", beside=None, **said):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        if beside is not None:
            path.with_suffix(".yaml").write_text(beside)
        return read_tables(path, Description(**said))

    return of


def roles(file):
    """The role of each column."""
    return {column.column: column.role for column in file.tables[0].columns}


def shares(row):
    """What a row prints of each group."""
    return {group: str(share.cell.value) for group, share in row.groups.items()}


# Shapes


def test_a_row_a_run_with_aggregates_and_settings(read):
    """Seeds, settings and other measures are no groups; a label divides."""
    file = read(PER_RUN, unit="fraction")

    assert [table.title for table in file.tables] == [
        "table.csv (celeba)",
        "table.csv (waterbirds)",
    ]
    assert roles(file) == {
        "dataset": "label",
        "method": "arm",
        "seed": "run",
        "acc_worst_group": "worst",
        "acc_mean": "overall",
        "acc_balanced_group": "ignored",
        "eo_gap": "ignored",
        "hp_lr": "ignored",
        "backbone": "label",
        "epochs": "ignored",
    }
    row = file.tables[0].rows[1]
    assert (row.run, str(row.worst.value), str(row.overall.value)) == ("1", "43.33", "95.87")


def test_a_row_a_run_with_a_column_a_group(read):
    """The commonest shape."""
    (table,) = read(GROUPS).tables

    assert table.groups == ("darker_male", "darker_female", "lighter_male", "lighter_female")
    assert [(row.arm.word, row.run) for row in table.rows] == [
        ("erm", "0"),
        ("erm", "1"),
        ("dbvae", "0"),
    ]
    assert shares(table.rows[1])["darker_male"] == "85.8"


def test_a_file_of_runs_that_names_them_in_the_arm(read):
    """By itself each row is an arm; `arm+run` takes the number off."""
    (alone,) = read(RUN_FILES).tables
    (table,) = read(RUN_FILES, columns={"name": "arm+run"}).tables

    assert len(alone.keys) == 3
    assert [(row.arm.word, row.run) for row in table.rows] == [
        ("runs a/train1 model", "0"),
        ("runs a/train1 model", "1"),
        ("runs a/train2 model", "0"),
    ]
    assert str(table.rows[0].overall.value) == "94.6"
    assert str(table.rows[0].variance.value) == "33.22"


def test_recall_is_read_before_accuracy(read):
    """Of a detector: the accuracy counts pictures without a face, too."""
    assert roles(read(RUN_FILES))["recall"] == "overall"
    assert roles(read(RUN_FILES))["accuracy"] == "ignored"


def test_cells_with_their_error_and_a_row_without_results(read):
    """`84.1 +/- 0.4`, and X."""
    (table,) = read(DOMAINS, columns=dict.fromkeys("ACPS", "share")).tables
    erm, coral = table.rows

    cell = erm.groups["A"].cell
    assert (str(cell.value), str(cell.error)) == ("84.1", "0.4")
    assert str(erm.overall.value) == "85.1"
    assert {share.cell.state for share in coral.groups.values()} == {"missing"}
    assert not coral.failed


def test_errors_may_have_columns_of_their_own(read):
    """After the mean, or with its name; what they are is told by the name."""
    text = "arm,dark,dark_sem,light,light_sem,Avg,sem\na,90.1,0.4,95.2,0.3,92.6,0.2\n"
    (table,) = read(text).tables

    assert [str(share.cell.error) for share in table.rows[0].groups.values()] == ["0.4", "0.3"]
    assert str(table.rows[0].overall.error) == "0.2"
    assert table.description.spread == "sem"


def test_an_error_of_an_ignored_measure_is_ignored(read):
    """It is of the column before it."""
    assert roles(read("arm,Avg,precision,std\na,90.1,80.1,0.4\n"))["std"] == "ignored"


def test_aggregates_without_groups_are_no_groups(read):
    """Of ten measures two are of recall."""
    file = read(SUBPOPULATIONS)

    assert file.tables[0].groups == ()
    assert [c for c, role in roles(file).items() if role != "ignored"] == ["arm", "Avg", "Worst"]


def test_correct_and_total_are_counts(read):
    """`total` is a number of portraits beside a number of right answers."""
    (table,) = read("arm,run,group,total,correct\nA,0,female,10,9\nA,0,male,12,12\n").tables

    assert [(s.n, s.detected) for s in table.rows[0].groups.values()] == [(10, 9), (12, 12)]


def test_total_is_an_overall_share_beside_groups(read):
    """There it counts nothing."""
    assert roles(read("arm,dark,light,total\na,90.1,95.2,92.6\n"))["total"] == "overall"


def test_our_own_table_has_a_mean_and_a_variance(read):
    """Its names of columns are no groups, and its names of arms give alpha."""
    text = (
        "Arm,E[A]: Recall,Var[A]: Measure of Bias\nNo debias,98.67,0.32\nalpha = 0.1,98.72,1.12\n"
    )
    (table,) = read(text).tables

    assert table.groups == ()
    assert [row.arm.name for row in table.rows] == ["No debias", "alpha = 0.1"]
    assert [row.arm.resamples for row in table.rows] == [False, True]
    assert str(table.rows[1].variance.value) == "1.12"


def test_two_header_lines_and_names_that_are_given_once(read):
    """What each column is has to be said; the metric divides the table."""
    ignored = [
        f"{head} {name}"
        for head in ("Overall (%)", "Per-class (%)")
        for name in ("Max", "Min", "MaxDiff")
    ]
    said = dict.fromkeys([*ignored, "Per-class (%) Mean", "Per-class (%) STDEV"], "ignored")
    file = read(TWO_HEADERS, columns={**said, "Overall (%) Mean": "overall"})

    assert [table.part for table in file.tables] == ["SPSF", "BA"]
    assert [str(table.rows[0].overall.value) for table in file.tables] == ["1.5", "7.4"]
    assert file.tables[1].rows[0].arm.word == "S-Base"


def test_groups_that_hold_others_are_margins(read):
    """Female is darker and lighter female: no fifth group."""
    (table,) = read(COMPANIES).tables

    assert table.groups == ("darker_female", "darker_male", "lighter_female", "lighter_male")
    assert {name: str(cell.value) for name, cell in table.rows[0].margins.items()} == {
        "female": "10.7",
        "male": "2.6",
        "darker": "12.9",
        "lighter": "0.7",
    }


def test_a_long_table_may_have_a_row_of_all_groups(read):
    """It is the overall share, not a group."""
    text = "arm,group,n,accuracy (%)\na,dark,10,90\na,light,20,80\na,all,30,83.3\n"
    (table,) = read(text).tables

    assert table.groups == ("dark", "light")
    assert str(table.rows[0].overall.value) == "83.3"


def test_a_table_without_arms_is_one_arm(read):
    """Named as the file."""
    (table,) = read("run,group,n,detected\n0,dark,10,9\n0,light,10,8\n", name="ours.csv").tables

    assert [key.word for key in table.keys] == ["ours"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.tsv", "arm\tdark\tlight\na\t90.1\t95.2\n"),
        ("t.csv", "arm;dark;light\na;90,1;95,2\n"),
        ("t.md", "Text.\n\n| arm | dark | light |\n| --- | --- | --- |\n| a | 90.1 | **95.2** |\n"),
        (
            "t.tex",
            "\\begin{tabular}{lrr}\narm & dark & light \\\\ \\midrule\n"
            "a & 90.1 & 95.2 \\\\\n\\end{tabular}\n",
        ),
        ("t.txt", "arm    dark   light\na      90.1   95.2\n"),
    ],
)
def test_every_format_gives_the_same(read, name, text):
    """The form makes no difference."""
    (table,) = read(text, name=name).tables

    assert shares(table.rows[0]) == {"dark": "90.1", "light": "95.2"}


# Units


@pytest.mark.parametrize(
    ("header", "cells", "shown"),
    [
        ("arm,dark (%),light (%)", "0.9,0.8", ["0.9", "0.8"]),
        ("arm,dark_fraction,light_fraction", "0.9,0.8", ["90", "80"]),
        ("arm,dark,light", "0.9%,0.8%", ["0.9", "0.8"]),
        ("arm,dark,light", "0.9,95.1", ["0.9", "95.1"]),
    ],
)
def test_the_unit_is_told_by_the_header_the_cell_or_a_share_above_one(read, header, cells, shown):
    """Shares are in percent inside."""
    (table,) = read(f"{header}\na,{cells}\n").tables

    assert [*shares(table.rows[0]).values()] == shown


def test_a_unit_that_nothing_tells_is_asked_for(read, tmp_path):
    """With both commands; the first one then works."""
    text = "arm,dark,light\na,0.9,0.85\n"
    (problem,) = read(text).problems

    path = tmp_path / "table.csv"
    assert problem == (
        f"{path}:1: no share is above 1, so they may be fractions, or small percentages. If "
        f"fractions: repro audit {path} --unit fraction; else repro audit {path} --unit percent"
    )
    assert shares(read(text, unit="fraction").tables[0].rows[0]) == {"dark": "90", "light": "85"}


def test_a_setting_does_not_tell_the_unit(read):
    """64 portraits do not make 0.9 a percentage."""
    assert read("arm,batch_size,dark,light\na,64,0.9,0.8\n").problems


# What is asked


def asked(file):
    """The commands of the one message."""
    (problem,) = file.problems
    return problem, [
        shlex.split(part.split(". ")[0])[3:]
        for part in problem.split("repro audit ")[1:]
        for part in [f"repro audit {part.split(';')[0]}"]
    ]


def test_unknown_columns_are_asked_for_all_at_once(read, tmp_path):
    """By name, with the commands to say it, and the file that can say it for good."""
    problem, commands = asked(read(DOMAINS))

    assert problem.startswith(
        f"{tmp_path / 'table.csv'}:1: columns 'A', 'C', 'P' and 'S' hold numbers, and their names "
        "do not say of what. If shares of groups: repro audit "
    )
    assert commands == [["--column", "A,C,P,S=share"], ["--column", "A,C,P,S=ignored"]]
    assert "A file table.yaml beside the table can say the same: 'columns: {A: share}'" in problem


def test_a_command_keeps_the_options_so_far(read):
    """It is the whole command."""
    _, (first, _) = asked(read(DOMAINS, columns={"A": "share"}, groups={"A": 9}, replicates=3))

    assert first == [
        "--column",
        "A=share",
        "--group",
        "A=9",
        "--runs",
        "3",
        "--column",
        "C,P,S=share",
    ]


def test_a_declared_column_is_asked_for_no_more(read):
    """By option or by the YAML beside the table; the option holds."""
    beside = "columns: {A: share, C: share, P: share, S: ignored}\nunit: percent\n"
    (table,) = read(DOMAINS, beside=beside, columns={"S": "share"}).tables

    assert table.groups == ("A", "C", "P", "S")
    assert {c.why for c in table.columns if c.role == "share"} == {"declared"}


def test_arms_that_repeat_are_asked_for(read):
    """They look like runs: three ways to say what they are."""
    text = GROUPS.replace("run,", "").replace(",0,", ",").replace(",1,", ",")
    problem, commands = asked(read(text))

    assert "erm is already in line 2: it stands in lines 2 and 3, and no column numbers" in problem
    assert [command[1] for command in commands] == ["NAME=run", "arm=arm+run", "NAME=label"]
    (table,) = read(text, columns={"arm": "arm+run"}).tables
    assert [(row.arm.word, row.run) for row in table.rows] == [
        ("erm", "1"),
        ("erm", "2"),
        ("dbvae", "1"),
    ]


def test_an_accuracy_beside_groups_is_asked_for(read):
    """It may count pictures of no group."""
    assert (
        "column 'accuracy' holds numbers"
        in read("arm,dark,light,accuracy\na,90.1,95.2,80.1\n").problems[0]
    )


def test_the_arm_is_asked_for(read):
    """A column of words may be one thing or another."""
    problem, commands = asked(read("metric,correct,total\nage,7,10\n"))

    assert "no column names the arms" in problem
    assert commands == [["--column", "metric=arm"]]
    assert read("metric,correct,total\nage,7,10\n", columns={"metric": "arm"}).tables


# What is said beside the numbers


def test_the_file_beside_says_what_print_says(read):
    """Group sizes by any spelling of the group."""
    beside = (
        "source: Nobody (2020)\nreplicates: 5\nkeep: 3\nspread: sem\ngroups: {Darker-Male: 318}\n"
    )
    (table,) = read("arm,acc_darker_male,acc_old\na,90.1,80.2\n", beside=beside).tables

    said = table.description
    assert (said.source, said.replicates, said.keep, said.spread) == ("Nobody (2020)", 5, 3, "sem")
    assert said.groups == {"darker_male": 318}


def test_sizes_may_be_said_of_columns_whose_groups_are_told_by_their_company(read):
    """`acc_I` is a skin type beside four others, in the header and in the file beside it."""
    header = [f"acc_{name}" for name in ("I", "II", "III", "IV", "V", "VI")]
    beside = "".join(f"  {name}: {10 + at}\n" for at, name in enumerate(header))
    text = f"arm,{','.join(header)}\na,90.1,80.2,90.1,80.2,90.1,80.2\n"
    (table,) = read(text, beside=f"groups:\n{beside}").tables

    assert list(table.description.groups.values()) == [10, 11, 12, 13, 14, 15]


def test_a_group_that_the_table_does_not_have_is_refused(read, tmp_path):
    """The size would be of nothing."""
    file = read("arm,dark,light\na,90.1,80.2\n", beside="groups: {green: 3}\n")

    assert file.problems == (
        f"{tmp_path / 'table.csv'}: has no group 'green', which table.yaml names",
    )


def test_names_of_columns_tell_an_error_rate(read):
    """Right and wrong answers are not mixed up."""
    (table,) = read("company,overall_error,darker_female_error\nAmazon,8.66,31.37\n").tables

    assert table.description.measure == "error"
    assert table.groups == ("darker_female",)


# Failed runs


@pytest.mark.parametrize("mark", ["", "nan", "failed", "X", "-"])
def test_a_run_without_numbers_has_failed(read, mark):
    """However that is written; it stays among the rows."""
    (table,) = read(FAILED.format(mark)).tables

    assert [row.failed for row in table.rows] == [False, True]


def test_a_wide_run_without_numbers_has_failed(read):
    """In a column a group likewise."""
    (table,) = read(GROUPS + "dbvae,1,nan,nan,nan,nan\n").tables

    assert [row.run for row in table.rows if row.failed] == ["1"]


# Numbers that are no shares change nothing


@pytest.mark.parametrize("name", ["batch_size", "epochs", "AUROC", "precision", "lr", "unsaid"])
@pytest.mark.parametrize("numbers", [(0.1, 0.2, 0.3), (64, 64, 64), (99.9, 0.5, 1e6)])
@pytest.mark.parametrize("place", [1, 3, 6])
def test_a_column_that_no_check_reads_changes_no_row(read, name, numbers, place):
    """Wherever it stands and whatever it holds."""
    lines = [line.split(",") for line in GROUPS.splitlines()]
    for line, value in zip(lines, [name, *numbers], strict=True):
        line.insert(place, str(value))
    text = "\n".join(map(",".join, lines)) + "\n"

    (plain,), (more,) = read(GROUPS).tables, read(text, columns={name: "ignored"}).tables
    assert (more.rows, more.groups) == (plain.rows, plain.groups)
