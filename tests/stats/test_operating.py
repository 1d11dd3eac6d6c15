from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from repro.stats import operating

LAW = settings(deadline=None, derandomize=True)
GROUP = np.repeat([0, 1, 2, 3], [7, 9, 8, 6])
RUNS, OTHERS = 5, 40


def logits(n, seed=0, *, runs=RUNS):
    """Top logits of a few runs, distinct."""
    return np.random.default_rng(seed).normal(size=(runs, n))


tied = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=30).map(np.array)
any_logits = st.one_of(
    tied, st.lists(st.floats(-30, 30), min_size=1, max_size=30).map(lambda x: np.array(x))
)
rates = st.floats(0.001, 0.999)


@pytest.mark.parametrize(
    ("rate", "expected"), [(0.17, 5), (0.33, 5), (0.34, 4), (0.5, 3), (0.83, 2), (0.999, 1)]
)
def test_threshold_of_hand_worked_logits(rate, expected):
    """Of five photographs the k-th largest has an expected rate of k / 6: 0.17, 0.33, 0.5, ..."""
    assert operating.threshold(np.array([2.0, 5, 1, 3, 4]), rate) == expected


@pytest.mark.parametrize(
    ("count", "rate", "expected"),
    [
        (200, 0.01, 2),
        (200, 0.05, 10),
        (200, 0.1, 20),
        (1000, 0.01, 10),
        (5000, 0.01, 50),
        (99, 0.01, 1),
        (99, 0.29, 29),  # 0.29 * 100 is 28.999999999999996
        (99, 0.57, 57),
        (99, 0.58, 58),
        (10**6 - 1, 1e-6, 1),
    ],
)
def test_rank_reads_a_decimal_rate_as_it_is_written(count, rate, expected):
    """The floor of the rate times N + 1, without rounding."""
    assert operating.rank(rate, count) == expected


@LAW
@given(st.integers(1, 999), st.integers(1, 3000))
def test_rank_is_the_largest_whose_expected_rate_is_allowed(thousandths, count):
    """In exact arithmetic: k / (N + 1) is at most the rate, (k + 1) / (N + 1) is not."""
    rate = Fraction(thousandths, 1000)
    assume(rate * (count + 1) >= 1)
    k = operating.rank(thousandths / 1000, count)

    assert Fraction(k, count + 1) <= rate < Fraction(k + 1, count + 1)


def test_rank_refuses_a_rate_that_the_photographs_cannot_support():
    """98 photographs cannot: the sentence says how many it takes."""
    with pytest.raises(
        ValueError,
        match=r"^a false-positive rate of 1 % takes 99 photographs without a face, and there are "
        r"98; within a factor of 2 with 95 % confidence it takes 1,099$",
    ):
        operating.rank(0.01, 98)


@pytest.mark.parametrize("rate", [0.0, 1.0, 1.5, -0.1, float("nan")])
def test_threshold_refuses_what_is_no_rate(rate):
    """All photographs, none, more than all, less than none."""
    with pytest.raises(ValueError, match="is no false-positive rate between 0 and 1"):
        operating.threshold(np.arange(10.0), rate)


@pytest.mark.parametrize(
    ("rate", "at_rank", "expected"),
    [
        (0.01, 1, 99),
        (0.05, 1, 19),
        (0.1, 1, 9),
        (0.3, 1, 3),
        (0.01, 11, 1099),
        (0.05, 11, 219),
        (0.1, 11, 109),
    ],
)
def test_needed_photographs(rate, at_rank, expected):
    """The smallest number with this rank; one less has the rank before."""
    assert operating.needed(rate, at_rank) == expected
    assert operating.rank(rate, expected) == at_rank
    assert int(Fraction(str(rate)) * expected) == at_rank - 1  # with one photograph less


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.1])
def test_rank_within_a_factor_of_two_is_the_smallest(rate):
    """Both ends of the true rate's interval lie within half and twice the rate, from k = 11 on."""
    ends = {}
    for k in (operating.WITHIN_TWO - 1, operating.WITHIN_TWO):
        low, high = operating.rate_interval(k, operating.needed(rate, k))
        ends[k] = rate / 2 <= low and high <= 2 * rate

    assert list(ends.values()) == [False, True]


