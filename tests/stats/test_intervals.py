import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from repro.stats import intervals
from repro.stats.intervals import NOWHERE, Interval

LAW = settings(deadline=None, derandomize=True)
RECALLS = [0.91, 0.93, 0.95, 0.9, 0.88]


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("degrees", [1, 4, 7.3, 60])
def test_t_quantile_matches_scipy(degrees, level):
    """The upper quantile agrees with SciPy's distribution, fractional degrees of freedom too."""
    expected = scipy_stats.t.ppf(0.5 + level / 2, degrees)

    assert intervals.t_quantile(degrees, level=level) == pytest.approx(expected, rel=1e-12)


def test_sd_matches_the_standard_library():
    """Python's exact fractions and NumPy agree on the sample deviation."""
    assert intervals.sd(RECALLS) == pytest.approx(statistics.stdev(RECALLS), rel=1e-12)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_t_interval_matches_scipy(level):
    """The ends agree with SciPy's to 1e-12."""
    error = scipy_stats.sem(RECALLS)
    expected = scipy_stats.t.interval(level, 4, loc=np.mean(RECALLS), scale=error)

    assert intervals.t_interval(RECALLS, level=level) == pytest.approx(expected, abs=1e-12)


def test_t_interval_reaches_a_half_width_to_either_side():
    """The two functions tell one story."""
    low, high = intervals.t_interval(RECALLS)

    assert (high - low) / 2 == pytest.approx(intervals.t_half_width(RECALLS), abs=1e-12)


def test_t_interval_of_five_runs_is_as_printed():
    """Five runs: 1.2417 sample deviations to either side."""
    factor = intervals.t_half_width(RECALLS) / intervals.sd(RECALLS)

    assert factor == pytest.approx(1.2417, abs=5e-5)


def test_t_interval_does_not_care_whether_it_gets_a_list_or_an_array():
    """Same values, same bytes."""
    assert repr(intervals.t_interval(RECALLS)) == repr(intervals.t_interval(np.array(RECALLS)))


def test_t_interval_of_one_run_is_nowhere():
    """Spread needs two runs."""
    assert np.isnan(intervals.t_interval([0.9])).all()


def test_t_half_width_of_one_run_is_nan():
    """Spread needs two runs."""
    assert np.isnan(intervals.t_half_width([0.9]))


def test_sd_of_one_run_is_nan():
    """One run has no spread, not a spread of zero."""
    assert np.isnan(intervals.sd([0.9]))


@pytest.mark.parametrize("values", [[0.75] * 5, [0.1] * 3, [0.3, 0.1 + 0.2]])
def test_t_interval_of_equal_runs_is_nowhere(values):
    """Equal runs do not say that the next one is equal, whether rounded or not."""
    assert np.isnan(intervals.t_interval(values)).all()


@pytest.mark.parametrize("values", [[0.75] * 5, [0.1] * 3, [0.3, 0.1 + 0.2]])
def test_sd_of_equal_runs_is_exactly_zero(values):
    """The mean of three times 0.1 is rounded, and 0.1 + 0.2 is not 0.3."""
    assert intervals.sd(values) == 0


@LAW
@given(st.lists(st.floats(0, 1), min_size=2, max_size=12))
def test_t_interval_contains_the_mean(values):
    """The estimate lies within its own interval, unless the runs are equal."""
    assert float(np.mean(values)) in intervals.t_interval(values) or intervals.sd(values) == 0


@pytest.mark.parametrize("value", [0.25, 0.5, 0.75])
def test_interval_contains_its_ends(value):
    """A closed interval."""
    assert value in Interval(0.25, 0.75)


@pytest.mark.parametrize("value", [0.2, 0.8, float("nan"), "0.5", None])
def test_interval_contains_nothing_else(value):
    """Neither what lies outside nor what is not a number."""
    assert value not in Interval(0.25, 0.75)


