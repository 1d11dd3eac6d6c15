from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy import stats as scipy_stats

from repro.stats import selection

LAW = settings(deadline=None, derandomize=True)
SIZES = st.integers(1, 9).flatmap(  # runs, kept, of
    lambda runs: st.integers(1, runs).flatmap(
        lambda of: st.tuples(st.just(runs), st.integers(1, of), st.just(of))
    )
)


def order_statistics(of):
    """Expected sorted standard normal draws, integrated over quantiles instead of values."""
    return np.array(
        [
            integrate.quad(
                lambda u, r=rank: scipy_stats.norm.ppf(u) * scipy_stats.beta.pdf(u, r, of - r + 1),
                0,
                1,
                epsabs=1e-11,
                limit=200,
            )[0]
            for rank in range(1, of + 1)
        ]
    )


def mean_of_best_over_subsets(values, by, keep, of):
    """The U-statistic as it is defined: every subset, its best, their mean."""
    means = []
    for subset in combinations(range(len(values)), of):
        kept = sorted(subset, key=lambda i: by[i])[-keep:]
        means.append(np.mean([values[i] for i in kept]))
    return np.mean(means)


def test_best_keeps_the_largest_in_their_order():
    """Positions, not values; equal values in the order of the seeds."""
    assert selection.best([0.1, 0.9, 0.5, 0.9, 0.5], 3) == [1, 2, 3]


def test_best_refuses_to_keep_more_than_there_are():
    """Too few finished runs are no selection."""
    with pytest.raises(ValueError, match="keep must be at least 1 and at most 2, not 3"):
        selection.best([0.1, 0.2], 3)


def test_best_of_equal_runs_are_the_first():
    """Nothing to choose by: the order of the seeds decides."""
    assert selection.best(np.full(5, 0.5), 3) == [0, 1, 2]


@LAW
@given(st.lists(st.integers(0, 5), min_size=1, max_size=9), st.data())
def test_best_leaves_nothing_better_behind(values, data):
    """No run that was dropped lies above one that was kept."""
    keep = data.draw(st.integers(1, len(values)))
    kept = selection.best(values, keep)
    dropped = [value for i, value in enumerate(values) if i not in kept]

    assert max(dropped, default=0) <= min(values[i] for i in kept)


@LAW
@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.data())
def test_best_are_as_many_as_asked_in_order(values, data):
    """Distinct positions, increasing."""
    keep = data.draw(st.integers(1, len(values)))
    kept = selection.best(values, keep)

    assert kept == sorted(set(kept))
    assert len(kept) == keep


@pytest.mark.parametrize("of", [2, 3, 5, 7, 10])
def test_flattery_matches_integration_over_quantiles(of):
    """Expected order statistics from SciPy's beta distribution, averaged over the kept."""
    expected = np.cumsum(order_statistics(of)[::-1]) / np.arange(1, of + 1)
    ours = [selection.flattery(keep, of) for keep in range(1, of + 1)]

    np.testing.assert_allclose(ours, expected, atol=1e-8)


@pytest.mark.parametrize(
    ("keep", "of", "expected"),
    [(1, 2, 1 / np.sqrt(np.pi)), (1, 3, 1.5 / np.sqrt(np.pi)), (2, 3, 0.75 / np.sqrt(np.pi))],
)
def test_flattery_matches_closed_forms(keep, of, expected):
    """Of two and three runs the integrals are known."""
    assert selection.flattery(keep, of) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (3, [0.846, 0.423, 0]),
        (5, [1.163, 0.829, 0.553, 0.291, 0]),
        (7, [1.352, 1.055, 0.821, 0.615, 0.423, 0.225, 0]),
        (10, [1.539, 1.270, 1.065, 0.893, 0.739, 0.595, 0.456, 0.317, 0.171, 0]),
    ],
)
def test_flattery_matches_the_simulated_table(of, expected):
    """Best 1, 2, ..., all of n runs; the table was simulated and is good to 0.0015."""
    ours = [selection.flattery(keep, of) for keep in range(1, of + 1)]

    np.testing.assert_allclose(ours, expected, atol=1.5e-3)


def test_flattery_of_the_best_three_of_five_is_as_printed():
    """The selection of the published reproduction."""
    assert selection.flattery(3, 5) == pytest.approx(0.5527, abs=5e-5)


@pytest.mark.parametrize("of", [1, 2, 5, 10])
def test_flattery_is_none_when_all_are_kept(of):
    """Without a choice nothing is flattered."""
    assert selection.flattery(of, of) == pytest.approx(0, abs=1e-12)


def test_optimism_of_a_hand_worked_case():
    """The best three of 1 to 5 have the mean 4; all have 3."""
    values = np.arange(1.0, 6)

    assert selection.optimism(values, values, 3) == 1


def test_optimism_by_another_metric_is_that_of_the_runs_it_keeps():
    """Kept are 3, 4 and 5 by the first metric, and 1, 3 and 5 by the second."""
    values, by = np.arange(1.0, 6), np.array([2.0, 1, 4, 1, 3])

    assert selection.optimism(values, by, 3) == 0


