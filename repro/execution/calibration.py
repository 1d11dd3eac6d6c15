"""Prediction of the time and memory of a study on this machine, from short trial runs.

Child processes (`measuring`) train a few steps and scan a few photographs. No file is written, and
the parent process does not import torch. The rest is arithmetic on the measurements.
"""

import functools
import itertools
import math
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from repro.data import sources
from repro.data.pictures.images import Photographs, TrainingImages
from repro.errors import RunFailed
from repro.execution import measuring, shared_work, wall_time
from repro.execution.wall_time import Work
from repro.plugins.carriers import Carried
from repro.plugins.catalogue import Catalogue
from repro.records.scores import SETS
from repro.records.task import Task
from repro.study import methods
from repro.study.configuration import Configuration, Objective
from repro.study.data_spec import Data
from repro.study.section import digest
from repro.system import machine

if TYPE_CHECKING:
    from repro.models import Model

IMAGES = 512  # of a calibrating epoch: about a second on one core
STEPS = 2  # of a calibrating epoch at least, however large the batches
EPOCHS = 3  # the first warms up
PHOTOGRAPHS = 40  # of each kind
TIMES = ("start", "load", "epoch", "first", "scan")  # of a cost, in seconds
EVEN_DRAWS: Mapping[str, Any] = {
    "rule": "none",
    "of": None,
    "parameters": {},
    "uniform_epochs": "draw",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Time and memory of a run of a configuration on this machine.

    Attributes:
        start: Seconds until a new worker is ready.
        load: Seconds to load the data; runs on the same data do not load them again.
        epoch: Seconds of an epoch.
        scan: Seconds to scan all photographs; 0 if the run fails before.
        memory: Peak of the worker, in bytes.
        fails_after: Epochs after which the run fails; None if it does not.
        first: Seconds of an epoch's steps alone, which a run saves if another one of its process
            has trained its first epoch.
        images: Of an epoch.
        resting: Bytes of the worker with the data, before it trains.
    """

    start: float
    load: float
    epoch: float
    scan: float
    memory: float
    fails_after: int | None = None
    first: float = 0.0
    images: int = 0
    resting: float = 0.0

    def seconds(self, epochs: int) -> float:
        """Seconds of a run of this number of epochs, in a worker that has the data."""
        return self._trained(epochs) * self.epoch + self.scan

    def beside_steps(self, epochs: int) -> float:
        """Those of a run in which it makes no step: it draws, validates and scans."""
        return self._trained(epochs) * (self.epoch - self.first) + self.scan

    def _trained(self, epochs: int) -> int:
        return epochs if self.fails_after is None else min(epochs, self.fails_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Predicted time and memory of a study on this machine, or on several equal ones.

    Attributes:
        seconds: Wall time.
        workers: Runs at a time on each machine.
        each: Peak of the largest worker, in bytes.
        machines: Number of machines.
        stack: Runs that a worker trains as one network; 1: each singly.
    """

    seconds: float
    workers: int
    each: float
    machines: int = 1
    stack: int = 1

    @property
    def memory(self) -> float:
        """Bytes of all workers of a machine if all reach their peak at the same time."""
        return self.workers * self.each

    @property
    def machine_hours(self) -> float:
        """Hours to pay for on rented machines: all machines, until the last run ends."""
        return self.machines * self.seconds / 3600


def works(tasks: Iterable[Task]) -> dict[str, measuring.Work]:
    """What has to be measured of these runs, by their `cost_kind`."""
    alike = [(standing_in(task.configuration), tuple(task.plugins.values())) for task in tasks]
    return {cost_kind(arm): measuring.Work(measure, arm, carried) for arm, carried in alike}


def predict(
    tasks: Sequence[Task],
    measured: Mapping[str, Sequence[Cost]],
    *,
    slots: Sequence[str],
    machines: int = 1,
    shared: bool = True,
) -> Prediction:
    """Time and memory of the tasks, in their order, one at a time in each slot.

    Args:
        tasks: At least one.
        measured: What was found of each of their `works`, with as many slots.
        slots: The device of each worker of a machine; see `hardware`.
        machines: Number of machines, all like this one.
        shared: Whether first epochs and drawn data are shared: by processes of this machine.
    """
    workers = min(len(slots), len(tasks))
    kinds = [cost_kind(standing_in(task.configuration)) for task in tasks]
    costs = {name: average(measured[name]) for name in kinds}
    in_common = shared_work.of_runs(tasks) if shared else [wall_time.ALONE] * len(tasks)
    runs = [
        Work(
            takes=costs[name].seconds(_epochs(task)),
            data=task.configuration.data,
            load=costs[name].load,
            first=0.0 if costs[name].fails_after == 0 else costs[name].first,
            shared=one,
            after=after,
        )
        for task, name, one, after in zip(tasks, kinds, in_common, sources_of(tasks), strict=True)
    ]
    start = max(cost.start for cost in costs.values())
    return Prediction(
        seconds=start + wall_time.seconds(runs, workers=machines * workers),
        workers=workers,
        each=max(cost.memory for cost in costs.values()),
        machines=machines,
    )


def sources_of(tasks: Sequence[Task]) -> list[list[int]]:
    """For each run the position of the one that it waits for, if that is among them."""
    places = {task.key: place for place, task in enumerate(tasks)}
    return [[places[task.awaits]] if task.awaits in places else [] for task in tasks]


def standing_in(configuration: Configuration) -> Configuration:
    """A configuration of about the same cost that starts from no other run: even draws.

    They also stand in for built-in rules that encode no image, such as those of groups, of which
    the few images of a calibration may have none.
    """
    resampling, objective = configuration.resampling, configuration.objective
    rule = methods.BUILT_IN.find("rule", resampling.rule)
    encodes = rule is None or methods.follows_network(rule)
    if resampling.of is not None or not (encodes or resampling.rule == "none"):
        resampling = resampling.model_copy(update=EVEN_DRAWS)
    if objective.of is not None:
        objective = Objective()
    changes = {"resampling": resampling, "objective": objective}
    return configuration.model_copy(update=changes)


def _epochs(task: Task) -> int:
    """Epochs that a run trains; what a method does without training takes seconds."""
    catalogue = methods.with_plugins(task.plugins.values())
    trains = methods.objective(task.configuration, catalogue).trains
    return task.configuration.epochs if trains else 0


def cost_kind(configuration: Configuration) -> str:
    """Key of the cost of a run: arms with equal keys share a calibration.

    It omits settings that do not change the cost of an epoch: alpha, weights of terms, learning
    rate, reduction, normalisation of bins, checkpoint, and the number of epochs.
    """
    choices = configuration.identity()
    for name in ("learning_rate", "checkpoint", "epochs", "classification", "kl"):
        choices.pop(name, None)
    choices.get("reconstruction", {}).clear()
    for name in ("alpha", "density"):
        choices["resampling"].pop(name, None)
    return digest([choices, configuration.data.model_dump(mode="json")])


def average(found: Sequence[Cost]) -> Cost:
    """The mean of times, the largest memory."""
    count = len(found)
    return Cost(
        **{name: sum(getattr(cost, name) for cost in found) / count for name in TIMES},
        memory=max(cost.memory for cost in found),
        fails_after=found[0].fails_after,
        images=found[0].images,
        resting=max(cost.resting for cost in found),
    )


def measure(
    configuration: Configuration, *, start: float, device: str, plugins: Iterable[Carried] = ()
) -> Cost:
    """Measure the cost of a run by training and scanning a part of its data in this process.

    Args:
        configuration: Of the run.
        start: Seconds until this process was ready.
        device: Where it would train.
        plugins: Those that it uses.

    Raises:
        DataError: The data are wrong.
        PluginError: A plug-in failed.
    """
    catalogue = methods.with_plugins(plugins)
    data = _load(configuration.data)
    copies = _memory_of_copies(configuration, data.images, catalogue)
    resting = _start_of_peak()
    trained = _train(configuration, data.images, device, catalogue)
    model = trained.model
    scan = 0.0
    if model is not None:
        scan = sum(_scan(model, kind, configuration) for kind in data.photographs)
    working = machine.peak_memory() - resting
    if model is not None:  # a first epoch that is kept: the network, and Adam's two moments
        working += 3 * sum(tensor.nbytes for tensor in model.state_dict().values())
    return Cost(
        start=start,
        load=data.seconds,
        epoch=trained.epoch,
        first=trained.steps,
        scan=scan,
        memory=max(data.peak, data.resting + copies + working),
        fails_after=trained.fails_after,
        images=trained.images,
        resting=data.resting,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """The data of a study, and the seconds and bytes that loading them took."""

    images: TrainingImages
    photographs: tuple[Photographs, ...]  # portraits, and those without a face if there are any
    seconds: float
    peak: int
    resting: int


@functools.lru_cache(maxsize=1)
def _load(data: Data) -> _Loaded:
    began = time.perf_counter()
    images, photographs, _ = sources.material(data)
    return _Loaded(
        images=images,
        photographs=tuple(photographs[name] for name in SETS if name in photographs),
        seconds=time.perf_counter() - began,
        peak=machine.peak_memory(),
        resting=machine.resident_memory(),
    )


def _memory_of_copies(
    configuration: Configuration, images: TrainingImages, catalogue: Catalogue
) -> int:
    """Bytes that training adds to all the images before its first step.

    An epoch on all images with a batch size above their number makes no step, but allocates the
    memory of an epoch; with few validation images it takes almost no time.
    """
    from repro.training import trainer

    count = len(images.images)
    stepless = configuration.model_copy(
        update={
            "epochs": 1,
            "batch_size": count + 1,
            "validation_share": 4 / count,
            "resampling": configuration.resampling.model_copy(
                update={"rule": "none", "parameters": {}, "uniform_epochs": "shuffle"}
            ),
            "objective": Objective(),
        }
    )
    resting = _start_of_peak()
    trainer.fit(stepless, 0, images, catalogue=catalogue)
    return machine.peak_memory() - resting


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trained:
    """Seconds of an epoch on all images, and of its steps; the network, unless training failed."""

    images: int
    epoch: float
    steps: float
    model: "Model | None"
    fails_after: int | None


def _train(
    configuration: Configuration, images: TrainingImages, device: str, catalogue: Catalogue
) -> _Trained:
    """Train a few epochs on a part of the images."""
    from repro.training import trainer

    part = in_turn(some(configuration, images))
    few = configuration.model_copy(update={"epochs": EPOCHS})
    began = time.perf_counter()
    ends, steps = list[float](), list[float]()
    model, fails_after = None, None
    try:
        run = trainer.Fit(few, 0, part, device=device, catalogue=catalogue)
        while run.goes_on:
            batches = run.draw(run.number)
            drawn = time.perf_counter()
            run.train(batches)
            run.step.totals.tolist()  # waits for the device
            steps.append(time.perf_counter() - drawn)
            run.ended(run.step.totals, batches.size)
            ends.append(time.perf_counter() - began)
        model = run.fitted().model
    except RunFailed:
        fails_after = len(ends)
    whole, less = (trainer.images_per_epoch(configuration, data) for data in (images, part))
    scale = whole / less if less else 1.0
    return _Trained(
        images=whole,
        epoch=scale * epoch_seconds(ends),
        steps=scale * statistics.fmean(steps[1:] or steps or [0.0]),
        model=model,
        fails_after=fails_after,
    )


def epoch_seconds(ends: Sequence[float]) -> float:
    """Seconds of one epoch; the first one is warm-up and counts only if there is no other.

    Args:
        ends: Seconds after the beginning at which each epoch ended.
    """
    if len(ends) < 2:
        return sum(ends)
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def some(configuration: Configuration, images: TrainingImages) -> TrainingImages:
    """Evenly spaced images of each class: enough for a calibrating epoch, or all."""
    steps = max(math.ceil(IMAGES / configuration.batch_size), STEPS)
    trained = steps * configuration.batch_size
    wanted = math.ceil(trained / (1 - configuration.validation_share)) + 2  # shares are rounded
    share = wanted / len(images.is_face)
    if share >= 1:
        return images
    chosen = np.concatenate(
        [
            members[_evenly(len(members), math.ceil(share * len(members)))]
            for members in (np.flatnonzero(images.is_face), np.flatnonzero(~images.is_face))
        ]
    )
    groups = images.groups and tuple(images.groups[index] for index in chosen)
    return TrainingImages(images.images[chosen], images.is_face[chosen], groups)


def in_turn(images: TrainingImages) -> TrainingImages:
    """The same images, the faces' groups dealt in turn, so that none lacks in a part of them.

    What a method costs does not depend on who is of which group.
    """
    if images.groups is None:
        return images
    names = itertools.cycle(sorted({*images.groups} - {""}) or [""])
    groups = tuple(next(names) if group else "" for group in images.groups)
    return TrainingImages(images.images, images.is_face, groups)


def _scan(model: "Model", photographs: Photographs, configuration: Configuration) -> float:
    """Seconds of the scan of all photographs, from a few evenly spaced ones."""
    from repro.training import evaluation

    chosen = _evenly(len(photographs), min(PHOTOGRAPHS, len(photographs)))
    part = Photographs(
        tuple(photographs.names[index] for index in chosen),
        tuple(photographs.groups[index] for index in chosen),
        lambda index: photographs.read(int(chosen[index])),
    )
    began = time.perf_counter()
    evaluation.score(model, part, configuration.reading)
    return (time.perf_counter() - began) * len(photographs) / len(part)


def _evenly(count: int, wanted: int) -> NDArray[np.int64]:
    """`wanted` evenly spaced different indices below `count`, the ends included."""
    return np.linspace(0, count - 1, wanted).round().astype(np.int64)


def _start_of_peak() -> int:
    """Reset the peak of resident memory; return the bytes that are resident now."""
    machine.forget_peak_memory()
    return machine.resident_memory()
