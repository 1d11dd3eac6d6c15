from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from repro.stats import agreement, disparity
from repro.stats.agreement import Statistic, Word
from repro.stats.disparity import ALL, DEFINITIONS
from repro.stats.intervals import Interval

LAW = settings(deadline=None, derandomize=True, max_examples=25)  # quantiles are slow
QUANTILES = 0.03  # error allowed in a simulated quantile
EVERYWHERE = Interval(float("-inf"), float("inf"))


def statistic(value=0.0, deviation=1.0, *, runs=5, keep=3, of=5, selects="itself"):
    """The best three of five, unless said otherwise."""
    return Statistic(value=value, deviation=deviation, runs=runs, keep=keep, of=of, selects=selects)


def exactly(y):
    """A printed value that was not rounded."""
    return Interval(y, y)


def students(level, runs, of):
    """Quantile of the difference of two means of all runs over our spread."""
    return scipy_stats.t.ppf(level, runs - 1) * np.sqrt(1 / runs + 1 / of)


def test_prediction_interval_of_the_best_three_of_five_is_as_printed():
    """[T - 1.534 s, T + 2.373 s]."""
    ours = agreement.prediction_interval(statistic(0.9, 0.01))

    expected = (0.9 - 0.01534, 0.9 + 0.02373)
    assert ours == pytest.approx(expected, abs=0.01 * QUANTILES)


def test_prediction_interval_of_five_of_five_is_as_printed():
    """1.756 s to either side: Student's."""
    ours = agreement.prediction_interval(statistic(keep=5))

    assert ours == pytest.approx((-1.756, 1.756), abs=QUANTILES)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
@pytest.mark.parametrize(("runs", "of"), [(5, 5), (10, 10)])
def test_prediction_interval_is_students_when_all_are_kept(runs, of, level):
    """The mean of as many new runs, in SciPy's quantiles."""
    half = students(0.5 + level / 2, runs, of)
    ours = agreement.prediction_interval(statistic(runs=runs, keep=of, of=of), level=level)

    assert ours == pytest.approx((-half, half), abs=QUANTILES)


def test_prediction_interval_of_a_single_published_run_is_students():
    """Printed without replicates: one more run, t sqrt(1 / 5 + 1) to either side."""
    half = students(0.975, 5, 1)
    ours = agreement.prediction_interval(statistic(runs=5, keep=1, of=1))

    assert ours == pytest.approx((-half, half), abs=QUANTILES)


@LAW
@given(st.floats(-1, 1), st.floats(0.001, 1), st.sampled_from(["itself", "another"]))
def test_prediction_interval_contains_our_own_value(value, deviation, selects):
    """The same result again is never a surprise."""
    ours = statistic(value, deviation, selects=selects)

    assert value in agreement.prediction_interval(ours)


def test_prediction_interval_is_symmetric_when_another_metric_selects():
    """Its correlation may be positive or negative."""
    low, high = agreement.prediction_interval(statistic(selects="another"))

    assert low == pytest.approx(-high, abs=1e-12)


def test_prediction_interval_is_wider_when_another_metric_selects():
    """What is not known about the correlation costs width, on either side."""
    unknown, known = (
        agreement.prediction_interval(statistic(selects=selects))
        for selects in ("another", "itself")
    )

    assert unknown.low < known.low
    assert unknown.high >= known.high


def test_prediction_interval_without_selection_does_not_ask_what_selects():
    """All five are kept by any metric."""
    unknown, known = (
        agreement.prediction_interval(statistic(keep=5, selects=selects))
        for selects in ("another", "itself")
    )

    assert unknown == known


def test_prediction_interval_of_equal_runs_is_a_point():
    """No spread: the next study must show the same."""
    assert agreement.prediction_interval(statistic(0.75, 0.0)) == (0.75, 0.75)


def test_prediction_interval_is_the_same_each_time():
    """Its quantiles come from a fixed seed."""
    first, second = (
        agreement.prediction_interval(statistic(0.9, 0.01, selects="another")) for _ in range(2)
    )

    assert repr(first) == repr(second)


