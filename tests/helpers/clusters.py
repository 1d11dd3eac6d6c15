"""A Ray cluster of two machines on this one, for tests; on loopback, and ours alone."""

import contextlib
import importlib.util
import os
import shutil
import signal
import tempfile

import processes
import pytest

from repro.execution.executors import ray_session

NEEDS_RAY = "Ray is not installed: pip install '.[ray]'"
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason=NEEDS_RAY)
HEALTH = {  # a process that is gone is missed after 2 s and not 15; a busy one has time to answer
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 4,
    "health_check_timeout_ms": 10_000,
}


def workers():
    """Those that have a run."""
    return processes.saying(b"ray::_work")


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

    machine = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 10**8}
    with _folder() as folder:
        head = {"temp_dir": folder, "_system_config": HEALTH}
        head |= {"include_dashboard": False, "include_log_monitor": False}
        cluster = Cluster(initialize_head=True, head_node_args={**machine, **head})
        try:
            cluster.add_node(**machine)
            yield cluster, machine
        finally:
            cluster.shutdown()


@contextlib.contextmanager
def _folder():
    """All that Ray writes; it makes the folder of a cluster, but not that of its address."""
    folder = tempfile.mkdtemp(prefix="repro-test-", dir=ray_session.SHORT)
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("RAY_TMPDIR", folder)
            os.mkdir(os.path.join(folder, "ray"))  # of the file `ray_current_cluster`
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
