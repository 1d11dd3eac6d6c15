"""Bounds of what follows from printed shares, against draws from their intervals."""

from fractions import Fraction

import numpy as np
import pytest
from published_tables import printed

from repro.stats.aggregates import apart, common_weights, meet, variance, weighted_mean

SHARES = [printed(text).interval() for text in ("91.2", "87.05", "99.9", "76")]


def test_pooled_by_hand():
    """10 of 80.0 and 30 of 90.0: 87.5, each half a tenth off at most."""
    shares = [printed(text).interval() for text in ("80.0", "90.0")]

    assert weighted_mean(shares, [10, 30]) == (Fraction("87.45"), Fraction("87.55"))


@pytest.mark.parametrize("ddof", [0, 1])
def test_no_numbers_that_round_to_the_shares_have_another_variance(ddof):
    """Corners and draws; the bounds are hardly wider than needed."""
    generator = np.random.default_rng(1)
    low, high = variance(SHARES, ddof)
    ends = np.array(SHARES, dtype=np.float64)
    part = np.concatenate([generator.random((2000, 4)), generator.integers(0, 2, (200, 4))])
    drawn = (ends[:, 0] + part * (ends[:, 1] - ends[:, 0])).var(axis=1, ddof=ddof)

    assert float(low) <= drawn.min() + 1e-9
    assert drawn.max() <= float(high) + 1e-9
    assert float(high - low) < 1.3 * (drawn.max() - drawn.min())


def test_counts_have_no_error():
    """Of points the variance is exact."""
    points = [(Fraction(100, 3),) * 2, (Fraction(200, 7),) * 2]

    assert variance(points, 1) == (Fraction(100, 21) ** 2 / 2,) * 2


def test_closed_intervals_that_touch_meet():
    """A tie may be rounded either way."""
    one, other = printed("1.0").interval(), printed("1.1").interval()

    assert meet(one, other)
    assert (apart(one, other), apart(one, printed("1.3").interval())) == (0, Fraction("0.2"))


def _exactly(value):
    return Fraction(value), Fraction(value)


def test_pooled_rows_have_common_weights():
    """Three to one in both rows."""
    rows = [
        ([_exactly(80), _exactly(60)], _exactly(75)),
        ([_exactly(90), _exactly(50)], _exactly(80)),
    ]

    assert common_weights(rows)


def test_rows_of_different_weights_have_none_in_common():
    """Three to one, then one to one."""
    rows = [
        ([_exactly(80), _exactly(60)], _exactly(75)),
        ([_exactly(90), _exactly(50)], _exactly(70)),
    ]

    assert not common_weights(rows)
