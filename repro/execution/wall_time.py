"""When the last of some runs ends: each goes to the worker that is free first, after its source."""

import heapq
import itertools
import math
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from repro.execution.shared_work import Shared

ALONE = Shared()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A run, as a worker sees it.

    Attributes:
        takes: Seconds of its own, in a worker that has the data.
        data: Equal for equal data.
        load: Seconds to load them, in a worker whose run before had others.
        first: Seconds of the first epoch that the worker saves if its run before trained it.
        shared: What it has in common with others.
        after: Positions of those that must have ended before.
        kind: Equal for runs that one stack can train.
        together: Seconds of a stack that it is in, however many are.
    """

    takes: float
    data: Hashable = None
    load: float = 0.0
    first: float = 0.0
    shared: Shared = ALONE
    after: Collection[int] = ()
    kind: Hashable = None
    together: float = 0.0


def seconds(works: Iterable[Work], *, workers: int, stack: int = 1) -> float:
    """When the last of these ends, each given to the worker that is free first.

    A worker takes the next run as the processes of this machine do (`Executor.choose`): one that
    begins as its last, or else as none that is being done. It takes as many of a kind as can start,
    up to the size of a stack.

    Args:
        works: In their order.
        workers: At least 1.
        stack: Runs that are trained as one network, at most; 1: each singly.
    """
    schedule = _Schedule(dict(enumerate(works)))
    free = [(0.0, worker) for worker in range(workers)]
    while schedule.waiting:
        now, worker = heapq.heappop(free)
        places = schedule.next(now, worker, stack)
        if places:
            end = schedule.give(places, now, worker)
        else:  # nothing can start before another one ends
            end = min(end for end in schedule.ends.values() if end > now)
        heapq.heappush(free, (end, worker))
    return max(schedule.ends.values(), default=0.0)


@dataclass(slots=True)
class _Schedule:
    """What waits, when each that was begun ends, and what each worker has done last."""

    waiting: dict[int, Work]
    alike: dict[str, dict[int, Work]] = field(default_factory=dict)  # what waits, by beginning
    ends: dict[int, float] = field(default_factory=dict)
    last: dict[int, tuple[Work, float]] = field(default_factory=dict)  # and when it ends
    epochs: dict[int, str] = field(default_factory=dict)  # the first epoch that a worker keeps
    drawn: dict[Hashable, float] = field(default_factory=dict)  # when data are there, for all

    def __post_init__(self) -> None:
        for place, one in self.waiting.items():
            self.alike.setdefault(one.shared.beginning, {})[place] = one

    def next(self, now: float, worker: int, stack: int) -> Sequence[int]:
        """The positions of the next run, or of those of the next stack; none if none can start."""
        first = self._first(now, worker)
        if first is None or stack == 1:
            return [] if first is None else [first]
        kind = self.waiting[first].kind
        same = {place: one for place, one in self.waiting.items() if one.kind == kind}
        return list(itertools.islice(self._ready(same, now), stack))

    def _first(self, now: float, worker: int) -> int | None:
        mine = self.last[worker][0].shared.beginning if worker in self.last else ""
        if mine and (found := next(self._ready(self.alike.get(mine, {}), now), None)) is not None:
            return found
        others = {one.shared.beginning for one, end in self.last.values() if end > now} - {""}
        ready = self._ready(self.waiting, now)
        new = (place for place in ready if self.waiting[place].shared.beginning not in others)
        return next(new, next(self._ready(self.waiting, now), None))

    def _ready(self, some: dict[int, Work], now: float) -> Iterator[int]:
        """Those that can start now."""
        for place, one in some.items():
            if all(self.ends.get(source, math.inf) <= now for source in one.after):
                yield place

    def give(self, places: Sequence[int], now: float, worker: int) -> float:
        """Have a worker do them as one; return when they end."""
        works = [self.waiting.pop(place) for place in places]
        takes = max(one.together for one in works)
        takes += sum(one.takes - self._saved(one, worker) for one in works)
        of_data = {one.data: one for one in works}
        takes += sum(self._load(one, now, worker) for one in of_data.values())
        for place, one in zip(places, works, strict=True):
            del self.alike[one.shared.beginning][place]
        end = now + takes
        self.last[worker] = works[-1], end
        self.ends |= dict.fromkeys(places, end)
        return end

    def _saved(self, one: Work, worker: int) -> float:
        """Seconds of a first epoch that the worker has, and keeps, or trains and keeps."""
        epoch = one.shared.epoch
        if not epoch:
            return 0.0
        saved = one.first if self.epochs.get(worker) == epoch else 0.0
        self.epochs[worker] = epoch
        return saved

    def _load(self, one: Work, now: float, worker: int) -> float:
        """Seconds until a worker has the data; what is drawn is drawn once, others wait for it."""
        if worker in self.last and self.last[worker][0].data == one.data:
            return 0.0
        if not one.shared.draws:
            return one.load
        return max(0.0, self.drawn.setdefault(one.data, now + one.load) - now)
