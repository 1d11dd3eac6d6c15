import numpy as np
import pytest

from repro.metrics import (
    Count,
    active_units,
    collapsed,
    group_counts,
    pooled_recall,
    says_face,
)


def test_group_counts_of_hand_worked_photographs():
    """Two groups, three photographs."""
    counts = group_counts(["b", "a", "b"], np.array([True, False, False]))

    assert counts == {"a": Count(1, 0), "b": Count(2, 1)}


def test_pooled_recall_weighs_groups_by_their_size():
    """9 of 10 and 30 of 30 are 39 of 40, not the mean of the two shares."""
    assert pooled_recall({"a": Count(10, 9), "b": Count(30, 30)}) == pytest.approx(39 / 40)


@pytest.mark.parametrize("times", [1, 2, 3, 7, 10])
def test_equal_shares_of_unequal_numbers_are_a_collapsed_run(times):
    """One photograph more or less decides, never the rounding of a quotient."""
    for n in range(1, 80):
        for found in range(n):
            others = Count(times * n, times * found)
            assert collapsed({"a": Count(n, found)}, others)
            assert not collapsed({"a": Count(n, found + 1)}, others)


def test_active_units_have_a_mean_that_varies():
    """A latent counts when its posterior mean varies by more than 0.01 (Burda et al. 2016)."""
    x = np.random.default_rng(0).normal(size=(1000, 1))

    assert active_units(np.hstack([x, 0.2 * x, 0.05 * x, np.zeros_like(x)])) == 2


def test_a_logit_of_0_says_face():
    """A probability of exactly a half does; no window at all and NaN do not."""
    logit = np.array([-1e-300, -0.0, 0.0, 1.0, -np.inf, np.nan])

    assert says_face(logit).tolist() == [False, True, True, True, False, False]
