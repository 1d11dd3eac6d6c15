"""Accuracy of each group ± its standard error: what the lab and the original paper show."""

import dataclasses

import crowds
import numpy as np
import pytest

from repro.analysis.outcomes import Arm, Crops
from repro.reporting.figures import accuracy, style
from repro.reporting.tables import tables
from repro.study.published import Published

CROPS = Crops(
    groups=("a", "c"),
    probability=np.array([[0.5, 0.6], [0.7, 0.6]]),
    overall=np.array([0.55, 0.65]),
    count=10,
)


def arm(recall=((0.8, 1.0), (0.6, 1.0)), **changes):
    """Ten portraits of group a, thirty of group b."""
    plain = {
        "name": "x",
        "alpha": None,
        "wanted": len(recall),
        "seeds": tuple(range(len(recall))),
        "groups": ("a", "b"),
        "sizes": np.array([10, 30]),
        "recall": np.array(recall),
        "selector": np.arange(len(recall), dtype=float),
    }
    return Arm(**(plain | changes))


def part(*arms):
    """The table of these arms."""
    told = crowds.view(crowds.SWEEP, ("a", "b")).outcomes
    return tables.part(dataclasses.replace(told, arms=arms), "accuracy")


def test_recalls_stand_with_their_standard_error():
    """Of 80 and 60 %: 70 ± 14.14 / root 2; overall, 38 and 36 of 40 portraits."""
    assert part(arm()).table.to_dict("index") == {
        "x": {"Measure": "Recall", "a": "70.00 ± 10.00", "b": "100.00 ± 0.00",
              "Overall": "92.50 ± 2.50"}
    }  # fmt: skip


def test_a_single_run_has_no_standard_error():
    """A dash, and a sentence."""
    found = part(arm(recall=((0.8, 1.0),)))

    assert found.table.loc["x", "a"] == "80.00 ± —"
    assert "A single run has no standard error." in found.remarks


def test_crops_have_a_row_of_their_own_and_their_own_groups():
    """Mean probability of the crops of groups a and c, and of all crops."""
    table = part(arm(crops=CROPS)).table

    assert table["Measure"].tolist() == ["Recall", "Probability of crops"]
    assert table.iloc[1].tolist() == [
        "Probability of crops",
        "60.00 ± 10.00",
        "—",
        "60.00 ± 0.00",
        "60.00 ± 5.00",
    ]


def test_the_whole_stands_last():
    """Behind the groups of the portraits and of the crops."""
    assert list(part(arm(crops=CROPS)).table.columns) == ["Measure", "a", "b", "c", "Overall"]


def test_a_standard_error_is_said_to_be_no_confidence_interval():
    """And whose habit it is."""
    (remark,) = part(arm()).remarks

    assert "as in Amini, Soleimany et al. (2019). It is not a confidence interval" in remark


def test_crops_are_counted_and_said_to_be_few():
    """Two groups of five, without a threshold."""
    remark = part(arm(crops=CROPS)).remarks[-1]

    assert "over 10 crops in 2 groups. It needs no threshold" in remark


def test_many_groups_have_a_row_each():
    """Nine groups and their crops: a row for each, and one for all."""
    names = crowds.names(9)
    told = crowds.view(crowds.SWEEP, names, crops=names[:1]).outcomes
    table = tables.part(told, "accuracy").table

    assert list(table.columns) == ["Group", "Recall", "Probability of crops"]
    assert table["Group"].tolist() == [*names, "Overall"] * 2
    assert table["Probability of crops"].tolist()[:2] == ["60.00 ± 5.77", "—"]


def whole(*, found=None, crops=(), **index):
    """Two arms with three runs, forty portraits."""
    return crowds.view(crowds.SWEEP, ("a", "b"), found=found, crops=crops, **index)


def whiskers(axes):
    """Both ends of each, with the mark between them."""
    return [
        (c.lines[0].get_ydata()[0], *c.lines[2][0].get_segments()[0][:, 1])
        for c in axes.containers
        if hasattr(c, "has_yerr") and c.has_yerr
    ]


def test_whiskers_are_standard_errors():
    """As the table has them, and no wider."""
    (axes,) = accuracy.by_group(whole()).figure.axes
    runs = whole().outcomes.arms[0].recall[:, 0]
    error = 100 * runs.std(ddof=1) / np.sqrt(3)
    mean = 100 * runs.mean()

    assert whiskers(axes)[0] == pytest.approx((mean, mean - error, mean + error))


def test_groups_stand_beside_each_other_with_all_portraits_last():
    """Arms are colours."""
    (axes,) = accuracy.by_group(whole()).figure.axes

    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "all portraits"]
    assert axes.get_legend_handles_labels()[1] == ["No debias", "alpha = 0.1"]


@pytest.mark.parametrize(
    ("detected", "low", "count"), [((20, 10), 45, 0), ((20, 9), 0, 6), ((20, 20), 95, 0)]
)
def test_bars_begin_at_0_and_where_all_is_high_there_are_dots(detected, low, count):
    """The least recall is 50, 45 or 100 %; three groups of two arms."""
    found = dict.fromkeys(crowds.SWEEP, detected)
    (axes,) = accuracy.by_group(whole(found=found)).figure.axes

    assert (axes.get_ylim()[0], len(axes.patches)) == (low, count)


def test_an_axis_that_does_not_begin_at_0_is_flagged():
    """In the caption, with where it begins."""
    found = dict.fromkeys(crowds.SWEEP, (20, 18))
    told = "The axis of recall begins at 85 %, not at 0, so there are dots instead of bars"

    assert told in accuracy.by_group(whole(found=found)).caption


def test_an_axis_from_0_is_not_flagged():
    """Bars."""
    found = dict.fromkeys(crowds.SWEEP, (20, 8))
    drawn = accuracy.by_group(whole(found=found))

    assert "not at 0" not in drawn.caption
    assert "; bars: their mean" in drawn.caption


def test_crops_have_a_panel_below():
    """Probabilities of 50, 60 and 70 %."""
    drawn = accuracy.by_group(whole(crops=("one", "two")))
    names = [label.get_text() for label in drawn.figure.axes[1].get_xticklabels()]

    assert names == ["one", "two", "all crops"]
    assert whiskers(drawn.figure.axes[1])[0][0] == pytest.approx(60)
    assert "mean probability that a face crop is a face" in drawn.caption


PRINTED = Published.model_validate(
    {
        "source": "Somebody (2020)",
        "printed": "Figure 5B",
        "definition": "dehaan2020",
        "replicates": 3,
        "keep": 3,
        "protocol": {"groups": {"a": 20, "b": 20}, "configuration": {}},
        "rows": [
            {"arm": "No debias", "recall": 90.0, "variance": 4.0, "groups": {"a": 92.0, "b": 88.0}}
        ],
    }
)


@pytest.mark.parametrize(("synthetic", "values"), [(True, []), (False, [92, 88, 90])])
def test_printed_values_are_magenta_beside_real_data_alone(synthetic, values):
    """Two groups and all portraits."""
    plain = whole()
    told = dataclasses.replace(plain.outcomes, published=PRINTED, synthetic=synthetic)
    drawn = accuracy.by_group(dataclasses.replace(plain, outcomes=told))
    lines = drawn.figure.axes[0].get_lines()
    found = [line.get_ydata()[0] for line in lines if line.get_color() == style.PRINT]

    assert found == values
    assert ("Bars in magenta: Somebody (2020), Figure 5B." in drawn.caption) == bool(values)
