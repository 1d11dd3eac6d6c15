"""Several pictures of one person: intervals that take them as independent, and those of clusters.

The score of portrait j of group g in run i of an arm is level_g + run_i + interaction_ig + e_j plus
noise. With probability √ρ a portrait's e_j is that of its cluster, else its own: so whatever is
computed from e_j has the same distribution for every ρ, and the intra-class correlation ρ.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from scipy import special

from repro.stats import components, disparity, noise, operating, quantities, redrawn
from repro.stats.components import Parts
from repro.stats.disparity import Definition
from repro.stats.intervals import Floats, Integers, Interval
from simulations import study_parts
from simulations.document import share
from simulations.simulation import Columns, Means, Promise, Simulation, Table, covers

DEFINITION = Definition(mean="pooled", ddof=0, runs="first")
RECALLS = np.array([[0.93, 0.8, 0.9, 0.85], [0.9, 0.835, 0.885, 0.86]])  # of two arms, logit 0
GROUPS, RUNS, EACH, OTHERS = 4, 5, 5, 100  # EACH: pictures of a cluster
RUN, INTERACTION, WITHIN = 0.1, 0.1, 0.3  # standard deviations; of e_j 1
OF_ARM = 0.6  # part of e_j that is the arm's own; the rest is that of both
SPREAD = float(np.sqrt(INTERACTION**2 + 1 + WITHIN**2))  # of a score, without its run
RATE, OF_OTHERS = 0.1, -1.2  # false-positive rate, and mean score without a face
EVERY = 4  # of so many studies one is read at the rate, which takes most of the time
WHAT = {
    "group": "recall of a group",
    "recall": "recall",
    "variance": "variance",
    "without noise": "variance without noise",
    "recall difference": "recall difference",
    "variance difference": "variance difference",
}
KINDS = ("independent", "clusters")
AT = {"": "logit 0", " at 10 %": "10 % false positives"}


@dataclass(frozen=True, slots=True)
class People:
    """A test set.

    Attributes:
        clusters: Of each group.
        correlation: ρ, of the portraits of a cluster.
    """

    clusters: int
    correlation: float

    @property
    def cluster(self) -> Integers:
        """Of each portrait, shape (N,)."""
        return np.repeat(np.arange(GROUPS * self.clusters), EACH)

    @property
    def group(self) -> Integers:
        """Of each portrait, shape (N,)."""
        return np.repeat(np.arange(GROUPS), self.clusters * EACH)

    @property
    def sizes(self) -> Integers:
        """Of the groups, shape (K,)."""
        return np.full(GROUPS, self.clusters * EACH)


CELLS = {
    f"correlation {correlation:g}, {clusters} clusters a group": People(clusters, correlation)
    for correlation in (0.0, 0.2, 0.5)
    for clusters in (10, 20, 40)
}


@dataclass(frozen=True, slots=True)
class Study:
    """Scores of both arms: of portraits (2, R, N) and of other photographs (2, R, M)."""

    portraits: Floats
    nonfaces: Floats


def levels() -> Floats:
    """Mean scores at which the expected recalls are the wanted ones, shape (2, K)."""
    return np.asarray(np.hypot(SPREAD, RUN) * special.ndtri(RECALLS))


def draw(people: People, generator: Generator) -> Study:
    """One study."""
    run = RUN * generator.standard_normal((2, RUNS, 1))
    effects = INTERACTION * generator.standard_normal((2, RUNS, GROUPS)) + levels()[:, None]
    copies = generator.random(len(people.group)) < np.sqrt(people.correlation)
    own, shared = (
        _effects(generator, count) for count in (len(people.group), people.cluster[-1] + 1)
    )
    portrait = np.where(copies, shared[:, people.cluster], own)[:, None]
    others = _effects(generator, OTHERS)[:, None] + OF_OTHERS
    return Study(
        *(
            run + one + WITHIN * generator.standard_normal((2, RUNS, one.shape[-1]))
            for one in (effects[..., people.group] + portrait, others)
        )
    )


def _effects(generator: Generator, count: int) -> Floats:
    """Of photographs, one for each arm with variance 1, shape (2, N)."""
    both, alone = generator.standard_normal(count), generator.standard_normal((2, count))
    return np.asarray(np.sqrt(1 - OF_ARM**2) * both + OF_ARM * alone)


@functools.cache
def truth(at: str) -> Mapping[str, float]:
    """Each quantity over all seeds and photographs, at a threshold of `AT`."""
    recall = RECALLS if not at else np.array([_at_rate(row) for row in levels()])
    mean, variance = recall.mean(axis=1), recall.var(axis=1)
    return {
        "group": float(recall[0, 0]),
        "recall": float(mean[0]),
        "variance": float(variance[0]),
        "without noise": float(variance[0]),
        "recall difference": float(mean[0] - mean[1]),
        "variance difference": float(variance[0] - variance[1]),
    }


def _at_rate(of_groups: Floats) -> Floats:
    """Expected recalls at a run's threshold: its k-th largest score of the other photographs."""
    at_rank = operating.rank(RATE, OTHERS)
    quantiles = (np.arange(2_000) + 0.5) / 2_000
    above = special.betaincinv(at_rank, OTHERS + 1 - at_rank, quantiles)
    cut = OF_OTHERS - np.hypot(1, WITHIN) * special.ndtri(above)
    return np.asarray(special.ndtr((of_groups - cut[:, None]) / SPREAD).mean(axis=0))


