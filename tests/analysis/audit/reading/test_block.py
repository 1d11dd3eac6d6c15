"""Headers of several lines, names that are printed once, and cells that are refused."""

import pytest

from repro.analysis.audit.reading.grid import NotATable

TWO_HEADERS = """\
,,Overall (%),,,Per-class (%),,
Technique,Metric,Mean,Max,STDEV,Mean,Max,STDEV
S-Base,SPSF,1.5,1.6,<0.1,3.2,3.4,0.1
,BA,7.4,7.8,0.2,8.8,9.8,0.7
S-RS,SPSF,1.4,1.5,<0.1,2.1,2.3,<0.1
,BA,7.0,7.4,0.2,10.2,11.6,
"""


def test_names_that_span_columns_stand_before_each(cells):
    """The first line of two is continued over its empty cells."""
    assert cells("a.csv", TWO_HEADERS)[0] == (
        *("Technique", "Metric", "Overall (%) Mean", "Overall (%) Max", "Overall (%) STDEV"),
        *("Per-class (%) Mean", "Per-class (%) Max", "Per-class (%) STDEV"),
    )


def test_a_name_printed_once_is_carried_down(grid):
    """And it is said where."""
    found = grid("a.csv", TWO_HEADERS)

    assert [row.cells[:2] for row in found.rows] == [
        *(("S-Base", "SPSF"), ("S-Base", "BA"), ("S-RS", "SPSF"), ("S-RS", "BA")),
    ]
    assert found.notes == (
        "column 'Technique' is empty in lines 4 and 6: the name above was taken.",
    )
    assert found.rows[3].cells[-1] == ""


def test_a_name_is_carried_to_the_runs_of_an_arm(cells):
    """A whole number tells rows apart."""
    assert cells("a.csv", "arm,run,a\nx,0,1.5\n,1,1.6\n")[2] == ("x", "1", "1.6")


def test_a_row_without_any_name_keeps_none(cells):
    """It may be of all arms."""
    assert cells("a.csv", "arm,a,b\nx,1.5,2\n,1.6,3\n")[2] == ("", "1.6", "3")


def test_a_new_name_at_the_left_ends_those_at_its_right(cells):
    """Only the same dataset's arm is carried."""
    text = "dataset,arm,metric,a\nP,x,one,1\n,,two,2\nQ,,one,3\n"

    assert [row[:3] for row in cells("a.csv", text)[1:]] == [
        ("P", "x", "one"),
        ("P", "x", "two"),
        ("Q", "", "one"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        ",a,b\nERM,,\nDRO,1,2\n",  # an arm without results
        "arm,a,b\nERM,,\nDRO,1,2\n",
        "arm,a,b\nERM,X,-\nDRO,1,2\n",
    ],
)
def test_an_arm_without_results_is_no_header(cells, text):
    """Its row stays a row."""
    assert [row[0] for row in cells("a.csv", text)[1:]] == ["ERM", "DRO"]


def test_headers_as_pandas_writes_them(cells):
    """Names repeated, and that of the first column in a third line."""
    text = ",A,A,B,B\n,mean,std,mean,std\narm,,,,\nERM,1,2,3,4\n"

    assert cells("a.csv", text) == [
        ("arm", "A mean", "A std", "B mean", "B std"),
        ("ERM", "1", "2", "3", "4"),
    ]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (",a\nx,1\n", ("name", "a")),
        (",a\n0,1\n1,2\n", ("index", "a")),
        (",,a\nx,y,1\n", ("name", "name 2", "a")),
        (",name\nx,1\n", ("name 2", "name")),
    ],
)
def test_columns_at_the_left_may_have_no_name(grid, text, header):
    """As tables are often printed; what they are called is said."""
    found = grid("a.csv", text)

    assert found.header == header
    assert found.notes[0] == f"column 1 has no name: it is called '{header[0]}' here."


def test_columns_with_nothing_in_them_are_left_out(cells):
    """Between others, too."""
    assert cells("a.csv", "arm,,a,\nx,,1,\n") == [("arm", "a"), ("x", "1")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("arm,,a\nx,5,1\n", ":1: column 2 has no name in the header"),
        ("arm,a,a\nx,5,1\n", ":1: column 'a': is twice in the header"),
        ("arm,a\nx,5,1\n", ":2: 3 cells, but the header has 2 columns"),
        ("arm,a,b\nx,5\n", ":2: 2 cells, but the header has 3 columns"),
        ("arm,a\n", ":1: a header and no rows"),
        (",\n,\n", ": is empty: the first line names the columns"),
        ("ERM,84.1 ± 0.4,80.2\nDRO,1,2\n", ":1: '84.1 ± 0.4' is a number, not the name of a"),
        ("ERM,84.1,80.2\nDRO,1,2\n", ":1: '84.1' is a number, not the name of a column: write a"),
        ("arm,a\nx,84.1\ny,84,9\n".replace(",84,9", ',"84,9"'), ":3: '84,9', but '84.1' in line 2"),
        ("arm,a\n=1+1,5\n", ":2: '=1+1' begins like a spreadsheet formula: write it differently"),
        ("arm,a\n-1+1,5\n", ":2: '-1+1' begins like a spreadsheet formula: write it differently"),
        ("arm,a\n+cmd|' /C calc'!A0,5\n", ":2: \"+cmd|' /C calc'!A0\" begins like a spreadsheet"),
        ("arm,a\nx\u202e,5\n", ":2: 'x\\u202e' has invisible characters: remove them"),
        ("arm,a\nx\0,5\n", ":2: 'x\\x00' has invisible characters: remove them"),
        (f"arm,a\n{'x' * 201},5\n", ":2: a cell of 201 characters: write 200 at most"),
        (",".join(map("c{}".format, range(201))) + "\n1\n", ":1: more than 200 columns"),
        ("arm,a\n" + "x,1\n" * 20_001, ":20002: more than 20,000 rows: leave some out"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(grid, tmp_path, text, problem):
    """And what to do, in one sentence."""
    with pytest.raises(NotATable) as caught:
        grid("a.csv", text)
    (only,) = caught.value.problems
    assert only.removeprefix(str(tmp_path / "a.csv")).startswith(problem)


def test_all_problems_are_listed_by_line(grid):
    """Not the first alone."""
    with pytest.raises(NotATable) as caught:
        grid("a.csv", "arm,a\nx,1,2\n=x,1\ny\n")
    assert [problem.split(":")[1] for problem in caught.value.problems] == ["2", "3", "4"]


@pytest.mark.parametrize("name", ["+90%", "-90%", "+/-", "±", "-", "+ CutMix", "- KL term", "--x"])
def test_a_sign_may_begin_a_name(cells, name):
    """Of a column, or of an arm: no spreadsheet computes it."""
    assert cells("a.csv", f"arm,{name}\n{name},-0.5\n") == [("arm", name), (name, "-0.5")]


@pytest.mark.parametrize("name", ["none", "x", "max"])
def test_a_mark_for_no_result_may_be_a_name(cells, name):
    """Of an arm, or of a column below another's name."""
    text = f"arm,run,Recall,Recall\n,,{name},top5\n{name},0,1,2\n,1,1,2\n"

    assert cells("a.csv", text) == [
        ("arm", "run", f"Recall {name}", "Recall top5"),
        (name, "0", "1", "2"),
        (name, "1", "1", "2"),
    ]
