"""Mirrors a study while it runs, without ever stopping or delaying it.

A separate process writes to MLflow, because a locked, slow or hanging store would block the writer.
Requests wait here until that process is idle, and are then sent together; a failed request is tried
again, in a fresh process, when there is more to mirror. Only at the end is there a wait, and it is
bounded. Any failure causes one warning; `synchronisation` adds what is missing later.
"""

import pickle
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from repro.errors import ReproError
from repro.records.mlflow.mirror import Mirror, experiment_name
from repro.records.mlflow.run_content import Name
from repro.records.records import StudyIndex
from repro.system.child_process import Answer, Child, ChildError, Gone, NotStarted, Say

ALLOWANCE = 2.0  # seconds of waiting allowed for each run of a study
START_UP = 30.0  # more seconds, to load MLflow and build a database; 3 to 5 on an idle machine
SILENCE = 10.0  # seconds without an answer, after the first one, that count as a failure
PULSE = 1.0  # seconds between two signs of life of a busy process
LAST_WORDS = (
    1.0  # seconds for what is being written when a study is interrupted; a quarter would do
)
PAUSE = 0.1  # seconds between two transfers while a study runs, so that runs accumulate
BATCH = 64  # runs per transfer; a tenth to a quarter of a second
PIECE = 1 << 16  # bytes; fits into an empty pipe, so that sending does not block


class Request(NamedTuple):
    """A request for the mirror of a study: a method of `Mirror`, and its arguments."""

    act: Literal["add_all", "wants_page", "finish"]
    study: StudyIndex | None  # None for the study of the previous request
    arguments: tuple[Any, ...]


def prepare(results: Path) -> Answer:
    """In the child: assemble the pieces of a request, and apply it to the mirror."""
    mirror, received = Mirror(results), bytearray()
    index: StudyIndex | None = None

    def answer(piece: bytes, say: Say) -> Any:
        nonlocal index
        received.extend(piece)
        if len(piece) == PIECE:
            return None
        act, given, arguments = pickle.loads(received)
        received.clear()
        index = given or index
        mirror.alive = _pulse(say)
        return getattr(mirror, act)(index, *arguments)

    return answer