@pytest.mark.parametrize(
    ("side", "factor"), [("low", 1.226), ("high", 1.771)], ids=["from above", "from below"]
)
def test_equivalence_of_the_best_three_of_five_needs_the_printed_distance(side, factor):
    """1.226 s from the lower end of the margin, 1.771 s from the upper one."""

    def passes(distance):
        end = -distance if side == "low" else distance
        return agreement.equivalent(statistic(), EVERYWHERE._replace(**{side: end}))

    assert [passes(factor - QUANTILES), passes(factor + QUANTILES)] == [False, True]


@pytest.mark.parametrize("size", [0.01, 0.05, 0.1])
def test_equivalence_without_selection_is_students(size):
    """Two one-sided t tests of all five runs."""
    needed = students(1 - size, 5, 5)
    passes = [
        agreement.equivalent(statistic(keep=5), Interval(-one, one), size=size)
        for one in (needed * 0.97, needed * 1.03)
    ]

    assert passes == [False, True]


def test_equivalence_within_no_margin_is_never_shown():
    """Even the same value could come from another process."""
    assert not agreement.equivalent(statistic(), exactly(0.0))


def test_equivalence_within_any_margin_is_always_shown():
    """Nothing lies outside."""
    assert agreement.equivalent(statistic(), EVERYWHERE)


@LAW
@given(
    st.floats(-5, 5),
    st.floats(0, 5),
    st.floats(0, 5),
    st.floats(0.01, 3),
    st.sampled_from(["itself", "another"]),
)
def test_equivalence_is_not_lost_in_a_wider_margin(value, margin, more, deviation, selects):
    """Less is asked."""
    ours = statistic(value, deviation, selects=selects)
    narrow = agreement.equivalent(ours, Interval(-margin, margin))
    wide = agreement.equivalent(ours, Interval(-margin - more, margin + more))

    assert wide or not narrow


@LAW
@given(st.floats(-5, 5), st.floats(0, 5), st.floats(0.01, 3), st.floats(0, 3))
def test_equivalence_is_not_gained_by_a_wider_spread(value, margin, deviation, more):
    """Less is known."""
    interval = Interval(-margin, margin)
    precise = agreement.equivalent(statistic(value, deviation), interval)
    vague = agreement.equivalent(statistic(value, deviation + more), interval)

    assert precise or not vague


@LAW
@given(st.floats(-5, 5), st.floats(0, 5), st.floats(0.01, 3))
def test_equivalence_is_harder_to_show_when_another_metric_selects(value, margin, deviation):
    """The correlation could be any."""
    unknown, known = (
        agreement.equivalent(statistic(value, deviation, selects=one), Interval(-margin, margin))
        for one in ("another", "itself")
    )

    assert known or not unknown


@pytest.mark.parametrize(
    ("y", "delta", "expected"),
    [
        (0.90, 0.05, "reproduced"),  # five s of room on either side
        (0.91, 0.05, "reproduced"),
        (0.90, 0.01, "cannot tell"),  # a margin of one s is too narrow for five runs
        (0.93, 0.035, "cannot tell"),  # unlike, but not more than the margin away
        (0.91, 0.005, "cannot tell"),  # farther than the margin, but not unlike
        (0.98, 0.05, "not reproduced"),
        (0.82, 0.05, "not reproduced"),
    ],
)
def test_verdict_of_hand_worked_cases(y, delta, expected):
    """Ours is 0.90 with a deviation of 0.01."""
    assert agreement.verdict(statistic(0.9, 0.01), exactly(y), delta) == expected


@pytest.mark.parametrize(
    ("low", "high", "delta", "expected"),
    [
        (0.89, 0.91, 0.05, "reproduced"),
        (0.86, 0.94, 0.05, "cannot tell"),  # from 0.94 less the margin, 0.9 is one s away
        (0.92, 0.98, 0.01, "cannot tell"),  # 0.92 is not unlike
        (0.93, 0.98, 0.035, "cannot tell"),  # 0.93 is within the margin
        (0.93, 0.98, 0.02, "not reproduced"),
        (0.82, 0.87, 0.02, "not reproduced"),
        (0.82, 0.88, 0.01, "cannot tell"),  # 0.88 is not unlike
        (0.82, 0.87, 0.035, "cannot tell"),  # 0.87 is within the margin
    ],
)
def test_verdict_holds_for_all_that_rounds_to_the_printed_value(low, high, delta, expected):
    """Ours is 0.90 with a deviation of 0.01; the worst of both ends decides."""
    ours = statistic(0.9, 0.01, selects="another")  # from 0.876 to 0.924

    assert agreement.verdict(ours, Interval(low, high), delta) == expected


