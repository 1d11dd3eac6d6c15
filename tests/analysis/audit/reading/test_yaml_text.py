"""Files of published values."""

import pytest
from places import ROOT

from repro.analysis.audit.reading.description import Description
from repro.analysis.audit.reading.grid import GridRow, NotATable
from repro.analysis.audit.reading.grids import read_grids
from repro.study.study_files import known_published

SOURCE = """\
source: Somebody (2020)
printed: Table 3
definition: dehaan2020
replicates: 5
keep: 3
protocol:
  groups: {b: 271, a: 318}
  configuration: {epochs: 60}
rows:
  - arm: plain
    recall: 92.390
    variance: 46.20
    groups: {b: 93.3579, a: 80.9}
    configuration: {epochs: 20}
  - arm: "alpha = 0.1"
    recall: 91.78
    variance: 1e1
"""


def test_rows_keep_their_decimals(grid):
    """A column a group; settings of a row are no numbers of it."""
    found = grid("a.yaml", SOURCE)

    assert found.header == ("arm", "recall", "variance", "b", "a")
    assert found.rows == (
        GridRow(10, ("plain", "92.390", "46.20", "93.3579", "80.9")),
        GridRow(15, ("alpha = 0.1", "91.78", "1e1", "", "")),
    )


def test_other_keys_are_the_description(grid):
    """The protocol's groups, and what the columns are; published values are in percent."""
    found = grid("a.yaml", SOURCE)

    assert found.caption == "Somebody (2020), Table 3"
    assert found.description == {
        "source": "Somebody (2020)",
        "printed": "Table 3",
        "unit": "percent",
        "replicates": 5,
        "keep": 3,
        "groups": {"b": 271, "a": 318},
        "columns": {"a": "share", "b": "share"},
    }


def test_keys_of_a_description_come_first(grid):
    """Before what the protocol says."""
    text = SOURCE + "unit: fraction\nmeasure: error\ngroups: {a: 1, b: 2}\n"

    said = grid("a.yml", text).description
    assert (said["unit"], said["measure"], said["groups"]) == (
        "fraction",
        "error",
        {"a": 1, "b": 2},
    )


def test_a_number_may_be_named_and_used_again(cells):
    """It is printed twice."""
    assert cells("a.yaml", "rows:\n  - {arm: x, a: &one 1.50}\n  - {arm: y, a: *one}\n")[1:] == [
        ("x", "1.50"),
        ("y", "1.50"),
    ]


@pytest.mark.parametrize("name", known_published(ROOT / "studies"), ids=lambda name: name)
def test_every_shipped_source_is_read(name):
    """Each with a description that holds."""
    (found,) = read_grids(ROOT / "studies/published" / f"{name}.yaml")

    assert Description.model_validate(found.description).source == found.description["source"]
    assert found.header[0] == "arm"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("replicates: 5\n", ": holds no 'rows': name the file of the table, not its description"),
        ("rows: [1]\n", ":1: is no row: write names and values, such as 'arm: plain'"),
        ("rows:\n  - {arm: x, a: [1]}\n", ":2: column 'a': holds more than one value"),
        ("rows:\n  - {arm: x\n", ":3:1: not YAML: "),
        ("rows: " + "[" * 5000, ":1:56: more than 20,000 values or 50 levels"),
        ("rows:\n  - {arm: x, arm: y}\n", ":2:14: duplicate key 'arm'"),
    ],
)
def test_what_is_no_table(grids, text, problem):
    """Is said, with its place."""
    with pytest.raises(NotATable) as caught:
        grids("a.yaml", text)
    assert f"a.yaml{problem}" in caught.value.problems[0]
