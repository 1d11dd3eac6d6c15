"""Designs of tables that people publish, drawn at random."""

import numpy as np

from printed_tables.tables import ALPHAS, Design


def usual(generator: np.random.Generator, **fixed: object) -> Design:
    """Six arms, four groups of about 300, two decimals: like the tables of the DB-VAE's papers."""
    chosen = {
        "sizes": sizes(generator, 4, 250, 400),
        "runs": pick(generator, [1, 3, 5]),
        "rounding": pick(generator, ["half up", "half even"]),
        "shared": pick(generator, [0.0, 0.5]),
        "ddof": pick(generator, [0, 1]),
    }
    return Design(**{**chosen, **fixed})


def any_design(generator: np.random.Generator) -> Design:
    """Whatever is sensible."""
    groups = pick(generator, [2, 2, 4, 4, 6, 7, 9, 10, 3])
    runs = pick(generator, [1, 3, 5, 5, 10])
    by_run = generator.random() < 0.4
    spread = None if by_run or runs < 3 else pick(generator, [None, "sd", "sem"])
    unit = pick(generator, ["percent", "percent", "fraction"])
    floats = spread is None and generator.random() < 0.1
    counts = by_run and generator.random() < 0.2
    return Design(
        arms=int(generator.integers(2, len(ALPHAS) + 1)),
        sizes=sizes(generator, groups, *pick(generator, [(50, 90), (250, 400), (40, 10_000)])),
        runs=runs,
        keep=None if by_run or runs < 5 else pick(generator, [None, None, 3]),
        average="median" if not by_run and generator.random() < 0.1 else "mean",
        rows="runs" if by_run else "means",
        cells="counts" if counts else "shares",
        decimals=None if floats else pick(generator, [0, 1, 1, 2, 2, 2, 4]),
        zeros=bool(generator.random() < 0.9),
        unit=unit,
        rounding=pick(generator, ["half up", "half even"]),
        overall=None if counts else pick(generator, ["pooled", "groups", None]),
        ddof=None if counts else pick(generator, [0, 1, None]),
        variance_of="averages" if by_run else pick(generator, ["averages", "averages", "runs"]),
        spread=spread,
        series=bool(generator.random() < 0.3),
        level=pick(generator, ["usual", "usual", "high", "low", "equal"]),
        shared=pick(generator, [0.0, 0.5, 0.9]),
    )


def sizes(generator: np.random.Generator, groups: int, low: int, high: int) -> tuple[int, ...]:
    """Portraits of each group; sometimes all alike."""
    if generator.random() < 0.2:
        return (int(generator.integers(low, high)),) * groups
    return tuple(int(n) for n in generator.integers(low, high, size=groups))


def pick(generator: np.random.Generator, choices: list):
    """One of them."""
    return choices[int(generator.integers(len(choices)))]
