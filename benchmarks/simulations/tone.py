"""The change of recall over a scale of skin tone, of independent portraits and of persons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import special

from repro.stats import components, covariate
from repro.stats.covariate import Reading
from repro.stats.intervals import t_quantile
from simulations.document import points, share
from simulations.simulation import Columns, Means, Promise, Simulation, Table

Floats = NDArray[np.float64]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(81)
STEPS = 12  # of Newton's method
LARGEST = 12.0  # logit, where all portraits of a run are found


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Persons with several portraits each, whose chance to be found falls with their tone.

    Attributes:
        runs: Seeds.
        shares: Of the persons with the tones 1, 2, ...
        persons: Number of them.
        each: Portraits of a person.
        level: Logit of the lightest tone, at average runs and persons.
        fall: Of the logit from tone to tone.
        run: Standard deviation of the runs' common effect.
        slope: Of the runs' own falls.
        person: Of the persons.
    """

    runs: int
    shares: tuple[float, ...]
    persons: int
    each: int = 1
    level: float = 2.9
    fall: float = 0.3
    run: float = 0.3
    slope: float = 0.1
    person: float = 1.0

    @property
    def tones(self) -> Floats:
        """1 to the number of tones."""
        return np.arange(1.0, len(self.shares) + 1)

    @property
    def recalls(self) -> Floats:
        """Expected recall at each tone, over new runs and persons."""
        apart = self.tones - 1
        spread = np.sqrt(self.run**2 + (self.slope * apart) ** 2 + self.person**2)
        logits = (self.level - self.fall * apart)[:, None] + spread[:, None] * NODES
        return np.asarray(special.expit(logits) @ WEIGHTS / WEIGHTS.sum())


_FITZPATRICK = tuple(n / 1270 for n in (113, 439, 129, 65, 270, 254))  # as in PPB
_SIX, _MONK = (0.1, 0.15, 0.2, 0.25, 0.2, 0.1), (0.1,) * 10
_DESIGNS = {
    "1,270 portraits": Design(runs=0, shares=_FITZPATRICK, persons=1270),
    "1,270, near 100 %": Design(runs=0, shares=_FITZPATRICK, persons=1270, level=7.4, fall=0.6),
    "200 persons, 5 each": Design(runs=0, shares=_SIX, persons=200, each=5, person=2.0),
    "19 persons, 20 each": Design(runs=0, shares=_MONK, persons=19, each=20, person=2.0),
}
RUNS = (5, 10)
CELLS = {
    f"{name}, {runs} runs": Design(
        **{field: getattr(design, field) for field in Design.__slots__ if field != "runs"},
        runs=runs,
    )
    for name, design in _DESIGNS.items()
    for runs in RUNS
}


@dataclass(frozen=True, slots=True)
class Study:
    """Tones, shape (N,), persons, shape (N,), and detections, shape (R, N)."""

    tones: Floats
    cluster: NDArray[np.int64]
    detected: Floats


def draw(cell: Design, generator: Generator) -> Study:
    """One study; persons and their tones are drawn, too."""
    cluster = np.repeat(np.arange(cell.persons), cell.each)
    tones = generator.choice(cell.tones, p=np.array(cell.shares), size=cell.persons)[cluster]
    run, slope = generator.standard_normal((2, cell.runs, 1))
    logits = (
        cell.level - cell.fall * (tones - 1) + cell.run * run + cell.slope * slope * (tones - 1)
    )
    logits = logits + cell.person * generator.standard_normal(cell.persons)[cluster]
    return Study(
        tones, cluster, (generator.random(logits.shape) < special.expit(logits)).astype(np.float64)
    )


def measure(cell: Design, studies: Sequence[Study]) -> Columns:
    """Coverage of the interval, of its rivals, and half of its width in points."""
    truth, curved = true_change(cell), true_logistic_change(cell)
    rows = [_measured(cell, study, truth, curved) for study in studies]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _measured(cell: Design, study: Study, truth: float, curved: float) -> dict[str, float]:
    fit = covariate.slope_fit(study.tones, unit=cell.tones[-1] - 1)
    found = covariate.read(fit, study.detected, study.cluster)
    alone = covariate.read(fit, study.detected)
    half = float(covariate.half_width(found))
    change, error = logistic_change(cell, study)
    return {
        "covers": abs(found.value - truth) <= half,
        "half": 100 * half,
        "satterthwaite": abs(found.value - truth) <= _satterthwaite(found),
        "alone": abs(alone.value - truth) <= float(covariate.half_width(alone)),
        "logistic": abs(change - curved) <= error,
    }


def _satterthwaite(found: Reading) -> float:
    """Half-width with one quantile for both parts, as `components` has it."""
    runs = found.runs.shape[-1]
    between = float(found.runs.var(ddof=1))
    return components.half_width(between, runs, runs - 1, float(found.of_persons))


