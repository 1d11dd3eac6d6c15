"""Equal counts give equal values, whatever their quotients and squares round to."""

import exact
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from repro.stats import comparisons, disparity, intervals, rounding, selection, trends

LAW = settings(deadline=None, derandomize=True, max_examples=60)
DEFINITION = disparity.DEFINITIONS["dehaan2020"]
HUNDRED = (100, 100, 100, 100)
# The same counts in other groups: all variances are 9 in percent, but in floating point those of
# the second are 1e-19 larger in every run.
NINES = [[97, 95, 95, 89], [91, 93, 93, 99], [90, 92, 98, 92], [90, 90, 96, 88], [89, 91, 91, 97]]
MOVED = [[89, 97, 95, 95], [99, 91, 93, 93], [98, 90, 92, 92], [96, 88, 90, 90], [97, 89, 91, 91]]


def floats(counts, sizes, quantity):
    """The quantity of each run as tables compute it."""
    recall = np.array(counts) / np.array(sizes)
    if quantity == "recall":
        return disparity.run_recall(recall, sizes, DEFINITION)
    return disparity.run_variance(recall, DEFINITION)


def fractions(counts, sizes, quantity):
    """The same without rounding."""
    return exact.recall(counts, sizes) if quantity == "recall" else exact.variance(counts, sizes)


@st.composite
def two_arms(draw, runs=4):
    """A quantity of two arms with few different counts, so that ties are common; of both forms."""
    sizes = draw(st.sampled_from([(7, 7, 7), (10, 10, 10), (6, 9, 10), (150, 150, 150)]))
    row = st.lists(st.integers(3, 6), min_size=3, max_size=3)
    rows = st.lists(row, min_size=runs, max_size=runs)
    a = draw(rows)
    b = [draw(st.permutations(one)) for one in a] if draw(st.booleans()) else draw(rows)
    quantity = draw(st.sampled_from(["recall", "variance"]))
    return tuple((floats(one, sizes, quantity), fractions(one, sizes, quantity)) for one in (a, b))


def test_the_two_arms_of_equal_variances_differ_by_rounding():
    """Without a tolerance every run of the second is larger: what the tests below are about."""
    v, w = (floats(one, HUNDRED, "variance") for one in (NINES, MOVED))

    assert fractions(NINES, HUNDRED, "variance") == fractions(MOVED, HUNDRED, "variance")
    assert (w > v).all()


def test_equal_variances_are_no_difference():
    """Nine against nine in every run: no difference, p is 1, and no spread to tell more."""
    v, w = (floats(one, HUNDRED, "variance") for one in (NINES, MOVED))

    for test in (comparisons.paired_difference, comparisons.welch_difference):
        found = test(w, v)
        assert (found.mean, found.p) == (0, 1)
        assert np.isnan([*found.interval, found.correlation]).all()


def test_equal_variances_move_no_exact_test():
    """No pair moves, every assignment gives the same, nothing rises: p is 1 and can be no less."""
    v, w = (floats(one, HUNDRED, "variance") for one in (NINES, MOVED))
    order, seeds = np.repeat([0, 1], 5), np.tile(np.arange(5), 2)
    trend = trends.jonckheere(np.concatenate([v, w]), order, block=seeds)

    assert comparisons.sign_flip(w - v) == (1, 1)
    assert comparisons.permutation(w, v) == (1, 1)
    assert (trend.rise, trend.test) == (0, (1, 1))
    assert comparisons.superiority(w, v)[0] == 0.5


def test_equal_variances_have_no_spread():
    """Neither an effect in its units, nor a ratio of spreads, nor a test of them."""
    v, w = (floats(one, HUNDRED, "variance") for one in (NINES, MOVED))

    numbers = [*comparisons.hedges_g(w, v), *comparisons.variance_ratio(w, v)]
    assert np.isnan(np.hstack([*numbers, comparisons.brown_forsythe(w, v)])).all()
    assert intervals.sd(w) == 0


def test_runs_of_equal_variances_are_kept_in_the_order_of_the_seeds():
    """Rounding selects no run."""
    mixed = [MOVED[0], NINES[1], MOVED[2], NINES[3], MOVED[4]]

    assert selection.best(floats(mixed, HUNDRED, "variance"), 3) == [0, 1, 2]


@LAW
@given(two_arms())
def test_differences_are_zero_for_equal_fractions_alone(arms):
    """Their signs, and which of them are equal, are those of exact arithmetic."""
    (a, p), (b, q) = arms
    ours = rounding.differences(a, b)
    exactly = [x - y for x, y in zip(p, q, strict=True)]

    assert np.sign(ours).tolist() == [(d > 0) - (d < 0) for d in exactly]
    assert len(set(ours.tolist())) == len(set(exactly))


@LAW
@given(two_arms())
def test_ranks_are_those_of_fractions(arms):
    """Over the runs of both arms, ties equal."""
    (a, p), (b, q) = arms

    assert rounding.ranks(np.concatenate([a, b])).tolist() == exact.ranks([*p, *q])


