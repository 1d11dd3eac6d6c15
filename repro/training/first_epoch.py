"""The first epoch of a run, trained once for all runs of a process that begin alike.

The arms of a study often differ in nothing but how faces are drawn, and all faces are drawn alike
in their first epoch. Runs of the same seed then train the same network on the same batches in it.
The run that comes first trains it; those after it in this process take over the network, the
moments of Adam, the stream of the latent noise and the sums of the epoch's terms: the same bits.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from repro.training import adam_state
from repro.training.adam_state import named, unnamed

if TYPE_CHECKING:
    from repro.training.trainer import Fit


@dataclass(frozen=True, slots=True)
class _Trained:
    """What training changes in an epoch, and the seconds that it took."""

    tensors: dict[str, Tensor]
    seconds: float


class Memory:
    """The last first epoch that was trained in a process, 35 MB with the paper's network."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._kept: tuple[str, _Trained] | None = None

    def of(self, beginning: str) -> "FirstEpoch":
        """For a run.

        Args:
            beginning: Equal for runs that differ in nothing but the draws; see `Task.beginning`.
        """
        return FirstEpoch(self, beginning)

    def find(self, name: str) -> _Trained | None:
        """The epoch of this name; None if it is not the one that is kept."""
        return self._kept[1] if self._kept and self._kept[0] == name else None

    def keep(self, name: str, trained: _Trained) -> None:
        """Keep an epoch in place of the one before."""
        self._kept = name, trained


class FirstEpoch:
    """The first epoch of one run.

    Attributes:
        seconds: That its training took, in whichever run; 0 before it.
        is_taken_over: Whether another run trained it.
    """

    def __init__(self, memory: Memory, beginning: str) -> None:
        """See `Memory.of`."""
        self._memory, self._beginning = memory, beginning
        self.seconds, self.is_taken_over = 0.0, False

    def train(self, fit: "Fit", batches: NDArray[np.int64]) -> None:
        """Train a run's first epoch, or take it over.

        Args:
            fit: The run, before its first epoch, whose draws are all that may be its own.
            batches: Its draws, (steps, N).
        """
        drawn = hashlib.sha256(batches.tobytes()).hexdigest()
        name = f"{self._beginning}/{batches.shape}/{drawn}"
        trained = self._memory.find(name)
        if trained is None:
            began = time.perf_counter()
            fit.train(batches)
            trained = _Trained(_state(fit), time.perf_counter() - began)
            self._memory.keep(name, trained)
        else:
            _take_over(fit, trained.tensors)
            self.is_taken_over = True
        self.seconds = trained.seconds


def _state(fit: "Fit") -> dict[str, Tensor]:
    """Copies of what training has changed."""
    found = {
        **named("network", fit.model.state_dict()),
        **adam_state.moments(fit.step.optimiser, fit.model),
        "latent noise": fit.latent_noise.get_state(),
        "totals": fit.step.totals,
    }
    return {name: tensor.detach().clone() for name, tensor in found.items()}


def _take_over(fit: "Fit", tensors: dict[str, Tensor]) -> None:
    """Put the run where training would have brought it; the tensors stay as they are."""
    fit.model.load_state_dict(unnamed("network", tensors))
    own = {name: one if one.ndim else one.clone() for name, one in tensors.items()}
    adam_state.restore_moments(fit.step.optimiser, fit.model, own)  # copies the others
    fit.latent_noise.set_state(tensors["latent noise"])
    fit.step.totals.copy_(tensors["totals"])
