"""What the declared test can detect, from the runs seen."""

import numpy as np
import pytest
from arms import counted, lost, outcomes

from repro.analysis import arm_differences, arm_power
from repro.stats import intervals, power
from repro.stats.disparity import DEFINITIONS

DEFINITION = DEFINITIONS["dehaan2020"]
REFERENCE = [[10, 30], [14, 30], [12, 30], [16, 30], [13, 30]]
FIRST = [[20, 30], [22, 30], [26, 30], [27, 30], [20, 30]]
SECOND = [[18, 30], [18, 30], [21, 30], [19, 30], [24, 30]]


def detectable(*arms, quantity="recall", **changes):
    """Of a study whose first arm is the reference."""
    found = outcomes(*arms, **changes)
    family = arm_differences.family(found, DEFINITION)
    return arm_power.detectable(found, family, quantity)


def three(**changes):
    """Recall of two arms against the reference."""
    arms = [
        counted(name, rows)
        for name, rows in (("reference", REFERENCE), ("first", FIRST), ("second", SECOND))
    ]
    return detectable(*arms, **changes)


def test_the_spread_is_that_of_the_pairs_pooled():
    """Differences of recall of two arms; their variances averaged."""
    recall = [np.mean(rows, axis=1) / 40 for rows in (FIRST, SECOND, REFERENCE)]
    variances = [np.var(one - recall[2], ddof=1) for one in recall[:2]]

    assert three().sd == pytest.approx(np.sqrt(np.mean(variances)), rel=1e-12)


def test_the_correlation_explains_the_spread_of_the_differences():
    """Var(A - B) = (Var A + Var B) (1 - r), on average over the comparisons."""
    recall = [np.mean(rows, axis=1) / 40 for rows in (FIRST, SECOND, REFERENCE)]
    of_runs = [np.var(one, ddof=1) + np.var(recall[2], ddof=1) for one in recall[:2]]
    found = three()

    assert found.sd**2 == pytest.approx(np.mean(of_runs) * (1 - found.correlation), rel=1e-12)


def test_two_arms_are_worth_less_than_twice_one():
    """Differences from one reference are alike: 8 / (1 + 1/4) degrees of freedom."""
    found = three()

    expected = intervals.deviation_bound(found.sd, 8 / 1.25, level=0.8)
    assert found.sd_bound == pytest.approx(expected, rel=1e-12)


def test_the_degrees_of_freedom_of_shared_references_are_those_simulated():
    """Four arms against one: the pooled variance of 20,000 studies has this spread."""
    runs = np.random.default_rng(0).normal(size=(20_000, 5, 5))
    variances = np.var(runs[:, 1:] - runs[:, :1], axis=2, ddof=1).mean(axis=1)
    degrees = 2 * variances.mean() ** 2 / variances.var()

    assert degrees == pytest.approx(16 / (1 + 3 * arm_power.SHARED), rel=0.03)


def test_the_difference_is_that_of_the_paired_test():
    """Alone, and at the first step of Holm over two arms and two quantities."""
    found = three()

    expected = [power.smallest_paired(5, significance=one) for one in (0.05, 0.05 / 4)]
    assert [found.alone, found.first] == expected
    assert (found.runs, found.pooled) == (5, 2)


@pytest.mark.parametrize("changes", [{"paired": False}, {"test": "permutation"}])
def test_a_test_that_pairs_nothing_has_the_spread_between_runs(changes):
    """The reference counts once, there is no correlation, and the test is unpaired."""
    found = three(**changes)
    variances = [np.var(np.mean(rows, axis=1) / 40, ddof=1) for rows in (REFERENCE, FIRST, SECOND)]

    assert found.sd == pytest.approx(np.sqrt(np.mean(variances)), rel=1e-12)
    assert found.alone == power.smallest_unpaired(5, 5)
    assert np.isnan(found.correlation)
    assert found.pooled == 3


def test_failed_arms_make_the_first_step_harder():
    """Holm divides by what was planned."""
    arms = [counted("reference", REFERENCE), counted("first", FIRST)]

    found = detectable(*arms, lost("second", failed=5))
    assert found.first == power.smallest_paired(5, significance=0.05 / 4)


def test_the_fewest_pairs_count():
    """One arm has three runs only."""
    arms = [counted("reference", REFERENCE), counted("first", FIRST), counted("second", SECOND[:3])]

    assert detectable(*arms).runs == 3


@pytest.mark.parametrize(
    "other", [REFERENCE, FIRST[:1], [[a + 4, b] for a, b in REFERENCE]], ids=["same", "one", "even"]
)
def test_without_spread_nothing_can_be_said(other):
    """Equal differences, or a single one, would promise that the smallest effect is found."""
    assert detectable(counted("reference", REFERENCE), counted("other", other)) is None


def test_what_is_not_compared_has_no_power():
    """The variance is not declared."""
    arms = [counted("reference", REFERENCE), counted("first", FIRST)]

    assert detectable(*arms, quantity="variance", metrics=("recall",)) is None
