"""R23, R28, R34: the same numbers whatever runs beside, in which order, where, by which clock."""

import datetime
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import commands
import pytest
from builders import execute

from faults import studies, warm
from repro.execution import scheduler
from repro.records import records
from repro.training import run_clock, single_run

LATER = datetime.timedelta(hours=1)


@pytest.fixture
def place():
    """A folder where nothing waits for a disk."""
    with studies.folder() as folder:
        yield folder


def shuffled():
    """In a command: runs start in another order."""
    run_tasks = scheduler.run_tasks

    def in_another_order(tasks, executor):
        tasks = list(tasks)
        random.Random(int(os.environ["ORDER"])).shuffle(tasks)
        return run_tasks(tasks, executor)

    scheduler.run_tasks = in_another_order


def test_neither_number_nor_order_changes_a_number(tally, draws):
    """One, two or four runs at a time, seeds and arms shuffled."""
    evidence, tables = studies.reference()
    for workers, order in draws([(w, o) for w in (1, 2, 4) for o in (1, 2)], [(4, 1)]):
        with studies.folder() as place:
            file, results = studies.toy(place), place / "results"
            command = warm.Command(
                *("run", file, "--results", results, "--workers", workers),
                log=place / "log",
                before=shuffled,
                environment={"ORDER": str(order)},
            )
            assert command.wait() == 0, command.output
            tally.faults += 1
            tally.wrong += studies.evidence(results) != evidence
            tally.wrong += studies.tables(file, results) != tables

    assert tally.wrong == 0


ENVIRONMENTS = [
    {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "2", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "2", "MKL_NUM_THREADS": "2", "TZ": "America/St_Johns"},
    {"PYTHONHASHSEED": "0", "LC_ALL": "tr_TR.UTF-8", "COLUMNS": "20"},
    {"PYTHONOPTIMIZE": "1", "PYTHONUTF8": "0", "LANG": "de_DE.ISO-8859-1"},
]
ONE_RUN = """\
import sys
from pathlib import Path
from builders import execute
from faults import studies
task = studies.plan(Path(sys.argv[1]), Path(sys.argv[2])).tasks[int(sys.argv[3])]
execute(task)
"""


def test_the_environment_changes_no_number(place, tally, draws):
    """Order of hashes, threads, time zone, language: for one run each, in a fresh process."""
    evidence, _ = studies.reference()
    path = os.pathsep.join([warm.PATHS, *filter(None, [os.environ.get("PYTHONPATH")])])
    for number, environment in enumerate(draws(ENVIRONMENTS, 1)):
        file, results = studies.toy(place), place / str(number)
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", ONE_RUN, file, results, str(number)],
            env=os.environ | environment | {"PYTHONPATH": path},
            check=True,
        )
        tally.faults += 1
        tally.wrong += not studies.evidence(results).items() <= evidence.items()

    assert tally.wrong == 0


NAMES = {
    "a space": "my results",
    "Unicode": "Ergebnisse für 結果 é",
    "200 characters": "r" * 200,
    "a percent sign": "100%25 of %s",
    "a hash and a question": "what?#here&there",
    "quotes": 'it\'s "quoted"',
    "brackets": "[runs]*{a,b}",
    "a leading dash": "-results",
    "a new line": "two\nlines",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_folders_name_changes_no_number(name, place, tally):
    """Results and study file there; the table finds them by file and by name."""
    evidence, tables = studies.canned_reference()
    file, results = studies.toy(place / NAMES[name]), place / NAMES[name] / "results"
    with studies.canned():
        studies.run_here(file, results)
    tally.faults += 1

    assert studies.evidence(results) == evidence
    assert studies.tables(file, results) == tables
    assert studies.tables("toy", results) == tables


def test_a_link_and_a_relative_path_lead_to_the_same_results(place, tally, monkeypatch):
    """Whichever way a study comes there, it finds its runs."""
    evidence, tables = studies.canned_reference()
    file, results = studies.toy(place), place / "results"
    results.mkdir()
    (place / "link").symlink_to(results)
    (place / "below").mkdir()
    monkeypatch.chdir(place / "below")
    trained = []
    with studies.canned():
        for way in (place / "link", Path("../results"), results, Path("../below/../link/")):
            trained.append(len(studies.run_here(file, way).begun))
            tally.faults += 1

    assert trained == [6, 0, 0, 0]
    assert studies.evidence(results) == evidence
    assert studies.tables(file, Path("../link")) == tables


def test_the_command_proper_bears_such_names_too(place, tally, draws):
    """From another working folder; where MLflow cannot, the study can."""
    evidence, tables = studies.reference(replicates=1, keep=1)
    names = ("Unicode", "a percent sign", "a hash and a question", "200 characters")
    for name in draws(names, 1):
        file = studies.toy(place / NAMES[name], replicates=1, keep=1)
        command = ["run", file.name, "--results", "results", "--workers", "1"]
        done = subprocess.run(
            commands.with_a_figure(*command),
            cwd=file.parent,
            env=os.environ | {"PYTHONPATH": str(Path(single_run.__file__).parent.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        tally.faults += 1
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert studies.evidence(file.parent / "results") == evidence
        assert studies.tables(file, file.parent / "results") == tables


class JumpingClock(datetime.datetime):
    """A clock that is set by an hour each time that it is read."""

    jumps = 0

    @classmethod
    def now(cls, tz=None):
        """The wrong time."""
        cls.jumps += 1
        return datetime.datetime.now(tz) + LATER * (-1) ** cls.jumps


@pytest.mark.parametrize("jump", ["forth and back", "back for good", "another zone", "summer time"])
def test_a_clock_that_jumps_changes_no_number(jump, place, tally, monkeypatch):
    """No duration is negative, no time is without its zone, nothing is trained again for it."""
    evidence, _ = studies.reference()
    task = studies.plan(studies.toy(place), place / "results").tasks[0]
    now, read = time.time, iter(range(10**9))
    if jump == "forth and back":
        monkeypatch.setattr(run_clock, "datetime", JumpingClock)
        monkeypatch.setattr(time, "time", lambda: now() + 3600 * (-1) ** next(read))
    elif jump == "back for good":
        monkeypatch.setattr(time, "time", lambda: now() - 3600 * (next(read) > 0))
    monkeypatch.setenv("TZ", "UTC")

    def on_epoch(*_):
        zone = {"another zone": "Pacific/Kiritimati", "summer time": "XST1XDT,J1/0,J365/23"}
        monkeypatch.setenv("TZ", zone.get(jump, "UTC"))
        time.tzset()

    execute(task, on_epoch=on_epoch)
    monkeypatch.undo()
    time.tzset()
    tally.faults += 1
    times = records.read_record(task.key, task.results).provenance

    assert studies.evidence(task.results) == {task.key: evidence[task.key]}
    assert 0 < times["seconds"] < 600
    assert times["images_per_second"] > 0
    assert datetime.datetime.fromisoformat(times["started"]).utcoffset() == datetime.timedelta()


@pytest.mark.parametrize("hours", [-24, 24])
def test_the_age_of_a_file_says_nothing(hours, place, tally):
    """Records of tomorrow and of yesterday are as good as today's."""
    file, results = studies.toy(place), place / "results"
    with studies.canned():
        studies.run_here(file, results)
        for path in results.rglob("*"):
            os.utime(path, (time.time() + 3600 * hours,) * 2)
        tally.faults += 1

        assert studies.run_here(file, results).begun == []
