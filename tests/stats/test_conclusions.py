import numpy as np
import pytest
from scipy import optimize
from scipy import stats as scipy_stats

from repro.stats import conclusions
from repro.stats.conclusions import CANNOT_TELL, DOES_NOT_HOLD, HOLDS, TOO_SMALL
from repro.stats.intervals import NOWHERE, Interval, t_interval

NAN, INF = float("nan"), float("inf")
ARM = np.array([30.0, 28, 33, 29, 31])  # a worked study: variances of five pairs of runs
REFERENCE = np.array([60.0, 55, 70, 52, 64])


def five(mean, deviation):
    """Five values with this mean and standard deviation."""
    values = np.array([-2.0, -1, 0, 1, 2])
    return mean + deviation * values / values.std(ddof=1)


@pytest.mark.parametrize(
    ("turned", "deviation", "smallest", "ends", "word"),
    [
        (241, 165, 25, (36.1, 445.9), HOLDS),
        (12, 8, 25, (2.1, 21.9), TOO_SMALL),
        (3, 10, 25, (-9.4, 15.4), DOES_NOT_HOLD),
        (-30, 10, 25, (-42.4, -17.6), DOES_NOT_HOLD),
        (20, 30, 25, (-17.3, 57.3), CANNOT_TELL),
        (0.8, 0.1, 1, (0.68, 0.92), TOO_SMALL),
    ],
)
def test_worked_studies_of_five_pairs_have_their_words(turned, deviation, smallest, ends, word):
    """Half the width is 2.7764 standard deviations over the root of five."""
    interval = t_interval(five(turned, deviation))

    assert interval == pytest.approx(ends, abs=0.06)
    assert conclusions.of_interval(interval, smallest) == word


def test_a_study_whose_variance_falls_by_half_holds_with_a_ratio_of_three_quarters():
    """By two paired t intervals: of the fall, and of what goes beyond the ratio."""
    fall = t_interval(REFERENCE - ARM)
    beyond = t_interval(conclusions.beyond_ratio(ARM, REFERENCE, 0.75))

    assert fall == pytest.approx((23.3, 36.7), abs=0.05)
    assert beyond == pytest.approx((10.5, 19.4), abs=0.05)
    assert conclusions.conclude(fall.low, beyond.high) == HOLDS
    assert conclusions.at_least(beyond.low)


def test_an_effect_on_the_other_side_is_told():
    """Only where zero itself is excluded."""
    assert conclusions.reverses(t_interval(five(-30, 10)).high)
    assert not conclusions.reverses(0.0)
    assert not conclusions.reverses(NAN)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.0, 2.0, CANNOT_TELL),
        (0.0, 0.5, DOES_NOT_HOLD),
        (0.1, 1.0, HOLDS),
        (-0.1, 1.0, CANNOT_TELL),
        (1e-15, 1.0 - 1e-15, CANNOT_TELL),
        (-INF, 0.5, DOES_NOT_HOLD),
        (0.5, INF, HOLDS),
        (-INF, INF, CANNOT_TELL),
        (NAN, NAN, CANNOT_TELL),
    ],
)
def test_an_end_at_zero_or_at_the_smallest_effect_excludes_nothing(low, high, word):
    """Here the smallest effect is 1; rounding moves no end, and infinite ends are ends."""
    assert conclusions.of_interval(Interval(low, high), 1.0) == word


@pytest.mark.parametrize(
    ("low", "beyond"), [(NAN, 1.0), (1.0, NAN), (NAN, -1.0), (-1.0, NAN), (NAN, NAN)]
)
def test_an_undefined_end_tells_nothing(low, beyond):
    """A single pair has no interval."""
    assert conclusions.conclude(low, beyond) == CANNOT_TELL


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.9, 0.9, HOLDS),
        (0.2, 0.9, HOLDS),
        (-1.0, 0.5, CANNOT_TELL),
        (-0.5, 1.0 - 1e-15, CANNOT_TELL),
        (0.5, 1.5, CANNOT_TELL),
        (1.0, 2.0, CANNOT_TELL),
        (1.1, 2.0, DOES_NOT_HOLD),
        (-2.0, -1.1, DOES_NOT_HOLD),
        (-INF, INF, CANNOT_TELL),
        (NAN, NAN, CANNOT_TELL),
    ],
)
def test_a_quantity_is_kept_if_both_smallest_effects_are_excluded(low, high, word):
    """The smallest effect is 1 on either side; an end at it excludes nothing."""
    assert conclusions.equivalent(Interval(low, high), 1.0) == word


