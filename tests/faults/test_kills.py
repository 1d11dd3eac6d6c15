"""R1: everything is killed at any moment, and again; nothing is lost, done twice or different."""

import os
import random
import signal
import subprocess
import sys
import time

import processes
import pytest

from faults import studies, warm

SECONDS = 15.0  # that a start of the command proper may take until it trains


@pytest.fixture(scope="module")
def size(amount):
    """Two seeds of three arms, or five."""
    return amount(studies.SIZE, {"replicates": 5, "keep": 3})


@pytest.fixture(scope="module")
def seconds(size):
    """What the whole study takes here, about."""
    begin = time.monotonic()
    studies.reference(**size)
    return time.monotonic() - begin


def command(file, results, *, workers):
    """The words after `repro`."""
    options = ["--results", results, "--workers", workers, "--checkpoint-seconds", 0]
    return list(map(str, ["run", file, *options]))


def finish(place, number):
    """Start the study again and let it end; the runs that it trained."""
    arguments = command(place / "toy.yaml", place / "results", workers=2)
    with warm.Command(*arguments, log=place / f"log{number}") as last:
        assert last.wait() == 0, last.output
        return last.trained


def test_killed_at_any_moment_a_study_ends_as_if_it_had_not_been(tally, amount, size, seconds):
    """Records, weights, models, tables are equal to the byte; what was finished is left alone."""
    chance = random.Random(1)
    wanted = amount(3, 34)
    while tally.faults < wanted:
        with studies.folder() as place:
            file = studies.toy(place, **size)
            results, log = place / "results", 0
            while tally.faults < wanted:
                before = studies.identities(results)
                delay = chance.uniform(0, 0.6 * seconds)
                arguments = command(file, results, workers=1 + log % 2)
                with warm.Command(*arguments, log=place / f"log{log}") as running:
                    time.sleep(delay)
                    running.kill()
                    status = running.wait()
                assert processes.session_ends(running.pid)
                check(tally, before, results, running.trained)
                log += 1
                if status == 0:
                    break
                assert status == -signal.SIGKILL
                tally.faults += 1
            before = studies.identities(results)
            check(tally, before, results, finish(place, log))
            compare(tally, file, results, size)

    assert (tally.lost, tally.wrong) == (0, 0)


def check(tally, before, results, trained):
    """What was finished before is where it was, and was not trained again."""
    after = studies.identities(results)
    tally.lost += sum(after.get(key) != identity for key, identity in before.items())
    tally.wrong += len(before.keys() & set(trained))


def compare(tally, file, results, size):
    """What came out is what comes out without a fault, once."""
    evidence, tables = studies.reference(**size)
    found = studies.evidence(results)
    tally.lost += len(evidence.keys() - found.keys())
    tally.wrong += sum(evidence.get(key) != record for key, record in found.items())
    tally.wrong += studies.tables(file, results) != tables
    assert not list((results / "unfinished").glob("[!.]*"))


def test_the_command_proper_survives_it_too(tally, draws, size, tmp_path):
    """Spawned workers, the mirror's process, files on a disk; from the first import on."""
    chance = random.Random(2)
    delays = sorted(chance.uniform(0.5, SECONDS) for _ in range(6))
    file, results = studies.toy(tmp_path, **size), tmp_path / "results"
    for delay in draws(delays, 1):
        before = studies.identities(results)
        running = subprocess.Popen(
            [sys.executable, "-m", "repro.cli", *command(file, results, workers=2)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(delay)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        assert processes.session_ends(running.pid)
        tally.faults += 1
        check(tally, before, results, [])
    before = studies.identities(results)
    check(tally, before, results, finish(tmp_path, 0))
    compare(tally, file, results, size)

    assert (tally.lost, tally.wrong) == (0, 0)
