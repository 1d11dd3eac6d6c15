from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from repro.stats import comparisons, trends

LAW = settings(deadline=None, derandomize=True)
SHUFFLED = 0.0125  # error of a p-value from 20,000 shuffles: 3.5 standard errors


def error_of_shuffles(p):
    """Four standard errors of a p-value from 20,000 shuffles, and what a limit may add."""
    return 4 * np.sqrt(p * (1 - p) / 20_000) + 0.003


def rise(values, order):
    """Jonckheere's statistic, pair by pair."""
    return sum(
        np.sign(values[i] - values[j]) * np.sign(order[i] - order[j])
        for i, j in combinations(range(len(values)), 2)
    )


def shuffled_and_limit(monkeypatch, values, order, block):
    """The trend's p from shuffles and from their limit law, whatever the number of runs."""
    monkeypatch.setattr(comparisons, "EVEN", 0)
    found = []
    for listed in (len(values), 0):
        monkeypatch.setattr(trends, "LISTED", listed)
        found.append(trends.jonckheere(values, order, block=block).test)
    return found


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_jonckheere_of_two_arms_is_mann_whitneys(seed):
    """2 U / (n m) - 1 of SciPy's statistic."""
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=4), generator.normal(1, size=6)
    u = scipy_stats.mannwhitneyu(b, a).statistic

    trend = trends.jonckheere(np.concatenate([a, b]), np.repeat([0, 1], [4, 6]))
    assert trend.rise == pytest.approx(2 * u / 24 - 1, abs=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_jonckheere_of_two_arms_has_mann_whitneys_p(seed):
    """SciPy's exact two-sided p-value, but for the error of 20,000 shuffles."""
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=4), generator.normal(1, size=6)
    expected = scipy_stats.mannwhitneyu(b, a, method="exact").pvalue

    trend = trends.jonckheere(np.concatenate([a, b]), np.repeat([0, 1], [4, 6]))
    assert trend.test.p == pytest.approx(expected, abs=SHUFFLED)


def test_jonckheere_of_three_arms_matches_enumeration():
    """All 720 shuffles of three arms with a tie; 20,000 are drawn."""
    values, order = np.array([0.1, 0.4, 0.3, 0.3, 0.9, 0.2]), np.array([0, 0, 1, 1, 2, 2])
    rises = [rise(values, labels) for labels in permutations(order)]
    expected = np.mean(np.abs(rises) >= abs(rise(values, order)))

    assert trends.jonckheere(values, order).test.p == pytest.approx(expected, abs=SHUFFLED)


def test_jonckheere_shuffles_within_blocks_only():
    """Three seeds, not in order, that share seven runs of three arms: twelve arrangements."""
    values = np.array([0.5, 0.6, 0.2, 0.3, 0.4, 0.0, 0.1])
    order, block = np.array([0, 2, 1, 0, 0, 1, 2]), np.array([7, 3, 5, 3, 7, 3, 5])
    places = [np.flatnonzero(block == seed) for seed in (3, 5, 7)]
    rises = []
    for shuffled in product(*(permutations(order[place]) for place in places)):
        labels = np.empty_like(order)
        labels[np.concatenate(places)] = np.concatenate(shuffled)
        rises.append(abs(rise(values, labels)))
    expected = np.mean(np.array(rises) >= abs(rise(values, order)))

    trend = trends.jonckheere(values, order, block=block)
    assert trend.test.p == pytest.approx(expected, abs=SHUFFLED)


def test_jonckheere_reaches_less_within_blocks():
    """2 of 2^3 arrangements, against 2 of 20 without blocks."""
    values, order, block = np.arange(6.0), np.tile([0, 1], 3), np.repeat([0, 1, 2], 2)
    found = [trends.jonckheere(values, order, block=one) for one in (block, None)]

    assert [trend.test.attainable for trend in found] == pytest.approx([2 / 8, 2 / 20])


@pytest.mark.parametrize(("sign", "expected"), [(1, 1), (-1, -1), (0, 0)])
def test_jonckheere_rises_by_one_at_most(sign, expected):
    """Strictly rising arms, strictly falling arms, and equal runs."""
    trend = trends.jonckheere(sign * np.arange(6.0), np.repeat([0, 1, 2], 2))

    assert trend.rise == expected


