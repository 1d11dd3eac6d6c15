"""CUDA kernels of stacked networks, run on the CPU: the numbers of torch's operators."""

import functools
import shutil

import pytest
import torch
from cuda_on_cpu import OnCpu
from torch import nn

from repro.training.kernels import cuda_library, direct
from repro.training.kernels.stacked import stack

# channels of the coarse and the fine map, side of the coarse one, images
LAYERS = [(12, 3, 32, 1), (24, 12, 16, 3), (48, 24, 8, 3), (72, 48, 4, 5)]
MEMBERS = 2


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Kernels as C++."""
    folder = tmp_path_factory.mktemp("kernels")
    return functools.cache(lambda file, *defines: OnCpu(file, defines, folder))


no_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")
no_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")
PLACES = pytest.param("cpu", marks=no_compiler, id="on_cpu"), pytest.param("cuda:0", marks=no_gpu)


@pytest.fixture(autouse=True, params=PLACES)
def device(request, monkeypatch):
    """A GPU, or the CPU with kernels that take its tensors; none take float64."""
    if request.param == "cpu":
        _use_cpu(request.getfixturevalue("compiled"), monkeypatch)
    return request.param


def _use_cpu(compiled, monkeypatch):
    monkeypatch.setattr(cuda_library, "library", compiled)
    stored = torch.float32, torch.bfloat16
    monkeypatch.setattr(direct, "computes", lambda values: values.dtype in stored)


def passed(network, inputs, precision):
    """Outputs and gradients for inputs, by a fixed slope."""
    inputs = inputs.detach().requires_grad_()
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=precision == "bf16"):
        made = network(inputs)
    slope = torch.randn(made.shape, generator=torch.Generator().manual_seed(1))
    made.backward(slope.to(made))
    slopes = [parameter.grad for parameter in network.parameters()]
    buffers = [buffer.float() for buffer in network.buffers()]
    return [made, inputs.grad, *slopes, *buffers]


def close(found, exact, limit):
    """By the norm of the difference over the norm."""
    for ours, theirs in zip(found, exact, strict=True):
        difference = (ours.detach().double() - theirs.detach().double()).norm()
        assert difference <= limit * theirs.detach().double().norm().clamp_min(1e-30)


def layer(coarse, fine, *, transposed):
    """A convolution between a large map with `fine` channels and a small one."""
    if transposed:
        return nn.ConvTranspose2d(coarse, fine, 5, 2, 2, 1)
    return nn.Conv2d(fine, coarse, 5, 2, 2)


def both_forms(parts, device):
    """A stack of them in each."""
    forms = "direct", "unfolded"
    return [stack(parts, lambda _, form=form: form).to(device) for form in forms]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("precision", "limit"), [("fp32", 5e-6), ("bf16", 8e-3)])
@pytest.mark.parametrize(("coarse", "fine", "side", "images"), LAYERS)
def test_a_direct_convolution_is_the_unfolded_one(
    coarse, fine, side, images, precision, limit, transposed, device
):
    """Output and gradients, with a number of images that does not fill the last block."""
    torch.manual_seed(0)
    parts = [nn.Sequential(layer(coarse, fine, transposed=transposed)) for _ in range(MEMBERS)]
    direct_form, unfolded = both_forms(parts, device)
    channels, side = (coarse, side) if transposed else (fine, 2 * side)
    maps = torch.randn(MEMBERS, channels, images, side, side).to(device)

    close(passed(direct_form, maps, precision), passed(unfolded, maps, "fp32"), limit)


@pytest.mark.parametrize(
    ("norm", "shape"),
    [
        (nn.BatchNorm2d(3), (MEMBERS, 3, 5, 4, 4)),
        (nn.BatchNorm2d(2, eps=1e-3, momentum=0.01), (MEMBERS, 2, 4, 32, 32)),
        (nn.BatchNorm1d(130), (MEMBERS * 24, 130)),
    ],
)
@pytest.mark.parametrize(("half", "limit"), [(False, 5e-6), (True, 8e-3)])
def test_a_rectified_norm_is_a_relu_and_a_norm(norm, shape, half, limit, device):
    """Output, gradients and running statistics."""
    torch.manual_seed(0)
    norm.weight.data.uniform_(0.5, 1.5)
    parts = [nn.Sequential(nn.ReLU(), norm)] * MEMBERS
    fused, plain = (
        stack(parts, lambda _: "unfolded", own=own).to(device) for own in (("norm",), ())
    )
    values = (torch.randn(shape) + 0.3).to(device)
    values = values.bfloat16() if half else values

    close(passed(fused, values, "fp32"), passed(plain, values.float(), "fp32"), limit)


def test_a_layer_without_kernels_is_unfolded(device):
    """In float64, in which there are none."""
    torch.manual_seed(0)
    parts = [nn.Sequential(layer(12, 3, transposed=False)).double()]
    direct_form, unfolded = both_forms(parts, device)
    maps = torch.randn(1, 3, 1, 64, 64, dtype=torch.float64).to(device)

    assert torch.equal(direct_form(maps), unfolded(maps))
