"""What the paper's own study would cost on this machine, from short measurements and its sizes.

The paper's data are not needed: child processes (`measuring`) train on random pictures of the right
shape and score some, with the paper's settings. No operation takes another time for other values,
and all parts are proportional to the numbers of pictures. Reading files is not counted, nor that
arms share their first epoch.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from repro.data.pictures.images import Photographs
from repro.execution import calibration, random_pictures, stack_cost, wall_time
from repro.execution.measuring import Work
from repro.plugins import carriers
from repro.plugins.carriers import Carried
from repro.study import methods, stacking
from repro.study.configuration import Configuration, Reading
from repro.study.paper_study import PaperStudy
from repro.study.section import digest
from repro.study.study import Study
from repro.training.image_counts import held_out

if TYPE_CHECKING:
    from repro.training.trainer import Fit

ENCODED = 512  # images that are scored to measure validation
HEIGHTS, WIDTH = (256, 320, 384), 256  # of random portraits, about the shapes of PPB
PORTRAITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a configuration takes on one worker of this machine, in seconds.

    Attributes:
        trained: For each image of an epoch, with encoding, weights and drawing.
        validated: For each held-out image of an epoch.
        window: For each window of a portrait, to cut and to score.
        windows: Number of windows of a portrait, on average.
        drawn: The part of `trained` that is no step: encoding, weights and drawing.
    """

    trained: float
    validated: float
    window: float
    windows: float
    drawn: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What a run works through.

    Attributes:
        trained: Images of an epoch.
        validated: Held-out images.
        portraits: Test portraits.
    """

    trained: int
    validated: int
    portraits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Expected time of the paper's study.

    Attributes:
        seconds: Wall time.
        validation: Share of the time that validation takes after each epoch.
        portraits: Share that the windows of the portraits take, once a run.
    """

    seconds: float
    validation: float
    portraits: float

    @property
    def evaluation(self) -> float:
        """Share of both."""
        return self.validation + self.portraits


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Seconds of a run.

    Attributes:
        own: Of training, without those of a stack that it is in.
        together: Of the steps of a stack, however many runs are in it.
        validation: After each epoch.
        portraits: Of their windows.
    """

    own: float
    together: float = 0.0
    validation: float
    portraits: float


def sizes(paper: PaperStudy, arm: Configuration) -> Sizes:
    """What a run of an arm works through."""
    out = held_out(paper.images, share=arm.validation_share)
    trained = (paper.images - out) // arm.batch_size * arm.batch_size
    return Sizes(trained=trained, validated=out, portraits=paper.portraits)


def works(paper: PaperStudy, study: Study) -> dict[str, Work]:
    """What has to be measured, by `kind`.

    Args:
        paper: Of the study.
        study: Knows the plug-ins of its arms.
    """
    return {
        kind(arm.configuration): Work(
            measure, _plain(arm.configuration), tuple(_carried(study, arm).values())
        )
        for arm in paper.arms
    }


def _carried(study: Study, arm: Any) -> Mapping[str, Carried]:
    return carriers.carried(study.plugins_of(arm))


def kind(configuration: Configuration) -> str:
    """Key of the rates of an arm: those with equal keys take the same time for a picture."""
    return digest(["paper", calibration.cost_kind(_plain(configuration))])


def _plain(configuration: Configuration) -> Configuration:
    """A configuration that takes as long, and does not diverge or underflow on random pictures."""
    arm = calibration.standing_in(configuration)
    resampling = arm.resampling.model_copy(update={"arithmetic": "log"})
    slow = random_pictures.LEARNING_RATE
    return arm.model_copy(update={"learning_rate": slow, "resampling": resampling})


def expected(
    paper: PaperStudy,
    measured: Mapping[str, Sequence[Any]],
    *,
    workers: int,
    stack: int = 1,
) -> Expected:
    """Time of all runs, one at a time on each worker, or one stack.

    Args:
        paper: Its arms and sizes.
        measured: What was found of each of its `works`, and of its stacks.
        workers: Of all machines.
        stack: Runs that are trained as one network; 1: each singly.
    """
    parts = []
    for arm in (one.configuration for one in paper.arms):
        size, rates = sizes(paper, arm), _average(measured[kind(arm)])
        images, step = arm.epochs * size.trained, 0.0
        if stack > 1:
            step = stack_cost.average(measured[stack_cost.kind(arm)]).step
        parts.append(
            Parts(
                own=images * (rates.trained if stack == 1 else rates.drawn),
                together=images / arm.batch_size * step,
                validation=arm.epochs * size.validated * rates.validated,
                portraits=size.portraits * rates.windows * rates.window,
            )
        )
    return of_parts(paper, parts, workers=workers, stack=stack)


def of_parts(paper: PaperStudy, parts: Sequence[Parts], *, workers: int, stack: int) -> Expected:
    """Time of all runs.

    Args:
        paper: Its arms and sizes.
        parts: Of a run of each of its arms.
        workers: Of all machines.
        stack: Runs that are trained as one network; 1: each singly.
    """
    runs = [
        wall_time.Work(
            takes=one.own + one.validation + one.portraits,
            together=one.together,
            kind=stacking.shape(arm.configuration),
        )
        for arm, one in zip(paper.arms, parts, strict=True)
    ] * paper.replicates
    whole = wall_time.seconds(runs, workers=1, stack=stack)
    return Expected(
        seconds=wall_time.seconds(runs, workers=workers, stack=stack),
        validation=paper.replicates * sum(one.validation for one in parts) / whole,
        portraits=paper.replicates * sum(one.portraits for one in parts) / whole,
    )


def _average(found: Sequence[Rates]) -> Rates:
    def mean(name: str) -> float:
        return statistics.fmean(getattr(one, name) for one in found)

    return Rates(**{name: mean(name) for name in Rates.__slots__})


def measure(
    configuration: Configuration, *, start: float, device: str, plugins: Iterable[Carried] = ()
) -> Rates:
    """Measure in this process how long an arm takes for each picture, on random ones.

    Args:
        configuration: Of the arm, or one as costly.
        start: Not used.
        device: Where it would train.
        plugins: Those that it uses.
    """
    from repro.training.trainer import Fit

    images = random_pictures.crops(configuration, calibration.IMAGES)
    run = Fit(configuration, 0, images, device=device, catalogue=methods.with_plugins(plugins))
    trained, drawn = _seconds_of_an_image(run)
    validated = _seconds_of_a_crop(run)
    window, windows = _seconds_of_a_window(run, configuration.reading)
    return Rates(trained=trained, drawn=drawn, validated=validated, window=window, windows=windows)


def _seconds_of_an_image(run: "Fit") -> tuple[float, float]:
    """Of the epochs after the first one, which warms up and may draw evenly; to draw it alone."""
    took, drew = [], []
    for number in range(1, calibration.EPOCHS + 1):
        began = time.perf_counter()
        batches = run.draw(number)
        drew.append((time.perf_counter() - began) / batches.size)
        run.train(batches)
        run.step.totals.tolist()  # waits for the device
        took.append((time.perf_counter() - began) / batches.size)
    return statistics.fmean(took[1:]), statistics.fmean(drew[1:])


def _seconds_of_a_crop(run: "Fit") -> float:
    import torch

    from repro.training import inference

    index = torch.arange(min(ENCODED, len(run.images)), device=run.device)
    seconds = _seconds(lambda: inference.logits(run.model, run.images, index))
    return seconds / len(index)


def _seconds_of_a_window(run: "Fit", rule: Reading) -> tuple[float, float]:
    """Seconds of a window, and the number of windows of a portrait."""
    from repro.training import evaluation

    generator = np.random.default_rng(0)
    pictures = [
        generator.integers(0, 256, (HEIGHTS[number % len(HEIGHTS)], WIDTH, 3), dtype=np.uint8)
        for number in range(PORTRAITS)
    ]
    names = tuple(map(str, range(PORTRAITS)))
    opened = Photographs(names, ("",) * PORTRAITS, pictures.__getitem__)
    windows = evaluation.score(run.model, opened, rule).windows
    seconds = _seconds(lambda: evaluation.score(run.model, opened, rule))
    return seconds / int(windows.sum()), float(windows.mean())


def _seconds(work: Callable[[], Any]) -> float:
    """Seconds of a call: the middle one of three."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)
