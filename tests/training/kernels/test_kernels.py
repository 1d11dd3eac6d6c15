import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from builders import needs_blocks, needs_pairs
from torch import nn
from torch.nn import functional

from repro import models
from repro.training.kernels import blocked, kernel_choice, operators
from repro.training.kernels.blocked import Batch, BlockedKernels
from repro.training.kernels.linear import linear
from repro.training.kernels.operators import TorchKernels

LAYERS = [(3, 12, 32), (12, 24, 16), (24, 48, 8), (48, 72, 4)]  # fine and coarse channels, side


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def pixels(count, seed=0):
    generator = np.random.default_rng(seed)
    return torch.from_numpy(generator.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8))


def relative(ours, theirs):
    """Norm of the difference over the norm, in float64."""
    ours, theirs = ours.detach().double(), theirs.detach().double()
    return float((ours - theirs).norm() / theirs.norm())


def convolution(fine, coarse, *, transposed, dtype=torch.float32):
    made = (
        nn.ConvTranspose2d(coarse, fine, 5, stride=2, padding=2, output_padding=1)
        if transposed
        else nn.Conv2d(fine, coarse, 5, stride=2, padding=2)
    )
    for part, parameter in enumerate(made.parameters()):
        parameter.data = normal(*parameter.shape, seed=part)
    return made.to(dtype)


@needs_blocks
@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("images", [1, 16, 37, 70])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("transposed", [False, True], ids=["convolution", "transposed"])
def test_a_convolution_on_blocks_agrees_with_float64(layer, images, transposed):
    """Forward, by the input and by the weights, whatever the number of images in the last block."""
    fine, coarse, side = layer
    ours, theirs = (
        convolution(fine, coarse, transposed=transposed, dtype=t)
        for t in (torch.float32, torch.float64)
    )
    shape = (images, coarse, side, side) if transposed else (images, fine, 2 * side, 2 * side)
    maps = normal(*shape, seed=1)
    exact = maps.double().requires_grad_()
    result = theirs(exact)
    slope = normal(*result.shape, seed=2)
    result.backward(slope.double())
    finish = blocked._finish(images=images, bias=ours.bias)
    slopes = blocked._blocks(slope)

    forward = blocked._forward(ours, blocked._blocks(maps), finish, "fp32")
    by_input = blocked._backward(ours, slopes, blocked._finish(images=images), "fp32")
    by_weights = blocked._weight_gradient(ours, blocked._blocks(maps), slopes, images)

    assert relative(blocked._rows(forward, images), result) < 1e-6
    assert relative(blocked._rows(by_input, images), exact.grad) < 1e-6
    assert relative(by_weights, theirs.weight.grad) < 1e-5


@needs_pairs
@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("transposed", [False, True], ids=["convolution", "transposed"])
def test_a_convolution_of_pairs_rounds_its_factors_and_nothing_else(layer, transposed):
    """Factors rounded to bfloat16 beforehand, float64 gives the same sums, forward and back."""
    fine, coarse, side = layer
    made = convolution(fine, coarse, transposed=transposed)
    small, large = normal(20, coarse, side, side), normal(20, fine, 2 * side, 2 * side)
    given, slope = (small, large) if transposed else (large, small)
    exact = convolution(fine, coarse, transposed=transposed, dtype=torch.float64)
    exact.weight.data = made.weight.data.bfloat16().double()
    maps = given.bfloat16().double().requires_grad_()
    result = exact(maps) - exact.bias.view(1, -1, 1, 1)
    result.backward(slope.bfloat16().double())
    finish = blocked._finish(images=20)

    forward = blocked._forward(made, blocked._blocks(given), finish, "bf16")
    backward = blocked._backward(made, blocked._blocks(slope), finish, "bf16")

    if fine != 3 or transposed:  # three channels make no pairs: they are left in float32
        assert relative(blocked._rows(forward, 20), result) < 1e-6
    if fine != 3 or not transposed:
        assert relative(blocked._rows(backward, 20), maps.grad) < 1e-6


