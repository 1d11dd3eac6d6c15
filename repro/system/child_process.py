"""Child processes that answer requests: one thread each, ended with their parent.

A child is a Python of its own that imports this module, and nothing of the program that starts it.
So it does not matter what that program is: a script without ``if __name__ == "__main__":``, lines
on standard input, a notebook. However the parent ends, its children end within a moment: each
watches it from a thread.

With its first request a child loads what it needs, and is ``ready``. While it works on a request it
says any number of things, and ends with its answer. What they mean is the business of whoever
starts the child.
"""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import IO, Any, Literal

from repro.errors import ReproError

GRACE = 2.0  # seconds that a child has to end when asked
GLANCE = 0.2  # seconds between two looks of a child at its parent
PATIENCE = 60.0  # seconds for a Python to say that it is one
LONGEST = 300  # characters of a child's last line
NO_MEMORY = 75  # status of a child that could not get the memory it needed
NO_OTHER = "the executor `inline` needs no other process"
PROBE = "print(6 * 7)"
BOOT = (
    "import sys; from multiprocessing.connection import Connection; "
    "parent = Connection(int(sys.argv[1])); sys.path[:] = parent.recv(); "
    "from repro.system import child_process; child_process.main(parent, *map(int, sys.argv[2:]))"
)

Word = Literal["ready", "said", "ended"]
Say = Callable[[Any], None]
Answer = Callable[[Any, Say], Any]


class Gone(Exception):
    """The child ended before its answer; the text says how."""


class NotStarted(ReproError):
    """The child ended before it was ready, or there is none; the text says how it ended."""


class ChildError(RuntimeError):
    """A defect of this program, met in a child; its text is the child's traceback."""


class Child:
    """A process and the connection to it."""

    def __init__(self, prepare: Callable[[], Answer]) -> None:
        """Start the process; it waits for requests.

        Args:
            prepare: A module's function, called once in the child, for the first request; it loads
                what is heavy there and returns what answers a request.

        Raises:
            NotStarted: The system or the interpreter does not allow it.
        """
        self.is_ready = False
        with contextlib.ExitStack() as ours:
            try:
                self.connection, theirs = Pipe()
                ours.enter_context(self.connection)
                self._said = ours.enter_context(_scratch())
                with theirs, _ctrl_c_held_back():
                    self.process = launch(self.connection, theirs, self._said)
            except OSError as error:
                raise NotStarted(str(error)) from None
            ours.pop_all()
        self.send(prepare)

    def send(self, request: Any) -> None:
        """Give the idle child a request; if it is no more, `receive` says so."""
        with contextlib.suppress(BrokenPipeError, ConnectionError):
            self.connection.send(request)

    def receive(self) -> tuple[Word, Any]:
        """The next message: what it is, and its content.

        The first one is ``ready``, with None; of a request, ``said`` is anything, and ``ended``
        the answer.

        Raises:
            Gone: The process is no more.
            NotStarted: It is no more, and was never ready.
            ReproError: The child met a mistake that the user can mend.
            ChildError: The child met a mistake of ours.
        """
        try:
            word, content = self.connection.recv()
        except (EOFError, OSError):  # the end, be it in the midst of a message
            said = self._said_before_ready()
            self.join()
            if self.is_ready:
                raise Gone(self._fate()) from None
            raise NotStarted(": ".join(filter(None, [self._fate(), _last_line(said)]))) from None
        if word == "mistake":
            raise ReproError(content)
        if word == "defect":
            raise ChildError(content)
        self.is_ready = True
        return word, content

    def answer(self) -> Any:
        """What the request came to; raises as `receive` does."""
        while True:
            word, content = self.receive()
            if word == "ended":
                return content

    def _fate(self) -> str:
        code = self.process.returncode
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        if code == NO_MEMORY:
            return "out of memory"
        return f"exit status {code}"

    def _said_before_ready(self) -> bytes:
        with contextlib.suppress(OSError, ValueError):
            self._said.seek(0)
            return self._said.read()
        return b""

    def stop(self) -> None:
        """Ask the process to end, whatever it is doing."""
        self.connection.close()
        self.process.terminate()

    def join(self, grace: float = GRACE) -> None:
        """Wait until the process is gone, by force if need be."""
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._said.close()


