from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import stats as scipy_stats

from repro.stats import comparisons, intervals, trends

LAW = settings(deadline=None, derandomize=True)
A = np.array([0.93, 0.91, 0.95, 0.9, 0.92])
B = np.array([0.9, 0.92, 0.91, 0.88, 0.86])
SHORT = np.array([0.9, 0.85, 0.7])
FEW_TIES = st_numpy.arrays(np.float64, 5, elements=st.integers(0, 6).map(lambda n: n / 8))


def sign_flip_by_scipy(differences):
    """SciPy's exact permutation test of one sample's signs, two-sided on the absolute mean."""
    return scipy_stats.permutation_test(
        (differences,),
        lambda x, axis: np.abs(x.mean(axis=axis)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative="greater",
    ).pvalue


def permutation_by_scipy(a, b):
    """SciPy's exact permutation test of two samples, two-sided on the absolute difference."""
    return scipy_stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.abs(x.mean(axis=axis) - y.mean(axis=axis)),
        permutation_type="independent",
        vectorized=True,
        n_resamples=np.inf,
        alternative="greater",
    ).pvalue


def drawn_and_limit(monkeypatch, test, *samples):
    """A test's p from drawn arrangements and from their limit law."""
    limit = test(*samples)
    monkeypatch.setattr(comparisons, "MANY", 10**9)
    return test(*samples), limit


def error_of_draws(p, draws):
    """Four standard errors of a p-value from that many draws, and what a limit may add."""
    return 4 * np.sqrt(p * (1 - p) / draws) + 0.003


def holm_by_closure(p):
    """Closed testing with Bonferroni's test of each intersection, over all subsets."""
    places = range(len(p))
    subsets = [s for size in range(1, len(p) + 1) for s in combinations(places, size)]
    return [max(min(1, len(s) * min(p[j] for j in s)) for s in subsets if i in s) for i in places]


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_paired_difference_has_the_interval_of_scipy(level):
    """Student's paired t to 1e-12."""
    expected = scipy_stats.ttest_rel(A, B).confidence_interval(level)
    ours = comparisons.paired_difference(A, B, level=level).interval

    assert ours == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_paired_difference_has_the_p_of_scipy():
    """Student's paired t to 1e-12."""
    expected = scipy_stats.ttest_rel(A, B).pvalue

    assert comparisons.paired_difference(A, B).p == pytest.approx(expected, abs=1e-12)


def test_paired_difference_has_the_mean_of_the_differences():
    """First arm less second: 0.03, -0.01, 0.04, 0.02 and 0.06."""
    assert comparisons.paired_difference(A, B).mean == pytest.approx(0.028, abs=1e-12)


def test_paired_difference_has_the_correlation_of_scipy():
    """Whether pairing gained anything."""
    expected = scipy_stats.pearsonr(A, B).statistic

    assert comparisons.paired_difference(A, B).correlation == pytest.approx(expected, abs=1e-12)


def test_paired_difference_refuses_unequal_arms():
    """A seed without a partner is no pair."""
    with pytest.raises(ValueError, match=r"shapes differ: a \(5,\), b \(3,\)"):
        comparisons.paired_difference(A, SHORT)


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("b", [B, SHORT], ids=["equal", "unequal"])
def test_welch_difference_has_the_interval_of_scipy(b, level):
    """Welch's t with Satterthwaite's degrees of freedom to 1e-12."""
    expected = scipy_stats.ttest_ind(A, b, equal_var=False).confidence_interval(level)
    ours = comparisons.welch_difference(A, b, level=level).interval

    assert ours == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("b", [B, SHORT], ids=["equal", "unequal"])
def test_welch_difference_has_the_p_of_scipy(b):
    """Welch's t to 1e-12."""
    expected = scipy_stats.ttest_ind(A, b, equal_var=False).pvalue

    assert comparisons.welch_difference(A, b).p == pytest.approx(expected, abs=1e-12)