def test_jonckheere_of_equal_runs_is_no_evidence():
    """All ties."""
    assert trends.jonckheere(np.full(6, 0.5), np.repeat([0, 1, 2], 2)).test.p == 1


def test_jonckheere_depends_on_the_order_of_arms_alone():
    """Alphas may stand for their ranks, and logits for recalls: monotone maps change nothing."""
    values, order = np.random.default_rng(0).normal(size=12), np.repeat([0, 1, 2], 4)

    mapped = trends.jonckheere(np.exp(values), 10**order)
    assert repr(mapped) == repr(trends.jonckheere(values, order))


def test_jonckheere_of_one_arm_is_no_trend():
    """Nothing is in order, so nothing rises, and no p below 1 can be reached."""
    trend = trends.jonckheere(np.arange(4.0), np.zeros(4, dtype=np.int64))

    assert np.isnan(trend.rise)
    assert trend.test == (1, 1)


def test_jonckheere_of_a_clear_trend_over_five_arms_is_found():
    """Twenty-five runs say together what ten of them could not."""
    order = np.repeat(np.arange(5), 5)
    values = np.random.default_rng(0).normal(order, 1.0)

    assert trends.jonckheere(values, order).test.p < 0.001


MISSING = {
    "none": lambda order, block, generator: np.ones(len(order), dtype=bool),
    "some": lambda order, block, generator: generator.random(len(order)) < 0.7,
    "late": lambda order, block, generator: (2 * block < block.max()) | (order < 2),
}


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize(("arms", "seeds"), [(5, 40), (40, 5)])
@pytest.mark.parametrize("decimals", [9, 0], ids=["no ties", "ties"])
def test_trend_of_very_many_runs_is_the_limit_of_shuffles(
    monkeypatch, missing, arms, seeds, decimals
):
    """With ties, many seeds or many arms, and runs missing at random or in late seeds of some."""
    generator = np.random.default_rng([arms, decimals])
    order, block = np.repeat(np.arange(arms), seeds), np.tile(np.arange(seeds), arms)
    values = generator.normal(0.1 * order / arms + generator.normal(size=seeds)[block])
    there = MISSING[missing](order, block, generator)
    values, order, block = values[there].round(decimals), order[there], block[there]

    for blocks in (block, None):
        shuffled, limit = shuffled_and_limit(monkeypatch, values, order, blocks)
        assert limit.attainable == 0
        assert limit.p == pytest.approx(shuffled.p, abs=error_of_shuffles(shuffled.p))


def test_trend_of_runs_that_hardly_differ_is_shuffled(monkeypatch):
    """Four of two hundred runs are not alike: they share an end of the order in 2 of 4^4 cases."""
    monkeypatch.setattr(trends, "LISTED", 100)
    values = np.append(np.zeros(196), np.ones(4))

    trend = trends.jonckheere(values, np.repeat(np.arange(4), 50))
    assert trend.test == (pytest.approx(2 / 4**4, abs=0.003), 1 / trends.SHUFFLES)


def test_trend_of_seeds_without_differences_is_no_evidence():
    """What is equal within each seed stays as it is, whatever is shuffled there."""
    order, block = np.repeat(np.arange(4), 500), np.tile(np.arange(500), 4)

    assert trends.jonckheere(np.sin(block), order, block=block).test.p == 1


@LAW
@given(st.data())
def test_rises_are_counted_pair_by_pair(data):
    """Ties or not, any number of arms."""
    count = data.draw(st.integers(1, 12))
    drawn = st.lists(st.integers(0, 5), min_size=count, max_size=count)
    values, order = (np.array(data.draw(drawn)) for _ in range(2))

    expected = rise(values, order)
    assert trends._rises(values.astype(float), order[None]).tolist() == [expected]


def test_jonckheere_is_the_same_each_time():
    """Shuffled from a fixed seed."""
    values, order = np.random.default_rng(0).normal(size=15), np.repeat([0, 1, 2], 5)
    first, second = (trends.jonckheere(values, order) for _ in range(2))

    assert repr(first) == repr(second)
