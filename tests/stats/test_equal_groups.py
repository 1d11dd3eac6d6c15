"""Variances between equal groups: which one a published table has."""

import itertools
from fractions import Fraction

import pytest
from published_tables import printed

from repro.stats.equal_groups import of_averages, of_each_run

MEANS = [".9982", ".9980", ".9970", ".9977", ".9975"]
VARIANCES = ["0.00000875", "0.00001083", "0.00001217", "0.00000950", "0.00001275"]


def rows():
    """Means and variances of five arms of a published table: ten groups of 200, three runs."""
    pairs = zip(MEANS, VARIANCES, strict=True)
    return [(printed(mean).interval(), narrow(variance)) for mean, variance in pairs]


def narrow(text):
    """A variance with more decimals than floats are trusted to; half of its last digit."""
    value = Fraction(text)
    return value - Fraction(1, 2 * 10**8), value + Fraction(1, 2 * 10**8)


@pytest.mark.parametrize(
    ("reading", "ddof", "possible"),
    [(of_averages, 0, 0), (of_averages, 1, 0), (of_each_run, 0, 5), (of_each_run, 1, 0)],
)
def test_the_grain_says_which_variance_was_printed(reading, ddof, possible):
    """Each row is a mean of single runs' variances with ddof 0, and no row is anything else."""
    found = [reading(*row, groups=10, n=200, runs=3, ddof=ddof) for row in rows()]

    assert sum(found) == possible


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("reading", [of_averages, of_each_run])
def test_all_counts_of_a_small_design(reading, ddof):
    """Two runs of two groups of three: every variance that counts give, and no other."""
    real = {}
    for counts in itertools.product(range(4), repeat=4):
        runs = [[Fraction(k, 3) for k in counts[:2]], [Fraction(k, 3) for k in counts[2:]]]
        averages = [[(one + other) / 2 for one, other in zip(*runs, strict=True)]]
        sets = averages if reading is of_averages else runs
        spread = sum(sum((x - sum(s) / 2) ** 2 for x in s) / (2 - ddof) for s in sets) / len(sets)
        real.setdefault(sum(counts), set()).add(spread)
    for total, thousandths in itertools.product(range(13), range(520)):
        low, high = printed(f"0.{thousandths:03d}").interval()
        mean = (Fraction(total, 12),) * 2
        found = reading(mean, (low, high), groups=2, n=3, runs=2, ddof=ddof)

        assert found is any(low <= one <= high for one in real[total])
