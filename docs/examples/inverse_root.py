"""Draw a face with a probability that falls with the root of its group's size."""

import numpy as np

from repro.plugins import Parameters, rule


class Root(Parameters):
    """The exponent: 0 draws evenly, 1 balances the groups."""

    power: float = 0.5


@rule("inverse_root", parameters=Root, needs=("groups",), paper="Kang et al. 2020")
def inverse_root(latents, context):
    """Probability of each training face, (N,)."""
    _, group, sizes = np.unique(context.groups, return_inverse=True, return_counts=True)
    weights = sizes[group] ** -context.parameters.power
    return weights / weights.sum()
