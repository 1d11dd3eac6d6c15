"""Mirrors a study while it runs, and never stops it or makes it wait.

A process of its own writes to MLflow, because a store that is locked, slow or hanging would hold up
whoever writes. What is to be mirrored waits here until that process is idle, and then goes over
together; what fails is tried again, in a fresh process, when there is more to mirror. Only at the
end is there a wait, and it is bounded. Whatever goes wrong costs one warning: what is missing then,
`synchronisation` adds.
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

ALLOWANCE = 2.0  # seconds of waiting that a run may cost its study
START_UP = 30.0  # seconds on top, to load MLflow and build a database; 3 to 5 on an idle machine
SILENCE = 10.0  # seconds without an answer, once there was one, after which none will come
PULSE = 1.0  # seconds between two signs of life of a process that has much to do
LAST_WORDS = (
    1.0  # seconds for what is being written when a study is interrupted; a quarter would do
)
PAUSE = 0.1  # seconds from one handing over to the next while a study runs, so that runs gather
BATCH = 64  # runs that go over together; a tenth to a quarter of a second
PIECE = 1 << 16  # bytes; a pipe takes more at once, so that nobody waits until it is read


class Request(NamedTuple):
    """What is to be done to the mirror of a study: a method of `Mirror`, and its arguments."""

    act: Literal["add_all", "wants_page", "finish"]
    study: StudyIndex | None  # None is that of the request before
    arguments: tuple[Any, ...]


def prepare(results: Path) -> Answer:
    """In the child: put the pieces of a request together, and do it to the mirror."""
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
    """In the child: gives signs of life, however often it is called."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last >= PULSE:
            last = time.monotonic()
            with suppress(ConnectionError):  # nobody listens any more; what is begun is finished
                say(None)

    return beat


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
    _under_way: int = 0  # how many are, as one
    _handed: float = -PAUSE  # when it was handed over
    _alone: int = 0  # how many go one by one, because together they met a defect
    _known: dict[str, set[Name]] = field(default_factory=dict)  # by experiment
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
            self._writer.join(LAST_WORDS)
            self._end()

    def add(self, index: StudyIndex, arm: str, key: str) -> None:
        """Have a run mirrored that has a record; at once, or when the mirror can be written."""
        known = self._known.setdefault(experiment_name(index), set())
        if (arm, key) not in known:
            known.add((arm, key))
            self._patience += ALLOWANCE
            self._waiting.append(Request("add_all", index, ((arm, key),)))
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
        return self._ask("wants_page", index) is True

    def finish(
        self, index: StudyIndex, table_markdown: str, *, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Show what a study comes to; as `Mirror.finish`."""
        self._ask("finish", index, table_markdown, files)

    def _ask(self, act: Literal["wants_page", "finish"], index: StudyIndex, *arguments: Any) -> Any:
        """What the mirror says; None if it cannot be had now."""
        if self._rests:
            return None
        self._waiting.append(Request(act, index, arguments))
        answer = self._wait()
        if self._waiting:  # it is the last of them
            self._waiting.pop()
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
        """Have the first requests done; their answer, None if there is none yet."""
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
        """Whether what waits is few, and may soon be more: every handing over costs as a run."""
        return len(self._waiting) < BATCH and time.monotonic() < self._handed + PAUSE

    def _next(self) -> Request:
        """The first request, with those that go over as one with it: runs of the same study."""
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
        """Forget what was under way."""
        for _ in range(self._under_way):
            self._waiting.popleft()
        self._alone = max(0, self._alone - self._under_way)
        self._under_way = 0

    def _isolate(self, defect: ChildError, patience: float) -> tuple[Any] | None:
        """Leave out the run that met a defect; of many, find out which by doing each alone."""
        if self._under_way > 1:
            self._alone = self._under_way
            self._end()
            return self._advance(patience)
        self._done()
        self._give_up(f"an error in this program\n{defect}")
        return None

    def _give_up(self, reason: str) -> None:
        """Leave it for now; in doubt, the next try begins with a fresh process."""
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
    """The process that writes; a request goes to it in pieces, so that handing over is no wait.

    The next piece follows the answer to the one before, so every piece fits into an empty pipe. (A
    thread that sends the whole would still be writing when the connection is closed under it.)
    """

    def __init__(self, prepare: Callable[[], Answer]) -> None:
        super().__init__(prepare)
        self._deadline = 0.0  # for what it was given last
        self._longest = START_UP
        self._index: StudyIndex | None = None  # that it was given last
        self._pieces: deque[bytes] = deque()  # of the request that it has, those to come

    def begin(self, request: Request) -> None:
        """Give it a request; one whose index it has goes without."""
        if request.study is self._index:
            request = request._replace(study=None)
        else:
            self._index = request.study
        whole = pickle.dumps(tuple(request))
        starts = range(0, len(whole) + 1, PIECE)  # the last piece is shorter than the others
        self._pieces.extend(whole[start : start + PIECE] for start in starts)
        self._give()

    def go_on(self, patience: float) -> tuple[Any] | None:
        """Go on with the request; the answer, None if it takes too long."""
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
        with suppress(ConnectionError):  # what it answers then says how it ended
            self.send(self._pieces.popleft())
