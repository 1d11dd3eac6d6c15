"""Metrics of plug-ins in tables: a column and a note each, or why there is none."""

from arms import arm, outcomes

from repro.plugins.declared import Origin, Plugin
from repro.reporting.tables import metric_columns, tables

ORIGIN = Origin("mine.py", "0" * 32, root="mine.py", shown="mine.py")
MINE = Plugin(
    kind="metric", name="my_gap", make=lambda *_: 0.25, unit="points", better="lower", origin=ORIGIN
)
FOUND = [[1, 1, 1, 1, -1, -1, 1, 1], [1, 1, 1, -1, -1, 1, 1, 1]]


def study(metric):
    """An arm, and one of another study beside it."""
    return outcomes(arm("none", FOUND), arm("weak", FOUND), own_metrics={"my_gap": metric})


def test_a_metric_has_a_column_and_its_origin_stands_below():
    """With unit, direction, file and digest."""
    part = tables.results(study(MINE), "dehaan2020")
    (note,) = [one for one in part.remarks if one.startswith("My gap")]

    assert part.table["My gap"].iloc[0] == "25.00"  # all runs alike
    assert "in points, lower is better" in note
    assert f"by mine.py ({'0' * 32})" in note


def test_a_table_is_made_without_the_plugin():
    """All but its metric, and with the reason."""
    part = tables.results(study(None), "dehaan2020")

    assert "My gap" not in part.table
    assert any(one.startswith("No column for My gap: the plug-in") for one in part.remarks)


def test_programs_get_the_same():
    """Null where there is no value."""
    one, none = study(MINE), study(None)

    assert metric_columns.fields(one, one.arms[0])["my_gap"]["value"] == 25.0
    assert metric_columns.fields(none, none.arms[0]) == {"my_gap": None}
    assert metric_columns.origins(one)[0]["digest"] == "0" * 32
