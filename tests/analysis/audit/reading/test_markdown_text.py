"""Tables drawn with bars."""

import pytest

from repro.analysis.audit.reading.grid import NotATable

README = """\
# Results

Accuracy of *single* runs, `seed` 0
to 2.

| Method    |  A  | C |
|:----------|----:|---|
| **ERM**   | 84.1 ± 0.4 | <u>80.2</u> |
| [CORAL](https://example.org) | X | - |
| a\\|b | 1 | 2 |

## Worst group

| arm | a |
|-----|---|
| x   | 1 |
"""


def test_each_table_with_what_stands_above_it(grids):
    """The nearest text, or else the nearest heading."""
    found = grids("README.md", README)

    assert [(grid.caption, grid.line) for grid in found] == [
        ("Accuracy of single runs, seed 0 to 2.", 6),
        ("Worst group", 14),
    ]


def test_marks_are_taken_away(grids):
    """Emphasis, links, escapes and HTML; what is printed stays."""
    first, _ = grids("README.md", README)

    assert [row.cells for row in first.rows] == [
        ("ERM", "84.1 ± 0.4", "80.2"),
        ("CORAL", "X", "-"),
        ("a|b", "1", "2"),
    ]


def test_a_second_line_of_names_below_the_rule(cells):
    """Markdown has no spans, so authors leave cells empty."""
    text = "| | Overall | | Worst | |\n|-|-|-|-|-|\n| Arm | Mean | SD | Mean | SD |\n|x|1|2|3|4|\n"

    assert cells("a.md", text)[0] == ("Arm", "Overall Mean", "Overall SD", "Worst Mean", "Worst SD")


def test_a_table_of_words_is_left_out(grid):
    """A README has many; whatever is wrong with one, the others are read."""
    words = f"| Option | What it does |\n|---|---|\n| x | {'word ' * 60}|\n| =y | 5 of them |\n\n"
    found = grid("README.md", f"{words}{words}|arm|a|\n|-|-|\n|x|1|\n")

    assert found.header == ("arm", "a")
    assert found.notes == ("2 tables without a column of numbers left out: lines 1 and 6.",)


def test_a_second_line_of_names_makes_no_table_of_words(grids):
    """Its words stand above the numbers."""
    table = "||A||\n|-|-|-|\n|arm|b|c|\n|x|1|2|\n\n"

    assert len(grids("README.md", table * 2)) == 2


def test_tables_of_words_alone_are_refused(grids):
    """There is nothing to check."""
    words = "| Option | What it does |\n|---|---|\n| x | y |\n\n"

    with pytest.raises(NotATable, match="holds no table with numbers"):
        grids("README.md", words * 2)


@pytest.mark.parametrize(
    "text",
    [
        "arm | a\n--- | ---\nx | 1\n",
        "+-----+---+\n| arm | a |\n+=====+===+\n| x   | 1 |\n+-----+---+\n",
        "+-----+---+\n| arm | a |\n|-----+---|\n| x   | 1 |\n+-----+---+\n",
        "┏━━━━━┳━━━┓\n┃ arm ┃ a ┃\n┡━━━━━╇━━━┩\n│ x   │ 1 │\n└─────┴───┘\n",
    ],
    ids=["bare", "reStructuredText", "psql", "rich"],
)
def test_other_bars(cells, text):
    """Without outer bars, or as programs draw boxes."""
    assert cells("a.txt", text) == [("arm", "a"), ("x", "1")]


def test_a_row_of_dashes_is_a_row(cells):
    """Below the header's rule a dash says that there is no result."""
    assert cells("a.md", "|arm|a|\n|-|-|\n|-|-|\n|x|1|\n")[1] == ("-", "-")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# Nothing here\n", "a.md: holds no table in Markdown"),
        ("|arm|a|\n|-|-|\n|x|1|2|\n", "a.md:3: 3 cells, but the header has 2 columns"),
        ("|arm|a|\n|-|-|\n|=x|1|\n", "a.md:3: '=x' begins like a spreadsheet formula"),
        ("|arm|größe|\n|-|-|\n|x|1|\n".encode("cp1252"), "a.md:1: is not UTF-8: save it in UTF-8"),
        ("|arm|a|\n|-|-|\n|x|1|\n\n" * 201, "a.md: more than 200 tables: leave some out"),
        ("|arm|a|\n|-|-|\n|" + "*" * 9000 + "|1|\n", "a.md:3: a cell of 9,000 characters"),
    ],
)
def test_what_cannot_be_read(grids, text, problem):
    """Ends with its line."""
    with pytest.raises(NotATable) as caught:
        grids("a.md", text)
    assert problem in str(caught.value)
