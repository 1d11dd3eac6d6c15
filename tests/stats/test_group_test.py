"""Whether the groups of an arm differ: totals, sizes, exact probabilities, level."""

from itertools import combinations, permutations
from math import comb

import numpy as np
import pytest
from scipy import stats as scipy_stats

from repro.stats import group_test

SIZES = np.array([30, 40, 50])
GROUP = np.repeat([0, 1, 2], SIZES)


def differ(detected, group, *, draws=2_000, **options):
    """The p-value with few deals."""
    groups = int(group.max()) + 1
    return group_test.groups_differ(
        np.asarray(detected, dtype=np.float64), group, groups, draws=draws, **options
    ).p


def test_groups_with_equal_recall_have_p_1():
    """All deals have at least the variance 0, rounding included: 3 of 30, 4 of 40 and 5 of 50."""
    missed = np.concatenate([np.arange(n) < n // 10 for n in SIZES])

    assert differ(np.tile(1.0 - missed, (5, 1)), GROUP) == 1


@pytest.mark.parametrize("draws", [99, 9_999])
def test_very_different_groups_have_the_smallest_p(draws):
    """Everyone in two groups is detected and no one in the third: no deal comes near."""
    detected = np.tile(GROUP < 2, (5, 1)).astype(np.float64)
    found = group_test.groups_differ(detected, GROUP, 3, draws=draws)

    assert found.p == found.attainable == pytest.approx(1 / (draws + 1))


def test_p_is_that_of_all_deals_of_a_tiny_case():
    """One run detects 4 of 10 portraits; groups of 3 and 7; four standard errors."""
    detected = np.array([[0.0] * 3 + [1] * 4 + [0] * 3])
    observed = (0 / 3 - 4 / 7) ** 2
    exact = sum(
        comb(3, k) * comb(7, 4 - k) / comb(10, 4)
        for k in range(4)
        if (k / 3 - (4 - k) / 7) ** 2 >= observed - 1e-12
    )

    ours = differ(detected, np.repeat([0, 1], [3, 7]), draws=50_000)
    assert ours == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 50_000))


def test_p_is_that_of_all_permutations_of_repeated_runs():
    """Two runs: each portrait is dealt with its detections in both.

    The seeds' part is 0 here: in each group each run misses one that the other does not.
    """
    detected = np.array([[1.0, 0, 1, 1, 0, 0, 1], [0, 1, 1, 1, 1, 0, 0]])
    group = np.array([0, 0, 0, 1, 1, 1, 1])
    assert group_test.mean_squares(detected, group, 2)[0] == pytest.approx(0, abs=1e-30)
    times = detected.sum(axis=0)

    def variance(first):
        rest = [i for i in range(7) if i not in first]
        return np.var([times[list(first)].mean() / 2, times[rest].mean() / 2])

    dealt = np.array([variance(first) for first in combinations(range(7), 3)])
    exact = np.mean(dealt >= variance((0, 1, 2)) - 1e-12)

    ours = differ(detected, group, draws=50_000)
    assert ours == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 50_000))


def test_p_of_two_equal_portraits_is_that_of_permutations():
    """Three groups of one or two: all 5! orders."""
    times = np.array([1.0, 0, 1, 1, 0])
    group = np.array([0, 1, 1, 2, 2])

    def variance(order):
        return np.var([order[0], (order[1] + order[2]) / 2, (order[3] + order[4]) / 2])

    dealt = np.array([variance(order) for order in permutations(times)])
    exact = np.mean(dealt >= variance(times) - 1e-12)

    ours = differ(times[None], group, draws=50_000)
    assert ours == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 50_000))


def test_same_seed_gives_the_same_p():
    """And another seed another one, close by."""
    detected = np.random.default_rng(1).integers(0, 2, (5, len(GROUP)))
    first, again, other = (differ(detected, GROUP, seed=seed) for seed in (1, 1, 2))

    assert first == again != other
    assert first == pytest.approx(other, abs=0.05)


def test_order_of_the_portraits_does_not_matter():
    """Nor that of the runs: the same p to the last digit."""
    generator = np.random.default_rng(2)
    detected = generator.integers(0, 2, (5, len(GROUP)))
    order, runs = generator.permutation(len(GROUP)), generator.permutation(5)

    shuffled = differ(detected[runs][:, order], GROUP[order])
    assert shuffled == pytest.approx(differ(detected, GROUP), abs=1e-12)


@pytest.mark.parametrize("groups", [0, 1])
def test_a_single_group_has_no_p(groups):
    """It differs from no other."""
    found = group_test.groups_differ(np.ones((3, groups)), np.zeros(groups, dtype=int), groups)

    assert np.isnan(found.p)
    assert np.isnan(found.attainable)


