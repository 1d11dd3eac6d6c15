"""Children of tests: by `multiprocessing`, from a process that has loaded what they need."""

import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing.connection import wait

from repro.system import child_process


def started_by(method):
    """What takes the place of `processes.launch`: ``fork`` or ``forkserver``."""
    return lambda ours, theirs, *_: _Popen(method, theirs)


class _Popen:
    """A process of `multiprocessing` that is asked as one of `subprocess`."""

    def __init__(self, method, theirs):
        """Start it."""
        context = multiprocessing.get_context(method)
        self._process = context.Process(target=_serve, args=[theirs], daemon=True)
        self._process.start()
        self.pid = self._process.pid
        self.kill, self.terminate = self._process.kill, self._process.terminate

    @property
    def returncode(self):
        """None while it runs."""
        return self._process.exitcode

    def wait(self, timeout=None):
        """Until it has ended."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("a child", timeout)


def _serve(theirs):
    parent = multiprocessing.parent_process()
    child_process.serve(theirs, lambda: wait([parent.sentinel]), lambda: None)


def echo():
    """Prepares an answer that tells of the child."""
    os.write(1, b"a child loads\n")

    def answer(request, say):
        os.write(1, b"a child works\n")
        return request, os.environ["OMP_NUM_THREADS"], sys.path

    return answer


def unloadable():
    """As where a library is not there."""
    raise ImportError("libtorch.so: cannot open shared object file")


def without_memory():
    """As under ``ulimit -v``."""
    raise MemoryError


def killed():
    """As by the system's own guard of its memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def ended():
    """As a library that ends its process."""
    os._exit(7)
