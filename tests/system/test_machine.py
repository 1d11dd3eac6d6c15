"""What the machine has, and what is answered where its system lacks the means to ask."""

import ast
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

import pytest
from faults import studies
from places import ROOT

from repro.execution import runner
from repro.execution.executors import hardware
from repro.execution.executors.local import Local
from repro.records import records
from repro.study import study
from repro.system import child_process, machine, stalls
from repro.training.kernels import c_library

LAUNCH = child_process.launch  # before the tests put their own in its place


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty folder in place of the root of the file system."""
    machine._sysctl.cache_clear()
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    yield tmp_path
    machine._sysctl.cache_clear()


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
def many_cores(monkeypatch, root):
    """A machine of 64."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))


@pytest.mark.parametrize("kind", GROUPS)
def test_quotas_of_control_groups_limit_the_cores(kind, root, many_cores):
    """As in a container or a job: the least of the groups counts, rounded up, and never none."""
    files, expected = GROUPS[kind]
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    assert machine.cores({}) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SLURM_CPUS_PER_TASK": "8", "SLURM_CPUS_ON_NODE": "32"}, 8),
        ({"SLURM_CPUS_ON_NODE": "32"}, 32),
        ({"SLURM_CPUS_PER_TASK": "128"}, 64),
        ({"SLURM_CPUS_PER_TASK": "", "SLURM_CPUS_ON_NODE": "0"}, 64),
    ],
)
def test_a_slurm_job_limits_the_cores(environment, expected, many_cores):
    """Its task's share, else its share of the node; never more than there are."""
    assert machine.cores(environment) == expected


def test_affinity_limits_the_cores(root, monkeypatch):
    """As under ``taskset``, or where Slurm binds a task."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7})

    assert machine.cores({}) == 3


def test_without_affinity_all_cores_count(root, monkeypatch):
    """As on macOS; one where nobody knows how many there are."""
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 10)
    ten = machine.cores({})
    monkeypatch.setattr(os, "cpu_count", lambda: None)

    assert (ten, machine.cores({})) == (10, 1)


X86 = """\
processor\t: 0
model name\t: AMD EPYC 9R14
flags\t\t: fpu avx avx2 fma

processor\t: 1
model name\t: AMD EPYC 9R14
flags\t\t: fpu avx avx2 fma
"""
ARM = """\
processor\t: 0
Features\t: fp asimd sve
CPU implementer\t: 0x41
"""


@pytest.mark.parametrize(
    ("text", "name", "flags"),
    [
        (X86, "AMD EPYC 9R14", ("avx", "avx2", "fma", "fpu")),
        (ARM, "aarch64", ("asimd", "fp", "sve")),
    ],
)
def test_linux_tells_the_processor(text, name, flags, root, monkeypatch):
    """By /proc/cpuinfo, which has no name of a processor of ARM."""
    monkeypatch.setattr(machine.platform, "machine", lambda: "aarch64")
    (root / "proc").mkdir()
    (root / "proc" / "cpuinfo").write_text(text)

    assert (machine.processor_name(), machine.processor_flags()) == (name, flags)


SYSCTL = """\
#!/bin/sh
case "$*" in
    "-n machdep.cpu.brand_string") echo "Apple M2 Pro" ;;
    "-n hw.memsize") echo 17179869184 ;;
    hw.optional)
        echo hw.optional.neon: 1
        echo hw.optional.arm.FEAT_BF16: 1
        echo hw.optional.avx2_0: 0 ;;
    *) exit 1 ;;