def test_welch_difference_has_no_correlation():
    """Without pairs there is none."""
    assert np.isnan(comparisons.welch_difference(A, B).correlation)


t_tests = pytest.mark.parametrize(
    "difference", [comparisons.paired_difference, comparisons.welch_difference]
)


@t_tests
def test_difference_of_single_runs_is_nowhere(difference):
    """One run each shows a difference, but not how far it is to be trusted."""
    ours = difference(A[:1], B[:1])

    assert np.isnan([*ours.interval, ours.p]).all()


@t_tests
def test_difference_of_single_runs_is_still_the_difference(difference):
    """The estimate itself needs no spread."""
    assert difference(A[:1], B[:1]).mean == pytest.approx(0.03, abs=1e-12)


@t_tests
@pytest.mark.parametrize(("other", "p"), [(0.5, 1.0), (0.75, np.nan)])
def test_difference_without_variation_has_no_interval(difference, other, p):
    """Equal runs do not say how far others are; only a difference of nothing is no evidence."""
    ours = difference(np.full(5, 0.5), np.full(5, other))

    assert ours.mean == 0.5 - other
    assert ours.p == pytest.approx(p, nan_ok=True)
    assert np.isnan(ours.interval).all()


@t_tests
@LAW
@given(FEW_TIES, FEW_TIES)
def test_difference_changes_its_sign_with_the_order_of_arms(difference, a, b):
    """The same evidence, read from the other side."""
    low, high = difference(b, a).interval

    assert difference(a, b).interval == pytest.approx((-high, -low), abs=1e-12, nan_ok=True)


@t_tests
@LAW
@given(FEW_TIES, FEW_TIES)
def test_difference_has_a_small_p_exactly_when_none_lies_outside(difference, a, b):
    """P < 5 % when the 95 % interval excludes 0: both come from one test."""
    ours = difference(a, b)

    assert (
        np.isnan(ours.interval.low)
        or abs(ours.p - 0.05) < 1e-9
        or (ours.p < 0.05) == (0 not in ours.interval)
    )


def test_hedges_g_of_a_hand_worked_case():
    """Means 1 apart, pooled variance 2.5: 0.9032 of sqrt(0.4) for five against five."""
    a, b = np.arange(2.0, 7), np.arange(1.0, 6)

    g, _ = comparisons.hedges_g(a, b)
    assert g == pytest.approx((1 - 3 / 31) * np.sqrt(0.4), abs=1e-12)


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("b", [B, SHORT], ids=["equal", "unequal"])
def test_hedges_g_has_the_interval_of_the_noncentral_t(b, level):
    """At its ends SciPy's distribution leaves half the rest above and below the seen t."""
    t = scipy_stats.ttest_ind(A, b)
    scale = np.sqrt(len(A) * len(b) / (len(A) + len(b)))
    _, ends = comparisons.hedges_g(A, b, level=level)
    noncentral = np.array(ends) / (1 - 3 / (4 * t.df - 1)) * scale

    tails = scipy_stats.nct.cdf(t.statistic, t.df, noncentral)
    np.testing.assert_allclose(tails, [0.5 + level / 2, 0.5 - level / 2], atol=1e-7)


def test_hedges_g_has_the_same_sign_as_scipys_t():
    """First arm less second."""
    g, _ = comparisons.hedges_g(B, A)

    assert np.sign(g) == np.sign(scipy_stats.ttest_ind(B, A).statistic)


def test_hedges_g_of_equal_arms_lies_in_the_middle_of_its_interval():
    """The noncentral t is symmetric about no effect."""
    g, (low, high) = comparisons.hedges_g(A, A)

    assert (g, low) == pytest.approx((0, -high), abs=1e-7)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (A[:1], B),
        (A, B[:1]),
        (np.full(5, 0.5), np.full(5, 0.75)),
        (np.full(3, 0.1), np.full(3, 0.3)),
    ],
    ids=["single", "against a single", "no variation", "no variation, rounded"],
)
def test_hedges_g_is_nowhere_without_spread(a, b):
    """A difference in units of nothing; the mean of three times 0.1 is rounded."""
    g, interval = comparisons.hedges_g(a, b)

    assert np.isnan([g, *interval]).all()


