"""An arm at a threshold of its logits: who is detected, recalls, curves and areas."""

from dataclasses import replace

import numpy as np

from repro.analysis.object_cache import cached_by_owner
from repro.analysis.outcomes import Arm
from repro.metrics import says_face
from repro.stats import operating
from repro.stats.intervals import Floats


def nonfaces(arm: Arm) -> int:
    """The number of photographs without a face whose scores are known."""
    return 0 if arm.scores is None else arm.scores.nonfaces.shape[1]


def can_read(arm: Arm, rate: float) -> bool:
    """Whether there are scores and enough photographs for a threshold at this rate."""
    return arm.scores is not None and operating.supports(rate, nonfaces(arm))


def ties(arm: Arm, rate: float) -> Floats:
    """Photographs without a face that each run detects beyond the threshold's rank, shape (R,)."""
    assert arm.scores is not None
    return operating.ties(arm.scores.nonfaces, rate)


def detections(arm: Arm, rate: float | None) -> Floats:
    """1 or 0 for each run and portrait, shape (R, N)."""
    assert arm.scores is not None
    if rate is None:
        return says_face(arm.scores.portraits).astype(np.float64)
    levels = operating.threshold(arm.scores.nonfaces, rate)
    return operating.detected(arm.scores.portraits, levels)


def recalls(arm: Arm, rate: float | None) -> Floats:
    """Recall of each run and group, shape (R, K); at logit 0 for None."""
    return arm.recall if rate is None else _recalls(arm, rate)


@cached_by_owner()
def _recalls(arm: Arm, rate: float) -> Floats:
    return group_shares(arm, detections(arm, rate))


def group_shares(arm: Arm, found: Floats) -> Floats:
    """The mean over each group's portraits, shape (R, K), of one number for each, shape (R, N)."""
    assert arm.scores is not None
    columns = [found[:, arm.scores.group == k].mean(axis=1) for k in range(len(arm.groups))]
    return np.stack(columns, axis=1)


def at(arm: Arm, rate: float) -> Arm:
    """The arm with its recalls at this false-positive rate."""
    return replace(arm, recall=recalls(arm, rate))


def placements(arm: Arm) -> Floats:
    """Share of the photographs without a face below each portrait, of each run, shape (R, N)."""
    assert arm.scores is not None
    pairs = zip(arm.scores.portraits, arm.scores.nonfaces, strict=True)
    return np.stack([operating.placements(portraits, others) for portraits, others in pairs])


@cached_by_owner()
def areas(arm: Arm) -> Floats:
    """Area under recall against false-positive rate of each run and group, shape (R, K)."""
    assert arm.scores is not None
    members = [arm.scores.group == k for k in range(len(arm.groups))]
    return np.array([[below[own].mean() for own in members] for below in placements(arm)])


def curves(arm: Arm) -> tuple[Floats, Floats]:
    """Recall of each group against expected false-positive rate, of each run at the same rates.

    Returns:
        Rates 0, 1 / (M + 1), ..., 1 and recalls, shape (R, M + 2, K).
    """
    assert arm.scores is not None
    rates: Floats = np.empty(0)
    runs = []
    for logits, others in zip(arm.scores.portraits, arm.scores.nonfaces, strict=True):
        groups = []
        for k in range(len(arm.groups)):
            rates, recall = operating.curve(logits[arm.scores.group == k], others)
            groups.append(recall)
        runs.append(np.stack(groups, axis=1))
    return rates, np.stack(runs)
