"""The C functions of ``blocked.c``: compiled once for this machine, kept in the user's cache.

One source has a build for each kind of vectors, with the same bits: AVX-512, AVX2, 64-bit ARM.
The parent of a study asks here which kernels its workers will use, so nothing here loads torch.
Where the functions cannot be had (no C compiler, another processor) the networks run on torch's
operators: the same function in other bits, so the kernels are part of a run's identity.
A library is loaded from memory, from the very bytes whose digest was right: a file that is changed
or truncated afterwards harms nobody.
"""

import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import tempfile
from collections.abc import Iterator
from ctypes import POINTER, Structure, c_double, c_long, c_void_p
from pathlib import Path
from typing import Literal, NamedTuple

from repro.system import machine
from repro.training.kernels import c_compiler, library_cache

KernelName = Literal["blocked", "torch"]

FOLDER = Path(__file__).parent
SOURCES = (FOLDER / "blocked.c", FOLDER / "dense.c")
HEADERS = (FOLDER / "vectors.h", FOLDER / "half_blocks.h")
Build = Literal["avx512", "avx2", "neon"]
EXACT = (  # whatever CC asks for: -ffast-math changes bits, those of the whole process among them
    *("-fno-fast-math", "-fno-unsafe-math-optimizations"),
    *("-ffp-contract=off", "-fno-math-errno"),
)
FLAGS = ("-O3", *EXACT, "-shared", "-fPIC")
FLAGS_OF: dict[Build, tuple[str, ...]] = {
    # Tuned for the processor itself, gcc makes `weight_gradient` slower by a fifth.
    "avx512": ("-march=native", "-mtune=generic", "-mavx512f", "-mprefer-vector-width=512"),
    "avx2": ("-mavx2", "-mfma"),  # not -march=native: that would bring AVX-512 where there is some
    "neon": (),
}
CHOICE = "REPRO_KERNELS"  # "torch" or "blocked" in the environment decides


class Finish(Structure):
    """What happens to a convolution's output before it is written; see ``finish`` in the C file."""

    _fields_ = (
        *((name, c_void_p) for name in ("bias", "scale", "shift", "other", "centre")),
        *((name, c_void_p) for name in ("sum", "product")),
        *((name, c_long) for name in ("relu", "images")),
    )


class Normalisation(Structure):
    """Batch normalisation's state; see ``normalisation`` in the C file."""

    _fields_ = (
        *((name, c_void_p) for name in ("gamma", "beta", "mean", "variance", "centre", "inverse")),
        *((name, c_void_p) for name in ("sum", "product")),
        *((name, c_double) for name in ("count", "momentum", "epsilon")),
    )


class RowNorm(Structure):
    """Batch normalisation of a hidden layer; see ``row_norm`` in the C file."""

    _fields_ = (
        *((name, c_void_p) for name in ("gamma", "beta", "running_mean", "running_variance")),
        *((name, c_void_p) for name in ("mean", "inverse", "scratch")),
        *((name, c_double) for name in ("momentum", "epsilon")),
    )


SIGNATURES = {
    "coarsen": [c_void_p] * 4 + [c_long] * 5 + [POINTER(Finish)],
    "refine": [c_void_p] * 4 + [c_long] * 5 + [POINTER(Finish)],
    "to_pairs": [c_void_p] * 2 + [c_long] * 2,
    "coarsen_pairs": [c_void_p] * 5 + [c_long] * 5 + [POINTER(Finish)],
    "refine_pairs": [c_void_p] * 5 + [c_long] * 5 + [POINTER(Finish)],
    "weight_gradient": [c_void_p] * 4 + [c_long] * 5,
    "gather": [c_void_p] * 3 + [c_long] * 2,
    "to_rows": [c_void_p] * 2 + [c_long] * 3,
    "to_blocks": [c_void_p] * 2 + [c_long] * 3,
    "moments": [c_void_p] + [c_long] * 3 + [POINTER(Finish)],
    "normalise": [c_void_p] * 2 + [c_long] * 3 + [POINTER(Normalisation)],
    "normalise_backward": [c_void_p] * 5 + [c_long] * 4 + [POINTER(Normalisation)],
    "reconstruct": [c_void_p] * 3 + [c_long] * 3,
    "reconstruct_backward": [c_void_p] * 4 + [c_long] * 3,
    "adam": [c_void_p, c_long, c_void_p, c_void_p],
    "layer": [c_void_p] * 4 + [c_long] * 4 + [c_void_p],
    "layer_backward": [c_void_p] * 3 + [c_long] * 4 + [c_void_p],
    "normalise_rows": [c_void_p] * 2 + [c_long] * 2 + [POINTER(RowNorm)],
    "normalise_rows_backward": [c_void_p] * 5 + [c_long] * 2 + [POINTER(RowNorm)],
    "latents": [c_void_p] * 8 + [c_long] * 2,
    "latents_backward": [c_void_p] * 9 + [c_long] * 2 + [c_double],
}


class _Loaded(NamedTuple):
    """The functions, or why there are none."""

    library: ctypes.CDLL | None
    reason: str


_in_use: list[KernelName] = []  # by the runs that this process executes now, the last one counts


@contextlib.contextmanager
def using(kernels: str) -> Iterator[None]:
    """Within, networks are computed with these, as a record names them."""
    name: KernelName = "torch" if kernels == "torch" else "blocked"
    _in_use.append(name)
    try:
        yield
    finally:
        _in_use.remove(name)


