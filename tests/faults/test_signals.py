"""R2: Ctrl-C, a request to end, a closed terminal, a parent that is killed alone.

Within five seconds all processes are gone, one line has said how to go on, and the study goes on.
The limit below is seven, because the tests may share their machine.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time

import processes
import pytest

from faults import studies, warm
from repro.cli.signals import GO_ON
from repro.records import locks

LIMIT = 7.0
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}

# Which signal, to whom, and when: from the moment on when the command watches for signals, from
# the start of its workers on, from the first run that trains on, or while a finished study prints
# its table.
TRIALS = [
    (signal.SIGINT, "twice", "loading"),
    (signal.SIGKILL, "parent", "training"),
    (signal.SIGHUP, "group", "start"),
    (signal.SIGTERM, "parent", "table"),
    (signal.SIGINT, "group", "start"),
    (signal.SIGTERM, "parent", "training"),
    (signal.SIGHUP, "group", "training"),
    (signal.SIGINT, "twice", "training"),
    (signal.SIGTERM, "group", "start"),
    (signal.SIGINT, "group", "table"),
    (signal.SIGKILL, "parent", "loading"),
    (signal.SIGTERM, "group", "loading"),
    (signal.SIGINT, "group", "loading"),
    (signal.SIGINT, "parent", "training"),
    (signal.SIGINT, "twice", "table"),
    (signal.SIGHUP, "parent", "table"),
    (signal.SIGTERM, "group", "training"),
    (signal.SIGKILL, "parent", "table"),
    (signal.SIGINT, "group", "training"),
    (signal.SIGINT, "parent", "start"),
    (signal.SIGHUP, "parent", "training"),
    (signal.SIGINT, "twice", "training"),
]


def _ignore_nothing():
    """A shell's background jobs ignore Ctrl-C, those of nohup a lost terminal; and so on down."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Proper:
    """The command proper, as a terminal would start it."""

    def __init__(self, file, results, log, *, workers):
        """Start it."""
        self.log = log
        command = ["run", file, "--results", results, "--workers", workers]
        command += ["--checkpoint-seconds", 0]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "repro.cli", *map(str, command)],
                stdout=subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
                preexec_fn=_ignore_nothing,
            )
        self.pid = self.process.pid

    @property
    def output(self):
        """What it has said."""
        return self.log.read_text()

    def watches(self):
        """Whether it answers signals itself by now."""
        with contextlib.suppress(OSError), open(f"/proc/{self.pid}/status") as status:
            caught = next(line.split()[1] for line in status if line.startswith("SigCgt"))
            return bool(int(caught, 16) >> signal.SIGTERM - 1 & 1)
        return False

    def send(self, number, whom):
        """A signal; its time."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if whom in ("group", "twice") else os.kill)(self.pid, number)
        return time.monotonic()


@pytest.fixture(scope="module")
def place():
    """The toy study, and a folder of results in which it is finished."""
    with studies.folder() as folder:
        file = studies.toy(folder)
        with studies.canned():
            studies.run_here(file, folder / "finished")
        yield folder


def interrupt(place, results, log, trial, chance):
    """Start the study, and interrupt it; the command, and the seconds until it had ended."""
    number, whom, when = trial
    results = place / "finished" if when == "table" else results
    running = Proper(place / "toy.yaml", results, log, workers=chance.choice([1, 2]))
    try:
        processes.wait_until(running.watches)
        if when == "loading":
            processes.wait_until(lambda: len(processes.in_session(running.pid)) > 2)
        elif when == "training":
            locked = (results / "unfinished").glob
            processes.wait_until(lambda: any(map(locks.holder_of, locked("*/lock"))))
        time.sleep(chance.uniform(0, 2.0 if when == "training" else 1.0))
        sent = running.send(number, whom)
        if whom == "twice":
            time.sleep(chance.uniform(0, 0.5))
            running.send(number, whom)
        running.process.wait(timeout=30)
        return running, time.monotonic() - sent
    finally:
        left = not processes.session_ends(running.pid)
        if left:
            os.killpg(running.pid, signal.SIGKILL)
        running.process.wait()
        assert not left, "processes were left behind"


def check(running, seconds, trial):
    """Exit status, one line, no traceback, in time; or it had ended before."""
    number, _, when = trial
    status, said = running.process.returncode, running.output
    told = f"{trial}: exit {status} after {seconds:.1f} s: {said}"
    has_ended_before = when == "table" and status == 0
    assert has_ended_before or status == STATUS[number], told
    assert seconds < LIMIT, told
    assert said.count(GO_ON) == (not has_ended_before and number is not signal.SIGKILL), told
    assert "Traceback" not in said, told


def test_however_it_is_interrupted_it_ends_at_once_and_goes_on(place, tally, draws):
    """Nobody is left behind, and the study that was cut off so often ends equal."""
    chance = random.Random(3)
    trials = draws(TRIALS, 4)
    for first in range(0, len(trials), 4):
        results = place / f"results{first}"
        for number, trial in enumerate(trials[first : first + 4], first):
            check(*interrupt(place, results, place / f"log{number}", trial, chance), trial)
            tally.faults += 1
        arguments = ["--results", results, "--workers", 2]
        with warm.Command("run", place / "toy.yaml", *arguments, log=place / "last") as last:
            assert last.wait() == 0, last.output

        evidence, tables = studies.reference()
        assert studies.evidence(results) == evidence
        assert studies.tables(place / "toy.yaml", results) == tables


def slowly_without_a_terminal():
    """In a command: it was started by `nohup`."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    studies.canned_slowly()


def test_what_a_process_was_started_to_ignore_it_ignores(place, tally):
    """As with `nohup`: the study goes on when the terminal is gone."""
    arguments = ["--results", place / "nohup", "--workers", 2]
    log = place / "nohup.log"
    with warm.Command(
        "run", place / "toy.yaml", *arguments, log=log, before=slowly_without_a_terminal
    ) as running:
        processes.wait_until(lambda: "[1/6]" in running.output)
        running.send(signal.SIGHUP)
        tally.faults += 1

        assert running.wait() == 0, running.output
        assert "[6/6]" in running.output