@pytest.mark.parametrize(
    ("y", "expected"),
    [(0.75, "reproduced"), (0.8, "reproduced"), (0.9, "not reproduced"), (0.6, "not reproduced")],
)
def test_verdict_of_equal_runs_is_a_matter_of_the_margin(y, expected):
    """No spread: within 0.1 or not."""
    assert agreement.verdict(statistic(0.75, 0.0), exactly(y), 0.1) == expected


def test_verdict_of_one_run_cannot_tell():
    """Its spread is not known: the runs are too few."""
    ours = statistic(0.9, float("nan"), runs=1, keep=1, of=1)

    assert agreement.verdict(ours, exactly(0.5), 0.01) == "cannot tell"


cases = {
    "value": st.floats(0, 1),
    "deviation": st.floats(0, 0.2),
    "y": st.floats(0, 1),
    "delta": st.floats(0.001, 0.2),
    "selects": st.sampled_from(["itself", "another"]),
}


@LAW
@given(**cases)
def test_verdict_of_reproduced_lies_within_the_margin(value, deviation, y, delta, selects):
    """An equivalence that is shown is also seen."""
    word = agreement.verdict(statistic(value, deviation, selects=selects), exactly(y), delta)

    assert word != "reproduced" or abs(value - y) < delta


@LAW
@given(**cases)
def test_verdict_of_not_reproduced_lies_beyond_the_margin(value, deviation, y, delta, selects):
    """A small difference is not held against a study, however small the spread."""
    word = agreement.verdict(statistic(value, deviation, selects=selects), exactly(y), delta)

    assert word != "not reproduced" or abs(value - y) >= delta * (1 - 1e-9)


@LAW
@given(**cases)
def test_verdict_does_not_depend_on_the_unit(value, deviation, y, delta, selects):
    """Fractions or 1024ths: a power of two rounds nothing."""
    words = [
        agreement.verdict(
            statistic(unit * value, unit * deviation, selects=selects),
            exactly(unit * y),
            unit * delta,
        )
        for unit in (1, 1024)
    ]

    assert words[0] == words[1]


@LAW
@given(**cases, rounding=st.floats(0, 0.05))
def test_verdict_grows_more_careful_with_rounding(value, deviation, y, delta, selects, rounding):
    """What a rounded value leaves open is never decided differently, only left open."""
    ours = statistic(value, deviation, selects=selects)
    sharp = agreement.verdict(ours, exactly(y), delta)
    blunt = agreement.verdict(ours, Interval(y - rounding, y + rounding), delta)

    assert blunt in (sharp, "cannot tell")


@LAW
@given(**cases)
def test_verdict_is_one_of_three_words(value, deviation, y, delta, selects):
    """No fourth answer, on the root scale neither."""
    word = agreement.verdict(
        statistic(value, deviation, selects=selects), exactly(y), delta, scale=agreement.root
    )

    assert word in get_args(Word)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (0.0025, "reproduced"),  # roots 0.05 and 0.05
        (0.0008, "cannot tell"),  # 0.05 against 0.028, but the margin reaches to 0.053
        (0.0081, "not reproduced"),  # 0.05 against 0.09
    ],
)
def test_verdict_of_a_variance_is_read_on_the_root_scale(y, expected):
    """Ours is 0.0025, its root spreads by 0.003; the margin is 0.002."""
    ours = statistic(0.05, 0.003, selects="another")

    assert agreement.verdict(ours, exactly(y), 0.002, scale=agreement.root) == expected


