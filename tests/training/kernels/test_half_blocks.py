"""A batch of which the last block holds at most eight images: the bits of one without such a block.

Where the images of a batch are said to be all lanes of its blocks, those that pad it are images of
zeros, which are computed like any other. They add nothing to a sum.
"""

import pytest
import torch
from builders import needs_blocks, needs_pairs
from torch import nn

from repro.training.kernels import blocked

LAYERS = [(3, 12, 32), (12, 24, 16), (24, 48, 8), (48, 72, 4)]  # fine and coarse channels, side
SIZES = [*range(1, 34), 40, 56]  # images
PRECISIONS = [pytest.param("fp32", marks=needs_blocks), pytest.param("bf16", marks=needs_pairs)]


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def convolution(fine, coarse):
    made = nn.Conv2d(fine, coarse, 5, stride=2, padding=2, bias=False)
    made.weight.data = normal(coarse, fine, 5, 5, seed=1)
    return made


def maps(layer, images):
    """A coarse and a fine map of a layer, in blocks padded with zeros."""
    fine, coarse, side = layer
    return (
        blocked._blocks(normal(images, coarse, side, side, seed=2)),
        blocked._blocks(normal(images, fine, 2 * side, 2 * side, seed=3)),
    )


def computed(layer, coarse, fine, images, precision):
    """Of `images` images: both maps' convolutions, their sums, the gradient by the weights."""
    made = convolution(*layer[:2])
    to_coarse, to_fine = torch.zeros(2, 2, layer[1], dtype=torch.float64)
    zeros = torch.zeros(layer[1])
    finish = blocked._finish(images=images, relu=True, sums=to_coarse, centre=zeros)
    forward = blocked._forward(made, fine, finish, precision)
    observed = {"sums": to_fine, "other": fine, "centre": zeros} if layer[0] > 3 else {}
    finish = blocked._finish(images=images, **observed)
    backward = blocked._backward(made, coarse, finish, precision)
    weight = blocked._weight_gradient(made, fine, coarse, images)
    return {
        "coarse map": forward,
        "its sums": to_coarse,
        "fine map": backward,
        "sums of that": to_fine,
        "gradient by the weights": weight,
    }


def differing(ours, theirs):
    return [name for name in ours if not torch.equal(ours[name], theirs[name])]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_half_a_block_has_the_bits_of_a_whole_one(layer, precision):
    """Maps with their padding, statistics and gradients, of 1 to 33 images and a few more."""
    wrong = {}
    for images in SIZES:
        coarse, fine = maps(layer, images)
        lanes = blocked.LANES * len(coarse)
        found = [computed(layer, coarse, fine, count, precision) for count in (images, lanes)]
        wrong[images] = differing(*found)

    assert not any(wrong.values()), wrong


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("images", [1, 8, 20, 24, 40])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_the_other_half_is_not_read(layer, images, precision):
    """NaN in the lanes beyond the half that holds images changes nothing."""
    clean = maps(layer, images)
    spoilt = [part.clone() for part in clean]
    for part in spoilt:
        part[-1, ..., 8:] = torch.nan

    ours, theirs = (computed(layer, *given, images, precision) for given in (spoilt, clean))

    for name in ("coarse map", "fine map"):
        ours[name], theirs[name] = (blocked._rows(each[name], images) for each in (ours, theirs))
    ours.pop("sums of that")  # `other` was spoilt: there, a lane beyond the last image is a number
    assert not differing(ours, theirs)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("images", [5, 24])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_the_other_half_is_written_as_zeros(layer, images, precision):
    """What reads all lanes afterwards finds numbers there, whatever the bias."""
    coarse, fine = maps(layer, images)
    made = convolution(*layer[:2])
    finish = blocked._finish(images=images, bias=torch.ones(max(layer)))

    for computed_map in (
        blocked._forward(made, fine, finish, precision),
        blocked._backward(made, coarse, finish, precision),
    ):
        assert not computed_map[-1, ..., 8:].any()
        assert computed_map[-1, ..., 0].any()
