"""Calls of the C functions with tensors."""

import ctypes
from typing import Any

from torch import Tensor

from repro.training.kernels.c_library import load


def call(name: str, *arguments: Any) -> None:
    """A C function, tensors given by address: they must be contiguous."""
    library = load()
    assert library is not None
    getattr(library, name)(*map(_plain, arguments))


def _plain(argument: Any) -> Any:
    if isinstance(argument, Tensor):
        assert argument.is_contiguous()
        return argument.data_ptr()
    return ctypes.byref(argument) if isinstance(argument, ctypes.Structure) else argument