esac
"""


@pytest.fixture
def macos(root, monkeypatch):
    """A system that tells by ``sysctl`` alone."""
    program = root / "usr" / "sbin" / "sysctl"
    program.parent.mkdir(parents=True)
    program.write_text(SYSCTL)
    program.chmod(0o755)
    monkeypatch.delattr(os, "sysconf")


def test_macos_tells_the_processor_and_the_memory(macos):
    """By its program."""
    assert machine.processor_name() == "Apple M2 Pro"
    assert machine.processor_flags() == ("feat_bf16", "neon")
    assert machine.total_memory() == 2**34


def test_a_system_that_tells_nothing_has_answers_all_the_same(root, monkeypatch):
    """No file, no program: the kind of processor, no flags, no limit, no state of a process."""
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.setattr(machine.platform, "machine", lambda: "riscv64")

    assert (machine.processor_name(), machine.processor_flags()) == ("riscv64", ())
    assert machine.total_memory() is None
    assert machine.state_and_time(os.getpid()) is None
    assert machine.path_of(0) is None


def test_this_machine_has_memory_and_this_process_less():
    """Resident now, at most until now, and in all."""
    machine.forget_peak_memory()
    resident, peak, total = (
        machine.resident_memory(),
        machine.peak_memory(),
        machine.total_memory(),
    )

    assert 10**6 < resident <= peak < total


@pytest.mark.parametrize(("system", "unit"), [("linux", 1024), ("darwin", 1)])
def test_without_proc_memory_is_the_peak_of_the_process(system, unit, root, monkeypatch):
    """In kilobytes on Linux, in bytes on macOS; the peak cannot be forgotten."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(resource, "getrusage", lambda _: type("", (), {"ru_maxrss": 5000}))
    machine.forget_peak_memory()

    assert machine.resident_memory() == machine.peak_memory() == 5000 * unit


def test_a_process_whose_state_nobody_tells_never_stalls(root, monkeypatch):
    """It is left to work."""
    clock = [0.0]
    monkeypatch.setattr(stalls.time, "monotonic", lambda: clock[0])
    watch = stalls.Watch(os.getpid(), limit=1)
    for _ in range(10):
        clock[0] += 1
        assert watch.stalled() is None


SLEEP = """\
import subprocess
inner = subprocess.Popen(["sleep", "60"])
print(inner.pid, flush=True)
inner.wait()
"""


def test_a_group_of_processes_is_ended_as_a_whole():
    """What it has started as well."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEP],
        stdout=subprocess.PIPE,
        start_new_session=machine.has_groups(),
    )
    inner = int(process.stdout.readline())
    machine.end_group(process)
    process.wait()
    process.stdout.close()
    end = time.monotonic() + 10
    while (found := machine.state_and_time(inner)) and found[0] != "Z":
        assert time.monotonic() < end
        time.sleep(0.01)

    assert process.returncode == -9


def test_without_groups_a_process_is_ended_alone(monkeypatch):
    """And ending one that has ended is no error."""
    monkeypatch.delattr(os, "killpg")
    process = subprocess.Popen(["sleep", "60"], start_new_session=machine.has_groups())
    machine.end_group(process)

    assert process.wait() == -9
    machine.end_group(process)


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_scratch_file_has_no_name(in_memory, tmp_path, monkeypatch):
    """In memory, or in the folder, where it is not seen."""
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    with machine.scratch_file(str(tmp_path)) as file:
        file.write(b"abc")
        file.seek(0)

        assert file.read() == b"abc"
        assert not list(tmp_path.iterdir())


def test_a_lock_is_shared_or_held_alone():
    """Of the same file, opened twice."""
    with tempfile.NamedTemporaryFile() as one, open(one.name) as other:
        machine.lock(one.fileno(), alone=False)
        machine.lock(other.fileno(), alone=False)
        with pytest.raises(BlockingIOError):
            machine.lock(other.fileno(), alone=True)
        machine.unlock(one.fileno())
        machine.lock(other.fileno(), alone=True)


def test_without_locks_and_limits_there_is_a_word_for_it(monkeypatch):
    """An error that says so; no limit."""
    monkeypatch.setattr(machine, "_fcntl", None)
    monkeypatch.setattr(machine, "_resource", None)
    with pytest.raises(OSError, match="lock") as found:
        machine.lock(0, alone=True)
    machine.unlock(0)
    machine.allow_many_files()

    assert not isinstance(found.value, BlockingIOError)
    assert machine.most_threads() is None
    assert machine.resident_memory() > 0  # of /proc


def test_without_terminals_that_can_be_set_nobody_is_in_front(monkeypatch):
    """Then nothing of a terminal is changed."""
    monkeypatch.setattr(machine, "termios", None)

    assert not machine.is_in_front()


WINDOWS = """\
import os, signal, subprocess, sys, click
for name in ("fcntl", "resource", "termios", "pwd", "grp"):
    sys.modules[name] = None