def test_superiority_counts_ties_as_halves():
    """Two wins, one tie and one loss: 2.5 of 4."""
    share, _ = comparisons.superiority(np.array([2.0, 2, 1, 0]), np.array([1.0, 1, 1, 1]))

    assert share == 2.5 / 4


def test_superiority_has_wilsons_interval():
    """Four wins of five."""
    _, interval = comparisons.superiority(A, B)

    assert interval == pytest.approx(intervals.wilson(4, 5))


@LAW
@given(FEW_TIES, FEW_TIES)
def test_superiority_of_either_arm_adds_up(a, b):
    """P(A > B) + P(B > A) = 1, ties shared."""
    assert comparisons.superiority(a, b)[0] + comparisons.superiority(b, a)[0] == 1


def test_superiority_refuses_unequal_arms():
    """A seed without a partner is no pair."""
    with pytest.raises(ValueError, match=r"shapes differ: a \(5,\), b \(3,\)"):
        comparisons.superiority(A, SHORT)


@pytest.mark.parametrize("shift", [0.02, 0.06, 0.12])
def test_sign_flip_of_very_many_runs_is_the_limit_of_drawn_ones(monkeypatch, shift):
    """At 500 pairs, where the limit takes over, both p-values agree within the draws' error."""
    differences = np.random.default_rng(0).normal(shift, size=comparisons.MANY)
    drawn, limit = drawn_and_limit(monkeypatch, comparisons.sign_flip, differences)

    assert limit.attainable == 0
    assert limit.p == pytest.approx(drawn.p, abs=error_of_draws(drawn.p, 200_000) / 2)


@pytest.mark.parametrize("m", [500, 700])
def test_permutation_of_very_many_runs_is_the_limit_of_drawn_ones(monkeypatch, m):
    """At 500 runs of an arm, equal arms or not."""
    generator = np.random.default_rng(m)
    a, b = generator.normal(0.1, size=comparisons.MANY), generator.normal(size=m)
    drawn, limit = drawn_and_limit(monkeypatch, comparisons.permutation, a, b)

    assert limit.attainable == 0
    assert limit.p == pytest.approx(drawn.p, abs=error_of_draws(drawn.p, 200_000) / 2)


def test_no_limit_is_taken_where_one_run_outweighs_the_others(monkeypatch):
    """One run of forty has all the difference: p is 1, where the normal law would say 0.32."""
    monkeypatch.setattr(comparisons, "MANY", 40)
    one, none = np.eye(40)[0], np.zeros(40)

    assert comparisons.sign_flip(one) == (1, 1)
    assert comparisons.permutation(one, none) == (1, pytest.approx(5e-6))


@pytest.mark.parametrize("held", [1000, 10**8])
def test_arrangements_are_the_same_however_many_are_held_at_a_time(monkeypatch, held):
    """Memory is bounded, not what is drawn."""
    a, b = np.random.default_rng(1).normal(size=(2, 20))
    order, block = np.repeat(np.arange(4), 5), np.tile(np.arange(5), 4)
    tests = (
        lambda: comparisons.sign_flip(a - b),
        lambda: comparisons.permutation(a, b),
        lambda: trends.jonckheere(a, order, block=block).test,
    )
    expected = [test() for test in tests]
    monkeypatch.setattr(comparisons, "AT_ONCE", held)
    for kept in (comparisons._flips, comparisons._deals, trends._kept_shuffles):
        kept.cache_clear()

    assert [test() for test in tests] == expected