def test_verdict_of_a_small_variance_needs_only_the_upper_margin():
    """Below 0 nothing can lie, so a margin that reaches there is passed."""
    ours = statistic(0.01, 0.005, selects="another")

    word = agreement.verdict(ours, exactly(0.0004), 0.002, scale=agreement.root)
    assert word == "reproduced"


@pytest.mark.parametrize(("value", "expected"), [(0.0, 0.0), (0.0025, 0.05), (1.0, 1.0)])
def test_root_is_the_square_root(value, expected):
    """A variance becomes a deviation."""
    assert agreement.root(value) == pytest.approx(expected, abs=1e-15)


def test_root_of_what_is_no_variance_lies_below_all():
    """A margin that reaches below 0 has no lower end."""
    assert agreement.root(-1e-9) == float("-inf")


@pytest.fixture
def recall():
    """Five runs, four groups."""
    return np.random.default_rng(0).uniform(0.7, 1, size=(5, 4))


definitions = pytest.mark.parametrize(
    "definition", ALL, ids=lambda one: f"{one.mean}, ddof {one.ddof}, runs {one.runs}"
)


@definitions
def test_influence_of_the_kept_runs_averages_to_the_variance(definition, recall):
    """To first order the variance is a mean over runs; about the kept runs it is one exactly."""
    kept = recall[[0, 2, 3]]

    expected = disparity.variance(kept, definition)
    assert agreement.influence(kept, kept, definition).mean() == pytest.approx(
        float(expected), abs=1e-15
    )


@pytest.mark.parametrize("name", ["amini2019", "dehaan2020"])
def test_influence_is_the_slope_of_the_variance(name, recall):
    """A little more weight for one run, by central differences, which a square makes exact."""
    definition, kept, step = DEFINITIONS[name], recall[[0, 2, 3]], 1e-3
    centre = kept.mean(axis=0)
    ends = [
        disparity.variance((centre + sign * step * (recall - centre))[:, None, :], definition)
        for sign in (1, -1)
    ]
    slope = (ends[0] - ends[1]) / (2 * step)

    parts = agreement.influence(recall, kept, definition) - disparity.variance(kept, definition)
    np.testing.assert_allclose(parts, slope, atol=1e-12)


def test_influence_of_a_hand_worked_case():
    """Kept groups at 0.8 and 1: variance 0.01; a run 0.1 further apart on each side adds 0.02."""
    kept, other = np.array([[0.8, 1.0]]), np.array([[0.7, 1.1]])

    parts = agreement.influence(np.concatenate([kept, other]), kept, DEFINITIONS["dehaan2020"])
    assert parts == pytest.approx([0.01, 0.03], abs=1e-12)


@pytest.mark.parametrize("ddof", [0, 1])
def test_influence_of_runs_averaged_last_is_their_own_variance(ddof, recall):
    """There the variance is a mean over runs already."""
    definition = disparity.Definition(mean="pooled", ddof=ddof, runs="last")

    np.testing.assert_allclose(
        agreement.influence(recall, recall[:3], definition), recall.var(axis=1, ddof=ddof)
    )


def test_influence_about_equal_groups_is_none(recall):
    """At the lowest point the variance has no slope."""
    kept = np.repeat([[0.5], [0.75], [1.0]], 4, axis=1)

    parts = agreement.influence(recall, kept, DEFINITIONS["dehaan2020"])
    np.testing.assert_allclose(parts, 0, atol=1e-15)


@definitions
def test_influence_of_equal_runs_does_not_vary(definition, recall):
    """No spread from run to run."""
    same = np.repeat(recall[:1], 5, axis=0)

    assert agreement.influence(same, same[:3], definition).std() == pytest.approx(0, abs=1e-15)


def judged(ours, delta, *, squared=False, distance=0.0, draws=4000):
    """The words of simulated studies whose published process lies at this distance from ours."""
    generator = np.random.default_rng(3)
    scale = agreement.root if squared else float
    words = []
    for _ in range(draws):
        runs = ours.value + ours.deviation * generator.normal(size=(2, ours.runs))
        own, other = (one.mean() for one in runs)
        y = (other**2 if squared else other) + distance
        seen = statistic(own, runs[0].std(ddof=1), runs=ours.runs, keep=ours.runs, of=ours.runs)
        words.append(agreement.verdict(seen, exactly(y), delta, scale=scale))
    return {word: words.count(word) / draws for word in get_args(Word)}


