"""Arms with known logits, read at logit 0 and at equal false alarms."""

import dataclasses
import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from arms import GROUP, OTHERS, arm, noisy, outcomes
from scipy import special

from repro.analysis import operating_points, thresholds
from repro.analysis.arm_scores import ArmScores
from repro.analysis.object_cache import cached_by_owner
from repro.analysis.operating_points import Estimate
from repro.reporting.tables import notes, tables
from repro.stats import noise
from repro.stats.disparity import DEFINITIONS
from repro.stats.intervals import Interval

DEFINITION = DEFINITIONS["dehaan2020"]
PAIR = (("one", np.ones((3, 8)), (0, 1, 2)), ("two", -np.ones((2, 8)), (1, 2)))


ONE = arm("one", [[1, 1, 1, -1.5, 1, -3, -3, -3]])


def replace_portrait(logit):
    """`ONE` with this logit of its fourth portrait."""
    return arm("one", [[1, 1, 1, logit, 1, -3, -3, -3]])


def test_an_arm_is_read_at_logit_0_as_it_was_counted():
    """Three of four and one of four: recall one half, variance 0.0625, gap one half."""
    read = operating_points.reading(outcomes(ONE), ONE, DEFINITION)

    assert [read.of[name].value for name in operating_points.ESTIMATED] == [0.5, 0.0625, 0.5, 0.25]
    assert read.false_positives.value == 0


def test_a_lower_threshold_finds_more_at_the_stated_false_alarms():
    """At 10 % of ten the threshold is the largest logit of the others, -1: 1 of 11 is expected."""
    one = replace_portrait(-1.0)
    read = operating_points.reading(outcomes(one), one, DEFINITION, rate=0.1)

    assert read.false_positives.value == pytest.approx(1 / 11)
    assert read.false_positives.interval == pytest.approx((1 - 0.975**0.1, 1 - 0.025**0.1))
    assert read.recall.tolist() == [[1.0, 0.25]]


def test_photographs_that_tie_at_the_threshold_are_counted():
    """Three photographs share the largest logit; the first rank lets two more pass."""
    tied = np.where(OTHERS > -4, -1.0, OTHERS)

    assert thresholds.ties(arm("x", [[1.0] * 8], nonfaces=tied), 0.1).tolist() == [2]
    assert thresholds.ties(ONE, 0.1).tolist() == [0]


def test_every_run_has_its_own_threshold():
    """A run whose logits are all larger by a constant reads the same."""
    logits = np.array([1, 1, 1, -1.5, 1, -3, -3, -3])
    both = arm("both", [logits, logits + 7], nonfaces=np.stack([OTHERS, OTHERS + 7]))
    read = operating_points.reading(outcomes(both), both, DEFINITION, rate=0.1)

    assert read.recall[0].tolist() == read.recall[1].tolist()


def test_a_single_run_of_a_single_arm_has_no_interval():
    """How runs differ is unknown."""
    read = operating_points.reading(outcomes(ONE), ONE, DEFINITION)

    assert all(np.isnan(one.interval).all() for one in read.of.values())


def test_a_single_run_has_the_spread_of_the_other_arms():
    """Two other arms with several runs: wider than either's own interval."""
    others = [arm(name, noisy(seed)) for seed, name in enumerate("xy")]
    study = outcomes(ONE, *others)
    low, high = operating_points.reading(study, ONE, DEFINITION).of["recall"].interval

    assert low < 0.5 < high
    for other in others:
        own = operating_points.reading(outcomes(other), other, DEFINITION).of["recall"].interval
        assert own.high - own.low < high - low


