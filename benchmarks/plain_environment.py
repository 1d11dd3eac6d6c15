"""The environment in which the benchmarks run: that of the workers of `repro run`."""

import os
import sys
from collections.abc import MutableMapping

from repro.system import worker_environment


def start_again(environment: MutableMapping[str, str] = os.environ) -> None:
    """Start this script again without the variables that a worker starts without, if there are any.

    Libraries read them when they are loaded, and a process that has them is refused: `trainer`.

    Args:
        environment: Of this process.
    """
    plain = worker_environment.of_worker(environment)
    if plain != dict(environment):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], plain)
