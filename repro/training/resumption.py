"""A run that goes on from a checkpoint, if it is one of this run."""

from collections.abc import Callable

from repro.records import epoch_weights
from repro.training.trainer import Fit, State


def resumed(make: Callable[[State | None], Fit], state: State | None) -> Fit:
    """The training from a state; from the start without one, or if it is of another run.

    Args:
        make: The training from a state, or from the start.
        state: Read from a file; it may be any.
    """
    if state is not None:
        fit = _restored(make, state)
        if fit is not None:
            return fit
    return make(None)


def _restored(make: Callable[[State | None], Fit], state: State) -> Fit | None:
    try:
        fit = make(state)
    except (LookupError, RuntimeError, TypeError, ValueError):
        return None
    sound = not any(
        epoch_weights.problem(weights, len(fit.faces)) or epoch not in range(1, fit.number)
        for epoch, weights in fit.epoch_weights.items()
    )
    return fit if sound and fit.goes_on else None
