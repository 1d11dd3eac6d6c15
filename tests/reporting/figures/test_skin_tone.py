"""The figure of recall against skin tone."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import toned

from repro.reporting.figures import figure_registry, skin_tone


def drawn(*arguments, **changes):
    """The figure."""
    return skin_tone.curves(toned.view(*arguments, **changes))


def test_a_study_without_a_scale_has_no_such_figure():
    """It is left out."""
    view = toned.view()

    assert skin_tone.curves(replace(view, outcomes=replace(view.outcomes, tone=""))) is None


@pytest.mark.parametrize("tones", [toned.LEVELS, toned.SMOOTH], ids=["levels", "smooth"])
def test_each_arm_has_a_curve_and_the_groups_stand_beside(tones):
    """On one vertical scale; it can be laid out without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = drawn(tones).figure
        figure.draw_without_rendering()
    curves, groups = figure.axes

    assert [text.get_text() for text in groups.get_xticklabels()] == ["darker", "lighter"]
    assert groups.get_ylim() == curves.get_ylim()
    assert curves.get_legend_handles_labels()[1] == ["No debias", "alpha = 0.1"]


def test_each_tone_is_labelled_with_its_number_of_portraits_or_clusters():
    """Below the tone."""
    labels = [t.get_text() for t in drawn().figure.axes[0].get_xticklabels()]
    pairs = [t.get_text() for t in drawn(cluster=toned.PAIRS).figure.axes[0].get_xticklabels()]

    assert labels == [f"{level}\n12" for level in range(1, 7)]
    assert pairs == [f"{level}\n6" for level in range(1, 7)]


def test_light_skin_is_on_the_left():
    """Also where larger numbers are lighter."""
    plain, turned = (
        drawn(column=column).figure.axes[0].get_xlim() for column in ("fitzpatrick", "ita")
    )

    assert plain[0] < plain[1]
    assert turned[0] > turned[1]


def test_arms_stand_in_their_order_at_each_tone():
    """From left to right, whichever way the axis runs."""
    for column in ("fitzpatrick", "ita"):
        axes = drawn(column=column).figure.axes[0]
        first, second = (
            axes.transData.transform((line.get_xdata()[2], 0))[0]
            for line in [one for one in axes.lines if one.get_linestyle() != "None"][:2]
        )

        assert first < second


def test_many_groups_are_not_drawn_beside():
    """More than eight have no room."""
    view = toned.view()
    arms = [
        replace(
            arm,
            groups=tuple(f"group {k}" for k in range(9)),
            sizes=np.full(9, 8),
            recall=arm.recall[:, :1].repeat(9, axis=1),
            scores=replace(arm.scores, group=np.repeat(np.arange(9), 8)),
        )
        for arm in view.outcomes.arms
    ]
    found = skin_tone.curves(replace(view, outcomes=replace(view.outcomes, arms=tuple(arms))))

    assert len(found.figure.axes) == 1
    assert "On the right" not in found.caption


def test_the_caption_says_scale_intervals_and_runs():
    """And the text for screen readers the ends of each curve, the lightest first."""
    found = drawn(column="ita")

    assert found.caption.startswith(
        "Recall at logit 0 from the lightest tone (6) to the darkest (1) of the column ita. Marks: "
        "mean over the runs; below each tone the number of portraits. Bars: pointwise 95 % "
        "intervals for new seeds and new portraits, where a tone has 10 or more. On the right the "
        "recall of each group. 3 of 3 runs per arm with results"
    )
    assert "No debias" in found.alt
    assert found.alt.index("at tone 6") < found.alt.index("at 1,")


def test_of_many_arms_no_interval_is_drawn():
    """They would hide each other; the caption does not speak of them."""
    arms = {f"alpha = {k}": {"resampling": {"alpha": float(k)}} for k in range(1, 8)}
    found = drawn(arms=arms, reference="alpha = 1")

    assert "95 %" not in found.caption
    assert figure_registry.FIGURES["tone"] is skin_tone.curves
