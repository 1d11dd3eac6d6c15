"""Runs far from their arm's median, and arms that spread unlike the others."""

from dataclasses import replace

import numpy as np
import pytest
from arms import outcomes
from scipy import stats as scipy_stats

from repro.analysis import bad_runs
from repro.analysis.outcomes import Arm


def arm(name, hundredths, *, keys=()):
    """Runs with so many of 100 portraits detected, in one group."""
    recall = np.array([[found / 100] for found in hundredths])
    return Arm(
        name=name,
        alpha=None,
        wanted=len(hundredths),
        seeds=tuple(range(10, 10 + len(hundredths))),
        groups=("all",),
        sizes=np.array([100]),
        recall=recall,
        selector=recall[:, 0],
        keys=keys,
    )


@pytest.mark.parametrize(
    ("runs", "seeds"),
    [
        ([90, 90, 90, 90, 80], []),
        ([90, 90, 90, 90, 79], [14]),
        ([80, 80, 80, 80, 70], []),  # .8 - .7 is .10000000000000009
        ([30, 30, 30, 30, 20], []),
        ([50, 50, 50, 50, 61], [14]),
        ([88, 90, 92, 90, 77], [14]),  # the median distance is .02, five of them .10
        ([86, 90, 94, 90, 70], []),  # the median distance is .04, five of them .20
        ([86, 90, 94, 90, 69], [14]),
        ([60, 90, 90, 90, 50], [10, 14]),
    ],
)
def test_far_runs_are_more_than_10_points_and_5_deviations_from_the_median(runs, seeds):
    """Neither is enough, and at exactly the limit a run is not far."""
    assert bad_runs.far(arm("x", runs)) == seeds


def test_one_of_two_runs_is_not_far():
    """Which of them is not known."""
    assert bad_runs.far(arm("x", [90, 20])) == []


def test_share_of_35_runs_without_a_far_one():
    """None of 35: the exact upper end is 1 - .025^(1/35), 10.0 %."""
    study = outcomes(*(arm(str(k), [90, 91, 92, 93, 94]) for k in range(7)))
    count, total, interval = bad_runs.share(study)

    assert (count, total) == (0, 35)
    assert interval == pytest.approx((0, 1 - 0.025 ** (1 / 35)), abs=1e-12)


def test_share_has_the_exact_interval():
    """Two of 35, against SciPy."""
    calm = [arm(str(k), [90, 91, 92, 93, 94]) for k in range(5)]
    study = outcomes(*calm, arm("x", [90, 91, 50, 93, 94]), arm("y", [90, 91, 93, 94, 60]))
    count, total, interval = bad_runs.share(study)

    assert (count, total) == (2, 35)
    exact = scipy_stats.binomtest(2, 35).proportion_ci(0.95, method="exact")
    assert interval == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_share_leaves_out_arms_of_one_or_two_runs():
    """A single run has no others, and of two none is the odd one."""
    study = outcomes(arm("x", [90, 91, 50]), arm("y", [90, 20]), arm("z", [40]))

    assert bad_runs.share(study)[:2] == (1, 3)
    assert bad_runs.share(outcomes(arm("y", [90, 20]))) is None


def test_share_counts_runs_that_are_only_ranked_differently_once():
    """Two arms of the same runs."""
    one = arm("x", [90, 91, 92, 93, 50], keys=("a", "b", "c", "d", "e"))

    assert bad_runs.share(outcomes(one, replace(one, name="y")))[:2] == (1, 5)


def test_unlike_is_the_ratio_to_the_other_arms():
    """Variance 1 against the mean of 4 and 16, in points."""
    study = outcomes(arm("x", [89, 90, 91]), arm("y", [88, 90, 92]), arm("z", [86, 90, 94]))

    assert bad_runs.unlike(study, study.arms[0]) == pytest.approx(np.sqrt(1 / 10))
    assert bad_runs.unlike(study, study.arms[2]) == pytest.approx(np.sqrt(16 / 2.5))


def test_unlike_can_be_large_with_two_arms():
    """The arm itself does not dilute the spread that it is compared with."""
    study = outcomes(arm("x", [89, 90, 91]), arm("y", [80, 90, 100]))

    assert bad_runs.unlike(study, study.arms[1]) == pytest.approx(10)


@pytest.mark.parametrize(
    "others",
    [[], [[90, 90, 90]], [[90]]],
    ids=["no other arm", "others agree", "a single run"],
)
def test_unlike_without_a_spread_of_the_others_is_undefined(others):
    """Nothing to compare with."""
    own = arm("x", [89, 90, 91])
    study = outcomes(own, *(arm(f"y{k}", runs) for k, runs in enumerate(others)))

    assert np.isnan(bad_runs.unlike(study, own))


def test_unlike_leaves_out_the_same_runs_ranked_differently():
    """They are the arm itself."""
    own = arm("x", [89, 90, 91], keys=("a", "b", "c"))
    study = outcomes(own, replace(own, name="again"), arm("y", [88, 90, 92]))

    assert bad_runs.unlike(study, own) == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        ([89, 90, 91, 90, 90], ""),
        ([89, 90, 91, 90, 60], "seed 14 far from its median"),
        ([30, 90, 91, 90, 60], "seeds 10, 14 far off"),
        ([84, 88, 90, 92, 96], "its runs spread 3.9 times as much as those of the other arms"),
        ([90, 90, 90, 90, 90], "its runs do not differ, those of the other arms do"),
    ],
)
def test_an_interval_is_untrusted_with_its_reason(runs, why):
    """Two other arms have a standard deviation of 1.14 points."""
    calm = [arm(name, [89, 90, 91, 92, 91]) for name in ("y", "z")]
    own = arm("x", runs)

    assert bad_runs.untrusted(outcomes(*calm, own), own) == why


def test_equal_runs_beside_others_that_differ_are_named():
    """A spread of 0 is told in words."""
    study = outcomes(arm("equal", (90, 90, 90)), arm("other", (80, 84, 88)))

    assert bad_runs.untrusted(study, study.arms[0]) == (
        "its runs do not differ, those of the other arms do"
    )


def test_equal_runs_everywhere_are_trusted():
    """No arm is unlike the others."""
    study = outcomes(arm("x", (90, 90, 90)), arm("y", (90, 90, 90)))

    assert not bad_runs.untrusted(study, study.arms[0])


def test_each_arm_is_read_a_few_times_however_many_there_are(monkeypatch):
    """The spread of the others is the common one without the arm's own."""
    read = []
    whole = Arm.run_recall
    monkeypatch.setattr(Arm, "run_recall", lambda *found: read.append(1) or whole(*found))
    study = outcomes(*(arm(f"{n}", (80 + n % 7, 84, 88)) for n in range(40)))
    for one in study.arms:
        bad_runs.untrusted(study, one)

    assert len(read) <= 6 * len(study.arms)
