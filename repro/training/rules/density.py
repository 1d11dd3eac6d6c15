"""The published rule: faces with rare latents count more (Amini & Soleimany et al. 2019).

The same weights are used in three ways: by drawing (max, product, top5), on the loss with even
draws (`as_loss`), and computed once from a finished run's network (`rules.frozen`).
"""

import numpy as np
from numpy.typing import NDArray

from repro import resampling
from repro.plugins.contexts import RuleContext
from repro.study.configuration import Resampling

Floats = NDArray[np.float64]
Latents = NDArray[np.float32]


def of_latents(latents: Latents, combine: resampling.Combine, settings: Resampling) -> Floats:
    """`resampling.weights` with an arm's settings.

    Args:
        latents: Of the training faces, shape (N, D).
        combine: How the factors of one face are combined over the latents.
        settings: Density, alpha, bins and arithmetic.

    Returns:
        Shape (N,), sum 1.

    Raises:
        DegenerateWeights: As `resampling.weights`.
    """
    return resampling.weights(
        latents,
        combine=combine,
        density=settings.density,
        alpha=settings.alpha,
        bins=settings.bins,
        arithmetic=settings.arithmetic,
    )


def weights(latents: Latents, context: RuleContext) -> Floats:
    """The rules max, product and top5, by which an arm draws."""
    return of_latents(latents, context.settings.rule, context.settings)


def as_loss(latents: Latents, context: RuleContext) -> Floats:
    """Weights of the loss instead of draws (Byrd & Lipton 2019); see `loss_weights`."""
    return of_latents(latents, context.parameters.by, context.settings)


def loss_weights(probabilities: Floats) -> Floats:
    r"""Factors of the training faces' losses, with mean 1 over all N of them.

    .. math:: v_i = N p_i

    With even draws the expected loss is then that of draws with the probabilities. There is no
    normalisation per batch, which would be biased. Equal probabilities give exactly 1, which
    N (1/N) does not for every N.

    Args:
        probabilities: Shape (N,), sum 1.

    Returns:
        Shape (N,).
    """
    if (probabilities == probabilities[0]).all():
        return np.ones(len(probabilities))
    return len(probabilities) * probabilities


def even(latents: None, context: RuleContext) -> None:
    """The rule none: every epoch is even."""
