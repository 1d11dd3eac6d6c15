import pytest
import torch
from torch.testing import assert_close

from repro.losses import formulas
from repro.training.objectives.lff import (
    MovingAverages,
    generalised_cross_entropy,
    relative_difficulty,
)

FACES = torch.ones(3, dtype=torch.bool)
BIASED = torch.tensor([3.0, -1.0, 0.5], dtype=torch.float64)
DEBIASED = torch.tensor([1.0, 0.2, -0.5], dtype=torch.float64)


def near(*values):
    return torch.tensor(values, dtype=torch.float64)


def gradient(loss, logit):
    logit = logit.clone().requires_grad_()
    loss(logit).sum().backward()
    return logit.grad


def test_generalised_cross_entropy_of_three_faces():
    """Worked by hand at q = 0.7."""
    found = generalised_cross_entropy(BIASED, FACES, q=0.7)
    assert_close(found, near(0.047770, 0.858850, 0.403440), atol=5e-7, rtol=0)


def test_a_nonface_has_the_loss_of_a_face_with_the_opposite_logit():
    """The probability of its class is sigmoid(-z)."""
    faces = generalised_cross_entropy(BIASED, FACES, q=0.7)
    assert_close(generalised_cross_entropy(-BIASED, ~FACES, q=0.7), faces)


def test_its_gradient_is_p_to_the_q_times_that_of_cross_entropy():
    """By automatic gradients, and by finite differences of both losses."""
    expected = near(0.966561, 0.398805, 0.717592)

    def generalised(z):
        return generalised_cross_entropy(z, FACES, q=0.7)

    def plain(z):
        return formulas.classification(z, FACES)

    ratio = gradient(generalised, BIASED) / gradient(plain, BIASED)
    assert_close(ratio, expected, atol=5e-7, rtol=0)
    step = 1e-5
    rise = [one(BIASED + step) - one(BIASED - step) for one in (generalised, plain)]
    assert_close(rise[0] / rise[1], expected, atol=1e-6, rtol=0)


def test_the_authors_code_has_a_constant_q_too_small():
    """Its gradient is q p^q times that of cross-entropy; ours is what the paper minimises."""
    ours, plain = (
        gradient(one, BIASED)
        for one in (
            lambda z: generalised_cross_entropy(z, FACES, q=0.7),
            lambda z: formulas.classification(z, FACES),
        )
    )
    assert_close(0.7 * ours / plain, near(0.676593, 0.279163, 0.502315), atol=5e-7, rtol=0)


def test_towards_q_0_it_is_cross_entropy_and_at_1_the_probability_of_being_wrong():
    """The two ends of the family."""
    cross_entropy = formulas.classification(BIASED, FACES)
    assert_close(generalised_cross_entropy(BIASED, FACES, q=1e-9), cross_entropy, atol=1e-8, rtol=0)
    assert_close(generalised_cross_entropy(BIASED, FACES, q=1.0), 1 - BIASED.sigmoid())


def test_the_relative_difficulty_of_three_faces():
    """Worked by hand from both networks' cross-entropies."""
    biased, debiased = (formulas.classification(z, FACES) for z in (BIASED, DEBIASED))
    assert_close(biased, near(0.048587, 1.313262, 0.474077), atol=5e-7, rtol=0)
    assert_close(debiased, near(0.313262, 0.598139, 0.974077), atol=5e-7, rtol=0)
    found = relative_difficulty(biased, debiased)
    assert_close(found, near(0.134275, 0.687068, 0.327366), atol=5e-7, rtol=0)


@pytest.fixture
def averages():
    """Of three faces after two visits: the biased network's and the other's."""
    both = MovingAverages(FACES, 0.7), MovingAverages(FACES, 0.7)
    visits = (([0.5, 2, 1], [0.3, 1, 1.4]), ([0.4, 1, 0.8], [0.2, 0.5, 0.8]))
    for average, losses in zip(both, visits, strict=True):
        for visit in losses:
            average.update(torch.arange(3), torch.tensor(visit))
    return both


def test_moving_averages_after_two_visits(averages):
    """The first visit is the loss itself."""
    biased, debiased = averages
    assert_close(biased.values, torch.tensor([0.44, 1.70, 1.12]))
    assert_close(debiased.values, torch.tensor([0.34, 0.85, 0.80]))


def test_difficulty_is_of_averages_as_shares_of_their_class_maximum(averages):
    """Worked by hand, with the mean loss that the network of the run minimises."""
    everything = torch.arange(3)
    biased, debiased = (average.of_class_maximum(everything).double() for average in averages)
    assert_close(biased, near(0.258824, 1, 0.658824), atol=1e-6, rtol=0)
    assert_close(debiased, near(0.4, 1, 0.941176), atol=1e-6, rtol=0)
    found = relative_difficulty(biased, debiased)
    assert_close(found, near(0.392857, 0.5, 0.411765), atol=1e-6, rtol=0)
    assert float((found * near(0.2, 0.5, 0.8)).mean()) == pytest.approx(0.219328, abs=1e-6)


def test_each_class_has_its_own_maximum_over_the_whole_training_set():
    """A face that is not in the batch counts; a non-face does not count for faces."""
    average = MovingAverages(torch.tensor([True, True, False, False]), 0.7)
    average.update(torch.tensor([0, 1, 2]), torch.tensor([1.0, 4.0, 10.0]))
    found = average.of_class_maximum(torch.tensor([0, 2, 3]))
    assert_close(found, torch.tensor([0.25, 1.0, 0.0]))


def test_a_class_without_any_loss_has_no_difficulty_and_no_nan():
    """A maximum of 0, as before the first visit or where every image is certain."""
    average = MovingAverages(FACES, 0.7)
    shares = average.of_class_maximum(torch.arange(3))
    assert shares.tolist() == [0, 0, 0]
    assert relative_difficulty(shares, shares).tolist() == [0, 0, 0]


def test_an_image_that_is_twice_in_a_batch_counts_once():
    """Draws with replacement repeat images."""
    average = MovingAverages(FACES, 0.7)
    average.update(torch.tensor([1, 1]), torch.tensor([2.0, 2.0]))
    average.update(torch.tensor([1, 1]), torch.tensor([1.0, 1.0]))
    assert_close(average.values, torch.tensor([0.0, 1.7, 0.0]))
