import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from repro.stats import bootstrap, disparity, intervals, operating
from repro.stats.disparity import DEFINITIONS

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
rates = st.floats(0, 0.999)


@pytest.mark.parametrize(
    ("rate", "expected"), [(0, 5), (0.19, 5), (0.2, 4), (0.39, 4), (0.4, 3), (0.999, 1)]
)
def test_threshold_of_hand_worked_logits(rate, expected):
    """Of five photographs one may pass at 20 %, so the second highest is the threshold."""
    assert operating.threshold(np.array([2.0, 5, 1, 3, 4]), rate) == expected


def test_threshold_of_ties_lets_none_of_them_pass():
    """Two share the highest logit; one of four may pass, so neither does."""
    assert operating.threshold(np.array([3.0, 1, 3, 2]), 0.25) == 3


@pytest.mark.parametrize("percent", [0, 1, 5, 28, 29, 57, 58, 99])
def test_threshold_reads_a_decimal_rate_as_it_is_meant(percent):
    """0.29 of 100 are 29, although the product is rounded to less."""
    assert operating.threshold(np.arange(100.0), percent / 100) == 99 - percent


@LAW
@given(any_logits, rates)
def test_threshold_never_lets_more_than_the_rate_pass(nonfaces, rate):
    """What is detected is at most what was allowed, ties or not."""
    passed = operating.detected(nonfaces, operating.threshold(nonfaces, rate))

    assert passed.mean() <= rate + 1e-9


@LAW
@given(any_logits, rates)
def test_threshold_is_the_lowest_that_keeps_the_rate(nonfaces, rate):
    """Anything lower would let too many pass."""
    lower = np.nextafter(operating.threshold(nonfaces, rate), -np.inf)
    passed = operating.detected(nonfaces, lower)

    assert passed.mean() > rate


@LAW
@given(any_logits, rates, rates)
def test_threshold_falls_as_more_false_alarms_are_allowed(nonfaces, one, other):
    """The rate and the threshold go opposite ways."""
    low, high = sorted([one, other])

    assert operating.threshold(nonfaces, low) >= operating.threshold(nonfaces, high)


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.5])
def test_threshold_of_many_runs_is_that_of_each(rate):
    """Leading axes are carried along."""
    nonfaces = logits(3 * OTHERS).reshape(RUNS, 3, OTHERS)
    each = [[operating.threshold(one, rate) for one in run] for run in nonfaces]

    np.testing.assert_array_equal(operating.threshold(nonfaces, rate), each)


@pytest.mark.parametrize("rate", [1.0, 1.5, -0.1])
def test_threshold_refuses_what_is_no_rate(rate):
    """All photographs, more than all, or less than none."""
    with pytest.raises(ValueError, match="no threshold lets"):
        operating.threshold(np.arange(10.0), rate)


def test_detected_lies_above_its_runs_threshold():
    """A photograph with exactly the threshold's logit is not detected."""
    ours = operating.detected(np.array([[1.0, 2, 3], [1, 2, 3]]), np.array([2.0, 0.5]))

    np.testing.assert_array_equal(ours, [[0, 0, 1], [1, 1, 1]])


def test_curve_of_hand_worked_logits():
    """Thresholds 3, 2 and none: one, two and all three faces lie above."""
    rate, recall = operating.curve(np.array([4.0, 2.5, 1]), np.array([2.0, 3]))

    np.testing.assert_allclose([rate, recall], [[0, 0.5, 1], [1 / 3, 2 / 3, 1]])


@LAW
@given(any_logits, any_logits)
def test_curve_never_falls(faces, nonfaces):
    """More false alarms, no less recall."""
    assert (np.diff(operating.curve(faces, nonfaces), axis=1) >= 0).all()


@LAW
@given(any_logits, any_logits)
def test_curve_ends_where_everything_is_detected(faces, nonfaces):
    """All non-faces, all faces."""
    assert [end[-1] for end in operating.curve(faces, nonfaces)] == [1, 1]


