"""Frozen: the weights of a finished run's network, constant from the first epoch on.

They tell the effect of the weights from the interplay of weights and network: nothing that this run
learns changes them.
"""

import numpy as np
from numpy.typing import NDArray

from repro.plugins.contexts import RuleContext
from repro.training.rules import density


def weights(latents: None, context: RuleContext) -> NDArray[np.float64]:
    """The density's rule, applied to the latents of the source run's network.

    These are posterior means of the training faces, whichever latents the source itself resampled
    by; a source that never resampled will do as well.

    Args:
        latents: Not used.
        context: With the source run.

    Returns:
        Shape (N,), sum 1, the same in every epoch.

    Raises:
        DegenerateWeights: As `resampling.weights`.
    """
    assert context.source is not None
    latents_of_source = context.source.latents()
    return density.of_latents(latents_of_source, context.parameters.by, context.settings)
