"""The parts of an arm's statistics, and the spread that arms of a study have in common."""

from dataclasses import replace

import numpy as np
import pytest
from arms import arm, noisy, outcomes

from repro.analysis import arm_parts, thresholds
from repro.stats import disparity, operating
from repro.stats.disparity import DEFINITIONS

DEFINITION = DEFINITIONS["dehaan2020"]
ARMS = [arm(name, noisy(seed)) for seed, name in enumerate("xyz")]


def variance_about_means(arms, of):
    """Squares about each arm's own mean over the degrees of freedom."""
    values = [of(one) for one in arms]
    squares = sum(((one - one.mean()) ** 2).sum() for one in values)
    return squares / sum(len(one) - 1 for one in values)


@pytest.mark.parametrize("rate", [None, 0.2])
@pytest.mark.parametrize("name", arm_parts.ESTIMATED)
def test_value_is_that_of_the_tables(name, rate):
    """At logit 0 and at a rate."""
    recall = thresholds.recalls(ARMS[0], rate)
    expected = disparity.quantities(recall, ARMS[0].sizes, DEFINITION)[name]

    ours = arm_parts.parts(ARMS[0], name, DEFINITION, rate)
    assert ours.value == pytest.approx(float(expected), abs=1e-15)


@pytest.mark.parametrize("name", arm_parts.ESTIMATED)
def test_thresholds_are_a_part_only_at_a_rate(name):
    """At logit 0 nothing is redrawn."""
    assert arm_parts.parts(ARMS[0], name, DEFINITION).redrawn.size == 0
    assert arm_parts.parts(ARMS[0], name, DEFINITION, 0.2).redrawn.size > 0


def test_parts_without_scores_are_those_of_counts():
    """No portraits, but a bound."""
    blind = arm_parts.parts(replace(ARMS[0], scores=None), "recall", DEFINITION)

    assert blind.portraits is None
    assert blind.of_photographs >= arm_parts.parts(ARMS[0], "recall", DEFINITION).of_photographs


def test_recall_of_a_group_is_that_of_its_name():
    """Not of its place in another arm."""
    ours = arm_parts.parts(ARMS[0], arm_parts.of_group("b"), DEFINITION)

    np.testing.assert_allclose(ours.runs, ARMS[0].recall[:, 1])


def test_pooled_spread_is_that_of_all_arms():
    """Three arms of five runs: twelve degrees of freedom."""
    ours = arm_parts.pooled(outcomes(*ARMS), "recall", DEFINITION)

    expected = variance_about_means(ARMS, lambda one: one.run_recall(DEFINITION))
    assert (ours.degrees, ours.arms) == (12, 3)
    assert ours.variance == pytest.approx(expected, rel=1e-12)


def test_pooled_spread_at_a_rate_is_that_at_its_thresholds():
    """And arms whose photographs do not support the rate add nothing."""
    few = arm("few", noisy(7), nonfaces=np.array([-3.0, -2.0]))
    ours = arm_parts.pooled(outcomes(*ARMS, few), "recall", DEFINITION, 0.1)

    expected = variance_about_means(
        ARMS, lambda one: thresholds.recalls(one, 0.1) @ (one.sizes / one.sizes.sum())
    )
    assert ours.arms == 3
    assert ours.variance == pytest.approx(expected, rel=1e-12)


def test_pooled_spread_counts_runs_that_are_only_ranked_differently_once():
    """Two arms of the same runs."""
    same = replace(ARMS[0], keys=("1", "2", "3", "4", "5"))
    study = outcomes(same, replace(same, name="again"), ARMS[1])

    assert arm_parts.pooled(study, "recall", DEFINITION) == arm_parts.pooled(
        outcomes(same, ARMS[1]), "recall", DEFINITION
    )
    assert arm_parts.pooled(outcomes(same, replace(same, name="b")), "recall", DEFINITION) is None


@pytest.mark.parametrize(("name", "arms"), [("recall", 3), ("variance", 2), ("gap", 2)])
def test_an_arm_with_a_single_group_has_no_variance_to_pool(name, arms):
    """But a recall."""
    lone = replace(
        ARMS[2],
        groups=("all",),
        sizes=np.array([8]),
        recall=ARMS[2].recall.mean(axis=1, keepdims=True),
        scores=replace(ARMS[2].scores, group=np.zeros(8, dtype=np.int64)),
    )

    assert arm_parts.pooled(outcomes(*ARMS[:2], lone), name, DEFINITION).arms == arms


