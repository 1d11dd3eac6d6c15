"""Child processes that answer requests: one thread each, ended with their parent.

A child is a separate Python process that imports this module, and nothing of the program that
starts it. So that program may be anything: a script without ``if __name__ == "__main__":``, lines
on standard input, a notebook. However the parent ends, its children end shortly after: each watches
the parent from a thread.

On its first request a child loads what it needs, and is ``ready``. While it works on a request it
sends any number of messages, and at the end its answer. Their meaning is up to the code that starts
the child.
"""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import IO, Any, Literal

from repro.errors import ReproError
from repro.system import machine, printing, stalls, worker_environment

LAST_LINES = 0.2  # seconds for what an ended child printed to be printed here
SMALL = 100_000  # bytes of a request that a connection takes at once
GRACE = 2.0  # seconds that a child has to end after a request to do so
GLANCE = 0.2  # seconds between two checks by a child whether its parent is alive
PATIENCE = 60.0  # seconds for a Python interpreter to identify itself
LONGEST = 300  # maximum characters of a child's last line
NO_MEMORY = 75  # exit status of a child that ran out of memory
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
    """The child ended before it answered; the text says how."""


class NotStarted(ReproError):
    """The child ended before it was ready, or could not start; the text says how it ended."""


class ChildError(RuntimeError):
    """A defect of this program in a child; its text is the child's traceback."""


class Child:
    """A child process and the connection to it."""

    def __init__(self, prepare: Callable[[], Answer], *, stall: float = stalls.LIMIT) -> None:
        """Start the process; it waits for requests.

        Args:
            prepare: A module's function, called once in the child, before the first request; it
                loads heavy modules there and returns the function that answers requests.
            stall: Seconds after which a process that does nothing is ended; see `stalls`.

        Raises:
            NotStarted: The system or the interpreter does not allow it.
        """
        self.is_ready, self._stalled = False, ""
        with contextlib.ExitStack() as ours:
            try:
                self.connection, theirs = Pipe()
                ours.enter_context(self.connection)
                self._said = ours.enter_context(machine.scratch_file())
                self._echo, stderr = echo()
                ours.callback(os.close, stderr)
                with theirs, _ctrl_c_held_back():
                    self.process = launch(self.connection, theirs, self._said, stderr)
            except OSError as error:
                raise NotStarted(str(error)) from None
            os.close(stderr)
            ours.pop_all()
        self._watch = stalls.Watch(self.process.pid, limit=stall)
        self.send(prepare)

    def send(self, request: Any) -> None:
        """Send the idle child a request; if the child has ended, `receive` raises."""
        self._watch.moved()
        content = ForkingPickler.dumps(request)
        if len(content) <= SMALL:
            self._send(content)
            return
        sending = threading.Thread(target=self._send, args=[content], daemon=True)
        sending.start()
        while sending.is_alive() and not self.is_stalled():  # one that is stopped takes nothing
            sending.join(stalls.LOOK)

    def _send(self, content: "memoryview") -> None:
        with contextlib.suppress(OSError):
            self.connection.send_bytes(content)

    def is_stalled(self) -> bool:
        """Whether the child has done nothing for too long; then it is ended, and `receive` raises.

        To be called about every `stalls.LOOK` seconds while an answer is awaited.
        """
        if not self._stalled and (how := self._watch.stalled()):
            self._stalled = how
            self.process.kill()
        return bool(self._stalled)

    def receive(self) -> tuple[Word, Any]:
        """The next message: its kind and its content.

        The first one is ``ready``, with None; for a request, ``said`` is an intermediate message,
        and ``ended`` the answer.

        Raises:
            Gone: The process has ended.
            NotStarted: The process has ended and was never ready.
            ReproError: The child met a user error.
            ChildError: The child met a defect of this program.
        """
        try:
            while not self.connection.poll(stalls.LOOK):
                if self.is_stalled() and not self.connection.poll(GRACE):
                    raise EOFError  # it cannot even be killed
            word, content = self.connection.recv()
            self._watch.moved()
        except (EOFError, OSError):  # the end, possibly within a message
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
        """The answer to the request; raises as `receive` does."""
        while True:
            word, content = self.receive()
            if word == "ended":
                return content

    def _fate(self) -> str:
        code = self.process.returncode
        if self._stalled or code is None:
            return self._stalled or "it does not end"
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
        """Ask the process to end, even during a request."""
        self.connection.close()
        self.process.terminate()

    def join(self, grace: float = GRACE) -> None:
        """Wait until the process has ended; kill it if necessary."""
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in the system
                self.process.wait(GRACE)
        self._echo.join(LAST_LINES)
        self._said.close()


def launch(
    ours: Connection, theirs: Connection, said: IO[bytes], stderr: int
) -> "subprocess.Popen[bytes]":
    """Start a Python process that serves a connection.

    Args:
        ours: This end of the connection.
        theirs: The child's end.
        said: Receives what the child prints until it is ready.
        stderr: Descriptor to which it prints then.

    Raises:
        NotStarted: This interpreter cannot be started again.
        OSError: No process can be started.
    """
    flags: list[str] = getattr(subprocess, "_args_from_interpreter_flags", list)()
    handed = [theirs.fileno(), os.getpid(), stderr]
    process = subprocess.Popen(
        [_python(sys.executable), *flags, "-P", "-c", BOOT, *map(str, handed)],
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        pass_fds=[theirs.fileno(), stderr],
        env=worker_environment.of_worker(os.environ),
    )
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
    """The last line; of a traceback, the error."""
    lines = map(str.strip, reversed(said.decode(errors="replace").split("\n")))
    return next(filter(None, lines), "")[:LONGEST]


def echo() -> tuple[threading.Thread, int]:
    """A descriptor for a child's prints, and the thread that prints them here, line by line.

    Lines of libraries may hold anything; here they pass the one way out.
    """
    ours, theirs = os.pipe()

    def print_all() -> None:
        with open(ours, "rb") as stream:
            for line in stream:
                printing.say(line.decode(errors="replace").rstrip("\r\n"), err=True)

    thread = threading.Thread(target=print_all, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # the system allows no more threads
        os.close(ours)
        os.close(theirs)
        raise OSError(str(error)) from None
    return thread, theirs


@contextlib.contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Within, a new child ignores Ctrl-C while it loads; its parent handles it afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def main(connection: Connection, parent: int, stderr: int) -> None:
    """The entry point of the child.

    Args:
        connection: To the parent.
        parent: Process id of the parent.
        stderr: Descriptor to which this process prints once it is ready.
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
    """Run the child: prepare, and answer requests until the parent has ended.

    Args:
        connection: To the parent, which first sends the function that prepares.
        parent_ends: Returns when the parent has ended.
        when_ready: Called once, before the first message.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    threading.Thread(target=_end_with_parent, args=[parent_ends], daemon=True).start()
    try:
        prepare, request = connection.recv(), connection.recv()
        answer = prepare()  # any other error is printed, and the parent reads it
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
    except (EOFError, ConnectionError, KeyboardInterrupt):  # the parent has ended
        return


def _answered(request: Any, answer: Answer, connection: Connection) -> tuple[str, Any]:
    """The last message of a request."""

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
    """Redirect all output to this descriptor, including what was printed before."""
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
    """Wait until the parent ends, then end this process immediately."""
    parent_ends()
    os._exit(1)
