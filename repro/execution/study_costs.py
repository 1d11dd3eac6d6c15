"""What a plan says of cost: of the runs that are missing, and of the paper's own study."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from repro.execution import calibration, measured_gpus, measuring, paper_cost
from repro.execution.calibration import Prediction
from repro.execution.measured_gpus import OnGpu
from repro.execution.paper_cost import Expected
from repro.records.task import Task
from repro.study.paper_study import PaperStudy
from repro.study.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPaper:
    """What the paper's own study would cost.

    Attributes:
        study: Its arms and sizes.
        here: On this machine, or on several equal ones.
        workers: Runs at a time on each.
        windows: Number of windows of a portrait, on average.
        gpus: On cards that were measured.
    """

    study: PaperStudy
    here: Expected
    workers: int
    windows: float
    gpus: Sequence[OnGpu]


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
) -> Costs:
    """Measure on this machine, and predict.

    Args:
        study: That is planned.
        missing: Its runs without a record.
        slots: The device of each worker of a machine; see `hardware`.
        kernels: That compute networks.
        machines: Number of machines, all like this one.
        shared: Whether runs share first epochs and drawn data: those of processes here.

    Raises:
        ReproError: The data are wrong, or a calibrating process was killed.
    """
    paper = study.paper
    own = calibration.works(missing)
    papers = paper_cost.works(paper, study) if paper else {}
    fewer, some = (slots[: len(missing)], slots[: paper.runs if paper else 0])
    found: dict[str, list[Any]]
    if not own or not papers or len(fewer) == len(some):  # the same processes measure both
        found = measuring.measured({**own, **papers}, max(fewer, some, key=len), kernels=kernels)
    else:
        found = measuring.measured(own, fewer, kernels=kernels)
        found |= measuring.measured(papers, some, kernels=kernels)
    return Costs(
        missing=calibration.predict(missing, found, slots=slots, machines=machines, shared=shared)
        if missing
        else None,
        paper=_of_paper(paper, found, len(some), machines) if paper else None,
    )


def _of_paper(
    paper: PaperStudy, found: dict[str, list[Any]], workers: int, machines: int
) -> OfPaper:
    first = found[paper_cost.kind(paper.arms[0].configuration)]
    windows = first[0].windows
    return OfPaper(
        study=paper,
        here=paper_cost.expected(paper, found, workers=machines * workers),
        workers=workers,
        windows=windows,
        gpus=measured_gpus.expected(paper, windows),
    )
