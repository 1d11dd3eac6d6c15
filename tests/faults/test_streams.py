"""Closed and full streams, odd terminals and environments: a sentence or silence, no traceback."""

import io
import os
import subprocess
import sys

import pytest

from faults import studies
from repro.reporting.terminal import progress
from repro.system import standard_streams

COMMAND = f"{sys.executable} -m repro.cli"
BARE = "exec setpriv --reuid=12345 --regid=12345 --clear-groups env -i PATH=$PATH"
CAPABLE = "--inh-caps +dac_override --ambient-caps +dac_override"
COMMANDS = {
    "help": "--help",
    "status": "status",
    "plan": "plan toy.yaml --no-calibration",
    "run": "run toy.yaml --workers 1",
    "table": "table toy",
    "report": "report toy --out report",
    "doctor": "doctor",
    "studies": "studies",
    "audit": "audit numbers.csv",
    "replication": "replication --theirs -20 6 --ours -12 5",
    "show": "show toy/even/0",
    "figures": "figures toy --only recall",
    "data info": "data info pictures",
    "data fetch": "data fetch --list",
}
QUICK = ("help", "status")
FULL = "Error: standard output cannot be written (No space left on device)"
CLOSED = "Error: standard output cannot be written (Bad file descriptor)"
# How the command stands in a line of the shell; its exit status, None for its usual one; and what
# it says on standard error at least.
FAULTS = {
    "closed input": ("{} <&-", None, ""),
    "closed output": ("{} >&-", 1, CLOSED),
    "closed error": ("{} 2>&-", None, ""),
    "closed all": ("{} <&- >&- 2>&-", 1, ""),
    "full output": ("{} >/dev/full", 1, FULL),
    "full error": ("{} 2>/dev/full", None, ""),
    "a reader that ends": ("{} | true; exit ${{PIPESTATUS[0]}}", 141, ""),
    "a reader of all that ends": ("{} 2>&1 | true; exit ${{PIPESTATUS[0]}}", 141, ""),
    "Latin-1": ("PYTHONIOENCODING=latin-1 {}", None, ""),
    "ASCII": ("PYTHONIOENCODING=ascii {}", None, ""),
    "no locale": ("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {}", None, ""),
    "no docstrings": ("PYTHONOPTIMIZE=2 {}", None, ""),
    "warnings are errors": ("PYTHONWARNINGS=error {}", None, ""),
    "a dumb terminal": ("TERM=dumb COLUMNS=1 LINES=1 {}", None, ""),
    "few files": ("ulimit -n 32; {}", None, ""),
    "private files": ("umask 077; {}", None, ""),
    "no home": ("env -u HOME {}", None, ""),
    "an empty home": ("HOME= {}", None, ""),
    "a deleted folder": ("mkdir gone; cd gone; rmdir ../gone; {}", "any", ""),
}
ROOT_ONLY = {
    "an unknown user": (f"{BARE.replace('--clear', CAPABLE + ' --clear')} {{}}", "any", ""),
}


@pytest.fixture(scope="module")
def place():
    """A folder with a study that has run, numbers, and a picture that is none."""
    with studies.folder() as folder, studies.canned():
        studies.run_here(studies.toy(folder, replicates=2), folder / "results")
        numbers = "arm,alpha,recall,variance\nA,0.1,90.1,2.2\nB,0.2,91.1,2.1\n"
        (folder / "numbers.csv").write_text(numbers)
        (folder / "pictures").mkdir()
        (folder / "pictures" / "one.png").write_bytes(b"no picture")
        yield folder


def done(line, place):
    """A line of the shell, carried out.

    Python itself complains of a relative entry of its path where the folder is gone.
    """
    path = os.pathsep.join(filter(os.path.isabs, sys.path))
    return subprocess.run(
        ["bash", "-c", line],
        cwd=place,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        check=False,
        timeout=300,
    )


PAIRS = [(fault, name) for fault in FAULTS for name in COMMANDS]
QUICK_PAIRS = [(fault, QUICK[n % len(QUICK)]) for n, fault in enumerate(FAULTS)]


def check(ended, status, said):
    """No traceback, the status, and a sentence where one can be read."""
    errors = ended.stderr.decode(errors="replace")
    for text in (errors, ended.stdout.decode(errors="replace")):
        assert "Traceback" not in text
        assert "Exception ignored" not in text
    if status != "any":
        assert ended.returncode == status, errors
    assert said in errors
    return errors


def test_odd_streams_and_environments_cause_no_traceback(place, draws, tally):
    """Nineteen faults of what is around a command, with every command on the whole list."""
    usual = {}
    for fault, name in draws(PAIRS, QUICK_PAIRS):
        line, status, said = FAULTS[fault]
        command = f"{COMMAND} {COMMANDS[name]}"
        if status is None and name not in usual:
            usual[name] = done(command, place).returncode
        expected = usual[name] if status is None else status
        if name == "data info" and status not in (None, "any"):
            expected = "any"  # it has nothing to print
        check(done(line.format(command), place), expected, "" if expected == "any" else said)
        tally.faults += 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be an unknown user")
def test_a_user_that_no_list_knows_needs_no_home(place, draws, tally):
    """As in a container that is started with a user's number."""
    for name in draws(COMMANDS, QUICK):
        line, _, _ = ROOT_ONLY["an unknown user"]
        ended = done(line.format(f"PYTHONPATH=$PYTHONPATH {COMMAND} {COMMANDS[name]}"), place)
        check(ended, "any" if name == "data info" else 0, "")
        tally.faults += 1


def test_help_does_not_need_docstrings(place, tally):
    """`python -OO` drops them, and help has the same words."""
    texts = [
        done(f"{COMMAND[:-13]} {flags} -m repro.cli {words} --help", place).stdout
        for words in ("table", "data info")
        for flags in ("", "-OO")
    ]

    tally.faults += 2
    assert texts[0] == texts[1]
    assert texts[2] == texts[3]
    assert b"Print the table of STUDY" in texts[0]


def test_a_study_goes_on_when_its_terminal_closes(place, monkeypatch, tmp_path, tally):
    """Lines of progress that nobody can read are no reason to stop training."""
    with open("/dev/full", "wb") as full:
        raw = standard_streams._Error(full.fileno(), "w", closefd=False)
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, write_through=True))
        display = progress.Lines()
        with studies.canned():
            file = studies.toy(tmp_path, arms=studies.ONE_ARM)
            studies.run_here(file, tmp_path / "results", watcher=display)

    tally.faults += 1
    assert display.done == 2