@pytest.mark.parametrize(
    ("value", "delta", "squared"), [(0.0, 1.0, False), (0.0, 2.5, False), (5.0, 12.0, True)]
)
def test_reach_is_what_the_verdict_says_of_true_reproductions(value, delta, squared):
    """4,000 pairs of studies of five runs each, judged one by one: three standard errors."""
    ours = statistic(value, 1.0, keep=5, of=5)
    expected = judged(ours, delta, squared=squared)
    found = agreement.reach(ours, delta, squared=squared).chances

    assert {word: found[word] for word in expected} == pytest.approx(expected, abs=0.024)


@pytest.mark.parametrize(("value", "delta", "squared"), [(0.0, 1.0, False), (5.0, 12.0, True)])
def test_reach_gives_the_margin_and_the_distance_of_four_in_five(value, delta, squared):
    """Studies judged with that margin are reproduced, at that distance not, in 80 %."""
    ours = statistic(value, 1.0, keep=5, of=5)
    found = agreement.reach(ours, delta, squared=squared)
    passed = judged(ours, found.margin, squared=squared)
    told = judged(ours, delta, squared=squared, distance=found.distance)

    assert passed["reproduced"] == pytest.approx(0.8, abs=0.02)
    assert told["not reproduced"] == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("of", [1, 5])
@pytest.mark.parametrize("delta", [0.5, 1.0, 2.0, 4.0])
def test_reach_of_unlimited_runs_has_a_closed_form(of, delta):
    """All of `of` normal runs are kept: |y| < delta - 1.645 sd, |y| > max(1.96 sd, delta)."""
    normal = scipy_stats.norm(scale=1 / np.sqrt(of))
    found = agreement.reach(statistic(runs=float("inf"), keep=of, of=of), delta)
    inside = max(2 * normal.cdf(delta - normal.ppf(0.95)) - 1, 0)
    outside = 2 * normal.sf(max(normal.ppf(0.975), delta))

    assert found.chances["reproduced"] == pytest.approx(inside, abs=0.005)
    assert found.chances["not reproduced"] == pytest.approx(outside, abs=0.005)
    assert found.margin == pytest.approx(normal.ppf(0.95) + normal.ppf(0.9), abs=0.01)
    assert found.distance == pytest.approx(
        max(normal.ppf(0.975), delta) + normal.ppf(0.8), abs=0.01
    )


@pytest.mark.parametrize("deviation", [1.0, 1.2, 2.0])
def test_reach_of_the_reproductions_margin_ends_however_many_runs_ours_has(deviation):
    """Margin 0.9, best three of five: print's own draw is the limit."""
    chances = [
        agreement.reach(statistic(90, deviation, runs=runs), 0.9).chances["reproduced"]
        for runs in (5, 20, 100)
    ]

    assert max(chances) < 0.12
    assert deviation < 1.1 or max(chances) < 0.03


def test_reach_of_a_single_run_tells_nothing():
    """Without a spread there is no interval."""
    found = agreement.reach(statistic(runs=1, keep=1, of=1), 5.0)

    assert found.chances == {"reproduced": 0, "not reproduced": 0, "cannot tell": 1}
    assert found.margin == found.distance == float("inf")


def test_reach_of_a_small_variance_has_no_distance_below():
    """A variance of 1 cannot fall by more than 1: the distance is that above."""
    found = agreement.reach(statistic(1.0, 1.0, keep=5, of=5), 0.5, squared=True)

    assert found.distance > 1
    assert judged(statistic(1.0, 1.0, keep=5, of=5), 0.5, squared=True, distance=found.distance)[
        "not reproduced"
    ] == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("word", get_args(Word))
def test_reach_adds_up(word):
    """Each word has a chance between 0 and 1, and one of them comes."""
    chances = agreement.reach(statistic(runs=20), 1.0).chances

    assert 0 <= chances[word] <= 1
    assert sum(chances.values()) == pytest.approx(1)