def chosen() -> KernelName:
    """Which kernels compute now: the run's, those that REPRO_KERNELS names, or what can be had."""
    if _in_use:
        return _in_use[-1]
    return "torch" if os.environ.get(CHOICE) == "torch" or load() is None else "blocked"


_builds: list[Build] = []  # of tests and measurements, the last one counts


@contextlib.contextmanager
def using_build(build: Build) -> Iterator[None]:
    """Within, the C functions are those of this build, for tests and measurements.

    Where this processor cannot execute it, `load` has none. In float32 no bit depends on the build;
    in bfloat16 only ``avx512`` has functions, and torch computes with the others.
    """
    _builds.append(build)
    try:
        yield
    finally:
        _builds.remove(build)


@functools.cache
def builds() -> tuple[Build, ...]:
    """Those that this processor can execute, the fastest first; none on some processors."""
    if platform.machine() in ("aarch64", "arm64"):
        return ("neon",)
    has = set(machine.processor_flags())
    if "fma" not in has or not has & {"avx2", "avx2_0"}:  # as Linux and as macOS calls it
        return ()
    return ("avx512", "avx2") if "avx512f" in has else ("avx2",)


def build() -> Build | None:
    """The one in use; None where there is none for this processor."""
    return _builds[-1] if _builds else next(iter(builds()), None)


def load() -> ctypes.CDLL | None:
    """The compiled functions, or None where they cannot be had."""
    return _loaded(build()).library


def missing_because() -> str:
    """Why `load` has none, in words; empty if it has some."""
    return _loaded(build()).reason


@functools.cache
def _loaded(build: Build | None) -> _Loaded:
    if build is None:
        return _Loaded(None, "blocks are for processors with AVX2 and FMA, and for 64-bit ARM")
    if build not in builds():
        return _Loaded(None, f"the processor does not execute {build}")
    try:
        library = _opened(_compiled(build))
        library.has_pairs.restype = c_long
        for name, arguments in SIGNATURES.items():
            if "pairs" not in name or library.has_pairs():
                function = getattr(library, name)
                function.argtypes, function.restype = arguments, None
    except (OSError, AttributeError) as error:
        return _Loaded(None, str(error))
    return _Loaded(library, "")


def has_pairs() -> bool:
    """Whether blocks that can multiply pairs of bfloat16 compute networks here."""
    return chosen() == "blocked" and multiplies_pairs()


def multiplies_pairs() -> bool:
    """Whether there are blocks here that can multiply pairs of bfloat16 (AVX512_BF16)."""
    library = load()
    return library is not None and bool(library.has_pairs())


def cannot(kernels: str, precision: str) -> str:
    """Why such kernels cannot compute a run of this precision here; empty if they can.

    Without pairs torch would compute bf16, with other bits under the name of the blocks.
    """
    if kernels != "blocked":
        return ""
    if missing := missing_because():
        return missing
    if precision == "bf16" and not multiplies_pairs():
        return "they compute bf16 only on processors with AVX512_BF16"
    return ""


def keep_memory() -> None:
    """Let this process keep the memory of a step for the next one, where its allocator is glibc's.

    By default glibc gives large blocks back at once, and each step would get the maps that it
    writes anew from the system, page by page.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    trim_threshold, mmap_max = -1, -4
    allocator = ctypes.CDLL(None)
    allocator.mallopt(trim_threshold, 2**31 - 1)
    allocator.mallopt(mmap_max, 0)


def compiler() -> str:
    """The compiler's word on itself, its first line, with the options of CC.

    Raises:
        NoCompiler: There is none, or it does not answer.
    """
    return c_compiler.version()


def processor() -> str:
    """The kind of processor, as the system names it."""
    return machine.processor_name()


def _compiled(build: Build) -> bytes:
    """The shared library for this source, build, compiler and processor, compiled if it is new.

    Raises:
        OSError: It cannot be had; the text says why.
    """
    flags = (*FLAGS, *FLAGS_OF[build])
    identity = [
        *(path.read_bytes() for path in (*SOURCES, *HEADERS)),
        " ".join(flags).encode(),
        compiler().encode(),
        _processor(),
    ]
    name = hashlib.sha256(b"\0".join(identity)).hexdigest()[:16]
    return library_cache.library(
        f"blocked-{name}.so", lambda folder: c_compiler.compiled(SOURCES, flags, folder)
    )


def _opened(library: bytes) -> ctypes.CDLL:
    """Load a library from its bytes.

    Raises:
        OSError: They are none for this machine.
    """
    memory = machine.memory_file()
    if memory is not None:
        with contextlib.suppress(OSError), memory:
            memory.write(library)
            # It stays open: under a number that is free again the next library would be this one.
            if path_in_memory := machine.path_of(os.dup(memory.fileno())):
                return ctypes.CDLL(str(path_in_memory))
    with tempfile.TemporaryDirectory(prefix="repro-kernels-") as folder:
        path = Path(folder) / "blocked.so"
        path.write_bytes(library)
        return ctypes.CDLL(str(path))


def _processor() -> bytes:
    """What -march=native depends on."""
    return "\n".join([machine.processor_name(), *machine.processor_flags()]).encode()
