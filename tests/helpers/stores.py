"""What the process that mirrors a study does, in tests: stand-ins, and faults around MLflow.

That process imports this module, so nothing heavy is imported here.
"""

import contextlib
import hashlib
import os
import resource
import signal
import sys
import time

from repro.errors import RecordError, ReproError
from repro.records import records
from repro.records.mlflow import bulk_writer, mirror, mirror_process, run_content, sqlite_store


class Journal:
    """Lines in a file in place of MLflow; a file beside it, named after a fault, is the fault."""

    def __init__(self, results):
        """Nothing is written yet."""
        self.results = results

    def add_all(self, index, *runs):
        """A line about every run that has a record and no line."""
        for arm, key in runs:
            assert (arm, key) in [(arm, key) for arm, _, key in index.wanted()]
            with contextlib.suppress(RecordError):
                records.read_record(key, self.results)
                if f"{arm} {key}" not in self._read("journal").splitlines():
                    self._write(f"{arm} {key}")
            self.alive()

    def wants_page(self, _index):
        """Always."""
        self._write("page?")
        return True

    def finish(self, _index, table_markdown, files):
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
        if self._met("wrong") and self._read("wrong") in line:
            raise KeyError("wrong")
        with (self.results / "journal").open("a") as journal:
            journal.write(f"{line}\n")

    def _met(self, fault):
        return (self.results / fault).exists()

    def _read(self, name):
        return (self.results / name).read_text() if self._met(name) else ""


def journal(results):
    """Write to a `Journal`."""
    mirror_process.Mirror, mirror_process.PULSE = Journal, 0.1
    return mirror_process.prepare(results)


def unprepared(_results):
    """End before anything was asked."""
    sys.exit(7)


def standing_still(_results):
    """Begin, and go no further."""
    time.sleep(3600)


def without_mlflow(results):
    """As where it is not installed."""
    sys.modules["mlflow"] = None
    return mirror_process.prepare(results)


def on_a_full_disk(results):
    """No file takes more than a tenth of what the database has."""
    room = sqlite_store.database(results).stat().st_size // 10
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    return mirror_process.prepare(results)


def slowly(results):
    """Three seconds a run, whichever way it is written."""
    put = run_content.put

    def wait_and_put(source, target):
        if target.name in ("record.json", "table.md"):
            time.sleep(3)
        put(source, target)

    run_content.put = wait_and_put
    return mirror_process.prepare(results)


def first_start(results, index, start):
    """Build the database if need be, and mirror a study; all at the same moment."""
    start.wait()
    written = mirror.Mirror(results)
    for arm, _, key in index.wanted():
        written.add(index, arm, records.read_record(key, results))


def write_all(results, index, page, begun):
    """Mirror a study from the first run to its page, in more time than it takes."""
    put = run_content.put
    run_content.put = lambda *given: [time.sleep(0.03), put(*given)]
    written = mirror.Mirror(results)
    begun.set()
    (arm, _, key), *rest = index.wanted()
    written.add(index, arm, records.read_record(key, results))
    written.add_all(index, *[(arm, key) for arm, _, key in rest])
    table, files = page
    written.finish(index, table, files=files)


class Deadly(dict):
    """Ends the process where somebody would go past its last item."""

    def items(self):
        """All of them, and no more."""
        yield from super().items()
        os.kill(os.getpid(), signal.SIGKILL)


def die_before_the_commit(results, index):
    """Mirror a study up to the last row of the last run."""
    written = mirror.Mirror(results)
    written.wants_page(index)
    bulk_writer.COLUMNS = Deadly(bulk_writer.COLUMNS)
    written.add_all(index, *[(arm, key) for arm, _, key in index.wanted()])
