"""A study's log: everything, with the time, and never in the way."""

import re
from pathlib import Path

import pytest
from builders import HISTORY, RECORD, RUN
from click.testing import CliRunner

from repro.cli import main
from repro.errors import ReproError
from repro.execution import runner
from repro.records.events import (
    EpochEnded,
    Remark,
    RunHeld,
    RunRecorded,
    RunStarted,
    StudyStarted,
    StudyWarning,
)
from repro.reporting.terminal import progress
from repro.reporting.terminal.run_log import Log
from repro.system.atomic_files import CannotWrite

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ")
LINES = [
    "2 runs, 0 done before, 1 worker",
    "x, seed 0: started (k-seed0)",
    "x, seed 0: epoch 1/2, loss 0.5, validation accuracy 0.900, 1,234 images/s",
    "x, seed 0: process 7 is training it; waiting for it",
    "[1/2] x, seed 0: recall 75.0 %, false positives 50.0 %, 12 s, 1,850 images/s",
    "a remark",
    "of two lines",
    "Warning: something is missing",
]


EVENTS = [  # everything that can happen
    StudyStarted(total=2, done=0, workers=1),
    RunStarted(*RUN, epochs=2, network_bytes=0),
    EpochEnded(*RUN, epochs=2, history=HISTORY, images_per_second=1234.5),
    RunHeld(*RUN, "process 7"),
    RunHeld(*RUN, "process 7"),
    RunRecorded(*RUN, RECORD),
    Remark("a remark\nof two lines"),
    StudyWarning("something is missing"),
]


def tell(on_event):
    """All of it."""
    for event in EVENTS:
        on_event(event)


def read(path):
    """The lines without their times, each of which is there."""
    lines = path.read_text().splitlines()
    assert all(STAMP.match(line) for line in lines)
    return [STAMP.sub("", line, count=1) for line in lines]


def test_everything_is_written_at_once_with_its_time(tmp_path):
    """Whoever reads while the study runs sees all that has happened; the end is told."""
    path = tmp_path / "logs" / "study.log"
    with Log(path, warn=pytest.fail) as log:
        tell(log.on_event)
        assert read(path) == LINES

    assert read(path) == [*LINES, "ended: 1 of 2 runs have a record"]


def test_a_log_is_continued(tmp_path):
    """What stands there stays."""
    for _ in range(2):
        with Log(tmp_path / "log", warn=pytest.fail):
            pass

    assert read(tmp_path / "log") == ["ended: 0 of 0 runs have a record"] * 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ReproError("the disk is full"), "Error: the disk is full"),
        (KeyboardInterrupt(), "interrupted: 0 of 0 runs have a record"),
        (ValueError("ours"), "Error: ValueError: ours"),
    ],
)
def test_a_log_says_what_ended_the_study(tmp_path, error, said):
    """A mistake, Ctrl-C, a defect."""
    with pytest.raises(type(error)), Log(tmp_path / "log", warn=pytest.fail):
        raise error

    assert read(tmp_path / "log")[0] == said


def test_what_would_move_a_cursor_is_written_out(tmp_path):
    """A log is read in terminals."""
    with Log(tmp_path / "log", warn=pytest.fail) as log:
        log.remark("an arm called \x1b[2J")

    assert "\x1b" not in (tmp_path / "log").read_text()


def test_a_full_disk_costs_the_log_and_one_warning():
    """The study goes on."""
    warnings = []
    with Log(Path("/dev/full"), warn=warnings.append) as log:
        tell(log.on_event)

    assert warnings == [
        "/dev/full: the log cannot be written any more (No space left on device); the study "
        "continues without it"
    ]


def test_a_log_that_cannot_be_written_is_refused_before_anything_is_trained(tmp_path):
    """A folder is no log."""
    with pytest.raises(CannotWrite, match=r"the log cannot be written \(Is a directory\)"):
        Log(tmp_path, warn=pytest.fail)
    command = ["run", "alpha_sweep", "--log", str(tmp_path), "--results", str(tmp_path / "none")]
    done = CliRunner().invoke(main, command)

    assert done.exit_code == 1
    assert "the log cannot be written" in done.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("options", [(), ("--quiet",), ("--quiet", "--log")])
def test_a_quiet_run_says_errors_and_warnings_alone(tmp_path, monkeypatch, options):
    """A log has the rest all the same."""

    def run(_study, _results, *, on_event, **_):
        tell(on_event)
        raise ReproError("the disk is full")

    monkeypatch.setattr(runner, "run", run)
    log = tmp_path / "log"
    options = [*options, str(log)] if "--log" in options else options
    command = ["run", "alpha_sweep", "--results", str(tmp_path / "results"), *options]
    done = CliRunner().invoke(main, command)

    warned = "Warning: something is missing\nError: the disk is full\n"
    assert done.exit_code == 1
    assert (done.stderr == warned) == bool(options)
    assert done.stderr.endswith(warned)
    if "--log" in options:
        assert read(log)[1:9] == LINES
        assert read(log)[0].startswith("alpha_sweep (embedded), results in ")


def test_several_displays_show_the_same(tmp_path):
    """In their order, all of it."""
    with (
        Log(tmp_path / "a", warn=pytest.fail) as first,
        Log(tmp_path / "b", warn=pytest.fail) as second,
    ):
        tell(progress.Together(first, second).on_event)

        assert [read(log.path) for log in (first, second)] == [LINES, LINES]
