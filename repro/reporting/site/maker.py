"""Makes pages one after another in a child process, so that nobody who asks waits for another.

A page is kept until the records that it shows change. Whatever happens while it is made (damaged
records, a child that dies) becomes a text for the page.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from repro.errors import ReproError
from repro.system.child_process import Answer, Child, ChildError, Gone

MOST_KEPT = 8  # whole pages, some of which take megabytes

Kind = Literal["summary", "page"]


class Wish(NamedTuple):
    """A page, or the summary of a study for the start page."""

    kind: Kind
    name: str
    variant: str


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a wish.

    Attributes:
        content: The page, or the answer of the study.
        remark: What is not the answer, such as what detectors trained elsewhere find.
        files: That the page links to, by path below it.
        failed: Number of runs that failed.
        fault: Why there is no content; empty if there is.
    """

    content: str = ""
    remark: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    failed: int = 0
    fault: str = ""


class Maker:
    """Takes wishes from any thread."""

    def __init__(self, prepare: Callable[[], Answer]) -> None:
        """Start no process yet.

        Args:
            prepare: As for `Child`; what it returns answers a `Wish` with a `Made`, and says a few
                words before each step.
        """
        self._prepare = prepare
        self._child: Child | None = None
        self._changed = threading.Condition()
        self._made: dict[Wish, tuple[str, Made]] = {}
        self._wanted: dict[Wish, str] = {}  # with the stamp of the records, in order
        self._begun: dict[Wish, tuple[float, str]] = {}  # when, and with which stamp
        self._said = ""
        self._closed = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def get(self, wish: Wish, stamp: str, *, patience: float = 0.0) -> Made | None:
        """What was made of these records; if nothing was, it is begun.

        Args:
            wish: What is wanted.
            stamp: Of the records.
            patience: Seconds to wait for it.

        Returns:
            None if it is not ready.
        """
        end = time.monotonic() + patience
        with self._changed:
            while True:
                known, made = self._made.get(wish, ("", None))
                if made is not None and known == stamp:
                    return made
                _, begun = self._begun.get(wish, (0.0, None))
                if stamp not in (begun, self._wanted.get(wish)):
                    self._wanted[wish] = stamp
                    self._changed.notify_all()
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)

    def progress(self, wish: Wish) -> str:
        """How far a wish is, in a sentence."""
        with self._changed:
            if wish in self._begun:
                seconds = time.monotonic() - self._begun[wish][0]
                return f"For {seconds:.0f} s now: {self._said or 'starting'}."
            before = len(self._begun) + [*self._wanted].index(wish) if wish in self._wanted else 0
            return f"{before} other pages are made before it." if before else "It is next."

    def close(self) -> None:
        """End the process; nothing is made any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            if self._child is not None:
                self._child.process.kill()
        self._thread.join()

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child.join()
        self._child = None

    def _work(self) -> None:
        """In a thread of its own: whole pages first, for somebody looks at them."""
        while True:
            with self._changed:
                while not self._wanted and not self._closed:
                    self._changed.wait()
                if self._closed:
                    break
                wish = min(self._wanted, key=lambda one: one.kind != "page")
                stamp = self._wanted.pop(wish)
                self._begun, self._said = {wish: (time.monotonic(), stamp)}, ""
            made = self._make(wish)
            with self._changed:
                self._begun = {}
                self._keep(wish, stamp, made)
                self._changed.notify_all()
        self._end_child()

    def _keep(self, wish: Wish, stamp: str, made: Made) -> None:
        self._made.pop(wish, None)
        self._made[wish] = (stamp, made)
        pages = [one for one in self._made if one.kind == "page"]
        for one in pages[:-MOST_KEPT]:
            del self._made[one]

    def _make(self, wish: Wish) -> Made:
        try:
            self._child = self._child or Child(self._prepare)
            self._child.send(wish)
            while True:
                word, content = self._child.receive()
                if word == "ended":
                    assert isinstance(content, Made)
                    return content
                if word == "said":
                    self._said = content
        except Gone as error:
            self._child = None
            return Made(fault=f"the process that made this page ended ({error})")
        except ChildError as error:
            last = str(error).strip().splitlines()[-1]
            return Made(fault=f"a defect of this program: {last}; please report it")
        except ReproError as error:
            if self._child is not None and not self._child.is_ready:  # it cannot begin
                self._end_child()
            return Made(fault=str(error))
