"""What equal groups give by chance: published percentage points, exact forms, limits."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from repro.stats import chance
from repro.stats.chance import EqualGroups, homogeneity, law
from repro.stats.noise import noise_floor

PPB = (318, 271, 386, 295)
TEN = (200,) * 10
# (runs, correlation, recall): 95 % points of the variance (ddof 0, percent squared) and of the gap
# (points), 5 % point of the worst group (percent); by simulation of counts.
POINTS = {
    (1, 1.0, 0.9): (5.66, 6.18, 85.98),
    (1, 1.0, 0.924): (4.40, 5.44, 88.85),
    (1, 1.0, 0.95): (3.00, 4.50, 92.14),
    (1, 1.0, 0.99): (0.634, 2.05, 97.48),
    (5, 0.5, 0.9): (3.41, 4.79, 86.91),
    (5, 0.5, 0.924): (2.65, 4.23, 89.66),
    (5, 0.5, 0.95): (1.79, 3.48, 92.70),
    (5, 0.5, 0.99): (0.387, 1.60, 97.86),
    (5, 0.0, 0.9): (1.14, 2.77, 88.26),
    (5, 0.0, 0.924): (0.88, 2.44, 90.86),
    (5, 0.0, 0.95): (0.60, 2.01, 93.72),
    (5, 0.0, 0.99): (0.125, 0.92, 98.38),
}
# Mean and variance (squared fraction) of ten groups of 200 in three runs, and p from correlation 1
# to 0 if the variance is each run's (ddof 0), then averaged.
TEN_GROUPS = {
    (0.9982, 0.875e-5): (0.41, 0.37),
    (0.9980, 1.083e-5): (0.38, 0.26),
    (0.9970, 1.217e-5): (0.41, 0.56),
    (0.9977, 0.950e-5): (0.54, 0.47),
    (0.9975, 1.275e-5): (0.27, 0.31),
}


def ppb(recall, runs=1, correlation=1.0):
    """The Pilot Parliaments Benchmark, groups alike."""
    return EqualGroups(recall=recall, sizes=PPB, runs=runs, correlation=correlation)


@pytest.mark.parametrize(("made", "points"), POINTS.items(), ids=str)
def test_points_of_equal_groups(made, points):
    """Within the error of two simulations: 3 % of variances, 2 % of gaps, 0.1 points."""
    runs, correlation, recall = made
    groups = ppb(recall, runs, correlation)
    variance, gap, worst = points

    assert 1e4 * law(groups, "variance").upper(0.95) == pytest.approx(variance, rel=0.035)
    assert 100 * law(groups, "gap").upper(0.95) == pytest.approx(gap, rel=0.02)
    assert 100 - 100 * law(groups, "worst").upper(0.95) == pytest.approx(worst, abs=0.1)


@pytest.mark.parametrize(("printed", "p"), TEN_GROUPS.items(), ids=str)
def test_ten_groups_near_all_right_show_what_chance_gives(printed, p):
    """A variance of each run, then averaged, in few values."""
    recall, variance = printed
    for correlation, expected in zip((1.0, 0.0), p, strict=True):
        groups = EqualGroups(recall=recall, sizes=TEN, runs=3, correlation=correlation)
        found = law(groups, "variance", order="last").tail(variance - 0.0005e-5)

        assert found == pytest.approx(expected, abs=0.045)


def test_ten_groups_would_differ_if_independent_runs_had_been_averaged_first():
    """The same numbers, another verdict: p .002 to .010, and .12 to .23 at correlation .5."""
    tails = {
        correlation: [
            law(
                EqualGroups(recall=recall, sizes=TEN, runs=3, correlation=correlation), "variance"
            ).tail(variance - 0.0005e-5)
            for recall, variance in TEN_GROUPS
        ]
        for correlation in (0.0, 0.5)
    }

    assert all(0.001 <= p <= 0.0125 for p in tails[0.0])
    assert all(0.1 <= p <= 0.25 for p in tails[0.5])


def test_expected_variance_is_the_noise_floor():
    """1.69 percent squared for PPB at 92.4 %, and a third more with ddof 1."""
    for ddof in (0, 1):
        found = chance.expected_variance(ppb(0.924), ddof=ddof, order="first")

        assert found == pytest.approx(noise_floor(0.924, PPB, ddof).variance)


@pytest.mark.parametrize(("correlation", "shared"), [(1.0, 1.0), (0.5, 0.6), (0.0, 0.2)])
def test_averaging_removes_what_runs_do_not_share(correlation, shared):
    """To rho + (1 - rho) / R for averages; not for the mean of single runs' variances."""
    one, five = ppb(0.924), ppb(0.924, 5, correlation)

    for order, share in (("first", shared), ("last", 1.0)):
        found = chance.expected_variance(five, ddof=0, order=order)
        plain = chance.expected_variance(one, ddof=0, order="first")
        assert found == pytest.approx(share * plain)


