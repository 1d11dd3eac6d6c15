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
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason=NEEDS_RAY)


def processes(words):
    """Numbers of the processes whose command line begins with, or holds, these bytes."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if words in line.read_bytes():
                found.append(int(line.parent.name))
    return found


def workers():
    """Those that have a run."""
    return processes(b"ray::_work")


def addresses(numbers):
    """Where these processes listen: hexadecimal, as the system writes them."""
    inodes = set()
    for number in numbers:
        for link in Path(f"/proc/{number}/fd").glob("*"):
            with contextlib.suppress(OSError):
                inodes.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))
    lines = [line.split() for name in ("tcp", "tcp6") for line in _table(name)]
    return {line[1].partition(":")[0] for line in lines if line[3] == "0A" and line[9] in inodes}


def _table(name):
    return Path(f"/proc/net/{name}").read_text().splitlines()[1:]


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
