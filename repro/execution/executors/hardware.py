"""This machine as a study sees it: its cores and GPUs as slots, and how it computes.

A slot holds one run at a time. A processor has as many as it has cores, because two runs of one
thread are faster than one run of two; a GPU has several, because one small run does not fill it.
Which slot a run gets changes none of its numbers, and neither does how many there are.
"""

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, get_args

from repro.errors import ReproError
from repro.execution.executors.executor_options import Kernels
from repro.records import code_digests, stack_names
from repro.records.numerics import NUMERICS
from repro.records.records import Computation
from repro.study.resources import PLAIN, Resources
from repro.system import machine
from repro.training.kernels import c_library

THREADS = 1  # of a run; checked against the worker's own constant by a test


def slots(
    device: str,
    workers: int | None = None,
    resources: Resources = PLAIN,
    *,
    stacked: bool = False,
) -> list[str]:
    """The device of each run that can execute at the same time.

    Args:
        device: ``cpu``, ``cuda``, several GPUs, ``cuda:0,cuda:1``, or Apple's, ``mps``.
        workers: Runs at a time; what the device takes if None.
        resources: What a run takes: cores, or a share of a GPU.
        stacked: Whether a slot holds a stack of runs, which fills a GPU.

    Raises:
        ReproError: The device's name is none.
    """
    devices = ["cuda:0" if name == "cuda" else name for name in device.split(",")]
    on_cpu, is_one = devices == ["cpu"], devices in (["cpu"], ["mps"])
    if not is_one and not all(re.fullmatch(r"cuda:\d+", name) for name in devices):
        raise ReproError(f"--device {device}: not a device; use cpu, cuda, cuda:0,cuda:1, or mps")
    share = 1 if stacked else resources.gpus
    most = machine.cores() / resources.cpus if on_cpu else len(devices) // share
    count = workers or max(1, int(most))
    return [devices[number % len(devices)] for number in range(count)]


def computation(
    places: Sequence[str], kernels: Kernels | None = None, stack: int | None = None
) -> Computation:
    """How runs are computed on such slots.

    Args:
        places: Slots.
        kernels: Those that are asked for.
        stack: Runs that are trained as one network; None: each singly.

    Raises:
        ReproError: The kernels that are asked for cannot be had.
    """
    device = places[0].split(":")[0]
    return Computation(
        device=device,
        kernels=stack_names.kernels(stack) if stack else kernels_on(device, kernels).name,
        threads=THREADS,
        libraries=code_digests.libraries(),
        code=code_digests.code(),
        numerics=NUMERICS,
    )


class ChosenKernels(NamedTuple):
    """What computes networks, and why.

    Attributes:
        name: Of the kernels.
        why: In words.
        fell_back: Whether nobody asked for these, and the faster ones cannot be had.
    """

    name: Kernels
    why: str
    fell_back: bool = False

    def __str__(self) -> str:
        return f"Kernels: {self.name}, {self.why}"


def asked_kernels(kernels: Kernels | None) -> tuple[Kernels, str] | None:
    """The kernels that the user asks for, and how; None if they are left to the program.

    Args:
        kernels: Of the option, which comes first.

    Raises:
        ReproError: The variable names none.
    """
    if kernels is not None:
        return kernels, f"--kernels {kernels}"
    given = os.environ.get(c_library.CHOICE, "")
    for name in get_args(Kernels):
        if given == name:
            return name, f"{c_library.CHOICE}={name}"
    if given:
        raise ReproError(f"{c_library.CHOICE}={given}: no kernels; use blocked or torch")
    return None


def kernels_on(device: str, kernels: Kernels | None) -> ChosenKernels:
    """The kernels that compute on this machine.

    Args:
        device: ``cpu``, ``cuda`` or ``mps``.
        kernels: Those of the option.

    Raises:
        ReproError: Those that are asked for cannot be had.
    """
    asked = asked_kernels(kernels)
    if device != "cpu":
        if asked and asked[0] != "torch":
            raise ReproError(f"{asked[1]}: blocked kernels are for processors, not for {device}")
        return ChosenKernels("torch", "as on every GPU")
    if asked and asked[0] == "torch":
        return ChosenKernels("torch", f"because of {asked[1]}")
    missing = c_library.missing_because()
    if not missing:
        why = f"because of {asked[1]}" if asked else "compiled here"
        how = f"{c_library.build()}, {c_library.compiler()}"
        return ChosenKernels("blocked", f"{why} ({how})")
    if asked:
        raise ReproError(f"{asked[1]}: they cannot be had here ({missing})")
    return ChosenKernels("torch", f"because blocked ones cannot be had here ({missing})", True)


def using(kernels: str) -> AbstractContextManager[None]:
    """Within, networks are computed with these kernels in this process."""
    return c_library.using(kernels)
