"""R9, R10, R11: MLflow is down, slow, flapping, full, fresh or killed while it writes.

The study neither stops nor waits, its evidence is the same, and a later ``repro sync`` makes MLflow
equal to it, with nothing left RUNNING there.
"""

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import socket
import sqlite3
import threading
import time
import urllib.request
from dataclasses import replace

import mirrors
import pytest
import stores
from mirrors import FAILED, FIGURES, INDEX, RECORD, TABLE, holding, write_study

from repro.records import records
from repro.records.mlflow import mirror_process, sqlite_store, synchronisation
from repro.records.mlflow.mirror import Mirror
from repro.records.mlflow.mirror_process import ALLOWANCE, START_UP, Scribe
from repro.records.records import ArmIndex

ARM = "alpha 0.1"
FOUND = [RECORD, FAILED, replace(RECORD, key="a-seed2", seed=2)]
KEYS = [record.key for record in FOUND]
STUDY = replace(INDEX, arms=[ArmIndex(name=ARM, keys=KEYS)])
AT_ONCE = 30.0  # seconds that handing over may take while the study runs, on a busy machine
pytestmark = pytest.mark.usefixtures("loaded")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return mirrors.template(tmp_path_factory)


@pytest.fixture(scope="module")
def whole(template, tmp_path_factory):
    """What a mirror holds that met no fault."""
    results = mirrors.copy_template(template, tmp_path_factory.mktemp("whole") / "results")
    write_study(results, STUDY, FOUND)
    synchronise(results)
    return holding(results)


@pytest.fixture
def fresh(template, tmp_path):
    """Gives folders with a study's records and an empty mirror."""

    def make(name):
        results = mirrors.copy_template(template, tmp_path / name)
        write_study(results, STUDY, FOUND)
        return results

    return make


@pytest.fixture(scope="module")
def warm():
    """Starts processes that have MLflow loaded already."""
    return multiprocessing.get_context("forkserver")


def synchronise(results):
    return synchronisation.synchronise(results, summary=lambda _: (TABLE, FIGURES))


def running(results):
    """Runs that MLflow calls RUNNING, those in its bin included."""
    with contextlib.closing(sqlite3.connect(sqlite_store.database(results))) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM runs WHERE status NOT IN ('FINISHED', 'FAILED', 'KILLED')"
        ).fetchone()
    return count


def evidence(results):
    """Every byte that is not MLflow's."""
    files = [*(results / "runs").rglob("*"), *(results / "studies").rglob("*.json")]
    return {path: path.read_bytes() for path in files if path.is_file()}


class Study:
    """A study of three runs, and the seconds that its mirror costs it."""

    def __init__(self, results, prepare=mirror_process.prepare):
        """Nothing has cost anything yet."""
        self.results, self.prepare = results, prepare
        self.seconds, self.warnings = 0.0, []

    def run(self, before=lambda number: None, longest=lambda number: 60.0):
        """Every run, trained until its mirror rests or for the longest time; then the page."""
        with Scribe(self.results, self.warnings.append, prepare=self.prepare) as scribe:
            for number, key in enumerate(KEYS):
                before(number)
                self.timed(AT_ONCE, scribe.add, STUDY, ARM, key)
                end = time.monotonic() + longest(number)
                while scribe._waiting and not scribe._rests and time.monotonic() < end:
                    self.timed(AT_ONCE, scribe.pump)
                    time.sleep(0.02)
            limit = START_UP + ALLOWANCE * len(KEYS)
            self.timed(limit, scribe.settle)
            if self.timed(limit, scribe.wants_page, STUDY):
                self.timed(limit, scribe.finish, STUDY, TABLE, files=FIGURES)
        assert self.seconds < limit
        assert multiprocessing.active_children() == []
        return self

    def timed(self, limit, call, *arguments, **options):
        """What a call gives, and what it costs."""
        started = time.monotonic()
        answer = call(*arguments, **options)
        seconds = time.monotonic() - started
        assert seconds < limit
        self.seconds += seconds
        return answer


@contextlib.contextmanager
def lock(results, exclusive=True):
    """Another process that writes, and does not come to an end."""
    mode = "EXCLUSIVE" if exclusive else "IMMEDIATE"
    writer = sqlite3.connect(sqlite_store.database(results), isolation_level=None)
    try:
        writer.execute(f"BEGIN {mode}")
        yield
    finally:
        writer.close()


def locked_from(first):
    """The database is locked from that run on."""

    @contextlib.contextmanager
    def fault(results):
        with contextlib.ExitStack() as held:
            yield lambda number: number == first and held.enter_context(lock(results))

    return fault