def test_nowhere_contains_nothing():
    """An interval that does not exist excludes every value."""
    assert 0.0 not in NOWHERE


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("n", [1, 2, 5, 60, 271, 1270])
def test_wilson_matches_scipy(n, level):
    """The score interval agrees with SciPy's to 1e-12 for many numbers of successes."""
    counts = sorted({0, 1, n // 3, n // 2, n - 1, n})
    ours = [intervals.wilson(k, n, level=level) for k in counts]
    tests = [scipy_stats.binomtest(k, n) for k in counts]
    theirs = [test.proportion_ci(level, method="wilson") for test in tests]

    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(1, 5, 0.036, 0.624), (0, 5, 0.0, 0.434), (250, 271, 0.884, 0.949)],
)
def test_wilson_gives_known_intervals(successes, n, low, high):
    """One and none of five runs failed; 250 of the 271 darker females found."""
    assert intervals.wilson(successes, n) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize(("successes", "end", "value"), [(0, 0, 0.0), (5, 1, 1.0)])
def test_wilson_ends_exactly_where_none_or_all_succeed(successes, end, value):
    """No rounding at the edge of [0, 1]."""
    assert intervals.wilson(successes, 5)[end] == value


@st.composite
def shares(draw):
    """Successes, a mean over 1 to 5 runs, and trials."""
    n, runs = draw(st.integers(1, 2000)), draw(st.integers(1, 5))
    return draw(st.integers(0, runs * n)) / runs, n


@LAW
@given(shares())
def test_wilson_contains_the_share(case):
    """What was observed is never excluded, whole or averaged over runs."""
    successes, n = case

    assert successes / n in intervals.wilson(successes, n)


@LAW
@given(shares())
def test_wilson_stays_within_all_and_nothing(case):
    """A share below 0 or above 1 is never printed."""
    low, high = intervals.wilson(*case)

    assert 0 <= low <= high <= 1


@LAW
@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_of_failures_mirrors_that_of_successes(case):
    """Counting the missed instead of the found changes nothing."""
    successes, n = case
    low, high = intervals.wilson(n - successes, n)

    assert intervals.wilson(successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_wilson_widens_with_its_level():
    """More certainty, more room."""
    narrow, wide = (intervals.wilson(250, 271, level=level) for level in (0.9, 0.99))

    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_refuses_impossible_counts(successes, n):
    """More successes than trials, fewer than none, or no trials."""
    with pytest.raises(ValueError, match=r"^successes must lie in|^n must be at least 1, not 0"):
        intervals.wilson(successes, n)


@pytest.mark.parametrize("degrees", [1, 4, 9.14, 60])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_deviation_bound_is_that_of_the_chi_squared_distribution(degrees, level):
    """SciPy's distribution of df s^2 / sigma^2 lies below the observed one with 1 - level."""
    bound = intervals.deviation_bound(1.5, degrees, level=level)

    below = scipy_stats.chi2.cdf(degrees * (1.5 / bound) ** 2, degrees)
    assert below == pytest.approx(1 - level, abs=1e-12)


def test_deviation_bound_of_five_runs_is_known():
    """The 20 % quantile of chi-squared with four degrees of freedom is 1.6488."""
    expected = np.sqrt(4 / 1.6488)

    assert intervals.deviation_bound(1.0, 4, level=0.8) == pytest.approx(expected, rel=1e-4)


def test_runs_needed_of_a_known_case():
    """Five runs give 1.2417 deviations, six give 1.0494."""
    assert [intervals.runs_needed(1.0, width) for width in (1.25, 1.24, 1.05)] == [5, 6, 6]


@LAW
@given(st.floats(0.1, 1), st.floats(0.05, 2))
def test_runs_needed_are_enough_and_no_more(deviation, half_width):
    """At that many runs the half-width is reached, at one fewer it is not."""
    n = intervals.runs_needed(deviation, half_width)
    widths = [scipy_stats.t.ppf(0.975, runs - 1) * deviation / np.sqrt(runs) for runs in (n, n - 1)]

    assert widths[0] <= half_width * (1 + 1e-12)
    assert n == 2 or widths[1] > half_width * (1 - 1e-12)


def test_runs_needed_without_spread_are_two():
    """An interval exists from two runs on."""
    assert intervals.runs_needed(0.0, 0.01) == 2