def measure(people: People, studies: list[Study]) -> Columns:
    """Whether the intervals of the first arm, and of the first minus the second, hold the truth."""
    found = _measured(people, np.stack([one.portraits for one in studies]) >= 0, "", None)
    places = np.arange(0, len(studies), EVERY)
    read = [studies[place] for place in places]
    levels = np.stack([operating.threshold(one.nonfaces, RATE) for one in read])
    detected = operating.detected(np.stack([one.portraits for one in read]), levels) > 0
    thresholds = [_redrawn(people, one) for one in read]
    for name, column in _measured(people, detected, " at 10 %", thresholds).items():
        found[name] = np.full(len(studies), np.nan)
        found[name][places] = column
    return found


def _quantities(people: People) -> dict[str, quantities.Quantity]:
    return {
        "group": quantities.group_quantity(0, GROUPS),
        **{name: quantities.quantity(name, people.sizes, DEFINITION) for name in AGGREGATES},
    }


AGGREGATES = ("recall", "variance")


def _redrawn(people: People, study: Study) -> Floats:
    """Quantities of both arms at the thresholds of redrawn photographs, shape (2, D, Q)."""
    made = list(_quantities(people).values())
    return np.stack(
        [
            redrawn.statistic(
                *(portraits, nonfaces, people.group, GROUPS),
                rate=RATE,
                of=lambda recall: np.stack([one.value(recall) for one in made], axis=1),
                few=True,
            )
            for portraits, nonfaces in zip(study.portraits, study.nonfaces, strict=True)
        ]
    )


def _measured(
    people: People, detected: Floats, at: str, thresholds: list[Floats] | None
) -> dict[str, Floats]:
    """Columns of one threshold, of detections of shape (S, 2, R, N)."""
    found: dict[str, Floats] = {}
    for kind in KINDS:
        cluster = people.cluster if kind == "clusters" else None
        arms = [_parts(people, detected[:, arm].astype(np.float64), cluster) for arm in (0, 1)]
        clean = None
        if not at:
            shown = detected[:, 0].astype(np.float64)
            clean = noise.unbiased_variance(shown, people.group, GROUPS, DEFINITION, cluster)
        ends = [
            _intervals(people, *_of_study(arms, i, thresholds), None if clean is None else clean[i])
            for i in range(len(detected))
        ]
        for name in ends[0]:
            low, high = np.transpose([one[name] for one in ends])
            found[f"{name}{at}, {kind}"] = covers(low, high, truth(at)[name])
            found[f"{name}{at}, {kind}, width"] = high - low
    return found


