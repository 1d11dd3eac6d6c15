"""This machine as a study sees it: its cores and GPUs as slots, and how it computes.

A slot holds one run at a time. A processor has as many as it has cores, because two runs of one
thread are faster than one run of two; a GPU has several, because one small run does not fill it.
Which slot a run gets changes none of its numbers, and neither does how many there are.
"""

import os
import re
from collections.abc import Sequence

from repro import lineage
from repro.errors import ReproError
from repro.kernels import library
from repro.records import Computation
from repro.resources import PLAIN, Resources

THREADS = 1  # of a run; checked against the worker's own constant by a test


def slots(device: str, workers: int | None = None, resources: Resources = PLAIN) -> list[str]:
    """The device of each run that can execute at the same time.

    Args:
        device: ``cpu``, ``cuda``, or several GPUs: ``cuda:0,cuda:1``.
        workers: Runs at a time; what the device takes if None.
        resources: What a run takes: cores, or a share of a GPU.

    Raises:
        ReproError: The device's name is none.
    """
    devices = ["cuda:0" if name == "cuda" else name for name in device.split(",")]
    if devices != ["cpu"] and not all(re.fullmatch(r"cuda:\d+", name) for name in devices):
        raise ReproError(f"--device {device}: no device; say cpu, cuda, or cuda:0,cuda:1")
    most = cores() / resources.cpus if devices == ["cpu"] else len(devices) // resources.gpus
    count = workers or max(1, int(most))
    return [devices[number % len(devices)] for number in range(count)]


def computation(places: Sequence[str]) -> Computation:
    """How runs are computed on such slots."""
    device = places[0].split(":")[0]
    return Computation(
        device=device,
        kernels=library.chosen() if device == "cpu" else "torch",
        threads=THREADS,
        libraries=lineage.libraries(),
        code=lineage.code(),
    )


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