@contextlib.contextmanager
def flapping(results):
    """Locked for half a second, and free for half a second."""
    over = threading.Event()

    def flap():
        while not over.wait(0.5):
            with contextlib.suppress(sqlite3.OperationalError), lock(results, exclusive=False):
                over.wait(0.5)

    thread = threading.Thread(target=flap)
    thread.start()
    try:
        yield lambda number: None
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def instead(results):
    """A file in the place of the folder."""
    folder = sqlite_store.database(results).parent
    shutil.rmtree(folder)
    folder.write_text("not a folder")
    yield lambda number: None
    folder.unlink()


@contextlib.contextmanager
def folder_instead(results):
    """A folder in the place of the database."""
    path = sqlite_store.database(results)
    path.unlink()
    path.mkdir()
    yield lambda number: None
    path.rmdir()


@contextlib.contextmanager
def damaged(results):
    """No database at all; it stays so, and synchronisation sets it aside."""
    sqlite_store.database(results).write_bytes(b"not a database" * 100)
    yield lambda number: None


@contextlib.contextmanager
def damaged_later(results):
    """From the second run on."""

    def scribble(number):
        if number == 1:
            content = bytearray(sqlite_store.database(results).read_bytes())
            content[:4096] = b"\xff" * 4096
            sqlite_store.database(results).write_bytes(content)

    yield scribble


@contextlib.contextmanager
def newer(results):
    """The database of another release of MLflow."""
    with contextlib.closing(sqlite3.connect(sqlite_store.database(results))) as other, other:
        other.execute("UPDATE alembic_version SET version_num = 'newer'")
    yield lambda number: None


@contextlib.contextmanager
def missing(results):
    """Somebody deletes the mirror while the study runs."""
    yield lambda number: number == 1 and shutil.rmtree(sqlite_store.database(results).parent)


@contextlib.contextmanager
def read_only(results):
    """Nobody may write there."""
    folder = sqlite_store.database(results).parent
    sqlite_store.database(results).chmod(0o444)
    folder.chmod(0o555)
    yield lambda number: None
    folder.chmod(0o755)
    sqlite_store.database(results).chmod(0o644)


def signalled(number):
    """The process that writes is sent a signal before the second run."""

    @contextlib.contextmanager
    def fault(_results):
        def strike(run):
            if run == 1:
                (child,) = multiprocessing.active_children()
                os.kill(child.pid, number)

        yield strike

    return fault


@contextlib.contextmanager
def nothing(_results):
    """What is wrong is in the process itself."""
    yield lambda number: None


FAULTS = {  # name: fault, what the process does first, None if the study need not warn
    "locked at the end": (locked_from(2), mirror_process.prepare, True),
    "flapping": (flapping, mirror_process.prepare, None),
    "killed": (signalled(signal.SIGKILL), mirror_process.prepare, True),
    "locked": (locked_from(0), mirror_process.prepare, True),
    "locked from the middle on": (locked_from(1), mirror_process.prepare, True),
    "a file in its place": (instead, mirror_process.prepare, True),
    "a folder in its place": (folder_instead, mirror_process.prepare, True),
    "damaged": (damaged, mirror_process.prepare, True),
    "damaged later": (damaged_later, mirror_process.prepare, True),
    "of another release": (newer, mirror_process.prepare, True),
    "deleted": (missing, mirror_process.prepare, True),
    "full": (nothing, stores.on_a_full_disk, True),
    "slow": (nothing, stores.slowly, None),
    "not installed": (nothing, stores.without_mlflow, True),
    **({} if os.geteuid() == 0 else {"read-only": (read_only, mirror_process.prepare, True)}),
}
QUICK = 1


def test_a_study_goes_on_whatever_its_store_does_and_sync_completes_it(fresh, whole, draws, tally):
    """The wait is within the allowance, evidence is untouched, nothing stays RUNNING."""
    for name in draws(FAULTS, QUICK):
        fault, prepare, warns = FAULTS[name]
        results = fresh(name)
        before = evidence(results)
        with fault(results) as strike:
            study = Study(results, prepare).run(strike)
        assert len(study.warnings) in ((0, 1) if warns is None else (1,)), name
        assert evidence(results) == before, name
        synchronise(results)
        assert holding(results) == whole, name
        assert running(results) == 0, name
        tally.faults += 1


def test_a_store_that_accepts_and_hangs_costs_the_allowance(
    fresh, whole, amount, draws, tally, monkeypatch
):
    """The process is there and does nothing: after the first run, or from the beginning."""
    monkeypatch.setattr(mirror_process, "SILENCE", amount(2.0, mirror_process.SILENCE))
    cases = [
        (1, signalled(signal.SIGSTOP), mirror_process.prepare),
        (0, nothing, stores.standing_still),
    ]
    for first, fault, prepare in draws(cases, 1):
        results, trained = fresh(f"hanging from {first}"), [60.0] * first + [1.0] * len(KEYS)
        with fault(results) as strike:
            study = Study(results, prepare).run(strike, longest=trained.__getitem__)
        synchronise(results)

        tally.faults += 1
        assert len(study.warnings) == 1
        assert "MLflow takes too long" in study.warnings[0]
        assert (holding(results) == whole, running(results)) == (True, 0)


