"""Columns aligned by blanks."""

import pytest

from repro.analysis.audit.reading.grid import NotATable

RESULTS = """\
Total records: 120

-------- Dataset: PACS, model selection method: training-domain validation set
Algorithm             A                     C                     Avg
ERM                   84.1 +/- 0.4          80.2 +/- 0.6          85.1
CORAL                 X                     X                     X

-------- Averages, model selection method: oracle
Algorithm        PACS             Avg
ERM              85.1 +/- 0.2     85.1
"""


def test_domainbed_prints_a_table_a_section(grids):
    """Each with the line above it as its caption."""
    found = grids("results.txt", RESULTS)

    assert [(grid.caption, grid.line, grid.header) for grid in found] == [
        (
            "Dataset: PACS, model selection method: training-domain validation set",
            4,
            ("Algorithm", "A", "C", "Avg"),
        ),
        ("Averages, model selection method: oracle", 9, ("Algorithm", "PACS", "Avg")),
    ]
    assert [row.cells for row in found[0].rows] == [
        ("ERM", "84.1 +/- 0.4", "80.2 +/- 0.6", "85.1"),
        ("CORAL", "X", "X", "X"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "       dark  light\nERM    84.1   80.2\nDRO    83.0   79.0\n",
        "  arm  dark  light\n  ERM  84.1   80.2\n  DRO  83.0   79.0\n",
        "arm  dark  light\n---  ----  -----\nERM  84.1   80.2\n\nDRO  83.0   79.0\n",
    ],
    ids=["as pandas prints", "indented", "with a line below the header"],
)
def test_other_alignments(cells, text):
    """The names and numbers are the same."""
    header, *rows = cells("a.txt", text)

    assert header[1:] == ("dark", "light")
    assert rows == [("ERM", "84.1", "80.2"), ("DRO", "83.0", "79.0")]


def test_an_empty_cell_is_asked_for(grids):
    """Nobody can tell its column."""
    with pytest.raises(NotATable) as caught:
        grids("a.txt", "arm  a    b\nx    1    2\ny         2\n")
    assert str(caught.value).endswith(
        ":3: 2 cells two blanks apart, but the header has 3 columns: "
        "write - where there is no result"
    )


def test_prose_is_no_table(grids):
    """Its lines have one cell each."""
    with pytest.raises(NotATable, match="holds no table in aligned text"):
        grids("a.txt", "Hello world.\nThis is prose.\n")
