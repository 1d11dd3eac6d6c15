import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.stats import conclusions, gap_share
from repro.stats.intervals import NOWHERE

# Five seeds whose gap to the ceiling is clear, and five where there may be none.
REFERENCE, ARM, CEILING = np.array(
    [[405, 352, 448, 371, 424], [312, 300, 361, 262, 325], [118, 160, 139, 92, 171.0]]
)
UNCLEAR = np.array([[9, 2, 14, 4, 6], [6, 5, 7, 3, 8], [4, 5, 8, 6, 3.0]])

seeds = st.integers(0, 2**32 - 1)


def study(seed, n):
    """Reference, arm and ceiling of n seeds, with a gap of about 8 of its errors."""
    noise = np.random.default_rng(seed).standard_normal((3, n))
    return np.array([[100.0], [60.0], [0.0]]) + 9 * np.sqrt(n) * noise


def told(found):
    """What depends on the values, as numbers."""
    ends = found.bootstrap.interval
    return [found.share, *found.interval, found.g, *ends, found.bootstrap.without_gap]


def test_a_worked_study_closes_a_third():
    """Three values of five seeds: the ratio of means, not 0.3317, the mean of the ratios."""
    found = gap_share.gap_share(REFERENCE, ARM, CEILING)

    assert found.share == pytest.approx(1 / 3)
    assert found.interval == pytest.approx((0.2611, 0.4037), abs=5e-5)
    assert (found.numerator.value, found.denominator.value) == pytest.approx((88, 264))
    assert found.denominator.interval == pytest.approx((208.2, 319.8), abs=0.05)
    assert found.g == pytest.approx(0.0447, abs=5e-5)
    assert (found.refusal, found.pairs) == ("", 5)


def test_all_resamples_of_five_seeds_are_enumerated():
    """5^5 of them; the percentiles lie within Fieller's interval."""
    found = gap_share.gap_share(REFERENCE, ARM, CEILING).bootstrap

    assert found.interval == pytest.approx((0.2878, 0.3768), abs=5e-5)
    assert (found.resamples, found.enumerated, found.without_gap) == (3125, True, 0)


def test_a_gap_that_may_be_none_has_no_share():
    """The plain ratio would say that two thirds are closed; both differences are told instead."""
    found = gap_share.gap_share(*UNCLEAR)
    a, b = UNCLEAR[0] - UNCLEAR[1], UNCLEAR[0] - UNCLEAR[2]

    assert found.refusal == "may be no gap"
    assert np.isnan(found.share)
    assert found.interval is NOWHERE
    assert (found.numerator.value, found.denominator.value) == pytest.approx((1.2, 1.8))
    assert found.denominator.interval == pytest.approx((-3.27, 6.87), abs=0.005)
    assert found.g == pytest.approx(7.95, abs=0.005)
    assert conclusions.fieller(a, b) == (-np.inf, np.inf)


def test_resamples_without_a_gap_leave_no_percentiles():
    """One in seven of the unclear study's: more than one in forty."""
    found = gap_share.gap_share(*UNCLEAR).bootstrap

    assert found.without_gap == pytest.approx(0.145, abs=5e-4)
    assert found.interval is NOWHERE


def test_a_resample_without_a_gap_is_infinitely_far():
    """Only that of the fourth seed alone; three times it has 5 %, the last that count."""
    found = gap_share.bootstrap(np.full(4, 5.0), np.array([10.0, 10.0, 10.0, -1.0]))

    assert found.without_gap == 1 / 256
    assert found.interval == (20 / 40, 20 / 7)


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        (([1.0], [0.5], [0.0]), "one pair"),
        (([1.0, 2.0, 3.0], [0.5, 1.0, 1.0], [3.0, 4.5, 5.0]), "no gap"),
        (([1.0, 2.0, 3.0], [0.5, 1.0, 1.0], [1.0, 2.0, 3.0]), "no gap"),
        (([3.0, 3.0, 3.0], [2.0, 2.0, 2.0], [1.0, 1.0, 1.0]), "one ratio"),
    ],
)
def test_a_study_that_cannot_say_is_told_why(values, refusal):
    """A single pair; a ceiling with a larger gap, or the same; pairs that are all alike."""
    assert gap_share.gap_share(*map(np.array, values)).refusal == refusal


@pytest.mark.parametrize("name", ["reference", "arm", "ceiling"])
def test_values_of_other_numbers_of_seeds_are_refused(name):
    """Pairs are formed by seed."""
    values = {"reference": REFERENCE, "arm": ARM, "ceiling": CEILING}
    values[name] = values[name][:4]

    with pytest.raises(ValueError, match=r"4 of the|4 values of the reference"):
        gap_share.gap_share(**values)


@given(seed=seeds, n=st.sampled_from([4, 5, 9]), by=st.floats(-1e3, 1e3))
def test_a_shift_of_all_values_changes_nothing(seed, n, by):
    """Only differences count."""
    values = study(seed, n)

    assert told(gap_share.gap_share(*(values + by))) == pytest.approx(
        told(gap_share.gap_share(*values)), rel=1e-6, abs=1e-9, nan_ok=True
    )


@given(seed=seeds, n=st.sampled_from([4, 5, 9]), factor=st.floats(1e-3, 1e3))
def test_the_unit_changes_nothing(seed, n, factor):
    """Percent squared or squared fractions."""
    values = study(seed, n)

    assert told(gap_share.gap_share(*(factor * values))) == pytest.approx(
        told(gap_share.gap_share(*values)), rel=1e-6, abs=1e-9, nan_ok=True
    )


@given(seed=seeds, n=st.sampled_from([4, 5, 9]))
def test_the_order_of_the_seeds_changes_nothing(seed, n):
    """Also where resamples are drawn."""
    values = study(seed, n)
    order = np.random.default_rng(seed).permutation(n)

    assert told(gap_share.gap_share(*values[:, order])) == pytest.approx(
        told(gap_share.gap_share(*values)), rel=1e-9, nan_ok=True
    )


@given(seed=seeds, n=st.sampled_from([3, 5, 9]))
def test_the_ceiling_closes_all_of_its_own_gap_and_the_reference_none(seed, n):
    """1 and 0, whatever the seeds."""
    reference, _, ceiling = study(seed, n)
    itself = gap_share.gap_share(reference, ceiling, ceiling)
    none = gap_share.gap_share(reference, reference, ceiling)

    assert itself.refusal == "may be no gap" or itself.share == 1
    assert none.refusal == "may be no gap" or none.share == 0


@given(seed=seeds, n=st.sampled_from([3, 5, 16]))
def test_a_share_is_given_exactly_where_the_gaps_interval_excludes_zero(seed, n):
    """By g below 1; then Fieller's interval has both ends and holds the share."""
    reference, arm, ceiling = study(seed, n)
    found = gap_share.gap_share(reference, arm, ceiling + 70)  # a gap of 2.4 of its errors
    low, high = found.denominator.interval

    assert (found.g >= 1) == (low <= 0 <= high)
    assert np.isnan(found.share) == (found.g >= 1 or found.denominator.value <= 0)
    if found.refusal == "":
        assert np.isfinite(found.interval).all()
        assert found.share in found.interval
