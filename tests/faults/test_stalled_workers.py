"""Workers that are stopped for good or hang are ended; busy and paused ones are not."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import children
import pytest

from faults import studies
from repro.execution import runner
from repro.execution.executors import local, process_pool
from repro.execution.executors.local import Local
from repro.records import records
from repro.study import study
from repro.system import child_process, machine, stalls
from repro.system.child_process import Child, Gone
from repro.training import single_run

SOON = 0.4  # seconds
BUSY = "[0 for _ in iter(int, 1)]"
ASLEEP = "import time; time.sleep(1000)"


def stops():
    """Prepares an answer in which the worker is stopped."""
    return lambda request, say: os.kill(os.getpid(), signal.SIGSTOP)


def hangs():
    """Prepares an answer that waits in a call of the system."""
    return lambda request, say: time.sleep(1000)


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    """Look often, so that tests are short."""
    monkeypatch.setattr(stalls, "LOOK", 0.05)


@pytest.mark.parametrize(("prepare", "how"), [(stops, "was stopped"), (hangs, "no CPU time")])
def test_a_child_that_does_nothing_is_ended(prepare, how, monkeypatch, tally):
    """The answer is not waited for; the error says what it did, and for how long."""
    monkeypatch.setattr(child_process, "launch", children.started_by("forkserver"))
    one = Child(prepare)
    one.send(None)
    assert one.receive()[0] == "ready"
    one._watch.limit = SOON
    began = time.monotonic()

    tally.faults += 1
    with pytest.raises(Gone, match=f"{how}.* for 0.4 s"):
        one.receive()
    assert time.monotonic() - began < 30 * SOON
    assert one.process.returncode is not None


@contextlib.contextmanager
def watched(code):
    """A process that has started, and how it is watched."""
    command = [sys.executable, "-c", f"print(flush=True); {code}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            yield process, stalls.Watch(process.pid, limit=6 * stalls.STEP)
        finally:
            process.kill()


def wait_for(condition):
    """Until it holds, however busy the machine is."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(("code", "stalled"), [(BUSY, False), (ASLEEP, True)])
def test_long_silence_is_no_stall_but_doing_nothing_is(code, stalled, monkeypatch, tally):
    """A long epoch uses CPU time; a day that nobody watched, as after Ctrl-Z, counts for nobody."""
    clock = [time.monotonic()]
    monkeypatch.setattr(stalls, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    found = None
    with watched(code) as (process, watch):
        for step in [100_000, *[stalls.STEP] * 8]:
            before = machine.state_and_time(process.pid)[1]
            if not stalled:
                wait_for(lambda used=before: machine.state_and_time(process.pid)[1] > used + 0.1)
            clock[0] += step
            found = watch.stalled()
            assert step == stalls.STEP or found is None

    tally.faults += 1
    assert (found is not None) == stalled


def test_a_stopped_process_counts_as_still_whatever_it_used(tally, monkeypatch):
    """The state of a process that SIGSTOP stopped."""
    clock = [time.monotonic()]
    monkeypatch.setattr(stalls, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    with watched(BUSY) as (process, watch):
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: machine.state_and_time(process.pid)[0] == stalls.STOPPED)
        for _ in range(6):
            clock[0] += stalls.STEP
            found = watch.stalled()

    tally.faults += 1
    assert found == "it was stopped by a signal for 12 s"


def stopping_once():
    """Runs of a study: the first worker stops in its second epoch."""

    def outcome(task, material, begun, *_):
        diary = task.results.parent / "stopped"
        for n, event in enumerate(studies.canned_training(task, material, begun)):
            yield event
            if n == 2 and not diary.exists():
                diary.write_text("")
                os.kill(os.getpid(), signal.SIGSTOP)

    single_run._train_and_evaluate = outcome
    return local._prepare()


def test_the_run_of_a_stopped_worker_goes_on_from_its_checkpoint(tmp_path, monkeypatch, tally):
    """One sentence says so; the results are those of an undisturbed study."""
    monkeypatch.setattr(child_process, "launch", children.started_by("fork"))
    monkeypatch.setattr(process_pool, "Worker", _Stopping)
    file = studies.toy(tmp_path, arms=studies.ONE_ARM)
    watcher = studies.Watcher()
    with studies.canned(), Local(["cpu"], stall=1.0) as executor:
        runner.run(
            study.load(file),
            tmp_path / "results",
            executor=executor,
            on_event=watcher.on_event,
            checkpoint_seconds=0.0,
        )

    tally.faults += 1
    assert [one for one in watcher.remarks if "was stopped by a signal for 1 s" in one]
    assert (
        studies.evidence(tmp_path / "results") == studies.canned_reference(arms=studies.ONE_ARM)[0]
    )
    assert len(records.read_indexes(tmp_path / "results")) == 1


class _Stopping(process_pool.Worker):
    """A worker of the local executor that stops once."""

    def __init__(self, _, device, *, stall):
        Child.__init__(self, stopping_once, stall=stall)
        self.device = device
