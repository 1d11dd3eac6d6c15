"""JTT (Liu et al. 2021, "Just train twice"): images that a first network gets wrong count more.

The first network is another arm's run of the same seed. Within each class, an image in its error
set is drawn more often than another; half of each batch stays faces.
"""

import numpy as np
from numpy.typing import NDArray

from repro.metrics import says_face
from repro.plugins.contexts import RuleContext
from repro.resampling import DegenerateWeights

Floats = NDArray[np.float64]
Logits = NDArray[np.float32]
Flags = NDArray[np.bool_]


def weights(latents: None, context: RuleContext) -> tuple[Floats, Floats] | None:
    r"""Probabilities of the faces and of the non-faces, constant over the epochs.

    .. math:: J = \lambda \sum_{i \in E} \ell_i + \sum_{i \notin E} \ell_i

    E is the error set of the first network in evaluation mode at logit 0: faces missed, and false
    alarms. The paper's set holds an image of E lambda times (``copies: lambda``); its authors'
    code appends lambda copies, so that it holds it lambda + 1 times (``lambda_plus_one``).
    With ``nonfaces: even``, E has faces only.

    Args:
        latents: Not used.
        context: With the source run, whose network is the first.

    Returns:
        Shapes (N,) and (M,), each with sum 1. None, an even epoch, if E is empty and the
        configuration allows it (``empty: even``).

    Raises:
        DegenerateWeights: E is empty.
    """
    assert context.source is not None
    choices, source = context.parameters, context.source
    missed = errors(source.logits_of_faces(), faces=True)
    alarms = errors(source.logits_of_nonfaces(), faces=False)
    if choices.nonfaces == "even":
        alarms = np.zeros_like(alarms)
    if not (missed.any() or alarms.any()):
        if choices.empty == "even":
            return None
        raise DegenerateWeights(
            f"the first network of JTT, {source.key}, gets all training "
            f"{'faces' if choices.nonfaces == 'even' else 'images'} right, so that its error set "
            "is empty; give its arm fewer epochs, or set resampling.empty to even"
        )
    times = choices.upweight + (choices.copies == "lambda_plus_one")
    return upweighted(missed, times), upweighted(alarms, times)


def errors(logits: Logits, *, faces: bool) -> Flags:
    """Which images of one class a network gets wrong at logit 0, shape (N,).

    Args:
        logits: Of the images, shape (N,).
        faces: Whether they are faces, so that "no face" is the error.
    """
    positive: Flags = says_face(np.asarray(logits))
    return ~positive if faces else positive


def upweighted(wrong: Flags, times: float) -> Floats:
    """Probabilities with which a flagged image is drawn `times` as often as another.

    Args:
        wrong: The error set's members in one class, shape (N,).
        times: Multiplicity, at least 1.

    Returns:
        Shape (N,), sum 1.
    """
    multiplicity = np.where(wrong, float(times), 1.0)
    probabilities: Floats = multiplicity / multiplicity.sum()
    return probabilities
