import itertools

import numpy as np
import pytest

from repro.training.rules import density

P = np.array([0.4, 0.3, 0.2, 0.1])
LOSSES = np.array([0.2, 0.6, 1.0, 0.4])


def test_weights_of_the_loss_have_mean_1():
    """The worked example: v = N p."""
    assert density.loss_weights(P) == pytest.approx([1.6, 1.2, 0.8, 0.4])
    assert density.loss_weights(P).mean() == pytest.approx(1, abs=1e-15)


def test_even_draws_with_weights_expect_the_loss_of_weighted_draws():
    """Over every batch of two that can be drawn; .5 in the worked example."""
    v = density.loss_weights(P)
    batches = [list(pair) for pair in itertools.combinations(range(4), 2)]
    weighted = np.mean([(v[b] * LOSSES[b]).mean() for b in batches])

    assert pytest.approx(0.5) == P @ LOSSES
    assert weighted == pytest.approx(0.5)
    assert [(v[b] * LOSSES[b]).mean() for b in ([0, 1], [2, 3])] == pytest.approx([0.52, 0.48])


@pytest.mark.parametrize("count", [1, 3, 49, 800])
def test_equal_probabilities_weigh_exactly_1(count):
    """49 times 1/49 is not 1 in float64."""
    assert (density.loss_weights(np.full(count, 1 / count)) == 1).all()


def test_normalising_in_each_batch_would_be_biased():
    """Why the factors are used as they are: .531349 instead of .5 over all batches of two."""
    v = density.loss_weights(P)
    batches = [list(pair) for pair in itertools.combinations(range(4), 2)]
    normalised = [(v[b] * LOSSES[b]).sum() / v[b].sum() for b in batches]

    ends = [normalised[0], normalised[-1]]  # batches {0, 1} and {2, 3}
    assert ends == pytest.approx([0.371429, 0.8], abs=5e-7)
    assert np.mean(ends) == pytest.approx(0.585714, abs=5e-7)
    assert np.mean(normalised) == pytest.approx(0.531349, abs=5e-7)


def test_normalising_over_faces_and_nonfaces_would_move_the_halves():
    """With two non-faces of weight 1 beside them the faces' share is .583 or .375."""
    v = density.loss_weights(P)
    shares = [v[b].sum() / (v[b].sum() + 2) for b in ([0, 1], [2, 3])]

    assert shares == pytest.approx([7 / 12, 3 / 8])


def test_drawing_and_weighting_differ_in_the_variance_of_one_draw():
    """.09 when drawn and .0716 when weighted: equal expectation, other noise."""
    weighted = density.loss_weights(P) * LOSSES

    assert P @ np.square(LOSSES) - (P @ LOSSES) ** 2 == pytest.approx(0.09)
    assert weighted.var() == pytest.approx(0.0716)