@pytest.mark.parametrize("rate", [None, 0.2])
@pytest.mark.parametrize("name", operating_points.ESTIMATED)
def test_an_interval_is_the_wider_of_own_and_pooled(name, rate):
    """An arm whose runs agree has the spread of the others; one that spreads keeps its own."""
    calm = arm("calm", np.tile(noisy(0, 1), (5, 1)) + np.linspace(0, 1e-3, 5)[:, None])
    wild = arm("wild", noisy(1) + np.linspace(-2, 2, 5)[:, None])
    plain = arm("plain", noisy(2))
    study = outcomes(calm, wild, plain)
    for one in study.arms:
        together = operating_points.reading(study, one, DEFINITION, rate=rate).of[name].interval
        alone = operating_points.reading(outcomes(one), one, DEFINITION, rate=rate).of[name]
        assert together.low <= alone.interval.low
        assert together.high >= alone.interval.high


def test_a_recall_has_the_same_interval_in_every_table():
    """With a single group, its recall, that of all portraits and of the worst group are one."""
    arms = [
        replace(
            one,
            groups=("all",),
            sizes=np.array([8]),
            recall=one.recall.mean(axis=1, keepdims=True),
            scores=replace(one.scores, group=np.zeros(8, dtype=np.int64)),
        )
        for one in (arm(name, noisy(seed)) for seed, name in enumerate("xyz"))
    ]
    study = outcomes(*arms)
    read = operating_points.reading(study, arms[0], DEFINITION)

    assert read.of["recall"] == read.of["worst"]
    assert read.of["recall"] == operating_points.group_estimates(study, arms[0])[0]


def test_intervals_stay_within_what_the_quantity_can_be():
    """No recall above 1, no variance below 0."""
    one = arm("x", noisy(0))
    read = operating_points.reading(outcomes(one), one, DEFINITION)

    assert all(0 <= e.interval.low <= e.value <= e.interval.high for e in read.of.values())
    assert max(read.of[name].interval.high for name in ("recall", "gap", "worst")) <= 1


@pytest.mark.parametrize("rate", [None, 0.2])
def test_an_arm_does_not_differ_from_itself(rate):
    """The difference is exactly 0 and has no interval: nothing varies."""
    apart = operating_points.difference(
        arm("x", noisy(0)), arm("y", noisy(0)), DEFINITION, rate=rate
    )

    assert [one.value for one in apart.values()] == [0, 0, 0, 0]
    assert all(np.isnan(one.interval).all() for one in apart.values())


@pytest.mark.parametrize("rate", [None, 0.2])
def test_a_difference_has_the_interval_of_its_pairs(rate):
    """A shift that both arms share with their seed falls out of the difference."""
    shift = np.linspace(-1.5, 1.5, 5)[:, None]
    logits = noisy(0, shift=0.5) + shift
    logits[0, 0] = -5  # so that the pairs do not all differ by the same
    plain, better = arm("plain", noisy(0) + shift), arm("better", logits)
    apart = operating_points.difference(better, plain, DEFINITION, rate=rate)["recall"]
    read = operating_points.reading(outcomes(plain), plain, DEFINITION, rate=rate).of["recall"]

    assert apart.interval.low <= apart.value <= apart.interval.high
    assert apart.interval.high - apart.interval.low < read.interval.high - read.interval.low


@pytest.mark.parametrize("rate", [None, 0.2])
def test_pairs_that_all_differ_by_the_same_have_no_interval(rate):
    """Two seeds, each one portrait of eight better: the spread of other seeds is unknown."""
    apart = operating_points.difference(
        arm("x", [[1, 1, 1, 1, 1, 1, 1, -20]] * 2),
        arm("y", [[1, 1, 1, 1, 1, 1, -20, -20]] * 2),
        DEFINITION,
        rate=rate,
    )

    assert apart["recall"].value == 0.125
    assert np.isnan(apart["recall"].interval).all()


@pytest.mark.parametrize(
    "other",
    [
        replace(arm("y", noisy(1)), scores=None),
        arm("y", noisy(1), nonfaces=OTHERS[:9]),
    ],
    ids=["no scores", "other photographs"],
)
def test_arms_on_other_photographs_have_no_interval_of_their_difference(other):
    """What they share is unknown."""
    apart = operating_points.difference(other, arm("x", noisy(0)), DEFINITION)["recall"]

    assert not np.isnan(apart.value)
    assert np.isnan(apart.interval).all()


