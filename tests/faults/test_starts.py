"""A machine that cannot start or feed a worker is no failure of the method: a sentence, no record.

With `test_dying_workers.py`, which has the workers that die during a run.
"""

import errno
import os
import subprocess
import sys

import pytest
import torch
from builders import a_task

from faults import studies, warm
from repro.errors import ReproError
from repro.execution import scheduler
from repro.execution.executors import hardware
from repro.execution.executors.base import NO_MEMORY, loading
from repro.metrics import Count
from repro.records import records
from repro.records.events import RunEnded, RunStarted, WorkerDied
from repro.training import run_guards

LIBRARY = "libtorch.so: cannot open shared object file: No such file or directory"
NO_RECORD = "no run is recorded as failed for that: fix it"


@pytest.mark.parametrize(
    "kind", [OSError, ImportError, RuntimeError], ids=lambda kind: kind.__name__
)
def test_a_library_that_cannot_be_loaded_is_the_places_fault(kind, tally):
    """Whatever the import raises; here, and in a worker of Ray."""
    tally.faults += 1
    with (
        pytest.raises(
            ReproError, match=rf"cannot start here \({kind.__name__}: libtorch.*{NO_RECORD}"
        ),
        loading(),
    ):
        raise kind(LIBRARY)


def command(folder, *arguments, limit="true", **variables):
    """`repro` as users start it, in a shell; its status, last line, and number of records."""
    words = [sys.executable, "-c", "from repro.cli import main; main()", *arguments]
    done = subprocess.run(
        ["bash", "-c", f'{limit}; exec "$@"', "bash", *words, "--results", str(folder / "r")],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    made = [*(folder / "r" / "runs").glob("[!.]*")]
    return done.returncode, done.stderr.splitlines()[-1], len(made)


@pytest.mark.parametrize("executor", ["local", "inline"])
def test_a_torch_that_is_broken_stops_a_study(executor, tmp_path, tally):
    """As after half an installation: status 1, and the last line of what the worker said."""
    studies.toy(tmp_path, arms=studies.ONE_ARM, replicates=1, keep=1)
    (tmp_path / "broken" / "torch").mkdir(parents=True)
    (tmp_path / "broken" / "torch" / "__init__.py").write_text(f"raise OSError({LIBRARY!r})\n")
    path = {"PYTHONPATH": str(tmp_path / "broken")}
    status, said, made = command(tmp_path, "run", "toy.yaml", "-q", "--executor", executor, **path)
    tally.faults += 1

    assert (status, made) == (1, 0)
    assert said.startswith("Error: workers cannot start here (")
    assert f"OSError: {LIBRARY})" in said


def test_too_little_address_space_stops_a_study(tmp_path, tally, draws):
    """`ulimit -v`: what torch says when it cannot be loaded, or that there is no memory."""
    for limit in draws([500_000, 600_000, 800_000], 1):
        folder = tmp_path / str(limit)
        studies.toy(folder, arms=studies.ONE_ARM, replicates=1, keep=1)
        status, said, made = command(
            folder, "run", "toy.yaml", "-q", "--workers", "1", limit=f"ulimit -v {limit}"
        )
        tally.faults += 1
        assert (status, made) == (1, 0), said
        assert "workers cannot start here (" in said or "had no memory at 3 attempts" in said


def test_a_study_needs_no_folder_for_temporary_files(tally):
    """TMPDIR names none: workers start, and every record is written."""
    with studies.folder() as place:
        file = studies.toy(place)
        running = warm.Command(
            *("run", file, "--results", place / "results"),
            log=place / "log",
            before=studies.canned_slowly,
            environment={"TMPDIR": "/nonexistent"},
        )
        tally.faults += 1
        assert running.wait() == 0, running.output
        assert studies.evidence(place / "results") == studies.canned_reference()[0]


SHORTAGES = {
    "NumPy": MemoryError("Unable to allocate 1. PiB"),
    "system": OSError(errno.ENOMEM, "Cannot allocate memory"),
    "processes": BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
    "threads": RuntimeError("can't start new thread"),
    "torch": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
    "C++": RuntimeError("std::bad_alloc"),
    "GPU": torch.OutOfMemoryError("CUDA out of memory."),
}


@pytest.mark.parametrize("kind", SHORTAGES)
def test_every_shortage_in_a_run_is_lack_of_memory(kind, tally):
    """And no defect of the program, nor of the method."""
    tally.faults += 1
    with pytest.raises(MemoryError), run_guards.memory_errors():
        raise SHORTAGES[kind]


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes differ"), FileNotFoundError(2, "gone")], ids=str
)
def test_other_errors_in_a_run_are_none(error):
    """They keep their kind."""
    with pytest.raises(type(error)), run_guards.memory_errors():
        raise error


class Starving:
    """An executor of one worker: runs of the chosen seeds have no memory."""

    workers, computation = 1, hardware.computation(["cpu"], "torch")

    def __init__(self, starving):
        """Nothing has been submitted."""
        self.starving, self.task, self.begun = starving, None, []

    def room(self):
        """For one run."""
        return self.task is None

    def choose(self, tasks):
        """The first."""
        return 0

    def submit(self, task, begun):
        """Remember it."""
        self.task = task
        self.begun.append(task.seed)

    def events(self):
        """Its begin, and its end or death."""
        task, self.task = self.task, None
        run = task.key, task.title
        yield RunStarted(*run, 3, 0)
        if task.seed in self.starving:
            yield WorkerDied(*run, NO_MEMORY)
        else:
            yield RunEnded(*run, task.record(groups={"a": Count(4, 3)}), {})


@pytest.mark.parametrize(
    ("starving", "begun", "made"), [({1}, [0, 1, 1, 1, 2], {0, 2}), ({0, 1, 2}, [0, 0, 0], set())]
)
def test_a_run_without_memory_has_no_record(starving, begun, made, tmp_path, tally):
    """The others end; where none has ended before, the study stops at once."""
    tasks = [a_task(tmp_path, key=f"k-seed{seed}", seed=seed) for seed in range(3)]
    executor = Starving(starving)
    tally.faults += 3
    with pytest.raises(ReproError, match=r"^1 run had no memory at 3 attempts"):
        list(scheduler.run_tasks(tasks, executor))

    assert executor.begun == begun
    assert {one.seed for one in tasks if records.has_record(one.key, tmp_path)} == made
