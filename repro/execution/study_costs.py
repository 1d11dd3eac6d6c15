"""What a plan says of cost: of the runs that are missing, and of the paper's own study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from repro.execution import (
    calibration,
    measured_gpus,
    measuring,
    paper_cost,
    stack_cost,
    stackable,
)
from repro.execution.calibration import Prediction
from repro.execution.measured_gpus import OnGpu
from repro.execution.measuring import Work
from repro.execution.paper_cost import Expected
from repro.records.task import Task
from repro.study import stacking
from repro.study.paper_study import PaperStudy
from repro.study.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPaper:
    """What the paper's own study would cost.

    Attributes:
        study: Its arms and sizes.
        here: On this machine, or on several equal ones.
        workers: Runs, or stacks, at a time on each.
        windows: Number of windows of a portrait, on average.
        gpus: On cards that were measured.
        stack: Runs that are trained here as one network; 1: each singly.
    """

    study: PaperStudy
    here: Expected
    workers: int
    windows: float
    gpus: Sequence[OnGpu]
    stack: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a plan says of cost.

    Attributes:
        missing: Of the runs without a record; None if there are none.
        paper: Of the paper's own study; None if the study is of no paper whose sizes are known.
    """

    missing: Prediction | None
    paper: OfPaper | None


def costs(
    study: Study,
    missing: Sequence[Task],
    *,
    slots: Sequence[str],
    kernels: str,
    machines: int = 1,
    shared: bool = True,
    stack: int = 1,
) -> Costs:
    """Measure on this machine, and predict.

    Args:
        study: That is planned.
        missing: Its runs without a record.
        slots: The device of each worker of a machine; see `hardware`.
        kernels: That compute the networks of single runs.
        machines: Number of machines, all like this one.
        shared: Whether runs share first epochs and drawn data: those of processes here.
        stack: Runs that are trained as one network; 1: each singly.

    Raises:
        ReproError: The data are wrong, or a calibrating process was killed.
    """
    paper = study.paper
    own = _of_runs(missing, slots, kernels, stack)
    papers_stack = stack if paper and stackable.all_can(paper.arms, study.catalogue) else 1
    papers = _of_papers_runs(paper, study, slots, kernels, papers_stack) if paper else NOTHING
    found: dict[str, list[Any]]
    if not own.works or not papers.works or own.alike == papers.alike:  # the same processes
        both = own if own.works else papers
        found = replace(both, works={**own.works, **papers.works}).found()
    else:
        found = own.found() | papers.found()
    return Costs(
        missing=_predicted(missing, found, slots, machines, shared=shared, stack=stack)
        if missing
        else None,
        paper=_of_paper(paper, found, len(papers.slots), machines, papers_stack) if paper else None,
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is to be measured: works by name, the device of each process, and kernels."""

    works: Mapping[str, Work]
    slots: Sequence[str]
    kernels: str

    @property
    def alike(self) -> tuple[int, str]:
        """Equal for what the same processes can measure."""
        return len(self.slots), self.kernels

    def found(self) -> dict[str, list[Any]]:
        """What each work found."""
        return measuring.measured(self.works, self.slots, kernels=self.kernels)


NOTHING = _Measured({}, [], "")


def _of_runs(tasks: Sequence[Task], slots: Sequence[str], kernels: str, stack: int) -> _Measured:
    own = calibration.works(tasks)
    if stack == 1:
        return _Measured(own, slots[: len(tasks)], kernels)
    stacks = stack_cost.works((task.configuration for task in tasks), stack)
    return _Measured({**stacks, **own}, slots[: stack_cost.stacks_of(tasks, stack)], "torch")


def _of_papers_runs(
    paper: PaperStudy, study: Study, slots: Sequence[str], kernels: str, stack: int
) -> _Measured:
    own = paper_cost.works(paper, study)
    if stack == 1:
        return _Measured(own, slots[: paper.runs], kernels)
    arms = [arm.configuration for arm in paper.arms]
    shapes = [stacking.shape(arm) for arm in arms] * paper.replicates
    stacks = stack_cost.works(arms, stack)
    return _Measured({**stacks, **own}, slots[: stack_cost.count(shapes, stack)], "torch")


def _predicted(
    missing: Sequence[Task],
    found: Mapping[str, Sequence[Any]],
    slots: Sequence[str],
    machines: int,
    *,
    shared: bool,
    stack: int,
) -> Prediction:
    if stack > 1:
        return stack_cost.predict(missing, found, size=stack, slots=slots, machines=machines)
    return calibration.predict(missing, found, slots=slots, machines=machines, shared=shared)


def _of_paper(
    paper: PaperStudy, found: dict[str, list[Any]], workers: int, machines: int, stack: int
) -> OfPaper:
    first = found[paper_cost.kind(paper.arms[0].configuration)]
    windows = first[0].windows
    return OfPaper(
        study=paper,
        here=paper_cost.expected(paper, found, workers=machines * workers, stack=stack),
        workers=workers,
        windows=windows,
        gpus=measured_gpus.expected(paper, windows),
        stack=stack,
    )
