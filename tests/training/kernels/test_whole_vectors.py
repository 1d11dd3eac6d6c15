"""A network's numbers in a stack, computed on a processor as if it were alone."""

import pytest
import torch

from repro.training.kernels import whole_vectors

NETWORKS = 3


@pytest.mark.parametrize(("rows", "whole"), [(1, 64), (63, 64), (64, 64), (65, 128)])
def test_rows_are_filled_up_with_zeros(rows, whole):
    """To whole vectors, of any processor."""
    given = torch.ones(rows, 2)
    padded = whole_vectors.padded(given)

    assert padded.shape == (whole, 2)
    assert torch.equal(padded[:rows], given)
    assert not padded[rows:].any()


@pytest.mark.parametrize("shape", [(1,), (12,), (13, 5), (64, 3)], ids=str)
def test_adam_updates_each_network_as_torch_does_a_single_one(shape):
    """To the bit, after ten steps, whatever is left over of the vectors."""
    random = torch.Generator().manual_seed(0)
    stacked = torch.nn.Parameter(torch.randn(NETWORKS, *shape, generator=random))
    singles = [torch.nn.Parameter(one.detach().clone()) for one in stacked]
    together = torch.optim.Adam([stacked], lr=1e-2, fused=True)
    alone = torch.optim.Adam(singles, lr=1e-2, fused=True)
    for _ in range(10):
        stacked.grad = torch.randn(stacked.shape, generator=random)
        for single, slope in zip(singles, stacked.grad, strict=True):
            single.grad = slope.clone()
        whole_vectors.update(together)
        alone.step()

    assert torch.equal(stacked, torch.stack(singles))
    for name in ("exp_avg", "exp_avg_sq"):
        moments = torch.stack([alone.state[single][name] for single in singles])
        assert torch.equal(together.state[stacked][name], moments)
    assert together.state[stacked]["step"] == 10
