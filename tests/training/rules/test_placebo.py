import numpy as np
import pytest

from repro import resampling
from repro.training.rules import placebo

EPOCH_1 = np.array([0.40, 0.25, 0.15, 0.12, 0.08])
EPOCH_2 = np.array([0.30, 0.30, 0.20, 0.12, 0.08])
ORDER, OTHER = np.array([3, 0, 4, 1, 2]), np.array([1, 4, 0, 2, 3])


def ess(*epochs):
    """Of the mean over the epochs."""
    return resampling.effective_sample_size(np.mean(epochs, axis=0))


def test_a_face_gets_the_weight_of_the_face_that_the_permutation_names():
    """The worked example, epoch by epoch."""
    assert placebo.deal(EPOCH_1, ORDER).tolist() == [0.12, 0.40, 0.08, 0.25, 0.15]
    assert placebo.deal(EPOCH_2, ORDER).tolist() == [0.12, 0.30, 0.08, 0.30, 0.20]


def test_dealing_keeps_the_effective_sample_size_of_an_epoch():
    """Weights as uneven as before, on other faces."""
    assert ess(EPOCH_1) == pytest.approx(3.762227, abs=5e-7)
    assert ess(EPOCH_2) == pytest.approx(4.152824, abs=5e-7)
    assert ess(placebo.deal(EPOCH_1, ORDER)) == pytest.approx(3.762227, abs=5e-7)


def test_a_lasting_permutation_keeps_the_spread_over_epochs_and_fresh_ones_lose_it():
    """Mean weights over both epochs: persistence is what makes it a placebo."""
    lasting = ess(placebo.deal(EPOCH_1, ORDER), placebo.deal(EPOCH_2, ORDER))
    fresh = ess(placebo.deal(EPOCH_1, ORDER), placebo.deal(EPOCH_2, OTHER))

    assert ess(EPOCH_1, EPOCH_2) == pytest.approx(4.007213, abs=5e-7)
    assert lasting == pytest.approx(4.007213, abs=5e-7)
    assert fresh == pytest.approx(4.839100, abs=5e-7)


@pytest.mark.parametrize(("epochs", "expected"), [(2, 4.2937), (8, 4.8025), (60, 4.9727)])
def test_fresh_permutations_even_constant_weights_out(epochs, expected):
    """The limit for the mean of E epochs, met by drawn permutations on average."""
    random = np.random.default_rng(0)
    squares = [
        np.square(
            np.mean(
                [placebo.deal(EPOCH_1, placebo.permutation(5, random)) for _ in range(epochs)],
                axis=0,
            )
        ).sum()
        for _ in range(600)
    ]

    assert 1 / np.mean(squares) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(("epochs", "expected"), [(8, 0.889), (60, 0.984)])
def test_a_fresh_placebo_of_half_the_faces_is_nearly_even(epochs, expected):
    """1 / (1 + (1/s - 1)/E) with s = 1/2: half of the faces are drawn, other ones each epoch."""
    random = np.random.default_rng(0)
    half = np.repeat([1 / 2000, 0.0], 2000)
    mean = np.mean(
        [placebo.deal(half, placebo.permutation(4000, random)) for _ in range(epochs)], axis=0
    )

    assert ess(half) / 4000 == pytest.approx(0.5)
    assert ess(mean) / 4000 == pytest.approx(expected, abs=0.005)


def test_sorted_weights_are_equal_to_the_bit():
    """They are dealt after they are normalised, and never normalised again."""
    random = np.random.default_rng(1)
    weights = random.exponential(size=800)
    weights /= weights.sum()
    dealt = placebo.deal(weights, placebo.permutation(800, random))

    assert not np.array_equal(dealt, weights)
    assert np.array_equal(np.sort(dealt), np.sort(weights))


def test_a_lasting_permutation_keeps_the_correlation_of_epochs_and_fresh_ones_have_none():
    """Of log p, between neighbouring epochs."""
    random = np.random.default_rng(0)
    before = random.exponential(size=800) + 0.1
    now = before * random.uniform(0.8, 1.2, size=800)
    own = placebo.persistence(before, now)
    order, other = (placebo.permutation(800, random) for _ in range(2))

    assert own > 0.9
    assert placebo.persistence(before[order], now[order]) == pytest.approx(own)
    assert abs(placebo.persistence(before[order], now[other])) < 0.15


@pytest.mark.parametrize("weights", [[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]])
def test_a_correlation_that_is_not_defined_is_none(weights):
    """A face is left out, or no face is favoured."""
    assert placebo.persistence(np.array(weights), np.array([0.5, 0.3, 0.2])) is None


def test_within_groups_each_group_keeps_its_mass():
    """The worked example: masses .5 and .5; over all groups .8 and .2."""
    p = np.array([0.10, 0.05, 0.20, 0.15, 0.40, 0.10])
    within = placebo.deal(p, np.array([2, 0, 3, 1, 5, 4]))
    over_all = placebo.deal(p, np.array([4, 2, 0, 5, 1, 3]))

    assert within.tolist() == [0.20, 0.10, 0.15, 0.05, 0.10, 0.40]
    assert [within[:4].sum(), within[4:].sum()] == pytest.approx([0.5, 0.5])
    assert [over_all[:4].sum(), over_all[4:].sum()] == pytest.approx([0.8, 0.2])


def test_a_permutation_within_groups_maps_each_group_onto_itself():
    """Groups of any order among the faces."""
    groups = np.array(list("ABABBAACBA"))
    order = placebo.permutation(10, np.random.default_rng(2), groups=groups)

    assert sorted(order) == list(range(10))
    assert order.tolist() != list(range(10))
    assert (groups[order] == groups).all()
