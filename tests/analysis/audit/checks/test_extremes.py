"""Printed worst groups, best groups and gaps against the groups of their rows."""

import pytest
from published_tables import table

from repro.analysis.audit.checks import extremes

ROWS = [("a", ("90.0", "80.0", "85.0")), ("b", ("70.0", "75.0", "60.0"))]


def found(*printed, role="worst", runs=1, measure="recall", rows=ROWS):
    """The findings of two arms with three groups, and what is printed beside them."""
    listed = [
        (name, dict(zip("xyz", cells, strict=True)), {role: text})
        for (name, cells), text in zip(rows, printed, strict=True)
    ]
    groups = dict.fromkeys("xyz", 100)
    shown = table(listed, groups=groups, replicates=runs, measure=measure)
    return [(one.result, one.text) for one in extremes.findings(shown)]


@pytest.mark.parametrize(
    ("role", "printed"),
    [("worst", ("80.0", "60.0")), ("best", ("90.0", "75.0")), ("gap", ("10.0", "15.0"))],
)
def test_extremes_of_the_printed_groups_fit(role, printed):
    """In both rows."""
    ((result, text),) = found(*printed, role=role)

    assert result == "fits"
    assert text.startswith(f"In 2 rows {role} is the ")


def test_of_errors_the_worst_is_the_largest():
    """Of rates of wrong answers."""
    assert found("90.0", "75.0", measure="error")[0][0] == "fits"


def test_a_worst_group_that_no_group_has_is_named_with_what_the_groups_give():
    """In one of two rows of single runs."""
    ((result, text),) = found("80.0", "62.0")

    assert result == "contradicts"
    assert text == (
        "In 1 of 2 rows worst is not the worst of the printed groups: 62.0 in b (line 3), whose "
        "groups give 59.95 to 60.05."
    )


@pytest.mark.parametrize(
    ("role", "possible", "impossible"),
    [
        ("worst", ("80.0", "58.0"), ("80.0", "62.0")),
        ("best", ("90.0", "77.0"), ("90.0", "73.0")),
        ("gap", ("10.0", "17.0"), ("10.0", "13.0")),
    ],
)
def test_a_mean_of_each_runs_own_may_differ_to_one_side_only(role, possible, impossible):
    """The worst group of a run may be another one than that of the means."""
    assert [one for one, _ in found(*possible, role=role, runs=5)] == ["cannot tell"]
    assert [one for one, _ in found(*impossible, role=role, runs=5)] == ["contradicts"]


def test_a_column_that_fits_no_row_is_another_quantity():
    """Such as a gap between two named groups: nothing is called wrong."""
    assert [one for one, _ in found("3.0", "4.0", role="gap")] == ["cannot tell"]
