import itertools
import time

import numpy as np
import pytest
from scipy import optimize, special

from repro.stats import proportions
from repro.stats.intervals import clopper_pearson


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_all_runs_of_one_arm_against_none_of_the_other(n):
    """That table is likeliest with (1 + x) / 2 and (1 - x) / 2, so ((1 + x) / 2)^(2 n) = 0.025."""
    found = proportions.difference_interval(n, n, 0, n)

    assert found.low == pytest.approx(2 * 0.025 ** (1 / (2 * n)) - 1, abs=1e-4)
    assert found.high == 1


def test_five_of_five_against_none_of_five_differ():
    """At 95 %; two of two against none of two do not."""
    assert proportions.difference_interval(5, 5, 0, 5).low > 0
    assert proportions.difference_interval(2, 2, 0, 2).low < 0


@pytest.mark.parametrize("n", [3, 5, 10])
def test_no_run_of_either_arm_leaves_what_one_arm_alone_leaves(n):
    """The second proportion is then 0, and the end that of Clopper and Pearson."""
    most = clopper_pearson(0, n).high

    assert proportions.difference_interval(0, n, 0, n) == pytest.approx((-most, most), abs=1e-4)


def coverage(n, level):
    """Smallest probability that the interval covers the difference, over a grid of proportions."""
    counts, share = np.arange(n + 1), np.linspace(0, 1, 84)
    ways = special.comb(n, counts)
    chance = ways * share[:, None] ** counts * (1 - share[:, None]) ** (n - counts)
    difference = share[:, None] - share
    covered = np.zeros_like(difference)
    for x, y in itertools.product(counts, counts):
        if x < y:
            continue  # its interval is that of (y, x) with the ends exchanged
        low, high = proportions.difference_interval(int(x), n, int(y), n, level=level)
        table = chance[:, x, None] * chance[:, y]
        covered += table * ((low <= difference) & (difference <= high))
        if x > y:
            covered += table.T * ((-high <= difference) & (difference <= -low))
    return covered.min()


@pytest.mark.parametrize(("n", "level"), [(3, 0.95), (5, 0.95), (5, 0.99), (10, 0.95)])
def test_it_covers_any_two_proportions_with_its_level(n, level):
    """By the probabilities of all tables; not by so much that it would say nothing."""
    assert level - 1e-4 <= coverage(n, level) < level + 0.75 * (1 - level)


@pytest.mark.parametrize(
    ("first", "n", "second", "m"), [(4, 5, 1, 7), (9, 10, 3, 10), (0, 4, 2, 3)]
)
def test_exchanged_arms_exchange_the_ends(first, n, second, m):
    """With the signs."""
    found = proportions.difference_interval(first, n, second, m)
    other = proportions.difference_interval(second, m, first, n)

    assert found == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert first / n - second / m in found


@pytest.mark.parametrize(("first", "n", "second", "m"), [(4, 5, 1, 5), (7, 10, 2, 10)])
def test_p_is_the_tail_at_an_end(first, n, second, m):
    """Just inside it is above 0.025, just outside it is not."""
    low = proportions.difference_interval(first, n, second, m).low

    assert proportions.p_larger(first, n, second, m, low) <= 0.025
    assert proportions.p_larger(first, n, second, m, low + 2e-5) > 0.025


def likeliest(x, n, y, m, delta):
    """First proportion, by a search."""

    def loss(first):
        second = np.clip(first - delta, 0, 1)
        told = special.xlogy(x, first) + special.xlog1py(n - x, -first)
        return -(told + special.xlogy(y, second) + special.xlog1py(m - y, -second))

    ends = max(0, delta), min(1, 1 + delta)
    found = optimize.minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-10})
    return found.x


@pytest.mark.parametrize(
    ("x", "n", "y", "m", "delta"), [(3, 10, 6, 7, 0.2), (4, 9, 2, 8, -0.4), (2, 5, 3, 5, 0.0)]
)
def test_a_score_has_the_likeliest_proportions_with_its_difference(x, n, y, m, delta):
    """Found by a search; the observed difference has a score of 0."""
    first = likeliest(x, n, y, m, delta)
    second = first - delta
    error = np.sqrt(first * (1 - first) / n + second * (1 - second) / m)

    assert proportions.score(n, m, delta)[x, y] == pytest.approx(
        (x / n - y / m - delta) / error, rel=1e-5
    )
    assert proportions.score(n, m, x / n - y / m)[x, y] == 0


def test_forty_runs_an_arm_take_less_than_a_second():
    """An answer asks for it while somebody waits."""
    proportions.difference_interval.cache_clear()
    began = time.process_time()

    proportions.difference_interval(31, 40, 12, 40)

    assert time.process_time() - began < 1


@pytest.mark.parametrize("arguments", [(6, 5, 0, 5), (-1, 5, 0, 5), (0, 0, 0, 5), (1, 5, 1, 0)])
def test_counts_lie_between_none_and_all(arguments):
    """And an arm has runs."""
    with pytest.raises(ValueError, match="runs"):
        proportions.difference_interval(*arguments)
