"""R6, R7, R8: several processes at once on one study, one run, one folder; locks of every kind.

Every run is trained once, whoever comes too late says whom it waits for, the tables are right, and
nobody ever has to remove a lock by hand.
"""

import errno
import fcntl
import os
import random
import socket
import time
from pathlib import Path
from unittest import mock

import processes
import pytest

from faults import studies, warm
from repro.errors import ReproError
from repro.execution import runner
from repro.metrics import Count
from repro.records import checkpoint_store, locks, records
from repro.records.records import Record
from repro.training import single_run

OTHER = """\
  - {name: even, resampling: {combine: none}}
  - {name: rarest first, resampling: {alpha: 0.01}}
  - {name: rarest of all, resampling: {alpha: 0.001}}
"""
TAKES_OVER = 30.0  # seconds, on a shared machine; two are needed


@pytest.fixture
def place():
    """A folder where nothing waits for a disk."""
    with studies.folder() as folder:
        yield folder


def without_locks():
    """In a command: the file system has no locks."""
    studies.canned_slowly()
    fcntl.flock = no_flock


def no_flock(*_):
    """As where `flock` is not there."""
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def hangs():
    """In a command: training never ends."""
    single_run._train_and_evaluate = lambda *_: time.sleep(3600)


def start(file, results, log, before=studies.canned_slowly):
    """Run a study, two runs at a time."""
    options = ["--results", results, "--workers", 2, "--checkpoint-seconds", 0]
    return warm.Command("run", file, *options, log=log, before=before)


def test_one_study_is_run_by_one_process_at_a_time(tally, amount):
    """Two or three start within two seconds: each run is trained once, the others exit 3."""
    chance = random.Random(6)
    evidence, tables = studies.canned_reference()
    for trial in range(amount(2, 20)):
        with studies.folder() as place:
            file = studies.toy(place)
            running = []
            for number in range(2 + trial % 2):
                running.append(start(file, place / "results", place / f"log{number}"))
                time.sleep(chance.uniform(0, 1.0 if trial % 2 else 2.0))
            statuses = [one.wait() for one in running]
            tally.faults += len(running) - 1
            assert set(statuses) <= {0, 3}
            firsts = [one.pid for one, status in zip(running, statuses, strict=True) if not status]
            for one, status in zip(running, statuses, strict=True):
                says = f"process {firsts[0]} on {socket.gethostname()} is running toy"
                assert status == 0 or says in one.output or len(firsts) > 1
            trained = [key for one in running for key in one.trained]
            tally.wrong += len(trained) - len(set(trained))
            with studies.canned():
                tally.wrong += studies.evidence(place / "results") != evidence
                tally.wrong += studies.tables(file, place / "results") != tables

    assert tally.wrong == 0


def test_two_studies_that_share_runs_train_them_once(tally, amount):
    """At once, in one folder; each waits for what the other trains, and both tables are right."""
    chance = random.Random(7)
    _, tables = studies.canned_reference()
    _, others = studies.canned_reference(name="other", arms=OTHER)
    for _ in range(amount(2, 10)):
        with studies.folder() as place:
            files = studies.toy(place), studies.toy(place, name="other", arms=OTHER)
            running = []
            for file in files:
                running.append(start(file, place / "results", place / f"{file.stem}.log"))
                time.sleep(chance.uniform(0, 0.5))
            assert [one.wait() for one in running] == [0, 0], [one.output for one in running]
            tally.faults += 1
            trained = [key for one in running for key in one.trained]
            tally.wrong += len(trained) - len(set(trained))
            tally.wrong += studies.tables(files[0], place / "results") != tables
            tally.wrong += studies.tables(files[1], place / "results") != others

    assert tally.wrong == 0


def test_who_waits_for_a_run_takes_it_over_when_its_holder_is_killed(place, tally):
    """Nobody unlocks anything; it takes a moment."""
    files = studies.toy(place), studies.toy(place, name="other", arms=OTHER)
    results = place / "results"
    with start(files[0], results, place / "first", before=hangs) as first:
        processes.wait_until(lambda: held(results))
        with start(files[1], results, place / "second") as second:
            processes.wait_until(lambda: "is training it; waiting for it" in second.output)
            first.kill()
            killed = time.monotonic()
            assert second.wait() == 0, second.output
        tally.faults += 1

    assert time.monotonic() - killed < TAKES_OVER
    _, tables = studies.canned_reference(name="other", arms=OTHER)
    assert studies.tables(files[1], results) == tables


def held(results):
    """Whether somebody is training a run."""
    return any(map(locks.holder_of, (results / "unfinished").glob("*/lock")))


def test_where_there_are_no_locks_the_first_record_stands(tally, amount):
    """Two processes train everything twice; what is there in the end is right."""
    evidence, _ = studies.canned_reference()
    for _ in range(amount(1, 8)):
        with studies.folder() as place:
            file = studies.toy(place)
            logs = [place / "first", place / "second"]
            running = [start(file, place / "results", log, before=without_locks) for log in logs]
            for one in running:
                assert one.wait() == 0 or "cannot be written" in one.output
                assert "Traceback" not in one.output
            tally.faults += 1
            with studies.canned():
                studies.run_here(file, place / "results")
            tally.wrong += studies.evidence(place / "results") != evidence

    assert tally.wrong == 0