class Tracker:
    """A server that somebody's own MLflow settings name; it counts who comes."""

    def __init__(self, answer):
        """Listen; answer with these bytes, or not at all if there are none."""
        self.answer, self.visits = answer, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):  # closed
            while True:
                visitor = held.enter_context(self.socket.accept()[0])
                self.visits += 1
                if self.answer:
                    visitor.sendall(self.answer)
                    visitor.close()


ANSWERS = {
    "hangs": b"",
    "fails": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "is busy": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n",
    "is not known": None,
}
SETTINGS = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_S3_ENDPOINT_URL",
    "MLFLOW_TELEMETRY_URL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
)


def test_a_tracker_of_the_user_is_never_asked(fresh, whole, draws, tally, monkeypatch):
    """Whatever it would answer; ours is a file. That it counts is seen by asking it ourselves."""
    for name, answer in draws(ANSWERS.items(), 1):
        results = fresh(name)
        tracker = Tracker(answer or b"")
        with monkeypatch.context() as patched:
            for setting in SETTINGS:
                address = "http://no-such-host.invalid" if answer is None else tracker.url
                patched.setenv(setting, address)
            patched.setenv("MLFLOW_ENABLE_WORKSPACES", "true")
            patched.setenv("MLFLOW_WORKSPACE", "theirs")
            patched.setenv("MLFLOW_EXPERIMENT_NAME", "theirs")
            patched.setenv("MLFLOW_TRACKING_PASSWORD", "theirs")
            patched.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
            study = Study(results).run()
            synchronised = str(synchronise(results))

        assert (study.warnings, tracker.visits) == ([], 0), name
        assert synchronised == "3 runs in 1 study: 0 added, 0 renewed, 0 removed"
        assert (holding(results) == whole, running(results)) == (True, 0)
        with contextlib.suppress(OSError):
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                tracker.url, timeout=0.2
            )
        assert tracker.visits == 1
        tracker.socket.close()
        tally.faults += 1


def test_many_first_starts_at_once_all_come_through(tmp_path, warm, amount, tally):
    """On a database that is not there yet, which MLflow alone breaks for good."""
    many = amount(4, 8)
    for trial in range(amount(1, 10)):
        results = tmp_path / f"trial {trial}"
        studies = [replace(STUDY, name=f"study{number}") for number in range(many)]
        for index in studies:
            write_study(results, index, FOUND if index is studies[0] else [])
        start = warm.Barrier(len(studies))
        processes = [
            warm.Process(target=stores.first_start, args=(results, index, start))
            for index in studies
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)

        assert [process.exitcode for process in processes] == [0] * many
        synchronise(results)
        held = holding(results)
        assert running(results) == 0
        assert {f"study{number}/embedded" for number in range(many)} < held.keys()
        assert len(list(sqlite_store.database(results).parent.glob(".*"))) == 0
        tally.faults += many


def test_a_mirror_that_is_killed_while_it_writes_is_put_right_by_the_next(
    fresh, whole, warm, amount, tally
):
    """Opened again or synchronised, by turns: nothing RUNNING, no run twice, all there."""
    dice = random.Random(11)
    for trial in range(amount(3, 24)):
        results, longest = fresh(f"trial {trial}"), 1.0
        if trial % 4 == 2:  # while it builds the database
            shutil.rmtree(sqlite_store.database(results).parent)
            longest = 4.0
        begun = warm.Event()
        victim = warm.Process(
            target=stores.write_all, args=(results, STUDY, (TABLE, FIGURES), begun)
        )
        victim.start()
        assert begun.wait(60)
        time.sleep(dice.uniform(0, longest))
        victim.kill()
        victim.join()
        if trial % 2:
            synchronise(results)
        else:
            again = Mirror(results)
            again.wants_page(STUDY)
            assert running(results) == 0
            for key in KEYS:
                again.add(STUDY, ARM, records.read_record(key, results))
            if again.wants_page(STUDY):
                again.finish(STUDY, TABLE, files=FIGURES)

        assert holding(results) == whole
        assert running(results) == 0
        tally.faults += 1


def test_runs_whose_rows_were_not_committed_are_not_there(fresh, whole, warm, tally):
    """Artifacts that were linked for them are in nobody's way."""
    results = fresh("rows")
    victim = warm.Process(target=stores.die_before_the_commit, args=(results, STUDY))
    victim.start()
    victim.join(60)
    left = {name: held for name, held in holding(results).items() if "train/loss" in held}
    synchronise(results)

    tally.faults += 1
    assert (victim.exitcode, left) == (-signal.SIGKILL, {})
    assert (holding(results) == whole, running(results)) == (True, 0)