def test_arms_on_other_portraits_are_compared_each_by_its_own_sizes():
    """Pooled over 1 and 7 portraits, and over three groups: no size of the other arm's is used."""
    few = replace(ONE, sizes=np.array([1, 7]), scores=None)
    three = replace(
        ONE,
        groups=("a", "b", "c"),
        sizes=np.array([4, 4, 8]),
        recall=np.array([[0.5, 0.5, 1.0]]),
        scores=None,
    )

    apart = operating_points.difference(three, few, DEFINITION)
    assert apart["recall"].value == pytest.approx(0.75 - (0.75 + 7 * 0.25) / 8)


def test_a_group_of_one_portrait_has_no_noise_estimate():
    """Its spread is not to be had."""
    one = replace(ONE, sizes=np.array([1, 7]), scores=None)

    assert tables.part(outcomes(one), "groups").table["Variance without noise"].tolist() == ["—"]


def test_a_group_of_one_portrait_has_no_variance_above_the_largest():
    """Two groups differ by a variance of 0.25 at most (ddof 0)."""
    logits = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, -1], [1, 1, 1, -1, -1]])
    group = np.array([0, 0, 0, 0, 1])
    found = logits > 0
    lone = replace(
        ONE,
        seeds=(0, 1, 2),
        sizes=np.array([4, 1]),
        recall=np.stack([found[:, k == group].mean(axis=1) for k in (0, 1)], axis=1),
        scores=ArmScores(portraits=logits * 1.0, group=group, nonfaces=np.tile(OTHERS, (3, 1))),
    )
    low, high = operating_points.reading(outcomes(lone), lone, DEFINITION).of["variance"].interval

    assert 0 <= low < high <= 0.25
    assert np.isnan(operating_points.without_noise(outcomes(lone), lone, DEFINITION).value)


def test_variance_without_noise_is_the_unbiased_one_within_its_range():
    """Its interval has the width of that of the variance, cut at 0."""
    one = arm("x", noisy(0))
    found = operating_points.without_noise(outcomes(one), one, DEFINITION)
    expected = noise.unbiased_variance((one.scores.portraits >= 0) * 1.0, GROUP, 2, DEFINITION)

    assert found.value == expected
    assert 0 <= found.interval.low <= max(found.value, 0) <= found.interval.high <= 0.25


def test_variance_without_noise_of_groups_that_are_too_equal_has_an_interval():
    """Ten groups with the same counts in every run: below 0, and the interval begins there."""
    logits = np.tile([1.0, 1, 1, -1], (3, 10))
    names = tuple("abcdefghij")
    one = replace(
        ONE,
        seeds=(0, 1, 2),
        groups=names,
        sizes=np.full(10, 4),
        recall=np.full((3, 10), 0.75),
        scores=ArmScores(
            portraits=logits, group=np.repeat(range(10), 4), nonfaces=np.tile(OTHERS, (3, 1))
        ),
    )
    found = operating_points.without_noise(outcomes(one), one, DEFINITION)

    assert found.value < 0 == found.interval.low < found.interval.high


@pytest.mark.parametrize(
    "one", [ONE, replace(arm("x", noisy(0)), scores=None)], ids=["single run", "no scores"]
)
def test_variance_without_noise_is_undefined(one):
    """Seeds need two runs, portraits need scores."""
    found = operating_points.without_noise(outcomes(one), one, DEFINITION)

    assert np.isnan([found.value, *found.interval]).all()


def test_perfect_recall_has_an_interval_of_some_width():
    """Eight portraits that all runs detect do not make it certain."""
    one = arm("x", np.ones((5, 8)))
    read = operating_points.reading(outcomes(one), one, DEFINITION)

    assert read.of["recall"].interval.high == 1
    assert read.of["recall"].interval.low < 0.8
    for name in ("variance", "gap"):
        assert read.of[name].interval.low == 0 < read.of[name].interval.high


