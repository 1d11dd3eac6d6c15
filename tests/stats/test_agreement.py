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