def test_deals_keep_the_totals_and_the_sizes():
    """Every portrait goes to one group, with its detections in all runs."""
    counts = np.array([5, 0, 7, 8])  # portraits that 0, 1, 2 and 3 runs detect
    dealt = group_test._dealt(np.random.default_rng(0), counts, np.array([3, 9, 8]), 500)

    assert (dealt.sum(axis=1) == 7 * 2 + 8 * 3).all()
    assert (dealt <= 3 * np.array([3, 9, 8])).all()
    assert (dealt >= 0).all()


def test_deals_have_the_means_and_variances_of_sampling_without_replacement():
    """20,000 deals: the mean within four standard errors, the variance within 5 %."""
    counts, sizes = np.array([5, 0, 7, 8]), np.array([3, 9, 8])
    values = np.repeat(np.arange(4), counts)
    dealt = group_test._dealt(np.random.default_rng(0), counts, sizes, 20_000)
    variance = sizes * (20 - sizes) / 19 * values.var()

    np.testing.assert_allclose(dealt.var(axis=0), variance, rtol=0.05)
    error = np.abs(dealt.mean(axis=0) - sizes * values.mean())
    assert (error < 4 * np.sqrt(variance / 20_000)).all()


def test_deals_of_two_groups_are_hypergeometric():
    """Against SciPy's probabilities, four standard errors."""
    dealt = group_test._dealt(
        np.random.default_rng(0), np.array([12, 8]), np.array([5, 15]), 20_000
    )
    expected = scipy_stats.hypergeom(20, 8, 5).pmf(np.arange(6))
    seen = np.bincount(dealt[:, 0].astype(int), minlength=6) / 20_000

    assert (np.abs(seen - expected) < 4 * np.sqrt(expected * (1 - expected) / 20_000)).all()


def test_mean_squares_of_a_hand_worked_case():
    """Run 1 finds all of group a and half of b, run 2 the reverse, of two portraits each.

    Recalls 1, .5 and .5, 1: interactions are .25 to either side, .25 over one degree of freedom.
    Portraits deviate within a group and run by .25 to either side: .25 over one degree of freedom
    in each group; divided by the size 2 that is .125.
    """
    detected = np.array([[1.0, 1, 1, 0], [1, 0, 1, 1]])

    ours = group_test.mean_squares(detected, np.array([0, 0, 1, 1]), 2)
    assert ours == pytest.approx((0.25, 0.125), abs=1e-15)


def test_difference_of_the_mean_squares_is_the_variance_between_seeds():
    """Scores with a seed's effect of .03 on each group, and runs and portraits besides."""
    generator, found = np.random.default_rng(0), []
    sizes = np.array([60, 80, 100, 70])
    group = np.repeat(range(4), sizes)
    for _ in range(2_000):
        scores = (
            generator.normal(0, 0.05, (5, 1))
            + generator.normal(0, 0.03, (5, 4))[:, group]
            + generator.normal(0, 0.2, len(group))
            + generator.normal(0, 0.1, (5, len(group)))
        )
        by_group, by_portrait = group_test.mean_squares(scores, group, 4)
        found.append(by_group - by_portrait)

    assert np.mean(found) == pytest.approx(0.03**2, abs=4 * np.std(found) / np.sqrt(2_000))


def test_seeds_add_nothing_where_all_runs_agree():
    """Then nothing shows that other seeds would find other portraits."""
    detected = np.tile(np.random.default_rng(3).integers(0, 2, len(GROUP)), (5, 1)).astype(float)

    added = group_test._seeds(np.random.default_rng(0), detected, GROUP, 3, 100)
    assert np.abs(added).max() < 1e-12


def test_seeds_add_a_t_distributed_term_where_portraits_are_many():
    """Five runs and three groups: 8 degrees of freedom, the variance of one run over five."""
    group = np.repeat([0, 1, 2], 2_000)
    generator = np.random.default_rng(4)
    scores = generator.normal(0, 0.3, (5, 3))[:, group] + generator.normal(0, 0.1, (5, len(group)))
    scale = np.sqrt(group_test.mean_squares(scores, group, 3)[0] / 5)
    added = group_test._seeds(np.random.default_rng(0), scores, group, 3, 20_000)

    for column in added.T:
        assert scipy_stats.kstest(column / scale, scipy_stats.t(8).cdf).pvalue > 0.001
        assert (column / scale).var() == pytest.approx(8 / 6, rel=0.05)  # 1.5 with 6 degrees
