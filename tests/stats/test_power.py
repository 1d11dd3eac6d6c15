import numpy as np
import pytest
from scipy import integrate, special
from scipy import stats as scipy_stats

from repro.stats import power

HOLM = 0.05 / 8  # the first step over a family of eight


def power_of_unpaired(difference, runs, *, significance=0.05):
    """Power of Student's two-sided test of `runs` against `runs`, by integration over the spread.

    Given the pooled variance, the difference of means is normal: no noncentral t is needed.
    """
    degrees = 2 * runs - 2
    critical = scipy_stats.t.ppf(1 - significance / 2, degrees)
    shift = difference * np.sqrt(runs / 2)

    def found(chi_squared):
        bar = critical * np.sqrt(chi_squared / degrees)
        either = special.ndtr(shift - bar) + special.ndtr(-shift - bar)
        return scipy_stats.chi2.pdf(chi_squared, degrees) * either

    return integrate.quad(found, 0, np.inf, epsabs=1e-10, limit=200)[0]


def of_paired(difference, correlation, *, significance):
    """Power of a paired t test of five seeds; the difference in standard deviations of a run."""
    noncentrality = difference * np.sqrt(5 / (2 * (1 - correlation)))
    return power.of_t(noncentrality, 4, significance=significance)


@pytest.mark.parametrize(
    ("correlation", "alone", "first"),
    [(0, 0.671, 0.202), (0.3, 0.811, 0.305), (0.5, 0.914, 0.436), (0.7, 0.988, 0.679)],
)
def test_power_of_five_pairs_is_as_computed_elsewhere(correlation, alone, first):
    """2.02 standard deviations of a run, alone at .05 and at the first step of Holm over eight."""
    ours = [of_paired(2.02, correlation, significance=one) for one in (0.05, HOLM)]

    assert ours == pytest.approx([alone, first], abs=5e-4)


@pytest.mark.parametrize(
    ("correlation", "alone", "first"),
    [(0, 2.379, 4.209), (0.3, 1.990, 3.522), (0.5, 1.682, 2.977), (0.9, 0.752, 1.331)],
)
def test_smallest_paired_is_as_computed_elsewhere(correlation, alone, first):
    """In standard deviations of a run, that of a difference divided by the root of 2 (1 - r)."""
    of_a_run = np.sqrt(2 * (1 - correlation))
    ours = [power.smallest_paired(5, significance=one) * of_a_run for one in (0.05, HOLM)]

    assert ours == pytest.approx([alone, first], abs=1e-3)


def test_smallest_unpaired_is_as_computed_elsewhere():
    """Five runs against five."""
    ours = [power.smallest_unpaired(5, 5, significance=one) for one in (0.05, HOLM)]

    assert ours == pytest.approx([2.024, 2.968], abs=5e-4)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 7, 10, 20, 50])
def test_smallest_unpaired_is_found_four_times_in_five(n):
    """By integration over the chi-squared distribution of the variance."""
    assert power_of_unpaired(power.smallest_unpaired(n, n), n) == pytest.approx(0.8, abs=1e-7)


@pytest.mark.parametrize("wanted", [0.1, 0.5, 0.9, 0.99])
def test_smallest_unpaired_has_the_power_it_is_asked_for(wanted):
    """Other powers than the usual one; a low one needs the findings on the wrong side."""
    difference = power.smallest_unpaired(5, 5, power=wanted)

    assert power_of_unpaired(difference, 5) == pytest.approx(wanted, abs=1e-7)


@pytest.mark.parametrize("degrees", [1, 2, 4, 9.5, 30, 5000])
@pytest.mark.parametrize("noncentrality", [0, 1, 3, 6])
def test_power_matches_the_noncentral_t_of_scipy(degrees, noncentrality):
    """Where SciPy has a value; for one degree of freedom and 8 it has none."""
    critical = scipy_stats.t.ppf(0.975, degrees)
    law = scipy_stats.nct(degrees, noncentrality)

    expected = law.sf(critical) + law.cdf(-critical)
    assert power.of_t(noncentrality, degrees) == pytest.approx(expected, abs=1e-12)


def test_power_is_a_number_where_scipy_has_none():
    """One degree of freedom: s is the size of a normal value, so the integral is elementary."""
    critical = scipy_stats.t.ppf(0.975, 1)
    expected = integrate.quad(
        lambda s: 2 * scipy_stats.norm.pdf(s) * special.ndtr(8 - critical * s), 0, 3, epsabs=1e-13
    )[0]

    assert power.of_t(8.0, 1) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("significance", [0.05, HOLM, 0.001])
@pytest.mark.parametrize("degrees", [1, 4, 40])
def test_power_without_a_difference_is_the_significance(degrees, significance):
    """What is found then is found by chance."""
    ours = power.of_t(0.0, degrees, significance=significance)

    assert ours == pytest.approx(significance, abs=1e-11)


def test_power_is_the_share_of_simulated_studies():
    """20,000 studies of five pairs with correlation .5, two standard deviations apart."""
    generator = np.random.default_rng(0)
    shared = generator.normal(size=(20_000, 5, 1))
    runs = (shared + generator.normal(size=(20_000, 5, 2))) / np.sqrt(2) + [0.0, 1.2]
    p = scipy_stats.ttest_rel(runs[..., 1], runs[..., 0], axis=1).pvalue

    expected = of_paired(1.2, 0.5, significance=0.05)
    assert np.mean(p < 0.05) == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 20_000))


def test_smallest_paired_of_many_pairs_is_that_of_known_spread():
    """The limit: (z.975 + z.8) / sqrt(n)."""
    expected = (special.ndtri(0.975) + special.ndtri(0.8)) / np.sqrt(5000)

    assert power.smallest_paired(5000) == pytest.approx(expected, rel=1e-3)


def test_smallest_difference_of_one_run_is_nan():
    """One run against one can show nothing, nor can one pair."""
    assert np.isnan([power.smallest_paired(1), power.smallest_unpaired(1, 5)]).all()


@pytest.mark.parametrize("wanted", [0.05, 0.01, 1.0])
def test_power_that_no_difference_has_is_refused(wanted):
    """Without a difference the test finds one in twenty already."""
    with pytest.raises(ValueError, match=r"between the significance 0\.05 and 1"):
        power.detectable(4, power=wanted)