def trained_once(kernels, dtype, images=21, norm="l2"):
    """Encoder features and decoder errors of one step, all gradients and running statistics."""
    vae = models.build("dehaan2020", latent_dim=5, seed=1).to(dtype)
    stored, maps = pixels(images), normal(images - 4, 72, 4, 4, seed=3).to(dtype).requires_grad_()
    batch = kernels.gather(stored, torch.arange(images).flip(0))
    if dtype == torch.float64:
        batch = batch.double()
    features = kernels.features(batch, vae.encoder.convolutions)
    decoder = vae.decoder
    errors = kernels.errors(maps, batch, decoder.convolutions, norm=norm)
    (features.mul(normal(*features.shape, seed=4)).sum() + errors.mean()).backward()
    found = {"features": features, "errors": errors, "maps": maps.grad}
    found |= {n: p.grad for n, p in vae.named_parameters() if p.grad is not None}
    return found | {n: b for n, b in vae.named_buffers() if "running" in n}


@needs_blocks
@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_a_step_on_blocks_agrees_with_torch_in_float64(norm):
    """Features, errors, every gradient and every running statistic, through all layers."""
    exact = trained_once(FloatingTorch(), torch.float64, norm=norm)
    ours = trained_once(BlockedKernels(), torch.float32, norm=norm)

    assert set(ours) == set(exact)
    assert max(relative(ours[name], exact[name]) for name in exact) < 1e-3
    assert relative(ours["errors"], exact["errors"]) < 1e-6
    assert relative(ours["features"], exact["features"]) < 1e-5


class FloatingTorch(TorchKernels):
    """Torch's operators in the precision of what they are given."""

    def __init__(self):
        """In float32 by name; it casts nothing."""
        super().__init__("fp32")

    def errors(self, maps, batch, stack, *, norm):
        """As `TorchKernels.errors`."""
        difference = batch[: len(maps)] - self.features(maps, stack)
        return (difference.abs() if norm == "l1" else difference.square()).sum(dim=(1, 2, 3))


@needs_blocks
@pytest.mark.usefixtures("build")
def test_lanes_beyond_the_last_image_change_nothing():
    """Seventeen images alone, and as the first of a batch whose other lanes hold garbage."""
    batch = BlockedKernels().gather(pixels(17), torch.arange(17))
    spoilt = batch.map.clone()
    spoilt[1, ..., 1:] = 7.0

    alone, beside = (
        BlockedKernels().features(
            Batch(maps, 17), models.build("dehaan2020", latent_dim=5, seed=1).encoder.convolutions
        )
        for maps in (batch.map, spoilt)
    )

    assert torch.equal(alone, beside)


@needs_blocks
@pytest.mark.usefixtures("build")
def test_what_is_no_number_stays_so():
    """A weight that is NaN shows in the features; a ReLU does not hide it."""
    encoder = models.build("dehaan2020", latent_dim=5, seed=1).encoder
    with torch.no_grad():
        encoder.convolutions[9].weight[7, 0, 2, 2] = torch.nan
    features = BlockedKernels().features(
        BlockedKernels().gather(pixels(16), torch.arange(16)), encoder.convolutions
    )

    assert torch.isnan(features[:, 7]).all()
    assert not torch.isnan(features[:, 8]).any()


@needs_blocks
@pytest.mark.usefixtures("build")
def test_an_error_that_is_no_number_stays_so():
    """Neither does a sigmoid: the loss has to show what went wrong."""
    decoder = models.build("dehaan2020", latent_dim=5, seed=1).decoder
    batch = BlockedKernels().gather(pixels(3), torch.arange(3))
    maps = torch.full((3, 72, 4, 4), torch.nan)

    errors = BlockedKernels().errors(maps, batch, decoder.convolutions, norm="l2")

    assert torch.isnan(errors).all()


