"""B13: a Ray of our own is for one user, and is gone with its driver however that ends."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import clusters
import processes
import pytest

from repro.execution.executors import ray_session

STAND_IN = """
import subprocess, sys, time
from repro.execution.executors import ray_session

with ray_session._private_folder() as folder:
    child = 'import subprocess, sys, time; subprocess.Popen(["sleep", "99"]); time.sleep(99)'
    subprocess.Popen([sys.executable, '-c', child], cwd=folder / ray_session.EMPTY)
    time.sleep(1)
    print(folder, flush=True)
    time.sleep(99)
"""
DRIVER = """
import os, sys, time
from pathlib import Path
from repro.execution.executors.executor_options import Place
from repro.execution.executors.executor_registry import executor_at
from repro.study.resources import PLAIN

with executor_at(Place(executor="ray", workers=1), PLAIN, remark=print) as executor:
    work = executor.ray.remote(lambda: time.sleep(99)).remote()
    time.sleep(3)
    print(Path(executor.ray._private.worker._global_node.get_temp_dir_path()).parent, flush=True)
    time.sleep(99)
"""


PROGRAMS = {"a stand-in": (STAND_IN, 3), "Ray": (DRIVER, 8)}


@pytest.mark.draws("name", PROGRAMS, 1)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
@clusters.needs_ray
def test_with_the_driver_go_all_processes_and_the_folder(number, name, tally):
    """Within 5 s; Ray's own agents would stay for a minute. Nobody else can enter the folder."""
    program, fewest = PROGRAMS[name]
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        try:
            folder = Path(driver.stdout.readline().strip())
            started = processes.below(driver.pid)
            mode = stat.S_IMODE(folder.stat().st_mode)
        finally:
            driver.send_signal(number)

    tally.faults += 1
    assert folder.name.startswith(ray_session.PREFIX)
    assert mode == 0o700
    assert len(started) >= fewest
    assert processes.soon(lambda: not processes.left(started) and not folder.exists(), seconds=5)


def test_folders_of_other_users_are_left_alone(tmp_path, monkeypatch, tally):
    """Also one that cannot be entered, and a link that looks like one of ours."""
    monkeypatch.setattr(ray_session, "SHORT", str(tmp_path))
    target = tmp_path / "elsewhere"
    for folder in (target, tmp_path / f"{ray_session.PREFIX}theirs"):
        folder.mkdir()
        (folder / "lock").write_text("process 1 on elsewhere")
    (tmp_path / f"{ray_session.PREFIX}link").symlink_to(target)
    before = sorted(tmp_path.rglob("*"))
    with monkeypatch.context() as patched:
        patched.setattr(ray_session.machine, "user", lambda: 12345)
        ray_session._sweep()

    tally.faults += 2
    assert sorted(tmp_path.rglob("*")) == before
