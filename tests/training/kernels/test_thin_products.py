"""Products of a few rows with a layer's weights, against float64 and against oneDNN."""

import math

import pytest
import torch
from builders import needs_blocks

from repro.training.kernels import thin_products

pytestmark = needs_blocks

IMAGES = [2, 3, 7, 8, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 64, 65, 100]
LAYERS = [(48, 8), (100, 1000), (1152, 60), (601, 13), (99, 1030)]


def given(images, layer):
    random = torch.Generator().manual_seed(images)
    inputs, outputs = layer
    shapes = ((images, inputs), (outputs, inputs), (outputs,), (images, outputs))
    return [torch.randn(shape, generator=random) for shape in shapes]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("images", IMAGES)
def test_the_c_code_agrees_with_float64(images, layer):
    """Whatever is left over of rows, inputs and outputs; within the rounding of long sums."""
    rows, weight, bias, slope = given(images, layer)
    forward = rows.double() @ weight.double().T + bias.double()
    backward = slope.double() @ weight.double()

    tolerance = 1e-6 * math.sqrt(max(layer))
    assert torch.allclose(
        thin_products._layer(rows, weight, bias).double(), forward, atol=tolerance * 4
    )
    assert torch.allclose(
        thin_products._by_rows(slope, weight).double(), backward, atol=tolerance * 4
    )


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("images", [1, *IMAGES, 129, 200])
def test_products_are_onednns_to_the_bit(images, layer):
    """By the C code where it makes the same bits, by oneDNN elsewhere: of one row, of many."""
    rows, weight, bias, slope = given(images, layer)

    assert torch.equal(
        thin_products.layer(rows, weight, bias), thin_products.product(rows, weight, bias)
    )
    assert torch.equal(
        thin_products.by_rows(slope, weight), thin_products.product(slope, weight.t())
    )


def test_a_view_that_begins_within_a_line_is_read():
    """Weights need not begin where a vector could be loaded at once."""
    rows, weight, bias, _ = given(24, (64, 9))
    shifted = torch.empty(64 * 9 + 1)[1:].view(9, 64).copy_(weight)

    assert torch.equal(
        thin_products._layer(rows, shifted, bias), thin_products._layer(rows, weight, bias)
    )


def test_on_another_processor_onednn_computes(monkeypatch):
    """Where a comparison found other bits, the C code is left aside."""
    monkeypatch.setattr(thin_products, "_layer_agrees", lambda *sizes: False)
    monkeypatch.setattr(thin_products, "_by_rows_agrees", lambda *sizes: False)
    monkeypatch.setattr(thin_products, "call", None)
    rows, weight, bias, slope = given(24, (64, 9))

    thin_products.layer(rows, weight, bias)
    thin_products.by_rows(slope, weight)
