"""What a verdict can tell, from records and before them."""

import numpy as np
import pytest
from published_arms import PUBLISHED, SWEEP, arm, outcomes, uneven

from repro.analysis import verdict_reach
from repro.analysis.outcomes import Arm
from repro.stats import agreement


def test_records_give_the_spread_of_their_own_runs():
    """Recalls 0.3 points apart; roots of variances too, half the distance of two groups."""
    found = verdict_reach.of_outcomes(outcomes([uneven("none", 0.79, 0.89)]))

    assert [one.quantity for one in found] == ["recall", "variance"]
    assert [one.deviation for one in found] == pytest.approx([0.4743, 0.4743], rel=0.05)
    assert {(one.runs, one.delta) for one in found} == {(5, 5.0), (5, 20.0)}


def test_runs_without_spread_have_no_reach():
    """Both groups move together, so variances do not vary: how far others are is unknown."""
    assert [one.quantity for one in verdict_reach.of_outcomes(outcomes())] == ["recall"] * 3


def test_a_margin_of_ten_standard_deviations_is_always_passed():
    """Five points with a spread of half a point."""
    assert verdict_reach.of_outcomes(outcomes())[0].now.chances["reproduced"] > 0.999


@pytest.mark.parametrize(
    "changes",
    [
        {"margin": None},
        {"published": None},
        {"arms": [arm("none", 0.79, 0.89).only((0, 1, 2, 3))]},
        {"arms": [arm("other", 0.79, 0.89)]},
    ],
)
def test_nothing_is_told_without_a_number_to_compare(changes):
    """No margin, no published values, too few runs, or no published arm."""
    assert verdict_reach.of_outcomes(outcomes(**changes)) == []


def without_runs(runs=5, **changes):
    """A study of which no run has ended."""
    planned = Arm(
        name="none",
        alpha=None,
        wanted=runs,
        seeds=(),
        groups=(),
        sizes=np.empty(0, dtype=int),
        recall=np.empty((0, 0)),
        selector=np.empty(0),
    )
    return outcomes([planned], **changes)


def test_an_assumed_spread_is_that_of_a_normal_process():
    """Recall selects itself; a variance is its median, 16, and another metric selects it."""
    found = verdict_reach.assumed(without_runs(8), 2.0)
    process = {"keep": 3, "of": 5, "runs": 8, "deviation": 2.0}
    recall = agreement.Statistic(value=86.0, selects="itself", **process)
    variance = agreement.Statistic(value=4.0, selects="another", **process)

    assert [one.now for one in found] == [
        agreement.reach(recall, 5.0),
        agreement.reach(variance, 20.0, squared=True),
    ]


def test_recall_that_is_selected_on_validation_data_does_not_select_itself():
    """Its correlation with that metric is unknown, so less is told."""
    (itself, _), (another, _) = (
        verdict_reach.assumed(without_runs(split=split), 2.0) for split in ("test", "validation")
    )

    assert another.now.chances["reproduced"] < itself.now.chances["reproduced"]


def test_no_more_is_reached_with_few_runs_than_with_unlimited_ones():
    """For margins that can be passed at all."""
    for one in verdict_reach.assumed(without_runs(), 1.0):
        assert one.now.chances["reproduced"] <= one.limit.chances["reproduced"]
        assert one.now.margin > one.limit.margin


def test_fewer_runs_than_in_the_publication_can_tell_nothing():
    """The best three of five need five."""
    assert verdict_reach.assumed(without_runs(4), 1.0) == []


def test_a_plan_takes_the_spread_of_the_first_runs():
    """Three of five runs have ended: their spread, at the five that are planned."""
    first = arm("none", 0.79, 0.89).only((0, 2, 4))
    (recall,) = verdict_reach.of_outcomes(outcomes([first]), planned=True)

    assert (recall.runs, recall.deviation) == (5, pytest.approx(0.6))


def test_a_plan_takes_no_spread_of_a_single_run():
    """One run has none."""
    first = arm("none", 0.79, 0.89).only((0,))

    assert verdict_reach.of_outcomes(outcomes([first]), planned=True) == []


def test_only_published_quantities_are_told():
    """A source that prints no variance."""
    rows = [row.model_copy(update={"variance": None}) for row in PUBLISHED.rows]
    source = PUBLISHED.model_copy(update={"rows": rows})
    found = verdict_reach.assumed(without_runs(published=source), 1.0)

    assert [one.quantity for one in found] == ["recall"]
    assert {one.quantity for one in verdict_reach.of_outcomes(outcomes(published=source))} == {
        "recall"
    }


def test_a_single_group_has_no_variance_to_tell():
    """Recall alone is compared."""
    one = SWEEP[0]
    single = arm(
        "none", 0.79, 0.89, groups=("all",), sizes=np.array([200]), recall=one.recall[:, :1]
    )
    found = verdict_reach.of_outcomes(outcomes([single]))

    assert [one.quantity for one in found] == ["recall"]