def test_optimism_turns_into_pessimism_when_the_worst_are_kept():
    """Selection by the opposite: 0.7, 0.8 and 0.85 of a mean of 0.84."""
    values = np.array([0.9, 0.95, 0.7, 0.8, 0.85])

    assert selection.optimism(values, -values, 3) == pytest.approx(2.35 / 3 - 0.84, abs=1e-12)


def test_optimism_of_skewed_runs_is_not_that_of_normal_ones():
    """One bad run of five: the kept are 2 above the mean, not 0.55 standard deviations (2.47)."""
    values = np.array([10.0, 10, 10, 10, 0])

    assert selection.optimism(values, values, 3) == 2


@pytest.mark.parametrize(("n", "keep"), [(5, 5), (1, 1)])
def test_optimism_is_none_without_a_choice(n, keep):
    """All runs kept, or only one there."""
    values = np.arange(float(n))

    assert selection.optimism(values, values, keep) == 0


@LAW
@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_correlation_matches_scipy(seed, n):
    """Pearson's coefficient."""
    a, b = np.random.default_rng(seed).normal(size=(2, n))
    expected = scipy_stats.pearsonr(a, b).statistic

    assert selection.correlation(a, b) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("constant", [0.5, 0.1])
def test_correlation_of_what_does_not_vary_is_nan(constant):
    """Not 0, and even where the mean of equal numbers is rounded, as that of three times 0.1."""
    values = np.full(3, constant)

    assert np.isnan(selection.correlation(values, np.arange(3.0)))
    assert np.isnan(selection.correlation(np.arange(3.0), values))


def test_correlation_of_one_run_is_nan():
    """One point has no slope."""
    assert np.isnan(selection.correlation(np.array([0.5]), np.array([0.7])))


@pytest.mark.parametrize(
    ("runs", "keep", "of"), [(5, 3, 5), (5, 1, 3), (6, 2, 4), (7, 3, 5), (8, 4, 4), (8, 1, 1)]
)
def test_expected_best_weights_match_brute_force(runs, keep, of):
    """Each sorted value's part in the mean over all subsets."""
    units = np.eye(runs)
    places = np.arange(runs)
    expected = [mean_of_best_over_subsets(unit, places, keep, of) for unit in units]

    np.testing.assert_allclose(
        selection.expected_best_weights(runs, keep, of), expected, rtol=0, atol=1e-12
    )


@LAW
@given(SIZES)
def test_expected_best_weights_sum_to_one(case):
    """A weighted mean."""
    assert selection.expected_best_weights(*case).sum() == pytest.approx(1, abs=1e-12)


@LAW
@given(SIZES)
def test_expected_best_weights_never_fall(case):
    """A better run counts no less than a worse one."""
    assert (np.diff(selection.expected_best_weights(*case)) >= -1e-15).all()


def test_expected_best_weights_of_one_kept_are_those_of_tang():
    """C(j - 1, n - 1) / C(M, n) for the j-th of M runs (Tang et al. 2020)."""
    runs, of = 9, 4
    expected = [comb(rank - 1, of - 1) / comb(runs, of) for rank in range(1, runs + 1)]

    np.testing.assert_allclose(
        selection.expected_best_weights(runs, 1, of), expected, rtol=0, atol=1e-15
    )


def test_expected_best_weights_are_equal_when_a_selection_keeps_all():
    """Keeping four of four is taking the mean."""
    np.testing.assert_allclose(selection.expected_best_weights(9, 4, 4), np.full(9, 1 / 9))


@pytest.mark.parametrize(("runs", "keep", "of"), [(5, 1, 3), (7, 3, 5), (10, 2, 4)])
def test_expected_best_is_unbiased_for_normal_runs(runs, keep, of):
    """On expected order statistics of all runs the weights give the flattery of the selection."""
    weights = selection.expected_best_weights(runs, keep, of)

    expected = selection.flattery(keep, of)
    assert weights @ order_statistics(runs) == pytest.approx(expected, abs=1e-8)


def test_expected_best_avoids_the_bias_of_plugging_in():
    """Best of three from five runs: Dodge's V-statistic gives 0.677 where 0.846 is true."""
    ranks = np.arange(6) / 5
    dodge = np.diff(ranks**3) @ order_statistics(5)
    tang = selection.expected_best_weights(5, 1, 3) @ order_statistics(5)

    assert (dodge, tang) == pytest.approx((0.677, 0.846), abs=5e-4)


def test_expected_best_of_all_runs_is_the_mean_of_the_kept():
    """With as many runs as the selection takes there is one subset."""
    values, by = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([1.0, 5, 2, 4, 3])

    assert selection.expected_best(values, by, keep=3, of=5) == pytest.approx((0.8 + 0.6 + 0.5) / 3)