@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_drawn_counts_and_chi_squared_agree_where_counts_are_large(order, correlation):
    """Mean within 3 %, 95 % point within 4 %."""
    groups = ppb(0.924, 5, correlation)
    closed = law(groups, "variance", ddof=1, order=order)
    drawn = chance.Drawn(chance._counted(groups, "variance", 1, order))

    assert drawn.mean == pytest.approx(closed.mean, rel=0.03)
    assert drawn.upper(0.95) == pytest.approx(closed.upper(0.95), rel=0.04)


def test_normal_gaps_and_drawn_ones_agree_where_counts_are_large():
    """Also of single runs that are averaged afterwards."""
    for order in ("first", "last"):
        groups = ppb(0.9, 3, 0.5)
        drawn = chance.Drawn(chance._counted(groups, "gap", 0, order))

        assert law(groups, "gap", order=order).upper(0.95) == pytest.approx(
            drawn.upper(0.95), rel=0.02
        )


def test_chi_squared_of_equal_sizes_has_one_degree_less_than_groups():
    """V (K - 1) / E V."""
    found = law(EqualGroups(recall=0.5, sizes=(100,) * 4), "variance", ddof=1)

    assert found.degrees == pytest.approx(3)
    assert found.tail(0.0025 * stats.chi2.isf(0.05, 3) / 3) == pytest.approx(0.05)


def test_worst_of_two_small_groups_is_exact():
    """Every pair of counts of 3 and 2 portraits at p = 1/2."""
    found = law(EqualGroups(recall=0.5, sizes=(3, 2)), "worst")
    misses = [
        (max(a / 3, b / 2), stats.binom.pmf(a, 3, 0.5) * stats.binom.pmf(b, 2, 0.5))
        for a, b in itertools.product(range(4), range(3))
    ]

    for value in (1 / 3, 0.5, 2 / 3, 1.0):
        expected = sum(p for most, p in misses if most >= value - 1e-12)
        assert found.tail(value) == pytest.approx(expected)
    assert found.mean == pytest.approx(sum(p * most for most, p in misses), abs=1e-4)
    assert found.upper(0.6) == pytest.approx(2 / 3)


def test_ties_count():
    """The probability of at least the smallest possible variance above 0 holds that value."""
    groups = EqualGroups(recall=0.995, sizes=(10, 10))
    found = law(groups, "variance")
    one_miss = 0.1**2 / 4
    some = 1 - sum(stats.binom.pmf(k, 10, 0.995) ** 2 for k in range(11))

    assert found.tail(one_miss) == pytest.approx(some, abs=0.01)
    assert found.tail(one_miss * 1.001) < 0.01


def test_groups_without_misses_do_not_vary():
    """Nothing is as large as a variance above 0."""
    found = law(EqualGroups(recall=1.0, sizes=PPB), "variance")

    assert (found.mean, found.upper(0.95), found.tail(0.0)) == (0.0, 0.0, 1.0)
    assert found.tail(1e-6) == pytest.approx(1e-4)


