"""When the last of some runs ends: each goes to the worker that is free first, after its source."""

import heapq
import itertools
import math
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field

from repro.execution.scheduler import CHOICE
from repro.execution.shared_work import Shared

ALONE = Shared()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A run, or several in one process, as a worker sees it.

    Attributes:
        takes: Seconds of all of it, in a worker that has the data.
        data: Equal for equal data.
        load: Seconds to load them, in a worker whose run before had others.
        first: Seconds of the first epoch that the worker saves if its run before trained it.
        shared: What it has in common with others.
        after: Positions of those that must have ended before.
    """

    takes: float
    data: Hashable = None
    load: float = 0.0
    first: float = 0.0
    shared: Shared = ALONE
    after: Collection[int] = ()


def seconds(works: Iterable[Work], *, workers: int) -> float:
    """When the last of these ends, each given to the worker that is free first.

    A worker takes the next one as the processes of this machine do (`Local.choose`): one that
    begins as its last, or else as none that is being done.

    Args:
        works: In their order.
        workers: At least 1.
    """
    schedule = _Schedule(OrderedDict(enumerate(works)))
    free = [(0.0, worker) for worker in range(workers)]
    while schedule.waiting:
        now, worker = heapq.heappop(free)
        place = schedule.next(now, worker)
        if place is None:  # nothing can start before another one ends
            end = min(end for end in schedule.ends.values() if end > now)
            heapq.heappush(free, (end, worker))
        else:
            heapq.heappush(free, (schedule.give(place, now, worker), worker))
    return max(schedule.ends.values(), default=0.0)


@dataclass(slots=True)
class _Schedule:
    """What waits, when each that was begun ends, and what each worker has done last."""

    waiting: OrderedDict[int, Work]
    ends: dict[int, float] = field(default_factory=dict)
    last: dict[int, tuple[Work, float]] = field(default_factory=dict)  # and when it ends
    epochs: dict[int, str] = field(default_factory=dict)  # the first epoch that a worker keeps
    drawn: dict[Hashable, float] = field(default_factory=dict)  # when data are there, for all

    def next(self, now: float, worker: int) -> int | None:
        """The position of the next one; None if none can start now."""
        ready = (place for place, one in self.waiting.items() if self._can_start(one, now))
        places = list(itertools.islice(ready, CHOICE))
        if not places:
            return None
        beginnings = [self.waiting[place].shared.beginning for place in places]
        mine = self.last[worker][0].shared.beginning if worker in self.last else ""
        if mine in beginnings:
            return places[beginnings.index(mine)]
        others = {one.shared.beginning for one, end in self.last.values() if end > now}
        pairs = zip(places, beginnings, strict=True)
        return next((place for place, one in pairs if one not in others), places[0])

    def _can_start(self, one: Work, now: float) -> bool:
        return all(self.ends.get(place, math.inf) <= now for place in one.after)

    def give(self, place: int, now: float, worker: int) -> float:
        """Have a worker do it; return when it ends."""
        one = self.waiting.pop(place)
        takes = self._load(one, now, worker) + one.takes
        if epoch := one.shared.epoch:
            if self.epochs.get(worker) == epoch:
                takes -= one.first
            self.epochs[worker] = epoch
        self.ends[place] = now + takes
        self.last[worker] = one, now + takes
        return now + takes

    def _load(self, one: Work, now: float, worker: int) -> float:
        """Seconds until a worker has the data; what is drawn is drawn once, others wait for it."""
        if worker in self.last and self.last[worker][0].data == one.data:
            return 0.0
        if not one.shared.draws:
            return one.load
        return max(0.0, self.drawn.setdefault(one.data, now + one.load) - now)
