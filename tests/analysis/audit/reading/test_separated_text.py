"""Commas, semicolons and tabs, however a program saved them."""

import pytest

from repro.analysis.audit.reading.grid import GridRow, NotATable

PLAIN = [("arm", "a"), ("x", "1")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "arm,a\nx,1\n"),
        ("a.csv", "arm;a\nx;1\n"),
        ("a.csv", "arm\ta\nx\t1\n"),
        ("a.tsv", "arm\ta\nx\t1\n"),
        ("a.txt", "arm,a\nx,1\n"),
        ("a", "arm,a\nx,1\n"),
        ("a.csv", "arm,a\r\nx,1\r\n"),
        ("a.csv", '"arm","a"\n"x","1"\n'),
        ("a.csv", " arm , a \n x , 1 \n"),
        ("a.csv", "sep=;\narm;a\nx;1\n"),
        ("a.csv", "arm,a,,\nx,1,,\n,,,\n\n"),
        ("a.csv", b"\xef\xbb\xbfarm,a\nx,1\n"),
        ("a.csv", "arm;a\nx;1\n".encode("utf-16")),
    ],
)
def test_the_same_table(cells, name, text):
    """Whatever stands between its cells."""
    assert cells(name, text) == PLAIN


def test_semicolons_with_decimal_commas(grid):
    """As Excel saves where the comma is decimal; the file's mark is told to who reads cells."""
    found = grid("a.csv", "arm;n;accuracy (%)\nx;1.270;84,9\n")

    assert found.header == ("arm", "n", "accuracy (%)")
    assert (found.decimal_mark, found.rows) == (",", (GridRow(2, ("x", "1.270", "84,9")),))


def test_tabs_with_commas_in_names(cells):
    """The separator is what every line has as often."""
    assert cells("a.tsv", "arm\tmean, percent\nx, y\t1\n") == [
        ("arm", "mean, percent"),
        ("x, y", "1"),
    ]


def test_an_open_choice_is_asked_for(grid):
    """Two separators that would both do."""
    with pytest.raises(NotATable) as caught:
        grid("a.csv", "a,b;c,d\n1,2;3,4\n")
    assert str(caught.value).endswith(
        ":1: a comma or a semicolon may separate the cells: write a line above, "
        "'sep=' and the comma or the semicolon"
    )


def test_tables_with_blank_lines_between(grids):
    """As `repro table` prints several studies."""
    found = grids("a.csv", "arm,a\nx,1\n\narm,b,c\ny,2,3\n")

    assert [(grid.line, grid.header, grid.rows[0].cells) for grid in found] == [
        (1, ("arm", "a"), ("x", "1")),
        (4, ("arm", "b", "c"), ("y", "2", "3")),
    ]


def test_a_blank_line_within_a_table(cells):
    """What follows has numbers, so it is no header."""
    assert cells("a.csv", "arm,a\nx,1\n\ny,2\n")[2] == ("y", "2")


def test_lines_above_the_header_are_the_caption(grid):
    """A title over a sheet, or a comment."""
    found = grid("a.csv", "Table 4: error rates,,\n# by company\n\narm,a,b\nx,1,2\n")

    assert (found.caption, found.line) == ("Table 4: error rates # by company", 4)


def test_a_quote_before_a_formula_is_taken_away(cells):
    """`repro table` writes it."""
    assert cells("a.csv", "arm,a\n'=x,1\n")[1] == ("=x", "1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("arm,größe\nx,1\n".encode("cp1252"), ":1: is not UTF-8: save it as CSV in UTF-8"),
        ("arm\nx\n", ":1: has one column: a table has a name and a number at least"),
        ('arm,a\n"x,1\n', ":2: is not CSV: unexpected end of data"),
    ],
)
def test_what_cannot_be_split(grid, text, problem):
    """Ends with its line."""
    with pytest.raises(NotATable) as caught:
        grid("a.csv", text)
    assert problem in str(caught.value)
