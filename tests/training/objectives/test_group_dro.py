import math

import pytest
import torch
from torch.testing import assert_close

from repro.training.objectives.group_dro import batch_factors, group_means, updated_q

LOSSES = torch.tensor([0.2, 0.5, 1.0, 0.4], dtype=torch.float64)
EVEN = torch.full((4,), 0.25, dtype=torch.float64)
ALL = torch.ones(4, dtype=torch.bool)


def near(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(
    ("step_size", "expected", "loss"),
    [
        (0.01, (0.249188, 0.249936, 0.251189, 0.249687), 0.525870),
        (0.1, (0.241900, 0.249267, 0.262047, 0.246787), 0.533775),
        (1.0, (0.172509, 0.232863, 0.383926, 0.210703), 0.619140),
    ],
)
def test_q_rises_with_the_loss_and_the_loss_uses_the_new_q(step_size, expected, loss):
    """Four groups, worked by hand."""
    q = updated_q(EVEN, LOSSES, ALL, step_size=step_size)
    assert_close(q, near(*expected), atol=5e-7, rtol=0)
    assert float((q * LOSSES).sum()) == pytest.approx(loss, abs=5e-7)


def test_the_adjustment_enters_q_and_not_the_loss():
    """Adding it to the loss, as the authors' code does, would give 0.634379 instead."""
    before = LOSSES.clone()
    adjustment = 1 / near(400, 400, 100, 25).sqrt()
    q = updated_q(EVEN, LOSSES, ALL, step_size=0.1, adjustment=adjustment)
    assert_close(q, near(0.240686, 0.248016, 0.262039, 0.249259), atol=5e-7, rtol=0)
    assert torch.equal(LOSSES, before)
    assert float((q * LOSSES).sum()) == pytest.approx(0.533888, abs=5e-7)


def test_an_absent_group_keeps_its_q_before_the_division():
    """The third group is absent."""
    present = torch.tensor([True, True, False, True])
    for adjustment in (0.0, torch.tensor([0.0, 0.0, 9.0, 0.0])):
        q = updated_q(EVEN, LOSSES, present, step_size=0.1, adjustment=adjustment)
        assert_close(q, near(0.248086, 0.255642, 0.243174, 0.253098), atol=5e-7, rtol=0)


def test_a_huge_loss_takes_all_of_q_and_does_not_overflow():
    """exp(1,000) is infinite in float64."""
    q = updated_q(EVEN, 1_000 * LOSSES, ALL, step_size=1.0)
    assert_close(q, near(0, 0, 1, 0), atol=1e-12, rtol=0)


def test_the_ratio_of_two_groups_doubles_in_the_time_that_the_documentation_says():
    """At the published step size and a difference of 0.2 that is 347 steps."""
    q, losses = near(0.5, 0.5), near(0.2, 0.4)
    for _ in range(347):
        q = updated_q(q, losses, ALL[:2], step_size=0.01)
    assert float(q[1] / q[0]) == pytest.approx(2, abs=0.005)
    assert math.log(2) / (0.01 * 0.2) == pytest.approx(346.6, abs=0.05)


@pytest.mark.parametrize(
    ("step_size", "steps", "ratio"), [(0.01, 400, 2.2), (0.1, 400, 2981), (0.01, 1200, 11.0)]
)
def test_how_far_apart_a_whole_run_drives_two_groups(step_size, steps, ratio):
    """Losses 0.2 apart, with the updates of the embedded data and of twelve epochs of real ones."""
    q, losses = near(0.5, 0.5), near(0.2, 0.4)
    for _ in range(steps):
        q = updated_q(q, losses, ALL[:2], step_size=step_size)
    assert float(q[1] / q[0]) == pytest.approx(ratio, rel=0.02)


def test_nonfaces_as_a_fifth_group_would_take_all():
    """Why q is over groups of faces alone."""
    q, losses = torch.full((5,), 0.2, dtype=torch.float64), near(0.1, 0.1, 0.3, 0.3, 0.9)
    for _ in range(500):
        q = updated_q(q, losses, torch.ones(5, dtype=torch.bool), step_size=0.01)
    assert_close(q, near(0.016, 0.016, 0.044, 0.044, 0.880), atol=5e-4, rtol=0)


def test_half_of_the_loss_is_the_faces_and_half_the_nonfaces():
    """Unequal groups, more non-faces than faces: the worked objective all the same."""
    groups = torch.tensor([0, 1, 1, 2, 3, 3, 3, *[-1] * 9])
    is_face = groups >= 0
    losses = torch.where(is_face, LOSSES[groups], 0.9)
    means, numbers = group_means(losses, groups, 4)
    assert_close(means, LOSSES)
    assert numbers.tolist() == [1, 2, 1, 3]
    q = updated_q(EVEN, means, numbers > 0, step_size=0.1)
    objective = (batch_factors(q, groups, is_face) * losses).mean()
    assert float(objective) == pytest.approx(0.716887, abs=5e-7)


def test_even_weights_in_an_even_batch_are_one():
    """Nothing is changed where nothing is uneven."""
    groups = torch.tensor([0, 1, 2, 3, -1, -1, -1, -1])
    assert torch.equal(batch_factors(EVEN, groups, groups >= 0), torch.ones(8, dtype=EVEN.dtype))


def test_batches_without_a_group_or_without_nonfaces_have_finite_factors():
    """Neither is divided by a number of 0."""
    for groups in ([0, 0, 3], [-1, -1, -1]):
        groups = torch.tensor(groups)
        factors = batch_factors(EVEN, groups, groups >= 0)
        assert torch.isfinite(factors).all()
    means, _ = group_means(torch.ones(3), groups, 4)
    assert means.tolist() == [0, 0, 0, 0]
