"""Child processes that answer requests: spawned, one thread each, ended with their parent.

However the parent ends, its children end within a moment: each watches it from a thread.

A child answers each request with any number of messages, the last of which says how it went.
What a message means is the business of whoever starts the child.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from repro.errors import ReproError

START = "spawn"  # a fork of this process would share its locks, threads and streams
GRACE = 2.0  # seconds that a child has to end when asked
NO_MEMORY = 75  # status of a child that could not get the memory it needed

Say = Callable[[str, Any], None]
Answer = Callable[[Any, Say], Any]


class Gone(Exception):
    """The child ended before its answer; the text says how."""


class ChildError(RuntimeError):
    """A defect of this program, met in a child; its text is the child's traceback."""


class Child:
    """A process and the connection to it."""

    def __init__(self, prepare: Callable[[], Answer]) -> None:
        """Start the process; it waits for requests.

        Args:
            prepare: A module's function, called once in the child, for the first request; it loads
                what is heavy there and returns what answers a request.
        """
        # Read by OpenMP when the child loads it; more threads in several workers cost time.
        os.environ["OMP_NUM_THREADS"] = "1"
        context: Any = multiprocessing.get_context(START)
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, prepare), daemon=True)
        with _ctrl_c_held_back():
            self.process.start()
        theirs.close()

    def send(self, request: Any) -> None:
        """Give the idle child a request; if it is no more, `receive` says so."""
        with contextlib.suppress(BrokenPipeError, ConnectionError):
            self.connection.send(request)

    def receive(self) -> tuple[str, Any]:
        """The next message: a word and what belongs to it; ``ended`` is the last one's word.

        Raises:
            Gone: The process is no more.
            ReproError: The child met a mistake that the user can mend.
            ChildError: The child met a mistake of ours.
        """
        try:
            word, content = self.connection.recv()
        except (EOFError, OSError):  # the end, be it in the midst of a message
            self.join()
            raise Gone(self._fate()) from None
        if word == "mistake":
            raise ReproError(content)
        if word == "defect":
            raise ChildError(content)
        return word, content

    def _fate(self) -> str:
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        if code == NO_MEMORY:
            return "out of memory"
        return f"exit status {code}"

    def stop(self) -> None:
        """Ask the process to end, whatever it is doing."""
        self.connection.close()
        self.process.terminate()

    def join(self) -> None:
        """Wait until the process is gone, by force if need be."""
        self.process.join(GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@contextlib.contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """A child started within does not hear Ctrl-C while it loads; its parent does, afterwards."""
    resource_tracker.ensure_running()  # starts a process, too, and would let Ctrl-C through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, prepare: Callable[[], Answer]) -> None:
    """The child: answer what arrives until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answer: Answer | None = None

    def say(word: str, content: Any) -> None:
        connection.send((word, content))

    while True:
        try:
            request = connection.recv()
        except (EOFError, ConnectionError):
            return
        try:
            answer = answer or prepare()
            message = ("ended", answer(request, say))
        except (ConnectionError, KeyboardInterrupt):
            return
        except MemoryError:
            os._exit(NO_MEMORY)
        except ReproError as error:
            message = ("mistake", str(error))
        except Exception:  # noqa: BLE001 - any defect is sent to the parent with its traceback
            message = ("defect", traceback.format_exc())
        with contextlib.suppress(ConnectionError):  # the parent is gone
            connection.send(message)


def _end_with_parent() -> None:
    """Wait for the end of the parent, and end this process, whatever it is doing."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
