"""Intervals from the parts of a variance: known limits, hand-worked numbers, bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import stats as scipy_stats

from repro.stats import components, disparity, intervals, quantities
from repro.stats.components import Parts, Pooled
from repro.stats.disparity import DEFINITIONS, Definition
from repro.stats.intervals import Interval

LAW = settings(deadline=None, derandomize=True)
SIZES = np.array([40, 60])
GROUP = np.repeat([0, 1], SIZES)
POOLED = DEFINITIONS["dehaan2020"]
FIRST = Definition(mean="pooled", ddof=1, runs="first")
NAMES = ("recall", "variance", "gap", "worst")
runs_of = st.lists(st.integers(0, 40).map(lambda n: n / 40), min_size=2, max_size=6).map(np.array)


def made(runs, *, photographs=0.0, value=None, **changes):
    """Parts with these pseudo-values and this variance from photographs."""
    runs = np.asarray(runs, dtype=np.float64)
    plain = {
        "value": np.asarray(runs.mean() if value is None else value),
        "runs": runs,
        "portraits": None,
        "detected": np.ones(1),
        "group": None,
        "bound": np.asarray(photographs),
        "redrawn": np.empty(0),
        "nonfaces": np.empty(0),
        "curved": np.asarray(0.0),
    }
    return Parts(**(plain | changes))


def of(name, detected, *, definition=POOLED, group=GROUP, counts=False, **changes):
    """Parts of a quantity of detections, shape (R, N), or of their counts alone."""
    detected = np.asarray(detected, dtype=np.float64)
    sizes = np.bincount(group)
    recall = np.stack([detected[:, group == k].mean(axis=1) for k in range(len(sizes))], axis=1)
    return components.parts(
        recall,
        quantities.quantity(name, sizes, definition),
        sizes,
        **({} if counts else {"detected": detected, "group": group}),
        **changes,
    )


def drawn(seed, runs=5, recall=0.9, group=GROUP):
    """Detections with a little of everything: easy and hard portraits, better and worse runs."""
    generator = np.random.default_rng(seed)
    level = scipy_stats.norm.ppf(recall) * 1.5
    score = level + generator.normal(size=len(group)) + generator.normal(0, 0.3, (runs, 1))
    return (score + generator.normal(0, 0.5, (runs, len(group))) > 0).astype(np.float64)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_interval_is_students_where_only_runs_vary(level):
    """Against SciPy: the mean and its standard error."""
    runs = np.array([0.8, 0.85, 0.9, 0.92, 0.94])
    expected = scipy_stats.t.interval(level, 4, loc=runs.mean(), scale=scipy_stats.sem(runs))

    assert components.interval(made(runs), level=level) == pytest.approx(expected, abs=1e-12)


def test_interval_is_normal_where_only_portraits_vary():
    """Runs that agree leave no doubt about their spread: 1.96 standard deviations."""
    ours = components.interval(made([0.8] * 5, photographs=0.04**2))

    half = scipy_stats.norm.ppf(0.975) * 0.04
    assert ours == pytest.approx((0.8 - half, 0.8 + half), abs=1e-7)


def test_degrees_of_freedom_are_satterthwaites():
    """Variance 5 of five runs is 1 of the mean; with 3 of portraits 4 (4 / 1)^2 = 64 degrees."""
    half = components.half_width(5.0, 5, 4, 3.0)

    assert half == pytest.approx(2 * scipy_stats.t.ppf(0.975, 64), rel=1e-12)


def test_pool_is_the_mean_square_about_each_arms_mean():
    """Squares 2 and 2 and 0 with 1, 2 and 1 degrees of freedom; one run and NaN add nothing."""
    arms = [[1.0, 3.0], [1.0, 2.0, 3.0], [5.0, 5.0], [9.0], [np.nan, 1.0]]

    assert components.pool([np.array(arm) for arm in arms]) == (1.0, 4, 3)


def test_pool_takes_two_arms():
    """Squares .5 and 2, a degree of freedom each."""
    assert components.pool([np.array([1.0, 2.0]), np.array([1.0, 3.0])]) == (1.25, 2, 2)


@pytest.mark.parametrize("arms", [[], [[1.0, 2.0]], [[1.0, 2.0], [3.0]]])
def test_pool_of_one_arm_is_none(arms):
    """It would be the arm's own spread again."""
    assert components.pool([np.array(arm) for arm in arms]) is None


