"""Child processes that measure, as many at a time as a study would have workers.

Two runs at once are slower than one alone, so all processes measure at the same time.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from repro.errors import ReproError
from repro.execution.executors import hardware
from repro.plugins.carriers import Carried
from repro.study.configuration import Configuration
from repro.system.child_process import Answer, Child, Gone, NotStarted, Say


class Work(NamedTuple):
    """What a child process measures.

    Attributes:
        measure: A module's function, called with the configuration, and with `start` (seconds
            until its process was ready), `device` and `plugins`.
        configuration: Of a run.
        plugins: Those that it uses.
    """

    measure: Callable[..., Any]
    configuration: Configuration
    plugins: tuple[Carried, ...] = ()


def measured(
    works: Mapping[str, Work], slots: Sequence[str], *, kernels: str
) -> dict[str, list[Any]]:
    """What each work found, once or more often.

    Args:
        works: By any name.
        slots: The device of each process.
        kernels: That compute networks.

    Raises:
        ReproError: The data are wrong, or a process was killed.
    """
    if not works:
        return {}
    found: dict[str, list[Any]] = {name: [] for name in works}
    dealt = shares(list(works), len(slots))
    began = time.monotonic()
    children: list[Child] = []
    try:
        for share, device in zip(dealt, slots, strict=True):
            children.append(Child(_prepare))
            children[-1].send((began, device, kernels, [works[name] for name in share]))
        for child, share in zip(children, dealt, strict=True):
            for name, one in zip(share, _answer(child), strict=True):
                found[name].append(one)
    finally:
        for child in children:
            child.stop()
        for child in children:
            child.join()
    return found


def require(slots: Sequence[str]) -> None:
    """Refuse GPUs that this machine lacks, before anything else is done.

    Args:
        slots: The device of each process; ``cpu`` is always there.

    Raises:
        ReproError: One is not here, or the process that looks for it was killed.
    """
    wanted = [device for device in dict.fromkeys(slots) if device != "cpu"]
    if not wanted:
        return
    child = Child(_prepare_devices)
    try:
        child.send(wanted)
        missing = _answer(child)
    finally:
        child.stop()
        child.join()
    if missing:
        raise ReproError(f"{missing[0]}; for a machine that is elsewhere add --no-calibration")


def shares(names: Sequence[str], processes: int) -> list[list[str]]:
    """Assign names to processes, the same number to each, repeating the first ones if needed.

    So all processes are busy all the time, like the workers of a study.
    """
    each = math.ceil(len(names) / processes)
    dealt = [names[number % len(names)] for number in range(each * processes)]
    return [dealt[first::processes] for first in range(processes)]


def _answer(child: Child) -> list[Any]:
    try:
        answers: list[Any] = child.answer()
    except (Gone, NotStarted) as fate:
        raise ReproError(
            f"a calibration process ended early ({fate}): is there enough memory? "
            "--no-calibration leaves the prediction out, fewer --workers or a smaller --stack need "
            "less memory"
        ) from None
    return answers


def _prepare_devices() -> Answer:
    """In the child process: return the function that says why devices cannot be used."""
    from repro.training.kernels import devices

    def refusals(wanted: Any, _: Say) -> list[str]:
        said = []
        for device in wanted:
            try:
                devices.require(device)
            except ReproError as error:
                said.append(str(error))
        return said

    return refusals


def _prepare() -> Answer:
    """In the child process: return the function that answers requests."""
    from repro.training import trainer
    from repro.training.kernels import devices

    trainer.prepare_process()

    def measure_each(request: Any, _: Say) -> list[Any]:
        began, device, kernels, works = request
        devices.require(device)
        start = time.monotonic() - began
        with hardware.using(kernels):
            return [
                one.measure(one.configuration, start=start, device=device, plugins=one.plugins)
                for one in works
            ]

    return measure_each