def _pulse(say: Say) -> Callable[[], None]:
    """In the child: a callback that sends signs of life, at most one per `PULSE`."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last >= PULSE:
            last = time.monotonic()
            with suppress(ConnectionError):  # the parent has ended; the current request is finished
                say(None)

    return beat


@dataclass(slots=True)
class Scribe:
    """Keeps the mirror of a study up to date; leaving its context ends its process.

    Attributes:
        results: The results folder.
        warn: Called once, with a sentence, if the mirror is incomplete.
        prepare: Function that prepares the process.
    """

    results: Path
    warn: Callable[[str], None]
    prepare: Callable[[Path], Answer] = prepare
    _waiting: deque[Request] = field(default_factory=deque)  # the first ones may be in progress
    _under_way: int = 0  # number of requests in progress, as one
    _handed: float = -PAUSE  # time of the last transfer
    _alone: int = 0  # number of requests to send one by one, because together they met a defect
    _known: dict[str, set[Name]] = field(default_factory=dict)  # runs by experiment
    _writer: "_Writer | None" = None
    _rests: bool = False  # the last attempt failed
    _patience: float = field(default_factory=lambda: START_UP)
    _warned: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process; its current write may be finished, waiting requests are dropped."""
        if self._writer is not None:
            self._writer.connection.close()
            self._writer.join(LAST_WORDS)
            self._end()

    def add(self, index: StudyIndex, arm: str, key: str) -> None:
        """Mirror a run that has a record; now, or when the mirror can be written."""
        known = self._known.setdefault(experiment_name(index), set())
        if (arm, key) not in known:
            known.add((arm, key))
            self._patience += ALLOWANCE
            self._waiting.append(Request("add_all", index, ((arm, key),)))
            self._rests = False
        self.pump()

    def pump(self) -> None:
        """Send what the process is ready for; does not block."""
        while self._advance(0.0) is not None:
            pass

    def settle(self) -> None:
        """Wait for the remaining requests: as long as the runs allow, or until one fails."""
        self._rests = self._patience <= 0
        self._wait()

    def wants_page(self, index: StudyIndex) -> bool:
        """Whether a study's results must be shown again; false if the mirror is incomplete."""
        return self._ask("wants_page", index) is True

    def finish(
        self, index: StudyIndex, text: str, *, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Show a study's results; see `Mirror.finish`."""
        self._ask("finish", index, text, files)

    def _ask(self, act: Literal["wants_page", "finish"], index: StudyIndex, *arguments: Any) -> Any:
        """The mirror's answer; None if it is unavailable now."""
        if self._rests:
            return None
        self._waiting.append(Request(act, index, arguments))
        answer = self._wait()
        if self._waiting:  # the last of them is this request
            self._waiting.pop()
        return answer

    def _wait(self) -> Any:
        """Wait until nothing is left, or patience or the mirror fails; return the last answer."""
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
        """Carry out the first requests; return their answer, or None if there is none yet."""
        if not self._waiting or self._rests:
            return None
        try:
            if self._writer is None:
                self._writer = _Writer(partial(self.prepare, self.results))
            if not self._under_way:
                if patience == 0 and self._gathers():
                    return None
                self._writer.begin(self._next())
                self._handed = time.monotonic()
            answered = self._writer.go_on(patience)
        except ChildError as defect:
            return self._isolate(defect, patience)
        except (Gone, NotStarted) as fate:
            self._give_up(f"the process that writes there ended: {fate}")
            return None
        except (ReproError, OSError) as error:
            self._give_up(str(error))
            return None
        if answered is not None:
            self._done()
        return answered

    def _gathers(self) -> bool:
        """Whether to wait for more requests: each transfer costs as much as a run."""
        return len(self._waiting) < BATCH and time.monotonic() < self._handed + PAUSE

    def _next(self) -> Request:
        """The first request, merged with following ones for runs of the same study."""
        first = self._waiting[0]
        most = 1 if self._alone or first.act != "add_all" else BATCH
        alike = takewhile(
            lambda other: other.act == first.act and other.study is first.study,
            islice(self._waiting, most),
        )
        together = [request.arguments for request in alike]
        self._under_way = len(together)
        return first._replace(arguments=tuple(chain.from_iterable(together)))

    def _done(self) -> None:
        """Remove the requests in progress."""
        for _ in range(self._under_way):
            self._waiting.popleft()
        self._alone = max(0, self._alone - self._under_way)
        self._under_way = 0

    def _isolate(self, defect: ChildError, patience: float) -> tuple[Any] | None:
        """Skip the run that met a defect; of several, find it by sending each alone."""
        if self._under_way > 1:
            self._alone = self._under_way
            self._end()
            return self._advance(patience)
        self._done()
        self._give_up(f"an error in this program\n{defect}")
        return None

    def _give_up(self, reason: str) -> None:
        """Stop for now; the next attempt begins with a fresh process."""
        self._rests = True
        self._end()
        if not self._warned:
            self._warned = True
            self.warn(
                f"MLflow's mirror is incomplete ({reason}); the records are safe, and a later "
                "`repro sync` completes the mirror"
            )

    def _end(self) -> None:
        self._under_way = 0
        if self._writer is not None:
            self._writer.process.kill()
            self._writer.stop()
            self._writer.join()
            self._writer = None


class _Writer(Child):
    """The process that writes; requests are sent in pieces, so that sending does not block.

    The next piece follows the answer to the previous one, so every piece fits into an empty pipe.
    (A thread that sends the whole could still be writing when the connection is closed.)
    """

    def __init__(self, prepare: Callable[[], Answer]) -> None:
        super().__init__(prepare)
        self._deadline = 0.0  # for the last piece sent
        self._longest = START_UP
        self._index: StudyIndex | None = None  # the last one sent
        self._pieces: deque[bytes] = deque()  # remaining pieces of the current request

    def begin(self, request: Request) -> None:
        """Send a request; without its index if the process has it already."""
        if request.study is self._index:
            request = request._replace(study=None)
        else:
            self._index = request.study
        whole = pickle.dumps(tuple(request))
        starts = range(0, len(whole) + 1, PIECE)  # the last piece is shorter than the others
        self._pieces.extend(whole[start : start + PIECE] for start in starts)
        self._give()

    def go_on(self, patience: float) -> tuple[Any] | None:
        """Continue the request; return the answer, or None if it takes too long."""
        end = time.monotonic() + patience
        while self.connection.poll(max(0.0, min(end, self._deadline) - time.monotonic())):
            word, answer = self.receive()
            if word == "ready":
                continue
            self._longest = SILENCE
            if word == "said":  # a sign of life
                self._deadline = time.monotonic() + SILENCE
            elif self._pieces:
                self._give()
            else:
                return (answer,)
        return None

    def _give(self) -> None:
        self._deadline = time.monotonic() + self._longest
        with suppress(ConnectionError):  # `receive` then reports how it ended
            self.send(self._pieces.popleft())