def launch(ours: Connection, theirs: Connection, said: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start a Python that serves a connection.

    Args:
        ours: This end of the connection.
        theirs: The child's end.
        said: Takes what the child prints until it is ready; then it prints to our standard error.

    Raises:
        NotStarted: This interpreter cannot be started again.
        OSError: No process can be started.
    """
    flags: list[str] = getattr(subprocess, "_args_from_interpreter_flags", list)()
    stderr = _standard_error()
    try:
        handed = [theirs.fileno(), os.getpid(), stderr]
        process = subprocess.Popen(
            [_python(sys.executable), *flags, "-P", "-c", BOOT, *map(str, handed)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            pass_fds=[theirs.fileno(), stderr],
            # Read by OpenMP when the child loads it; more threads in several workers cost time.
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    finally:
        os.close(stderr)
    with contextlib.suppress(ConnectionError):  # it ended at once
        ours.send([entry for entry in sys.path if isinstance(entry, str)])
    return process


@functools.cache
def _python(path: str) -> str:
    """The interpreter at this path, if it is one: a program that embeds Python may name itself."""
    if getattr(sys, "frozen", False) or not path:
        raise NotStarted(f"this program has no Python interpreter of its own to start; {NO_OTHER}")
    try:
        probe = subprocess.run(
            [path, "-I", "-S", "-c", PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotStarted(f"sys.executable, {path}, does not answer as Python; {NO_OTHER}") from None
    if probe.stdout.split() != [b"42"]:
        said = _last_line(probe.stderr) or f"exit status {probe.returncode}"
        raise NotStarted(f"sys.executable, {path}, does not work as Python: {said}; {NO_OTHER}")
    return path


def _last_line(said: bytes) -> str:
    """Of a traceback, the error."""
    lines = map(str.strip, reversed(said.decode(errors="replace").split("\n")))
    return next(filter(None, lines), "")[:LONGEST]


def _scratch() -> IO[bytes]:
    """A file without a name: in memory where the system can, so that no disk has to have room."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("repro"), "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _standard_error() -> int:
    """A descriptor of our standard error, or of nothing where that is closed."""
    try:
        return os.dup(2)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


@contextlib.contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """A child started within does not hear Ctrl-C while it loads; its parent does, afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def main(connection: Connection, parent: int, stderr: int) -> None:
    """The child, from its beginning.

    Args:
        connection: To the parent.
        parent: Its number.
        stderr: Where this process prints as soon as it is ready.
    """
    for descriptor in (connection.fileno(), stderr):  # not for what this process starts
        os.set_inheritable(descriptor, False)

    def parent_ends() -> None:
        while os.getppid() == parent:
            time.sleep(GLANCE)

    serve(connection, parent_ends, functools.partial(_print_to, stderr))


def serve(
    connection: Connection, parent_ends: Callable[[], None], when_ready: Callable[[], None]
) -> None:
    """The child: prepare, and answer what arrives until the parent is gone.

    Args:
        connection: To the parent, which first sends what prepares.
        parent_ends: Returns when the parent has ended.
        when_ready: Called once, before the first word.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    threading.Thread(target=_end_with_parent, args=[parent_ends], daemon=True).start()
    try:
        prepare, request = connection.recv(), connection.recv()
        answer = prepare()  # any error but these is printed, and the parent reads it
        when_ready()
        connection.send(("ready", None))
        while True:
            connection.send(_answered(request, answer, connection))
            request = connection.recv()
    except ReproError as error:
        with contextlib.suppress(ConnectionError):
            connection.send(("mistake", str(error)))
    except MemoryError:
        os._exit(NO_MEMORY)
    except (EOFError, ConnectionError, KeyboardInterrupt):  # the parent is gone
        return


def _answered(request: Any, answer: Answer, connection: Connection) -> tuple[str, Any]:
    """The last message about a request."""

    def say(content: Any) -> None:
        connection.send(("said", content))

    try:
        return "ended", answer(request, say)
    except (ConnectionError, MemoryError):
        raise
    except ReproError as error:
        return "mistake", str(error)
    except Exception:  # noqa: BLE001 - any defect is sent to the parent with its traceback
        return "defect", traceback.format_exc()


def _print_to(stderr: int) -> None:
    """Print there from now on, with what was printed before."""
    with contextlib.suppress(OSError, ValueError):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.lseek(2, 0, os.SEEK_SET)
        while piece := os.read(2, 1 << 16):
            os.write(stderr, piece)
    os.dup2(stderr, 1)
    os.dup2(stderr, 2)
    os.close(stderr)


def _end_with_parent(parent_ends: Callable[[], None]) -> None:
    """Wait for the end of the parent, and end this process, whatever it is doing."""
    parent_ends()
    os._exit(1)
