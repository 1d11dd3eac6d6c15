"""The optimiser's step in C: torch's Adam, and gradients that are made where they are used."""

import copy
import threading

import pytest
import torch
from builders import needs_blocks
from torch import nn

from repro.models import Linear
from repro.training.kernels import c_library, dense, hidden
from repro.training.kernels.latents import latents
from repro.training.kernels.linear import keeping_products
from repro.training.kernels.operators import TorchKernels

pytestmark = needs_blocks

SIZES = {"layers": (24, 37, 51), "thin": (1, 5, 3), "one output": (9, 64, 1), "many": (70, 20, 30)}
SIZES |= {"more than a chain": (513, 8, 9)}


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network(inputs, outputs):
    torch.manual_seed(0)
    return nn.Sequential(Linear(inputs, outputs), nn.Tanh(), Linear(outputs, 7))


def trained(minimise, model, rows, steps=4):
    """The network and its optimiser after some steps."""
    model = copy.deepcopy(model)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    for step in range(steps):
        minimise((model(rows) - step).square().mean(), optimiser)
    return model, optimiser


def all_tensors(model, optimiser):
    moments = [one for state in optimiser.state.values() for one in state.values()]
    return [*model.parameters(), *moments]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_steps_make_the_weights_and_moments_of_torchs(size):
    """To the bit, where a vector is full and where it is not, whatever the number of images."""
    images, inputs, outputs = size
    model, rows = network(inputs, outputs), normal(images, inputs)

    ours = all_tensors(*trained(dense.minimise, model, rows))
    theirs = all_tensors(*trained(TorchKernels("fp32").minimise, model, rows))

    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_without_torchs_bits_torch_computes(monkeypatch):
    """Neither its Adam nor its products are replaced on a processor where they round otherwise."""
    monkeypatch.setattr(dense, "_adam_is_torchs", lambda: False)
    monkeypatch.setattr(dense, "_adam", None)

    trained(dense.minimise, network(9, 8), normal(4, 9))


def test_products_with_other_sums_are_made_by_onednn(monkeypatch):
    """The gradient is then stored, and Adam reads it."""
    monkeypatch.setattr(dense, "_is_one_chain", lambda *sizes: False)
    model, _ = trained(dense.minimise, network(9, 8), normal(4, 9))

    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_layer_that_is_used_twice_has_the_sum_of_its_gradients():
    """Autograd adds them, as without the products."""

    def twice(model, rows):
        return nn.Sequential(model, model)(rows)

    torch.manual_seed(0)
    layer, rows = Linear(16, 16), normal(5, 16)
    ours, theirs = (copy.deepcopy(layer) for _ in range(2))
    for one, minimise in ((ours, dense.minimise), (theirs, TorchKernels("fp32").minimise)):
        minimise(twice(one, rows).square().sum(), torch.optim.Adam(one.parameters(), fused=True))

    assert torch.equal(ours.weight, theirs.weight)


@pytest.mark.parametrize("stored", [True, False])
def test_a_penalty_on_a_weight_is_added_to_the_gradient_of_its_layer(stored):
    """As an objective of a plug-in may have one: the bits of torch's operators."""
    torch.manual_seed(0)
    layer, rows = Linear(64, 16), normal(5, 64)
    ours, theirs = (copy.deepcopy(layer) for _ in range(2))
    for one, minimise in ((ours, dense.minimise), (theirs, TorchKernels("fp32").minimise)):
        loss = one(rows).square().sum() + 0.1 * one.weight.square().sum()
        minimise(loss, torch.optim.Adam(one.parameters(), fused=True), stored=stored)

    assert torch.equal(ours.weight, theirs.weight)


def test_what_a_step_keeps_is_its_threads_own():
    """A backward pass in another thread meanwhile makes its gradients."""
    layer = Linear(64, 16)
    loss = layer(normal(5, 64)).square().sum()

    with keeping_products() as products:
        other = threading.Thread(target=loss.backward)
        other.start()
        other.join()

    assert layer.weight.grad is not None
    assert not products