@pytest.mark.parametrize("sizes", [(25, 300), (300, 25)])
@pytest.mark.parametrize("known", [True, False], ids=["scores", "counts"])
def test_worst_of_perfect_groups_is_as_uncertain_as_the_smallest(sizes, known):
    """25 portraits without a miss do not exclude 86.3 % (exact), wherever the group stands."""
    scores = ArmScores(
        portraits=np.ones((5, 325)),
        group=np.repeat([0, 1], sizes),
        nonfaces=np.tile(OTHERS, (5, 1)),
    )
    one = replace(
        arm("x", np.ones((5, 8))), sizes=np.array(sizes), scores=scores if known else None
    )
    read = operating_points.reading(outcomes(one), one, DEFINITION)

    assert read.of["worst"].interval.low < 0.863
    assert read.of["worst"].interval.high == 1


def test_false_positives_have_an_interval_also_where_there_are_none():
    """None of ten photographs in any run: the exact bound is 26 %, the interval ends near."""
    one = arm("x", noisy(0))
    found = operating_points.false_positives(outcomes(one), one)

    assert (found.value, found.interval.low) == (0, 0)
    assert 0.2 < found.interval.high < 0.6


def test_false_positives_without_photographs_are_undefined():
    """Portraits alone."""
    one = replace(arm("x", noisy(0)), false_positive_rate=None, nonfaces=0)
    found = operating_points.false_positives(outcomes(one), one)

    assert np.isnan([found.value, *found.interval]).all()


@pytest.mark.parametrize(("low", "above"), [(0.1, True), (0.002, False), (-0.1, False)])
def test_an_interval_is_above_0_by_more_than_its_monte_carlo_error(low, above):
    """A half-width of about 0.3 has an error of about 0.006 at 10,000 redrawn thresholds."""
    one = Estimate(low + 0.3, Interval(low, low + 0.6))

    assert one.is_above_zero is above


def test_kept_runs_have_no_interval():
    """They were selected."""
    one = arm("x", noisy(0))
    found = operating_points.of_kept(one, 3, DEFINITION)

    assert all(np.isnan(kept.interval).all() for kept in found.values())
    assert found["recall"].value == pytest.approx(np.sort(one.recall.mean(axis=1))[-3:].mean())
    assert np.isnan(operating_points.of_kept(one, 6, DEFINITION)["recall"].value)


def test_a_gain_is_the_share_of_what_the_reference_leaves():
    """Misses: half of them detected. Variance: nothing to gain where there is none."""
    half, most = arm("x", [[1, 1, -1, -1] * 2] * 2), arm("y", [[1, 1, 1, -1] * 2] * 2)

    assert operating_points.gain(most, half, "recall", DEFINITION).value == pytest.approx(0.5)
    assert operating_points.gain(half, most, "recall", DEFINITION).value == pytest.approx(-1)
    assert np.isnan(operating_points.gain(most, half, "variance", DEFINITION).value)


def test_single_runs_still_have_every_table():
    """No interval, no test, and no error."""
    names = [
        part.name for part in tables.parts(outcomes(ONE, replace(ONE, name="b")), style="full")
    ]

    assert names == [
        "results",
        "groups",
        "inequality",
        "accuracy",
        "false_alarms",
        "areas",
        "comparisons",
    ]


def test_only_common_seeds_are_compared():
    """A failed run of one arm leaves its partner out."""
    a, b = operating_points.paired(
        arm("a", noisy(0, 3), seeds=(0, 1, 3)), arm("b", noisy(1, 3), seeds=(0, 2, 3))
    )

    assert (a.seeds, b.seeds) == ((0, 3), (0, 3))


def test_too_few_photographs_set_no_threshold():
    """One in a hundred of ten photographs is none; one in eleven is the first rank."""
    assert not thresholds.can_read(ONE, 0.01)
    assert not thresholds.can_read(ONE, 0.09)
    assert thresholds.can_read(ONE, 0.1)