def test_many_runs_are_dealt_as_they_always_were():
    """The runs with the smallest of random keys, a row of keys for each deal."""
    a, b = np.random.default_rng(2).normal([[0.5], [0.0]], size=(2, 12))
    generator = np.random.default_rng([comparisons.SEED, 24, 12])
    picks = generator.random((200_000, 24)).argsort(axis=1)[:, :12]
    picks[0] = np.arange(12)
    sums = np.concatenate([a, b])[picks].sum(axis=1)
    gaps = np.abs(2 * sums - a.sum() - b.sum()) / 12
    expected = np.mean(gaps >= abs(a.mean() - b.mean()) - 1e-12)

    assert comparisons.permutation(a, b).p == expected


@pytest.mark.parametrize("n", [2, 5, 8, 11])
def test_sign_flip_matches_scipy(n):
    """All 2^n signs, enumerated by SciPy."""
    differences = np.random.default_rng(n).normal(0.5, size=n)

    expected = sign_flip_by_scipy(differences)
    assert comparisons.sign_flip(differences).p == pytest.approx(expected, abs=1e-12)


@LAW
@given(FEW_TIES, FEW_TIES)
def test_sign_flip_matches_brute_force_with_ties(a, b):
    """Differences of nothing and of equal size."""
    differences = a - b
    sums = [abs(np.dot(signs, differences)) for signs in product([-1, 1], repeat=5)]
    expected = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-12)

    assert comparisons.sign_flip(differences).p == pytest.approx(expected, abs=1e-12)


def test_sign_flip_of_five_runs_ends_at_two_of_thirty_two():
    """All five agree, and yet five percent is out of reach."""
    assert comparisons.sign_flip(np.ones(5)) == (2 / 32, 2 / 32)


@pytest.mark.parametrize("n", [20, 40])
def test_sign_flip_of_many_runs_agrees_with_students_t(n):
    """Beyond enumeration, signs are drawn; for normal values the t test is close."""
    differences = np.random.default_rng(n).normal(0.4, size=n)

    expected = scipy_stats.ttest_1samp(differences, 0).pvalue
    assert comparisons.sign_flip(differences).p == pytest.approx(expected, abs=0.01)


def test_sign_flip_without_differences_is_no_evidence():
    """Every arrangement is as large as the one seen."""
    assert comparisons.sign_flip(np.zeros(5)).p == 1


def test_sign_flip_of_many_runs_is_the_same_each_time():
    """Drawn from a fixed seed."""
    differences = np.random.default_rng(0).normal(0.3, size=25)

    assert repr(comparisons.sign_flip(differences)) == repr(comparisons.sign_flip(differences))


@pytest.mark.parametrize(("n", "m"), [(2, 2), (2, 5), (5, 3), (5, 5), (7, 6)])
def test_permutation_matches_scipy(n, m):
    """All arrangements, enumerated by SciPy."""
    generator = np.random.default_rng([n, m])
    a, b = generator.normal(1, size=n), generator.normal(size=m)

    expected = permutation_by_scipy(a, b)
    assert comparisons.permutation(a, b).p == pytest.approx(expected, abs=1e-12)


@LAW
@given(FEW_TIES, FEW_TIES)
def test_permutation_matches_brute_force_with_ties(a, b):
    """Equal runs in either arm."""
    pooled = np.concatenate([a, b])
    sums = [pooled[list(picked)].sum() for picked in combinations(range(10), 5)]
    gaps = np.abs(2 * np.array(sums) - pooled.sum()) / 5
    expected = np.mean(gaps >= abs(a.mean() - b.mean()) - 1e-12)

    assert comparisons.permutation(a, b).p == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("n", "m", "expected"), [(5, 5, 2 / 252), (4, 4, 2 / 70), (1, 4, 1 / 5)])
def test_permutation_of_separate_arms_ends_where_it_says(n, m, expected):
    """Equal arms can be mirrored, unequal ones cannot: the extreme is met twice or once."""
    assert comparisons.permutation(np.arange(n) + 100.0, np.arange(m) / 10) == pytest.approx(
        (expected, expected), abs=1e-15
    )


