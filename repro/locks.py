"""One process at a time on a study: a lock that the system lets go of, however its holder ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repro.records import StudyIndex


@contextmanager
def of_study(index: StudyIndex, results: Path) -> Iterator[str | None]:
    """Hold the lock of a study's variant.

    Yields:
        None if it is held; who holds it if it is not.
    """
    path = results / "studies" / index.name / f"{index.variant}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            yield f"process {lock.read().strip() or 'unknown'}"
            return
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield None