def test_a_layer_of_another_optimiser_gets_its_gradient():
    """A network beside the one that is updated is differentiated as by autograd alone."""
    model, other, rows = Linear(64, 16), Linear(64, 16), normal(5, 64)
    (other(rows).square().sum()).backward()
    alone, other.weight.grad = other.weight.grad, None

    loss = (model(rows).square() + other(rows).square()).sum()
    dense.minimise(loss, torch.optim.Adam(model.parameters(), fused=True))

    assert torch.equal(other.weight.grad, alone)


def test_gradients_are_stored_on_demand():
    """Code that reads gradients finds those of torch's operators, to the bit."""
    model, rows = network(9, 8), normal(4, 9)
    ours, theirs = (copy.deepcopy(model) for _ in range(2))
    for one, minimise in ((ours, dense.minimise), (theirs, TorchKernels("fp32").minimise)):
        optimiser = torch.optim.Adam(one.parameters(), fused=True)
        minimise(one(rows).square().mean(), optimiser, stored=True)

    pairs = zip(ours.parameters(), theirs.parameters(), strict=True)
    assert all(torch.equal(one.grad, other.grad) for one, other in pairs)


def test_a_parameter_without_gradient_stays():
    """A frozen one, and one that the loss does not know, as in torch."""
    model = network(9, 8)
    model[0].weight.requires_grad_(False)
    model.unused = nn.Parameter(normal(3))
    after, optimiser = trained(dense.minimise, model, normal(4, 9))

    assert torch.equal(after[0].weight, model[0].weight)
    assert torch.equal(after.unused, model.unused)
    assert after.unused not in optimiser.state


def test_a_restored_optimiser_goes_on():
    """Moments that were stored after two steps, and the last two of four."""
    model, rows = network(33, 20), normal(6, 33)
    whole, _ = trained(dense.minimise, model, rows)

    half, optimiser = trained(dense.minimise, model, rows, steps=2)
    again = torch.optim.Adam(half.parameters(), lr=1e-3, fused=True)
    again.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    for step in (2, 3):
        dense.minimise((half(rows) - step).square().mean(), again)

    pairs = zip(whole.parameters(), half.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_what_is_no_number_reaches_the_weight_as_in_torch():
    """An infinite gradient makes NaN, and leaves the other parameters alone."""
    ours, theirs = (nn.Parameter(torch.ones(19)) for _ in range(2))
    for one, minimise in ((ours, dense.minimise), (theirs, TorchKernels("fp32").minimise)):
        factor = torch.ones(19)
        factor[3], factor[17] = float("inf"), float("nan")
        minimise((one * factor).sum(), torch.optim.Adam([one], fused=True))

    assert torch.equal(torch.isnan(ours), torch.isnan(theirs))
    assert torch.allclose(ours, theirs, equal_nan=True)


def step_of_every_layer():
    """All tensors of a small network after a step through each function of ``dense.c``."""
    torch.manual_seed(0)
    parts = nn.ModuleList([Linear(70, 64), nn.ReLU(), nn.BatchNorm1d(64), Linear(64, 52)])
    made = parts[3](hidden.hidden(normal(21, 70), parts[0], parts[2]))
    has = torch.arange(21) < 9
    sampled, kl = latents(made, made, torch.ones_like(made), has, times="std")
    optimiser = torch.optim.Adam(parts.parameters(), fused=True)
    dense.minimise(sampled.square().sum() + kl.sum(), optimiser)
    return all_tensors(parts, optimiser)


def test_every_build_makes_the_same_bits(monkeypatch):
    """Shorter vectors have other tiles, and the same chains."""
    builds = c_library.builds()
    if len(builds) < 2:
        pytest.skip("this processor executes one build")
    found = []
    for build in builds:
        monkeypatch.setattr(c_library, "build", lambda build=build: build)
        found.append(step_of_every_layer())

    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
