"""What the process that mirrors a study does, in tests: stand-ins, and faults around MLflow.

That process imports this module, so nothing heavy is imported here.
"""

import hashlib
import os
import resource
import signal
import sys
import time

from repro import mirroring, mlflow_runs, mlflow_store, records, tracking
from repro.errors import ReproError


class Journal:
    """Lines in a file in place of MLflow; a file beside it, named after a fault, is the fault."""

    def __init__(self, results):
        """Nothing is written yet."""
        self.results = results

    def add(self, _index, arm, record):
        """A line about a run."""
        self._write(f"{arm} {record.key}")

    def wants_page(self, _index):
        """Always."""
        self._write("page?")
        return True

    def finish(self, _index, table_markdown, *, files):
        """A line about all that was shown."""
        digests = [hashlib.sha256(content).hexdigest() for content in (files or {}).values()]
        self._write(" ".join([table_markdown, *digests]))

    def _write(self, line):
        if self._met("down"):
            raise ReproError("the store is down")
        if self._met("hanging"):
            time.sleep(3600)
        if self._met("slow"):
            time.sleep(0.3)
        if self._met("deadly"):
            (self.results / "deadly").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if self._met("wrong"):
            raise KeyError("wrong")
        with (self.results / "journal").open("a") as journal:
            journal.write(f"{line}\n")

    def _met(self, fault):
        return (self.results / fault).exists()


def journal(results):
    """Write to a `Journal`."""
    mirroring.Mirror = Journal
    return mirroring.prepare(results)


def unprepared(_results):
    """End before anything was asked."""
    sys.exit(7)


def standing_still(_results):
    """Begin, and go no further."""
    time.sleep(3600)


def without_mlflow(results):
    """As where it is not installed."""
    sys.modules["mlflow"] = None
    return mirroring.prepare(results)


def on_a_full_disk(results):
    """No file takes more than a tenth of what the database has."""
    room = mlflow_store.database(results).stat().st_size // 10
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    return mirroring.prepare(results)


def slowly(results):
    """Three seconds a run."""
    write = mlflow_runs.write

    def wait_and_write(*arguments):
        time.sleep(3)
        return write(*arguments)

    mlflow_runs.write = wait_and_write
    return mirroring.prepare(results)


def first_start(results, index, start):
    """Build the database if need be, and mirror a study; all at the same moment."""
    start.wait()
    mirror = tracking.Mirror(results)
    for arm, _, key in index.wanted():
        mirror.add(index, arm, records.read_record(key, results))


def write_all(results, index, page, begun):
    """Mirror a study from the first run to its page."""
    mirror = tracking.Mirror(results)
    begun.set()
    for arm, _, key in index.wanted():
        mirror.add(index, arm, records.read_record(key, results))
    table, files = page
    mirror.finish(index, table, files=files)
