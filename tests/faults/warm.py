"""``repro`` in processes of their own that begin at once, for tests that end them at any moment.

They are forked from a process that has loaded torch, and their workers are forked from them: a
study starts in a twentieth of a second and not in five. Each is the leader of a session, to which
all that it starts belongs. What differs from the command proper: no mirror, and workers are forked.
"""

import atexit
import contextlib
import functools
import importlib
import json
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path

TESTS = Path(__file__).parent.parent
PATHS = os.pathsep.join([str(TESTS), str(TESTS / "helpers")])


class Command:
    """A command that is running, or has ended.

    Attributes:
        pid: Of its process and session.
        status: As `subprocess` has it, once it has ended.
    """

    def __init__(self, *arguments, log, before=None, environment=None):
        """Start it.

        Args:
            arguments: Of ``repro``.
            log: Where its output goes; which runs it trained is noted beside.
            before: A function of a module, called in its process before it begins.
            environment: Changes of its environment.
        """
        self.log, self.status = log, None
        ours, theirs = os.pipe()
        request = {
            "arguments": [str(argument) for argument in arguments],
            "log": str(log),
            "before": before and [before.__module__, before.__qualname__],
            "environment": environment or {},
        }
        socket.send_fds(_server(), [json.dumps(request).encode()], [theirs])
        os.close(theirs)
        self._said = os.fdopen(ours, "rb", buffering=0)
        self.pid = int(self._said.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.wait()

    def send(self, number):
        """Send a signal to its process alone."""
        if not self._has_ended():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def send_all(self, number):
        """Send a signal to everything that it started, as a terminal does."""
        if not self._has_ended():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def kill(self):
        """End everything at once."""
        self.send_all(signal.SIGKILL)

    def wait(self):
        """Until it has ended; its status."""
        if self.status is None:
            self.status = int(self._said.readline())
            self._said.close()
        return self.status

    def _has_ended(self):
        """Whether its number may be somebody else's by now."""
        return self.status is not None or bool(select.select([self._said], [], [], 0)[0])

    @property
    def output(self):
        """All that it has said."""
        return self.log.read_text()

    @property
    def trained(self):
        """The runs whose training it began, or went on with."""
        noted = Path(f"{self.log}.trained")
        return noted.read_text().split() if noted.exists() else []


@functools.cache
def _server():
    """A connection to the process from which commands are forked; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    code = f"from faults import warm; warm._serve({theirs.fileno()})"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        pass_fds=[theirs.fileno()],
        env=os.environ | {"PYTHONPATH": PATHS, "OMP_NUM_THREADS": "1"},
    )
    theirs.close()
    atexit.register(lambda: (ours.close(), process.wait()))
    return ours


def _serve(descriptor):
    """Fork a command for each request, until whoever asks is gone."""
    _load()
    link = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, (*descriptors,), _, _ = socket.recv_fds(link, 1 << 16, 1)
        if not message:
            os._exit(0)  # to give back all that was loaded would take longer than a study
        (out,) = descriptors
        if os.fork() == 0:
            link.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if (pid := os.fork()) == 0:
                _become(json.loads(message), out)
            _, status = os.waitpid(pid, 0)
            with contextlib.suppress(BrokenPipeError):
                os.write(out, f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os._exit(0)
        os.close(out)


def _load():
    """All that a small study loads."""
    from builders import execute

    from faults import studies
    from repro.cli import exhibits  # noqa: F401

    with studies.canned(), studies.folder() as place:
        studies.run_here(studies.toy(place), place / "results")
        studies.tables(place / "toy.yaml", place / "results")
    with studies.folder() as place:
        (task, *_) = studies.plan(studies.toy(place), place / "results").tasks
        execute(task)


def _become(request, out):
    """In the new process: be the command."""
    os.setsid()
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(request["environment"])
    time.tzset()
    os.write(out, f"{os.getpid()}\n".encode())
    os.close(out)
    try:
        _run(request)
    except SystemExit as end:
        multiprocessing.util._exit_function()
        sys.stdout.flush()
        os._exit(end.code)
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
        os._exit(1)


def _run(request):
    from repro.cli import main

    if request["before"] is not None:
        module, name = request["before"]
        getattr(importlib.import_module(module), name)()
    _stand_in(request["log"])
    main(request["arguments"], prog_name="repro")


def _stand_in(log):
    """Forked workers, no mirror, and a note of each run whose training begins."""
    import children

    from faults.studies import Nothing
    from repro.records.mlflow import mirror, mirror_process
    from repro.system import child_process
    from repro.training import single_run

    child_process.launch = children.started_by("fork")
    os.register_at_fork(after_in_child=_answer_signals_plainly)
    mirror_process.Scribe = mirror.Mirror = Nothing
    outcome = single_run._train_and_evaluate

    def noted(task, material, begun, *first):
        with open(f"{log}.trained", "a") as notes:
            notes.write(f"{task.key}\n")
        return outcome(task, material, begun, *first)

    single_run._train_and_evaluate = noted


def _answer_signals_plainly():
    """A spawned worker would not have its parent's handlers."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
