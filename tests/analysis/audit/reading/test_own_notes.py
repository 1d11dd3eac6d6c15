"""What this program writes below its tables is understood when it is read back."""

import pytest
from arms import counted, outcomes

from repro.reporting.tables import output_formats
from repro.reporting.tables.paper_options import Layout
from repro.reporting.tables.presentation import Presentation


def printed(form, spread, **changes):
    """A table of the paper style, of one arm with four runs."""
    found = outcomes(counted("x", [[10, 20], [30, 40], [20, 20], [1, 2]]), **changes)
    layout = Layout(spread=spread) if spread else Layout()
    return output_formats.text(found, Presentation(form=form, style="paper", layout=layout))


@pytest.mark.parametrize(("form", "name"), [("markdown", "a.md"), ("latex", "a.tex")])
@pytest.mark.parametrize(
    ("changes", "spread", "said"),
    [
        ({"keep": 3}, None, {"replicates": 4, "keep": 3}),
        ({"keep": 4}, None, {"replicates": 4}),
        ({"keep": 3}, "sd", {"replicates": 4, "keep": 3, "spread": "sd"}),
    ],
)
def test_runs_and_what_follows_the_sign(grid, form, name, changes, spread, said):
    """In both formats that have a text below the table."""
    found = grid(name, printed(form, spread, **changes))

    assert found.description == said
    assert found.caption == "toy: Does it?"


@pytest.mark.parametrize(
    ("form", "name", "header"),
    [
        ("markdown", "a.md", ("Arm", "E[A]: Recall", "Var[A]: Measure of Bias")),
        ("latex", "a.tex", ("name", "E[A]: Recall", "Var[A]: Measure of Bias")),
        ("csv", "a.csv", ("arm", "recall_percent", "variance_percent_squared")),
        ("tsv", "a.tsv", ("arm", "recall_percent", "variance_percent_squared")),
    ],
)
def test_every_format_that_is_written_is_read(grid, form, name, header):
    """The names of its columns are those that were written."""
    found = grid(name, printed(form, None, keep=3))

    assert found.header == header
    assert [row.cells[0] for row in found.rows] == ["x"]


@pytest.mark.parametrize(("form", "name"), [("markdown", "a.md"), ("latex", "a.tex")])
def test_every_table_of_the_full_style_is_read(grids, form, name):
    """Also those with intervals, signs and words in their cells."""
    arms = [counted(name, [[10, 20], [30, 40], [20, 20]]) for name in ("x", "y")]
    found = outcomes(*arms, keep=2)
    text = output_formats.text(found, Presentation(form=form, style="full"))

    captions = [grid.caption.split(":")[1] for grid in grids(name, text)]
    assert len(captions) >= 3
    assert " groups, all runs with results, no selection." in captions