def test_permutation_of_equal_arms_is_no_evidence():
    """Every arrangement is as large as the one seen."""
    assert comparisons.permutation(np.full(5, 0.5), np.full(5, 0.5)).p == 1


def test_permutation_of_many_runs_agrees_with_students_t():
    """Beyond enumeration, arrangements are drawn; for normal values the t test is close."""
    a, b = np.random.default_rng(3).normal([[0.6], [0.0]], size=(2, 20))

    expected = scipy_stats.ttest_ind(a, b).pvalue
    assert comparisons.permutation(a, b).p == pytest.approx(expected, abs=0.01)


def test_permutation_of_many_runs_is_the_same_each_time():
    """Drawn from a fixed seed."""
    a, b = np.random.default_rng(0).normal(size=(2, 12))

    assert repr(comparisons.permutation(a, b)) == repr(comparisons.permutation(a, b))


@pytest.mark.parametrize(
    "test",
    [
        lambda: comparisons.sign_flip(np.ones(5)),
        lambda: comparisons.sign_flip(np.ones(17)),
        lambda: comparisons.sign_flip(np.ones(20)),
        lambda: comparisons.permutation(np.arange(5.0), np.arange(5.0) + 10),
        lambda: comparisons.permutation(np.arange(15.0), np.arange(15.0) + 100),
        lambda: comparisons.permutation(np.arange(12.0), np.arange(15.0) + 100),
        lambda: trends.jonckheere(np.arange(6.0), np.repeat([0, 1], 3)).test,
        lambda: trends.jonckheere(np.arange(8.0), np.repeat([0, 1], 4)).test,
        lambda: trends.jonckheere(np.arange(10.0), np.repeat([0, 1], 5)).test,
        lambda: trends.jonckheere(np.arange(25.0), np.repeat(np.arange(5), 5)).test,
    ],
    ids=[
        "sign flip of 5",
        "sign flip of 17",
        "sign flip of 20",
        "permutation of 5 and 5",
        "permutation of 15 and 15",
        "permutation of 12 and 15",
        "trend of 3 and 3",
        "trend of 4 and 4",
        "trend of 5 and 5",
        "trend of 5 arms",
    ],
)
def test_exact_test_never_comes_below_what_it_can_reach(test):
    """The strongest evidence there can be: p is at least what is called attainable."""
    p, attainable = test()

    assert p >= attainable * (1 - 1e-9)


def test_holm_of_a_hand_worked_family():
    """Sorted .005, .01, .03, .04 times 4, 3, 2, 1; the last is lifted to the one before."""
    assert comparisons.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


families = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@LAW
@given(families)
def test_holm_is_the_closure_of_bonferroni(p):
    """All subsets of the family, each tested by Bonferroni."""
    assert comparisons.holm(p) == pytest.approx(holm_by_closure(p), abs=1e-15)


@LAW
@given(families)
def test_holm_never_makes_a_p_smaller(p):
    """Nor larger than 1."""
    assert all(before <= after <= 1 for before, after in zip(p, comparisons.holm(p), strict=True))


@LAW
@given(families)
def test_holm_keeps_the_order(p):
    """A smaller p stays no larger than its neighbour."""
    adjusted = np.array(comparisons.holm(p))[np.argsort(p, kind="stable")]

    assert (np.diff(adjusted) >= 0).all()


def test_holm_counts_what_could_not_be_tested():
    """NaN stays NaN and is a member: a failed arm must not lower the p-values of the others."""
    nan = float("nan")

    assert comparisons.holm([nan, 0.03, nan, 0.01]) == pytest.approx(
        [nan, 0.09, nan, 0.04], nan_ok=True
    )


@LAW
@given(families, st.integers(0, 4))
def test_holm_of_tests_not_made_is_that_of_p_of_one(p, failed):
    """The closure of a family in which they are no evidence at all."""
    expected = holm_by_closure(p + [1.0] * failed)[: len(p)]

    ours = comparisons.holm(p + [float("nan")] * failed)[: len(p)]
    assert ours == pytest.approx(expected, abs=1e-15)


