"""A device ``mps`` on any machine: tensors on the CPU that refuse what Apple's GPU lacks.

It has no float64; it computes with no tensor of the CPU; NumPy cannot read it; and convolutions and
batch normalisation, which torch computes wrongly there for some layouts in memory, get none but
contiguous ones.
"""

import contextlib
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from repro.training import random_streams

MPS = torch.device("mps")
OWN_DEVICE = torch.Tensor.device.__get__
LAYOUT = {"conv2d", "conv_transpose2d", "batch_norm", "linear"}
MIXED = {  # may see tensors of both devices
    *("copy_", "to", "__get__", "__set__", "__getitem__", "_has_compatible_shallow_copy_type"),
}


class OnApple(torch.Tensor):
    """A tensor there; what is computed of it is there, too."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        """Refuse what the device lacks."""
        kwargs, name = kwargs or {}, func.__name__
        if func == OWN_DEVICE:
            return MPS
        if name == "numpy":
            raise TypeError("can't convert mps:0 device type tensor to numpy")
        _require_same_device(name, [*args, *kwargs.values()])
        leaves = tree_leaves(args)
        found = super().__torch_function__(func, types, args, kwargs)
        if name == "cpu" or (name == "to" and _is_cpu(leaves[1:] + tree_leaves(kwargs))):
            return found.clone().as_subclass(torch.Tensor)
        if name in LAYOUT:
            assert all(one.is_contiguous() for one in leaves if isinstance(one, torch.Tensor)), name
        return tree_map(_there, found) if name != "grad_fn" else found


def _is_cpu(given):
    return any(str(one) == "cpu" for one in given if isinstance(one, str | torch.device))


def _require_same_device(name, given):
    if name in MIXED:
        return
    for one in tree_leaves(given):
        if isinstance(one, torch.Tensor) and not isinstance(one, OnApple) and one.ndim:
            raise RuntimeError(f"{name}: tensors on mps and on cpu")


def _there(found):
    if not isinstance(found, torch.Tensor):
        return found
    if found.dtype == torch.float64:
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
    return found if isinstance(found, OnApple) else found.as_subclass(OnApple)


class _Devices(TorchFunctionMode):
    """Makes tensors on ``mps`` where somebody asks for that device."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Ask for the CPU, and pass the tensor on as one there."""
        asked = []

        def on_cpu(one):
            if isinstance(one, torch.device | str) and str(one) == "mps":
                asked.append(one)
                return torch.device("cpu")
            return one

        given = args, kwargs or {}
        args, kwargs = tree_map(on_cpu, given)
        found = func(*args, **kwargs)
        if not asked or not isinstance(found, torch.Tensor):
            return func(*given[0], **given[1]) if asked else found
        return _there(found if isinstance(found, OnApple) else found.clone())


@contextlib.contextmanager
def gpu():
    """Within, this machine has Apple's GPU."""
    of_cpu = random_streams.torch_generator
    overwrites = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with (
            mock.patch.object(torch.backends.mps, "is_available", return_value=True),
            mock.patch.object(random_streams, "torch_generator", lambda s, n, *_: of_cpu(s, n)),
            _Devices(),
        ):
            yield
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(overwrites)