@needs_blocks
@pytest.mark.usefixtures("build")
def test_features_in_evaluation_agree_with_torch():
    """Running statistics, no batch statistics, nothing updated."""
    encoder = models.build("dehaan2020", latent_dim=5, seed=1).encoder
    for norm in encoder.convolutions[2::3]:
        norm.running_mean.uniform_(-1, 1), norm.running_var.uniform_(0.5, 2)
    encoder.eval()
    stored, index = pixels(20), torch.tensor([3, 3, 19, 0, 7])
    with torch.no_grad():
        ours, theirs = (
            kernels.features(kernels.gather(stored, index), encoder.convolutions)
            for kernels in (BlockedKernels(), TorchKernels("fp32"))
        )

    assert relative(ours, theirs) < 1e-5


@needs_blocks
def test_gathering_divides_by_255_exactly():
    """A block holds the floats that torch makes of the pixels, to the bit."""
    stored, index = pixels(40), torch.arange(0, 36, 2)
    batch = BlockedKernels().gather(stored, index)
    rows = blocked._rows(batch.map, batch.images)

    assert torch.equal(rows, stored[index].permute(0, 3, 1, 2).float() / 255)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_a_strided_convolution_is_a_dense_one_of_squares(layer):
    """Space to depth is an identity, in float64 and with its gradient."""
    fine, coarse, side = layer
    made = convolution(fine, coarse, transposed=False, dtype=torch.float64)
    maps = normal(2, fine, 2 * side, 2 * side, dtype=torch.float64)

    ours = operators.dense(maps, made.weight, made.bias)

    torch.testing.assert_close(ours, made(maps), rtol=1e-12, atol=1e-12)
    gradients = [torch.autograd.grad(f.square().sum(), made.weight)[0] for f in (ours, made(maps))]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_a_transposed_convolution_is_a_dense_one_to_squares(layer):
    """Depth to space is an identity, in float64 and with its gradient."""
    fine, coarse, side = layer
    made = convolution(fine, coarse, transposed=True, dtype=torch.float64)
    maps = normal(2, coarse, side, side, dtype=torch.float64)

    ours = operators.dense_transposed(maps, made.weight, made.bias)

    torch.testing.assert_close(ours, made(maps), rtol=1e-12, atol=1e-12)
    gradients = [torch.autograd.grad(f.square().sum(), made.weight)[0] for f in (ours, made(maps))]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-9)


def test_a_linear_layer_agrees_with_torchs():
    """Values and all three gradients."""
    parts = [normal(*shape, seed=i) for i, shape in enumerate([(9, 40), (7, 40), (7,)])]
    results = []
    for function in (linear, functional.linear):
        given = [part.clone().requires_grad_() for part in parts]
        value = function(*given)
        value.square().sum().backward()
        results.append([value.detach(), *(part.grad for part in given)])

    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_linear_layer_keeps_to_autocast():
    """Where bfloat16 is asked for, it is not computed in float32."""
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(normal(2, 3), normal(4, 3), normal(4)).dtype == torch.bfloat16


def test_other_devices_are_computed_by_torch():
    """Blocks are for processors."""
    assert kernel_choice.choose(torch.device("cuda"), "fp32", []).name == "torch"
    assert kernel_choice.choose(torch.device("cuda"), "bf16", []).precision == "bf16"


@pytest.mark.parametrize(
    "environment", [{"REPRO_KERNELS": "torch"}, {"CC": "no-such-compiler"}], ids=str
)
def test_without_a_compiler_or_by_choice_torch_computes(environment, tmp_path):
    """Nobody needs a compiler; what is used is known without loading torch."""
    probe = (
        "import sys; from repro.training.kernels import c_library; print(c_library.chosen());"
        "sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), **environment}
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, env=environment, check=True
    )

    assert done.stdout == "torch\n"


@pytest.mark.parametrize(
    ("inputs", "outputs", "fits"), [(3, 12, True), (12, 24, True), (3, 16, False), (5, 12, False)]
)
def test_channels_that_the_c_functions_are_not_written_for_are_left_to_torch(inputs, outputs, fits):
    """They would read beyond the weights."""
    convolution = nn.Conv2d(inputs, outputs, 5, stride=2, padding=2)
    stack = nn.Sequential(convolution, nn.ReLU(), nn.BatchNorm2d(outputs))

    assert blocked.fits(stack) is fits
