"""The simulations, in the order of docs/statistics.md."""

from simulations import (
    bad_runs,
    clusters,
    gap_shares,
    group_test,
    matched_threshold,
    power,
    ratios,
    selection_bias,
    stopping,
    tone,
    variance,
    words,
)
from simulations.simulation import Simulation

SIMULATIONS: tuple[Simulation, ...] = tuple(
    module.SIMULATION
    for module in (
        *(power, bad_runs, variance, clusters, group_test, selection_bias),
        *(matched_threshold, words, ratios, gap_shares, stopping, tone),
    )
)
