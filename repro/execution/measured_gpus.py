"""GPUs on which training was measured, and what the paper's study would take on one of them.

The one place of these figures; where they are from: "On a GPU" in `benchmarks/README.md`.
"""

import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from repro.execution.paper_cost import Expected, Parts, of_parts, sizes
from repro.study.configuration import OF_DENSITY, STANDARD, Configuration
from repro.study.paper_study import PaperStudy

Milliseconds = Mapping[int, float]  # of a step, by batch size


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A card that was measured with the reproduction's network.

    Attributes:
        name: As its maker calls it.
        measured: The day.
        settings: Choices of the runs that were measured.
        steps: Of one run as a CUDA graph, by precision.
        together: Number of runs that were stacked as one network.
        stacked: Steps of all these runs, by precision.
        encoded: Seconds that a face takes to be encoded.
        weighed: Seconds that a face takes to be weighted and drawn.
        validated: Seconds that a held-out image takes.
    """

    name: str
    measured: str
    settings: Mapping[str, Any]
    steps: Mapping[str, Milliseconds]
    together: int
    stacked: Mapping[str, Milliseconds]
    encoded: float
    weighed: float
    validated: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OnGpu:
    """The paper's study on a card.

    Attributes:
        gpu: The card.
        single: One run after the other; None if not all its runs are of a kind that was measured.
        stacked: In stacks of as many as were measured together, each filled up with copies; None
            likewise, or if that takes longer.
        unmeasured: Number of runs with other networks or settings than those that were measured.
        between: Batch sizes that lie between measured ones, with these.
    """

    gpu: Gpu
    single: Expected | None
    stacked: Expected | None
    unmeasured: int
    between: Mapping[int, tuple[int, int]] = field(default_factory=dict)


_EPOCH = 87_931  # images of the epoch that was measured beside its steps; half are faces
H200 = Gpu(
    name="NVIDIA H200",
    measured="2026-11-27",
    settings={
        "model": "dbvae",
        "architecture": "dehaan2020",
        "latent_dim": 100,
        "decoder_input": "all",
        "batch_norm": "batch",
    },
    steps={
        "fp32": {24: 2.10, 256: 5.96, 1024: 16.29},
        "bf16": {24: 1.42, 256: 2.18, 1024: 5.13},
    },
    together=25,
    stacked={
        "fp32": {24: 5.68, 256: 36.75, 1024: 143.3},
        "bf16": {24: 4.48, 256: 25.54, 1024: 129.0},
    },
    encoded=0.159 / (_EPOCH / 2),
    weighed=(0.043 + 0.009) / (_EPOCH / 2),
    validated=0.118 / (_EPOCH / 4),
)
MEASURED = (H200,)


def expected(paper: PaperStudy, windows: float) -> list[OnGpu]:
    """The paper's study on each card that was measured.

    Args:
        paper: Its arms and sizes.
        windows: Number of windows of a portrait. How fast they are scored was not measured: the
            rate of validation stands in, which scores crops in the same way.
    """
    return [_on(gpu, paper, windows) for gpu in MEASURED]


def _on(gpu: Gpu, paper: PaperStudy, windows: float) -> OnGpu:
    arms = [arm.configuration for arm in paper.arms]
    known = [arm for arm in arms if _is_known(arm, gpu)]
    unmeasured = (len(arms) - len(known)) * paper.replicates
    if unmeasured:
        return OnGpu(gpu=gpu, single=None, stacked=None, unmeasured=unmeasured)
    single, stacked = (_whole(gpu, paper, windows, stack=size) for size in (1, gpu.together))
    sides = {arm.batch_size: _sides(arm.batch_size, gpu.steps[arm.precision]) for arm in arms}
    return OnGpu(
        gpu=gpu,
        single=single,
        stacked=stacked if stacked.seconds < single.seconds else None,
        unmeasured=0,
        between={size: pair for size, pair in sides.items() if size not in pair},
    )


def _is_known(arm: Configuration, gpu: Gpu) -> bool:
    """Whether runs like those of an arm were measured, at its batch size or on both sides."""
    alike = all(getattr(arm, name) == value for name, value in gpu.settings.items())
    plain = arm.objective.name == STANDARD and arm.resampling.rule in ("none", *OF_DENSITY)
    there = gpu.steps[arm.precision]
    return alike and plain and min(there) <= arm.batch_size <= max(there)


def _whole(gpu: Gpu, paper: PaperStudy, windows: float, *, stack: int) -> Expected:
    """All runs, one after the other, or so many as one network.

    Drawing, validation and portraits are each run's own, and take as long either way.
    """
    table = gpu.steps if stack == 1 else gpu.stacked
    parts = []
    for arm in (one.configuration for one in paper.arms):
        size = sizes(paper, arm)
        images = arm.epochs * size.trained
        step = milliseconds(arm.batch_size, table[arm.precision]) / 1000
        drawn = images / 2 * (gpu.encoded + gpu.weighed) if arm.resampling.rule != "none" else 0.0
        parts.append(
            Parts(
                own=drawn,
                together=images / arm.batch_size * step,
                validation=arm.epochs * size.validated * gpu.validated,
                portraits=size.portraits * windows * gpu.validated,
            )
        )
    return of_parts(paper, parts, workers=1, stack=stack)


def milliseconds(batch: int, measured: Milliseconds) -> float:
    """A step of this batch size; between two measured ones, on the line through them.

    Args:
        batch: From the smallest to the largest measured one.
        measured: By batch size.
    """
    low, high = _sides(batch, measured)
    if low == high:
        return measured[low]
    share = (batch - low) / (high - low)
    return measured[low] + share * (measured[high] - measured[low])


def _sides(batch: int, measured: Milliseconds) -> tuple[int, int]:
    """The measured sizes next to a batch size; twice the same if it was measured."""
    there = sorted(measured)
    place = bisect.bisect_left(there, batch)
    return (
        (there[place], there[place]) if there[place] == batch else (there[place - 1], there[place])
    )
