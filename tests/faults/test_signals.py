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

import pytest

from faults import studies, warm
from repro import locks
from repro.interruptions import GO_ON

LIMIT = 7.0
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}

# Which signal, to whom, and when: from the moment on when the command watches for signals, from
# the first run that trains on, or while a finished study prints its table.
TRIALS = [
    (signal.SIGINT, "group", "start"),
    (signal.SIGTERM, "parent", "training"),
    (signal.SIGHUP, "group", "training"),
    (signal.SIGKILL, "parent", "training"),
    (signal.SIGINT, "twice", "training"),
    (signal.SIGTERM, "group", "start"),
    (signal.SIGINT, "group", "table"),
    (signal.SIGKILL, "parent", "start"),
    (signal.SIGINT, "parent", "training"),
    (signal.SIGINT, "twice", "table"),
    (signal.SIGHUP, "parent", "table"),
    (signal.SIGTERM, "group", "training"),
    (signal.SIGINT, "twice", "start"),
    (signal.SIGKILL, "parent", "table"),
    (signal.SIGHUP, "group", "start"),
    (signal.SIGINT, "group", "training"),
    (signal.SIGTERM, "parent", "table"),
    (signal.SIGINT, "parent", "start"),
    (signal.SIGHUP, "parent", "training"),
    (signal.SIGINT, "twice", "training"),
]


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
                # A shell's background jobs ignore Ctrl-C, and so would what they start.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
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
        studies.run_here(file, folder / "finished", checkpoint_seconds=1e9)
        yield folder


def interrupt(place, log, number, whom, when, chance):
    """Start the study, and interrupt it; the command, and the seconds until it had ended."""
    results = place / ("finished" if when == "table" else "results")
    running = Proper(place / "toy.yaml", results, log, workers=chance.choice([1, 2]))
    try:
        warm.wait_until(running.watches)
        if when == "training":
            locked = (results / "unfinished").glob
            warm.wait_until(lambda: any(map(locks.holder_of, locked("*/lock"))))
        time.sleep(chance.uniform(0, 2.0 if when == "training" else 1.0))
        sent = running.send(number, whom)
        if whom == "twice":
            time.sleep(chance.uniform(0, 0.5))
            running.send(number, whom)
        running.process.wait(timeout=30)
        return running, time.monotonic() - sent
    finally:
        if not warm.gone(running.pid):
            os.killpg(running.pid, signal.SIGKILL)
            raise AssertionError("processes were left behind")


def test_however_it_is_interrupted_it_ends_at_once_and_goes_on(place, tally, amount):
    """Exit status, one line, no traceback, nobody left behind; at last the table is right."""
    chance = random.Random(3)
    for number, (sent, whom, when) in enumerate(TRIALS[: amount(4, len(TRIALS))]):
        log = place / f"log{number}"
        running, seconds = interrupt(place, log, sent, whom, when, chance)
        said = running.output
        tally.faults += 1
        trial = f"{sent.name} to {whom}, {when}: exit {running.process.returncode}, {said!r}"
        has_ended_before = when == "table" and running.process.returncode == 0
        assert has_ended_before or running.process.returncode == STATUS[sent], trial
        assert seconds < LIMIT, trial
        assert said.count(GO_ON) == (0 if has_ended_before or sent is signal.SIGKILL else 1), trial
        assert "Traceback" not in said, trial
    arguments = ["--results", place / "results", "--workers", 2]
    with warm.Command("run", place / "toy.yaml", *arguments, log=place / "last") as last:
        assert last.wait() == 0, last.output

    evidence, tables = studies.reference()
    assert studies.evidence(place / "results") == evidence
    assert studies.tables(place / "toy.yaml", place / "results") == tables
