"""R23, R28, R34: what must not matter does not: workers, order, hash seed, places, clocks."""

import datetime
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pytest

from faults import studies
from repro import execution, provenance, runner, study

TOY = {"replicates": 1, "keep": 1}
RUN = """
import pathlib, sys
from faults import studies
studies.run_here(*map(pathlib.Path, sys.argv[1:]))
"""
PLACES = {
    "spaces": "my results",
    "unicode": "Ergebnisse für Zoë 結果",
    "long": "r" * 200,
    "nested": "a/b/c/d",
    "percent and question mark": "100 %?",
    "quotes": 'it\'s "so"',
    "a leading dash": "-results",
    "a leading dot": ".results",
}


@pytest.fixture
def place():
    """A folder where nothing waits for a disk."""
    with studies.folder() as folder:
        yield folder


def equal_to_the_reference(file, results, tally, *, canned):
    """Whether evidence and tables are those of the undisturbed study."""
    expected = studies.canned_reference(**TOY) if canned else studies.reference(**TOY)
    is_equal = (studies.evidence(results), studies.tables(file, results)) == expected
    tally.faults += 1
    tally.wrong += not is_equal
    return is_equal


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_number_of_workers_does_not_matter(place, workers, tally):
    """Real training in worker processes of their own."""
    file = studies.toy(place, **TOY)
    with mock.patch.object(provenance, "commit", return_value=None):
        runner.run(
            study.load(file),
            place / "results",
            slots=["cpu"] * workers,
            progress=studies.Watcher(),
            mirror=studies.Nothing(),
        )

    assert equal_to_the_reference(file, place / "results", tally, canned=False)


def test_the_order_of_the_runs_does_not_matter(place, tally):
    """Shuffled, in one process, real training."""
    file = studies.toy(place, **TOY)

    def shuffled(tasks, *, slots):
        return studies.here(random.Random(3).sample(tasks, len(tasks)), slots=slots)

    studies.run_here(file, place / "results", execute=shuffled, checkpoint_seconds=1e9)

    assert equal_to_the_reference(file, place / "results", tally, canned=False)


def test_the_hash_seed_does_not_matter(place, tally, amount):
    """In processes of their own."""
    file = studies.toy(place, **TOY)
    for seed in range(1, 1 + amount(1, 3)):
        results = place / f"results {seed}"
        subprocess.run(
            [sys.executable, "-c", RUN, file, results],
            check=True,
            capture_output=True,
            cwd=Path(studies.__file__).parent.parent,
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
        )

        assert equal_to_the_reference(file, results, tally, canned=False)


@pytest.mark.parametrize("where", PLACES)
def test_the_name_of_the_results_folder_does_not_matter(place, where, tally):
    """Any name that a file system takes."""
    file, results = studies.toy(place, **TOY), place / PLACES[where]
    with studies.canned():
        studies.run_here(file, results)

    assert equal_to_the_reference(file, results, tally, canned=True)


def test_a_link_to_the_results_folder_does_as_well(place, tally):
    """Both names hold the same."""
    file = studies.toy(place, **TOY)
    (place / "real").mkdir()
    (place / "link").symlink_to(place / "real")
    with studies.canned():
        studies.run_here(file, place / "link")

    assert equal_to_the_reference(file, place / "real", tally, canned=True)


def test_a_relative_results_folder_does_as_well(place, tally, monkeypatch):
    """It is below where the command is called."""
    file = studies.toy(place, **TOY)
    monkeypatch.chdir(place)
    with studies.canned():
        studies.run_here(file, Path("results"))

    assert equal_to_the_reference(file, place / "results", tally, canned=True)


class Backwards(datetime.datetime):
    """A clock that was put back by an hour each time that it is looked at."""

    looks = 0

    @classmethod
    def now(cls, tz=None):
        """The time, as a clock that jumps has it."""
        cls.looks += 1
        return super().now(tz) - datetime.timedelta(hours=cls.looks)


def test_a_clock_that_jumps_makes_no_negative_duration(place, tally, monkeypatch):
    """And no other result: seconds are measured, not subtracted from times of day."""
    file = studies.toy(place, **TOY)
    monkeypatch.setattr(execution, "datetime", Backwards)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600 * Backwards.looks)
    watcher = studies.run_here(file, place / "results", checkpoint_seconds=1e9)
    kept = [path.read_text() for path in (place / "results" / "runs").glob("*/record.json")]

    assert len(watcher.finished) == len(kept) == 3
    assert not any('"seconds": -' in text for text in kept)
    assert equal_to_the_reference(file, place / "results", tally, canned=False)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns", "Europe/Amsterdam"])
def test_the_time_zone_does_not_matter(place, zone, tally, monkeypatch):
    """Times in records are universal; no run is taken for stale for it."""
    file = studies.toy(place, **TOY)
    with studies.canned():
        studies.run_here(file, place / "results")
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        try:
            again = studies.run_here(file, place / "results")
        finally:
            monkeypatch.undo()
            time.tzset()

    assert again.begun == []
    assert equal_to_the_reference(file, place / "results", tally, canned=True)
