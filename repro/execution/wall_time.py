"""When the last of some runs ends: each goes to the worker that is free first, after its source."""

import heapq
import math
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from types import MappingProxyType

NOTHING: Mapping[int, int] = MappingProxyType({})


def seconds(
    runs: Iterable[tuple[Hashable, float, float]],
    *,
    workers: int,
    after: Mapping[int, int] = NOTHING,
) -> float:
    """When the last of these runs ends, each given to the worker that is free first.

    Args:
        runs: (data, seconds to load them, seconds of the run) in their order. A worker loads
            the data if its run before had others.
        workers: At least 1.
        after: Position of a run -> position of the run that must have ended before.
    """
    waiting = OrderedDict(enumerate(runs))
    free: list[tuple[float, int]] = [(0.0, worker) for worker in range(workers)]
    holds: dict[int, Hashable] = {}
    ends: dict[int, float] = {}
    while waiting:
        now, worker = heapq.heappop(free)
        place = next((one for one in waiting if _can_start(one, after, ends, now)), None)
        if place is None:  # nothing can start before another run ends
            heapq.heappush(free, (min(end for end in ends.values() if end > now), worker))
            continue
        data, load, takes = waiting.pop(place)
        ends[place] = now + (0.0 if holds.get(worker) == data else load) + takes
        holds[worker] = data
        heapq.heappush(free, (ends[place], worker))
    return max(ends.values(), default=0.0)


def _can_start(place: int, after: Mapping[int, int], ends: Mapping[int, float], now: float) -> bool:
    return place not in after or ends.get(after[place], math.inf) <= now
