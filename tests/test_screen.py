"""What stands on a terminal when a command with bars ends, however it ends."""

import signal
import sys
import time
from pathlib import Path

import pytest
from terminals import Terminal

from repro.cli.signals import GO_ON

TESTS = Path(__file__).parent
# `repro run`, with a study that says a few things and then does as its last argument says.
COMMAND = """
import sys, time
from pathlib import Path
from unittest import mock
from types import SimpleNamespace
from repro import runner
from repro.cli import main
from repro.errors import ReproError

def run(study, results, *, progress, **_):
    choices = SimpleNamespace(epochs=9)
    tasks = [SimpleNamespace(key=n, title=f"[x], seed {n}", configuration=choices) for n in "012"]
    progress.begin(total=3, done=0, workers=3)
    for task in tasks:
        progress.started(task)
    time.sleep(0.3)
    progress.remark("a remark with [brackets]")
    progress.warn("this is missing")
    print("a library's warning", file=sys.stderr)
    progress.remark("begun")
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


@pytest.mark.parametrize(
    ("how", "said", "status"),
    [("Ctrl-C", "Interrupted", 130), ("SIGTERM", "Terminated", 143), ("hang", "Interrupted", 130)],
)
def test_an_interrupted_command_says_so_in_the_last_line(tmp_path, how, said, status):
    """The bars are taken down, the line stands alone, the cursor is there again."""
    with command(tmp_path, how) as terminal:
        terminal.read_until(begun)
        time.sleep(0.3)  # bars are drawn ten times a second
        if how == "SIGTERM":
            terminal.process.send_signal(signal.SIGTERM)
        else:
            terminal.type(b"\x03")
        assert terminal.read_to_the_end() == status

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