def test_spread_of_a_group_is_pooled_over_the_arms_that_have_it():
    """By name: of three arms one calls its groups otherwise."""
    other = replace(ARMS[2], groups=("a", "c"))
    study = outcomes(*ARMS[:2], other)

    assert arm_parts.pooled(study, arm_parts.of_group("a"), DEFINITION).arms == 3
    assert arm_parts.pooled(study, arm_parts.of_group("b"), DEFINITION).arms == 2
    assert arm_parts.pooled(study, arm_parts.of_group("c"), DEFINITION) is None


def test_arms_without_runs_and_with_a_single_one_add_no_spread():
    """A failed arm, and one seed."""
    failed = replace(ARMS[0], name="failed", recall=np.empty((0, 2)), seeds=(), scores=None)
    study = outcomes(*ARMS[:2], failed, arm("one", noisy(9, 1)))

    assert arm_parts.pooled(study, "recall", DEFINITION).arms == 2


def test_pooled_false_positives_are_those_at_logit_0():
    """Of the arms that have photographs."""
    arms = [
        arm(name, noisy(seed), nonfaces=np.random.default_rng(seed).normal(-1, 1, (5, 10)))
        for seed, name in enumerate("xy")
    ]
    blind = replace(ARMS[2], false_positive_rate=None, nonfaces=0)
    ours = arm_parts.pooled_false_positives(outcomes(*arms, blind))

    expected = variance_about_means(arms, lambda one: one.false_positive_rate)
    assert ours.arms == 2
    assert ours.variance == pytest.approx(expected, rel=1e-12)


def test_parts_of_false_positives_by_counts_are_the_widest():
    """As if all runs detected the same photographs."""
    one = arm("x", noisy(0), nonfaces=np.random.default_rng(0).normal(-1, 1, (5, 10)))
    known, counted = (arm_parts.false_positives(each) for each in (one, replace(one, scores=None)))

    assert known.value == counted.value == pytest.approx(one.false_positive_rate.mean())
    assert known.of_photographs <= counted.of_photographs


def test_area_variance_has_the_parts_of_delong():
    """One run of two groups: the difference of areas squared times their variance.

    DeLong et al.: the variance of each group's placements over its size, plus that of the
    differences of the photographs' placements over their number. Half a portrait hardly counts
    among many.
    """
    generator = np.random.default_rng(0)
    group = np.repeat([0, 1], [400, 600])
    portraits = generator.normal(np.where(group, 1.0, 2.0), 1)[None]
    others = generator.normal(0, 1, (1, 300))
    one = replace(
        ARMS[0],
        seeds=(0,),
        sizes=np.array([400, 600]),
        recall=np.ones((1, 2)),
        scores=replace(ARMS[0].scores, portraits=portraits, group=group, nonfaces=others),
    )
    placed = [operating.placements(portraits[0, group == k], others[0]) for k in (0, 1)]
    above = [1 - operating.placements(others[0], portraits[0, group == k]) for k in (0, 1)]
    apart = placed[0].mean() - placed[1].mean()
    expected = placed[0].var() / 400 + placed[1].var() / 600
    expected += (above[0] - above[1]).var(ddof=1) / 300

    found = arm_parts.area_variance(one)
    assert found.value == pytest.approx(apart**2 / 2, rel=1e-12)
    assert found.of_photographs - found.curved == pytest.approx(apart**2 * expected, rel=0.02)


def test_logit_variance_has_the_value_of_the_shares_with_half_a_portrait():
    """Of the run-averaged recalls of both groups."""
    share = (ARMS[0].recall.mean(axis=0) * 4 + 0.5) / 5
    expected = np.log(share / (1 - share)).var(ddof=1)

    assert arm_parts.logit_variance(ARMS[0]).value == pytest.approx(expected, rel=1e-12)


def test_the_common_spread_redraws_no_photographs(monkeypatch):
    """It is that of the runs; thresholds are redrawn for an arm's own interval alone."""

    def fail(*_, **__):
        raise AssertionError("photographs were redrawn for the spread between runs")

    monkeypatch.setattr(arm_parts.redrawn, "statistic", fail)
    fresh = outcomes(*(arm(name, noisy(seed)) for seed, name in enumerate("xyz")))

    assert arm_parts.pooled(fresh, "recall", DEFINITION, 0.2) is not None
