"""Whether means of simulated studies keep within the bounds that are promised."""

from collections.abc import Iterator

import numpy as np
from scipy import special

from simulations.simulation import Mean, Means, Promise, Simulation

BY_CHANCE = 1e-4  # probability at most with which a promise that holds is found broken


def broken(simulation: Simulation, means: Means) -> list[str]:
    """A sentence for each promise that the studies contradict."""
    return list(_broken(simulation, means))


def _broken(simulation: Simulation, means: Means) -> Iterator[str]:
    for promise in simulation.promises:
        mean = means.get(promise.cell, {}).get(promise.column)
        if mean is not None and not holds(promise, mean):
            yield (
                f"{simulation.name}, {promise.cell}, {promise.column}: {mean.mean:.4f} in "
                f"{mean.n:,} studies, promised {promise.low:g} to {promise.high:g}"
            )


def holds(promise: Promise, mean: Mean) -> bool:
    """Whether a mean could come from an expected value within the bounds.

    A share is tested by the binomial distribution, another mean by the normal one: the test fails
    by chance with a probability of at most BY_CHANCE.
    """
    if not mean.n:
        return False
    if _is_share(mean):
        count = round(mean.n * mean.mean)
        low, high = max(promise.low, 0.0), min(promise.high, 1.0)
        too_few = special.bdtr(count, mean.n, low) if promise.low > 0 else 1.0
        too_many = special.bdtrc(count - 1, mean.n, high) if count and promise.high < 1 else 1.0
        return bool(min(too_few, too_many) >= BY_CHANCE / 2)
    room = -float(special.ndtri(BY_CHANCE / 2)) * mean.error
    return promise.low - room <= mean.mean <= promise.high + room


def _is_share(mean: Mean) -> bool:
    """Whether a column holds only 0 and 1: then its variance follows from its mean."""
    expected = mean.mean * (1 - mean.mean)
    return 0 <= mean.mean <= 1 and bool(np.isclose(mean.sd**2, expected, rtol=1e-6, atol=1e-12))
