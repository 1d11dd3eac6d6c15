"""Placebo: the weights of another run, epoch by epoch, dealt to other faces.

The weights are as uneven as that run's in every epoch: sorted, they are equal to the bit. Only what
decides who gets them is replaced, by chance. So arm minus placebo is the effect of rarity, at equal
spread and equal persistence.
"""

import numpy as np
from numpy.typing import NDArray

from repro.plugins.contexts import RuleContext

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def weights(latents: None, context: RuleContext) -> Floats | None:
    r"""The source run's weights of this epoch, permuted.

    .. math:: p'_i = p_{\pi(i)}

    With ``permutation: run``, one permutation lasts for the whole run, as rarity does; with
    ``epoch``, each epoch has its own, so that no face is favoured for long: over E epochs of
    constant weights the effective sample size then nears N, which is no placebo but a check.
    With ``within: groups``, each group's weights stay in the group, and so does its mass.

    Args:
        latents: Not used.
        context: With the source run, and the groups for ``within: groups``.

    Returns:
        Shape (N,): not normalised again, which would change the last bit. None if the source
        drew this epoch evenly.
    """
    assert context.source is not None
    found = context.source.weights(context.epoch)
    if found is None:
        return None
    lasting = context.parameters.permutation == "run"
    random = context.run_random if lasting else context.random
    groups = context.groups if context.parameters.within == "groups" else None
    return deal(found, permutation(context.faces, random, groups=groups))


def permutation(
    count: int, random: np.random.Generator, *, groups: NDArray[np.str_] | None = None
) -> Integers:
    """A random permutation of `count` faces; with `groups`, each group is mapped onto itself.

    Args:
        count: N.
        random: Source of random numbers.
        groups: Name of each face's group, shape (N,), or None.

    Returns:
        Shape (N,), each position once.
    """
    if groups is None:
        return random.permutation(count)
    found = np.empty(count, dtype=np.int64)
    for name in np.unique(groups):
        members = np.flatnonzero(groups == name)
        found[members] = random.permutation(members)
    return found


def deal(weights: Floats, order: Integers) -> Floats:
    """Face i gets the weight of face ``order[i]``; shapes (N,)."""
    return weights[order]


def persistence(before: Floats, now: Floats) -> float | None:
    """Correlation of log p between two epochs: near 1 if the same faces stay favoured.

    A lasting permutation keeps the source's; fresh ones have about 0.

    Args:
        before: Weights of an epoch, shape (N,).
        now: Of the next one.

    Returns:
        None where it is not defined: a weight is 0, or all are equal.
    """
    if not (before.all() and now.all()):
        return None
    logs = np.log(np.stack([before, now]))
    if not logs.std(axis=1).all():
        return None
    return float(np.corrcoef(logs)[0, 1])
