"""A hidden layer with its ReLU and normalisation in one, and the latents, against torch."""

import copy

import pytest
import torch
from builders import needs_blocks
from torch import nn

from repro.losses import formulas
from repro.models import Linear
from repro.training.kernels import hidden
from repro.training.kernels.latents import latents

pytestmark = needs_blocks


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def block(inputs, outputs):
    torch.manual_seed(0)
    parts = [Linear(inputs, outputs), nn.ReLU(), nn.BatchNorm1d(outputs)]
    with torch.no_grad():
        parts[2].weight.uniform_()
    return nn.ModuleList(parts)


@pytest.mark.parametrize("images", [2, 9, 24, 70])
@pytest.mark.parametrize("outputs", [64, 37], ids=["whole vectors", "and a rest"])
def test_a_hidden_layer_in_one_is_its_three_modules(images, outputs):
    """Output, gradients and running statistics to the bit, over two steps."""
    ours = block(50, outputs)
    theirs = copy.deepcopy(ours)
    rows, slope = normal(images, 50), normal(images, outputs, seed=1)
    assert hidden.can_be_one(rows, list(ours))

    for _ in range(2):
        found = hidden.hidden(rows, ours[0], ours[2])
        expected = nn.Sequential(*theirs)(rows)
        assert torch.equal(found, expected)
        found.backward(slope)
        expected.backward(slope)

    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)
    for one, other in zip(ours.buffers(), theirs.buffers(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    "change",
    {
        "evaluation": lambda parts, rows: (parts.eval(), rows),
        "a leaky ReLU": lambda parts, rows: (nn.ModuleList([parts[0], nn.LeakyReLU()]), rows),
        "float64": lambda parts, rows: (parts.double(), rows.double()),
        "one image": lambda parts, rows: (parts, rows[:1]),
    }.values(),
)
def test_other_layers_are_left_to_their_modules(change):
    """Stored statistics, other activations, other precisions, and what torch refuses."""
    parts, rows = change(block(50, 64), normal(3, 50))

    assert not hidden.can_be_one(rows, list(parts))


@pytest.mark.parametrize("times", ["std", "variance"])
@pytest.mark.parametrize("used", ["both", "latents", "kl"])
def test_latents_in_one_are_the_formulas(times, used):
    """Values and gradients to the bit, if the loss needs both, the latents or the KL term alone."""
    noise, has = normal(9, 13, seed=2), torch.arange(9) < 5
    slopes = (normal(9, 13, seed=3), normal(9, seed=4))
    mean, logvar = (normal(9, 13, seed=n).requires_grad_() for n in range(2))
    same = [one.detach().clone().requires_grad_() for one in (mean, logvar)]
    found = latents(mean, logvar, noise, has, times=times)
    expected = (
        formulas.reparameterise(*same, noise, times=times),
        formulas.face_kl(*same, has),
    )

    chosen = {"both": (0, 1), "latents": (0,), "kl": (1,)}[used]
    for outputs in (found, expected):
        torch.autograd.backward([outputs[n] for n in chosen], [slopes[n] for n in chosen])

    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert torch.equal(mean.grad, same[0].grad)
    assert torch.equal(logvar.grad, same[1].grad)


def test_infinite_latents_of_images_without_a_term_leave_it_at_0():
    """As `formulas.of_faces` does, whose gradient is 0 there, too."""
    mean, logvar = (torch.full((2, 3), 200.0).requires_grad_() for _ in range(2))
    _, kl = latents(mean, logvar, torch.zeros(2, 3), torch.tensor([False, False]), times="std")
    kl.sum().backward()

    assert kl.tolist() == [0, 0]
    assert not mean.grad.any()
    assert not logvar.grad.any()
