"""Arms with known logits, and studies of them."""

import numpy as np

from repro.analysis.arm_scores import ArmScores
from repro.analysis.outcomes import Arm, Outcomes

GROUP = np.repeat([0, 1], 4)  # four portraits in each of two groups
OTHERS = np.arange(-10.0, 0.0)  # ten photographs without a face, logits -10 to -1


def arm(name, portraits, *, nonfaces=OTHERS, alpha=None, seeds=None, group=GROUP):
    """An arm whose runs have these top logits, a row each."""
    logits = np.asarray(portraits, dtype=np.float64)
    others = np.broadcast_to(nonfaces, (len(logits), np.shape(nonfaces)[-1]))
    found = logits >= 0
    recall = np.stack([found[:, k == group].mean(axis=1) for k in (0, 1)], axis=1)
    return Arm(
        name=name,
        alpha=alpha,
        wanted=len(logits),
        seeds=tuple(range(len(logits))) if seeds is None else seeds,
        groups=("a", "b"),
        sizes=np.bincount(group),
        recall=recall,
        selector=recall.mean(axis=1),
        false_positive_rate=(others >= 0).mean(axis=1),
        nonfaces=others.shape[1],
        scores=ArmScores(portraits=logits, group=group, nonfaces=others),
    )


def counted(name, counts, *, size=40, **changes):
    """An arm whose runs find these numbers of each group's portraits, a row each; no scores."""
    recall = np.array(counts, dtype=np.float64) / size
    groups = recall.shape[1]
    plain = {
        "name": name,
        "alpha": None,
        "wanted": len(recall),
        "seeds": tuple(range(len(recall))),
        "groups": tuple("abcd"[:groups]),
        "sizes": np.full(groups, size),
        "recall": recall,
        "selector": recall.sum(axis=1) / max(groups, 1),
    }
    return Arm(**(plain | changes))


def lost(name, *, failed=0, collapsed=0, wanted=5):
    """An arm without a run that has results; those that did not fail or collapse have not run."""
    return counted(
        name,
        np.empty((0, 0)),
        wanted=wanted,
        failed=("loss: nan",) * failed,
        collapsed=tuple(range(collapsed)),
    )


def outcomes(*arms, rates=(0.1, 0.2), **changes):
    """A study of these arms; the first is the reference."""
    plain = {
        "name": "toy",
        "caption": "toy: Does it?",
        "arms": arms,
        "reference": arms[0].name,
        "keep": 1,
        "by": "recall",
        "split": "test",
        "paired": True,
        "rates": rates,
        "metrics": ("recall", "variance"),
        "test": "t",
        "synthetic": True,
        "label": "toy",
    }
    return Outcomes(**(plain | changes))


def noisy(seed, runs=5, shift=0.0):
    """Portraits whose logits vary by seed and portrait."""
    generator = np.random.default_rng(seed)
    return generator.normal(1 + shift, 1, (runs, 8)) + generator.normal(0, 0.5, (runs, 1))
