"""Children of tests: by `multiprocessing`, from a process that has loaded what they need."""

import multiprocessing
import subprocess
from multiprocessing.connection import wait

from repro import processes


def started_by(method):
    """What takes the place of `processes.launch`: ``fork`` or ``forkserver``."""
    return lambda ours, theirs, said: _Popen(method, theirs)


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
    processes.serve(theirs, lambda: wait([parent.sentinel]), lambda: None)