for name in ("O_NOFOLLOW", "O_NONBLOCK", "setsid", "killpg", "geteuid", "sysconf", "pread"):
    delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGTTOU", "pthread_sigmask"):
    delattr(signal, name)
sys.platform = "win32"
from repro.cli import main
main(["studies"])
"""


def test_on_windows_every_command_ends_with_a_sentence():
    """It says what to use instead; here, nothing is refused."""
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"Error: Windows is not supported: .*\(WSL 2\).*\n", done.stderr)
    assert machine.unsupported() is None


LACKING = ("sched_getaffinity", "memfd_create", "setsid", "killpg", "getpgid", "sysconf")
PLAIN = f"""\
import os, sys
for name in {LACKING}:
    delattr(os, name)
sys.modules["resource"] = None
from pathlib import Path
from repro.system import machine
machine.ROOT = Path("/nowhere")
"""


def test_a_study_runs_where_the_system_lacks_all_of_it(tmp_path, root, monkeypatch):
    """No affinity, /proc, groups of processes, limits or files in memory; its worker as well."""
    studies.toy(tmp_path, arms=studies.ONE_ARM, replicates=1, keep=1)
    (tmp_path / "sitecustomize.py").write_text(PLAIN)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    monkeypatch.setattr(child_process, "launch", LAUNCH)
    monkeypatch.setattr(machine, "_resource", None)
    monkeypatch.setattr(c_library, "builds", lambda: ())  # nobody tells the processor's flags
    for name in LACKING:
        monkeypatch.delattr(os, name)
    with Local(hardware.slots("cpu", 1)) as executor:
        loaded = study.load(tmp_path / "toy.yaml")
        runner.run(loaded, tmp_path / "r", executor=executor, on_event=lambda event: None)
    (path,) = (tmp_path / "r" / "runs").glob("*")
    record = records.read_record(path.name, tmp_path / "r")

    assert record.failure is None
    assert record.provenance["processor"] == machine.platform.machine()  # as without /proc


NAMES = {  # of functions and modules that a system may lack, or that tell of the machine
    *(
        "sched_getaffinity",
        "cpu_count",
        "process_cpu_count",
        "getloadavg",
        "sysconf",
        "memfd_create",
    ),
    *("killpg", "getpgid", "setpgid", "getpgrp", "setsid", "tcgetpgrp", "geteuid", "getuid"),
    *("prctl", "pidfd_open", "posix_fadvise", "copy_file_range", "renameat2", "O_TMPFILE"),
    *("fcntl", "resource", "termios", "pwd", "grp", "SIGHUP"),
}
PLACES = ("/proc", "/sys/", "proc/")  # what a path of the system begins with
GUARDS = {  # programs of their own, which import the standard library alone
    "repro/records/mlflow/server_guard.py": {"setsid", "killpg"},
    "repro/execution/executors/ray_guard.py": {"/proc", "SIGHUP"},
}


def asked(path):
    """What a module asks the system for."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in ("os", "signal") and node.attr in NAMES:
                yield node.attr
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [one.name for one in node.names]
            yield from NAMES & {*names, getattr(node, "module", None)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value.startswith(PLACES) and id(node) not in documentation:
                yield next(one for one in PLACES if node.value.startswith(one))
        elif isinstance(node, ast.keyword) and ast.unparse(node) == "start_new_session=True":
            yield "start_new_session"


def test_one_module_asks_the_system():
    """So what another system lacks is mended in one place."""
    found = {}
    for path in sorted((ROOT / "repro").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name != "repro/system/machine.py" and (wanted := {*asked(path)}):
            found[name] = wanted

    assert found == GUARDS