@LAW
@given(any_logits, any_logits)
def test_curve_is_what_the_thresholds_give(faces, nonfaces):
    """At every rate below 1 the recall above that rate's threshold."""
    rate, recall = operating.curve(faces, nonfaces)
    levels = [operating.threshold(nonfaces, one) for one in rate[:-1]]

    np.testing.assert_array_equal(
        recall[:-1], [operating.detected(faces, level).mean() for level in levels]
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
    """Each false alarm's recall counts for one M-th."""
    assume(not set(faces) & set(nonfaces))
    _, recall = operating.curve(faces, nonfaces)

    assert operating.area(faces, nonfaces) == pytest.approx(recall[:-1].mean(), abs=1e-12)


@pytest.fixture(scope="module")
def draws():
    """Resamples of five runs, thirty portraits in four groups and forty photographs without."""
    return bootstrap.draw(RUNS, GROUP, OTHERS)


def test_draw_is_the_same_each_time(draws):
    """A fixed seed."""
    again = bootstrap.draw(RUNS, GROUP, OTHERS)

    assert all(
        getattr(again, name).tobytes() == getattr(draws, name).tobytes()
        for name in ("runs", "portraits", "nonfaces")
    )


def test_draw_fills_every_group_with_its_own_portraits(draws):
    """Sizes of groups are kept; only who is in them changes."""
    sizes = [draws.portraits[:, k == GROUP].sum(axis=1) for k in range(4)]

    np.testing.assert_array_equal(sizes, np.repeat([[7], [9], [8], [6]], bootstrap.DRAWS, axis=1))


@pytest.mark.parametrize(("name", "n"), [("runs", RUNS), ("nonfaces", OTHERS)])
def test_draw_takes_as_many_as_there_are(draws, name, n):
    """Positions of existing runs and photographs, with repetition."""
    positions = getattr(draws, name)

    assert positions.shape == (bootstrap.DRAWS, n)
    assert set(np.unique(positions)) == set(range(n))


def test_draw_takes_each_portrait_once_on_average(draws):
    """No portrait is preferred: 1000 draws, four standard errors."""
    assert np.abs(draws.portraits.mean(axis=0) - 1).max() < 4 / np.sqrt(bootstrap.DRAWS)


def test_draw_does_without_photographs_of_nothing():
    """A test set of portraits alone."""
    assert bootstrap.draw(RUNS, GROUP, 0).nonfaces.shape == (bootstrap.DRAWS, 0)


def test_recalls_of_draws_match_resampled_arrays(draws):
    """Counting repetitions is repeating columns."""
    detected = operating.detected(logits(len(GROUP)), np.zeros(RUNS))
    ours = bootstrap.recalls(detected, GROUP, 4, draws)

    for one in (0, 1, 999):
        places = np.repeat(np.arange(len(GROUP)), draws.portraits[one].astype(int))
        drawn, group = detected[draws.runs[one]][:, places], GROUP[places]
        expected = [drawn[:, group == k].mean(axis=1) for k in range(4)]
        np.testing.assert_allclose(ours[one], np.transpose(expected))


def test_recalls_of_what_is_always_detected_are_one(draws):
    """No variation, whatever is drawn."""
    ours = bootstrap.recalls(np.ones((RUNS, len(GROUP))), GROUP, 4, draws)

    np.testing.assert_allclose(ours, 1, rtol=1e-12)


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_recalls_at_a_rate_match_resampled_arrays(draws, rate):
    """Each draw reads each of its runs at a threshold of its own photographs."""
    portraits, nonfaces = logits(len(GROUP), 0) + 0.5, logits(OTHERS, 1)
    ours = bootstrap.recalls_at(portraits, nonfaces, GROUP, 4, draws, rate=rate)

    for one in (0, 1, 999):
        levels = operating.threshold(nonfaces[:, draws.nonfaces[one]], rate)
        above = operating.detected(portraits, levels)
        places = np.repeat(np.arange(len(GROUP)), draws.portraits[one].astype(int))
        drawn, group = above[draws.runs[one]][:, places], GROUP[places]
        expected = [drawn[:, group == k].mean(axis=1) for k in range(4)]
        np.testing.assert_allclose(ours[one], np.transpose(expected))


def test_recalls_at_a_rate_are_fixed_ones_when_thresholds_cannot_vary(draws):
    """All photographs without a face alike: every draw's threshold is theirs."""
    portraits, nonfaces = logits(len(GROUP)), np.full((RUNS, OTHERS), 0.25)
    expected = bootstrap.recalls(
        operating.detected(portraits, np.full(RUNS, 0.25)), GROUP, 4, draws
    )

    ours = bootstrap.recalls_at(portraits, nonfaces, GROUP, 4, draws, rate=0.1)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3, 0.95])
def test_recalls_at_a_rate_are_counted_as_portrait_by_portrait(draws, rate):
    """To the bit: every draw's own threshold held against every portrait; ties are not above."""
    portraits, nonfaces = logits(len(GROUP)).round(1), logits(OTHERS, 1).round(1)
    levels = operating.threshold(nonfaces[:, draws.nonfaces], rate)
    above = portraits[:, None] > levels[..., None]  # (runs, draws, portraits)
    shares = [
        (draws.portraits * above)[..., k == GROUP].sum(axis=2) / (k == GROUP).sum()
        for k in range(4)
    ]
    expected = np.take_along_axis(np.transpose(shares, (2, 1, 0)), draws.runs[..., None], axis=1)

    ours = bootstrap.recalls_at(portraits, nonfaces, GROUP, 4, draws, rate=rate)
    assert ours.tobytes() == np.ascontiguousarray(expected).tobytes()


@pytest.mark.parametrize("held", [1, 37 * RUNS * 4, 10**7])
def test_recalls_are_the_same_however_many_are_held_at_a_time(monkeypatch, draws, held):
    """Statistics of parts of the draws, one after the other."""
    portraits, nonfaces = logits(len(GROUP)), logits(OTHERS, 1)
    options = {"rate": 0.1, "of": disparity.group_means}
    expected = bootstrap.recalls_at(portraits, nonfaces, GROUP, 4, draws, **options)
    monkeypatch.setattr(bootstrap, "AT_ONCE", held)

    ours = bootstrap.recalls_at(portraits, nonfaces, GROUP, 4, draws, **options)
    assert ours.tobytes() == expected.tobytes()


