"""What stands on a terminal when a command with bars ends, however it ends."""

import signal
import sys
import termios
import time

import pytest
from places import TESTS
from terminals import Terminal

from repro.cli.signals import GO_ON

# `repro run`, with a study that says a few things and then does as its last argument says.
COMMAND = """
import sys, time
from unittest import mock
from repro.execution import runner
from repro.cli import main
from repro.errors import ReproError
from repro.records.events import Remark, RunStarted, StudyStarted, StudyWarning

def run(study, results, *, on_event, **_):
    on_event(StudyStarted(total=3, done=0, workers=3))
    for n in "012":  # their bars are as wide as the window
        on_event(RunStarted(n, f"[x] {'y' * 90}, seed {n}", epochs=9, network_bytes=1))
    time.sleep(0.3)
    on_event(Remark("a remark with [brackets]"))
    on_event(StudyWarning("this is missing"))
    print("a library's warning", file=sys.stderr)
    on_event(Remark("begun"))
    if sys.argv[1] == "fail":
        raise ReproError("the disk is full")
    if sys.argv[1] == "hang":
        while True:
            try:
                time.sleep(60)
            except BaseException:
                pass
    time.sleep(60)

with mock.patch.object(runner, "run", run):
    main(["run", sys.argv[2], "--results", sys.argv[3], *sys.argv[4:]])
"""


def command(place, then, *options):
    """`repro run` in a terminal."""
    study = str(TESTS.parent / "studies" / "alpha_sweep.yaml")
    words = [sys.executable, "-c", COMMAND, then, study, str(place / "results"), *options]
    return Terminal(words, cwd=TESTS)


def begun(screen):
    """Whether the study has said what it says."""
    return "\nbegun" in screen.text or screen.text.startswith("begun")


def check(screen, last):
    """The last line is the last one, on its own, and the prompt begins below it."""
    *above, at_the_end = screen.text.splitlines()
    assert at_the_end == last
    assert (screen.column, screen.row) == (0, len(above) + 1)
    assert screen.shows_cursor
    assert above[:4] == [
        "a remark with [brackets]",
        "Warning: this is missing",
        "a library's warning",
        "begun",
    ]
    assert len(above) == 5
    assert above[4].startswith("study ━")


def shows_control_keys(terminal):
    """Whether Ctrl-C would be shown as ^C, as in every terminal."""
    return bool(termios.tcgetattr(terminal.ours)[3] & termios.ECHOCTL)


@pytest.mark.parametrize(
    ("how", "said", "status"),
    [("go on", "Interrupted", 130), ("hang", "Terminated", 143)],
    ids=["Ctrl-C", "SIGTERM, and it does not end by itself"],
)
def test_an_interrupted_command_says_so_in_the_last_line(tmp_path, how, said, status):
    """The bars are taken down, the line stands alone, the cursor is there again."""
    with command(tmp_path, how) as terminal:
        terminal.read_until(begun)
        time.sleep(0.3)  # bars are drawn ten times a second
        if said == "Terminated":
            terminal.process.send_signal(signal.SIGTERM)
        else:
            assert not shows_control_keys(terminal)
            terminal.type(b"\x03")
        assert terminal.read_to_the_end() == status
        assert shows_control_keys(terminal)

    if how == "hang":  # it is ended while bars are drawn: they stay, the line is there all the same
        assert terminal.screen.text.splitlines()[-1] == f"{said}. {GO_ON}"
        assert (terminal.screen.column, terminal.screen.shows_cursor) == (0, True)
    else:
        check(terminal.screen, f"{said}. {GO_ON}")


def test_a_mistake_that_ends_a_study_is_the_last_line(tmp_path):
    """Said after the bars are taken down."""
    with command(tmp_path, "fail") as terminal:
        assert terminal.read_to_the_end(seconds=60) == 1

    check(terminal.screen, "Error: the disk is full")