def test_holm_of_no_tests_is_empty():
    """A family without members."""
    assert comparisons.holm([]) == []


@pytest.mark.parametrize("b", [B, SHORT], ids=["equal", "unequal"])
def test_variance_ratio_has_the_interval_of_the_f_distribution(b):
    """SciPy's quantiles to 1e-12."""
    ratio = np.var(A, ddof=1) / np.var(b, ddof=1)
    quantiles = scipy_stats.f.ppf([0.975, 0.025], len(A) - 1, len(b) - 1)

    _, interval = comparisons.variance_ratio(A, b)
    assert interval == pytest.approx(tuple(ratio / quantiles), rel=1e-12)


def test_variance_ratio_of_an_arm_without_spread_has_no_interval():
    """0 is what is seen; equal runs do not make it certain."""
    ratio, interval = comparisons.variance_ratio(np.full(5, 0.1), B)

    assert ratio == 0
    assert np.isnan(interval).all()


def test_variance_ratio_of_a_hand_worked_case():
    """Twice as far apart, four times the variance."""
    assert comparisons.variance_ratio(2 * A, A)[0] == pytest.approx(4, rel=1e-12)


@pytest.mark.parametrize(("n", "factor"), [(5, 9.60), (10, 4.03)])
def test_variance_ratio_has_the_printed_factor(n, factor):
    """The interval is the ratio divided and multiplied by it."""
    a, b = np.random.default_rng(0).normal(size=(2, n))
    ratio, interval = comparisons.variance_ratio(a, b)

    assert (ratio / interval.low, interval.high / ratio) == pytest.approx((factor,) * 2, abs=6e-3)


@pytest.mark.parametrize(
    ("a", "b"),
    [(A[:1], B), (A, B[:1]), (A, np.full(5, 0.5)), (A, np.full(3, 0.1))],
    ids=["single", "against a single", "no variation", "no variation, rounded"],
)
def test_variance_ratio_is_nowhere_without_spread(a, b):
    """Nothing to divide by; the mean of three times 0.1 is rounded."""
    ratio, interval = comparisons.variance_ratio(a, b)

    assert np.isnan([ratio, *interval]).all()


@pytest.mark.parametrize("b", [B, 5 * B, SHORT], ids=["equal", "wider", "unequal"])
def test_brown_forsythe_matches_scipy(b):
    """Levene's test about the medians."""
    expected = scipy_stats.levene(A, b, center="median").pvalue

    assert comparisons.brown_forsythe(A, b) == pytest.approx(expected, abs=1e-12)


def test_brown_forsythe_is_an_analysis_of_variance():
    """Of the distances from the medians, restated with SciPy's one-way F test."""
    distances = [np.abs(one - np.median(one)) for one in (A, SHORT)]
    expected = scipy_stats.f_oneway(*distances).pvalue

    assert comparisons.brown_forsythe(A, SHORT) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (A[:1], B),
        (np.full(5, 0.5), np.full(5, 0.75)),
        (np.full(3, 0.1), np.full(3, 0.3)),
        (np.array([0.9, 0.95]), np.array([0.7, 0.9])),
    ],
    ids=["single", "no variation", "no variation, rounded", "two against two"],
)
def test_brown_forsythe_is_nan_without_spread(a, b):
    """Also of two runs, which are equally far from their median, whatever they are."""
    assert np.isnan(comparisons.brown_forsythe(a, b))


@pytest.mark.parametrize("n", [1, 7, 8, 9, 20, 40])
def test_sums_of_chosen_values_are_those_of_the_matrix(n):
    """Eight at a time or all at once."""
    generator = np.random.default_rng(n)
    chosen, values = generator.integers(0, 2, (50, n)), generator.normal(size=n)
    found = comparisons._sums(np.packbits(chosen, axis=1), values)

    assert found == pytest.approx(chosen @ values, abs=1e-12)