def test_a_curve_goes_from_nothing_to_everything():
    """Recall 0 at rate 0 and 1 at rate 1, in every group; twelve steps for ten photographs."""
    rates, recall = thresholds.curves(ONE)

    assert rates.tolist() == pytest.approx([k / 11 for k in range(12)])
    assert recall.shape == (1, 12, 2)
    assert recall[0, :4].tolist() == [[0.0, 0.0], [0.75, 0.25], [1.0, 0.25], [1.0, 1.0]]
    assert recall[0, -1].tolist() == [1, 1]


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5])
def test_a_curve_is_the_table_at_its_rates(rate):
    """At the threshold's expected rate the curve has the recall that the table shows."""
    read = operating_points.reading(outcomes(ONE), ONE, DEFINITION, rate=rate)
    rates, recall = thresholds.curves(ONE)
    place = rates.tolist().index(read.false_positives.value)

    assert recall[:, place].tolist() == read.recall.tolist()


def test_an_area_counts_pairs_in_the_right_order():
    """All but one pair of 40, and 10 + 3 x 7.5: a tie is half a pair."""
    assert thresholds.areas(ONE).tolist() == [[39 / 40, 32.5 / 40]]


YES = [5, 5, 5, 5, 5, 5, 5, 5]


def test_a_gain_that_comes_from_saying_yes_more_often_vanishes():
    """All logits higher by a constant: more recall at 0, nothing more at equal false alarms."""
    logits = np.tile([1, 1, 1, 1, 1, -3, -3, -3], (3, 1)).astype(float)
    others = np.tile(OTHERS, (3, 1))
    eager = arm("eager", logits + 4, nonfaces=others + 4)
    told = notes.gains(outcomes(arm("plain", logits), eager), DEFINITION)

    assert told == {
        "eager": "eager against plain, at logit 0 and then at 10, 20 % false positives: "
        "misses lower by 100 % (no interval: all pairs differ by the same), then by 0, 0 %: the "
        "gain vanishes (95 % interval above 0 at 0 of 2 rates); variance lower by 100 % (no "
        "interval: all pairs differ by the same), then by 0, 0 %: the gain vanishes (95 % interval "
        "above 0 at 0 of 2 rates)"
    }


def test_a_gain_that_comes_from_seeing_more_does_not_shrink():
    """Faces alone score higher."""
    logits = np.tile([1, 1, 1, 1, 1, -3, -3, -3], (3, 1)).astype(float)
    told = notes.gains(
        outcomes(arm("plain", logits), arm("sharp", np.tile(YES, (3, 1)))), DEFINITION
    )

    assert told["sharp"].count("the gain does not shrink") == 2


def test_a_gain_that_shows_only_at_equal_false_alarms_appears():
    """Both find everything at logit 0; one of them with fewer false alarms."""
    logits = np.tile([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5], (3, 1))
    others = np.tile(np.linspace(-2, 2, 10), (3, 1))
    sharp = arm("sharp", logits.copy(), nonfaces=others - 2)
    sharp.scores.portraits[0, -1] = -0.5  # so that the pairs do not all differ by the same
    told = notes.gains(outcomes(arm("plain", logits, nonfaces=others), sharp), DEFINITION)

    assert told == {
        "sharp": "sharp against plain, at logit 0 and then at 10, 20 % false positives: misses "
        "lower by — % (the reference leaves nothing to gain), then by 96, 96 %: the gain "
        "appears (95 % interval above 0 at 2 of 2 rates), matched lower by 100 % (no "
        "interval: all pairs differ by the same)"
    }


def test_what_became_of_the_gains_stands_below_the_table():
    """The footer says when a gain at logit 0 is none at equal false alarms."""
    logits = np.tile([1, 1, 1, 1, 1, -3, -3, -3], (3, 1)).astype(float)
    eager = arm("eager", logits + 4, nonfaces=np.tile(OTHERS, (3, 1)) + 4)
    part = tables.part(outcomes(arm("plain", logits), eager), "false_alarms")

    assert any("the gain vanishes" in remark for remark in part.remarks)