@LAW
@given(two_arms())
def test_sign_flip_is_that_of_fractions(arms):
    """The p-value and the smallest possible one, all sign patterns listed."""
    (a, p), (b, q) = arms

    assert comparisons.sign_flip(a - b) == pytest.approx(
        tuple(map(float, exact.sign_flip(p, q))), abs=1e-12
    )


@LAW
@given(two_arms())
def test_permutation_is_that_of_fractions(arms):
    """The p-value and the smallest possible one, all assignments listed; arms of 4 and 3 runs."""
    (a, p), (b, q) = arms

    for some in (4, 3):
        expected = exact.permutation(p, q[:some])
        ours = comparisons.permutation(a, b[:some])
        assert ours == pytest.approx(tuple(map(float, expected)), abs=1e-12)


@LAW
@given(two_arms())
def test_superiority_is_that_of_fractions(arms):
    """Ties as halves."""
    (a, p), (b, q) = arms

    assert comparisons.superiority(a, b)[0] == float(exact.superiority(p, q))


@LAW
@given(two_arms())
def test_paired_t_is_that_of_fractions(arms):
    """The p-value from the exact square of t; without spread 1 or, if all differ alike, none."""
    (a, p), (b, q) = arms
    found, squared = comparisons.paired_difference(a, b), exact.t_squared(p, q)

    assert found.mean == pytest.approx(float(sum(p) - sum(q)) / 4, abs=1e-15)
    if squared is None:
        expected = 1.0 if p == q else float("nan")
    else:
        expected = 2 * special.stdtr(3, -np.sqrt(float(squared)))
    assert found.p == pytest.approx(expected, abs=1e-9, nan_ok=True)


@LAW
@given(two_arms(runs=3), st.booleans())
def test_rises_are_those_of_fractions(arms, paired):
    """Jonckheere's statistic, and the p-value over all shuffles within seeds or over all runs."""
    (a, p), (b, q) = arms
    order, seeds = [0, 0, 0, 1, 1, 1], [0, 1, 2] * 2 if paired else [0] * 6
    values = [*p, *q]

    ours = trends.jonckheere(
        np.concatenate([a, b]), np.array(order), block=np.array(seeds) if paired else None
    )
    assert ours.rise == pytest.approx(exact.rise(values, order) / 9, abs=1e-15)
    assert ours.test.p == pytest.approx(float(exact.trend(values, order, seeds)), abs=0.0125)


@LAW
@given(two_arms(), st.integers(1, 4))
def test_best_is_that_of_fractions(arms, keep):
    """Of equal runs the first."""
    (a, p), _ = arms

    assert selection.best(a, keep) == exact.best(p, keep)


@LAW
@given(two_arms(), st.integers(1, 4).flatmap(lambda k: st.tuples(st.just(k), st.integers(k, 4))))
def test_expected_best_is_that_of_fractions(arms, sizes):
    """Every subset selects as `best` does, also among equal runs."""
    (a, p), (b, q) = arms
    keep, of = sizes

    ours = selection.expected_best(a, b, keep=keep, of=of)
    assert ours == pytest.approx(float(exact.expected_best(p, q, keep, of)), abs=1e-12)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e9])
def test_what_differs_by_more_stays_as_it_is(scale):
    """Every bit of values that are a thousandth apart, or a hundredth of a billionth."""
    values = scale * np.array([0.3, 0.1, 0.301, 0.2])

    assert rounding.merged(values).tobytes() == values.tobytes()


def test_the_tolerance_grows_with_the_values():
    """Of numbers near a billion the last bits are worth more than of those near one."""
    values = np.array([1e9, 1e9 + 1e-4])

    assert not rounding.constant(np.array([1.0, 1.0 + 1e-4]))
    assert rounding.constant(values)
    assert rounding.merged(values).tolist() == [1e9, 1e9]


def test_values_that_are_no_numbers_equal_nothing():
    """The variance of a single group is NaN, and stays so."""
    values = np.array([np.nan, 0.5, np.nan])

    assert np.isnan(rounding.merged(values)).tolist() == [True, False, True]
    assert not rounding.constant(values)
    assert np.isnan(rounding.differences(values, np.zeros(3))).tolist() == [True, False, True]


def test_values_that_are_no_numbers_come_last_in_their_order():
    """Arms without a variance stand below those with one."""
    values = np.array([np.nan, 0.5, np.nan, 0.1 + 0.2, 0.3])

    assert rounding.rising(values).tolist() == [3, 4, 1, 0, 2]


def test_of_no_values_nothing_is_made():
    """An arm whose runs all failed."""
    assert len(rounding.merged(np.empty(0))) == 0
    assert rounding.constant(np.empty(0))


@pytest.mark.parametrize(("values", "expected"), [([0.3, 0.1 + 0.2], 0), ([0.2, 0.1, 0.1], 1)])
def test_lowest_of_equal_values_is_the_first(values, expected):
    """The worst group of two equal ones does not hang on rounding: 0.1 + 0.2 is above 0.3."""
    assert rounding.lowest(np.array(values)) == expected
    assert rounding.lowest(np.array([0.1 + 0.2, 0.3])) == 0