PARENT = os.getppid()
HOST = socket.gethostname()
SIGNS = {
    "a dead process": f"process {2**22 - 1} on {HOST}".encode(),
    "a process that lives": f"process {PARENT} on {HOST}".encode(),
    "this process, long ago": f"process {os.getpid()} on {HOST}".encode(),
    "another host": b"process 1 on elsewhere",
    "garbage": os.urandom(300),
    "nothing": b"",
    "a long text": b"process 1 on " + b"x" * 10_000,
}


@pytest.mark.parametrize("sign", SIGNS)
def test_what_a_locks_file_says_locks_nothing(sign, place, tally):
    """Left behind by whomever, it is signed anew; the study and each of its runs begin."""
    evidence, _ = studies.canned_reference()
    file, results = studies.toy(place), place / "results"
    for lock in locks_of(file, results):
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.write_bytes(SIGNS[sign])
        tally.faults += 1
    with studies.canned():
        studies.run_here(file, results)

    assert studies.evidence(results) == evidence


def locks_of(file, results):
    """The locks of a study and of its runs."""
    planned = studies.plan(file, results)
    of_runs = [checkpoint_store.folder_of(task.key, results) / "lock" for task in planned.tasks]
    return [records.index_path(planned.index, results).with_suffix(".lock"), *of_runs]


@pytest.mark.parametrize("which", [0, 1], ids=["study", "run"])
def test_a_folder_in_a_locks_place_is_named(which, place, tally):
    """It is somebody's mistake, and told so; without it the study goes on."""
    file, results = studies.toy(place), place / "results"
    lock = locks_of(file, results)[which]
    lock.mkdir(parents=True)
    tally.faults += 1
    with studies.canned():
        with pytest.raises(ReproError, match=f"{lock}: cannot be made \\(Is a directory\\)"):
            studies.run_here(file, results)
        lock.rmdir()
        studies.run_here(file, results)

    assert studies.evidence(results) == studies.canned_reference()[0]


def test_somebody_elses_lock_file_can_be_locked_but_not_signed(place, tally):
    """Readable is enough, and whoever meets it is told that somebody is there."""
    file, results = studies.toy(place), place / "results"
    index = studies.plan(file, results).index
    lock = records.index_path(index, results).with_suffix(".lock")
    lock.parent.mkdir(parents=True)
    lock.write_bytes(b"")
    lock.chmod(0o444)
    lock.parent.chmod(0o777)
    tally.faults += 1
    with studies.unprivileged(), locks.of_study(index, results) as first:
        with locks.of_study(index, results) as second:
            assert (first, second) == (None, "another process")
        assert lock.read_bytes() == b""


@pytest.mark.parametrize("code", ["ENOLCK", "ENOSYS", "EOPNOTSUPP", "EBADF"])
def test_a_file_system_without_locks_holds_up_nobody(code, place, tally, monkeypatch):
    """Everybody gets one."""

    def flock(*_):
        number = getattr(errno, code)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    tally.faults += 1
    with studies.canned():
        studies.run_here(studies.toy(place), place / "results")

    assert studies.evidence(place / "results") == studies.canned_reference()[0]


def test_what_another_process_mends_meanwhile_is_not_put_aside(place, tally):
    """Between the plan and the lock of a study, somebody else has trained the damaged run again."""
    file, results = studies.toy(place), place / "results"
    of_study, mended = locks.of_study, {}

    def late(index, folder):
        if not mended:
            mended[None] = None
            studies.run_here(file, results)
            mended.update(studies.identities(results))
        return of_study(index, folder)

    with studies.canned():
        studies.run_here(file, results)
        next((results / "runs").glob("*/record.json")).write_text("{")
        tally.faults += 1
        with mock.patch.object(runner.locks, "of_study", late):
            studies.run_here(file, results)

    mended.pop(None)
    assert studies.identities(results) == mended
    assert len(list((results / "aside").iterdir())) == 1


WRITERS = 8


def write_records():
    """In a command: write its own records, and those that everybody writes."""
    number, count = int(os.environ["WRITER"]), int(os.environ["COUNT"])
    for run in range(count):
        for owner in (str(number), "all"):
            key, groups = f"{owner}-seed{run}", {"a": Count(4, 3)}
            record = Record(key=key, seed=run, configuration={}, data={}, groups=groups)
            files = {"scores.csv": os.urandom(5000)}
            records.write_record(record, Path(os.environ["RESULTS"]), files)
    raise SystemExit(0)


def test_eight_writers_at_once_lose_nothing(place, tally, amount):
    """Everything that was written is there, once and whole, whoever came first."""
    count = amount(25, 200)
    begin = time.monotonic()
    writers = [
        warm.Command(
            log=place / f"log{number}",
            before=write_records,
            environment={"WRITER": str(number), "COUNT": str(count), "RESULTS": str(place)},
        )
        for number in range(WRITERS)
    ]
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    seconds = time.monotonic() - begin
    owners = [*map(str, range(WRITERS)), "all"]
    wanted = {f"{owner}-seed{run}" for owner in owners for run in range(count)}
    tally.faults += WRITERS - 1
    tally.lost += len(wanted - studies.evidence(place).keys())

    assert studies.evidence(place).keys() == wanted
    assert seconds < 60
