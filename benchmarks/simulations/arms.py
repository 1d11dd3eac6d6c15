"""Simulated runs as the arms of a study, for functions of the program that take those."""

import numpy as np
from numpy.typing import NDArray

from repro.analysis.arm_scores import ArmScores
from repro.analysis.outcomes import Arm, Outcomes
from simulations import populations
from simulations.populations import Detected, Population


def outcomes(population: Population, detected: Detected, *, scores: bool) -> Outcomes:
    """A study of arms; the first one is the reference, and recall selects the best three runs.

    Args:
        population: That the study was drawn from.
        detected: Shape (arms, R, N).
        scores: Whether the single portraits are known, not only their counts.
    """
    recall = populations.recalls(population, detected)
    arms = [
        _arm(str(place), population, found, runs if scores else None)
        for place, (found, runs) in enumerate(zip(recall, detected, strict=True))
    ]
    return Outcomes(
        name="simulated",
        caption="",
        arms=tuple(arms),
        reference="0",
        keep=3,
        by="recall",
        split="test",
        paired=True,
        rates=(),
        metrics=("recall", "variance"),
        test="t",
        synthetic=False,
    )


def _arm(
    name: str, population: Population, recall: NDArray[np.float64], detected: Detected | None
) -> Arm:
    scores = None
    if detected is not None:
        scores = ArmScores(
            portraits=np.where(detected, 1.0, -1.0),
            group=population.group,
            nonfaces=np.empty((len(detected), 0)),
        )
    return Arm(
        name=name,
        alpha=None,
        wanted=len(recall),
        seeds=tuple(range(len(recall))),
        groups=tuple(f"group {k}" for k in range(recall.shape[1])),
        sizes=np.array(population.sizes),
        recall=recall,
        selector=recall.mean(axis=1),
        scores=scores,
    )
