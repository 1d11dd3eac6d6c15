"""R15: workers are killed, crash or run out of memory; only the run that they had is repeated.

With the same seed, from its checkpoint, three times at most. A run that ends every worker has
failed and stays in the denominator; it is tried again only where that is asked for.
"""

import ctypes
import os
import random
import signal
import threading
import time

import children
import numpy as np
import processes
import pytest
import torch

from faults import studies, warm
from repro.execution import scheduler
from repro.execution.executors import local
from repro.records import records
from repro.records.events import EpochEnded
from repro.records.task import LOST
from repro.training import single_run

FIVE = {"replicates": 5, "keep": 3, "arms": studies.ONE_ARM}


def killed():
    """As by the system's own guard of its memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed_later():
    """While it is idle, or has the next run."""
    threading.Timer(0.1, killed).start()


FATES = {
    "killed": (killed, "killed by SIGKILL"),
    "crashed": (lambda: ctypes.string_at(0), "killed by SIGSEGV"),
    "aborted": (os.abort, "killed by SIGABRT"),
    "ended": (lambda: os._exit(7), "exit status 7"),
    "without memory for torch": (lambda: torch.empty(1 << 50), "out of memory"),
    "without memory for NumPy": (lambda: np.empty(1 << 50), "out of memory"),
}
STARVED = [fate for fate, (_, how) in FATES.items() if how == "out of memory"]
LOSING = [fate for fate in FATES if fate not in STARVED]  # after them a run counts as failed


@pytest.fixture
def place():
    """A folder where nothing waits for a disk."""
    with studies.folder() as folder:
        yield folder


def dying():
    """In a command: the chosen runs end their workers in the second epoch, so many times."""
    chosen = dict(entry.split("=") for entry in os.environ["FATES"].split(";") if entry)

    def outcome(task, material, begun, *_):
        name = f"{task.arm}-{task.seed}"
        diary = task.results.parent / f"{name}.epochs"
        for event in studies.canned_training(task, material, begun):
            yield event
            if not isinstance(event, EpochEnded):
                continue
            epoch = event.history["epoch"]
            with diary.open("a") as lines:
                lines.write(f"{epoch:.0f}\n")
            if epoch == 2 and name in chosen:
                times, fate = chosen[name].split(",")
                if diary.read_text().split().count("2") <= int(times):
                    FATES[fate][0]()

    single_run._train_and_evaluate = outcome


def killed_between():
    """In a command: every worker is killed a moment after its first run."""

    def outcome(task, material, begun, *_):
        marker = task.results.parent / f"killed-{os.getpid()}"
        if not marker.exists() and len(list(marker.parent.glob("killed-*"))) < 3:
            marker.touch()
            killed_later()
        time.sleep(0.04)
        return studies.canned_training(task, material, begun)

    single_run._train_and_evaluate = outcome


def run(place, log, *options, fates=None, before=dying, status=0):
    """Run the study; the command when it has ended."""
    chosen = ";".join(f"{name}={times},{fate}" for name, (times, fate) in (fates or {}).items())
    arguments = ["--results", place / "results", "--workers", 2, "--checkpoint-seconds", 0]
    command = warm.Command(
        *("run", place / "toy.yaml", *arguments, *options),
        log=place / log,
        before=before,
        environment={"FATES": chosen},
    )
    assert command.wait() == status, command.output
    return command


def epochs(place, name):
    """The epochs of a run, as they were told."""
    return (place / f"{name}.epochs").read_text().split()


def runs(place):
    """Arm and seed of every run of the study, and its key."""
    planned = studies.plan(place / "toy.yaml", place / "results")
    return {f"{task.arm}-{task.seed}": task.key for task in planned.tasks}


def test_a_run_whose_worker_dies_goes_on_in_another(place, tally):
    """Six ways to die, once or twice: from the checkpoint, and no bit is another."""
    evidence, tables = studies.canned_reference()
    file = studies.toy(place)
    fates = {
        name: (1 + number % 2, fate)
        for number, (name, fate) in enumerate(zip(runs(place), FATES, strict=True))
    }
    run(place, "log", fates=fates)
    tally.faults += sum(times for times, _ in fates.values())
    tally.wrong += studies.evidence(place / "results") != evidence
    tally.wrong += studies.tables(file, place / "results") != tables

    assert tally.wrong == 0
    for name, (times, _) in fates.items():
        assert epochs(place, name) == ["1", *["2"] * times, "2", "3"]


def test_a_run_that_ends_every_worker_has_failed(place, tally):
    """After three of them, with the reason; again only with --retry-lost, and then it ends well."""
    evidence, tables = studies.canned_reference()
    file, results = studies.toy(place), place / "results"
    fates = dict(zip(list(runs(place))[:4], [(99, fate) for fate in LOSING], strict=True))
    first = run(place, "first", fates=fates)
    tally.faults += 3 * len(fates)
    for name, key in runs(place).items():
        failure = records.read_record(key, results).failure
        if name not in fates:
            assert failure is None
            continue
        fate = FATES[fates[name][1]][1]
        assert failure == {"epoch": 3, "term": LOST, "reason": f"its worker ended 3 times ({fate})"}
        assert first.trained.count(key) == 3
    again = run(place, "again")
    assert again.trained == []
    retried = run(place, "retried", "--retry-lost")

    assert len(retried.trained) == len(fates)
    assert studies.evidence(results) == evidence
    assert studies.tables(file, results) == tables


def test_a_run_without_memory_has_no_record(place, tally):
    """The machine has failed and not the method: the others end, status 1, and it can be done."""
    evidence, tables = studies.canned_reference()
    file, results = studies.toy(place), place / "results"
    starved = list(runs(place))[2:4]
    fates = dict(zip(starved, [(3, fate) for fate in STARVED], strict=True))
    first = run(place, "first", fates=fates, status=1)
    tally.faults += 3 * len(fates)

    assert len(studies.identities(results)) == 4
    assert first.output.splitlines()[-1].startswith("Error: 2 runs had no memory at 3 attempts (")
    run(place, "again")
    assert studies.evidence(results) == evidence
    assert studies.tables(file, results) == tables


def test_a_study_without_memory_at_large_stops(place, tally):
    """No run has ended when the first is given up: the others are not tried three times each."""
    studies.toy(place, arms=studies.ONE_ARM)
    fates = dict.fromkeys(runs(place), (99, STARVED[0]))
    done = run(place, "log", "--workers", 1, fates=fates, status=1)
    tally.faults += 3

    assert len(done.trained) == 3
    assert studies.identities(place / "results") == {}


def test_a_study_of_failed_runs_alone_is_no_success(place, tally):
    """Its table is printed, then why it is empty; so it is the next time, and exit status 1."""
    studies.toy(place, arms=studies.ONE_ARM)
    fates = {"even-0": (99, "killed"), "even-1": (99, "killed")}
    first = run(place, "first", fates=fates, status=1)
    again = run(place, "again", status=1)
    tally.faults += 6
    *table, error = again.output.splitlines()

    assert first.output.splitlines()[-1] == error
    assert error == (
        "Error: toy@embedded: all 2 runs failed, so there are no results (worker: its worker "
        "ended 3 times (killed by SIGKILL)); --retry-lost repeats runs whose worker was lost"
    )
    assert any(line.split()[:1] == ["even"] for line in table)


def test_the_table_says_how_many_of_five_have_numbers(tally, draws):
    """Fewer than are kept make a dash; flaky ones have all their numbers; none is status 1."""
    _, tables = studies.canned_reference(**FIVE)
    everything = [(failing, times) for failing in range(6) for times in (99, 2)]
    for failing, times in draws(everything, [(1, 99), (3, 99)]):
        with studies.folder() as place:
            file = studies.toy(place, **FIVE)
            chosen = random.Random(failing).sample(range(5), failing)
            fates = {f"even-{seed}": (times, "killed") for seed in chosen}
            all_fail = failing == 5 and times >= scheduler.ATTEMPTS
            run(place, "log", fates=fates, status=int(all_fail))
            printed = studies.tables(file, place / "results")
        tally.faults += min(times, 3) * failing
        if times < scheduler.ATTEMPTS or not failing:
            assert printed == tables
            continue
        row = next(line for line in printed[1].splitlines() if line.startswith("| even |"))
        assert f" {5 - failing}/5 [" in row
        assert row.startswith("| even | — | — |") == (5 - failing < FIVE["keep"])
        assert "its worker ended 3 times (killed by SIGKILL)" in printed[1]


def test_a_worker_that_dies_between_two_runs_costs_nothing(place, tally):
    """It is replaced; whichever run it had by then is repeated."""
    studies.toy(place)
    run(place, "log", before=killed_between)
    tally.faults += len(list(place.glob("killed-*")))

    assert studies.evidence(place / "results") == studies.canned_reference()[0]


UNPREPARED = {
    "unloadable": "exit status 1",
    "without_memory": "out of memory",
    "killed": "killed by SIGKILL",
    "ended": "exit status 7",
}


def broken():
    """In a command: its workers cannot begin."""
    local._prepare = getattr(children, os.environ["WORKERS"])


@pytest.mark.parametrize("fate", UNPREPARED)
def test_workers_that_cannot_begin_fail_no_run(fate, place, tally):
    """The machine or the installation is broken: said in a sentence, and no run is blamed."""
    studies.toy(place)
    arguments = ["--results", place / "results", "--workers", 2]
    command = warm.Command(
        *("run", place / "toy.yaml", *arguments),
        log=place / "log",
        before=broken,
        environment={"WORKERS": fate},
    )
    tally.faults += 1

    assert command.wait() == 1
    assert command.output.splitlines()[-1] == (
        f"Error: workers cannot start here ({UNPREPARED[fate]}); no run is recorded as failed for "
        "that: fix it (fewer workers need less memory) and run the same again"
    )
    assert list((place / "results" / "runs").iterdir()) == []


def test_workers_that_are_killed_while_they_train_cost_no_bits(tally, amount):
    """Real training, at random times; two are killed a study, so that no run is given up."""
    chance = random.Random(8)
    evidence, _ = studies.reference()
    for _ in range(amount(1, 10)):
        with studies.folder() as place:
            file = studies.toy(place)
            arguments = ["--results", place / "results", "--checkpoint-seconds", 0]
            running = warm.Command("run", file, *arguments, log=place / "log")
            for _ in range(scheduler.ATTEMPTS - 1):
                processes.wait_until(lambda pid=running.pid: len(processes.in_session(pid)) > 1)
                time.sleep(chance.uniform(0, 1.5))
                workers = [one.pid for one in processes.below(running.pid)]
                for pid in workers[:1]:
                    os.kill(pid, signal.SIGKILL)
                    tally.faults += 1
            assert running.wait() == 0, running.output
            tally.wrong += studies.evidence(place / "results") != evidence

    assert tally.wrong == 0
