"""Limits that the system sets for this process, as by ``ulimit``."""

import os
import resource

FEW = 256  # processes and threads of a user, below which libraries get one thread each
VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def respect_few_threads() -> None:
    """Let libraries that are loaded later start no threads if the user may have few.

    OpenBLAS ends the process if it cannot start one for each core.
    """
    most, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if most != resource.RLIM_INFINITY and most < FEW and os.geteuid() != 0:
        for name in VARIABLES:
            os.environ.setdefault(name, "1")
