"""From what the user says to the executor that it means."""

import multiprocessing
from collections.abc import Callable

from repro.errors import ReproError
from repro.execution.executors import hardware
from repro.execution.executors.base import Executor
from repro.execution.executors.executor_options import Place
from repro.execution.executors.inline import Inline
from repro.execution.executors.local import Local
from repro.execution.executors.stacks import Stacks
from repro.study.resources import Resources


def executor_at(place: Place, resources: Resources, *, remark: Callable[[str], None]) -> Executor:
    """The executor of a place, not begun yet: enter its context.

    Args:
        place: Where.
        resources: What a run takes, as its study says; what the place says comes first.
        remark: Told, in a sentence, what a person should know of the place.

    Raises:
        ReproError: There is no such place, or not with these options.
    """
    taken = resources.model_copy(update=dict(place.taken))
    if place.address is not None and place.executor != "ray":
        raise ReproError(f"--address {place.address} is only for --executor ray")
    if place.stacked:
        return _stacks(place, place.stacked, taken)
    if place.executor == "ray":
        from repro.execution.executors import ray

        return ray.Ray(place, taken, remark=remark)
    slots = hardware.slots(place.device, place.workers, taken)
    kernels = hardware.kernels_on(slots[0].split(":")[0], place.kernels)
    if kernels.fell_back:
        remark(f"{kernels}; runs take longer")
    if place.executor == "local" and multiprocessing.current_process().daemon:
        remark(
            "this process is a daemonic worker of multiprocessing, which must not start others: "
            "runs execute in it, one at a time"
        )
        return Inline(slots[0], kernels.name)
    if place.executor == "inline":
        return Inline(slots[0], kernels.name)
    return Local(slots, kernels.name, stall=60 * place.stall_minutes)


def _stacks(place: Place, size: int, taken: Resources) -> Stacks:
    """The executor that trains so many runs as one network.

    Raises:
        ReproError: The place cannot, or its options contradict.
    """
    if place.executor != "local":
        raise ReproError(f"--stack {size} is only for --executor local, not for {place.executor}")
    if multiprocessing.current_process().daemon:
        raise ReproError(
            f"--stack {size}: a stack needs a process of its own, and this one is a daemonic "
            "worker of multiprocessing, which must not start others: start the study from another "
            "process, or train its runs singly"
        )
    if place.kernels == "blocked":
        raise ReproError(
            f"--kernels blocked: they compute single runs, and --stack {size} trains {size} as one "
            "network, on torch's operators: leave one of the two options out"
        )
    slots = hardware.slots(place.device, place.workers, taken, stacked=True)
    return Stacks(slots, size, stall=60 * place.stall_minutes)
