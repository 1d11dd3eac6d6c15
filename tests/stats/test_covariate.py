"""Slope, levels and smooth line of recall against a number of each portrait."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.stats import covariate, redrawn
from repro.stats.components import Pooled
from repro.stats.covariate import Fit
from repro.stats.intervals import NOWHERE, t_quantile

LAW = settings(deadline=None, derandomize=True, max_examples=25)
TONES = np.array([1.0, 2, 3, 4])
FOUND = np.array([[1.0, 1, 1, 0], [1, 1, 0, 0]])  # two runs
seeds = st.integers(0, 2**32 - 1)


def study(seed, *, persons=15, each=4, runs=5):
    """Tones 1 to 6 of persons with several portraits, and what runs detect of them."""
    generator = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(persons), each)
    tone = generator.integers(1, 7, persons)[cluster] + generator.integers(0, 2, persons * each)
    found = generator.random((runs, persons * each)) < 0.95 - 0.05 * tone
    return tone.astype(float), found.astype(float), cluster


def fits(tone):
    """One of each form."""
    return [
        covariate.slope_fit(tone, unit=5),
        covariate.level_fit(tone, tone[0]),
        covariate.local_fit(tone, 2.5, 0.8),
    ]


def test_a_worked_slope():
    """Slopes of -0.3 and -0.4; the jackknife's four slopes are -1/2, -9/28, -5/14 and -1/4."""
    found = covariate.read(covariate.slope_fit(TONES), FOUND)

    assert found.runs == pytest.approx([-0.3, -0.4])
    assert found.value == pytest.approx(-0.35)
    assert found.without == pytest.approx([-1 / 2, -9 / 28, -5 / 14, -1 / 4])
    assert found.persons == pytest.approx(3.2)
    assert found.floor == pytest.approx(0.016602, abs=1e-6)
    assert found.of_persons == pytest.approx(0.039542, abs=1e-6)


def test_half_widths_of_runs_and_persons_add_in_squares():
    """Quantiles of one degree of freedom for two runs, of 2.2 for 3.2 persons."""
    found = covariate.read(covariate.slope_fit(TONES), FOUND)
    runs = t_quantile(1) ** 2 * 0.005 / 2
    persons = t_quantile(found.persons - 1) ** 2 * float(found.of_persons)

    assert covariate.half_width(found) == pytest.approx((runs + persons) ** 0.5)
    assert covariate.half_width(found, seeds=False) == pytest.approx(persons**0.5)


def test_a_wider_pooled_spread_takes_the_place_of_the_arms_own():
    """A narrower one does not."""
    found = covariate.read(covariate.slope_fit(TONES), FOUND)
    own = covariate.half_width(found)
    persons = covariate.half_width(found, seeds=False)
    shared = t_quantile(8) ** 2 * 1.0 / 2

    assert covariate.half_width(found, Pooled(1.0, 8, 2)) == pytest.approx(
        max(own, (shared + persons**2) ** 0.5)
    )
    assert covariate.half_width(found, Pooled(0.001, 8, 2)) == own


def test_thresholds_add_their_part():
    """With the normal quantile."""
    found = covariate.read(covariate.slope_fit(TONES), FOUND, redrawn=np.array([0.0, 0.2]))
    fixed = covariate.half_width(replace(found, redrawn=np.empty(0)))

    assert covariate.half_width(found) ** 2 - fixed**2 == pytest.approx(1.959964**2 * 0.02)


@LAW
@given(seeds)
def test_a_slope_is_that_of_least_squares(seed):
    """NumPy's line through the runs' averages, times the range."""
    tone, found, _ = study(seed)
    slope = np.polyfit(tone, found.mean(axis=0), 1)[0]

    assert covariate.read(covariate.slope_fit(tone, unit=5), found).value == pytest.approx(
        5 * slope, abs=1e-12
    )


@LAW
@given(seeds)
def test_a_reading_without_a_person_is_that_of_the_others(seed):
    """By fitting anew, for all three forms."""
    tone, found, cluster = study(seed)
    for fit in fits(tone):
        expected = []
        for person in range(cluster.max() + 1):
            rest = cluster != person
            part = Fit(weight=fit.weight[rest], offset=fit.offset[rest], form=fit.form)
            expected.append(found.mean(axis=0)[rest] @ part.coefficients)

        assert covariate.read(fit, found, cluster).without == pytest.approx(
            np.array(expected), abs=1e-9, nan_ok=True
        )


