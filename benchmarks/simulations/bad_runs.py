"""Intervals where one run in five is bad: the arm's own spread, the pooled one, the wider."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from repro.analysis import bad_runs
from repro.stats import components, noise, quantities
from repro.stats.components import Parts
from repro.stats.disparity import Definition, largest_variance
from repro.stats.intervals import Interval
from simulations import arms, populations, study_parts
from simulations.document import points, share
from simulations.populations import Population, Study
from simulations.simulation import (
    Columns,
    Mean,
    Means,
    Promise,
    Simulation,
    Table,
    covers,
    generator,
    where,
)

DEFINITION = Definition(mean="groups", ddof=1, runs="first")
OF_RUNS = replace(DEFINITION, runs="last")
UNITS = {
    "recall": 100,
    "group recall": 100,
    "variance": 1e4,
    "variance of runs": 1e4,
    "variance without noise": 1e4,
    "gap": 100,
    "worst": 100,
}  # percent, or percent squared
GROUP = 2  # whose recall is "group recall"
KINDS = ("own", "pooled", "wider")
EXPECTED = 2_000  # studies of one arm, for truths without a closed form
PAIRED = ("recall", "variance")  # whose difference from the second arm is measured
TOLD = (
    *(f"{name} difference, covers" for name in PAIRED),
    "range covers the median",
    "untrusted, bad run seen",
    "untrusted, none seen",
    "share of bad runs covers",
)
SEEDS = (5, 10, 15, 20, 30, 40)

GOOD = Population(
    recalls=(0.8915, 0.9605, 0.9435, 0.9165),
    arms=7,
    sizes=(300, 300, 300, 300),
    run=0.19,
    interaction=0.19,
    portrait=1.3,
)
BAD = replace(GOOD, bad=0.2, drop=(0.2 / 0.928, 0.4 / 0.928))
MILD = replace(BAD, drop=(0.05 / 0.928, 0.15 / 0.928))
FEWER = {"20 to 40": BAD, "5 to 15": MILD}  # points that a bad run finds fewer
CELLS = {
    "no bad runs, 7 arms": GOOD,
    **{f"one bad run in five, {arms} arms": replace(BAD, arms=arms) for arms in (7, 5, 3, 2)},
    "drop of 5 to 15 points, 7 arms": MILD,
    "drop of 0 to 60 points, 7 arms": replace(BAD, drop=(0.0, 0.6 / 0.928)),
    "groups closer in other arms": replace(BAD, scales=tuple(np.linspace(1, 0.5, 7))),
    "groups farther in other arms": replace(BAD, scales=tuple(np.linspace(0.5, 1, 7))),
    "only the first arm of 7": replace(BAD, faulty=1),
    **{
        f"{runs} seeds, one arm, drop of {fewer} points": replace(population, arms=1, runs=runs)
        for fewer, population in FEWER.items()
        for runs in SEEDS
    },
}


def truth(population: Population, name: str, *, arm: int = 0) -> float:
    """What a quantity of an arm is over all seeds and portraits."""
    if name not in ("variance of runs", "median"):
        return float(_quantity(name, population).value(population.truth(arm)[None]))
    recalls, badness = tuple(population.goal(arm).tolist()), population.badness(arm)
    one = replace(
        population, recalls=recalls, bad=badness, arms=1, runs=5, faulty=None, scales=None
    )
    return _expected(one)[name]


@functools.cache
def _expected(one: Population) -> Mapping[str, float]:
    """The mean of the runs' own variances, and the median of their recalls, of one arm."""
    drawn = [populations.draw(one, generator("truth", "", i)) for i in range(EXPECTED)]
    detected = np.concatenate([study.detected[0] for study in drawn])
    recall = populations.recalls(one, detected)
    noisy = quantities.quantity("variance", one.sizes, OF_RUNS).value(recall)
    noise_of_portraits = noise.share_noise(recall, one.sizes).mean()
    return {
        "variance of runs": float(noisy - noise_of_portraits),
        "median": float(np.median(recall.mean(axis=-1))),
    }


def _quantity(name: str, population: Population) -> quantities.Quantity:
    if name == "group recall":
        return quantities.group_quantity(GROUP, len(population.sizes))
    if name.startswith("variance"):
        definition = OF_RUNS if name == "variance of runs" else DEFINITION
        return quantities.quantity("variance", population.sizes, definition)
    return quantities.quantity(name, population.sizes, DEFINITION)


