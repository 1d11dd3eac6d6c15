"""What is said of a verdict's reach, and when it is not said."""

from dataclasses import replace

import published_arms
import pytest

from repro.analysis.verdict_reach import Prospect
from repro.reporting.tables import tables, verdict_notes
from repro.stats.agreement import Reach


def reach(reproduced, margin, distance=3.0):
    """A reach with this chance; the rest cannot be told."""
    chances = {"reproduced": reproduced, "not reproduced": 0.0, "cannot tell": 1 - reproduced}
    return Reach(chances=chances, margin=margin, distance=distance)


def prospect(now=0.04, limit=0.06, quantity="recall", **changes):
    """Margin 0.9, runs that differ by 1.2 points."""
    plain = {
        "quantity": quantity,
        "deviation": 1.2,
        "runs": 5,
        "delta": 0.9,
        "now": reach(now, 3.13),
        "limit": reach(limit, 1.74),
    }
    return Prospect(**(plain | changes))


def told(*prospects):
    """The sentences of all quantities."""
    return verdict_notes.of_reach(prospects)


def test_the_reach_of_one_arm_is_told_in_full():
    """Chances, the limit, the margin and the distance."""
    assert told(prospect()) == [
        "If the published recall is from the same process as ours, and runs have a standard "
        "deviation of 1.2 points, then with the margin of 0.9 points and 5 runs the verdict is: "
        "reproduced 4 %, not reproduced 0 %, cannot tell 96 %. With unlimited runs of ours it is "
        "reproduced 6 %: more runs do not help further, because the published value varies, too. "
        "A margin of about 3.1 points would be passed in 80 % of true reproductions (1.7 with "
        "unlimited runs). Not reproduced comes in 80 % of the studies if the processes differ by "
        "about 3 points or more."
    ]


def test_the_reach_of_several_arms_is_a_range():
    """From the smallest to the largest of each number."""
    (said,) = told(prospect(), prospect(now=0.3, deviation=0.45, runs=8))

    assert "deviation of 0.45 to 1.2 points" in said
    assert "and 5 to 8 runs the verdict is: reproduced 4 to 30 %, not reproduced 0 %" in said


def test_variances_are_told_by_their_roots():
    """The spread is that of the root, the margin that of the variance."""
    (said,) = told(prospect(quantity="variance", deviation=1.0, delta=12.0))

    assert "deviation of 1 point in the root of the variance, then with the margin of 12 " in said
    assert "percent squared and 5 runs" in said


def test_no_other_margin_is_proposed_where_the_declared_one_is_passed():
    """Four in five true reproductions pass already."""
    assert "would be passed" not in told(prospect(now=0.8, limit=0.95))[0]
    assert "would be passed" in told(prospect(now=0.79, limit=0.95))[0]


def test_no_arm_hides_another_that_needs_a_wider_margin():
    """One passes, one does not: the margin is proposed."""
    assert "would be passed" in told(prospect(now=0.95), prospect(now=0.1))[0]


@pytest.mark.parametrize(("limit", "said"), [(0.79, True), (0.8, False)])
def test_more_runs_are_called_useless_only_where_they_are(limit, said):
    """With unlimited runs four in five would pass: then runs are what is missing."""
    assert ("more runs do not help" in told(prospect(limit=limit))[0]) == said


def test_nothing_is_told_of_nothing():
    """No arm with enough runs."""
    assert told() == []


def before(*arms, **changes):
    """What a plan says of the verdict."""
    return verdict_notes.before_training(published_arms.outcomes(arms, **changes))


NONE = published_arms.SWEEP[0]


def test_a_plan_uses_the_spread_of_its_records():
    """Two runs or more of an arm."""
    said = before(published_arms.uneven("none", 0.79, 0.89))

    assert said[0] == (
        "Verdict on Somebody (2020), Table 1, with the standard deviations of the runs that have a "
        "record:"
    )
    assert "standard deviation of 0.47 points, then" in said[1]
    assert len(said) == 3


def test_a_plan_without_records_assumes_three_spreads():
    """Recall and variance each."""
    said = before(NONE.only(()))

    assert said[0] == (
        "Verdict on Somebody (2020), Table 1, with assumed standard deviations between runs:"
    )
    assert len(said) == 7


def test_a_plan_of_too_few_runs_says_that_there_will_be_no_verdict():
    """The best three of five cannot be had of four."""
    assert before(replace(NONE.only(()), wanted=4)) == [
        "Verdict on Somebody (2020), Table 1: none on recall and variance, because 4 runs per arm "
        "are planned, and the best 3 of 5 need 5."
    ]


def test_a_plan_says_why_its_records_will_have_no_verdict():
    """Another protocol than the published one."""
    said = before(replace(NONE, training_images=(999,) * 5))

    assert said == [
        "Verdict on Somebody (2020), Table 1: none, because trained on 999 images, not 1,000."
    ]


@pytest.mark.parametrize("changes", [{"synthetic": True}, {"margin": None}, {"published": None}])
def test_a_plan_without_a_verdict_says_nothing_of_it(changes):
    """Synthetic data, no margin, no published values."""
    assert before(NONE, **changes) == []


def test_the_reach_stands_below_the_verdict():
    """Both quantities, with the margins of the study."""
    study = published_arms.outcomes([published_arms.uneven("none", 0.79, 0.89)])
    part = tables.part(study, "verdict")

    assert sum(one.startswith("If the published ") for one in part.remarks) == 2


def test_no_reach_stands_below_a_refused_verdict():
    """Synthetic data."""
    part = tables.part(published_arms.outcomes(synthetic=True), "verdict")

    assert len(part.remarks) == 1
