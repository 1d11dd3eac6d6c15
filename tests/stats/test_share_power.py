import itertools

import numpy as np
import pytest
from scipy import special

from repro.stats import conclusions, proportions, share_power
from repro.stats.conclusions import WORDS


def enumerated(runs, more, less, smallest, level):
    """Probability of each word, from the interval of every table."""
    found = dict.fromkeys(WORDS, 0.0)
    for x, y in itertools.product(range(runs + 1), repeat=2):
        chance = np.prod(
            [
                special.comb(runs, k) * p**k * (1 - p) ** (runs - k)
                for k, p in ((x, more), (y, less))
            ]
        )
        interval = proportions.difference_interval(x, runs, y, runs, level=level)
        found[conclusions.of_interval(interval, smallest)] += chance
    return [found[word] for word in WORDS]


@pytest.mark.parametrize(
    ("runs", "more", "less", "smallest", "level"),
    [
        (3, 0.9, 0.1, 0.5, 0.95),
        (5, 1.0, 0.0, 0.6, 0.95),
        (5, 0.7, 0.2, 0.3, 0.99),
        (6, 0.3, 0.3, 0.4, 0.95),
        (6, 0.2, 0.8, 0.9, 0.95),
    ],
)
def test_chances_are_those_of_the_intervals_of_all_tables(runs, more, less, smallest, level):
    """Each table counts with its probability."""
    found = share_power.words(runs, more, less, smallest, level=level)

    assert found == pytest.approx(enumerated(runs, more, less, smallest, level), abs=1e-12)
    assert sum(found) == pytest.approx(1)


@pytest.mark.parametrize("runs", [3, 5, 10, 20])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5])
def test_a_word_is_wrong_in_at_most_one_study_in_forty(runs, share):
    """One of the first two without a difference, one of the middle two with the smallest."""
    none = share_power.words(runs, share, share, 0.4)
    smallest = share_power.words(runs, share + 0.4, share, 0.4)

    assert none.holds + none.too_small <= 0.025 + 1e-4
    assert smallest.too_small + smallest.does_not_hold <= 0.025 + 1e-4


def test_all_runs_of_one_arm_fail_and_none_of_the_other():
    """Three runs an arm are enough, because their interval excludes 0; two are not."""
    assert share_power.words(3, 1.0, 0.0, 1.0).holds == 1
    assert share_power.words(2, 1.0, 0.0, 1.0).cannot_tell == 1
    assert share_power.runs_needed(0.0, 1.0) == 3


@pytest.mark.parametrize(("less", "smallest"), [(0.0, 0.5), (0.1, 0.4), (0.2, 0.6)])
def test_runs_needed_are_the_fewest_with_the_power(less, smallest):
    """One run less has not got it."""
    needed = share_power.runs_needed(less, smallest)

    assert share_power.words(needed, less + smallest, less, smallest).holds >= 0.8
    assert share_power.words(needed - 1, less + smallest, less, smallest).holds < 0.8


def test_a_difference_of_a_tenth_needs_more_runs_than_anybody_has():
    """About 400 an arm."""
    assert share_power.runs_needed(0.45, 0.1) is None


@pytest.mark.parametrize(
    ("runs", "more", "less", "smallest"),
    [(0, 0.5, 0.1, 0.2), (5, 1.2, 0.1, 0.2), (5, 0.5, -0.1, 0.2), (5, 0.5, 0.1, 0.0)],
)
def test_shares_lie_between_none_and_all(runs, more, less, smallest):
    """And there are runs, and an effect that matters."""
    with pytest.raises(ValueError, match="smallest effect"):
        share_power.words(runs, more, less, smallest)