@pytest.mark.parametrize(
    ("count", "k", "mean", "low", "high"),
    [
        (200, 3, 1.493, 0.310, 3.565),
        (200, 2, 0.995, 0.121, 2.754),
        (200, 10, 4.975, 2.42, 8.37),
        (200, 20, 9.950, 6.22, 14.44),
        (1000, 10, 0.999, 0.481, 1.702),
        (5000, 50, 1.000, 0.743, 1.294),
    ],
)
def test_true_rate_of_known_cases(count, k, mean, low, high):
    """Mean and 95 % interval of Beta(k, N + 1 - k), in percent."""
    assert 100 * operating.expected_rate(k, count) == pytest.approx(mean, abs=0.0006)
    ours = [100 * end for end in operating.rate_interval(k, count)]
    assert ours == pytest.approx([low, high], abs=0.006)


@pytest.mark.parametrize("k", [0, 6])
def test_true_rate_of_no_rank_is_refused(k):
    """Ranks are 1 to N."""
    with pytest.raises(ValueError, match=f"no photograph of 5 has rank {k}"):
        operating.rate_interval(k, 5)


def test_true_rate_lies_in_its_interval_as_often_as_said():
    """20,000 sets of 200 photographs with exponential logits: 95 % within, the mean as expected."""
    logits = np.random.default_rng(0).exponential(size=(20_000, 200))
    true = np.exp(-operating.threshold(logits, 0.01))
    k = operating.rank(0.01, 200)
    low, high = operating.rate_interval(k, 200)

    assert true.mean() == pytest.approx(operating.expected_rate(k, 200), abs=0.00025)
    assert ((low <= true) & (true <= high)).mean() == pytest.approx(0.95, abs=0.006)


@LAW
@given(any_logits, rates)
def test_threshold_detects_the_rank_and_its_ties(nonfaces, rate):
    """Of the photographs without a face: k, and those that equal the k-th."""
    assume(operating.supports(rate, len(nonfaces)))
    k = operating.rank(rate, len(nonfaces))
    found = operating.detected(nonfaces, operating.threshold(nonfaces, rate)).sum()

    level = sorted(nonfaces, reverse=True)[k - 1]
    assert found - k == operating.ties(nonfaces, rate) == (nonfaces >= level).sum() - k


def test_ties_of_hand_worked_logits():
    """Four of five share the largest logit; the rank is 2, so two more are detected."""
    assert operating.ties(np.array([[3.0, 1, 3, 3, 3], [5, 4, 3, 2, 1]]), 0.34).tolist() == [2, 0]


@LAW
@given(any_logits, rates, rates)
def test_threshold_falls_as_more_false_alarms_are_allowed(nonfaces, one, other):
    """The rate and the threshold go opposite ways."""
    low, high = sorted([one, other])
    assume(operating.supports(low, len(nonfaces)))

    assert operating.threshold(nonfaces, low) >= operating.threshold(nonfaces, high)


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_threshold_of_many_runs_is_that_of_each(rate):
    """Leading axes are carried along."""
    nonfaces = logits(3 * OTHERS).reshape(RUNS, 3, OTHERS)
    each = [[operating.threshold(one, rate) for one in run] for run in nonfaces]

    np.testing.assert_array_equal(operating.threshold(nonfaces, rate), each)


def test_detected_is_at_least_its_runs_threshold():
    """A photograph with exactly the threshold's logit is detected."""
    ours = operating.detected(np.array([[1.0, 2, 3], [1, 2, 3]]), np.array([2.0, 1.5]))

    np.testing.assert_array_equal(ours, [[0, 1, 1], [0, 1, 1]])


def test_curve_of_hand_worked_logits():
    """Nothing, at least 3, at least 2, everything: none, one, two and all three faces."""
    rate, recall = operating.curve(np.array([4.0, 2, 1]), np.array([2.0, 3]))

    np.testing.assert_allclose([rate, recall], [[0, 1 / 3, 2 / 3, 1], [0, 1 / 3, 2 / 3, 1]])


@LAW
@given(any_logits, any_logits)
def test_curve_never_falls(faces, nonfaces):
    """More false alarms, no less recall."""
    assert (np.diff(operating.curve(faces, nonfaces), axis=1) >= 0).all()


@LAW
@given(any_logits, any_logits)
def test_curve_goes_from_nothing_to_everything(faces, nonfaces):
    """No non-face and no face; all non-faces, all faces."""
    rate, recall = operating.curve(faces, nonfaces)

    assert [rate[0], recall[0], rate[-1], recall[-1]] == [0, 0, 1, 1]