@LAW
@given(seeds)
def test_a_reversed_scale_turns_the_sign_only(seed):
    """Tone 6 in place of 1: the interval is the mirrored one, p the same."""
    tone, found, cluster = study(seed)
    one, other = (covariate.read(covariate.slope_fit(t), found, cluster) for t in (tone, 7 - tone))
    low, high = covariate.interval(one)

    assert covariate.interval(other) == pytest.approx((-high, -low))
    assert covariate.p_value(other) == pytest.approx(covariate.p_value(one))


@LAW
@given(seeds, st.floats(-100, 100))
def test_a_constant_added_to_the_scale_changes_nothing(seed, constant):
    """Nor the order of the portraits."""
    tone, found, cluster = study(seed)
    order = np.random.default_rng(seed).permutation(len(tone))
    expected = covariate.interval(covariate.read(covariate.slope_fit(tone), found, cluster))
    moved = covariate.slope_fit(tone[order] + constant)

    assert covariate.interval(
        covariate.read(moved, found[:, order], cluster[order])
    ) == pytest.approx(expected, abs=1e-9)


def test_portraits_of_one_person_are_one_observation():
    """Ten copies of each portrait have the interval of one, up to rounding."""
    tone, found, cluster = study(1, each=1)
    once = covariate.read(covariate.slope_fit(tone), found, cluster)
    copies = covariate.read(
        covariate.slope_fit(np.repeat(tone, 10)),
        np.repeat(found, 10, axis=1),
        np.repeat(cluster, 10),
    )

    assert covariate.interval(copies) == pytest.approx(covariate.interval(once))


def test_where_all_are_found_the_slope_is_0_with_an_honest_interval():
    """Half a person of 46 effective ones is missed; the tones' squares add up to 175."""
    tone = np.repeat(np.arange(1.0, 7), 10)
    found = covariate.read(covariate.slope_fit(tone, unit=5), np.ones((5, 60)))
    low, high = covariate.interval(found)

    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.of_persons == pytest.approx(
        5**2 * 0.5 / 175 / found.persons
    )  # 175: sum of squares
    assert -low == pytest.approx(high)
    assert 0.04 < high < 0.08
    assert covariate.p_value(found) == 1


def test_arms_that_find_the_same_do_not_differ():
    """No spread is left: value, interval and p say nothing of others."""
    found = covariate.read(covariate.slope_fit(TONES), FOUND)
    apart = found.minus(found)

    assert apart.value == 0
    assert covariate.half_width(apart) == 0
    assert covariate.p_value(apart) == 1


def test_the_interval_at_level_1_less_p_ends_at_0():
    """So p is below .05 exactly where the 95 % interval leaves out 0."""
    tone, found, cluster = study(3)
    read = covariate.read(covariate.slope_fit(tone), found, cluster)
    p = covariate.p_value(read)

    assert 1e-9 < p < 1
    assert max(covariate.interval(read, level=1 - p)) == pytest.approx(0, abs=1e-9)
    assert (p < 0.05) == (0 not in covariate.interval(read))


def test_a_level_is_the_recall_of_its_portraits():
    """Two portraits of tone 3: both found by the first run, one by the second."""
    tone = np.array([1.0, 3, 3])
    found = covariate.read(covariate.level_fit(tone, 3.0), np.array([[0.0, 1, 1], [1, 0, 1]]))

    assert found.value == 0.75
    assert found.runs.tolist() == [1.0, 0.5]
    assert found.persons == 2


def test_a_share_stays_within_0_and_1():
    """Nearly all of 20 found: the interval is not symmetric and ends at 1 at most."""
    found = np.ones((5, 20))
    found[0, 0] = 0
    read = covariate.read(covariate.level_fit(np.ones(20), 1.0), found)
    low, high = covariate.share_interval(read)

    assert read.value == 0.99
    assert 0.7 < low < 0.9 < 0.99 < high <= 1
    assert read.value - low > high - read.value