@pytest.mark.parametrize(
    ("pooled", "half"),
    [
        (None, scipy_stats.t.ppf(0.975, 2) / np.sqrt(3)),
        (Pooled(0.01, 30, 7), scipy_stats.t.ppf(0.975, 2) / np.sqrt(3)),
        (Pooled(100.0, 30, 7), scipy_stats.t.ppf(0.975, 30) * 10 / np.sqrt(3)),
    ],
    ids=["own alone", "pooled narrower", "pooled wider"],
)
def test_interval_is_the_wider_of_own_and_pooled(pooled, half):
    """Three runs at 1, 2 and 3: variance 1 with 2 degrees of freedom."""
    ours = components.interval(made([1.0, 2.0, 3.0]), pooled)

    assert ours == pytest.approx((2 - half, 2 + half), rel=1e-12)


def test_a_single_run_has_an_interval_only_by_the_pooled_spread():
    """Its own spread is unknown."""
    one = made([0.9], photographs=0.01**2)
    half = scipy_stats.t.ppf(0.975, 24 * (0.0005 / 0.0004) ** 2) * np.sqrt(0.0005)

    assert np.isnan(components.interval(one)).all()
    assert components.interval(one, Pooled(0.0004, 24, 7)) == pytest.approx(
        (0.9 - half, 0.9 + half), rel=1e-12
    )


def test_interval_is_cut_at_the_ends_of_its_range():
    """A variance is no less than 0."""
    ours = components.interval(made([0.0, 0.1, 0.5]), within=Interval(0.0, 0.25))

    assert ours == (0.0, 0.25)


def test_interval_without_any_variation_is_undefined():
    """No width 0 for what was not measured exactly."""
    assert np.isnan(components.interval(made([0.5, 0.5, 0.5]))).all()


def test_portrait_variance_of_a_hand_worked_case():
    """Contributions 1, 1, .5 and 0 of 4 portraits, and half a 1 and half a 0.

    Mean 3 / 5, mean square 2.75 / 5: variance .19, over 4.
    """
    ours = components.portrait_variance(
        np.array([1, 1, 0.5, 0]), np.zeros(4, dtype=np.int64), np.array([1.0])
    )

    assert ours == pytest.approx(0.19 / 4, abs=1e-15)


def test_portrait_variance_adds_the_groups():
    """Independent portraits."""
    scores = np.random.default_rng(0).uniform(size=len(GROUP))
    weights = np.array([0.3, -0.7])
    each = [
        components.portrait_variance(
            weights[k] * scores[k == GROUP], GROUP[k == GROUP] * 0, weights[[k]]
        )
        for k in (0, 1)
    ]

    ours = components.portrait_variance(weights[GROUP] * scores, GROUP, weights)
    assert ours == pytest.approx(sum(each), rel=1e-12)


def test_portrait_variance_of_many_portraits_is_that_of_their_mean():
    """The limit in which half a portrait is nothing."""
    scores = np.random.default_rng(0).integers(0, 6, 100_000) / 5

    ours = components.portrait_variance(scores, np.zeros(100_000, dtype=np.int64), np.ones(1))
    assert ours == pytest.approx(scores.var() / 100_000, rel=1e-4)


