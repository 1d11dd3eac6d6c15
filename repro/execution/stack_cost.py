"""What runs cost that are trained as one network: a few steps of a real stack on this machine.

A step takes the same time whatever the pictures show, and whoever the members are: copies fill a
stack up, so that the last one of a shape takes as long as a full one. Drawing, validation and
portraits are each member's own, one after another, and cost what they cost a single run on torch's
operators, which measures them (`calibration`, `paper_cost`).
"""

import math
import statistics
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from repro.execution import calibration, random_pictures, shared_work, wall_time
from repro.execution.calibration import Cost, Prediction
from repro.execution.measuring import Work
from repro.execution.shared_work import Shared
from repro.plugins.carriers import Carried
from repro.records.task import Task
from repro.study import stacking
from repro.study.configuration import Configuration
from repro.study.section import digest
from repro.system import machine

if TYPE_CHECKING:
    from repro.training.batched import BatchedFit

WARM = 5  # steps on a GPU, which launches three and records one before it replays any
SECONDS = 1.0  # of the steps that are timed
MOST = 200  # of them, however short
FLOAT = 4  # bytes of a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What the steps of a stack take on this machine.

    Attributes:
        step: Seconds of a step of all its networks.
        memory: Bytes of the process beyond the data and the noise of an epoch.
    """

    step: float
    memory: float


def works(configurations: Iterable[Configuration], size: int) -> dict[str, Work]:
    """What has to be measured of stacks of so many networks, by `kind`.

    Args:
        configurations: Of runs that can be stacked.
        size: Networks of a stack.
    """
    return {kind(one): Work(partial(measure, size=size), _plain(one)) for one in configurations}


def kind(configuration: Configuration) -> str:
    """Key of the steps of a run: stacks with equal keys take as long for a step."""
    settings = stacking.shared_settings(_plain(configuration))
    for name in ("epochs", "classification", "kl", "reconstruction"):
        settings.pop(name, None)
    return digest(["stack", settings])


def _plain(configuration: Configuration) -> Configuration:
    """A configuration whose steps take as long, and which learns nothing of noise."""
    even = configuration.resampling.model_copy(update=calibration.EVEN_DRAWS)
    slow = random_pictures.LEARNING_RATE
    return configuration.model_copy(update={"resampling": even, "learning_rate": slow})


def average(found: Sequence[Steps]) -> Steps:
    """The mean of times, the largest memory."""
    return Steps(
        step=statistics.fmean(one.step for one in found),
        memory=max(one.memory for one in found),
    )


def count(kinds: Iterable[Hashable], size: int) -> int:
    """Number of stacks of such runs, the last of each kind filled up."""
    return sum(math.ceil(runs / size) for runs in Counter(kinds).values())


def kinds(tasks: Sequence[Task]) -> list[Hashable]:
    """What runs of one study must have alike to be trained as one network."""
    arms = {task.arm: task for task in tasks}
    known = {
        name: (stacking.shape(task.configuration), task.data["train"])
        for name, task in arms.items()
    }
    return [known[task.arm] for task in tasks]


def stacks_of(tasks: Sequence[Task], size: int) -> int:
    """Number of stacks that runs of one study are; those that start from others come later."""
    waits = map(bool, calibration.sources_of(tasks))
    return count(zip(kinds(tasks), waits, strict=True), size)


def predict(
    tasks: Sequence[Task],
    measured: Mapping[str, Sequence[Any]],
    *,
    size: int,
    slots: Sequence[str],
    machines: int = 1,
) -> Prediction:
    """Time and memory of the tasks, a stack at a time in each slot.

    Args:
        tasks: At least one.
        measured: What was found of each of their `works`, and of those of `calibration`.
        size: Networks of a stack.
        slots: The device of each worker of a machine; see `hardware`.
        machines: Number of machines, all like this one.
    """
    arms = {task.arm: task.configuration for task in tasks}
    costs = {name: _costs(configuration, measured) for name, configuration in arms.items()}
    pairs = [costs[task.arm] for task in tasks]
    every = zip(
        tasks,
        pairs,
        kinds(tasks),
        shared_work.of_runs(tasks),
        calibration.sources_of(tasks),
        strict=True,
    )
    runs = [
        wall_time.Work(
            takes=cost.beside_steps(task.configuration.epochs),
            together=_seconds_of_all(task.configuration, cost, steps),
            kind=of_kind,
            data=task.configuration.data,
            load=cost.load,
            shared=Shared(draws=shared.draws),
            after=after,
        )
        for task, (cost, steps), of_kind, shared, after in every
    ]
    workers = min(len(slots), stacks_of(tasks, size))
    return Prediction(
        seconds=max(cost.start for cost, _ in pairs)
        + wall_time.seconds(runs, workers=machines * workers, stack=size),
        workers=workers,
        each=max(
            _memory(configuration, *costs[name], device=slots[0], size=size)
            for name, configuration in arms.items()
        ),
        machines=machines,
        stack=size,
    )


def _costs(
    configuration: Configuration, measured: Mapping[str, Sequence[Any]]
) -> tuple[Cost, Steps]:
    """Of a member, and of its stack."""
    own = calibration.cost_kind(calibration.standing_in(configuration))
    return calibration.average(measured[own]), average(measured[kind(configuration)])


def _seconds_of_all(configuration: Configuration, cost: Cost, steps: Steps) -> float:
    """Of all steps of a stack."""
    return configuration.epochs * cost.images / configuration.batch_size * steps.step


def _memory(
    configuration: Configuration, cost: Cost, steps: Steps, *, device: str, size: int
) -> float:
    """Bytes of a worker at its peak; on a CPU with an epoch's noise, of each member and of all."""
    noise = 2.0 * size * cost.images * configuration.latents * FLOAT if device == "cpu" else 0.0
    return max(cost.memory, cost.resting + steps.memory + noise)


def measure(
    configuration: Configuration,
    *,
    start: float,
    device: str,
    plugins: Iterable[Carried] = (),
    size: int,
) -> Steps:
    """Train a stack for a few steps in this process, on random pictures.

    Args:
        configuration: Of its members.
        start: Not used.
        device: Where it would train.
        plugins: None: their runs cannot be stacked, or they draw pictures only.
        size: Number of its networks.
    """
    from repro.training.batched import BatchedFit, Member

    images = random_pictures.crops(configuration, 1)
    machine.forget_peak_memory()
    resting = machine.resident_memory()
    members = [Member(configuration, seed) for seed in range(size)]
    fit = BatchedFit(members, images, device=device)
    batches = fit.draw()
    _seconds(fit, batches, 1 if device == "cpu" else WARM)
    once = _seconds(fit, batches, 1)
    steps = min(max(math.ceil(SECONDS / once), 1), MOST)
    step = _seconds(fit, batches, steps) / steps
    return Steps(step=step, memory=machine.peak_memory() - resting)


def _seconds(fit: "BatchedFit", batches: Sequence[np.ndarray], steps: int) -> float:
    """Seconds of so many steps, all on the first batch of each network."""
    began = time.perf_counter()
    fit.train([np.repeat(own[:1], steps, axis=0) for own in batches])
    fit.step.totals.tolist()  # waits for the device
    return time.perf_counter() - began