def test_a_local_line_follows_a_straight_one():
    """Also at the ends, where a local mean would be flattened."""
    tone = np.linspace(1, 10, 91)
    share = np.broadcast_to(0.9 - 0.05 * tone, (2, 91))
    for at in (1.0, 4.3, 10.0):
        read = covariate.read(covariate.local_fit(tone, at, 0.8), share)

        assert read.value == pytest.approx(0.9 - 0.05 * at)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.repeat([0.0, 1.0], 50), 1.06 * 0.502519 * 100**-0.2),  # s is the smaller
        (np.repeat([0.0, 1, 2, 100], [26, 24, 26, 24]), 1.06 * 2.0 / 1.34 * 100**-0.2),
        (np.repeat([0.0, 1.0], [90, 10]), 1.06 * 0.301511 * 100**-0.2),  # no middle range
    ],
)
def test_worked_bandwidths(values, expected):
    """The smaller of both spreads, without the one that is 0."""
    assert covariate.bandwidth(values, 100) == pytest.approx(expected, rel=1e-5)


def test_a_single_value_has_no_slope():
    """No number, no interval, no p."""
    found = covariate.read(covariate.slope_fit(np.full(4, 2.0)), FOUND)

    assert np.isnan(found.value)
    assert covariate.interval(found) == NOWHERE
    assert np.isnan(covariate.p_value(found))


def test_a_single_person_has_no_interval():
    """Whatever the number of portraits."""
    found = covariate.read(covariate.slope_fit(TONES), FOUND, np.zeros(4, dtype=np.int64))

    assert covariate.interval(found) == NOWHERE


def test_a_tone_that_one_person_alone_has_gives_no_interval():
    """Without that person there is no line."""
    tone = np.array([1.0, 1, 1, 2])
    found = covariate.read(covariate.slope_fit(tone), FOUND)

    assert found.value == pytest.approx(-5 / 6)
    assert covariate.interval(found) == NOWHERE


def test_a_run_alone_has_an_interval_if_it_is_no_sample_of_runs():
    """As of a detector that somebody else trained."""
    tone, found, cluster = study(2, runs=1)
    read = covariate.read(covariate.slope_fit(tone), found, cluster)

    assert covariate.interval(read) == NOWHERE
    assert covariate.interval(read, seeds=False) != NOWHERE


def test_studies_can_be_stacked():
    """Two at once have the half-widths of each."""
    tone, one, cluster = study(4)
    other = study(5)[1]
    fit = covariate.slope_fit(tone)
    both = covariate.half_width(covariate.read(fit, np.stack([one, other]), cluster))

    assert both == pytest.approx(
        [float(covariate.half_width(covariate.read(fit, x, cluster))) for x in (one, other)]
    )


def test_up_to_twelve_values_are_a_scale():
    """In rising order."""
    assert covariate.levels(np.array([3.0, 1, 3])).tolist() == [1, 3]
    assert covariate.levels(np.arange(12.0)) is not None
    assert covariate.levels(np.arange(13.0)) is None


def test_persons_are_counted_once():
    """Of the chosen portraits; without persons each portrait is one."""
    chosen = np.array([True, True, False, True])

    assert covariate.counted(np.array([0, 0, 1, 2]), chosen) == 2
    assert covariate.counted(None, chosen) == 3


def test_redrawn_slopes_are_those_at_each_samples_threshold(monkeypatch):
    """Counted one by one, with logits that tie."""
    monkeypatch.setattr(redrawn, "MOST", 100)
    redrawn.draws.cache_clear()
    generator = np.random.default_rng(7)
    portraits, others = generator.normal(size=(3, 12)).round(1), generator.normal(size=(3, 30))
    factors = generator.normal(size=(2, 12))
    found = redrawn.weighted_sums(portraits, others.round(1), factors, rate=0.1)
    times = redrawn.draws(30).astype(int)
    redrawn.draws.cache_clear()

    for column, sums in zip(times.T, found, strict=True):
        sample = np.sort(np.repeat(others.round(1), column, axis=1), axis=1)
        detected = portraits >= sample[:, -3][:, None]  # rank 3 of 30 at 10 %
        assert sums == pytest.approx((detected @ factors.T).mean(axis=0))