def test_the_number_of_runs_makes_no_difference_if_they_miss_the_same_portraits():
    """One run or ten."""
    one, ten = law(ppb(0.99), "gap"), law(ppb(0.99, 10, 1.0), "gap", order="last")

    assert one.upper(0.95) == ten.upper(0.95)


def test_keeping_the_best_runs_by_pooled_recall_changes_no_variance():
    """Best 3 of 5 independent runs: as any 3 of the same recall."""
    generator = np.random.default_rng(1)
    sizes = np.array(PPB)
    recall = generator.binomial(sizes, 0.924, (20_000, 5, 4)) / sizes
    order = np.argsort(-(recall @ sizes), axis=1)[:, :3]
    kept = np.take_along_axis(recall, order[:, :, None], axis=1).mean(axis=1)

    found = law(ppb(float((kept @ sizes).mean() / sizes.sum()), 3, 0.0), "variance")
    assert 1e4 * kept.var(axis=1).mean() == pytest.approx(1e4 * found.mean, rel=0.03)
    assert np.quantile(kept.var(axis=1), 0.95) == pytest.approx(found.upper(0.95), rel=0.04)


def test_a_law_is_drawn_from_a_fixed_seed():
    """The same audit twice prints the same p."""
    chance._counted.cache_clear()
    one = law(ppb(0.99), "variance").tail(5e-5)
    chance._counted.cache_clear()

    assert law(ppb(0.99), "variance").tail(5e-5) == one


# Whether groups differ


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((20.8, 6.0, 1.7, 0.0), 131),
        ((34.5, 0.7, 9.8, 0.8), 246),
        ((34.7, 12.0, 7.1, 0.3), 187),
    ],
)
def test_gender_shades_groups_differ(errors, expected):
    """Three companies, printed shares; p below 1e-27."""
    shares, sizes = np.array(errors) / 100, (271, 318, 296, 385)
    found = homogeneity(shares, sizes)

    assert (found.degrees, found.p < 1e-27) == (3, True)
    assert found.statistic == pytest.approx(expected, abs=1.7)


def test_the_statistic_is_that_of_a_table_of_counts():
    """SciPy's, of right and wrong answers."""
    right, sizes = np.array([250, 290, 380, 280]), (271, 318, 386, 295)
    found = homogeneity(right / sizes, sizes)
    expected = stats.chi2_contingency([right, np.array(sizes) - right], correction=False)

    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue)


def test_runs_on_the_same_portraits_count_as_few_as_they_are_alike():
    """R_eff = R / (1 + (R - 1) rho): 1, 5 / 3 and 5."""
    shares = np.array([0.90, 0.92, 0.95, 0.93])
    one = homogeneity(shares, PPB).statistic

    for correlation, effective in ((1.0, 1.0), (0.5, 5 / 3), (0.0, 5.0)):
        found = homogeneity(shares, PPB, runs=5, correlation=correlation)
        assert found.statistic == pytest.approx(effective * one, rel=1e-3)


def test_few_misses_are_dealt():
    """All three in one of four groups of 100: 4 C(100, 3) / C(400, 3); chi-squared says .028."""
    found = homogeneity(np.array([0.97, 1.0, 1.0, 1.0]), (100,) * 4)

    assert found.statistic == pytest.approx(9.068, abs=0.001)
    assert found.p == pytest.approx(4 * math.comb(100, 3) / math.comb(400, 3), abs=0.008)


def test_groups_with_every_answer_right_do_not_differ():
    """There is nothing to test."""
    assert homogeneity(np.ones(4), PPB).p == 1.0


@pytest.mark.parametrize(("recall", "correlation"), [(0.924, 1.0), (0.924, 0.5), (0.99, 1.0)])
def test_equal_groups_are_seldom_told_apart(recall, correlation):
    """At most 5 % at the true correlation, within the error of 2,000 tables."""
    groups = ppb(recall, 5, correlation)
    shares = chance.average_shares(groups)[:2000]
    p = [homogeneity(one, PPB, runs=5, correlation=correlation).p for one in shares]

    assert np.mean(np.array(p) <= 0.05) <= 0.065
