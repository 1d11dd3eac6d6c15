"""Mirrors a study while it runs, and never stops it or makes it wait.

A process of its own writes to MLflow, because a store that is locked, slow or hanging would hold up
whoever writes. What is to be mirrored waits here until that process is idle; what fails is tried
again, in a fresh process, when there is more to mirror. Only at the end is there a wait, and it is
bounded. Whatever goes wrong costs one warning: what is missing then, `synchronisation` adds.
"""

import pickle
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

from repro import records
from repro.errors import RecordError, ReproError
from repro.processes import Answer, Child, ChildError, Gone, Say
from repro.records import StudyIndex
from repro.tracking import Mirror, experiment_name

ALLOWANCE = 2.0  # seconds of waiting that a run may cost its study
START_UP = 30.0  # seconds on top, to load MLflow and build a database; 3 to 5 on an idle machine
SILENCE = 10.0  # seconds without an answer, once there was one, after which none will come
LAST_WORDS = 1.0  # seconds for what is being written when a study is interrupted; a run takes 0.2
PIECE = 1 << 16  # bytes; a pipe takes more at once, so that nobody waits until it is read

Request = tuple[Callable[..., Any], tuple[Any, ...]]  # what is called with the mirror, and the rest


def prepare(results: Path) -> Answer:
    """In the child: put the pieces of a request together, and do it to the mirror."""
    mirror, received = Mirror(results), bytearray()

    def answer(piece: bytes, _say: Say) -> Any:
        received.extend(piece)
        if len(piece) == PIECE:
            return None
        act, arguments = pickle.loads(received)
        received.clear()
        return act(mirror, *arguments)

    return answer


@dataclass(slots=True)
class Scribe:
    """Keeps the mirror of a study; leaving its context ends its process.

    Attributes:
        results: The results folder.
        warn: Told once, in a sentence, if the mirror lacks something.
        prepare: What the process does first.
    """

    results: Path
    warn: Callable[[str], None]
    prepare: Callable[[Path], Answer] = prepare
    _waiting: deque[Request] = field(default_factory=deque)  # the first may be under way
    _known: set[tuple[str, str, str]] = field(default_factory=set)
    _writer: "_Writer | None" = None
    _rests: bool = False  # the last try failed
    _patience: float = field(default_factory=lambda: START_UP)
    _warned: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process; what it is writing may be finished, what waits is dropped."""
        if self._writer is not None:
            self._writer.connection.close()
            self._writer.process.join(LAST_WORDS)
            self._end()

    def add(self, index: StudyIndex, arm: str, key: str) -> None:
        """Have a run mirrored that has a record; at once, or when the mirror can be written."""
        name = (experiment_name(index), arm, key)
        if name not in self._known:
            self._known.add(name)
            self._patience += ALLOWANCE
            self._waiting.append((_add, (index, arm, key)))
            self._rests = False
        self.pump()

    def pump(self) -> None:
        """Hand over what the process is ready for; takes no time."""
        while self._advance(0.0) is not None:
            pass

    def settle(self) -> None:
        """Wait for what is left: as long as the runs allow, or until it fails."""
        self._rests = self._patience <= 0
        self._wait()

    def wants_page(self, index: StudyIndex) -> bool:
        """Whether what a study comes to has to be shown anew; not if the mirror lacks something."""
        return self._ask(_wants_page, index) is True

    def finish(
        self, index: StudyIndex, table_markdown: str, *, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Show what a study comes to; as `Mirror.finish`."""
        self._ask(_finish, index, table_markdown, files)

    def _ask(self, act: Callable[..., Any], *arguments: Any) -> Any:
        """What the mirror says; None if it cannot be had now."""
        if self._rests:
            return None
        request = (act, arguments)
        self._waiting.append(request)
        answer = self._wait()
        if self._waiting:
            self._waiting.remove(request)
        return answer

    def _wait(self) -> Any:
        """Until nothing is left, or patience or the mirror fails; the last answer."""
        answer = None
        while self._waiting and not self._rests:
            began = time.monotonic()
            answered = self._advance(self._patience)
            self._patience -= time.monotonic() - began
            answer = answered[0] if answered else None
            if answered is None and not self._rests:
                self._patience = 0.0
                self._give_up("MLflow takes too long")
        return answer

    def _advance(self, patience: float) -> tuple[Any] | None:
        """Have the first request done; its answer, None if there is none yet."""
        if not self._waiting or self._rests:
            return None
        try:
            if self._writer is None:
                self._writer = _Writer(partial(self.prepare, self.results))
            answered = self._writer.do(self._waiting[0], patience=patience)
        except ChildError as defect:
            self._waiting.popleft()
            self._give_up(f"a defect of this program\n{defect}")
            return None
        except Gone as fate:
            self._give_up(f"the process that writes there ended: {fate}")
            return None
        except (ReproError, OSError) as error:
            self._give_up(str(error))
            return None
        if answered is not None:
            self._waiting.popleft()
        return answered

    def _give_up(self, reason: str) -> None:
        """Leave it for now; in doubt, the next try begins with a fresh process."""
        self._rests = True
        self._end()
        if not self._warned:
            self._warned = True
            self.warn(
                f"not all is mirrored to MLflow ({reason}); the records are safe, and a later "
                "`repro sync` completes the mirror"
            )

    def _end(self) -> None:
        if self._writer is not None:
            self._writer.process.kill()
            self._writer.stop()
            self._writer.join()
            self._writer = None


class _Writer(Child):
    """The process that writes; a request goes to it in pieces, so that handing over is no wait."""

    def __init__(self, prepare: Callable[[], Answer]) -> None:
        super().__init__(prepare)
        self._deadline = 0.0  # for what it was given last
        self._longest = START_UP
        self._pieces: deque[bytes] | None = None  # of the request that it has, those to come

    def do(self, request: Request, *, patience: float) -> tuple[Any] | None:
        """Begin a request or go on with it; the answer, None if it takes too long."""
        if self._pieces is None:
            whole = pickle.dumps(request)
            starts = range(0, len(whole) + 1, PIECE)  # the last piece is shorter than the others
            self._pieces = deque(whole[start : start + PIECE] for start in starts)
            self._give()
        end = time.monotonic() + patience
        while self.connection.poll(max(0.0, min(end, self._deadline) - time.monotonic())):
            _, answer = self.receive()
            self._longest = SILENCE
            if not self._pieces:
                self._pieces = None
                return (answer,)
            self._give()
        return None

    def _give(self) -> None:
        assert self._pieces is not None
        self._deadline = time.monotonic() + self._longest
        with suppress(ConnectionError):  # what it answers then says how it ended
            self.send(self._pieces.popleft())


def _add(mirror: Mirror, index: StudyIndex, arm: str, key: str) -> None:
    with suppress(RecordError):  # whoever makes the tables says so
        mirror.add(index, arm, records.read_record(key, mirror.results))


def _wants_page(mirror: Mirror, index: StudyIndex) -> bool:
    return mirror.wants_page(index)


def _finish(
    mirror: Mirror, index: StudyIndex, table_markdown: str, files: Mapping[str, bytes] | None
) -> None:
    mirror.finish(index, table_markdown, files=files)