@LAW
@given(any_logits, any_logits)
def test_curve_is_what_the_thresholds_give(faces, nonfaces):
    """At every rate between 0 and 1 the recall at that rate's threshold."""
    rate, recall = operating.curve(faces, nonfaces)
    levels = [operating.threshold(nonfaces, float(one) + 1e-12) for one in rate[1:-1]]

    np.testing.assert_array_equal(
        recall[1:-1], [operating.detected(faces, level).mean() for level in levels]
    )


@LAW
@given(any_logits, any_logits)
def test_area_is_mann_whitneys(faces, nonfaces):
    """U / (N M) of SciPy's statistic, ties as halves."""
    expected = scipy_stats.mannwhitneyu(faces, nonfaces, method="asymptotic").statistic

    pairs = len(faces) * len(nonfaces)
    assert operating.area(faces, nonfaces) == pytest.approx(expected / pairs, abs=1e-12)


def test_area_of_a_hand_worked_case():
    """Of six pairs three are in order, one is tied, two are not."""
    assert operating.area(np.array([3.0, 1]), np.array([0.0, 1, 4])) == pytest.approx(3.5 / 6)


@pytest.mark.parametrize(("shift", "expected"), [(10, 1.0), (-10, 0.0), (0, 0.5)])
def test_area_of_separate_and_of_equal_logits(shift, expected):
    """Faces all above, all below, or the same."""
    assert operating.area(np.arange(5.0) + shift, np.arange(5.0)) == expected


@LAW
@given(tied, tied)
def test_area_does_not_care_about_monotone_maps(faces, nonfaces):
    """Logits or probabilities: only their order counts."""
    expected = operating.area(faces, nonfaces)

    assert operating.area(1 / (1 + np.exp(-faces)), 1 / (1 + np.exp(-nonfaces))) == expected


@LAW
@given(any_logits, any_logits)
def test_area_of_the_other_side_adds_up_to_one(faces, nonfaces):
    """What faces do not win, non-faces win."""
    both = operating.area(faces, nonfaces) + operating.area(nonfaces, faces)

    assert both == pytest.approx(1, abs=1e-12)


@LAW
@given(any_logits, any_logits)
def test_area_is_that_under_the_curve_without_ties(faces, nonfaces):
    """Each photograph's recall counts for one M-th."""
    assume(not set(faces) & set(nonfaces))
    _, recall = operating.curve(faces, nonfaces)

    assert operating.area(faces, nonfaces) == pytest.approx(recall[1:-1].mean(), abs=1e-12)


@pytest.mark.parametrize(("k", "expected"), [(1, 4.5), (2, 3.5), (3, 2.5), (4, 1.25)])
def test_matched_threshold_lies_midway_between_two_logits(k, expected):
    """Of five photographs, between the k-th and the next."""
    logits_of_run = np.array([2.0, 5, 0.5, 3, 4])

    assert operating.matched_threshold(logits_of_run, np.array(k)) == expected


@LAW
@given(st.integers(1, OTHERS - 1), st.integers(0, 50))
def test_matched_threshold_detects_as_many_as_asked_for(k, seed):
    """Every run its own number, where no two photographs are equal."""
    others = logits(OTHERS, seed)
    wanted = (k + np.arange(RUNS)) % (OTHERS - 1) + 1
    found = operating.detected(others, operating.matched_threshold(others, wanted))

    assert found.sum(axis=1).tolist() == wanted.tolist()
    assert operating.excess(others, wanted).tolist() == [0] * RUNS


@pytest.mark.parametrize("high", [1.0, -3.7, 1e-310, 1e300])
def test_matched_threshold_separates_neighbouring_floats(high):
    """There is no number between them: the higher one is detected, the lower one is not."""
    others = np.array([np.nextafter(high, -np.inf), high])
    level = operating.matched_threshold(others, np.array(1))

    assert operating.detected(others, level).tolist() == [0, 1]


def test_photographs_that_tie_at_a_matched_threshold_are_counted():
    """Of three equal logits one is asked for: all three are detected, two too many."""
    others = np.array([[1.0, 1, 1, 0], [3, 2, 1, 0]])

    assert operating.excess(others, np.array([1, 1])).tolist() == [2, 0]


@pytest.mark.parametrize("k", [0, 5])
def test_no_threshold_matches_none_or_all(k):
    """There is no logit on its other side."""
    with pytest.raises(ValueError, match=rf"counts must be from 1 to 4, not \[{k}\]"):
        operating.matched_threshold(np.arange(5.0), np.array(k))
