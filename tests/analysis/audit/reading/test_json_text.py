"""JSON of this program and of others."""

from dataclasses import replace

import pytest
from arms import arm, counted, lost, outcomes

from repro.analysis.audit.reading.grid import GridRow, NotATable
from repro.reporting.tables import output_formats
from repro.reporting.tables.presentation import Presentation


def printed(*arms, **changes):
    """What `repro table --format json` prints of some arms."""
    return output_formats.text(outcomes(*arms, **changes), Presentation(form="json"))


def test_a_study_becomes_its_counts(grid):
    """A row a run and group; the study's selection is its description."""
    found = grid("a.json", printed(counted("x", [[10, 20], [30, 40]]), keep=1))

    assert found.header == ("arm", "run", "group", "n", "detected")
    assert [row.cells for row in found.rows] == [
        ("x", "0", "a", "40", "10"),
        ("x", "0", "b", "40", "20"),
        ("x", "1", "a", "40", "30"),
        ("x", "1", "b", "40", "40"),
    ]
    assert found.caption == "toy: Does it?"
    assert found.description == {"source": "toy", "replicates": 2, "keep": 1}


def test_failed_runs_stay_in_it(grid):
    """Each with its groups, of which nothing is known."""
    half = replace(
        counted("y", [[1, 2]]), alpha=0.1, failed=("loss: nan",), failed_seeds=(4,), wanted=2
    )
    found = grid("a.json", printed(counted("x", [[10, 20]]), half))

    assert [row.cells for row in found.rows if row.cells[0] == "y"] == [
        ("y", "0.1", "0", "a", "40", "1"),
        ("y", "0.1", "0", "b", "40", "2"),
        ("y", "0.1", "4", "a", "40", "failed"),
        ("y", "0.1", "4", "b", "40", "failed"),
    ]


def test_an_arm_that_failed_in_all_runs_stays_in_it(grid):
    """With the groups of the others."""
    gone = replace(lost("y", failed=1, wanted=1), failed_seeds=(0,))
    found = grid("a.json", printed(counted("x", [[10, 20]]), gone))

    assert [row.cells[-1] for row in found.rows] == ["10", "20", "failed", "failed"]


def test_several_studies_are_several_tables(grids):
    """In their order."""
    both = [outcomes(arm("x", [[1.0] * 8]), name=name) for name in ("one", "two")]
    text = output_formats.as_json("table", both, Presentation(form="json"))

    assert [grid.description["source"] for grid in grids("a.json", text)] == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '[\n{"arm": "x", "a": 1.50},\n{"arm": "y", "b": null}\n]'),
        ("a.jsonl", '\n{"arm": "x", "a": 1.50}\n{"arm": "y", "b": null}\n'),
        ("a.json", '{"rows": [\n{"arm": "x", "a": 1.50},\n{"arm": "y", "b": ""}]}'),
        ("a.txt", '[\n{"arm": "x", "a": 1.50},\n{"arm": "y", "b": null}\n]'),
    ],
)
def test_a_list_of_rows(grid, name, text):
    """Numbers keep their decimals, rows their lines; a cell that a row lacks is empty."""
    found = grid(name, text)

    assert found.header == ("arm", "a", "b")
    assert found.rows == (GridRow(2, ("x", "1.50", "")), GridRow(3, ("y", "", "")))


def test_rows_may_hold_mappings(grid):
    """`groups` names its columns; another mapping stands before its own, as a spanning header."""
    found = grid("a.json", '[{"arm": "x", "groups": {"dark": 1}, "test": {"mean": 2, "sd": 3}}]')

    assert found.header == ("arm", "dark", "test mean", "test sd")


def test_what_stands_beside_the_rows_is_the_description(grid):
    """Under the keys of a description; others are left out."""
    text = '{"rows": [{"arm": "x", "a": 1}], "replicates": 3, "groups": {"a": 9}, "other": 4}'

    assert grid("a.json", text).description == {"replicates": 3, "groups": {"a": 9}}


def test_what_pandas_splits(cells):
    """Columns, index and data."""
    text = '{"columns": ["a", "b"], "index": ["x"], "data": [[1.0, 2]]}'

    assert cells("a.json", text) == [("index", "a", "b"), ("x", "1.0", "2")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"a": 1,}]', ":1: is not JSON: Expecting property name enclosed in double quotes"),
        ('{"a": 1}\n{"a": 1,}\n', ":2: is not JSON: Expecting property name"),
        ('[{"a": 1, "a": 2}]', ":1: column 'a': is twice in the same row: keep one"),
        ("[1, 2]", ": row 1 does not name its columns: write a list of rows"),
        ("[]", ": holds no list of rows: write a list of rows"),
        ('{"erm": {"a": 1}}', ": holds no list of rows: write a list of rows"),
        ('[{"a": [1, 2]}]', ":1: column 'a': holds more than one value: write a number or a word"),
        ('[{"arm": "x\\u0000"}]', ":1: 'x\\x00' has invisible characters: remove them"),
        ('{"studies": [{}]}', ": 'studies' is not as `repro table --format json` writes it"),
        ('{"columns": ["a"], "data": [[1, 2]]}', ": row 1 of 'data' has other columns than"),
        ('{"columns": [["a"]], "data": [[1]]}', ": 'columns' and 'data' are no table"),
        ("[" * 100_000, ": is nested more than 50 levels deep"),
        ('{"a":' * 60 + "1" + "}" * 60, ": is nested more than 50 levels deep"),
    ],
)
def test_what_is_no_table(grids, text, problem):
    """Is said, with the place where there is one."""
    with pytest.raises(NotATable) as caught:
        grids("a.json", text)
    assert f"a.json{problem}" in caught.value.problems[0]