@pytest.mark.parametrize(
    ("arm", "word"),
    [([0.99, 1.0, 1.01], HOLDS), ([0.69, 0.7, 0.71], DOES_NOT_HOLD), ([1, 2, 3], CANNOT_TELL)],
)
def test_a_quantity_is_kept_within_a_ratio_by_two_intervals(arm, word):
    """Of arm - 0.9 reference and of arm - reference / 0.9; all references are 1."""
    arm = np.asarray(arm, dtype=float)

    assert conclusions.kept(t_interval(arm - 0.9), t_interval(arm - 1 / 0.9)) == word


@pytest.mark.parametrize(
    ("low", "expected"), [(0.1, True), (0.0, True), (-1e-15, True), (-0.1, False), (NAN, False)]
)
def test_an_interval_that_begins_at_the_smallest_effect_is_at_least_that(low, expected):
    """The lower end equals it, or is above it."""
    assert conclusions.at_least(low) is expected


@pytest.mark.parametrize("smallest", [0.0, -1.0, NAN, INF])
def test_a_smallest_effect_is_a_positive_number(smallest):
    """With 0 nothing could be too small."""
    for found in (conclusions.of_interval, conclusions.equivalent):
        with pytest.raises(ValueError, match="smallest effect"):
            found(Interval(0.0, 1.0), smallest)


def test_what_goes_beyond_a_ratio_is_zero_at_the_ratio():
    """For a fall to 0.75 and for a rise to 1.25, and positive where there is more of it."""
    beyond = conclusions.beyond_ratio

    assert beyond(np.array([75.0, 70]), np.array([100.0, 100]), 0.75).tolist() == [0, 5]
    assert beyond(np.array([125.0, 130]), np.array([100.0, 100]), 1.25).tolist() == [0, 5]


@pytest.mark.parametrize("ratio", [1.0, 0.0, -0.5, NAN, INF])
def test_a_ratio_of_one_is_no_effect(ratio):
    """Nor is one that no positive value has."""
    with pytest.raises(ValueError, match="no effect"):
        conclusions.beyond_ratio(ARM, REFERENCE, ratio)


def root(ratio, sign):
    """How far an end of the t interval of arm - ratio * reference is from 0."""
    return sign * t_interval(ARM - ratio * REFERENCE)[0 if sign > 0 else 1]


def test_the_interval_of_a_ratio_ends_where_that_of_the_difference_ends_at_zero():
    """Found by a search for these ratios; the ratio of the means is 0.5017."""
    found = conclusions.fieller(ARM, REFERENCE)
    middle = ARM.mean() / REFERENCE.mean()

    assert found.low == pytest.approx(optimize.brentq(root, 0, middle, args=(1,)), rel=1e-9)
    assert found.high == pytest.approx(optimize.brentq(root, middle, 2, args=(-1,)), rel=1e-9)


def test_a_ratio_has_no_upper_end_if_the_reference_may_be_zero():
    """The interval of its mean then contains 0; of a ratio that is not negative one end remains."""
    reference = five(1.0, 1.2)
    arm = 3 * reference[::-1]

    assert conclusions.fieller(arm, reference) == (-INF, INF)
    found = conclusions.fieller(ARM, five(1.0, 1.2), within=Interval(0, INF))
    assert 0 < found.low < ARM.mean()
    assert found.high == INF


@pytest.mark.parametrize("arm", [ARM[:1], np.full(5, 30.0), 0.5 * REFERENCE])
def test_pairs_that_all_agree_have_no_interval_of_their_ratio(arm):
    """A single pair, equal values, and one ratio throughout."""
    reference = np.full(5, 60.0) if arm is not ARM and np.ptp(arm) == 0 else REFERENCE[: len(arm)]

    assert conclusions.fieller(arm, reference[: len(arm)]) is NOWHERE


def test_the_interval_of_a_ratio_covers_as_it_says():
    """Of 4,000 studies of five pairs, the share that contains the ratio is 95 %, at least."""
    draws = np.random.default_rng(1).normal((30, 60), (6, 12), (4_000, 5, 2))
    covered = sum(0.5 in conclusions.fieller(one[:, 0], one[:, 1]) for one in draws)

    assert scipy_stats.binom.cdf(covered, 4_000, 0.95) > 1e-4
    assert scipy_stats.binom.sf(covered, 4_000, 0.95) > 1e-4


@pytest.mark.parametrize(
    ("arm", "reference", "said"),
    [(ARM[:4], REFERENCE, "4 values"), (np.array([1, NAN]), np.ones(2), "arm")],
)
def test_a_ratio_refuses_what_is_no_pair(arm, reference, said):
    """Unequal numbers, and a value that is not a number."""
    with pytest.raises(ValueError, match=said):
        conclusions.fieller(arm, reference)
