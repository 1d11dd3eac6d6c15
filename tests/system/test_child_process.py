"""Children, started as they are for users: whatever program starts them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import children
import processes as system
import pytest
from places import TESTS

from repro.system import child_process

LAUNCH = child_process.launch  # before the tests put their own in its place
PROGRAM = """\
import children
from repro.system import child_process
child = child_process.Child(children.echo)
child.send("asked")
print(child.answer()[0])
child.stop()
child.join()
"""
INDENTED = "\n".join(f"    {line}" for line in PROGRAM.splitlines())
THREAD = f"import threading\ndef go():\n{INDENTED}\nthreading.Thread(target=go).start()\n"
DAEMONIC = (
    f"import multiprocessing\ndef go():\n{INDENTED}\n"
    "worker = multiprocessing.get_context('fork').Process(target=go, daemon=True)\n"
    "worker.start(); worker.join()\n"
)
CELL = f"import code\ncode.InteractiveInterpreter().runsource({PROGRAM!r}, symbol='exec')\n"


@pytest.fixture(autouse=True)
def _as_for_users(monkeypatch):
    monkeypatch.setattr(child_process, "launch", LAUNCH)


@pytest.fixture
def begun():
    """Children that end with the test."""
    started = []
    yield started
    for child in started:
        child.stop()
        child.join()


def start(begun, prepare=children.echo):
    """A child with a request."""
    begun.append(child_process.Child(prepare))
    begun[-1].send("asked")
    return begun[-1]


def python(*arguments, folder, **options):
    """A program of the user's."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TESTS / "helpers")},
        **options,
    )


WAYS = {
    "file": lambda folder: python("script.py", folder=folder),
    "standard input": lambda folder: python("-", folder=folder, input=PROGRAM),
    "command": lambda folder: python("-c", PROGRAM, folder=folder),
    "cell": lambda folder: python("-c", CELL, folder=folder),
    "thread": lambda folder: python("-c", THREAD, folder=folder),
    "daemonic worker": lambda folder: python("-c", DAEMONIC, folder=folder),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_program_without_a_guard_can_have_children(way, tmp_path):
    """It runs once, and what its child prints is not mixed into its output."""
    (tmp_path / "script.py").write_text(PROGRAM)
    done = WAYS[way](tmp_path)

    assert (done.stdout, done.returncode) == ("asked\n", 0), done.stderr
    assert done.stderr == "a child loads\na child works\n"


def test_a_child_knows_our_modules_and_uses_one_thread(begun, monkeypatch):
    """The path of modules is ours; our own environment is left alone."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")

    assert start(begun).answer() == ("asked", "1", sys.path)
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_a_child_does_not_hear_ctrl_c(begun):
    """At no time: it is held back from before its start on."""
    child = start(begun)
    for _ in range(20):
        os.kill(child.process.pid, signal.SIGINT)
    first = child.answer()
    os.kill(child.process.pid, signal.SIGINT)
    child.send("again")

    assert (first[0], child.answer()[0]) == ("asked", "again")


def test_a_child_ends_with_its_parent_though_others_hold_its_pipe(tmp_path):
    """A copy of the parent by fork has every descriptor that the parent has."""
    program = PROGRAM.replace(
        "child.stop()",  # a line is one write, so that the lines of both do not mix
        "import os, time; line = f'{child.process.pid} {os.fork()}\\n'; os.write(1, line.encode())",
    ).replace("child.join()", "time.sleep(60)")
    with subprocess.Popen(
        [sys.executable, "-u", "-c", program],
        env={**os.environ, "PYTHONPATH": str(TESTS / "helpers")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        parent.stdout.readline()
        pids = sorted(
            [list(map(int, parent.stdout.readline().split())) for _ in range(2)], key=sum
        )[-1]
        child, copy = ([one for one in system.alive() if one.pid == pid] for pid in pids)
        parent.kill()
    try:
        assert child
        assert copy
        assert system.soon(lambda: not system.left(child))
        assert system.left(copy)
    finally:
        os.kill(pids[1], signal.SIGKILL)


def test_a_child_that_was_stopped_is_gone():
    """No zombie of it is left."""
    child = child_process.Child(children.echo)
    child.stop()
    child.join()

    assert not Path(f"/proc/{child.process.pid}").exists()


FATES = {
    children.unloadable: "exit status 1: ImportError: libtorch.so: cannot open shared object file",
    children.without_memory: "out of memory",
    children.killed: "killed by SIGKILL",
    children.ended: "exit status 7",
}


@pytest.mark.parametrize("prepare", FATES, ids=lambda prepare: prepare.__name__)
def test_a_child_that_ends_before_it_is_ready_says_how(prepare, begun, capfd):
    """Its last line, if it has said anything; and nothing reaches the user's screen."""
    with pytest.raises(child_process.NotStarted) as caught:
        start(begun, prepare).answer()

    assert str(caught.value) == FATES[prepare]
    assert capfd.readouterr() == ("", "")


def interpreter(folder, text):
    """A program in place of Python."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


BROKEN = {
    "none": (lambda _: "", "has no Python interpreter of its own"),
    "missing": (lambda folder: str(folder / "gone"), "No such file or directory"),
    "no program": (lambda folder: str(folder), "Permission denied"),
    "another program": (lambda folder: interpreter(folder, "echo hello"), "exit status 0; the exe"),
    "broken": (lambda folder: interpreter(folder, "echo no libc >&2; exit 3"), "Python: no libc;"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_interpreter_that_is_none_is_named(kind, tmp_path, monkeypatch):
    """As where a program embeds Python, or a virtual environment has lost its own."""
    make, said = BROKEN[kind]
    monkeypatch.setattr(sys, "executable", make(tmp_path))

    with pytest.raises(child_process.NotStarted, match=said):
        child_process.Child(children.echo)


def test_a_program_that_was_packed_into_one_file_does_not_start_itself(monkeypatch):
    """It would begin from the start, again and again."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    child_process._python.cache_clear()

    with pytest.raises(
        child_process.NotStarted, match="the executor `inline` needs no other process"
    ):
        child_process.Child(children.echo)
