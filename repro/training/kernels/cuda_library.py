"""Functions in CUDA C, compiled at run time for the GPU at hand.

The compiler is NVRTC, a library that torch's CUDA packages bring; neither a CUDA toolkit nor a C
compiler is needed.
"""

import ctypes
import functools
import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

Argument = Tensor | int | float | None
_INCLUDES = ("stacked_maps.cuh",)


class Launcher(Protocol):
    """The functions of a file."""

    def launch(
        self, name: str, grid: tuple[int, int, int], block: int, arguments: Sequence[Argument]
    ) -> None:
        """Run a function on the tensors' device; tensors are pointers, None is a null pointer."""


def source(file: str) -> str:
    """A file of this package, with what it includes."""
    folder = resources.files(__package__)
    text = (folder / file).read_text(encoding="utf-8")
    for name in _INCLUDES:
        text = text.replace(f'#include "{name}"', (folder / name).read_text(encoding="utf-8"))
    return text


@functools.cache
def available() -> bool:
    """Whether kernels can be compiled for the current GPU; warns once if not."""
    try:
        _nvrtc()
        _driver()
    except OSError as error:
        warnings.warn(f"no compiler for CUDA was found ({error}); torch computes", stacklevel=2)
        return False
    return True


@functools.cache
def library(file: str, *defines: str) -> Launcher:
    """A file of this package, compiled once for a process with its defines, as `SIDE=8`."""
    return _OnGpus(source(file), defines)


def compiled(text: str, defines: Sequence[str], architecture: str) -> bytes:
    """Machine code of a GPU, of an architecture such as sm_90.

    Raises:
        RuntimeError: NVRTC refuses the text.
    """
    nvrtc, program = _nvrtc(), ctypes.c_void_p()
    made = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None
    )
    words = [f"--gpu-architecture={architecture}", "--std=c++17", *(f"-D{one}" for one in defines)]
    options = (ctypes.c_char_p * len(words))(*(word.encode() for word in words))
    made = made or nvrtc.nvrtcCompileProgram(program, len(words), options)
    if made:
        raise RuntimeError(f"NVRTC error {made} with {' '.join(words)}: {_log(nvrtc, program)}")
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(size))
    code = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetCUBIN(program, code)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return code.raw


def _log(nvrtc: ctypes.CDLL, program: ctypes.c_void_p) -> str:
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(max(1, size.value))
    nvrtc.nvrtcGetProgramLog(program, log)
    return log.value.decode(errors="replace")


def _architecture() -> str:
    major, minor = torch.cuda.get_device_capability()
    return f"sm_{major}{minor}"


@functools.cache
def _nvrtc() -> ctypes.CDLL:
    """By name, or from the packages beside torch."""
    major = (torch.version.cuda or "13").split(".")[0]
    beside = Path(torch.__file__).parents[1].glob(f"nvidia/*/lib/libnvrtc.so.{major}")
    own = (Path(torch.__file__).parent / "lib").glob("libnvrtc*.so*")
    for name in (*map(str, beside), f"libnvrtc.so.{major}", "libnvrtc.so", *map(str, own)):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise OSError(f"libnvrtc.so.{major} is neither installed nor beside torch")


@functools.cache
def _driver() -> ctypes.CDLL:
    """The GPU's driver."""
    driver = ctypes.CDLL("libcuda.so.1")
    driver.cuLaunchKernel.argtypes = [
        ctypes.c_void_p,
        *[ctypes.c_uint] * 7,
        *[ctypes.c_void_p] * 3,
    ]
    driver.cuCtxSetCurrent.argtypes = [ctypes.c_void_p]
    driver.cuModuleGetFunction.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p]
    return driver


class _OnGpus:
    """Functions that are compiled for a GPU when they are first called there."""

    def __init__(self, text: str, defines: Sequence[str]) -> None:
        self.text, self.defines = text, defines
        self.modules: dict[torch.device, _Module] = {}

    def launch(
        self, name: str, grid: tuple[int, int, int], block: int, arguments: Sequence[Argument]
    ) -> None:
        """See `Launcher`."""
        device = next(one.device for one in arguments if isinstance(one, Tensor))
        with torch.cuda.device(device):
            if device not in self.modules:
                code = compiled(self.text, self.defines, _architecture())
                self.modules[device] = _Module(code)
            self.modules[device].launch(name, grid, block, arguments)


class _Module:
    """Machine code, loaded into the context of the current GPU."""

    def __init__(self, code: bytes) -> None:
        torch.cuda.current_stream().synchronize()  # there is a context from here on
        self.context, self.module = ctypes.c_void_p(), ctypes.c_void_p()
        _checked(_driver().cuCtxGetCurrent(ctypes.byref(self.context)), "find the context")
        _checked(_driver().cuModuleLoadData(ctypes.byref(self.module), code), "load a module")
        self.functions: dict[str, ctypes.c_void_p] = {}

    def launch(
        self, name: str, grid: tuple[int, int, int], block: int, arguments: Sequence[Argument]
    ) -> None:
        """See `Launcher`; threads of torch's own, as in backward passes, may lack the context."""
        values = [_value(argument) for argument in arguments]
        places = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        stream = torch.cuda.current_stream().cuda_stream
        _checked(_driver().cuCtxSetCurrent(self.context), "set the context")
        launched = _driver().cuLaunchKernel(
            self._function(name), *grid, block, 1, 1, 0, stream, places, None
        )
        _checked(launched, f"launch {name}")

    def _function(self, name: str) -> ctypes.c_void_p:
        if name not in self.functions:
            function = ctypes.c_void_p()
            found = _driver().cuModuleGetFunction(
                ctypes.addressof(function), self.module, name.encode()
            )
            _checked(found, f"find {name}")
            self.functions[name] = function
        return self.functions[name]


def _value(argument: Argument) -> ctypes.c_void_p | ctypes.c_int | ctypes.c_float:
    if isinstance(argument, float):
        return ctypes.c_float(argument)
    if isinstance(argument, int):
        return ctypes.c_int(argument)
    return ctypes.c_void_p(None if argument is None else argument.data_ptr())


def _checked(result: int, what: str) -> None:
    if result:
        raise RuntimeError(f"CUDA error {result}: cannot {what}")
