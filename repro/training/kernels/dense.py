"""Backward and a step of Adam, in one pass over the weights of hidden layers.

The gradient by the weights of a hidden layer is the product of two thin matrices. While autograd
runs, `linear` keeps these, and ``dense.c`` multiplies them where Adam uses the product: such
gradients are never stored. Every bit is that of torch's own step: each kind of sum is compared with
torch's once in a process, and torch computes what would differ.
"""

import functools
from array import array
from collections.abc import Container, Iterable

import torch
from torch import Tensor

from repro.training.kernels import c_library
from repro.training.kernels.linear import Products, keeping_products
from repro.training.kernels.thin_products import OUTPUTS, TILE, product

IMAGES = 512  # at most, of a product: oneDNN adds up more of them in parts
_GROUP_OF = 32  # as in ``dense.c``


def minimise(loss: Tensor, optimiser: torch.optim.Adam, *, stored: bool = False) -> None:
    """Differentiate a loss and update the parameters, on the CPU.

    Args:
        loss: Shape ().
        optimiser: Fused, with torch's defaults but for the learning rate.
        stored: Whether every parameter has its ``grad`` afterwards; else some have none, although
            they were updated.
    """
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for parameter in parameters:
        parameter.grad = None
    plain = all(p.is_contiguous() and p.dtype == torch.float32 for p in parameters)
    if stored or not plain or not _adam_is_torchs():
        torch.autograd.backward(loss)
        optimiser.step()
        return
    with keeping_products() as products:
        torch.autograd.backward(loss)
    _store_the_others(products, {*parameters})
    _adam(optimiser, parameters, products)


def _store_the_others(products: Products, updated: Container[Tensor]) -> None:
    """Multiply what the C code cannot use, into ``grad``: autograd may have put a part there."""
    for weight, factors in products.items():
        if factors is None:
            continue
        can = weight.grad is None and weight in updated
        if not can or not _is_one_chain(len(factors[0]), *weight.shape):
            made = product(factors[0].t(), factors[1].t())
            weight.grad = made if weight.grad is None else weight.grad + made
            products[weight] = None


def _adam(optimiser: torch.optim.Adam, parameters: Iterable[Tensor], products: Products) -> None:
    """One step of each parameter that has a gradient or a product."""
    table, held, room = array("q"), [], 0
    for parameter in parameters:
        gradient, factors = parameter.grad, products.get(parameter)
        if gradient is None and factors is None:
            continue
        state = optimiser.state[parameter]
        if not state:
            state.update(fresh(parameter))
        moments = (state["exp_avg"], state["exp_avg_sq"], state["step"])
        table.extend([tensor.data_ptr() for tensor in (parameter, *moments)])
        if gradient is not None:
            held.append(gradient.contiguous())
            table.extend((held[-1].data_ptr(), 0, 0, parameter.numel(), 0, 0))
        elif factors is not None:
            slope, rows = factors
            pointers = (0, slope.data_ptr(), rows.data_ptr())
            table.extend((*pointers, parameter.numel(), *rows.shape))
            room = max(room, _room(len(rows), *parameter.shape))
    group = optimiser.param_groups[0]
    settings = array("d", (group["lr"], *group["betas"], group["eps"]))
    library, scratch = c_library.load(), torch.empty(room)
    assert library is not None
    places = (table.buffer_info()[0], len(table) // 10, settings.buffer_info()[0])
    library.adam(*places, scratch.data_ptr())


def fresh(parameter: Tensor) -> dict[str, Tensor]:
    """The state of a parameter before its first step, as torch makes it."""
    zeros = torch.zeros_like
    return {"step": torch.zeros(()), "exp_avg": zeros(parameter), "exp_avg_sq": zeros(parameter)}


def _room(images: int, outputs: int, inputs: int) -> int:
    """Floats of scratch: both matrices in tiles, and the rows that are made at once."""
    packed = (inputs + TILE + outputs + OUTPUTS) * images
    return packed + OUTPUTS * (2 + images // _GROUP_OF) * inputs + TILE


@functools.cache
def _adam_is_torchs() -> bool:
    """Whether the C code makes the bits of torch's fused Adam; full vectors and what is left."""
    random = torch.Generator().manual_seed(0)
    ours, theirs = (torch.nn.Parameter(torch.ones(45)) for _ in range(2))
    of_ours, of_theirs = (torch.optim.Adam([one], fused=True) for one in (ours, theirs))
    for _ in range(8):
        ours.grad = theirs.grad = torch.randn(45, generator=random)
        _adam(of_ours, [ours], {})
        of_theirs.step()
    states = zip(of_ours.state[ours].values(), of_theirs.state[theirs].values(), strict=True)
    return torch.equal(ours, theirs) and all(torch.equal(one, other) for one, other in states)


def _is_one_chain(images: int, outputs: int, inputs: int) -> bool:
    """Whether oneDNN's sums over so many images are chains, as in the C code."""
    return images <= IMAGES and _is_one_chain_of_all(outputs, inputs)


@functools.cache
def _is_one_chain_of_all(outputs: int, inputs: int) -> bool:
    random = torch.Generator().manual_seed(0)
    slope, rows = (torch.randn(IMAGES, n, generator=random) for n in (outputs, inputs))
    weight = torch.nn.Parameter(torch.zeros(outputs, inputs))
    at_once = torch.optim.Adam([weight], betas=(0.0, 0.999), fused=True)
    _adam(at_once, [weight], {weight: (slope, rows)})
    return torch.equal(at_once.state[weight]["exp_avg"], product(slope.t(), rows.t()))
