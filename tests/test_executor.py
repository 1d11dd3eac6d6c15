import contextlib
import multiprocessing
import os
import signal

import pytest
from conftest import a_task, configuration

from repro import executor, locks, records, unfinished
from repro.errors import ReproError

SMALL = {
    "train": {"source": "synthetic", "faces": 30, "nonfaces": 30},
    "test": {"source": "synthetic", "per_group": 1, "size": 64},
    "nonfaces": {"source": "synthetic", "photographs": 2, "size": 64},
}


def task(results, seed=0, **changes):
    arm = configuration(**{"data": SMALL, "epochs": 3, **changes})
    return a_task(results, key=f"k-seed{seed}", seed=seed, configuration=arm)


def test_a_killed_workers_run_is_repeated_with_the_same_seed(tmp_path):
    """Only that run starts again, and it ends like any other."""
    events = executor.run_tasks([task(tmp_path)], slots=["cpu"])
    kinds, rates = [], []
    for event in events:
        kinds.append(event.kind)
        rates += [event.images_per_second] if event.kind == "epoch" else []
        if kinds.count("started") == 1 and event.kind == "epoch":
            kill_children()

    assert kinds.count("started") == 2
    assert kinds[-1] == "ended"
    assert min(rates) > 0
    assert records.read_record("k-seed0", tmp_path).finished


def test_a_run_that_another_process_trains_is_taken_up_when_it_is_free(tmp_path):
    """The next run goes first; the one that was held ends like any other."""
    tasks = [task(tmp_path, seed) for seed in (0, 1)]
    kinds = []
    with contextlib.ExitStack() as stack:
        folder = unfinished.folder_of(tasks[0].key, tmp_path)
        assert stack.enter_context(locks.of_run(folder, patience=0)) is None
        for event in executor.run_tasks(tasks, slots=["cpu"]):
            kinds.append((event.kind, event.task.seed))
            if event.kind == "held":
                assert event.reason.startswith(f"process {os.getpid()} on ")
                stack.close()

    assert [kind for kind in kinds if kind[0] != "epoch"] == [
        ("started", 0),
        ("held", 0),
        ("started", 1),
        ("ended", 1),
        ("started", 0),
        ("ended", 0),
    ]


def test_a_run_that_kills_its_worker_every_time_is_given_up(tmp_path):
    """Three attempts, then the others go on; how it ended is named."""
    events = []
    for event in executor.run_tasks([task(tmp_path)], slots=["cpu"]):
        events.append(event)
        if event.kind == "started":
            kill_children()

    assert [event.kind for event in events] == ["started"] * 3 + ["lost"]
    assert events[-1].reason == "its worker ended 3 times (killed by SIGKILL)"


def kill_children():
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGKILL)


def test_a_users_mistake_in_a_worker_reaches_the_parent(tmp_path):
    """A file that went away is an error with its name, not a traceback."""
    data = SMALL | {"test": {"source": "ppb", "path": str(tmp_path / "gone")}}

    with pytest.raises(ReproError, match="gone"):
        list(executor.run_tasks([task(tmp_path, data=data)], slots=["cpu"]))
