"""Populations of arms, runs and portraits, and studies drawn from them.

The chance that run i of an arm finds portrait j of group g has the logit
level_g + run_i + interaction_ig + portrait_j; the same portraits are seen by all runs of all arms.
A bad run finds a fraction fewer in each group.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Detected = NDArray[np.bool_]
PPB = (271, 318, 295, 386)  # portraits by group of the Pilot Parliaments Benchmark
NODES = 81  # of the quadrature over normal effects


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """What studies are drawn from.

    Attributes:
        recalls: Of the groups, in good runs, with mean effects of runs and portraits 0.
        arms: Number of arms.
        runs: Seeds of each arm.
        sizes: Portraits of each group.
        run: Standard deviation of the runs' common effect, in logits.
        interaction: Of the effect of a run on a group.
        portrait: Of the portraits.
        bad: Probability that a run is bad.
        drop: Least and largest fraction that a bad run finds fewer, of each group.
        faulty: Number of arms that have bad runs, the first ones; None: all.
        scales: Of each arm: how far its groups are apart, relative to `recalls`; None: all 1.
    """

    recalls: tuple[float, ...]
    arms: int = 1
    runs: int = 5
    sizes: tuple[int, ...] = PPB
    run: float = 0.0
    interaction: float = 0.0
    portrait: float = 0.0
    bad: float = 0.0
    drop: tuple[float, float] = (0.0, 0.0)
    faulty: int | None = None
    scales: tuple[float, ...] | None = None

    @property
    def group(self) -> NDArray[np.int64]:
        """Position of each portrait's group, shape (N,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def goal(self, arm: int) -> Floats:
        """Expected recall of an arm's groups in good runs, shape (K,)."""
        recalls = np.array(self.recalls)
        scale = 1.0 if self.scales is None else self.scales[arm]
        return np.asarray(recalls.mean() + scale * (recalls - recalls.mean()))

    def badness(self, arm: int) -> float:
        """Probability that a run of an arm is bad."""
        return self.bad if self.faulty is None or arm < self.faulty else 0.0

    def truth(self, arm: int = 0) -> Floats:
        """Expected recall of an arm's groups over new seeds and new portraits, shape (K,)."""
        return self.goal(arm) * (1 - self.badness(arm) * sum(self.drop) / 2)


def levels(population: Population) -> Floats:
    """Logits at which the expected recalls of good runs are the wanted ones, shape (arms, K)."""
    effects = (population.run, population.interaction, population.portrait)
    spread = float(np.sqrt(sum(sd * sd for sd in effects)))
    goals = (population.goal(arm) for arm in range(population.arms))
    return np.array([[_level(recall, spread) for recall in goal.tolist()] for goal in goals])


@functools.cache
def _level(recall: float, spread: float) -> float:
    """The logit whose logistic function has this mean over normal effects."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _mean(middle, spread) < recall else (low, middle)
    return (low + high) / 2


def _mean(level: float, spread: float) -> float:
    nodes, weights = _quadrature()
    return float(weights @ (1 / (1 + np.exp(-(level + spread * nodes)))) / weights.sum())


@functools.cache
def _quadrature() -> tuple[Floats, Floats]:
    return np.polynomial.hermite_e.hermegauss(NODES)


@dataclass(frozen=True, slots=True)
class Study:
    """One study: what each run detects, and which runs are bad.

    Attributes:
        detected: Shape (arms, R, N).
        bad: Shape (arms, R).
    """

    detected: Detected
    bad: Detected


def draw(population: Population, generator: Generator) -> Study:
    """One study."""
    arms, runs, groups = population.arms, population.runs, len(population.sizes)
    portraits = population.portrait * generator.standard_normal(sum(population.sizes))
    effects = population.run * generator.standard_normal((arms, runs, 1))
    effects = effects + population.interaction * generator.standard_normal((arms, runs, groups))
    effects += levels(population)[:, None]
    chance = np.array([population.badness(arm) for arm in range(arms)])
    bad = generator.random((arms, runs)) < chance[:, None]
    dropped = bad[..., None] * generator.uniform(*population.drop, (arms, runs, groups))
    group = population.group
    odds = np.exp(-(effects[..., group] + portraits).astype(np.float32))
    numbers = generator.random(odds.shape, dtype=np.float32)
    return Study(numbers * (1 + odds) < (1 - dropped[..., group]).astype(np.float32), bad)


def stacked(studies: list[Study]) -> Study:
    """Studies as one, with a leading axis."""
    return Study(
        np.stack([one.detected for one in studies]), np.stack([one.bad for one in studies])
    )


def recalls(population: Population, detected: Detected) -> Floats:
    """Of each run and group, shape (..., R, K)."""
    starts = np.concatenate([[0], np.cumsum(population.sizes)[:-1]])
    found = np.add.reduceat(detected, starts, axis=-1, dtype=np.int64)
    return np.asarray(found / np.array(population.sizes))