def test_recalls_of_few_photographs_can_lie_at_their_lowest_logit(draws):
    """A draw whose threshold is deeper than most are is read to the end."""
    portraits, nonfaces = logits(len(GROUP)), np.arange(OTHERS)[None] + np.zeros((RUNS, 1))
    lone = bootstrap.Draws(
        draws.runs,
        draws.portraits,
        np.zeros_like(draws.nonfaces),  # the photograph with the lowest logit, again and again
        draws.of_group,
        np.eye(OTHERS, dtype=np.float32)[:, :1] * OTHERS + np.zeros(bootstrap.DRAWS, np.float32),
    )

    ours = bootstrap.recalls_at(portraits + 0.5, nonfaces, GROUP, 4, lone, rate=0.05)
    fixed = bootstrap.recalls(portraits + 0.5 > 0, GROUP, 4, draws)
    np.testing.assert_array_equal(ours, fixed)


def test_recalls_compare_arms_draw_by_draw(draws):
    """Two arms that find the same portraits do not differ in any draw."""
    detected = operating.detected(logits(len(GROUP)), np.zeros(RUNS))
    better = np.maximum(detected, operating.detected(logits(len(GROUP), 1), np.zeros(RUNS)))
    first, second = (bootstrap.recalls(arm, GROUP, 4, draws) for arm in (better, detected))

    assert (first - second >= -1e-12).all()


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_interval_of_hand_worked_draws(level):
    """Deviation 1 over five runs, all of it the runs': t(4) times sqrt(5 / 4) to either side."""
    drawn = np.array([-1.0, 0, 1])
    half = scipy_stats.t.ppf(0.5 + level / 2, 4) * np.sqrt(5 / 4)

    ours = bootstrap.interval(0.25, drawn, drawn, 5, level=level)
    assert ours == pytest.approx((0.25 - half, 0.25 + half), abs=1e-12)


def test_interval_of_photographs_alone_is_normal():
    """Runs that agree leave no doubt about their spread: 1.96 deviations."""
    half = scipy_stats.norm.ppf(0.975)

    ours = bootstrap.interval(0.25, np.array([-1.0, 0, 1]), np.zeros(3), 5)
    assert ours == pytest.approx((0.25 - half, 0.25 + half), abs=1e-6)


def test_interval_has_more_degrees_of_freedom_the_less_the_runs_do():
    """Runs' part 1.25 of 4 + 0.25: 4 times (4.25 / 1.25) squared of them."""
    half = scipy_stats.t.ppf(0.975, 4 * (4.25 / 1.25) ** 2) * np.sqrt(4.25)

    ours = bootstrap.interval(0.0, np.array([-2.0, 0, 2]), np.array([-1.0, 0, 1]), 5)
    assert ours == pytest.approx((-half, half), abs=1e-12)


def test_interval_of_a_share_stays_within_its_range(draws):
    """A perfect recall has an interval that ends at 1 and begins at most there."""
    ones = np.ones(10)

    assert bootstrap.share_interval(1.0, ones, ones, 5, portraits=100) == pytest.approx((1, 1))
    low, high = bootstrap.share_interval(
        0.98, np.array([0.9, 1.0, 1.0]), np.array([0.95, 1.0, 1.0]), 5, portraits=100
    )
    assert 0 < low < 0.98 < high <= 1


def test_interval_of_a_variance_is_of_its_root():
    """Roots 0 and 2 about 1: never below 0, and wider above than below."""
    drawn = np.array([0.0, 1, 4])
    root = bootstrap.interval(1.0, np.sqrt(drawn), np.sqrt(drawn), 5)

    assert bootstrap.root_interval(1.0, drawn, drawn, 5) == pytest.approx((0, root.high**2))


def test_interval_of_one_run_is_nowhere():
    """One run resampled is always itself: new seeds remain unknown."""
    assert np.isnan(bootstrap.interval(0.9, np.array([0.88, 0.92]), np.array([0.9, 0.9]), 1)).all()


def test_interval_of_equal_draws_is_a_point():
    """No variation, no width."""
    assert bootstrap.interval(0.75, np.full(10, 0.75), np.full(10, 0.75), 5) == (0.75, 0.75)


def test_interval_is_students_when_only_runs_differ(draws):
    """Every portrait alike: what remains is the t interval of the runs, but for 1000 draws."""
    shares = np.array([0.8, 0.85, 0.9, 0.92, 0.94])
    detected = np.repeat(shares[:, None], len(GROUP), axis=1)
    recall = np.repeat(shares[:, None], 4, axis=1)
    drawn, by_runs = (
        disparity.mean_recall(one, [7, 9, 8, 6], DEFINITIONS["dehaan2020"])
        for one in (
            bootstrap.recalls(detected, GROUP, 4, draws),
            bootstrap.of_runs(recall, draws),
        )
    )

    ours = bootstrap.interval(shares.mean(), drawn, by_runs, RUNS)
    width = intervals.t_half_width(shares)
    assert (ours.high - ours.low) / 2 == pytest.approx(width, rel=0.1)
