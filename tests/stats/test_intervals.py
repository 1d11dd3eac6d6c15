import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special
from scipy import stats as scipy_stats

from repro.stats import intervals
from repro.stats.intervals import NOWHERE, Interval

LAW = settings(deadline=None, derandomize=True)
RECALLS = [0.91, 0.93, 0.95, 0.9, 0.88]


def power_of_t(difference, runs, *, level=0.95):
    """Power of Student's two-sided test of `runs` against `runs`, by integration over the spread.

    Given the pooled variance, the difference of means is normal: no noncentral t is needed.
    """
    degrees = 2 * runs - 2
    critical = scipy_stats.t.ppf(0.5 + level / 2, degrees)
    shift = difference * np.sqrt(runs / 2)

    def found(chi_squared):
        bar = critical * np.sqrt(chi_squared / degrees)
        either = special.ndtr(shift - bar) + special.ndtr(-shift - bar)
        return scipy_stats.chi2.pdf(chi_squared, degrees) * either

    return integrate.quad(found, 0, np.inf, epsabs=1e-10, limit=200)[0]


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


def test_t_interval_of_equal_runs_is_a_point():
    """No spread, no width."""
    assert intervals.t_interval([0.75] * 5) == (0.75, 0.75)


@LAW
@given(st.lists(st.floats(0, 1), min_size=2, max_size=12))
def test_t_interval_contains_the_mean(values):
    """The estimate lies within its own interval."""
    assert float(np.mean(values)) in intervals.t_interval(values)


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
    with pytest.raises(ValueError, match=f"{successes} successes in {n} trials"):
        intervals.wilson(successes, n)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 7, 10, 20, 50])
def test_smallest_difference_is_found_four_times_in_five(n):
    """Its power, by integration, is 80 %."""
    assert power_of_t(intervals.smallest_difference(n), n) == pytest.approx(0.8, abs=1e-5)


@pytest.mark.parametrize("power", [0.5, 0.9, 0.99])
def test_smallest_difference_has_the_power_it_is_asked_for(power):
    """Other powers than the usual one; findings on the wrong side may be left out."""
    difference = intervals.smallest_difference(5, power=power)

    assert power_of_t(difference, 5) == pytest.approx(power, abs=1e-4)


def test_smallest_difference_has_the_level_it_is_asked_for():
    """A stricter test, here at 1 %, finds only larger differences."""
    difference = intervals.smallest_difference(5, level=0.99)

    assert power_of_t(difference, 5, level=0.99) == pytest.approx(0.8, abs=1e-6)


def test_smallest_difference_of_five_runs_is_two_deviations():
    """Five against five see 2.0 to 2.1 standard deviations."""
    assert 2.0 < intervals.smallest_difference(5) < 2.1


def test_smallest_difference_of_many_runs_is_that_of_known_spread():
    """The limit: (z.975 + z.8) sqrt(2 / n)."""
    expected = (special.ndtri(0.975) + special.ndtri(0.8)) * np.sqrt(2 / 5000)

    assert intervals.smallest_difference(5000) == pytest.approx(expected, rel=1e-3)


def test_smallest_difference_of_one_run_is_nan():
    """One run against one can show nothing."""
    assert np.isnan(intervals.smallest_difference(1))


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
