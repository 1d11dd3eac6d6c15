import os

import pytest

from repro.errors import ReproError
from repro.execution.executors import hardware


def test_a_processor_has_a_slot_for_each_core():
    """Runs of one thread, as many as there are cores, unless the user says otherwise."""
    assert hardware.slots("cpu") == ["cpu"] * hardware.cores()
    assert hardware.slots("cpu", 3) == ["cpu"] * 3


def test_gpus_take_several_runs_each_in_turn():
    """Runs are dealt to the GPUs one after the other."""
    assert hardware.slots("cuda") == ["cuda:0"] * 4
    assert hardware.slots("cuda:0,cuda:1", 3) == ["cuda:0", "cuda:1", "cuda:0"]


@pytest.mark.parametrize("name", ["gpu", "cpu,cuda:0", "cuda:x", ""])
def test_a_device_that_is_none_is_refused(name):
    """The message says what can be said."""
    with pytest.raises(ReproError, match="use cpu, cuda"):
        hardware.slots(name)


def test_a_gpu_computes_with_torch_whatever_the_processor_can():
    """Device and kernels are what names a result's arithmetic, and how many slots is not."""
    one, many = (hardware.computation(hardware.slots("cuda", count)) for count in (1, 8))

    assert one == many
    assert (one.device, one.kernels, one.threads) == ("cuda", "torch", 1)


GROUPS = {
    "no groups": ({}, 64),
    "version 2, no limit": (
        {"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/cpu.max": "max 100000\n"},
        64,
    ),
    "version 2": (
        {"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/cpu.max": "400000 100000\n"},
        4,
    ),
    "version 2, a group above": (
        {
            "proc/self/cgroup": "0::/user/job/step\n",
            "sys/fs/cgroup/user/cpu.max": "200000 100000\n",
            "sys/fs/cgroup/user/job/step/cpu.max": "400000 100000\n",
        },
        2,
    ),
    "version 2 in a container": (
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "300000 100000\n"},
        3,
    ),
    "version 1": (
        {
            "proc/self/cgroup": "3:cpuset:/other\n1:cpu,cpuacct:/job\n",
            "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "800000\n",
            "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000\n",
        },
        8,
    ),
    "version 1 in a container that sees the host's path": (
        {
            "proc/self/cgroup": "1:cpu,cpuacct:/docker/0123\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        2,
    ),
    "version 1, no limit": (
        {
            "proc/self/cgroup": "1:cpu:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        64,
    ),
    "a part of a core": (
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"},
        2,
    ),
    "less than a core": (
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "20000 100000\n"},
        1,
    ),
    "not readable as numbers": (
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "some of them\n"},
        64,
    ),
}


@pytest.fixture
def many_cores(monkeypatch):
    """A machine of 64."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))


@pytest.mark.parametrize("kind", GROUPS)
def test_quotas_of_control_groups_limit_the_cores(kind, tmp_path, many_cores):
    """As in a container or a job: the least of the groups counts, rounded up, and never none."""
    files, expected = GROUPS[kind]
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    assert hardware.cores(system=tmp_path, environment={}) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SLURM_CPUS_PER_TASK": "8", "SLURM_CPUS_ON_NODE": "32"}, 8),
        ({"SLURM_CPUS_ON_NODE": "32"}, 32),
        ({"SLURM_CPUS_PER_TASK": "128"}, 64),
        ({"SLURM_CPUS_PER_TASK": "", "SLURM_CPUS_ON_NODE": "0"}, 64),
    ],
)
def test_a_slurm_job_limits_the_cores(environment, expected, tmp_path, many_cores):
    """Its task's share, else its share of the node; never more than there are."""
    assert hardware.cores(system=tmp_path, environment=environment) == expected


def test_affinity_limits_the_cores(tmp_path, monkeypatch):
    """As under ``taskset``, or where Slurm binds a task."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7})

    assert hardware.cores(system=tmp_path, environment={}) == 3