def test_expected_best_by_another_metric_matches_brute_force():
    """What is reported need not be what selects."""
    values, by = np.random.default_rng(3).normal(size=(2, 8))
    expected = mean_of_best_over_subsets(values, by, 3, 5)

    assert selection.expected_best(values, by, keep=3, of=5) == pytest.approx(expected, abs=1e-12)


def test_expected_best_of_equal_runs_is_their_value():
    """No variation, no flattery."""
    values = np.full(7, 0.75)

    assert selection.expected_best(values, values, keep=3, of=5) == pytest.approx(0.75, abs=1e-12)


@pytest.mark.parametrize("rho", [1.0, 0.6, 0.0, -0.5])
def test_draws_of_best_lie_above_all_runs_by_rho_times_the_flattery(rho):
    """On average, whatever selects."""
    means, _ = selection.draws_of_best(5, 3, 5, rho=rho)

    assert means.mean() == pytest.approx(rho * selection.flattery(3, 5), abs=4e-3)


def test_draws_of_best_come_with_the_spread_of_all_runs():
    """Its mean is that of chi with four degrees of freedom over 2 (c4), not that of the kept."""
    _, deviations = selection.draws_of_best(5, 3, 5)

    assert deviations.mean() == pytest.approx(scipy_stats.chi.mean(4) / 2, abs=3e-3)


def test_draws_of_best_are_the_same_each_time():
    """A fixed seed."""
    first, second = (selection.draws_of_best(5, 3, 5, rho=0.5) for _ in range(2))

    assert [array.tobytes() for array in first] == [array.tobytes() for array in second]


def test_pivot_of_the_best_three_of_five_has_known_quantiles():
    """2.5, 5, 95 and 97.5 %: not symmetric, because the mean and the spread go together."""
    quantiles = np.quantile(selection.pivot(5, 3, 5), [0.025, 0.05, 0.95, 0.975])

    np.testing.assert_allclose(quantiles, [-2.373, -1.771, 1.226, 1.534], atol=0.03)


@pytest.mark.parametrize("level", [0.025, 0.05, 0.95, 0.975])
def test_pivot_is_students_when_all_are_kept(level):
    """Two means of five: t with 4 degrees of freedom times sqrt(2 / 5), 1.756 at 97.5 %."""
    quantile = np.quantile(selection.pivot(5, 5, 5), level)

    expected = scipy_stats.t.ppf(level, 4) * np.sqrt(2 / 5)
    assert quantile == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("keep", "of", "expected"),
    [
        (500, 1000, np.sqrt(2 / np.pi)),  # the upper half of a normal law
        (1000, 2000, np.sqrt(2 / np.pi)),
        (50, 1000, scipy_stats.norm.pdf(scipy_stats.norm.ppf(0.95)) / 0.05),
    ],
)
def test_flattery_of_very_many_runs_is_that_of_a_cut_normal_law(keep, of, expected):
    """Kept is what lies above a quantile."""
    assert selection.flattery(keep, of) == pytest.approx(expected, abs=10 / of)


@pytest.mark.parametrize("rho", [0.0, 1.0])
def test_pivot_of_very_many_runs_needs_fewer_draws(monkeypatch, rho):
    """Where fewer studies are simulated, the quantiles are those of the full number."""
    levels, runs = [0.025, 0.05, 0.95, 0.975], selection.WIDEST + 1
    fewer = np.quantile(selection.pivot(runs, 3, 5, rho=rho), levels)
    monkeypatch.setattr(selection, "WIDEST", runs)
    selection.pivot.cache_clear()

    expected = np.quantile(selection.pivot(runs, 3, 5, rho=rho), levels)
    np.testing.assert_allclose(fewer, expected, atol=0.01)


def test_pivot_of_endless_runs_is_the_other_studys():
    """Nothing of ours varies any more: what is left is the best three of five in print."""
    generator = np.random.default_rng(0)
    best = np.sort(generator.standard_normal((400_000, 5)), axis=1)[:, 2:].mean(axis=1)
    levels = [0.025, 0.975]

    expected = selection.flattery(3, 5) - np.quantile(best, levels[::-1])
    np.testing.assert_allclose(
        np.quantile(selection.pivot(20_000, 3, 5), levels), expected, atol=0.01
    )


def test_pivot_is_symmetric_when_something_unrelated_selects():
    """A random choice of three favours neither side."""
    pivot = selection.pivot(5, 3, 5, rho=0.0)

    np.testing.assert_allclose(
        np.quantile(pivot, [0.025, 0.05]), -np.quantile(pivot, [0.975, 0.95]), atol=0.03
    )


def test_pivot_narrows_with_more_runs_of_ours():
    """Ten runs know the spread and the expected best better than five."""
    widths = [np.subtract(*np.quantile(selection.pivot(n, 3, 5), [0.975, 0.025])) for n in (10, 5)]

    assert widths[0] < widths[1]


def test_pivot_is_the_same_each_time():
    """A fixed seed, also when nothing is remembered."""
    first = selection.pivot(6, 3, 5).tobytes()
    selection.pivot.cache_clear()

    assert selection.pivot(6, 3, 5).tobytes() == first
