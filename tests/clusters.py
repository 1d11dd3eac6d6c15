"""A Ray cluster of two machines on this one, for tests; on loopback, and ours alone."""

import contextlib
import importlib.util
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from repro.executors import ray_session

NEEDS_RAY = "Ray is not installed: pip install 'repro[ray]'"


def workers():
    """Numbers of the processes that have a run."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if line.read_bytes().startswith(b"ray::_work"):
                found.append(int(line.parent.name))
    return found


def kill_workers():
    """As by the system's own guard of its memory."""
    for pid in workers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def two_machines():
    """A cluster; each machine of it has room for one run."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip(NEEDS_RAY)
    ray_session.load(alone=True)
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="repro-test-", dir="/tmp")
    machine = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 10**8}
    cluster = Cluster(
        initialize_head=True,
        head_node_args={**machine, "include_dashboard": False, "temp_dir": folder},
    )
    try:
        cluster.add_node(**machine)
        yield cluster, machine
    finally:
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