def _parts(people: People, detected: Floats, cluster: Integers | None) -> dict[str, Parts]:
    """Of each quantity of one arm in all studies."""
    recall = detected.reshape(*detected.shape[:-1], GROUPS, -1).mean(axis=-1)
    return {
        name: components.parts(
            *(recall, one, people.sizes), detected=detected, group=people.group, cluster=cluster
        )
        for name, one in _quantities(people).items()
    }


def _of_study(
    arms: list[dict[str, Parts]], i: int, thresholds: list[Floats] | None
) -> list[dict[str, Parts]]:
    """Both arms' parts of one study, with their redrawn thresholds."""
    found = [{name: study_parts.one(part, i) for name, part in arm.items()} for arm in arms]
    if thresholds is None:
        return found
    return [
        {name: replace(part, redrawn=values[:, q]) for q, (name, part) in enumerate(arm.items())}
        for arm, values in zip(found, thresholds[i], strict=True)
    ]


def _intervals(
    people: People, arm: dict[str, Parts], other: dict[str, Parts], clean: float | None
) -> dict[str, Interval]:
    """As `operating_points` and `claims` make them."""
    most = disparity.largest_variance(GROUPS, DEFINITION.ddof)
    found = {
        "group": components.share_interval(arm["group"], int(people.sizes[0])),
        "recall": components.share_interval(arm["recall"], int(people.sizes.sum())),
        "variance": components.variance_interval(arm["variance"], most),
        **{
            f"{name} difference": components.interval(arm[name].minus(other[name]))
            for name in AGGREGATES
        },
    }
    if clean is not None:
        less = float(arm["variance"].value - clean)
        found["without noise"] = components.variance_interval(arm["variance"], most, less=less)
    return found


def tables(means: Means) -> Iterator[Table]:
    """A table for each threshold: coverage as if independent and of clusters, and the widths."""
    for at, told in AT.items():
        names = [name for name in WHAT if f"{name}{at}, clusters" in next(iter(means.values()))]
        yield Table(
            [f"At {told}", *(WHAT[name] for name in names)],
            [
                [cell, *(_cell(found, f"{name}{at}") for name in names)]
                for cell, found in means.items()
            ],
        )


def _cell(found: Mapping[str, object], name: str) -> str:
    one, other = (found[f"{name}, {kind}"] for kind in KINDS)
    widths = [found[f"{name}, {kind}, width"].mean for kind in KINDS]  # type: ignore[attr-defined]
    return f"{share(one)} / {share(other)} ({widths[1] / widths[0]:.2f})"  # type: ignore[arg-type]


def _promises() -> Iterator[Promise]:
    """From 20 clusters a group on; of the variance without noise less."""
    for cell, people in CELLS.items():
        least = 0.93 if people.correlation == 0.5 else 0.92
        for at in AT if people.clusters >= 20 else ():
            for name in WHAT:
                if name != "without noise":
                    yield Promise(cell, f"{name}{at}, clusters", low=least)
        if people.clusters >= 20:
            yield Promise(cell, "without noise, clusters", low=0.9)
        if people.correlation == 0.5:
            for name in ("group", "recall", "variance"):
                yield Promise(cell, f"{name}, independent", high=0.93)


SIMULATION = Simulation(
    name="clusters",
    title="Several pictures of one person",
    text=f"""
Two arms of five runs, four groups of 10, 20 or 40 clusters with five portraits each. With the
probability of the root of the correlation a portrait is as hard as its cluster, else as hard by
itself, so that the correlation is that of the portraits' chances within a cluster (intra-class).
Expected recalls at logit 0 are 93, 80, 90 and 85 % in the first arm, and closer in the second.
Coverage (%) of the interval that takes portraits as independent / of that of clusters; in brackets
how many times as wide the latter is. Below the first table the same at 10 % false positives of
{OTHERS} photographs, in one study of {EVERY}.
""",
    cells=CELLS,
    draw=draw,
    measure=measure,
    tables=tables,
    promises=tuple(_promises()),
    tested=("correlation 0.5, 20 clusters a group",),
)
