"""The environment variables that change the bits of a result, and what is done about them.

One list, with reasons. A worker starts without them, or with a fixed value; a process that computes
runs itself is refused while it has one. What must stay is told in the record. Other variables
(locale, time zone, paths, CUDA_VISIBLE_DEVICES) change no bit of a result.
The kind of processor is no variable: it is in the record, and `repro verify` names it.
"""

import fnmatch
import os
import sys
from collections.abc import Container, Iterator, Mapping, MutableMapping
from typing import NamedTuple

from repro.errors import ReproError


class Variable(NamedTuple):
    """Variables that a worker starts without, or with a fixed value.

    Attributes:
        names: A name, or a pattern: ``MKL_*``.
        reason: What they would change.
        read_by: The module that reads them when it is loaded, or later; empty: the system, when
            the process starts.
        bits: Whether they change results of one thread. Threads and their places do not: a process
            that computes sets their number itself.
        value: The fixed value; None: the variable is removed.
    """

    names: str
    reason: str
    read_by: str = "torch"
    bits: bool = True
    value: str | None = None


THREADS = (
    Variable("OMP_NUM_THREADS", "one thread for a run", bits=False, value="1"),
    Variable("OMP_*", "OpenMP: threads and their places", bits=False),
    Variable("GOMP_*", "GNU OpenMP: threads and their places", bits=False),
    Variable("KMP_*", "Intel's OpenMP: threads and their places", bits=False),
    Variable("MKL_NUM_THREADS", "threads of MKL", bits=False),
    Variable("MKL_DOMAIN_NUM_THREADS", "threads of parts of MKL", bits=False),
    Variable("MKL_DYNAMIC", "whether MKL changes the number of threads", bits=False),
    Variable("MKL_THREADING_LAYER", "threads of MKL", bits=False),
    Variable("MKL_INTERFACE_LAYER", "the linking of MKL", bits=False),
    Variable("MKL_VERBOSE*", "what MKL prints", bits=False),
    Variable("ONEDNN_VERBOSE*", "what oneDNN prints", bits=False),
    Variable("DNNL_VERBOSE*", "what oneDNN prints", bits=False),
    Variable("OPENBLAS_NUM_THREADS", "threads of OpenBLAS", "numpy", bits=False),
    Variable("GOTO_NUM_THREADS", "threads of OpenBLAS", "numpy", bits=False),
    Variable("PYTHONHASHSEED", "the order of sets", "", bits=False, value="0"),
)
BITS = (
    Variable("ONEDNN_*", "oneDNN: precision (FPMATH_MODE) and instructions (MAX_CPU_ISA)"),
    Variable("DNNL_*", "the same by oneDNN's earlier name"),
    Variable("MKLDNN_*", "the same by its first name"),
    Variable("ATEN_*", "torch: instructions of the processor (CPU_CAPABILITY)"),
    Variable("MKL_*", "MKL: instructions and order of sums (CBWR, ENABLE_INSTRUCTIONS)"),
    Variable("FBGEMM_*", "torch's products: instructions"),
    Variable("TORCH_*", "torch: libraries, their choice and their precision (ALLOW_TF32...)"),
    Variable("TORCHINDUCTOR_*", "torch's compiler: how operators are fused"),
    Variable("TORCHDYNAMO_*", "torch's compiler: whether it is used"),
    Variable("PYTORCH_*", "torch's compilers; Apple's GPU: fast arithmetic, help by the processor"),
    Variable("TRITON_*", "GPU: how kernels are compiled"),
    Variable("NVIDIA_TF32_OVERRIDE", "GPU: products of 10 bits in place of 23"),
    Variable("CUBLAS_WORKSPACE_CONFIG", "GPU: whether sums have one order", value=":4096:8"),
    Variable("CUBLAS*", "GPU: choice of products"),
    Variable("CUDNN_*", "GPU: choice of convolutions"),
    Variable("OPENBLAS_*", "NumPy's products: kind of processor (CORETYPE)", "numpy"),
    Variable("NPY_*", "NumPy: instructions of the processor (DISABLE_CPU_FEATURES)", "numpy"),
    Variable("GLIBC_TUNABLES", "exp and log of the system's library: instructions", ""),
)
HARMLESS = (  # of these families, and they change no bit
    *("TORCH_HOME", "TORCH_LOGS*", "TORCH_SHOW_*", "TORCH_EXTENSIONS_DIR", "TORCH_CUDA_ARCH_LIST"),
    *("TORCH_NCCL_*", "TORCH_DISTRIBUTED_*", "*_CACHE_DIR", "*_ALLOC_CONF", "*_LOG_LEVEL"),
)
KEPT = {
    "LD_PRELOAD": "replaces functions of libraries; some systems cannot load torch without it",
    "LD_AUDIT": "the same",
    "LD_LIBRARY_PATH": "where libraries are found; GPUs often need it",
}
TOLD = "REPRO_CLEARED_VARIABLES"  # names, for the record


def of_worker(given: Mapping[str, str]) -> dict[str, str]:
    """The environment with which a process starts that computes runs.

    Args:
        given: The environment of the process that starts it.
    """
    fixed = {one.names: one.value for one in (*THREADS, *BITS) if one.value is not None}
    kept = {name: value for name, value in given.items() if _rule(name) is None}
    told = ",".join(cleared(given))
    return {**kept, **fixed, **({TOLD: told} if told else {})}


def cleared(given: Mapping[str, str]) -> list[str]:
    """Names of the variables that a worker starts without, or with another value."""
    before = given.get(TOLD, "").split(",")
    rules = {name: _rule(name) for name in given}
    now = [name for name, rule in rules.items() if rule is not None and rule.value != given[name]]
    return sorted({*filter(None, before), *now})


def kept(given: Mapping[str, str]) -> list[str]:
    """Names of the variables that may change bits and stay, because a worker may need them."""
    return sorted(name for name in KEPT if given.get(name))


def settle(
    environment: MutableMapping[str, str] = os.environ, loaded: Container[str] | None = None
) -> None:
    """Clear variables in this process, as far as nothing has read them yet.

    Args:
        environment: Of this process.
        loaded: Names of its modules.
    """
    loaded = sys.modules if loaded is None else loaded
    plain = of_worker(environment)
    for name, rule in list(_rules(environment)):
        if not rule.read_by or rule.read_by in loaded or rule.value == environment[name]:
            continue
        told = {TOLD: environment.get(TOLD, ""), name: environment.pop(name)}
        environment[TOLD] = ",".join(cleared(told))
        if name in plain:
            environment[name] = plain[name]


def require_plain(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse to compute in a process whose variables change the bits of results.

    Raises:
        ReproError: They do; it names one.
    """
    for name, rule in _rules(environment):
        if rule.bits and environment[name] != (rule.value or ""):
            raise ReproError(
                f"{name} is set, and changes the bits of results ({rule.reason}): unset it and "
                "start this program again, or use the executor `local`, whose workers start "
                "without it"
            )


def _rules(environment: Mapping[str, str]) -> Iterator[tuple[str, Variable]]:
    for name in sorted(environment):
        if (rule := _rule(name)) is not None:
            yield name, rule


def _rule(name: str) -> Variable | None:
    """What is done about a variable; the first line of the list that names it."""
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in HARMLESS):
        return None
    found = (one for one in (*THREADS, *BITS) if fnmatch.fnmatchcase(name, one.names))
    return next(found, None)
