"""Limits that the system sets for this process, as by ``ulimit``."""

import os

from repro.system import machine

FEW = 256  # processes and threads of a user, below which libraries get one thread each
VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def respect_few_threads() -> None:
    """Let libraries that are loaded later start no threads if the user may have few.

    OpenBLAS ends the process if it cannot start one for each core.
    """
    most = machine.most_threads()
    if most is not None and most < FEW:
        for name in VARIABLES:
            os.environ.setdefault(name, "1")