def true_change(cell: Design) -> float:
    """Along the line through the expected recalls, from the lightest tone to the darkest."""
    weights, apart = np.array(cell.shares), cell.tones - cell.tones @ np.array(cell.shares)
    slope = (weights * apart) @ cell.recalls / ((weights * apart) @ apart)
    return float(slope * (cell.tones[-1] - 1))


def true_logistic_change(cell: Design) -> float:
    """Along the logistic curve that is nearest to the expected recalls."""
    fitted = _logistic(cell.tones, cell.recalls[None], np.array(cell.shares))
    return float(_ends(cell, fitted)[0])


def logistic_change(cell: Design, study: Study) -> tuple[float, float]:
    """The change along a logistic curve, and half the width of its interval.

    Persons by the sandwich with C / (C - 1), runs by the spread of their own curves.
    """
    average = study.detected.mean(axis=0)
    fitted = _logistic(study.tones, np.vstack([average, study.detected]), np.ones(len(average)))
    changes = _ends(cell, fitted)
    curve = special.expit(fitted[0, 0] + fitted[0, 1] * study.tones)
    design = np.stack([np.ones_like(curve), study.tones])
    inner = np.linalg.inv((design * (curve * (1 - curve))) @ design.T)
    scores = covariate.sums(design * (average - curve), study.cluster)
    persons = scores.shape[1]
    ends = np.array([1.0, cell.tones[-1]])
    at = special.expit(fitted[0, 0] + fitted[0, 1] * ends)
    steps = at * (1 - at)
    slope = np.array([steps[1] - steps[0], steps[1] * ends[1] - steps[0] * ends[0]])
    of_persons = slope @ inner @ scores @ scores.T @ inner @ slope * persons / (persons - 1)
    of_runs = changes[1:].var(ddof=1) / cell.runs
    squares = t_quantile(cell.runs - 1) ** 2 * of_runs + t_quantile(persons - 1) ** 2 * of_persons
    return float(changes[0]), float(np.sqrt(squares))


def _ends(cell: Design, fitted: Floats) -> Floats:
    low, high = (special.expit(fitted @ np.array([1.0, end])) for end in (1.0, cell.tones[-1]))
    return np.asarray(high - low)


def _logistic(tones: Floats, shares: Floats, weights: Floats) -> Floats:
    """Level and slope of logistic curves by Newton's method, shape (Q, 2), of shares (Q, N)."""
    middle, spread = tones.mean(), max(float(tones.std()), 1e-9)
    x = (tones - middle) / spread
    found = np.zeros((len(shares), 2))
    found[:, 0] = special.logit(np.clip(shares.mean(axis=1), 1e-5, 1 - 1e-5))
    for _ in range(STEPS):
        curve = special.expit(np.clip(found[:, :1] + found[:, 1:] * x, -LARGEST, LARGEST))
        w = weights * curve * (1 - curve)
        score = np.stack([((shares - curve) * weights).sum(1), (shares - curve) @ (weights * x)], 1)
        total, first, second = w.sum(1), w @ x, w @ (x * x)
        room = np.maximum(total * second - first**2, 1e-12)
        rise = (total * score[:, 1] - first * score[:, 0]) / room
        step = (second * score[:, 0] - first * score[:, 1]) / room
        found = np.clip(found + np.stack([step, rise], 1), -2 * LARGEST, 2 * LARGEST)
    slope = found[:, 1] / spread
    return np.stack([found[:, 0] - slope * middle, slope], 1)


def tables(means: Means) -> Iterator[Table]:
    """A row for each cell."""
    yield Table(
        ["Portraits, runs", "true", "covers", "±", "Satterthwaite", "not clustered", "logistic"],
        [
            [
                name,
                f"{100 * true_change(cell):.1f}",
                share(means[name]["covers"]),
                points(means[name]["half"]),
                share(means[name]["satterthwaite"]),
                share(means[name]["alone"]),
                share(means[name]["logistic"]),
            ]
            for name, cell in CELLS.items()
        ],
    )


SIMULATION = Simulation(
    name="tone",
    title="Change of recall over a scale of skin tone",
    text="""
The chance that a run finds a portrait has a logit that falls with the tone; runs differ in level
and in slope, persons in level, by normal amounts, and persons and their tones are drawn anew in
each study. *True*: the change, in points, along the line through the expected recalls. *Covers*
(%): the interval of the table `tone`, *±* half of its width in points. *Satterthwaite*: one
quantile for both parts of the variance. *Not clustered*: as if each portrait showed another
person. *Logistic*: a logistic curve in place of the line, whose change has another true value.
""",
    cells=CELLS,
    draw=draw,
    measure=measure,
    tables=tables,
    promises=tuple(Promise(name, "covers", low=0.93) for name in CELLS),
    tested=("200 persons, 5 each, 5 runs", "19 persons, 20 each, 5 runs"),
)
