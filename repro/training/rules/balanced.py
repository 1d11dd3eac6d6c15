"""Rules that balance the groups of the training faces: by weights (RWG), or by leaving faces out.

Idrissi et al. 2022, "Simple data balancing achieves competitive worst-group-accuracy". Only faces
have groups; the half of a batch without faces stays as it is. Balancing the classes (RWY, SUBY) is
what batches of half faces do already.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from repro.plugins.contexts import RuleContext
from repro.resampling import DegenerateWeights

Groups = NDArray[np.str_]
Floats = NDArray[np.float64]


def oracle(latents: None, context: RuleContext) -> Floats:
    """RWG: `inverse_frequency` of the training faces' groups; see there."""
    return inverse_frequency(_groups(context), context.group_names)


def subg(latents: None, context: RuleContext) -> Floats:
    """SUBG: `subsampled` groups of the training faces, the same faces in every epoch."""
    kept = subsampled(_groups(context), context.run_random, context.group_names)
    return kept / np.count_nonzero(kept)


def inverse_frequency(groups: Groups, names: Sequence[str] = ()) -> Floats:
    r"""Probabilities with which each group has the same mass.

    .. math:: p_i = \frac{1}{G\,n_{g(i)}}

    The effective sample size is G^2 / sum_g(1 / n_g).

    Args:
        groups: Name of each face's group, shape (N,).
        names: All groups, G; empty: those that occur.

    Returns:
        Shape (N,), sum 1.

    Raises:
        DegenerateWeights: A group has no face.
    """
    which, counts = _counted(groups, names)
    return 1 / (len(counts) * counts[which])


def subsampled(
    groups: Groups, random: np.random.Generator, names: Sequence[str] = ()
) -> NDArray[np.bool_]:
    """Which faces are kept if each group is cut to the size of the smallest, at random.

    Args:
        groups: Name of each face's group, shape (N,).
        random: Source of random numbers.
        names: All groups, G; empty: those that occur.

    Returns:
        Shape (N,), with G min_g(n_g) faces kept.

    Raises:
        DegenerateWeights: A group has no face.
    """
    which, counts = _counted(groups, names)
    kept = np.zeros(len(groups), dtype=bool)
    for group in range(len(counts)):
        kept[random.permutation(np.flatnonzero(which == group))[: counts.min()]] = True
    return kept


def _groups(context: RuleContext) -> Groups:
    assert context.groups is not None
    return context.groups


def _counted(groups: Groups, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The position of each face's group among the names, and the faces of each group."""
    found, which, counts = np.unique(groups, return_inverse=True, return_counts=True)
    absent = sorted(set(names) - set(found.tolist()))
    if absent:
        raise DegenerateWeights(
            f"no training face is left of the group {absent[0]!r} after the split, so that groups "
            "cannot be balanced; give more of its faces, or a smaller validation_share"
        )
    return which, counts