def test_the_curve_is_a_part_of_its_own():
    """One row for each rate of each arm."""
    part = tables.part(outcomes(ONE), "curve")

    assert len(part.table) == 12
    assert part.table.iloc[1].tolist() == ["0.090909", "0.750000", "0.250000"]


def test_arms_keep_their_runs_in_the_order_asked_for():
    """A choice of seeds takes all arrays along."""
    both = arm("x", noisy(0, 3)).only((2, 0))

    assert both.seeds == (2, 0)
    assert both.recall.shape == (2, 2)
    assert np.array_equal(both.scores.portraits, noisy(0, 3)[[2, 0]])


def test_an_arm_is_frozen():
    """Outcomes are facts."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        ONE.name = "two"


@pytest.mark.slow
def test_intervals_at_equal_false_alarms_cover_what_they_should():
    """200 studies of 5 runs, 4 x 150 portraits and 200 photographs, thresholds set in each.

    Seeds move each group, photographs differ, and so do decisions; the truth is the recall of new
    seeds on all portraits at the threshold of all photographs, at 5 % false alarms.
    """
    generator, covered = np.random.default_rng(0), []
    centre, group = np.array([1.2, 1.5, 2.0, 2.2]), np.repeat(range(4), 150)
    true = special.ndtr((centre - special.ndtri(0.95)) / np.sqrt(1 + 0.2**2))
    expected = {"recall": true.mean(), "variance": true.var(), "worst": true.min()}
    for _ in range(200):
        seeds = centre + generator.normal(0, 0.2, (5, 4))
        portraits = seeds[:, group] + generator.normal(0, 0.8, 600)
        others = np.broadcast_to(generator.normal(0, 0.8, 200), (5, 200))
        scores = ArmScores(
            portraits=portraits + generator.normal(0, 0.6, (5, 600)),
            group=group,
            nonfaces=others + generator.normal(0, 0.6, (5, 200)),
        )
        sizes = np.full(4, 150)
        recall = np.zeros((5, 4))
        one = replace(ONE, sizes=sizes, groups=tuple("abcd"), recall=recall, scores=scores)
        read = operating_points.reading(outcomes(one), one, DEFINITION, rate=0.05)
        covered.append([value in read.of[name].interval for name, value in expected.items()])

    assert np.mean(covered, axis=0).min() > 0.92


def test_what_was_read_of_an_arm_ends_with_the_arm():
    """No cache holds its scores."""
    one, other = (arm(name, portraits, seeds=seeds) for name, portraits, seeds in PAIR)
    seen = [weakref.ref(one), weakref.ref(other)]
    for rate in (None, 0.2):
        operating_points.reading(outcomes(one), one, DEFINITION, rate=rate)
        operating_points.difference(one, other, DEFINITION, rate=rate)
    del one, other
    gc.collect()

    assert [reference() for reference in seen] == [None, None]


def test_an_arm_is_read_once():
    """The same estimates, not only equal ones."""
    one = arm("one", np.ones((2, 8)))

    study = outcomes(one)
    first, again = (operating_points.reading(study, one, DEFINITION) for _ in range(2))
    assert first is again
    assert replace(one, name="two").cache == {}


def test_of_large_results_the_newest_are_held():
    """Two of three, of whatever arms."""
    asked = []

    @cached_by_owner(most=2)
    def twice(one, number):
        asked.append(number)
        return 2 * number

    arms = [arm("one", np.ones((1, 8))), arm("two", np.ones((1, 8)))]
    found = [twice(arms[number % 2], number) for number in (0, 1, 2, 2, 1, 0)]

    assert found == [0, 2, 4, 4, 2, 0]
    assert asked == [0, 1, 2, 0]
