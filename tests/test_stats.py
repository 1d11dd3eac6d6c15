import numpy as np
import pytest
from scipy import stats as scipy_stats

from repro import stats


def test_best_keeps_the_largest_in_their_order():
    """Positions, not values; equal values in the order of the seeds."""
    assert stats.best([0.1, 0.9, 0.5, 0.9, 0.5], 3) == [1, 2, 3]


def test_best_refuses_to_keep_more_than_there_are():
    """Too few finished runs are no selection."""
    with pytest.raises(ValueError, match="cannot keep 3 of 2"):
        stats.best([0.1, 0.2], 3)


def test_variance_of_hand_worked_groups():
    """0.8, 0.9, 0.9 and 1.0 have the population variance 0.005."""
    assert stats.variance_between_groups(np.array([[0.8, 0.9, 0.9, 1.0]])) == pytest.approx(0.005)


def test_variance_is_of_the_averaged_groups():
    """Two runs whose differences cancel leave no variance between groups."""
    runs = np.array([[0.8, 1.0], [1.0, 0.8]])

    assert stats.variance_between_groups(runs) == pytest.approx(0)


def test_gap_is_between_averaged_groups():
    """Largest less smallest after averaging over runs."""
    assert stats.group_gap(np.array([[0.8, 1.0], [0.9, 1.0]])) == pytest.approx(0.15)


def test_t_half_width_matches_scipy():
    """The interval agrees with SciPy's to 1e-12."""
    values = [0.91, 0.93, 0.95, 0.9, 0.88]
    low, high = scipy_stats.t.interval(0.95, 4, loc=np.mean(values), scale=scipy_stats.sem(values))

    assert stats.t_half_width(values) == pytest.approx((high - low) / 2, abs=1e-12)


def test_one_value_has_no_interval():
    """Spread needs two runs."""
    assert np.isnan(stats.t_half_width([0.9]))
