"""Pipes, devices, sockets, folders and files of the system in place of input files: refused."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from faults import studies
from repro.cli import main
from repro.records import records
from repro.system import input_file

SECONDS = 20  # for a command that refuses a file; it would wait for ever
KINDS = {
    "a pipe": os.mkfifo,
    "a socket": lambda path: _socket(path),
    "a folder": os.mkdir,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a terminal": lambda path: path.symlink_to("/dev/ptmx"),
    "the kernel's messages": lambda path: path.symlink_to("/proc/kmsg"),
}
# Where a user names a file, {} in a command.
INPUTS = {
    "study": ("x.yaml", "plan {}"),
    "study that has run": ("x.yaml", "table {} --results results"),
    "results to audit": ("x.csv", "audit {}"),
    "published numbers": ("x.yaml", "audit numbers.csv --published {}"),
    "labels": ("x.yaml", "table toy --results results --labels {}"),
    "catalogue": ("x.yaml", "data fetch --catalogue {}"),
    "training images": ("x.h5", "data info {} --as h5"),
    "training images of a study": ("x.h5", "plan toy.yaml --no-calibration --set data.train={}"),
    "images whose kind no name says": (
        "images",
        "plan toy.yaml --no-calibration --set data.train={}",
    ),
    "table of pictures": ("x.csv", "data info {} --as csv"),
    "table of a study": ("x.csv", "plan toy.yaml --no-calibration --set data.test={}"),
    "classes to leave out": ("x.txt", "data prepare --without {} faces:pictures out.h5"),
    "log": ("x.log", "run toy.yaml --results results --log {}"),
}


def _socket(path):
    """Bound, and left there; the address is relative, because a long one is refused."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(before)


@pytest.fixture(autouse=True)
def _patience():
    """A test that waits for a file ends with an error."""

    def too_long(*_):
        raise TimeoutError(f"it waits for more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, too_long)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The working directory, with a toy study, numbers and a picture."""
    studies.toy(tmp_path)
    (tmp_path / "numbers.csv").write_text("arm,alpha,recall,variance\nA,0.1,90.1,2.2\n")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", INPUTS)
def test_what_is_no_file_is_refused(kind, role, place, tally):
    """Each kind in each place: one sentence that names it, at once, and exit status 1."""
    name, command = INPUTS[role]
    if role in ("labels", "study that has run", "log"):
        with studies.canned():
            studies.run_here(studies.toy(place, arms=studies.ONE_ARM), place / "results")
    if role == "log" and kind in ("a device", "a terminal", "the kernel's messages"):
        pytest.skip("a log may go to a device")
    KINDS[kind](place / name)
    signal.alarm(SECONDS)
    began = time.monotonic()
    done = CliRunner().invoke(main, command.format(name).split())

    tally.bad_inputs += 1
    assert time.monotonic() - began < SECONDS
    assert done.exit_code in (1, 2), (done.output, done.exception)  # 2: click itself refuses it
    assert isinstance(done.exception, SystemExit)
    assert name in done.output


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_of_studies_passes_over_what_is_no_file(kind, place, tally):
    """The folder in which it is asked for may hold anything."""
    KINDS[kind](place / "pipe.yaml")
    signal.alarm(SECONDS)
    done = CliRunner().invoke(main, ["studies"])

    tally.bad_inputs += 1
    assert done.exit_code == 0
    assert "alpha_sweep" in done.output


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [records.RECORD, records.SCORES, "index", "lock"])
def test_a_results_folder_with_pipes_is_told_and_not_waited_for(kind, name, place, tally):
    """`status`, `doctor`, `table`, `show` and `plan` end, without a traceback."""
    with studies.canned():
        file = studies.toy(place, arms=studies.ONE_ARM)
        studies.run_here(file, place / "results")
    key = next((place / "results" / "runs").glob("[!.]*"))
    paths = {
        "index": next((place / "results" / "studies").rglob("*.json")),
        "lock": place / "results" / "unfinished" / key.name / "lock",
    }
    path = paths.get(name, key / name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    KINDS[kind](path)
    commands = (["status"], ["doctor"], ["table", "toy"], ["show", key.name])
    for words in (*commands, ["plan", "toy.yaml", "--no-calibration"]):
        signal.alarm(SECONDS)
        done = CliRunner().invoke(main, [*words, "--results", "results"])

        tally.bad_inputs += 1
        assert done.exit_code in (0, 1), done.output
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception


def test_files_without_an_end_are_read_up_to_a_limit(tmp_path, tally):
    """A link to a device is found before it is opened; a large file by its size."""
    (tmp_path / "large").write_bytes(b"x" * 11)

    tally.bad_inputs += 1
    with pytest.raises(input_file.TooLarge, match="more than 10 bytes"):
        input_file.read(tmp_path / "large", most_bytes=10)
    assert input_file.read(tmp_path / "large", most_bytes=11) == b"x" * 11
