"""Any number of groups, of any size and name: every table and every figure still says something."""

import dataclasses
import itertools
import re
import warnings

import crowds
import numpy as np
import pytest

from repro.reporting.figures import figure_registry, recall, style
from repro.reporting.tables import csv_tsv, latex_table, rendering, tables
from repro.stats.disparity import DEFINITIONS
from repro.study.published import Published

COUNTS = (1, 2, 6, 14, 40)
BY_GROUP = ("recall", "accuracy", "false_alarms")


@pytest.fixture(scope="module", params=COUNTS)
def whole(request):
    """Two arms of three runs with this many groups of four portraits."""
    return crowds.view(crowds.SWEEP, crowds.names(request.param), size=4)


def every(outcomes, form, **options):
    """All tables as text; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = tables.parts(outcomes, style="full", **options)
        if form == "csv":
            return csv_tsv.text(parts, separator=",")
        return rendering.render(parts, form=form, label="x")


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_tables_of_any_number_of_groups_hold_no_nan(whole, definition):
    """What is not defined is a dash."""
    text = every(whole.outcomes, "csv", definition=definition)

    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


@pytest.mark.parametrize("form", ["markdown", "latex", "html"])
def test_every_group_is_named_in_every_format(whole, form):
    """In full."""
    text = every(whole.outcomes, form)
    names = whole.outcomes.arms[0].groups
    shown = {"latex": latex_table.text}.get(form, str)

    assert all(shown(name) in text for name in names)


def test_no_table_is_wider_than_its_groups_allow(whole):
    """Beyond eight groups each has a row."""
    widths = {
        part.name: len(part.table.columns)
        for part in tables.parts(whole.outcomes, style="full")
        if part.name in ("groups", "accuracy", "areas")
    }

    assert max(widths.values()) <= 8 + 5


@pytest.fixture(scope="module")
def figures(whole):
    """The figures that show groups, laid out; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = {name: figure_registry.FIGURES[name](whole).figure for name in BY_GROUP}
        for figure in drawn.values():
            figure.draw_without_rendering()
    return drawn


def test_figures_of_any_number_of_groups_fit_a_page(figures):
    """However many rows they have."""
    assert max(figure.get_figheight() for figure in figures.values()) < 12


@pytest.mark.parametrize("name", BY_GROUP)
def test_no_legend_lies_over_the_axes_or_beyond_the_page(figures, name):
    """However many groups it lists."""
    (legend,) = figures[name].legends
    box = legend.get_window_extent()

    assert not any(box.overlaps(axes.get_window_extent()) for axes in figures[name].axes)
    assert box.x1 <= figures[name].bbox.x1


@pytest.mark.parametrize("count", [14, 40])
def test_names_on_an_axis_do_not_overlap(count):
    """Groups stand down the page."""
    whole = crowds.view(crowds.SWEEP, crowds.names(count), size=4)
    figure = recall.by_group(whole).figure
    figure.draw_without_rendering()
    found = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    found.sort(key=lambda box: box.y0)

    assert all(a.y1 <= b.y0 for a, b in itertools.pairwise(found))


def test_forty_groups_have_forty_looks():
    """Colour, marker and line together."""
    looks = style.group_looks(crowds.names(40))

    assert len(set(looks.values())) == 40


@pytest.mark.parametrize("part", ["results", "groups", "false_alarms"])
def test_one_group_alone_has_no_variance_and_the_reason(part):
    """A dash in each table, and one sentence below it."""
    outcomes = crowds.view(crowds.SWEEP, ["Europe"]).outcomes
    found = tables.part(outcomes, part)
    column = "Var[A]: Measure of Bias" if part == "results" else "Variance"

    assert set(found.table[column]) == {"—"}
    assert found.remarks.count(
        "There is a single group, so there is no variance between groups."
    ) == 1  # fmt: skip


def test_one_group_alone_is_compared_in_recall_alone():
    """There is no other metric."""
    outcomes = crowds.view(crowds.SWEEP, ["Europe"]).outcomes

    assert tables.part(outcomes, "comparisons").table["Metric"].tolist() == ["recall"]


def test_one_group_alone_has_no_figure_of_variance():
    """Recall is still drawn."""
    drawn = [one.name for one in figure_registry.draw(crowds.view(crowds.SWEEP, ["Europe"]))]

    assert "tradeoff" not in drawn
    assert "recall" in drawn


def test_groups_of_a_single_portrait_have_no_noise_to_take_off():
    """A dash, and the reason."""
    part = tables.part(crowds.view(crowds.SWEEP, ("a", "b"), size=1).outcomes, "groups")

    assert set(part.table["Variance without noise"]) == {"—"}
    assert "The noise cannot be estimated if a group has a single portrait." in part.remarks


def test_many_groups_stand_below_their_arm():
    """All portraits, a row for each of nine groups, then what is said of the arm."""
    names = crowds.names(9)
    told = crowds.view({"x": {}}, names, found={"x": (20,) * 8 + (10,)}).outcomes
    table = tables.part(told, "groups").table

    assert table["Group"].tolist() == ["all portraits", *names, "", "", "", names[8], ""]
    assert table["Portraits"].tolist() == ["180", *["20"] * 9, "", "", "", "20", ""]
    assert table["Measure"].tolist() == [
        *["Recall"] * 10,
        "Variance",
        "Variance without noise",
        "Gap",
        "Worst group",
        "False positives",
    ]
    assert [cell.split()[0] for cell in table["Value"][-5:]] == [
        "246.91",
        "233.92",
        "50.00",
        "50.00",
        "10.00",
    ]


def test_a_group_that_is_called_like_a_column_gets_a_row():
    """As a column it would hide the variance."""
    table = tables.part(crowds.view(crowds.SWEEP, ("Variance", "b")).outcomes, "groups").table

    assert table["Group"].tolist()[:3] == ["all portraits", "Variance", "b"]


def test_arms_of_other_groups_share_a_figure():
    """A group that an arm lacks has no mark there."""
    first, other = (crowds.view(crowds.SWEEP, names) for names in (("a", "b"), ("a", "c")))
    arms = first.outcomes.arms[0], other.outcomes.arms[1]
    object.__setattr__(first.outcomes, "arms", arms)
    (axes,) = recall.by_group(first).figure.axes

    assert axes.get_legend_handles_labels()[1] == ["a", "b", "all portraits", "c"]


def test_a_mean_of_nothing_but_dots_is_where_the_runs_are():
    """Three runs that find 3 of 4 portraits of one group."""
    found = dict.fromkeys(crowds.SWEEP, (3,))
    (axes,) = recall.by_group(
        crowds.view(crowds.SWEEP, ["Europe"], size=4, found=found)
    ).figure.axes

    assert np.unique(axes.get_lines()[0].get_ydata()).tolist() == [75]


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_print_about_one_group_is_shown_by_its_recall(definition):
    """There is no variance that could be restated."""
    printed = Published.model_validate(
        {
            "source": "Somebody (2020)",
            "printed": "Table 1",
            "definition": "dehaan2020",
            "replicates": 3,
            "keep": 3,
            "protocol": {"groups": {"Europe": 20}, "configuration": {}},
            "rows": [{"arm": "No debias", "recall": 90.0}],
        }
    )
    told = crowds.view(crowds.SWEEP, ["Europe"], synthetic=False).outcomes
    found = dataclasses.replace(told, published=printed)
    row = tables.part(found, "results", definition=definition).table.loc["No debias"]

    assert (row["Published recall"], row["Published variance"]) == ("90.00", "—")
