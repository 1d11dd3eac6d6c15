"""What a verdict can tell, from records and before them."""

import numpy as np
import pytest
from published_arms import PUBLISHED, SWEEP, WIDE, arm, outcomes

from repro.analysis import verdict_reach
from repro.stats import agreement


def test_records_give_the_spread_of_their_own_runs():
    """Recalls 0.3 points apart; both groups move together, so variances do not vary."""
    found = verdict_reach.of_outcomes(outcomes())

    assert [one.quantity for one in found] == ["recall", "variance"] * 3
    assert [one.deviation for one in found] == pytest.approx([0.4743, 0] * 3, abs=1e-4)
    assert {(one.runs, one.delta) for one in found} == {(5, 5.0), (5, 20.0)}


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


def test_an_assumed_spread_is_that_of_a_normal_process():
    """Recall selects itself; a variance is its median, 16, and another metric selects it."""
    found = verdict_reach.assumed(PUBLISHED, WIDE, 2.0, runs=8, by="recall")
    process = {"keep": 3, "of": 5, "runs": 8, "deviation": 2.0}
    recall = agreement.Statistic(value=86.0, selects="itself", **process)
    variance = agreement.Statistic(value=4.0, selects="another", **process)

    assert [one.now for one in found] == [
        agreement.reach(recall, 5.0),
        agreement.reach(variance, 20.0, squared=True),
    ]


def test_no_more_is_reached_with_few_runs_than_with_unlimited_ones():
    """For margins that can be passed at all."""
    for one in verdict_reach.assumed(PUBLISHED, WIDE, 1.0, runs=5, by="recall"):
        assert one.now.chances["reproduced"] <= one.limit.chances["reproduced"]
        assert one.now.margin > one.limit.margin


def test_fewer_runs_than_in_the_publication_can_tell_nothing():
    """The best three of five need five."""
    assert verdict_reach.assumed(PUBLISHED, WIDE, 1.0, runs=4, by="recall") == []


def test_only_published_quantities_are_told():
    """A source that prints no variance."""
    rows = [row.model_copy(update={"variance": None}) for row in PUBLISHED.rows]
    source = PUBLISHED.model_copy(update={"rows": rows})
    found = verdict_reach.assumed(source, WIDE, 1.0, runs=5, by="recall")

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