def measure(population: Population, studies: list[Study]) -> Columns:
    """Whether the first arm's intervals hold the truth, and how wide they are."""
    study = populations.stacked(studies)
    recall = populations.recalls(population, study.detected)
    seen = np.any(study.bad[:, 0], axis=1)
    found: dict[str, NDArray[np.float64]] = {}
    for name in UNITS:
        ends = intervals(name, population, recall, study.detected[:, 0])
        for kind, (low, high) in ends.items():
            held = covers(low, high, truth(population, name))
            found[f"{name}, {kind}, covers"] = held
            found[f"{name}, {kind}, width"] = UNITS[name] * (high - low)
            if kind != "pooled":
                found[f"{name}, {kind}, covers, bad run seen"] = where(seen, held)
                found[f"{name}, {kind}, covers, none seen"] = where(~seen, held)
    runs = recall[:, 0].mean(axis=-1)
    median = truth(population, "median")
    found["range covers the median"] = covers(runs.min(axis=1), runs.max(axis=1), median)
    if population.arms > 1:
        found |= _told(population, study) | _differences(population, study, recall)
    return found


def _differences(
    population: Population, study: Study, recall: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Whether the intervals of the first arm minus the second hold the true difference."""
    found = {}
    for name in PAIRED:
        one, other = (
            _parts(name, population, recall[:, arm], study.detected[:, arm]) for arm in (0, 1)
        )
        parts = one.minus(other)
        ends = [components.interval(study_parts.one(parts, i)) for i in range(len(recall))]
        low, high = np.transpose(ends)
        apart = truth(population, name) - truth(population, name, arm=1)
        found[f"{name} difference, covers"] = covers(low, high, apart)
        found[f"{name} difference, width"] = UNITS[name] * (high - low)
    return found


def _told(population: Population, study: Study) -> dict[str, NDArray[np.float64]]:
    """How often an interval is said not to be trusted, and whether the share of bad runs holds."""
    studies = [arms.outcomes(population, one, scores=False) for one in study.detected]
    untrusted = np.array([bool(bad_runs.untrusted(one, one.arms[0])) for one in studies])
    low, high = np.array([bad_runs.share(one)[2] for one in studies]).T  # type: ignore[index]
    runs = population.arms * population.runs
    expected = sum(map(population.badness, range(population.arms))) * population.runs / runs
    seen = np.any(study.bad[:, 0], axis=1)
    return {
        "untrusted, bad run seen": where(seen, untrusted),
        "untrusted, none seen": where(~seen, untrusted),
        "share of bad runs covers": covers(low, high, expected),
    }


def intervals(
    name: str, population: Population, recall: NDArray[np.float64], detected: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    """Ends of the first arm's intervals, shape (2, S), by how the spread is estimated.

    Args:
        name: Of the quantity.
        population: That the studies were drawn from.
        recall: Of all arms, shape (S, arms, R, K).
        detected: Of the first arm, shape (S, R, N).
    """
    first, statistic = _parts(name, population, recall[:, 0], detected), _quantity(name, population)
    less = _noise(name, population, first, detected)
    ends = [
        _of_study(name, study_parts.one(first, i), list(of_arms), float(less[i]))
        for i, of_arms in enumerate(statistic.pseudo_values(recall))
    ]
    return {kind: np.transpose([one[kind] for one in ends]) for kind in ends[0]}


def _parts(
    name: str, population: Population, recall: NDArray[np.float64], detected: NDArray[np.bool_]
) -> Parts:
    """The parts of a quantity of one arm in all studies."""
    found = detected.astype(np.float64)
    return components.parts(
        recall,
        _quantity(name, population),
        np.array(population.sizes),
        detected=found,
        group=population.group,
    )


def _noise(
    name: str, population: Population, parts: Parts, detected: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """What is subtracted from each study's variance, shape (S,)."""
    if name != "variance without noise":
        return np.zeros(len(detected))
    found, groups = detected.astype(np.float64), len(population.sizes)
    clean = noise.unbiased_variance(found, population.group, groups, DEFINITION)
    return np.asarray(parts.value - clean)


def _of_study(
    name: str, part: Parts, of_arms: list[NDArray[np.float64]], less: float
) -> dict[str, Interval]:
    pooled = components.pool(of_arms)
    found = {"own": _bounded(name, part, None, less)}
    if pooled is not None:
        value, half = float(part.value) - less, components.half_widths(part, pooled)[1]
        found["pooled"] = Interval(value - half, value + half)
        found["wider"] = _bounded(name, part, pooled, less)
    return found


def _bounded(
    name: str, part: Parts, pooled: components.Pooled | None, less: float = 0.0
) -> Interval:
    if name == "gap":
        return components.interval(part, pooled, within=Interval(0.0, 1.0))
    if name.startswith("variance"):
        most = largest_variance(len(GOOD.sizes), DEFINITION.ddof)
        return components.variance_interval(part, most, pooled, less=less)
    portraits = sum(GOOD.sizes) if name == "recall" else min(GOOD.sizes)
    return components.share_interval(part, portraits, pooled)


def tables(means: Means) -> Iterator[Table]:
    """Five seeds of seven arms; other arms and faults; other numbers of seeds."""
    yield _of_seven_arms(means)
    yield _of_wider(means)
    yield _of_seeds(means)


def _of_seven_arms(means: Means) -> Table:
    return Table(
        [
            *("Bad runs", "Interval of", "Own spread", "a bad run seen", "none seen", "width"),
            *("Pooled", "width", "Wider", "a bad run seen", "none seen", "width"),
        ],
        [
            _first_row(told, name, means[cell])
            for told, cell in (
                ("none", "no bad runs, 7 arms"),
                ("one in five", "one bad run in five, 7 arms"),
            )
            for name in UNITS
        ],
    )


def _of_wider(means: Means) -> Table:
    return Table(
        [
            *("Wider interval of", *UNITS),
            *(f"{name} minus second arm" for name in PAIRED),
            *("range of the median", "not to be trusted, bad run seen", "none seen"),
            "share of bad runs",
        ],
        [
            [
                cell,
                *(share(found[f"{name}, wider, covers"]) for name in UNITS),
                *(share(found[name]) for name in TOLD),
            ]
            for cell, found in means.items()
            if "recall, wider, covers" in found
        ],
    )


def _of_seeds(means: Means) -> Table:
    return Table(
        ["Bad runs find fewer", "Seeds, own spread", *UNITS, "width for recall"],
        [
            row
            for fewer in FEWER
            for row in (
                *(_seeds_row(fewer, runs, means) for runs in SEEDS),
                [
                    f"{fewer} points",
                    "90 % from",
                    *(_enough(fewer, name, means) for name in UNITS),
                    "",
                ],
            )
        ],
    )


def _seeds_row(fewer: str, runs: int, means: Means) -> list[str]:
    found = means[f"{runs} seeds, one arm, drop of {fewer} points"]
    return [
        f"{fewer} points",
        str(runs),
        *(share(found[f"{name}, own, covers"]) for name in UNITS),
        points(found["recall, own, width"]),
    ]


def _enough(fewer: str, name: str, means: Means) -> str:
    """The number of seeds from which on the arm's own interval covers at least 90 %."""
    column, enough = f"{name}, own, covers", ""
    for runs in reversed(SEEDS):
        if means[f"{runs} seeds, one arm, drop of {fewer} points"][column].mean < 0.9:
            break
        enough = str(runs)
    return enough or "-"


def _first_row(told: str, name: str, found: Mapping[str, Mean]) -> list[str]:
    row = [told, name]
    for kind in KINDS:
        start = f"{name}, {kind}, covers"
        row.append(share(found[start]))
        if kind != "pooled":
            row += [share(found[f"{start}, {one}"]) for one in ("bad run seen", "none seen")]
        row.append(points(found[f"{name}, {kind}, width"]))
    return row


def _promises() -> Iterator[Promise]:
    for cell, population in CELLS.items():
        shared = population.arms > 2 and population.faulty is None
        for name in UNITS if shared else ():
            yield Promise(cell, f"{name}, wider, covers", low=0.92)
        for name in UNITS if population.runs >= 20 else ():
            yield Promise(cell, f"{name}, own, covers", low=0.90)
        yield Promise(cell, "range covers the median", low=0.85)


SIMULATION = Simulation(
    name="bad_runs",
    title="Intervals where one run in five is bad",
    text="""
Four groups of 300 portraits whose difficulty differs by 1.3 logits; five seeds. Good runs find
92.8 % of the faces, with a standard deviation of 1.7 points between runs for a group; a run is
bad with probability 0.2, independently of others, and then finds 20 to 40 points fewer in each
group. The truth is that over all seeds and portraits: the mean of good and bad runs, and the
variance (ddof 1, percent squared), gap and worst group of these means; *variance of runs* is the
mean over the runs of their own variances. Coverage in percent of the studies, mean widths in
points or percent squared. *Own spread*: the interval by the arm's own standard deviation between
runs; *pooled*: by that of all arms; *wider*: the wider of both, which the tables give. A third of
the studies sees no bad run in its five seeds: no interval that is narrow there can cover more
than 67 %. The wider interval holds where the arms share the fault. **It does not where one arm
alone has it**: row *only the first arm*. *Minus second arm*: the interval of the first arm's
value minus the second's. *Range of the median*: whether the smallest and the largest of five
recalls enclose the median over all seeds and portraits; for the median on these portraits it is
94 % by theory. *Not to be trusted*: how often the output says so of the first arm. *Share of bad
runs*: how often its exact interval encloses the share of runs that are bad; a run that finds 5 to
15 points fewer is mostly not seen, because only runs more than 10 points off count.
""",
    cells=CELLS,
    draw=populations.draw,
    measure=measure,
    tables=tables,
    promises=tuple(_promises()),
    tested=(
        "no bad runs, 7 arms",
        "one bad run in five, 7 arms",
        "20 seeds, one arm, drop of 20 to 40 points",
    ),
)
