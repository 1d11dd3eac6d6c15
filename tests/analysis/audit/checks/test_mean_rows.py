"""A row that is called the mean of the others is their mean, or is told."""

from dataclasses import replace

from published_tables import table

from repro.analysis.audit.checks import mean_rows
from repro.analysis.audit.reading.description import Description
from repro.analysis.audit.reading.tables import read_tables

SYSTEMS = "system,male,female\na,90.1,80.2\nb,92.3,81.3\nc,91.0,85.5\n"


def finding(*mean):
    """Of three systems, whose means are 91.133 and 82.333, and a mean row with these numbers."""
    made = table(
        [
            ("a", {"x": "90.1", "y": "80.2"}),
            ("b", {"x": "92.3", "y": "81.3"}),
            ("c", {"x": "91.0", "y": "85.5"}),
            ("mean", dict(zip("xy", mean, strict=True))),
        ]
    )
    *rows, last = made.rows
    (found,) = mean_rows.findings(replace(made, rows=tuple(rows), means=(last,)))
    return found


def test_the_mean_of_the_printed_numbers_fits():
    """Rounded half up."""
    found = finding("91.1", "82.3")

    assert found.result == "fits"
    assert found.text.endswith("the 3 other rows, those of the printed numbers, rounded half up.")


def test_a_mean_of_the_unrounded_numbers_fits():
    """A mean of 91.133, uncertain by 0.05, may print as 91.2."""
    assert finding("91.2", "82.3").result == "fits"


def test_a_wrong_mean_is_named():
    """One of two columns."""
    found = finding("91.1", "83.3")

    assert found.result == "contradicts"
    assert "y 83.3, the rows give 82.28 to 82.38" in found.text
    assert found.settle


def test_a_row_of_other_numbers_is_no_mean():
    """An arm may be called mean for another reason, and is not accused."""
    assert finding("70.0", "60.0").result == "cannot tell"


def test_a_mean_row_is_no_arm(tmp_path):
    """So that no other check takes it for one."""
    file = tmp_path / "t.csv"
    file.write_text(f"{SYSTEMS}mean,91.1,82.3\n")
    (read,) = read_tables(file, Description(unit="percent")).tables

    assert [row.arm.word for row in read.rows] == ["a", "b", "c"]
    assert [row.arm.word for row in read.means] == ["mean"]


def test_a_mean_reduction_is_an_arm(tmp_path):
    """Its name goes on."""
    file = tmp_path / "t.csv"
    file.write_text(f"{SYSTEMS}'mean, alpha = 0.1',91.1,82.3\n".replace("'", '"'))
    (read,) = read_tables(file, Description(unit="percent")).tables

    assert len(read.rows) == 4
