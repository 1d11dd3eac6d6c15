"""A Ray of our own, and what of Ray's is said in our words."""

import contextlib
import importlib
import os
import re
import stat
import sys
from pathlib import Path
from unittest import mock

import clusters
import processes
import pytest
import throughput

from repro.data import sources
from repro.errors import ReproError
from repro.execution.executors import local, ray, ray_session
from repro.execution.executors.executor_options import Place
from repro.execution.executors.executor_registry import executor_at
from repro.records import locks
from repro.study.resources import PLAIN, Resources

LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def at(place, resources=PLAIN):
    """The executor there."""
    return executor_at(place, resources, remark=print)


@pytest.fixture(scope="module")
def own():
    """A Ray of our own; its processes and files go with it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(Path(throughput.__file__).parent))  # for its workers
        with at(Place(executor="ray", workers=1)) as executor:
            folder = folder_of(executor)
            yield executor
    assert not folder.exists()
    assert processes.soon(lambda: not processes.saying(str(folder).encode()))


def folder_of(executor):
    """Where its files are."""
    return Path(executor.ray._private.worker._global_node.get_temp_dir_path())


@clusters.needs_ray
def test_a_ray_of_our_own_is_for_this_machine_alone(own):
    """It listens on loopback, wants a token, reports to nobody."""
    from ray._common.usage import usage_lib

    ours = processes.saying(str(folder_of(own)).encode())
    listening = processes.listening([os.getpid(), *ours])

    assert len(ours) > 3
    assert listening
    assert {address.partition(":")[0] for address in listening} <= LOOPBACK
    assert not usage_lib.usage_stats_enabled()
    assert os.environ["RAY_AUTH_MODE"] == "token"


@clusters.needs_ray
def test_nobody_else_can_enter_its_folder_and_it_imports_from_none(own):
    """Ray makes its own folder one that all can write, and adds the current one to its workers'."""
    private = folder_of(own).parent
    workers = own.ray.remote(lambda: (os.getcwd(), sys.path)).remote()
    folder, path = own.ray.get(workers)

    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert Path(folder) == private / ray_session.EMPTY
    assert list(Path(folder).iterdir()) == []
    assert folder in path  # by Ray, in place of the folder in which this process is


@clusters.needs_ray
def test_its_workers_take_their_share_of_a_busy_machine(own):
    """As this process does; Ray's would give way to all others."""
    there = own.ray.remote(lambda: os.nice(0)).remote()

    assert own.ray.get(there) == os.nice(0)


@clusters.needs_ray
def test_what_takes_more_than_there_is_cannot_be_placed(own, monkeypatch):
    """Said at once where no machine can join."""
    started = contextlib.nullcontext(own.ray)
    monkeypatch.setattr(ray_session, "alone", lambda cpus, remark: started)

    with (
        pytest.raises(ReproError, match="a run takes 1 cores, 1000 GB, and that is not available"),
        at(Place(executor="ray"), resources=Resources(memory=1000.0)),
    ):
        pass


@clusters.needs_ray
def test_the_benchmark_of_many_runs_goes_through_each_executor(own, monkeypatch, capsys):
    """`benchmarks/throughput.py` at toy size, on the Ray that is there."""
    started = contextlib.nullcontext(own.ray)
    monkeypatch.setattr(ray_session, "alone", lambda cpus, remark: started)
    for module, name in ((local, "_prepare"), (ray, "_work"), (sources, "material")):
        monkeypatch.setattr(module, name, getattr(module, name))  # the script puts in its own
    throughput.main(["--runs", "15", "--through", "15", "--rounds", "1"])
    printed = capsys.readouterr().out

    assert re.findall(r"^\| (driver.*?|local|ray) \|", printed, re.M) == [
        *("driver and records", "driver and records, and MLflow"),
        *("local", "ray"),
    ]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(executor="ray", address="ray://head:10001"), "start repro on one of its machines"),
        (Place(executor="ray", address="127.0.0.1:1"), "no cluster can be joined there .*refused"),
        (Place(executor="ray", device="cuda:0,cuda:1"), "with --executor ray use cpu or cuda"),
        (Place(executor="local", address="auto"), "--address auto is only for --executor ray"),
    ],
)
def test_a_place_that_is_none_is_refused_in_a_sentence(place, said):
    """Before anything is started."""
    with pytest.raises(ReproError, match=said), at(place):
        pass


def test_what_a_killed_process_left_of_its_ray_is_removed(tmp_path, monkeypatch):
    """By the next one; what a process holds that lives stays, and so does what is being made."""
    monkeypatch.setattr(ray_session, "SHORT", str(tmp_path))
    left, held, new = (tmp_path / f"{ray_session.PREFIX}{name}" for name in ("1", "2", "3"))
    for folder in (left, held, new):
        folder.mkdir()
    (left / "lock").write_text("process 1 on elsewhere")
    with locks.of_folder(held, patience=0):
        ray_session._sweep()

    assert {path.name for path in tmp_path.iterdir()} == {held.name, new.name}


def test_without_ray_the_option_says_how_to_install_it(monkeypatch):
    """No traceback."""
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(ray_session, "ALONE", {})
    monkeypatch.setattr(ray_session, "QUIET", {})

    with pytest.raises(ReproError, match=r"needs Ray \(.*\): pip install '\.\[ray\]'"):
        ray_session.load(alone=True)


@clusters.needs_ray
def test_a_full_disk_is_told_in_a_sentence(monkeypatch):
    """Where a worker finds no space for its checkpoint."""
    exceptions = importlib.import_module("ray.exceptions")

    full = exceptions.RayTaskError("f", "", exceptions.OutOfDiskError("Local disk is full"))
    executor = ray.Ray(Place(executor="ray"), PLAIN, remark=print)
    executor.ray = mock.Mock(exceptions=exceptions)
    executor.ray.get.side_effect = full
    stream = iter(["a reference"])

    with pytest.raises(ReproError, match=r"disk \(OutOfDiskError\); free some space"):
        executor._piece(stream, mock.Mock(key="k"))
