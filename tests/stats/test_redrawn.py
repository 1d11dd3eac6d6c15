"""Thresholds of redrawn photographs against drawing, sorting and counting one sample at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.stats import disparity, operating, redrawn

LAW = settings(deadline=None, derandomize=True)
GROUP = np.repeat([0, 1, 2, 3], [7, 9, 8, 6])
RUNS, OTHERS = 5, 40


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A hundred samples, and nothing kept for other tests."""
    monkeypatch.setattr(redrawn, "MOST", 100)
    redrawn.draws.cache_clear()
    yield
    redrawn.draws.cache_clear()


def logits(n, seed=0, *, decimals=8):
    """Top logits of five runs; with few decimals many are equal."""
    return np.random.default_rng([seed, n]).normal(size=(RUNS, n)).round(decimals)


def samples_of(others):
    """The redrawn photographs of each sample, as repeated columns."""
    times = redrawn.draws(others.shape[1]).astype(int)
    return [np.repeat(others, column, axis=1) for column in times.T]


def every_recall(recall):
    """All recalls of each sample, in one row."""
    return recall.reshape(len(recall), -1)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, 10_000), (1, 10_000), (2_000, 10_000), (4_000, 5_000), (50_000, 1_000)],
)
def test_number_of_samples_is_bounded(monkeypatch, count, expected):
    """20 million drawn numbers, but no fewer than 1,000 samples and no more than 10,000."""
    monkeypatch.setattr(redrawn, "MOST", 10_000)

    assert redrawn.samples(count) == expected


@pytest.mark.parametrize("count", [1, 2, 40, 333])
def test_draws_take_as_many_photographs_as_there_are(count):
    """Every sample is of the same size."""
    times = redrawn.draws(count)

    assert times.shape == (count, 100)
    assert times.min() >= 0
    assert (times.sum(axis=0) == count).all()


def test_draws_take_each_photograph_once_on_average(monkeypatch):
    """10,000 samples, four standard errors; the variance of a count is 1 - 1 / N."""
    monkeypatch.setattr(redrawn, "MOST", 10_000)
    times = redrawn.draws(OTHERS)

    assert np.abs(times.mean(axis=1) - 1).max() < 4 / 100
    assert times.var() == pytest.approx(1 - 1 / OTHERS, rel=0.02)


def test_draws_are_the_same_bytes_each_time():
    """A fixed seed, which depends on the number of photographs alone."""
    first = redrawn.draws(OTHERS).tobytes()
    redrawn.draws.cache_clear()

    assert redrawn.draws(OTHERS).tobytes() == first


@pytest.mark.parametrize("decimals", [8, 0])
@pytest.mark.parametrize("at_rank", [1, 2, 17, OTHERS])
def test_ranks_are_those_of_a_sorted_sample(at_rank, decimals):
    """The logit at the place is the k-th largest of the repeated photographs."""
    others = logits(OTHERS, decimals=decimals)[:1]
    falling = np.argsort(-others[0], kind="stable")
    expected = [np.sort(sample[0])[-at_rank] for sample in samples_of(others)]

    places = redrawn.ranks(redrawn.draws(OTHERS), falling, at_rank)
    np.testing.assert_array_equal(others[0, falling[places]], expected)


def test_ranks_can_be_as_deep_as_the_last_photograph():
    """A sample in which the one with the lowest logit is drawn again and again."""
    times = np.zeros((OTHERS, 2), dtype=np.float32)
    times[-1, 0], times[0, 1] = OTHERS, OTHERS

    assert redrawn.ranks(times, np.arange(OTHERS), 2).tolist() == [OTHERS - 1, 0]


@pytest.mark.parametrize("decimals", [8, 0])
def test_ranks_can_differ_between_samples(decimals):
    """Those of one rank each, put together."""
    times, others = redrawn.draws(OTHERS), logits(OTHERS, decimals=decimals)[0]
    falling = np.argsort(-others, kind="stable")
    wanted = np.random.default_rng(0).integers(1, OTHERS, (2, times.shape[1]))
    each = np.array([redrawn.ranks(times, falling, k) for k in range(1, OTHERS + 1)])

    found = redrawn.ranks(times, falling, wanted.astype(np.float32))
    np.testing.assert_array_equal(found, np.take_along_axis(each, wanted - 1, axis=0))


@pytest.mark.parametrize("decimals", [8, 1])
@pytest.mark.parametrize("rate", [0.03, 0.3, 0.95])
def test_statistic_is_that_of_each_sample_alone(rate, decimals):
    """Each run's threshold from the same redrawn photographs, then counting portraits."""
    portraits = logits(len(GROUP), 1, decimals=decimals) + 0.5
    others = logits(OTHERS, 2, decimals=decimals)
    expected = []
    for sample in samples_of(others):
        found = operating.detected(portraits, operating.threshold(sample, rate))
        expected.append([[run[k == GROUP].mean() for k in range(4)] for run in found])

    ours = redrawn.statistic(portraits, others, GROUP, 4, rate=rate, of=every_recall)
    np.testing.assert_allclose(ours, every_recall(np.array(expected)), rtol=0, atol=1e-12)


