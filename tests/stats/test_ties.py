"""Equal runs by chance, against draws."""

import numpy as np
import pytest

from repro.stats.ties import chance_of_a_tie, pooled_covariance


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_chance_of_a_tie_is_that_of_rounded_draws(scale):
    """Two correlated numbers, rounded to whole ones."""
    covariance = scale**2 * np.array([[1.0, 0.6], [0.6, 2.0]])
    generator = np.random.default_rng(3)
    middles = generator.random((400_000, 2)) * 10
    pairs = [generator.multivariate_normal([0, 0], covariance, 400_000) for _ in range(2)]
    one, other = (np.rint(middles + draws) for draws in pairs)

    assert chance_of_a_tie(covariance) == pytest.approx((one == other).all(axis=1).mean(), rel=0.1)


def test_runs_without_spread_are_equal():
    """Near 100 % of everything is."""
    assert chance_of_a_tie(np.zeros((1, 1))) == pytest.approx(0.977, abs=1e-3)


def test_covariance_is_pooled_within_arms():
    """The difference between arms is none of it."""
    blocks = [np.array([[1.0], [3.0]]), np.array([[101.0], [103.0]]), np.array([[7.0]])]

    assert pooled_covariance(blocks).item() == pytest.approx(2)


def test_few_runs_have_variances_alone():
    """Two degrees of freedom are too few for two variances and a covariance."""
    found = pooled_covariance([np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]])])

    assert found == pytest.approx(np.diag([4.0, 4.0]))


def test_single_runs_say_nothing_of_their_spread():
    """One run an arm."""
    assert pooled_covariance([np.ones((1, 3))]) is None