def test_parts_without_scores_have_the_largest_variance_that_counts_allow():
    """As if all runs missed the same portraits."""
    nested = np.tile(np.concatenate([np.arange(n) < n - 4 for n in SIZES]), (5, 1))

    by_counts = of("recall", nested, counts=True)
    assert by_counts.of_photographs == pytest.approx(of("recall", nested).of_photographs, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
@LAW
@given(st_numpy.arrays(np.int64, (3, 9), elements=st.integers(0, 1)))
def test_counted_variance_is_at_least_that_of_any_scores(name, detected):
    """Whichever portraits each run detects, of groups of four and five."""
    group = np.repeat([0, 1], [4, 5])
    found = of(name, detected, group=group)

    portraits = components.portrait_variance(found.portraits, group, found.detected)
    assert portraits <= found.bound + 1e-12


@pytest.mark.parametrize("name", ["recall", "worst"])
@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("groups", [1, 2, 4, 10])
@pytest.mark.parametrize("size", [25, 300])
def test_perfect_recall_in_all_runs_has_about_the_exact_bound(name, counts, groups, size):
    """At least that of so many portraits without a miss, and at most three times as far from 1."""
    group = np.repeat(range(groups), size)
    portraits = size if name == "worst" else len(group)
    found = of(name, np.ones((5, len(group))), group=group, counts=counts)
    low, high = components.share_interval(found, portraits)
    exact = intervals.clopper_pearson(portraits, portraits)

    assert high == 1
    assert 1 - exact.low < 1 - low < 3 * (1 - exact.low)


@pytest.mark.parametrize("name", ["variance", "gap"])
def test_equal_perfect_groups_have_a_variance_and_a_gap_with_a_width(name):
    """Nothing was missed, which does not mean that nothing ever is."""
    ours = components.interval(of(name, np.ones((5, 100))), within=Interval(0.0, 1.0))

    assert ours.low == 0
    assert ours.high > 0


@pytest.mark.parametrize("missed", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_group_of_one_portrait_has_finite_parts(name, missed):
    """Its noise is that of one portrait, and no NaN."""
    group = np.array([0, 0, 0, 0, 1])
    detected = np.ones((5, 5))
    detected[2:, 4] = 1 - missed
    found = of(name, detected, group=group)

    low, high = components.interval(found, within=Interval(0.0, 1.0))
    assert np.isfinite(found.of_photographs)
    assert low <= found.value <= high


@pytest.mark.parametrize("definition", [POOLED, FIRST])
@LAW
@given(st_numpy.arrays(np.int64, (3, 5), elements=st.integers(0, 1)))
def test_a_variance_never_exceeds_the_largest_there_is(definition, detected):
    """A group of one portrait, and any detections: at most half the groups at 0 and half at 1."""
    most = disparity.largest_variance(2, definition.ddof)
    found = of("variance", detected, group=np.array([0, 0, 0, 0, 1]), definition=definition)

    interval = components.interval(found, within=Interval(0.0, most))
    assert 0 <= interval.low <= found.value <= interval.high <= most


@LAW
@given(runs_of, st.floats(0, 0.05), st.sampled_from([None, Pooled(1e-6, 9, 3), Pooled(0.1, 9, 3)]))
def test_share_interval_stays_a_share_and_holds_the_value(runs, photographs, pooled):
    """Whatever the runs, the portraits and the other arms do."""
    found = made(runs, photographs=photographs + 1e-6)
    low, high = components.share_interval(found, 40, pooled)

    assert 0 <= low <= found.value <= high <= 1


def test_share_interval_is_wider_below_than_above_a_recall_near_1():
    """Recalls are skewed there."""
    found = made([0.96, 0.97, 0.98, 0.99, 0.99], photographs=1e-5)
    low, high = components.share_interval(found, 300)

    assert found.value - low > 1.5 * (high - found.value)


def test_share_interval_in_the_middle_is_the_plain_one():
    """The limit of little variation about one half."""
    found = made([0.49, 0.5, 0.51], photographs=1e-5)

    ours = components.share_interval(found, 10**6)
    assert ours == pytest.approx(components.interval(found), abs=1e-4)


def test_share_interval_covers_both_where_the_pooled_spread_is_wider():
    """In points to either side by the pooled spread, and on the scale of the logit by its own."""
    found = made([0.96, 0.97, 0.98, 0.99, 0.99], photographs=1e-5)
    own = components.share_interval(found, 300)
    for pooled in (Pooled(0.001, 24, 7), Pooled(0.01, 24, 7)):
        plain = components.half_widths(found, pooled)[1]
        low, high = components.share_interval(found, 300, pooled)
        assert low == pytest.approx(min(own.low, found.value - plain), rel=1e-12)
        assert high == pytest.approx(max(own.high, min(found.value + plain, 1)), rel=1e-12)


def test_share_interval_of_a_single_run_alone_is_undefined():
    """And with a pooled spread it is in points."""
    found = made([0.9], photographs=1e-4)

    assert np.isnan(components.share_interval(found, 100)).all()
    assert components.share_interval(found, 100, Pooled(1e-4, 20, 5)) == pytest.approx(
        components.interval(found, Pooled(1e-4, 20, 5)), rel=1e-12
    )


@pytest.mark.parametrize("name", NAMES)
def test_identical_arms_have_no_interval_of_their_difference(name):
    """It is 0 in every run and for every portrait: nothing to estimate."""
    one = of(name, drawn(0))
    apart = one.minus(of(name, drawn(0)))

    assert apart.value == 0
    assert np.isnan(components.interval(apart)).all()


def test_difference_of_a_hand_worked_case():
    """Two runs of two arms on four portraits of one group.

    The arm detects 1111 and 1110, the reference 1100 and 1000: recalls 1, .75 and .5, .25, both
    differences .5. Portraits' mean differences are 0, .5, 1 and .5; nothing is added for half
    portraits, because both arms would detect or miss them: mean square 1.5 / 5, mean 2 / 5.
    """
    arm = of("recall", [[1, 1, 1, 1], [1, 1, 1, 0]], group=np.zeros(4, dtype=np.int64))
    other = of("recall", [[1, 1, 0, 0], [1, 0, 0, 0]], group=np.zeros(4, dtype=np.int64))
    apart = arm.minus(other)

    assert apart.runs == pytest.approx([0.5, 0.5])
    assert apart.of_photographs == pytest.approx((1.5 / 5 - (2 / 5) ** 2) / 4, abs=1e-15)
    half = scipy_stats.norm.ppf(0.975) * np.sqrt(0.035)
    assert components.interval(apart) == pytest.approx((0.5 - half, 0.5 + half), rel=1e-6)


def test_difference_takes_thresholds_in_common():
    """Redrawn photographs move both arms alike."""
    redrawn = np.random.default_rng(0).normal(size=100)
    one, other = (of("recall", drawn(seed), redrawn=redrawn + seed) for seed in (0, 1))
    alone = of("recall", drawn(0)).minus(of("recall", drawn(1)))

    assert one.minus(other).of_photographs == pytest.approx(alone.of_photographs, rel=1e-9)


def test_difference_without_scores_has_no_interval():
    """Counts do not say which portraits both arms miss."""
    one, other = (of("recall", drawn(seed), counts=True) for seed in (0, 1))

    assert np.isnan(components.interval(one.minus(other))).all()


def test_variances_of_thresholds_add():
    """Those of redrawn photographs (ddof 1), and the photographs' own over their number."""
    plain = of("recall", drawn(0)).of_photographs
    nonfaces = np.zeros((5, 2, 3))
    nonfaces[:, :, 0] = 1  # the recall's slopes are .4 and .6, so the contributions are 1, 0, 0

    with_both = of("recall", drawn(0), redrawn=np.array([0.1, 0.3]), nonfaces=nonfaces)
    assert with_both.of_photographs == pytest.approx(plain + 0.02 + 1 / 3 / 3, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_many_studies_are_each_as_one_alone(name):
    """Leading axes are carried along."""
    detected = np.stack([[drawn(3 * a + b) for b in range(3)] for a in range(2)])
    recall = np.stack([detected[..., k == GROUP].mean(axis=-1) for k in (0, 1)], axis=-1)
    quantity = quantities.quantity(name, SIZES, POOLED)
    for scores in ({"detected": detected, "group": GROUP}, {}):
        together = components.parts(recall, quantity, SIZES, **scores)
        for a, b in np.ndindex(2, 3):
            own = {key: one[a, b] if key == "detected" else one for key, one in scores.items()}
            alone = components.parts(recall[a, b], quantity, SIZES, **own)
            np.testing.assert_allclose(together.runs[a, b], alone.runs, rtol=1e-12)
            np.testing.assert_allclose(
                together.of_photographs[a, b], alone.of_photographs, rtol=1e-12
            )


def test_recall_noise_is_the_portraits_variance_of_each_group():
    """Of the run averages, and from counts alone at least as much."""
    detected = drawn(0)
    recall = np.stack([detected[:, k == GROUP].mean(axis=1) for k in (0, 1)], axis=1)
    share = detected.mean(axis=0)
    expected = [
        components.portrait_variance(share[k == GROUP], GROUP[k == GROUP] * 0, np.array([1.0]))
        for k in (0, 1)
    ]

    ours = components.recall_noise(recall, SIZES, detected, GROUP)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
    assert (components.recall_noise(recall, SIZES) >= ours).all()


def test_recall_noise_by_counts_is_that_of_runs_that_miss_the_same_portraits():
    """Equal runs know no more about portraits than one."""
    nested = np.tile(np.concatenate([np.arange(n) < n - 4 for n in SIZES]), (5, 1)) * 1.0
    recall = np.tile((SIZES - 4) / SIZES, (5, 1))

    np.testing.assert_allclose(
        components.recall_noise(recall, SIZES),
        components.recall_noise(recall, SIZES, nested, GROUP),
        rtol=1e-12,
    )