def test_statistic_does_not_vary_where_photographs_are_all_alike():
    """Every sample has the same threshold."""
    portraits, others = logits(len(GROUP)), np.full((RUNS, OTHERS), 0.25)
    fixed = operating.detected(portraits, np.full(RUNS, 0.25))
    expected = [[run[k == GROUP].mean() for k in range(4)] for run in fixed]

    ours = redrawn.statistic(portraits, others, GROUP, 4, rate=0.1, of=every_recall)
    assert np.ptp(ours, axis=0).max() == 0
    np.testing.assert_allclose(ours[0], np.ravel(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize("held", [1, 37 * RUNS * 4, 10**7])
def test_statistic_is_the_same_however_many_samples_are_held_at_a_time(monkeypatch, held):
    """To the bit, in chunks of 1, 37 and all 100 samples."""
    arguments = logits(len(GROUP)), logits(OTHERS, 1), GROUP, 4

    def of(recall):
        return disparity.group_means(recall)

    whole = redrawn.statistic(*arguments, rate=0.1, of=of)
    monkeypatch.setattr(redrawn, "AT_ONCE", held)

    assert redrawn.statistic(*arguments, rate=0.1, of=of).tobytes() == whole.tobytes()


@LAW
@given(st.floats(0.03, 0.9), st.integers(0, 50))
def test_statistic_of_a_better_arm_is_better_in_every_sample(rate, seed):
    """Both arms have the same redrawn photographs."""
    portraits, others = logits(len(GROUP), seed), logits(OTHERS, seed + 1)
    options = {"rate": rate, "of": every_recall}

    worse = redrawn.statistic(portraits, others, GROUP, 4, **options)
    better = redrawn.statistic(portraits + 0.3, others, GROUP, 4, **options)
    assert (better >= worse).all()


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_thresholds_vary_as_those_of_new_photographs(monkeypatch, rate):
    """Uniform logits: the true rate is 1 minus the threshold, on average k / (N + 1).

    Over 20 sets of 400 photographs and 2,000 samples of each, mean within four standard errors; and
    the samples' variance is that of the Beta distribution, within a fifth.
    """
    monkeypatch.setattr(redrawn, "MOST", 2_000)
    count, at_rank = 400, operating.rank(rate, 400)
    times = redrawn.draws(count)
    sets = np.random.default_rng(0).uniform(size=(20, count))
    falling = -np.sort(-sets, axis=1)
    true = np.array([1 - one[redrawn.ranks(times, np.arange(count), at_rank)] for one in falling])

    share = operating.expected_rate(at_rank, count)
    variance = share * (1 - share) / (count + 2)
    assert true.mean() == pytest.approx(share, abs=4 * np.sqrt(variance / 20) + 1 / count)
    assert true.var(axis=1).mean() == pytest.approx(variance, rel=0.35)


def matched_by_hand(portraits, others, positive):
    """Recalls of each sample, in one row: draw, count, sort, take the midpoint, count."""
    expected = []
    for column in redrawn.draws(others.shape[1]).astype(int).T:
        sample, counts = np.repeat(others, column, axis=1), (positive * column).sum(axis=1)
        level = operating.matched_threshold(sample, np.clip(counts, 1, others.shape[1] - 1))
        found = operating.detected(portraits, level)
        expected.append([[run[k == GROUP].mean() for k in range(4)] for run in found])
    return every_recall(np.array(expected))


@pytest.mark.parametrize("decimals", [8, 1])
@pytest.mark.parametrize("share", [0.03, 0.3, 0.95])
def test_matched_statistic_is_that_of_each_sample_alone(share, decimals):
    """Also where a sample has none or all of the counted photographs."""
    portraits = logits(len(GROUP), 1, decimals=decimals) + 0.5
    others, counted = logits(OTHERS, 2, decimals=decimals), logits(OTHERS, 3)
    positive = counted >= np.quantile(counted, 1 - share)

    ours = redrawn.matched_statistic(portraits, others, positive, GROUP, 4, of=every_recall)
    np.testing.assert_allclose(
        ours, matched_by_hand(portraits, others, positive), rtol=0, atol=1e-12
    )


def test_matched_statistic_counts_and_sets_thresholds_with_the_same_photographs():
    """A run matched with itself keeps its recall, if no portrait is near its threshold."""
    others = logits(OTHERS, 2)
    portraits = np.where(logits(len(GROUP), 1) > 0, 9.0, -9.0)
    ours = redrawn.matched_statistic(portraits, others, others >= 0, GROUP, 4, of=every_recall)

    fixed = [[(run[k == GROUP] > 0).mean() for k in range(4)] for run in portraits]
    np.testing.assert_allclose(ours, np.tile(np.ravel(fixed), (len(ours), 1)), atol=1e-12)


def test_matched_statistic_takes_given_samples():
    """The first ten of a hundred give the first ten rows."""
    arguments = logits(len(GROUP)), logits(OTHERS, 1), logits(OTHERS, 2) > 0, GROUP, 4
    few = redrawn.draws(OTHERS)[:, :10]

    whole = redrawn.matched_statistic(*arguments, of=every_recall)
    ours = redrawn.matched_statistic(*arguments, of=every_recall, times=few)
    np.testing.assert_array_equal(ours, whole[:10])


@pytest.mark.parametrize("at_rank", [1, 3, 20, 40])
def test_ranks_of_several_runs_are_those_of_each(at_rank):
    """From both ends."""
    generator = np.random.default_rng(0)
    times = redrawn.draws(40, few=True)
    order = np.stack([generator.permutation(40) for _ in range(5)])
    alone = [redrawn.ranks(times, falling, at_rank) for falling in order]

    assert np.array_equal(redrawn.ranks_of_runs(times, order, at_rank), alone)
