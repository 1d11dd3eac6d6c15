"""Oracles in exact arithmetic: quantities and tests of runs, from counts of detected portraits.

All values are fractions, and every arrangement is listed, so nothing here is rounded or drawn.
"""

from fractions import Fraction
from itertools import combinations, permutations, product


def recall(counts, sizes):
    """Pooled recall of each run.

    Args:
        counts: Detected portraits of each group, a row for each run.
        sizes: Portraits of each group.
    """
    return [Fraction(sum(row), sum(sizes)) for row in counts]


def variance(counts, sizes, ddof=0):
    """Variance between the groups of each run."""
    found = []
    for row in counts:
        shares = [Fraction(c, n) for c, n in zip(row, sizes, strict=True)]
        mean = sum(shares) / len(shares)
        found.append(sum((share - mean) ** 2 for share in shares) / (len(shares) - ddof))
    return found


def superiority(a, b):
    """Share of pairs whose first is larger, ties as halves."""
    return sum(Fraction((x > y) - (x < y) + 1, 2) for x, y in zip(a, b, strict=True)) / len(a)


def sign_flip(a, b):
    """Two-sided p over all signs of the differences, and the smallest that any pattern has."""
    apart = [x - y for x, y in zip(a, b, strict=True)]
    sums = [abs(sum(s * d for s, d in zip(signs, apart, strict=True))) for signs in _signs(apart)]
    return _share(sums, abs(sum(apart))), _share(sums, max(sums))


def _signs(values):
    return product([-1, 1], repeat=len(values))


def permutation(a, b):
    """Two-sided p over all assignments of the runs to arms, and the smallest that any has."""
    pooled = [*a, *b]
    gaps = []
    for picked in combinations(range(len(pooled)), len(a)):
        first = sum(pooled[i] for i in picked)
        gaps.append(abs(first / len(a) - (sum(pooled) - first) / len(b)))
    return _share(gaps, abs(sum(a) / len(a) - sum(b) / len(b))), _share(gaps, max(gaps))


def _share(statistics, seen):
    return Fraction(sum(one >= seen for one in statistics), len(statistics))


def rise(values, order):
    """Jonckheere's statistic: pairs in rising order minus pairs in falling order."""
    return sum(
        _sign(values[i] - values[j]) * _sign(order[i] - order[j])
        for i, j in combinations(range(len(values)), 2)
    )


def _sign(value):
    return (value > 0) - (value < 0)


def trend(values, order, block):
    """Two-sided p of the trend test over all shuffles of the labels within the blocks."""
    homes = [[i for i, one in enumerate(block) if one == b] for b in sorted(set(block))]
    rises = []
    for shuffled in product(*(permutations([order[i] for i in home]) for home in homes)):
        labels = dict(
            pair
            for home, row in zip(homes, shuffled, strict=True)
            for pair in zip(home, row, strict=True)
        )
        rises.append(abs(rise(values, [labels[i] for i in range(len(values))])))
    return _share(rises, abs(rise(values, order)))


def ranks(values):
    """Rank of each value among the distinct ones."""
    return [sorted(set(values)).index(value) for value in values]


def best(values, keep):
    """Positions of the largest values, of equal ones the first."""
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))
    return sorted(order[:keep])


def expected_best(values, by, keep, of):
    """Mean of the best of every subset of the runs."""
    means = []
    for subset in combinations(range(len(values)), of):
        kept = best([by[i] for i in subset], keep)
        means.append(sum(values[subset[i]] for i in kept) / keep)
    return sum(means) / len(means)


def t_squared(a, b):
    """Square of the paired t; None without spread."""
    apart = [x - y for x, y in zip(a, b, strict=True)]
    n, mean = len(apart), sum(apart) / len(apart)
    squares = sum((d - mean) ** 2 for d in apart)
    return n * (n - 1) * mean**2 / squares if squares else None
